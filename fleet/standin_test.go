package fleet

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"crypto/rand"

	"example.com/slackalert"
	"example.com/slackalert/fleet/internal/relay"
)

// standin is a handler until Merge is built.
type standin struct {
	sender slackalert.Sender
	mu     sync.Mutex
	groups map[string]*sgroup
	order  []*sgroup
	wake   chan struct{}
	ctx    context.Context
	cancel func()
	done   chan struct{}
}

type sgroup struct {
	g      slackalert.Group
	ch     string
	merged int
	told   int
	before int
	id     string
}

func newStandin(_ slog.Handler, opts *slackalert.Options) (relay.Handler, error) {
	s := &standin{sender: opts.Sender, groups: map[string]*sgroup{}, wake: make(chan struct{}, 1), done: make(chan struct{})}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	go s.run()
	return s, nil
}

func (s *standin) Merge(b slackalert.Batch) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, g := range b.Groups {
		k := b.Channel + "/" + g.Fingerprint
		sg := s.groups[k]
		if sg == nil {
			sg = &sgroup{g: g, ch: b.Channel}
			s.groups[k] = sg
			s.order = append(s.order, sg)
		}
		sg.merged += g.Count
		sg.g.Hosts, sg.g.Named = g.Hosts, g.Named
		if len(g.Notes) > 0 {
			sg.g.Notes = g.Notes
		}
	}
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

func (s *standin) Resume(b slackalert.Batch, _ string, _ time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, g := range b.Groups {
		sg := &sgroup{g: g, ch: b.Channel, merged: g.Total, told: g.Total, before: g.Total - g.Count, id: b.ID}
		s.groups[b.Channel+"/"+g.Fingerprint] = sg
		s.order = append(s.order, sg)
	}
}

func (s *standin) run() {
	defer close(s.done)
	for {
		select {
		case <-s.ctx.Done():
			return
		case <-s.wake:
		}
		for again := true; again && s.ctx.Err() == nil; {
			again = false
			s.mu.Lock()
			todo := append([]*sgroup(nil), s.order...)
			s.mu.Unlock()
			for _, sg := range todo {
				s.mu.Lock()
				n := sg.merged
				due := n > sg.told
				g := sg.g
				g.Total, g.Count = n, n-sg.before
				b := slackalert.Batch{ID: sg.id, Channel: sg.ch, Groups: []slackalert.Group{g}}
				s.mu.Unlock()
				if !due {
					continue
				}
				var err error
				if b.ID == "" {
					b.ID = rand.Text()
					err = s.sender.Send(s.ctx, b)
				} else {
					err = s.sender.(slackalert.Updater).Update(s.ctx, b)
				}
				if err != nil {
					again = true
					fmt.Println("standin:", err)
					time.Sleep(20 * time.Millisecond)
					continue
				}
				s.mu.Lock()
				sg.told, sg.id = n, b.ID
				s.mu.Unlock()
			}
			time.Sleep(10 * time.Millisecond)
		}
	}
}

func (s *standin) Shutdown(context.Context) error { s.cancel(); <-s.done; return nil }
