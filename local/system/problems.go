package system

import (
	"log/slog"
	"strings"
)

// problems is the log of one of the system's own parts: all of it in a file, what went wrong also on the screen, because a
// disk that is full has no place for the file.
func (s *System) problems(name string) *slog.Logger {
	screen := slog.NewTextHandler(writerFunc(func(text string) {
		s.options.Screen.Line("%s: %s", name, strings.TrimSpace(text))
	}), &slog.HandlerOptions{Level: slog.LevelWarn, ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey || a.Key == slog.LevelKey {
			return slog.Attr{}
		}
		return a
	}})
	return slog.New(slog.NewMultiHandler(s.logs.logger(name).Handler(), screen))
}
