package fleet

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/kapok-fleet/kapok/planner/space"
)

// TestBesideEdge holds the part of a segment that is near an edge against many
// points of it.
func TestBesideEdge(t *testing.T) {
	const seed = 7
	r := rand.New(rand.NewPCG(seed, 0))
	place := func() space.XY { return space.XY{X: 40 * r.Float64(), Y: 40 * r.Float64()} }
	found := 0
	for n := range 2000 {
		a, b, p, q := place(), place(), place(), place()
		if n%10 == 0 {
			q = p
		}
		near := besideEdge(a, b, p, q, nearM)
		for i := range 101 {
			at := float64(i) / 100
			d := space.SegmentDist(a.Lerp(b, at), p, q)
			if math.Abs(d-nearM) < 1e-6 {
				continue
			}
			if inside := at >= near.lo && at <= near.hi; inside != (d < nearM) {
				t.Fatalf("seed %d, case %d: %.2f along %v to %v is %.3f m from %v to %v, but the part is %v", seed, n, at, a, b, d, p, q, near)
			}
			if d < nearM {
				found++
			}
		}
	}
	if found == 0 {
		t.Error("no segment passed near an edge")
	}
}
