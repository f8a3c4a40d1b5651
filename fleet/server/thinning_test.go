package server

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/kapok-fleet/kapok/protocol"
	"github.com/kapok-fleet/kapok/protocol/ws"
)

// TestThinning holds the decision against looks one after the other: "h" under
// pressure, "." without.
func TestThinning(t *testing.T) {
	const ms = time.Millisecond
	for _, test := range []struct {
		name, looks string
		want        time.Duration
	}{
		{"at first all is read", "", 0},
		{"no pressure", "......", 0},
		{"a short stop", "hh.hh.h", 0},
		{"pressure", "hhh", 100 * ms},
		{"more of it", "hhhhh", 400 * ms},
		{"at most so much", "hhhhhhhhhhhhhhhhhhhh", 2000 * ms},
		{"a look without is not enough", "hhhhh....", 400 * ms},
		{"five are", "hhhhh.....", 280 * ms},
		{"five more", "hhhhh..........", 196 * ms},
		{"and all is read again", "hhhhh....................", 0},
		{"within five seconds at the latest", strings.Repeat("h", 20) + strings.Repeat(".", 45), 0},
		{"the count begins anew", "hhhhh....h....", 800 * ms},
		{"once it has begun, one look is enough", "hhh....h", 200 * ms},
		{"after the end it needs three again", "hhh.....hh", 0},
	} {
		var d thinning
		var got time.Duration
		for _, look := range test.looks {
			got = d.next(pressure{backlog: look == 'h'})
		}
		if got != test.want {
			t.Errorf("%s: after %q it is %v, want %v", test.name, test.looks, got, test.want)
		}
	}
	for p, want := range map[pressure]bool{
		{}:                           false,
		{backlog: true}:              true,
		{inbox: 0.5}:                 false,
		{inbox: 0.51}:                true,
		{backlog: true, inbox: 0.51}: true,
	} {
		if p.high() != want {
			t.Errorf("%+v counts as high: %t", p, !want)
		}
	}
}

func TestUpperDecile(t *testing.T) {
	bounds := []float64{0, 0.001, 0.01, 0.1, 1}
	for _, test := range []struct {
		before, now [4]uint64
		want        time.Duration
	}{
		{[4]uint64{5, 5, 5, 5}, [4]uint64{5, 5, 5, 5}, 0},
		{[4]uint64{}, [4]uint64{100}, 0},
		{[4]uint64{}, [4]uint64{91, 9}, 0},
		{[4]uint64{}, [4]uint64{90, 10}, time.Millisecond},
		{[4]uint64{}, [4]uint64{90, 4, 3, 3}, time.Millisecond},
		{[4]uint64{0, 0, 0, 1000}, [4]uint64{50, 30, 15, 1005}, 10 * time.Millisecond},
		{[4]uint64{}, [4]uint64{0, 0, 0, 1}, 100 * time.Millisecond},
	} {
		if got := upperDecile(bounds, test.now[:], test.before[:]); got != test.want {
			t.Errorf("from %v to %v it is %v, want %v", test.before, test.now, got, test.want)
		}
	}
}

// FuzzIsTelemetry holds the cheap look against the decoder: what it recognises
// is telemetry, or refused.
func FuzzIsTelemetry(f *testing.F) {
	for _, e := range []protocol.Encoding{protocol.JSON, protocol.CBOR} {
		for _, m := range []protocol.FromVehicle{
			protocol.Telemetry{Samples: []protocol.Sample{{Time: time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC), Mode: protocol.ModeIdle}}},
			protocol.Fault{Seq: 1, Code: "telemetry", Text: "telemetry", Time: time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC)},
			protocol.Hello{Kind: protocol.Rover, Model: "m", LogID: "l", Time: time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC)},
		} {
			frame, err := e.EncodeFrom(nil, m)
			if err != nil {
				f.Fatal(err)
			}
			_, telemetry := m.(protocol.Telemetry)
			if isTelemetry(e, frame) != telemetry {
				f.Errorf("%s %q is recognised as telemetry: %t", e, frame, !telemetry)
			}
			f.Add(frame, e == protocol.CBOR)
		}
	}
	for _, frame := range []string{
		"", "{", " { \"type\"\t:\r\n\"telemetry\",\"samples\":[]}", `{"type":"telemetry","type":"hello"}`, `{"type":"telemetryx"}`,
		`{"type":"telemetry","TYPE":"ack","samples":[]}`, "\xbf\x64type\x69telemetry\xff", "\xa2\x64type\x69telemetry\x64type\x63ack", "\xb8\x01\x64type\x69telemetry",
	} {
		f.Add([]byte(frame), false)
		f.Add([]byte(frame), true)
	}
	f.Fuzz(func(t *testing.T, frame []byte, cbor bool) {
		e := protocol.JSON
		if cbor {
			e = protocol.CBOR
		}
		if !isTelemetry(e, frame) {
			return
		}
		m, err := e.DecodeFrom(frame)
		if _, ok := m.(protocol.Telemetry); err == nil && !ok {
			t.Errorf("%s %q passes for telemetry and is %T", e, frame, m)
		}
	})
}

// TestOverloadThinsOnlyTelemetry: the positions of an overloaded server are few,
// and everything else goes its way.
func TestOverloadThinsOnlyTelemetry(t *testing.T) {
	// The clock stands still, so that of all positions the first is read.
	now := time.Now()
	w := newWorld(t, func(o *Options) { o.Clock = func() time.Time { return now } })
	r := w.connect("r1", "", protocol.SubprotocolJSON)
	r.login()
	w.server.overload.held.Store(true)
	w.server.overload.thin.Store(int64(time.Second))
	node := w.chart.Ground.Nodes[0].Point
	for range 10 {
		r.report(protocol.Position{Lon: node[0], Lat: node[1], AltitudeM: w.chart.GroundAltitudeM})
	}
	r.say(protocol.Fault{Seq: 1, Code: "camera", Text: "no picture", Time: now.UTC()})
	hear(r, func(m protocol.Received) bool { return m.Seq == 1 })
	metrics := string(w.want(http.StatusOK, nil, "", "GET", "/metrics", "").body)
	for _, line := range []string{
		"kapok_telemetry_frames_thinned_total 9", `kapok_link_frames_total{direction="in",type="telemetry"} 1`,
		"kapok_telemetry_thinning_seconds 1", "kapok_scheduler_latency_seconds ",
	} {
		if !strings.Contains(metrics, line) {
			t.Errorf("the metrics lack %s", line)
		}
	}
}

// TestAFloodIsNotDecoded: frames beyond the limit are dropped unread and
// counted, whatever they hold, and the end of such a link too.
func TestAFloodIsNotDecoded(t *testing.T) {
	now := time.Now()
	w := newWorld(t, func(o *Options) { o.Clock = func() time.Time { return now } })
	r := w.connect("r1", "", protocol.SubprotocolJSON)
	r.login() // The first of the hundred frames that may come at once.
	for range 150 {
		w.await("room in the queue", func() bool { return !errors.Is(r.conn.Send([]byte(`{"type":"warp"}`)), ws.ErrQueueFull) })
	}
	limited := hear(r, func(m protocol.Error) bool { return m.Code == "rate_limited" })
	if limited.Fatal {
		t.Errorf("the flood is answered with %+v", limited)
	}
	r.conn.Close(1000, "")
	w.await("the count of the flood", func() bool {
		metrics := string(w.do("", "GET", "/metrics", "").body)
		return strings.Contains(metrics, `kapok_link_throttled_total{what="frames"} 51`) &&
			strings.Contains(metrics, `kapok_link_frames_total{direction="in",type="invalid"} 99`) &&
			strings.Contains(metrics, `kapok_link_closed_total{why="peer"} 1`)
	})
}

// TestInvalidTextIsRefused: bytes that are no UTF-8 reach nobody, in ids or
// elsewhere.
func TestInvalidTextIsRefused(t *testing.T) {
	w := newWorld(t, nil)
	for subprotocol, frames := range map[string][]string{
		protocol.SubprotocolJSON: {
			`{"type":"ack","seq":1,"command":"` + "\xff" + `","verdict":"accepted"}`,
			`{"type":"ack","seq":1,"command":"\ud800","verdict":"accepted"}`,
			`{"type":"ack","seq":1,"command":"C1","verdict":"accepted","` + "\xc3" + `":0}`,
		},
		protocol.SubprotocolCBOR: {"\xa4\x64type\x63ack\x63seq\x01\x67command\x61\xff\x67verdict\x68accepted"},
	} {
		r := w.connect("sim", "?vehicle=v-"+subprotocol, subprotocol)
		r.login()
		for _, frame := range frames {
			w.must(r.conn.Send([]byte(frame)))
			if e := hear[protocol.Error](r, nil); e.Code != protocol.CodeBadMessage {
				t.Errorf("%q is answered with %+v", frame, e)
			}
		}
	}
}
