package session_test

import (
	"testing"
	"time"

	"github.com/kapok-fleet/kapok/fleet"
	"github.com/kapok-fleet/kapok/fleet/session"
	"github.com/kapok-fleet/kapok/protocol"
)

// Whoever looks at a session no sooner than Rests says misses nothing.
func TestASessionRestsUntilItMustSpeak(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	s := session.New("V1", "S1", session.Config{AliveInterval: 5 * time.Second}, now)
	if _, ok := s.Rests(); ok {
		t.Error("a session rests before hello, which may time out")
	}
	s.Receive(now, protocol.Hello{Kind: protocol.Rover, LogID: "L1", Time: now})
	if _, ok := s.Rests(); ok {
		t.Error("a session rests before its welcome")
	}
	now = now.Add(time.Second)
	s.Apply(now, fleet.Welcome{Vehicle: "V1", Session: "S1", Message: protocol.Welcome{LogID: "L1"}})
	until, ok := s.Rests()
	if !ok || !until.Equal(now.Add(5*time.Second)) {
		t.Fatalf("a welcomed session rests until %v (%v), and speaks after 5 s", until, ok)
	}
	if r := s.Tick(until.Add(-time.Nanosecond)); len(r.Send) > 0 || r.Close != nil {
		t.Error("a session that rests has something to do")
	}
	if r := s.Tick(until); len(r.Send) != 1 {
		t.Error("a session says nothing when its rest is over")
	}
	if later, ok := s.Rests(); !ok || !later.After(until) {
		t.Errorf("after a word it rests until %v (%v), not longer than before", later, ok)
	}
}
