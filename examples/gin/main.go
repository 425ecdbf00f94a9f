// Command gin mounts the middleware around a gin engine.
package main

import (
	"errors"
	"io"
	"log/slog"
	"net/http"

	"github.com/gin-gonic/gin"

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

	gin.SetMode(gin.ReleaseMode)
	e := gin.New()               // gin.Default has a Recovery, which would keep panics to itself
	e.ContextWithFallback = true // so that *gin.Context carries the request's scope
	e.Use(func(c *gin.Context) { // the route, which only gin knows
		slackalert.Add(c.Request.Context(), "route", c.FullPath())
	})
	e.POST("/orders/:id/pay", func(c *gin.Context) {
		slackalert.Add(c, "user", "ada")
		slog.ErrorContext(c, "payment failed", "error", errors.New("card declined"))
		c.Status(http.StatusBadGateway)
	})
	e.GET("/orders/:id", func(c *gin.Context) {
		var order *struct{ Total int }
		c.JSON(http.StatusOK, order.Total)
	})
	e.GET("/stock", func(c *gin.Context) { c.Status(http.StatusServiceUnavailable) })

	err = try.Get(slackhttp.Middleware(nil)(e), "POST /orders/7/pay", "/orders/7", "/stock")
	return errors.Join(err, h.Close())
}
