package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/spf13/cobra"

	"github.com/kapok-fleet/kapok/protocol/ws/yardstick"
)

// newBenchYardstick is the baseline of ingest, a process of its own.
func newBenchYardstick(c console) *cobra.Command {
	return &cobra.Command{
		Use: "yardstick", Short: "Read and decode what vehicles send, and do nothing with it", Hidden: true, Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			listener, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				return fmt.Errorf("listening: %w", err)
			}
			var server yardstick.Server
			mux := http.NewServeMux()
			mux.Handle("/v1/link", &server)
			mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, _ *http.Request) {
				n := server.Counts()
				fmt.Fprintf(w, "yardstick_frames_total %d\nyardstick_samples_total %d\nyardstick_bad_total %d\n", n.Frames, n.Samples, n.Bad)
			})
			served := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
			stop := context.AfterFunc(cmd.Context(), func() { _ = served.Close() })
			defer stop()
			c.say("kapok: yardstick on http://%s", listener.Addr())
			c.say("kapok: ready")
			if err := served.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
				return fmt.Errorf("serving: %w", err)
			}
			return nil
		},
	}
}
