package browser

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// A sync is made with the keyboard on the real system, and is seen to run to its end.
func TestSync(t *testing.T) {
	url := up(t)
	ctx, heard := open(t)
	do(t, ctx, "open", chromedp.Navigate(url+"/"), chromedp.WaitVisible("#no-syncs"),
		chromedp.Evaluate(`document.querySelector("summary").focus(), 0`, nil), chromedp.KeyEvent(kb.Enter))
	tabTo(t, ctx, "sync-name")
	do(t, ctx, "name", chromedp.KeyEvent("heroes"))
	tabTo(t, ctx, "sync-prefix")
	do(t, ctx, "folder", chromedp.KeyEvent("art/heroes/"), chromedp.KeyEvent(kb.Enter),
		until(`document.getElementById("sync-status").textContent.includes("heroes")`))
	do(t, ctx, "the run", until(`document.querySelector("#syncs .badge.succeeded") !== null`))
	var text string
	do(t, ctx, "look", chromedp.Evaluate(`document.getElementById("syncs").innerText`, &text))
	if !strings.HasPrefix(text, "heroes everything → art/heroes/") || !strings.Contains(text, "250 fetched, 0 rewritten") {
		t.Errorf("the list says %q", text)
	}
	screenshot(t, ctx, "syncs")
	heard.none(t)
	// Another one of that name is refused, and the browser's console says so, too.
	do(t, ctx, "again", chromedp.SetValue("#sync-name", "heroes"), chromedp.Focus("#sync-name"), chromedp.KeyEvent(kb.Enter),
		until(`document.getElementById("sync-problem").textContent.startsWith("SyncExists: there is a sync")`))
	// Put in its own place, the same definition is run once more.
	const again = `window.before = document.querySelector("#syncs time").dateTime; fetch("/syncs?replace=true", {method: "POST",
		headers: {"Content-Type": "application/json"}, body: '{"name":"heroes","select":{},"destination":{"prefix":"art/heroes/"}}'}), 0`
	do(t, ctx, "replace", chromedp.Evaluate(again, nil), until(`document.querySelector("#syncs .badge.succeeded") !== null &&
		document.querySelector("#syncs time").dateTime !== window.before`))
}
