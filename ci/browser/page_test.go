// Package browser drives the page of a system that is up in a real Chromium, as a person with a keyboard does.
package browser

import (
	"archive/zip"
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	cdpbrowser "github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// up starts the system on free ports and returns the page's address.
func up(t *testing.T) string {
	t.Helper()
	local, err := filepath.Abs("../../.local/bin/local")
	if given := os.Getenv("LOCAL_BINARY"); given != "" {
		local, err = given, nil
	}
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "up")
	cmd := exec.Command(local, "up", "-repo", "../..", "-dir", dir, "-api-addr", "0", "-s3-addr", "0",
		"-stepfunctions-addr", "0", "-scenario-addr", "0", "-stand-in", "-job-duration 2s -asset-size 4KiB")
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatalf("%v; make .local/bin/local builds it", err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
	})
	url := make(chan string, 1)
	go func() {
		for lines := bufio.NewScanner(stderr); lines.Scan(); {
			fmt.Fprintln(os.Stderr, "up:", lines.Text())
			if f := strings.Fields(lines.Text()); len(f) == 4 && f[0] == "Page" {
				url <- f[3]
			}
		}
		close(url)
	}()
	address, ok := <-url
	if !ok {
		t.Fatal("the system did not come up")
	}
	return address
}

// complaints is what the browser's console says against the page: refusals by its policy, errors, failed requests.
type complaints struct {
	mu   sync.Mutex
	list []string
}

func (c *complaints) hear(event any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		c.list = append(c.list, e.ExceptionDetails.Error())
	case *log.EventEntryAdded:
		c.list = append(c.list, e.Entry.Text+" "+e.Entry.URL)
	case *runtime.EventConsoleAPICalled:
		c.list = append(c.list, "console."+string(e.Type))
	}
}

func (c *complaints) none(t *testing.T) {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.list) > 0 {
		t.Errorf("the browser complains: %q", c.list)
	}
	c.list = nil
}

// open starts a Chromium with a profile of its own. Without one the test fails: it is not skipped anywhere.
func open(t *testing.T) (context.Context, *complaints) {
	t.Helper()
	options := append(slices.Clone(chromedp.DefaultExecAllocatorOptions[:]), chromedp.UserDataDir(t.TempDir()), chromedp.WindowSize(1100, 1000))
	if os.Geteuid() == 0 { // as in a container
		options = append(options, chromedp.NoSandbox)
	}
	ctx, cancel := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	browser := ctx
	t.Cleanup(func() { _ = chromedp.Cancel(browser) }) // waits for its end: it writes into its profile until then
	ctx, cancel = context.WithTimeout(ctx, time.Minute)
	t.Cleanup(cancel)
	var heard complaints
	chromedp.ListenTarget(ctx, heard.hear)
	return ctx, &heard
}

func do(t *testing.T, ctx context.Context, what string, actions ...chromedp.Action) {
	t.Helper()
	if err := chromedp.Run(ctx, actions...); err != nil {
		t.Fatalf("%s: %v", what, err)
	}
}

// focus is the ID, or else the text, of what the keyboard is at.
func focus(t *testing.T, ctx context.Context) (at string) {
	t.Helper()
	do(t, ctx, "focus", chromedp.Evaluate(`document.activeElement.id || document.activeElement.textContent`, &at))
	return at
}

// tabTo presses Tab until the keyboard is there, as far as a person would.
func tabTo(t *testing.T, ctx context.Context, id string) {
	t.Helper()
	var passed []string
	for range 20 {
		do(t, ctx, "Tab", chromedp.KeyEvent(kb.Tab))
		at := focus(t, ctx)
		if at == id {
			return
		}
		passed = append(passed, at)
	}
	t.Fatalf("Tab does not lead to %s, but to %q", id, passed)
}

// write replaces the request's text as typing does.
func write(text string) chromedp.Action {
	return chromedp.Evaluate(fmt.Sprintf(`{ const r = document.getElementById("request"); r.value = %q; r.dispatchEvent(new Event("input")); r.focus(); 0 }`, text), nil)
}

func until(condition string) chromedp.Action { return chromedp.Poll(condition, nil) }

func screenshot(t *testing.T, ctx context.Context, name string) {
	t.Helper()
	dir := os.Getenv("SCREENSHOTS")
	if dir == "" {
		return
	}
	var png []byte
	do(t, ctx, "screenshot", chromedp.FullScreenshot(&png, 100))
	if err := os.WriteFile(filepath.Join(dir, name+".png"), png, 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestArchiveWithTheKeyboardAlone(t *testing.T) {
	url := up(t)
	ctx, heard := open(t)
	downloads := t.TempDir()
	saved := make(chan string, 1)
	chromedp.ListenTarget(ctx, func(event any) {
		if e, ok := event.(*cdpbrowser.EventDownloadProgress); ok && e.State == cdpbrowser.DownloadProgressStateCompleted {
			saved <- filepath.Join(downloads, e.GUID)
		}
	})
	do(t, ctx, "open",
		cdpbrowser.SetDownloadBehavior(cdpbrowser.SetDownloadBehaviorBehaviorAllowAndName).WithDownloadPath(downloads).WithEventsEnabled(true),
		chromedp.Navigate(url+"/"), chromedp.WaitVisible("#none"))
	screenshot(t, ctx, "empty")

	tabTo(t, ctx, "request")
	do(t, ctx, "type", chromedp.KeyEvent("asset_hero asset_villain,\nasset_hero asset_dog"))
	tabTo(t, ctx, "start")
	do(t, ctx, "start", chromedp.KeyEvent(kb.Enter), until(`!document.getElementById("archive").hidden`))
	if at := focus(t, ctx); at != "archive-title" {
		t.Errorf("after the start the keyboard is at %s, not at the archive", at)
	}
	var current string
	do(t, ctx, "watch", until(`["step-wait", "step-poll"].includes(document.querySelector("[aria-current=step]")?.id)`),
		chromedp.Evaluate(`document.getElementById("status").textContent`, &current))
	screenshot(t, ctx, "running")
	if current != "Scenario makes the archive." {
		t.Errorf("the status says %q", current)
	}
	do(t, ctx, "end", until(`!document.getElementById("download").hidden`))
	screenshot(t, ctx, "done")
	var past int
	do(t, ctx, "graph", chromedp.Evaluate(`document.querySelectorAll(".graph .past").length`, &past),
		chromedp.Evaluate(`document.getElementById("status").textContent`, &current))
	if past != 5 || !strings.HasPrefix(current, "Done") {
		t.Errorf("%d steps are past; the status says %q", past, current)
	}

	tabTo(t, ctx, "download")
	do(t, ctx, "download", chromedp.KeyEvent(kb.Enter))
	var path string
	select {
	case path = <-saved:
	case <-ctx.Done():
		t.Fatal("nothing was downloaded")
	}
	wantWhole(t, path, 3) // one of the four was given twice
	do(t, ctx, "list", until(`document.querySelector("#recent .badge.succeeded") !== null`),
		emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: "dark"}}))
	screenshot(t, ctx, "dark")
	do(t, ctx, "small", emulation.SetEmulatedMedia(), chromedp.EmulateViewport(390, 800))
	var wide bool
	do(t, ctx, "width", chromedp.Evaluate(`document.documentElement.scrollWidth > innerWidth`, &wide))
	screenshot(t, ctx, "small")
	if wide {
		t.Error("the page is wider than a telephone")
	}
	heard.none(t)
}

// wantWhole reads a ZIP to its end.
func wantWhole(t *testing.T, path string, files int) {
	t.Helper()
	z, err := zip.OpenReader(path)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	if len(z.File) != files {
		t.Errorf("%d files in the ZIP", len(z.File))
	}
	for _, file := range z.File {
		r, err := file.Open()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, r); err != nil { // checks the CRC
			t.Errorf("%s: %v", file.Name, err)
		}
	}
}

// What comes from outside stands there as text, whatever it is.
func TestNothingFromOutsideBecomesMarkup(t *testing.T) {
	url := up(t)
	ctx, heard := open(t)
	var text string
	do(t, ctx, "refused request", chromedp.Navigate(url+"/"), chromedp.Focus("#request"),
		chromedp.KeyEvent(`{"query":{"<img src=x onerror=alert(1)>":["asset_a"]}}`), chromedp.KeyEvent(kb.Enter, chromedp.KeyModifiers(2)),
		until(`document.getElementById("problem").textContent !== ""`),
		chromedp.Evaluate(`document.getElementById("problem").textContent`, &text))
	if !strings.Contains(text, "RequestInvalid") || !strings.Contains(text, "img src=x") {
		t.Errorf("the problem says %q", text)
	}
	if at := focus(t, ctx); at != "request" {
		t.Errorf("the keyboard is at %s, not at the request to correct", at)
	}
	do(t, ctx, "not JSON", write("{x"), chromedp.KeyEvent(kb.Enter, chromedp.KeyModifiers(2)),
		until(`document.getElementById("problem").textContent.startsWith("This is not JSON")`))
	do(t, ctx, "nothing", write(""), chromedp.KeyEvent(kb.Enter, chromedp.KeyModifiers(2)),
		until(`document.getElementById("problem").textContent === "Give at least one asset ID."`))
	resp, err := http.Post(url+"/archives", "application/json", strings.NewReader(`{"query":{"assetIds":["asset_fail"]}}`))
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	do(t, ctx, "failed archive", chromedp.Navigate(url+"/"), until(`document.querySelector("#recent a") !== null`),
		chromedp.Evaluate(`document.querySelector("#recent a").focus(), 0`, nil), chromedp.KeyEvent(kb.Enter),
		until(`document.getElementById("failure").textContent !== ""`), chromedp.Evaluate(`document.getElementById("failure").textContent`, &text))
	screenshot(t, ctx, "failed")
	if !strings.HasPrefix(text, "JobFailed") {
		t.Errorf("the failure says %q", text)
	}
	do(t, ctx, "hostile address", chromedp.Evaluate(`location.hash = "<img src=x onerror=alert(1)>", 0`, nil),
		until(`document.getElementById("status").textContent.startsWith("NotFound")`))
	var images int
	do(t, ctx, "markup", chromedp.Evaluate(`document.images.length`, &images))
	if images != 0 {
		t.Errorf("%d images", images)
	}
	heard.mu.Lock()
	heard.list = slices.DeleteFunc(heard.list, func(s string) bool { // the browser logs every 4xx by itself
		return strings.HasPrefix(s, "Failed to load resource: the server responded with a status of 4")
	})
	heard.mu.Unlock()
	heard.none(t)
}
