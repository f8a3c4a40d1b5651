package session

import (
	"testing"
	"time"

	"github.com/kapok-fleet/kapok/fleet"
	"github.com/kapok-fleet/kapok/protocol"
)

// TestEveryOrderOfReports tries all sequences of six happenings, each a report
// numbered 1 to 4 or the news that one, two or three are durable, and checks what
// a vehicle and the fleet rely on: the fleet gets 1, 2, 3, … and each once, and
// the vehicle is never told that something is durable that is not.
func TestEveryOrderOfReports(t *testing.T) {
	const happenings, length = 7, 6
	sequence := make([]int, length)
	var next func(i int)
	next = func(i int) {
		if i == length {
			playReports(t, sequence)
			return
		}
		for sequence[i] = range happenings {
			next(i + 1)
		}
	}
	next(0)
}

func playReports(t *testing.T, sequence []int) {
	t.Helper()
	now := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	s := New("V1", "s1", Config{}, now)
	s.Receive(now, protocol.Hello{LogID: "A", Time: now})
	s.Apply(now, fleet.Welcome{Session: "s1", Message: protocol.Welcome{LogID: "A"}})
	var forwarded, durable uint64
	for _, what := range sequence {
		var r Reaction
		if what < 4 {
			r = s.Receive(now, protocol.Ack{Seq: uint64(what) + 1})
		} else {
			// The fleet makes durable only what it was given.
			durable = max(durable, min(forwarded, uint64(what)-3))
			r = s.Apply(now, fleet.Owe{Session: "s1", Owed: fleet.Owed{LogID: "A", Seq: durable}})
		}
		for _, in := range r.Inputs {
			report, ok := in.(fleet.Report)
			if !ok {
				t.Fatalf("%v: unexpected input %T", sequence, in)
			}
			ack, ok := report.Message.(protocol.Ack)
			if !ok || ack.Seq != forwarded+1 {
				t.Fatalf("%v: the fleet got %+v after report %d", sequence, report.Message, forwarded)
			}
			forwarded++
		}
		for _, m := range r.Send {
			if received, ok := m.(protocol.Received); !ok || received.Seq > durable || received.Time != now {
				t.Fatalf("%v: the vehicle was sent %+v while %d is durable", sequence, m, durable)
			}
		}
	}
}

func TestConfigValidate(t *testing.T) {
	for _, c := range []struct {
		name   string
		config Config
		ok     bool
	}{
		{"zero means defaults", Config{}, true},
		{"negative interval", Config{AliveInterval: -1}, false},
		{"negative skew", Config{SkewMax: -time.Second}, false},
		{"negative rate", Config{FramesPerSecond: -1}, false},
		{"negative burst", Config{Burst: -1}, false},
	} {
		if err := c.config.Validate(); (err == nil) != c.ok {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}
