// This file starts a headless Chromium and opens pages in it.

// Package browsertest looks at fakeslack's page with a real browser: the tests
// here check what it shows, and cmd/pictures draws messages.
package browsertest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// patience is how long anything in the browser may take; a loaded machine is
// slow, and what works is done long before.
const patience = 30 * time.Second

// A Browser is a running Chromium. It may be used by several goroutines.
type Browser struct {
	ctx  context.Context
	stop context.CancelFunc
}

// Start starts the Chromium (or Chrome) that is installed, with a new profile
// that [Browser.Close] removes.
func Start() (*Browser, error) {
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.NoSandbox, // root has none, and the pages are our own
		chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true),
		chromedp.Flag("disable-component-update", true),
		chromedp.WSURLReadTimeout(patience),
	)
	allocator, free := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, cancel := chromedp.NewContext(allocator)
	b := &Browser{ctx, func() { cancel(); free() }}
	if err := chromedp.Do(ctx); err != nil {
		b.stop()
		return nil, fmt.Errorf("browsertest: start Chromium: %w", err)
	}
	return b, nil
}

// Close ends the browser and what is open in it.
func (b *Browser) Close() error {
	defer b.stop()
	return chromedp.Cancel(b.ctx)
}

// A View is what a reader looks at the page with. The zone is UTC, the language
// English, so that pictures are the same everywhere.
type View struct {
	Width, Height int
	Scale         float64 // pixels of the picture for one of the page
	Dark          bool
	NoScripts     bool   // the page's own don't run
	Now           string // what the page's scripts take for now, as RFC 3339; "" = now
}

// stopped makes a page's clock stand still.
const stopped = `{ const now = Date.parse(%q), Clock = Date; Date = class extends Clock {
	constructor(...when) { super(...(when.length ? when : [now])); }
	static now() { return now; }
} }`

// A Page is one open tab, with a profile of its own.
type Page struct {
	ctx   context.Context
	close context.CancelFunc

	mu       sync.Mutex
	troubles []string
}

// Open opens address in a new tab.
func (b *Browser) Open(address string, v View) (*Page, error) {
	ctx, cancel := chromedp.NewContext(b.ctx, chromedp.WithNewBrowserContext())
	p := &Page{ctx: ctx, close: cancel}
	scheme, script := "light", ""
	if v.Dark {
		scheme = "dark"
	}
	if v.Now != "" {
		script = fmt.Sprintf(stopped, v.Now)
	}
	err := errors.Join(
		chromedp.Listen(ctx, p.note),
		p.Do(
			chromedp.EmulateViewport(int64(v.Width), int64(v.Height), chromedp.EmulateScale(max(v.Scale, 1))),
			command(emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
				Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
			}),
			command(emulation.SetTimezoneOverride, emulation.SetTimezoneOverrideParams{TimezoneID: "UTC"}),
			command(emulation.SetLocaleOverride, emulation.SetLocaleOverrideParams{Locale: "en-US"}),
			command(emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: v.NoScripts}),
			command(page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: script}),
			chromedp.Navigate(address),
		),
	)
	if err != nil {
		cancel()
		return nil, fmt.Errorf("browsertest: open %s: %w", address, err)
	}
	return p, nil
}

// command is a command of the browser's protocol as a step.
func command[P, R any](c cdp.Command[P, R], params P) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, c, params)
		return err
	})
}

// note keeps what a user would find in the console, and dialogs, which hold the
// page up.
func (p *Page) note(event any) {
	var trouble string
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		trouble = "exception: " + e.ExceptionDetails.Text
		if thrown := e.ExceptionDetails.Exception; thrown != nil {
			trouble += " " + thrown.Description
		}
	case *runtime.EventConsoleAPICalled:
		trouble = fmt.Sprintf("console.%s", e.Type)
		for _, a := range e.Args {
			trouble += fmt.Sprintf(" %s%s", a.Value, a.Description)
		}
	case *log.EventEntryAdded:
		trouble = fmt.Sprintf("%s: %s (%s)", e.Entry.Level, e.Entry.Text, e.Entry.URL)
	case *network.EventLoadingFailed:
		trouble = "not loaded: " + e.ErrorText
	case *page.EventJavascriptDialogOpening:
		trouble = "dialog: " + e.Message
	default:
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.troubles = append(p.troubles, trouble)
}

// Troubles is what the console has said so far, and dialogs that opened.
func (p *Page) Troubles() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]string(nil), p.troubles...)
}

// Close closes the tab.
func (p *Page) Close() { p.close() }

// Do takes steps in the page.
func (p *Page) Do(steps ...chromedp.Action[chromedp.Void]) error {
	_, err := run(p, chromedp.Steps(steps...))
	return err
}

func run[T any](p *Page, a chromedp.Action[T]) (T, error) {
	// The first run binds the tab to its context: that must not end early.
	if err := chromedp.Do(p.ctx); err != nil {
		var none T
		return none, err
	}
	ctx, cancel := context.WithTimeoutCause(p.ctx, patience, fmt.Errorf("the page took over %v", patience))
	defer cancel()
	return chromedp.Run(ctx, a)
}

// Ask evaluates JavaScript in the page; a promise is waited for.
func Ask[T any](p *Page, expression string) (T, error) {
	answer, err := run(p, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		err = fmt.Errorf("browsertest: ask %s: %w", expression, err)
	}
	return answer, err
}

// WaitFor waits until a JavaScript expression is true.
func (p *Page) WaitFor(expression string) error {
	_, err := run(p, chromedp.Poll[bool]("!!("+expression+")",
		chromedp.WithPollingInterval(20*time.Millisecond), chromedp.WithPollingTimeout(patience)))
	if err != nil {
		err = fmt.Errorf("browsertest: wait for %s: %w", expression, err)
	}
	return err
}

// Click clicks with the mouse on the first element that the selector finds.
func (p *Page) Click(selector string) error {
	return p.Do(chromedp.Click(chromedp.CSS(selector)))
}

// Picture is a PNG of the first element that the selector finds; "" is all that
// is in view.
func (p *Page) Picture(selector string) ([]byte, error) {
	if selector == "" {
		return run(p, chromedp.CaptureScreenshot())
	}
	return run(p, chromedp.Screenshot(chromedp.CSS(selector)))
}

// AllowPasting lets the page's scripts read the clipboard.
func (p *Page) AllowPasting() error {
	_, err := chromedp.CallBrowser(p.ctx, browser.SetPermission, browser.SetPermissionParams{
		Permission: &browser.PermissionDescriptor{Name: "clipboard-read"}, Setting: browser.PermissionSettingGranted,
		BrowserContextID: chromedp.FromContext(p.ctx).BrowserContextID,
	})
	return err
}
