// This file visits the shop over HTTP, as its customers and their tools do.

package main

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"time"
)

// customers are who visits.
type customers struct {
	client *http.Client
	url    string
	token  func(user string) string
	out    *lines
}

// visit is one request, what comes of it, and what Slack should read then.
type visit struct {
	what               string
	method, path, body string
	tampered           bool
	status             int
	sees               []string // in Slack; none = nothing at all
	flush              bool     // the message goes out before the next visit
}

// the visits, one of each kind. The storm is not among them.
var visits = []visit{
	{what: "a good order", method: "POST", path: "/orders", body: `{"item":"tea","region":"eu"}`, status: 201},
	{
		what: "a tampered token", method: "GET", path: "/cart?coupon=TEA10", tampered: true, status: 401, flush: true,
		sees: []string{"Tampered token", "sign-in refused", "the signature is not ours", "GET /cart"},
	},
	{
		what: "an order that the database can't take", method: "POST", path: "/orders", body: `{"item":"tea","region":"us"}`, status: 500,
		sees: []string{
			"Orders can't be saved", "order not saved", `database "us": dial tcp 127.0.0.1:1`,
			"user 41", "POST /orders", "request_id", "INFO order received item=tea", "DEBUG price found",
		},
	},
	{
		what: "a bug that panics", method: "GET", path: "/cart", status: 500, flush: true,
		sees: []string{"A bug: nobody handled it", "nil pointer dereference", "(*shop).cart", "DEBUG looking for the cart"},
	},
}

// the storm's size.
const (
	stormSize    = 5000
	stormClients = 8
	stormPace    = 3 * time.Millisecond // of one client: so that it goes on after its first message
)

// do sends one request and fails if the answer isn't the one that was meant.
func (c *customers) do(ctx context.Context, v visit) error {
	r, err := http.NewRequestWithContext(ctx, v.method, c.url+v.path, strings.NewReader(v.body))
	if err != nil {
		return err
	}
	token := c.token("41")
	if v.tampered {
		token = strings.Replace(token, "41.", "1.", 1)
	}
	r.Header.Set("User-Agent", "tea-app/2.1")
	r.Header.Set("Authorization", "Bearer "+token)
	answer, err := c.client.Do(r)
	if err != nil {
		return fmt.Errorf("%s: %w", v.what, err)
	}
	defer func() { _ = answer.Body.Close() }()
	if _, err := io.Copy(io.Discard, answer.Body); err != nil {
		return fmt.Errorf("%s: %w", v.what, err)
	}
	if answer.StatusCode != v.status {
		return fmt.Errorf("%s: the shop answers %s; want %d", v.what, answer.Status, v.status)
	}
	return nil
}

// storm has all clients pay, which always fails.
func (c *customers) storm(ctx context.Context) error {
	c.out.fold(paymentFailed)
	defer c.out.unfold()
	failed := make(chan error, stormClients)
	var running sync.WaitGroup
	for n := range stormClients {
		running.Go(func() {
			if err := c.pay(ctx, n*stormSize/stormClients, stormSize/stormClients); err != nil {
				failed <- err
			}
		})
	}
	running.Wait()
	close(failed)
	return <-failed
}

// pay is one client's part of the storm.
func (c *customers) pay(ctx context.Context, from, n int) error {
	pace := time.NewTicker(stormPace)
	defer pace.Stop()
	for i := range n {
		if err := c.do(ctx, payment(1000+from+i)); err != nil {
			return err
		}
		select {
		case <-pace.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

func payment(order int) visit {
	return visit{what: "a payment", method: "POST", path: fmt.Sprintf("/orders/%d/pay", order), status: http.StatusBadGateway}
}

// goOn makes a little traffic until ctx ends: mostly good, sometimes not.
func (c *customers) goOn(ctx context.Context) error {
	for {
		v := visits[0]
		switch n := rand.IntN(10); {
		case n < len(visits):
			v = visits[n]
		case n == len(visits):
			v = payment(rand.IntN(1000))
		}
		if err := c.do(ctx, v); err != nil && ctx.Err() == nil {
			return err
		}
		select {
		case <-time.After(time.Second + rand.N(2*time.Second)):
		case <-ctx.Done():
			return nil
		}
	}
}
