// Command fiber gives the requests of a fiber v3 server scopes, and tells its
// panics and failures. Fiber isn't built on net/http: its adaptor would pass
// none of them to slackhttp.
package main

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strings"

	"github.com/gofiber/fiber/v3"

	"example.com/slackalert"
	"example.com/slackalert/examples/internal/try"
)

func main() { try.Main(example) }

// alerts is the middleware; it comes first. Fiber uses the memory of its strings
// again after the handler: what the scope keeps is copied.
func alerts(c fiber.Ctx) (err error) {
	ctx := slackalert.With(c.Context(), "method", c.Method(), "path", strings.Clone(c.Path()),
		"request_id", strings.Clone(c.Get("X-Request-Id")))
	c.SetContext(ctx)
	defer func() {
		slackalert.Add(ctx, "route", c.Route().Path)
		if v := recover(); v != nil {
			slackalert.Panicked(ctx, nil, v)
			err = fiber.ErrInternalServerError
			return
		}
		var answer *fiber.Error
		status := c.Response().StatusCode()
		switch {
		case err != nil && (!errors.As(err, &answer) || answer.Code >= 500):
			slog.ErrorContext(ctx, "request failed", "error", err)
		case err == nil && status >= 500:
			slog.ErrorContext(ctx, fmt.Sprintf("answered %d", status))
		}
	}()
	return c.Next()
}

func example(opts *slackalert.Options, logs io.Writer) error {
	h, err := slackalert.New(slog.NewJSONHandler(logs, nil), opts)
	if err != nil {
		return err
	}
	slog.SetDefault(slog.New(h))

	app := fiber.New()
	app.Use(alerts)
	app.Post("/orders/:id/pay", func(c fiber.Ctx) error {
		slackalert.Add(c.Context(), "user", "ada")
		return errors.New("card declined")
	})
	app.Get("/orders/:id", func(c fiber.Ctx) error {
		var order *struct{ Total int }
		return c.SendString(fmt.Sprint(order.Total))
	})
	app.Get("/stock/:id", func(fiber.Ctx) error { return fiber.ErrServiceUnavailable })
	app.Get("/rates", func(c fiber.Ctx) error { return c.SendStatus(fiber.StatusBadGateway) })

	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	go func() { _ = app.Listener(l, fiber.ListenConfig{DisableStartupMessage: true}) }()
	err = try.Ask("http://"+l.Addr().String(), "POST /orders/7/pay", "/orders/7", "/stock/9", "/rates", "/nothing-here")
	return errors.Join(err, app.Shutdown(), h.Close())
}
