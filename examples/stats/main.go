// Command stats shows how the alerts are doing, by expvar and by Prometheus.
package main

import (
	"errors"
	"expvar"
	"fmt"
	"io"
	"log/slog"
	"net/http/httptest"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"example.com/slackalert"
	"example.com/slackalert/examples/internal/try"
)

func main() { try.Main(example) }

// export registers what Stats counts.
func export(reg prometheus.Registerer, h *slackalert.Handler) {
	for name, of := range map[string]func(slackalert.Stats) uint64{
		"slackalert_alerts_total":    func(s slackalert.Stats) uint64 { return s.Alerts },
		"slackalert_delivered_total": func(s slackalert.Stats) uint64 { return s.Delivered },
		"slackalert_lost_total":      func(s slackalert.Stats) uint64 { return s.Lost },
		"slackalert_messages_total":  func(s slackalert.Stats) uint64 { return s.Messages },
		"slackalert_failures_total":  func(s slackalert.Stats) uint64 { return s.Failures },
	} {
		reg.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{Name: name, Help: "See slackalert.Stats."}, func() float64 { return float64(of(h.Stats())) }))
	}
	reg.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "slackalert_pending", Help: "Alerts that wait to be told."}, func() float64 { return float64(h.Stats().Pending) }))
}

func example(opts *slackalert.Options, logs io.Writer) error {
	h, err := slackalert.New(slog.NewJSONHandler(logs, nil), opts)
	if err != nil {
		return err
	}
	expvar.Publish("slackalert", expvar.Func(func() any { return h.Stats() })) // at /debug/vars
	reg := prometheus.NewRegistry()
	export(reg, h)

	slog.New(h).Error("payment failed", "error", errors.New("card declined"))
	err = h.Close()

	w := httptest.NewRecorder()
	promhttp.HandlerFor(reg, promhttp.HandlerOpts{}).ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	fmt.Fprintf(logs, "%s\n%s", expvar.Get("slackalert"), w.Body)
	return err
}
