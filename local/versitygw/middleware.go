package main

import (
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/gofiber/fiber/v3"
	"github.com/versity/versitygw/s3api/utils"

	"github.com/scenario-archive/scenario-archive/internal/emulator/loopback"
)

// guard refuses what comes from pages of other origins and by other names, as every port of the emulator does.
func guard(ctx fiber.Ctx) error {
	header := http.Header{}
	for _, name := range []string{"Origin", "Sec-Fetch-Site"} {
		for _, value := range ctx.Request().Header.PeekAll(name) {
			header.Add(name, string(value))
		}
	}
	status, why := loopback.Check(string(ctx.Request().Host()), header)
	if status == 0 {
		return ctx.Next()
	}
	ctx.Set(fiber.HeaderContentType, fiber.MIMEApplicationXML)
	return ctx.Status(status).SendString("<Error><Code>AccessDenied</Code><Message>" + why + "</Message></Error>")
}

const (
	// drainLimit is a whole part of any client that is tried here.
	drainLimit = 64 << 20
	drainTime  = 10 * time.Second
)

// drain reads what the handlers leave of a body that has no length (Transfer-Encoding: chunked), as botocore sends over
// TLS. They stop at the end of the aws-chunked content inside, before the last HTTP chunk; and versitygw's own drain,
// which cannot see where such a body ends, leaves it alone. Those bytes would be taken for the next request's first:
// "An error occurred when parsing the HTTP request".
func drain(ctx fiber.Ctx) error {
	stream := ctx.Request().BodyStream()
	if stream == nil || ctx.Request().Header.ContentLength() != -1 {
		return ctx.Next()
	}
	body := &rememberEOF{Reader: stream}
	utils.ContextKeyBodyReader.Set(ctx, io.Reader(body)) // what the handlers read from
	defer func() {
		if !body.drain(ctx) {
			ctx.Response().Header.SetConnectionClose()
		}
	}()
	return ctx.Next()
}

// rememberEOF keeps in mind that a body has ended: fasthttp's stream would wait for another chunk.
type rememberEOF struct {
	io.Reader
	ended bool
}

func (b *rememberEOF) Read(p []byte) (int, error) {
	if b.ended {
		return 0, io.EOF
	}
	n, err := b.Reader.Read(p)
	b.ended = errors.Is(err, io.EOF)
	return n, err
}

// drain reports whether the body was read to its end.
func (b *rememberEOF) drain(ctx fiber.Ctx) bool {
	if b.ended {
		return true
	}
	conn := ctx.RequestCtx().Conn()
	if conn.SetReadDeadline(time.Now().Add(drainTime)) != nil {
		return false
	}
	_, _ = io.CopyN(io.Discard, b, drainLimit) // whether it has ended is all that counts
	return conn.SetReadDeadline(time.Time{}) == nil && b.ended
}
