package route

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/kapok-fleet/kapok/planner/space"
)

// corridor is a random profile's bounds, some of them tight.
func corridor(r *rand.Rand) *profile {
	pr := &profile{}
	m, ground := 0.0, 100.0
	for range 2 + r.IntN(120) {
		s := sample{m: m, lowM: ground + 40, highM: ground + 119, lowBy: -1, highBy: -1}
		switch r.IntN(8) {
		case 0:
			s.highM = s.lowM + 1
		case 1:
			s.lowM = s.highM - 1
		case 2:
			s.lowM = s.highM
		}
		pr.samples = append(pr.samples, s)
		m += 0.01 + 25*r.Float64()
		ground += 30 * (r.Float64() - 0.5)
		if r.IntN(20) == 0 {
			ground += 200 * (r.Float64() - 0.5)
		}
	}
	for _, i := range [2]int{0, len(pr.samples) - 1} {
		s := &pr.samples[i]
		s.lowM += (s.highM - s.lowM) * r.Float64()
		s.highM = s.lowM
	}
	return pr
}

// climb is the sum of all that a polyline through altitudes climbs and descends.
func climb(zs []float64) float64 {
	sum := 0.0
	for i := 1; i < len(zs); i++ {
		sum += math.Abs(zs[i] - zs[i-1])
	}
	return sum
}

func TestProfilesStayBetweenTheirBounds(t *testing.T) {
	for seed := range uint64(2000) {
		r := rand.New(rand.NewPCG(seed, 3))
		pr := corridor(r)
		pr.tighten()
		pr.loosen()
		k := 0
		for i, s := range pr.samples {
			if z := pr.taut[i]; z < s.lowM-1e-6 || z > s.highM+1e-6 {
				t.Fatalf("seed %d: the taut profile is at %g, outside of %+v", seed, z, s)
			}
			for k+1 < len(pr.knots) && pr.knots[k+1].m < s.m {
				k++
			}
			z := pr.knots[k].z
			if k+1 < len(pr.knots) {
				a, b := pr.knots[k], pr.knots[k+1]
				z = a.z + (b.z-a.z)*(s.m-a.m)/(b.m-a.m)
			}
			if z < s.lowM-1e-6 || z > s.highM+1e-6 || math.Abs(z-pr.taut[i]) > looseM+1e-6 {
				t.Fatalf("seed %d: the loose profile is at %g, outside of %+v or far from %g", seed, z, s, pr.taut[i])
			}
		}
		if len(pr.knots) > len(pr.samples) {
			t.Fatalf("seed %d: %d knots for %d samples", seed, len(pr.knots), len(pr.samples))
		}
		// No other way climbs less: that along each bound and any mixture of them.
		for range 5 {
			share, other := r.Float64(), make([]float64, len(pr.samples))
			for i, s := range pr.samples {
				other[i] = s.lowM + share*(s.highM-s.lowM)
			}
			if climb(pr.taut) > climb(other)+1e-6 {
				t.Fatalf("seed %d: the taut profile climbs %g m, another %g m", seed, climb(pr.taut), climb(other))
			}
		}
	}
}

func TestSpanIsWhereASegmentIsNearAShape(t *testing.T) {
	for seed := range uint64(500) {
		r := rand.New(rand.NewPCG(seed, 4))
		s := newShapes()
		var ring []space.XY
		for k := range 3 + r.IntN(6) {
			sin, cos := math.Sincos(float64(k))
			ring = append(ring, space.XY{X: 10 + 60*r.Float64()*cos, Y: 60 * r.Float64() * sin})
		}
		s.add([][]space.XY{ring}, false)
		a := space.XY{X: 200 * (r.Float64() - 0.5), Y: 200 * (r.Float64() - 0.5)}
		b := space.XY{X: 200 * (r.Float64() - 0.5), Y: 200 * (r.Float64() - 0.5)}
		const c = 10
		first, last := math.Inf(1), math.Inf(-1)
		for k := range 2001 {
			at := a.Lerp(b, float64(k)/2000)
			if s.inside(0, at) || s.distance(0, at) <= c {
				first, last = min(first, float64(k)/2000), max(last, float64(k)/2000)
			}
		}
		t0, t1, ok := s.span(0, a, b, c)
		if first <= last != ok && last-first > 0.001 {
			t.Fatalf("seed %d: span says %v, looks %g to %g", seed, ok, first, last)
		}
		if ok && first <= last && (math.Abs(t0-first) > 0.001 || math.Abs(t1-last) > 0.001) {
			t.Fatalf("seed %d: span %g to %g, looks %g to %g", seed, t0, t1, first, last)
		}
	}
}
