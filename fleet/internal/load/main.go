// This file puts a fleet under load and says what it carries: the figures of
// README.md.

// Load measures a fleet: publishers in this process, NATS, the relay and a Slack
// in processes of their own.
//
//	go run ./internal/load                       # 200 publishers with 50 groups each, for 60 s
//	go run ./internal/load -gap 200ms            # the same, each count published five times a second
//	go run ./internal/load -pairs 100000         # how long a take-over of so many counts takes
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"example.com/slackalert"
	"example.com/slackalert/fakeslack"
	"example.com/slackalert/fleet"
	"example.com/slackalert/fleet/internal/again"
)

const channel = "C0LOAD"

// settings is what is asked for.
type settings struct {
	publishers, groups, pairs int
	length, gap               time.Duration
}

func main() {
	if playsRole() {
		return
	}
	var s settings
	flag.IntVar(&s.publishers, "publishers", 200, "processes that log, each with a connection of its own")
	flag.IntVar(&s.groups, "groups", 50, "kinds of alert that each of them logs")
	flag.DurationVar(&s.length, "for", time.Minute, "how long")
	flag.DurationVar(&s.gap, "gap", 0, "publish each count so often instead of every 10 s")
	flag.IntVar(&s.pairs, "pairs", 0, "measure the take-over of so many pairs of group and run instead")
	flag.Parse()
	if err := measure(context.Background(), s); err != nil {
		fmt.Fprintln(os.Stderr, "load:", err)
		os.Exit(1)
	}
}

func measure(ctx context.Context, s settings) error {
	server, err := again.Start(ctx, "nats")
	if err != nil {
		return err
	}
	defer server.Close() // its folder goes with it
	url, err := server.Await("url ")
	if err != nil {
		return err
	}
	slack, err := fakeslack.Start(&fakeslack.Options{Rate: time.Second})
	if err != nil {
		return err
	}
	defer slack.Close()
	if s.pairs > 0 {
		return takeOver(ctx, s.pairs, url, slack)
	}
	relay, err := again.Start(ctx, "relay", natsEnv+"="+url, slackEnv+"="+slack.APIURL())
	if err != nil {
		return err
	}
	defer relay.Close()
	if _, err := relay.Await(leads); err != nil {
		return err
	}
	return storm(ctx, s, url, slack, relay)
}

// program is one publisher with its handler.
func program(url string, i int, gap time.Duration) (*slackalert.Handler, error) {
	nc, err := nats.Connect(url, nats.MaxReconnects(-1))
	if err != nil {
		return nil, err
	}
	js, err := jetstream.New(nc)
	if err != nil {
		return nil, err
	}
	p, err := fleet.NewPublisher(js, nil)
	if err != nil {
		return nil, err
	}
	return slackalert.New(slog.DiscardHandler, &slackalert.Options{
		Sender: paced{again.OnHost{Publisher: p, Host: fmt.Sprintf("web-%d", i+1)}, gap}, Channel: channel, Service: "shop", BatchDelay: 50 * time.Millisecond,
	})
}

// paced is a publisher with another pace.
type paced struct {
	again.OnHost
	gap time.Duration
}

func (p paced) Gaps() (post, edit time.Duration) {
	post, edit = p.Publisher.Gaps()
	if p.gap > 0 {
		return min(post, p.gap), p.gap
	}
	return post, edit
}

// word is a text that is no other's: digits would be.
func word(n int) string {
	b := []byte("kind ")
	for range 6 {
		b = append(b, byte('g'+n%20))
		n /= 20
	}
	return string(b)
}

// storm lets all publishers log all groups, and times a new kind every two
// seconds from the call to Slack.
func storm(ctx context.Context, s settings, url string, slack *fakeslack.Server, relay *again.Process) error {
	ctx, cancel := context.WithTimeout(ctx, s.length)
	defer cancel()
	var alerts atomic.Int64
	var all sync.WaitGroup
	handlers := make([]*slackalert.Handler, s.publishers)
	for i := range handlers {
		h, err := program(url, i, s.gap)
		if err != nil {
			return err
		}
		handlers[i] = h
		all.Go(func() { logAll(ctx, slog.New(h), s.groups, &alerts) })
	}
	nc, err := nats.Connect(url)
	if err != nil {
		return err
	}
	js, err := jetstream.New(nc)
	if err != nil {
		return err
	}
	time.Sleep(s.length / 6) // the first wave
	from, began := lastSeq(js), time.Now()
	late, logged := probes(ctx, handlers, slack)
	values := float64(lastSeq(js)-from) / time.Since(began).Seconds()
	rss, peak := memory(relay)
	all.Wait()
	for _, h := range handlers {
		if err := h.Close(); err != nil {
			return err
		}
	}
	if len(late) == 0 {
		return errors.New("no new kind came to Slack")
	}
	want := int(alerts.Load())
	fmt.Printf("%d publishers × %d groups, %v: %d alerts logged\n", s.publishers, s.groups, s.length, want)
	fmt.Printf("values stored: %.0f a second\n", values)
	fmt.Printf("a new kind, from the call to Slack: %v, %v, %v (fastest, middle, slowest of %d; %d never came)\n", late[0], late[len(late)/2], late[len(late)-1], len(late), logged-len(late))
	fmt.Printf("the leader: %d MiB resident, %d MiB at most\n", rss, peak)
	return exact(slack, s.groups, want)
}

// logAll logs each kind ten times a second, and counts.
func logAll(ctx context.Context, logger *slog.Logger, groups int, alerts *atomic.Int64) {
	for ctx.Err() == nil {
		for g := range groups {
			logger.Error(word(g), "error", "connect to db-1: no route to host", "request_id", "r1", "user", "u1")
		}
		alerts.Add(int64(groups))
		time.Sleep(100 * time.Millisecond)
	}
}

// probes logs new kinds until ctx is about to end.
func probes(ctx context.Context, handlers []*slackalert.Handler, slack *fakeslack.Server) (late []time.Duration, logged int) {
	end, _ := ctx.Deadline()
	for ; time.Until(end) > 8*time.Second; logged++ {
		name := word(1_000_000 + logged*7919)
		began := time.Now()
		slog.New(handlers[rand.IntN(len(handlers))]).Error(name)
		for time.Since(began) < 7*time.Second {
			if says(slack, name) {
				late = append(late, time.Since(began).Round(time.Millisecond))
				break
			}
			time.Sleep(5 * time.Millisecond)
		}
		time.Sleep(max(0, 2*time.Second-time.Since(began)))
	}
	slices.Sort(late)
	return late, logged
}

// says whether one of the last messages has the name.
func says(slack *fakeslack.Server, name string) bool {
	m := slack.Messages(channel)
	for _, one := range m[max(0, len(m)-3):] {
		data, err := json.Marshal(one.Blocks)
		if err == nil && strings.Contains(string(data), name) || strings.Contains(one.Text, name) {
			return true
		}
	}
	return false
}

// exact waits until the messages' counts are what was logged.
func exact(slack *fakeslack.Server, groups, want int) error {
	each := want / groups
	for until := time.Now().Add(3 * time.Minute); ; time.Sleep(100 * time.Millisecond) {
		var text strings.Builder
		for _, m := range slack.Messages(channel) {
			data, err := json.Marshal(m.Blocks)
			if err != nil {
				return err
			}
			text.Write(data)
			text.WriteString(m.Text)
		}
		right := strings.Count(text.String(), thousands(each))
		if right >= groups {
			fmt.Printf("all %d groups show %s\n", groups, thousands(each))
			return nil
		}
		if time.Now().After(until) {
			return fmt.Errorf("%s stands in Slack %d times; want it for each of %d groups", thousands(each), right, groups)
		}
	}
}

func lastSeq(js jetstream.JetStream) uint64 {
	s, err := js.Stream(context.Background(), "SLACKALERT")
	if err != nil {
		return 0
	}
	return s.CachedInfo().State.LastSeq
}

// thousands is a number as messages write it.
func thousands(n int) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// takeOver fills the stream, and times a relay that begins.
func takeOver(ctx context.Context, pairs int, url string, slack *fakeslack.Server) error {
	nc, err := nats.Connect(url)
	if err != nil {
		return err
	}
	js, err := jetstream.New(nc, jetstream.WithPublishAsyncMaxPending(4000))
	if err != nil {
		return err
	}
	if err := fill(ctx, js, pairs); err != nil {
		return err
	}
	began := time.Now()
	relay, err := again.Start(ctx, "relay", natsEnv+"="+url, slackEnv+"="+slack.APIURL())
	if err != nil {
		return err
	}
	defer relay.Close()
	line, err := relay.Await(leads)
	if err != nil {
		return err
	}
	_, took, _ := strings.Cut(line, `"took":"`)
	took, _, _ = strings.Cut(took, `"`)
	time.Sleep(2 * time.Second)
	rss, peak := memory(relay)
	fmt.Printf("%d pairs: taken over in %s (%v with the process's start); the leader: %d MiB resident, %d MiB at most\n", pairs, took, time.Since(began).Round(time.Millisecond)-2*time.Second, rss, peak)
	return nil
}

// fill publishes the counts of 50 groups in many processes.
func fill(ctx context.Context, js jetstream.JetStream, pairs int) error {
	p, err := fleet.NewPublisher(js, nil)
	if err != nil {
		return err
	}
	now := time.Now()
	began := now
	for at := 0; at < pairs; {
		b := slackalert.Batch{ID: "fill", Channel: channel, Service: "shop", Host: fmt.Sprintf("web-%d", at/50)}
		for g := range 50 {
			b.Groups = append(b.Groups, slackalert.Group{
				Fingerprint: fmt.Sprintf("%016x", g+1), Level: slog.LevelError, Message: word(g), Error: "connect to db-1: no route to host",
				Fields: []slackalert.Field{{Key: "request_id", Value: "r1"}, {Key: "user", Value: "u1"}}, Count: 10, Total: 10, First: now, Last: now, At: now,
				Run: fmt.Sprintf("run%d", at/50),
			})
			at++
		}
		if err := p.Send(ctx, b); err != nil {
			return err
		}
	}
	fmt.Printf("%d values published, one batch of 50 after another, in %v\n", pairs, time.Since(began).Round(time.Millisecond))
	return nil
}
