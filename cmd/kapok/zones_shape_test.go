package main

import (
	"testing"

	"github.com/kapok-fleet/kapok/planner/space"
)

// TestACircleBindsNoLessThanAsked: the polygon that stands for a circle holds it
// whole, and one that vehicles must stay in lies within it.
func TestACircleBindsNoLessThanAsked(t *testing.T) {
	const radius, slack = 150.0, 0.05
	for _, inside := range []bool{false, true} {
		ring, err := circleRing("7.42, 43.73, 150", inside)
		if err != nil {
			t.Fatal(err)
		}
		frame := space.NewFrame([2]float64{7.42, 43.73})
		if len(ring) != circlePoints+1 || ring[0] != ring[len(ring)-1] {
			t.Fatalf("the ring has %d points and ends at %v", len(ring), ring[len(ring)-1])
		}
		for i := range ring[1:] {
			a, b := frame.XY(ring[i]), frame.XY(ring[i+1])
			least := space.SegmentDist(space.XY{}, a, b)
			if !inside && least < radius-slack || inside && a.Dist(space.XY{}) > radius+slack {
				t.Errorf("inside %v: the side %d is %.2f m from the centre, its corner %.2f m", inside, i, least, a.Dist(space.XY{}))
			}
		}
	}
	for _, text := range []string{"", "1,2", "1,2,x", "181,0,5", "1,2,0", "1,2,-3", "1,2,NaN", "1,2,1e9", "1,2,3,4"} {
		if ring, err := circleRing(text, false); err == nil {
			t.Errorf("circleRing(%q) = %v", text, ring[0])
		}
	}
}
