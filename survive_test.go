package slackalert

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/slack-go/slack"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/slackalert/fakeslack"
)

// lifeEnv names how a test binary lives and ends that runs as another process;
// its arguments are Slack's address, the folder ("" = none), and what it calls
// itself.
const lifeEnv = "SLACKALERT_TEST_LIFE"

var errNobody = errors.New("connection refused")

// lives are the programs that a child can be.
var lives = map[string]func(h *Handler, log *slog.Logger, name string){
	"load": load,
	// the last start: it tells what is left, and goes
	"calm": func(*Handler, *slog.Logger, string) {},
	// an error at each start, and it is killed at once; or when it is told
	"loop": func(h *Handler, log *slog.Logger, name string) {
		log.Error("the start failed", "error", errNobody)
		for name == "told" && h.Stats().Delivered == 0 {
			time.Sleep(time.Millisecond)
		}
		if name == "told" {
			time.Sleep(50 * time.Millisecond)
		}
		dieNow()
	},
	"panic":   func(*Handler, *slog.Logger, string) { panic("no such tenant, token=geheim") },
	"repanic": func(h *Handler, _ *slog.Logger, _ string) { defer h.Repanic(); panic("told already") },
	"do": func(_ *Handler, log *slog.Logger, _ string) {
		_ = Do(context.Background(), log, "job", func(context.Context) error { panic("in a job") })
	},
	"repanic, and another": func(h *Handler, _ *slog.Logger, _ string) {
		func() {
			defer func() { _ = recover() }()
			defer h.Repanic()
			panic("told already")
		}()
		panic("and dead")
	},
	"log and kill": func(_ *Handler, log *slog.Logger, _ string) {
		for range 3 {
			log.Error("the last words")
		}
		dieNow()
	},
	"log and exit":  func(_ *Handler, log *slog.Logger, _ string) { log.Error("the last words"); os.Exit(3) },
	"log and panic": func(_ *Handler, log *slog.Logger, _ string) { log.Error("the last words"); panic("and dead") },
	"log and close": func(h *Handler, log *slog.Logger, _ string) {
		log.Error("the last words")
		_ = h.Shutdown(context.Background())
		os.Exit(0)
	},
}

func dieNow() {
	p, err := os.FindProcess(os.Getpid())
	if err == nil {
		err = p.Kill()
	}
	fmt.Fprintln(os.Stderr, "alive:", err)
	select {}
}

// liveAs is the main of a child.
func liveAs(how string) {
	api, dir, name := os.Args[1], os.Args[2], os.Args[3]
	o := &Options{Token: "xoxb-test", Channel: "#survive", APIURL: api, Service: "shop", SpoolDir: dir, CatchCrash: dir != "", BatchDelay: 200 * time.Millisecond}
	if how != "load" && how != "loop" {
		o.BatchDelay = time.Hour // it ends before that
	}
	if how == "load" || how == "calm" {
		o.Blocks = countsAsBlocks
	}
	h, err := New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError + 100}), o)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	lives[how](h, slog.New(h), name)
	time.Sleep(300 * time.Millisecond)                       // what was adopted is news
	if err := h.Shutdown(context.Background()); err != nil { // on a busy machine five seconds aren't ample
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// load logs 40 new kinds a second, and repeats, and says on standard output what
// has returned.
func load(_ *Handler, log *slog.Logger, name string) {
	var out sync.Mutex
	say := func(kind string) {
		log.Error(kind, "error", errNobody, "padding", strings.Repeat("x", rand.IntN(2000)))
		out.Lock()
		defer out.Unlock()
		fmt.Println(kind)
	}
	for i := range 4000 {
		kind := "kind " + name + "-" + letters(i)
		say(kind)
		go func() {
			for range rand.IntN(100) {
				say(kind)
			}
		}()
		say("shared by all")
		time.Sleep(25 * time.Millisecond)
	}
}

// countsAsBlocks is a layout for a machine: a line a group.
func countsAsBlocks(b Batch) (blocks []slack.Block) {
	text := ""
	flush := func() {
		blocks = append(blocks, slack.NewSectionBlock(slack.NewTextBlockObject(slack.PlainTextType, text, false, false), nil, nil))
		text = ""
	}
	for i, g := range b.Groups {
		text += fmt.Sprintf("%s=%d\n", g.Message, g.Count)
		if i%10 == 9 {
			flush()
		}
	}
	if text != "" {
		flush()
	}
	return blocks
}

// counts is what stands in all messages: how many of each kind, and in how many
// messages.
func counts(t *testing.T, s *fakeslack.Server) (n, messages map[string]int) {
	n, messages = map[string]int{}, map[string]int{}
	for _, m := range s.Messages("#survive") {
		for _, b := range m.Blocks.BlockSet {
			section, ok := b.(*slack.SectionBlock)
			if !ok {
				continue
			}
			for line := range strings.Lines(section.Text.Text) {
				kind, count, ok := strings.Cut(strings.TrimSpace(line), "=")
				if c, err := strconv.Atoi(count); ok && err == nil {
					n[kind] += c
					messages[kind]++
				}
			}
		}
	}
	require.NotEmpty(t, n)
	return n, messages
}

// launch is a child; its output is what it says it has logged.
func launch(api, dir, how, name string) *exec.Cmd {
	cmd := exec.Command(os.Args[0], api, dir, name)
	cmd.Env = append(os.Environ(), lifeEnv+"="+how)
	return cmd
}

// killedUnderLoad lets a child live for a random time after its first alert, or now
// and then not even so long, and returns what it said.
func killedUnderLoad(t *testing.T, api, dir, name string, said *sync.Map) {
	cmd := launch(api, dir, "load", name)
	out, err := cmd.StdoutPipe()
	if !assert.NoError(t, err) || !assert.NoError(t, cmd.Start()) {
		return
	}
	most := 700 * time.Millisecond
	if testing.Short() {
		most /= 3
	}
	end := time.AfterFunc(time.Hour, func() { _ = cmd.Process.Kill() })
	defer end.Stop()
	if rand.IntN(5) == 0 && name != letters(0) {
		end.Reset(rand.N(most))
	}
	lines := bufio.NewScanner(out)
	n := map[string]int{}
	for lines.Scan() {
		if len(n) == 0 {
			end.Reset(rand.N(most))
		}
		n[lines.Text()]++
	}
	assert.ErrorContains(t, cmd.Wait(), "killed", "it ended by itself")
	for kind, count := range n {
		said.Store(name+" "+kind, count)
	}
}

// toKill is how many processes a test kills.
func toKill(t *testing.T) int {
	n, err := strconv.Atoi(os.Getenv("SPOOL_KILLS"))
	switch {
	case err == nil:
		require.Positive(t, n)
		return n
	case testing.Short() || repeated(t):
		return 6
	}
	return 20
}

func TestKillsLoseNoAlert(t *testing.T) {
	t.Parallel()
	for _, at := range []int{1, 3} { // processes in one folder at a time
		t.Run(fmt.Sprint(at), func(t *testing.T) {
			t.Parallel()
			var sum verdict
			for left := toKill(t); left > 0; left -= 20 { // kinds beyond MaxGroups have no name
				sum.add(killSome(t, at, min(left, 20)))
			}
			t.Logf("%d kills: %d kinds, %d alerts, %d lost, counts at least %.3f of the truth, %d kinds told twice, in %d messages",
				sum.kills, sum.kinds, sum.alerts, sum.lost, 1-sum.short, sum.twice, sum.messages)
		})
	}
}

// verdict is what kills came to.
type verdict struct {
	kills, kinds, alerts, lost, twice, messages int
	short                                       float64 // of what was counted, at worst
}

func (v *verdict) add(w verdict) {
	v.kills, v.kinds, v.alerts, v.lost = v.kills+w.kills, v.kinds+w.kinds, v.alerts+w.alerts, v.lost+w.lost
	v.twice, v.messages, v.short = v.twice+w.twice, v.messages+w.messages, max(v.short, w.short)
}

// killSome kills processes in a new folder, at so many at a time.
func killSome(t *testing.T, at, kills int) verdict {
	dir := filepath.Join(t.TempDir(), "spool")
	s, err := fakeslack.Start(nil)
	require.NoError(t, err)
	defer s.Close()
	var said sync.Map
	var wg sync.WaitGroup
	for p := range at {
		wg.Go(func() {
			for i := p; i < kills; i += at {
				killedUnderLoad(t, s.APIURL(), dir, letters(i), &said)
			}
		})
	}
	wg.Wait()
	out, err := launch(s.APIURL(), dir, "calm", "").CombinedOutput()
	require.NoError(t, err, string(out))
	return judge(t, s, &said, kills)
}

// judge compares what was told with what was logged.
func judge(t *testing.T, s *fakeslack.Server, said *sync.Map, kills int) verdict {
	logged := map[string]int{}
	said.Range(func(k, n any) bool {
		_, kind, _ := strings.Cut(k.(string), " ")
		logged[kind] += n.(int)
		return true
	})
	told, messages := counts(t, s)
	v := verdict{kills: kills, kinds: len(logged), messages: len(s.Messages("#survive"))}
	for kind, n := range logged {
		v.alerts += n
		v.short = max(v.short, 1-float64(told[kind])/float64(n))
		if 9*told[kind] < 8*n {
			t.Logf("%s: %d of %d are told, in %d messages", kind, told[kind], n, messages[kind])
		}
		switch {
		case told[kind] == 0:
			v.lost++
			t.Errorf("%s, %d times, is lost", kind, n)
		case messages[kind] > 1 && told[kind] > n+8*kills: // what had not returned may be told, too
			v.twice++
		}
	}
	assert.LessOrEqual(t, v.short, 0.2)
	assert.LessOrEqual(t, v.twice, 100*kills, "one batch a kill")
	return v
}

func TestACrashLoopIsOneMessage(t *testing.T) {
	t.Parallel()
	for _, how := range []string{"loop", "panic"} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			s, err := fakeslack.Start(nil)
			require.NoError(t, err)
			defer s.Close()
			name := "told"
			for range 50 {
				require.Error(t, launch(s.APIURL(), dir, how, name).Run())
				name = "killed"
			}
			out, err := launch(s.APIURL(), dir, "log and close", "").CombinedOutput() // another alert, in a message of its own
			require.NoError(t, err, string(out))
			got := s.Messages("#survive")
			first := got[0].String()
			assert.Contains(t, first, "×50 or more")
			assert.NotContains(t, first, "geheim")
			assert.Equal(t, how == "loop", len(got) == 2, "the panics were never told before")
			assert.Equal(t, how == "loop", got[0].Edits > 0)
		})
	}
}

// What each end leaves untold, without a folder and with one: docs/survive.md
// has the table.
func TestWhatEachEndLoses(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		end           string
		without, with string // what is told after the next start
	}{
		{"log and kill", "", "the last words"},
		{"log and exit", "", "the last words"},
		{"log and panic", "", "the last words, and dead"},
		{"log and close", "the last words", "the last words"},
		{"panic", "", "no such tenant"},
		{"repanic", "told already", "told already"},
		{"repanic, and another", "told already", "told already, and dead"},
		{"do", "", "in a job"},
	} {
		for _, folder := range []bool{false, true} {
			t.Run(fmt.Sprint(tt.end, folder), func(t *testing.T) {
				t.Parallel()
				dir, want := "", tt.without
				if folder {
					dir, want = t.TempDir(), tt.with
				}
				s, err := fakeslack.Start(nil)
				require.NoError(t, err)
				defer s.Close()
				_ = launch(s.APIURL(), dir, tt.end, "").Run() // most are to fail
				out, err := launch(s.APIURL(), dir, "calm", "").CombinedOutput()
				require.NoError(t, err, string(out))
				all := ""
				for _, m := range s.Messages("#survive") {
					all += m.String() + "\n"
					for _, b := range m.Blocks.BlockSet {
						if section, ok := b.(*slack.SectionBlock); ok && section.Text != nil {
							all += section.Text.Text
						}
					}
				}
				if want == "" {
					assert.Empty(t, all)
				}
				for _, words := range strings.Split(want, ", ") {
					assert.Contains(t, all, words)
				}
				assert.NotContains(t, all, "geheim")
				assert.NotContains(t, all, "repanicked", "it is told twice")
				if tt.end == "repanic" {
					assert.Len(t, s.Messages("#survive"), 1, "told once")
				}
			})
		}
	}
}
