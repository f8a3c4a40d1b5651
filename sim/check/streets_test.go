package check

import (
	"testing"
	"time"

	"github.com/kapok-fleet/kapok/planner/chart/harbour"
	"github.com/kapok-fleet/kapok/planner/space"
	"github.com/kapok-fleet/kapok/protocol"
)

// TestRobotsKeepOutOfClosedStreets: who was there may stay and leave; who comes in
// later, or again, is found, and nobody on a crossing or in the air.
func TestRobotsKeepOutOfClosedStreets(t *testing.T) {
	c, err := harbour.Chart()
	if err != nil {
		t.Fatal(err)
	}
	var log Log
	s := NewStreets(&log, c)
	at := time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)
	way, middle, crossing := closable(t, s, at)
	look := func(after time.Duration, n int, p space.XY, kind protocol.Kind, want int, why string) {
		t.Helper()
		s.Look(at.Add(after), n, "R", kind, p)
		if got := log.Count(ClosedStreets); got != want {
			t.Errorf("%s: %d findings, want %d", why, got, want)
		}
	}
	look(0, 1, middle, protocol.Rover, 0, "there when it is closed")
	look(time.Minute, 1, middle, protocol.Rover, 0, "still there")
	look(time.Minute, 2, crossing, protocol.Rover, 0, "on the crossing at its end")
	look(time.Minute, 3, middle, protocol.Multirotor, 0, "in the air")
	look(3*time.Second, 4, middle, protocol.Rover, 0, "before it could be told")
	look(2*time.Minute, 2, middle, protocol.Rover, 1, "drives in")
	look(2*time.Minute, 2, middle, protocol.Rover, 1, "found once")
	look(3*time.Minute, 1, crossing, protocol.Rover, 1, "leaves")
	look(4*time.Minute, 1, middle, protocol.Rover, 2, "comes back")
	s.Forgive = func(int, time.Time) string { return "it knows nothing" }
	look(5*time.Minute, 5, middle, protocol.Rover, 2, "forgiven")
	s.Forgive = nil
	s.SetClosed(at.Add(6*time.Minute), nil)
	look(6*time.Minute, 6, middle, protocol.Rover, 2, "opened")
	s.SetClosed(at.Add(7*time.Minute), []int64{way})
	look(7*time.Minute+ClosedWithin, 6, middle, protocol.Rover, 3, "closed again")
}

// closable closes a long street of the chart that has no other beside it, and
// returns its middle and one of its ends.
func closable(t *testing.T, s *Streets, at time.Time) (way int64, middle, end space.XY) {
	t.Helper()
	g := &s.chart.Ground
	for i := range g.Arcs {
		a, b := g.Nodes[g.Arcs[i].From].XY, g.Nodes[g.Arcs[i].To].XY
		if g.Arcs[i].WayID == 0 || a.Dist(b) < 30 {
			continue
		}
		s.SetClosed(at, []int64{g.Arcs[i].WayID})
		if s.at(a.Lerp(b, 0.5)) == nil {
			continue
		}
		for _, l := range s.closed[0].lines {
			for _, p := range l {
				if s.at(p) == nil {
					return g.Arcs[i].WayID, a.Lerp(b, 0.5), p
				}
			}
		}
	}
	t.Fatal("no street of the chart can be closed")
	return 0, space.XY{}, space.XY{}
}
