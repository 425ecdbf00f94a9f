// This file makes ours.

package handlers

import (
	"log/slog"

	"example.com/slackalert"
)

func wrapped(base slog.Handler, url string) (*Handler, error) {
	h, err := slackalert.New(base, &slackalert.Options{
		Token:   "xoxb-bench",
		Channel: "C0BENCH",
		APIURL:  url + "/api/",
	})
	if err != nil {
		return nil, err
	}
	return &Handler{
		Handler:   h,
		Folds:     true,
		scope:     slackalert.With,
		delivered: func() uint64 { return h.Stats().Delivered },
		lost:      func() uint64 { return h.Stats().Lost },
		close:     h.Shutdown,
	}, nil
}
