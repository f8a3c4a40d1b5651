package fleet

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/paulmach/orb"

	"github.com/kapok-fleet/kapok/fleet/fence"
	"github.com/kapok-fleet/kapok/planner/chart"
	"github.com/kapok-fleet/kapok/planner/chart/harbour"
	"github.com/kapok-fleet/kapok/planner/space"
)

// TestOpenGroundHidesNoZone holds random places against random zones, also such
// that reach beyond the chart: where ground is said to be open, no zone is.
func TestOpenGroundHidesNoZone(t *testing.T) {
	c, err := harbour.Chart()
	if err != nil {
		t.Fatal(err)
	}
	const seed = 11
	r := rand.New(rand.NewPCG(seed, seed))
	width, height := c.Extent.Max[0]-c.Extent.Min[0], c.Extent.Max[1]-c.Extent.Min[1]
	anywhere := func(margin float64) orb.Point {
		return orb.Point{
			c.Extent.Min[0] + width*((1+2*margin)*r.Float64()-margin), c.Extent.Min[1] + height*((1+2*margin)*r.Float64()-margin),
		}
	}
	at := time.Date(2027, 3, 1, 8, 0, 0, 0, time.UTC)
	g := newOpenGround(c)
	open, inside := 0, 0
	for round := range 40 {
		var zones []chart.Zone
		for range 1 + round%4 {
			p, size := anywhere(0.1), 0.15*r.Float64()
			q := orb.Point{p[0] + size*width, p[1] + size*height*r.Float64()}
			zones = append(zones, chart.Zone{
				ID: "z", Rule: chart.Advise,
				Polygon: orb.Polygon{{p, {q[0], p[1]}, q, {p[0], q[1]}, p}},
			})
		}
		g.mark(c.Frame, zones)
		set := fence.Compile(c, zones)
		for range 2000 {
			p := anywhere(0.2)
			hits := set.Locate(c.Frame.XYZ(space.Position{Lon: p[0], Lat: p[1]}), at, true, 0, nil)
			if g.at(p[0], p[1]) {
				open++
				if len(hits) > 0 {
					t.Fatalf("round %d of seed %d: %v is open ground, and in %d zones", round, seed, p, len(hits))
				}
			}
			if len(hits) > 0 {
				inside++
			}
		}
	}
	if open < 20_000 || inside < 300 {
		t.Errorf("%d places were open ground, %d in zones: the test shows nothing", open, inside)
	}
}

// TestOpenGroundEndsWithKeepIn has no open ground where vehicles must keep in.
func TestOpenGroundEndsWithKeepIn(t *testing.T) {
	c, err := harbour.Chart()
	if err != nil {
		t.Fatal(err)
	}
	g := newOpenGround(c)
	centre := c.Extent.Center()
	g.mark(c.Frame, nil)
	if !g.at(centre[0], centre[1]) || g.at(c.Extent.Max[0]+1, centre[1]) {
		t.Error("without zones all of the chart is open, and nothing is known beyond it")
	}
	g.mark(c.Frame, []chart.Zone{{ID: "in", Rule: chart.KeepIn}})
	if g.at(centre[0], centre[1]) {
		t.Error("outside of a zone to keep in is open ground")
	}
}
