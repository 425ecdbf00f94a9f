// Command echo4 mounts the middleware around an echo v4 server.
package main

import (
	"errors"
	"io"
	"log/slog"
	"net/http"

	"github.com/labstack/echo/v4"

	"example.com/slackalert"
	"example.com/slackalert/examples/internal/try"
	"example.com/slackalert/slackhttp"
)

func main() { try.Main(example) }

func example(opts *slackalert.Options, logs io.Writer) error {
	h, err := slackalert.New(slog.NewJSONHandler(logs, nil), opts)
	if err != nil {
		return err
	}
	slog.SetDefault(slog.New(h))

	e := echo.New()
	e.Use(func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			ctx := c.Request().Context()
			slackalert.Add(ctx, "route", c.Path()) // which only echo knows
			err := next(c)
			var answer *echo.HTTPError // an error that is none becomes a 500
			if err != nil && (!errors.As(err, &answer) || answer.Code >= 500) {
				slog.ErrorContext(ctx, "request failed", "error", err)
			}
			return err
		}
	})
	e.POST("/orders/:id/pay", func(c echo.Context) error {
		slackalert.Add(c.Request().Context(), "user", "ada")
		return errors.New("card declined")
	})
	e.GET("/orders/:id", func(c echo.Context) error {
		var order *struct{ Total int }
		return c.JSON(http.StatusOK, order.Total)
	})
	e.GET("/stock/:id", func(echo.Context) error { return echo.ErrServiceUnavailable })
	e.GET("/rates", func(c echo.Context) error { return c.NoContent(http.StatusBadGateway) })

	// Around the server, not by echo.WrapMiddleware: that one sees no answer to
	// an error that a handler returns.
	err = try.Get(slackhttp.Middleware(nil)(e), "POST /orders/7/pay", "/orders/7", "/stock/9", "/rates", "/nothing-here")
	return errors.Join(err, h.Close())
}
