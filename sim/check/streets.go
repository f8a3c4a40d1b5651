package check

import (
	"fmt"
	"slices"
	"time"

	"github.com/kapok-fleet/kapok/planner/chart"
	"github.com/kapok-fleet/kapok/planner/space"
	"github.com/kapok-fleet/kapok/protocol"
)

const (
	// onStreetM is how near to the middle of a closed street a robot is on it.
	onStreetM = 1.0
	// aboutOpenM is how near to an open street it is taken to be on that: at
	// crossings, and where streets lie side by side.
	aboutOpenM = 3.0
	// ClosedWithin is how long after a street was closed a robot may still drive into
	// it: so long it takes to be told and to stop.
	ClosedWithin = 5 * time.Second
)

// Streets finds robots that drive into closed streets. One that was there before
// may stay and leave as it likes; coming back is a violation.
type Streets struct {
	// Forgive, when set, says why a vehicle cannot be blamed for where it is, for a
	// street that was closed at a time; empty when it can.
	Forgive func(n int, since time.Time) string

	log    *Log
	chart  *chart.Chart
	closed []street
	// on is the way that each vehicle is on, 0 for none that is closed.
	on map[int]int64
}

// street is a closed way: its pieces, and open ones near to it.
type street struct {
	way   int64
	since time.Time
	box   space.Box
	lines [][2]space.XY
	open  [][2]space.XY
}

// NewStreets adds what it finds to a log; all streets of the chart are open.
func NewStreets(log *Log, c *chart.Chart) *Streets {
	return &Streets{log: log, chart: c, on: map[int]int64{}}
}

// SetClosed says which ways are closed from now on.
func (s *Streets) SetClosed(now time.Time, ways []int64) {
	var before []int64
	since := map[int64]time.Time{}
	for i := range s.closed {
		before = append(before, s.closed[i].way)
		since[s.closed[i].way] = s.closed[i].since
	}
	ways = slices.Compact(slices.Sorted(slices.Values(ways)))
	if slices.Equal(ways, before) {
		return
	}
	s.closed = s.closed[:0]
	for _, way := range ways {
		at, is := since[way]
		if !is {
			at = now
		}
		s.closed = append(s.closed, street{way: way, since: at, box: space.EmptyBox()})
	}
	s.draw()
}

// draw finds the pieces of the closed streets, and the open ones about them.
func (s *Streets) draw() {
	g := &s.chart.Ground
	line := func(a *chart.Arc) [2]space.XY {
		at := func(n int32) space.XY { return s.chart.Frame.XY(g.Nodes[n].Point) }
		return [2]space.XY{at(a.From), at(a.To)}
	}
	find := func(way int64) (int, bool) {
		return slices.BinarySearchFunc(s.closed, way, func(c street, way int64) int { return int(min(max(c.way-way, -1), 1)) })
	}
	for i := range g.Arcs {
		if at, is := find(g.Arcs[i].WayID); is {
			c, l := &s.closed[at], line(&g.Arcs[i])
			c.lines = append(c.lines, l)
			c.box = c.box.Extend(l[0]).Extend(l[1])
		}
	}
	for i := range s.closed {
		s.closed[i].box = s.closed[i].box.Grow(onStreetM)
	}
	for i := range g.Arcs {
		if _, is := find(g.Arcs[i].WayID); is {
			continue
		}
		l := line(&g.Arcs[i])
		about := space.EmptyBox().Extend(l[0]).Extend(l[1]).Grow(aboutOpenM)
		for k := range s.closed {
			if s.closed[k].box.Intersects(about) {
				s.closed[k].open = append(s.closed[k].open, l)
			}
		}
	}
}

// Look judges where a vehicle is; the number is its own.
func (s *Streets) Look(now time.Time, n int, id string, kind protocol.Kind, at space.XY) {
	if len(s.closed) == 0 || kind != protocol.Rover {
		return
	}
	here := s.at(at)
	was := s.on[n]
	if here == nil {
		delete(s.on, n)
		return
	}
	s.on[n] = here.way
	if was != 0 || now.Before(here.since.Add(ClosedWithin)) {
		return
	}
	if s.Forgive != nil && s.Forgive(n, here.since) != "" {
		return
	}
	s.log.Add(Finding{ClosedStreets, now, id, fmt.Sprint(here.way), fmt.Sprintf("drives into way %d, which was closed %.0f s before", here.way, now.Sub(here.since).Seconds())})
}

// at is the closed street that a place is on, nil for none.
func (s *Streets) at(p space.XY) *street {
	for i := range s.closed {
		c := &s.closed[i]
		if c.box.Contains(p) && near(c.lines, p, onStreetM) && !near(c.open, p, aboutOpenM) {
			return c
		}
	}
	return nil
}

// near tells whether one of some lines comes within so many metres of a place.
func near(lines [][2]space.XY, p space.XY, m float64) bool {
	return slices.ContainsFunc(lines, func(l [2]space.XY) bool { return space.SegmentDist(p, l[0], l[1]) <= m })
}
