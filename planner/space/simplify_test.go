package space_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/kapok-fleet/kapok/planner/space"
)

func TestASimplifiedRingPassesAllItsCorners(t *testing.T) {
	for seed := range uint64(50) {
		r := rand.New(rand.NewPCG(seed, 1))
		n := 3 + r.IntN(500)
		ring := make([]space.XY, n)
		for i := range ring {
			sin, cos := math.Sincos(2 * math.Pi * float64(i) / float64(n))
			radius := 200 + 4*r.Float64()
			ring[i] = space.XY{X: radius * cos, Y: radius * sin}
		}
		const m = 1
		few := space.SimplifyRing(ring, m)
		if len(few) > n || len(few) < 3 {
			t.Fatalf("seed %d: %d of %d corners", seed, len(few), n)
		}
		for _, p := range ring {
			if d := space.RingDist(few, p); d > m+1e-9 {
				t.Errorf("seed %d: a corner is %.2f m off", seed, d)
			}
		}
	}
}

func TestACircleOfManyCornersNeedsFew(t *testing.T) {
	ring := make([]space.XY, 4000)
	for i := range ring {
		sin, cos := math.Sincos(2 * math.Pi * float64(i) / 4000)
		ring[i] = space.XY{X: 500 * cos, Y: 500 * sin}
	}
	if few := space.SimplifyRing(ring, 1); len(few) > 80 {
		t.Errorf("%d corners stay", len(few))
	}
	if same := space.SimplifyRing(ring[:4], 1); len(same) != 4 {
		t.Errorf("%d corners of a ring of four", len(same))
	}
}
