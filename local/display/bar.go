package display

import (
	"strings"

	"github.com/cheggaaa/pb/v3"
)

// bar is the picture of a transfer: pb computes the rate and the time left, and draws; the screen writes.
type bar struct {
	bar *pb.ProgressBar
}

const (
	barTemplate   = `{{bar . "[" "=" ">" " " "]"}} {{percent . "%.0f %%"}} {{counters . "%s of %s"}}{{speed . ", %s/s" " "}}{{rtime . ", %s left" "" ""}}`
	plainTemplate = `{{counters . "%s of %s"}}, {{percent . "%.0f %%"}}{{speed . ", %s/s" " "}}{{rtime . ", %s left" "" ""}}`
)

func newBar(total int64, pictured bool) bar {
	template := plainTemplate
	if pictured {
		template = barTemplate
	}
	b := pb.New64(total)
	b.SetTemplateString(template)
	b.Set(pb.Bytes, true)
	b.Set(pb.Static, true) // it draws when asked, and nowhere
	b.Set(pb.Color, false)
	b.Set(pb.Terminal, true)
	b.Set(pb.ReturnSymbol, "")
	return bar{b.Start()}
}

func (b bar) set(done, total int64) {
	b.bar.SetTotal(total)
	b.bar.SetCurrent(min(done, total))
}

func (b bar) text(width int) string {
	b.bar.SetWidth(max(width, 1))
	return strings.TrimSpace(b.bar.String())
}
