package server

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/kapok-fleet/kapok/protocol"
)

// TestOffendersAreNamed: the log says which vehicle sends what is refused, with
// which token, and a flood of it does not fill the log.
func TestOffendersAreNamed(t *testing.T) {
	log := &record{}
	w := newWorld(t, func(o *Options) {
		o.Log = slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelWarn}))
	})
	good := w.connect("sim", "?vehicle=good-1", protocol.SubprotocolJSON)
	good.login()
	for i := range 5 {
		bad := w.connect("sim", fmt.Sprintf("?vehicle=bad-%d", i), protocol.SubprotocolJSON)
		bad.login()
		for range 10 {
			w.must(bad.conn.Send([]byte("{\n")))
			hear[protocol.Error](bad, nil)
		}
	}
	said := log.String()
	for _, want := range []string{"vehicle=bad-0", "token=sim", "code=bad_message", "left_out=0"} {
		if !strings.Contains(said, want) {
			t.Errorf("the log does not say %s: %.500s", want, said)
		}
	}
	if strings.Contains(said, "good-1") {
		t.Errorf("the log names who did nothing: %.500s", said)
	}
	// However slow this machine is, a line goes out once a second at most.
	if n := strings.Count(said, "\n"); n > offencesAtOnce+30 {
		t.Errorf("50 bad frames are %d lines", n)
	}
}
