// This file is the shop: a small HTTP service that logs through slog and knows
// of Slack only that a request's records may say who it was.

package main

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"

	"example.com/slackalert"
)

// shop sells tea in two regions, and the database of one of them is down.
type shop struct {
	key []byte // signs tokens
}

var (
	errSignature = errors.New("the signature is not ours")
	errProvider  = errors.New("payment provider: 503 Service Unavailable")
)

// databases are where orders are saved. Nobody listens at the second address,
// so that the error of a lost database is a real one.
var databases = map[string]string{"eu": "memory", "us": "127.0.0.1:1"}

func (s *shop) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /orders", s.signedIn(s.order))
	mux.HandleFunc("POST /orders/{id}/pay", s.signedIn(s.pay))
	mux.HandleFunc("GET /cart", s.signedIn(s.cart))
	return mux
}

// token says who somebody is, signed.
func (s *shop) token(user string) string {
	mac := hmac.New(sha256.New, s.key)
	mac.Write([]byte(user))
	return user + "." + hex.EncodeToString(mac.Sum(nil))
}

// user is whom a token names.
func (s *shop) user(token string) (string, error) {
	user, _, _ := strings.Cut(token, ".")
	if !hmac.Equal([]byte(token), []byte(s.token(user))) {
		return "", fmt.Errorf("token of user %s: %w", user, errSignature)
	}
	return user, nil
}

// signedIn lets only those in who can prove who they are.
func (s *shop) signedIn(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		user, err := s.user(strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "))
		if err != nil {
			slog.WarnContext(r.Context(), "sign-in refused", "error_code", "token_tampered", "error", err)
			answer(w, http.StatusUnauthorized, "who are you?")
			return
		}
		slackalert.Add(r.Context(), "user", user)
		next(w, r)
	}
}

func (s *shop) order(w http.ResponseWriter, r *http.Request) {
	ctx := r.Context()
	var order struct{ Item, Region string }
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<10)).Decode(&order); err != nil {
		answer(w, http.StatusBadRequest, "what do you want?")
		return
	}
	slog.InfoContext(ctx, "order received", "item", order.Item, "region", order.Region)
	slog.DebugContext(ctx, "price found", "item", order.Item, "amount", "12.90")
	if err := save(ctx, order.Region); err != nil {
		slog.ErrorContext(ctx, "order not saved", "error_code", "database_down",
			"error", fmt.Errorf("save order of %s: %w", order.Item, err))
		answer(w, http.StatusInternalServerError, "try again later")
		return
	}
	slog.InfoContext(ctx, "order saved", "item", order.Item)
	answer(w, http.StatusCreated, "thank you")
}

// save stores an order where its region's database is.
func save(ctx context.Context, region string) error {
	address := databases[region]
	if address == "memory" {
		return nil
	}
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", address)
	if err != nil {
		return fmt.Errorf("database %q: %w", region, err)
	}
	_ = conn.Close()
	return fmt.Errorf("database %q: %s is no database", region, address)
}

func (s *shop) pay(w http.ResponseWriter, r *http.Request) {
	slog.ErrorContext(r.Context(), paymentFailed, "error_code", "payment_failed", "order", r.PathValue("id"), "error", errProvider)
	answer(w, http.StatusBadGateway, "try again later")
}

const paymentFailed = "payment failed"

// cart has the bug: nobody who has no cart was thought of.
func (s *shop) cart(w http.ResponseWriter, r *http.Request) {
	slog.DebugContext(r.Context(), "looking for the cart")
	var c *cart
	answer(w, http.StatusOK, fmt.Sprintf("%d items", len(c.items)))
}

type cart struct{ items []string }

func answer(w http.ResponseWriter, status int, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]string{"message": message}) // the client is gone: nobody to tell
}
