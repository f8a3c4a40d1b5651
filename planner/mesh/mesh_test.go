package mesh_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/kapok-fleet/kapok/planner/mesh"
	"github.com/kapok-fleet/kapok/planner/space"
)

func xy(x, y float64) space.XY { return space.XY{X: x, Y: y} }

func rect(x0, y0, x1, y1 float64) []space.XY {
	return []space.XY{xy(x0, y0), xy(x1, y0), xy(x1, y1), xy(x0, y1)}
}

func backwards(ring []space.XY) []space.XY {
	var back []space.XY
	for i := len(ring) - 1; i >= 0; i-- {
		back = append(back, ring[i])
	}
	return back
}

func block(x0, y0, x1, y1 float64) mesh.Obstacle {
	return mesh.Obstacle{rect(x0, y0, x1, y1)}
}

var field = space.Box{Max: space.XY{X: 20, Y: 20}}

func TestWaysAmongFewObstacles(t *testing.T) {
	diagonal := math.Sqrt2
	inf := math.Inf(1)
	for _, tt := range []struct {
		name      string
		obstacles []mesh.Obstacle
		from, to  space.XY
		want      float64
		outcome   mesh.Outcome
	}{
		{"an empty field", nil, xy(0, 0), xy(3, 4), 5, mesh.Found},
		{"a place is its own goal", nil, xy(7, 7), xy(7, 7), 0, mesh.Found},
		{"around a corner", []mesh.Obstacle{block(0, 5, 10, 15)}, xy(5, 5), xy(15, 10), 5 + 5*diagonal, mesh.Found},
		{"along an edge", []mesh.Obstacle{block(5, 5, 15, 15)}, xy(2, 5), xy(18, 5), 16, mesh.Found},
		{"from a corner to the one opposite", []mesh.Obstacle{block(5, 5, 15, 15)}, xy(5, 5), xy(15, 15), 20, mesh.Found},
		{"from the middle of an edge", []mesh.Obstacle{block(5, 5, 15, 15)}, xy(10, 5), xy(10, 15), 20, mesh.Found},
		{"from within an obstacle", []mesh.Obstacle{block(5, 5, 15, 15)}, xy(10, 10), xy(1, 1), inf, mesh.FromBlocked},
		{"into an obstacle", []mesh.Obstacle{block(5, 5, 15, 15)}, xy(1, 1), xy(10, 10), inf, mesh.ToBlocked},
		{"from beyond the bounds", nil, xy(-1, 1), xy(10, 10), inf, mesh.FromBlocked},
		{"not a number", nil, xy(math.NaN(), 1), xy(10, 10), inf, mesh.FromBlocked},
		{"into a court", []mesh.Obstacle{{rect(5, 5, 15, 15), backwards(rect(7, 7, 13, 13))}}, xy(1, 1), xy(10, 10), inf, mesh.NoWay},
		{"within a court", []mesh.Obstacle{{rect(5, 5, 15, 15), backwards(rect(7, 7, 13, 13))}}, xy(7, 7), xy(13, 13), 6 * diagonal, mesh.Found},
		{"a court that another obstacle fills", []mesh.Obstacle{{rect(5, 5, 15, 15), backwards(rect(7, 7, 13, 13))}, block(6, 6, 14, 14)}, xy(8, 8), xy(1, 1), inf, mesh.FromBlocked},
		{"no squeezing through where corners touch", []mesh.Obstacle{block(0, 10, 10, 20), block(10, 0, 20, 10)}, xy(9, 9), xy(11, 11), inf, mesh.NoWay},
		{"nor between walls side by side", []mesh.Obstacle{block(5, 0, 10, 18), block(10, 0, 15, 18)}, xy(10, 0), xy(10, 18), inf, mesh.FromBlocked},
		{"a wall from edge to edge", []mesh.Obstacle{block(9, 0, 11, 20)}, xy(1, 1), xy(19, 1), inf, mesh.NoWay},
		{"a wall beyond the edges", []mesh.Obstacle{block(9, -5, 11, 25)}, xy(1, 1), xy(19, 1), inf, mesh.NoWay},
		{"all is blocked", []mesh.Obstacle{block(-5, -5, 25, 25)}, xy(1, 1), xy(19, 1), inf, mesh.FromBlocked},
		{"rings without an area", []mesh.Obstacle{{{xy(5, 5)}}, {{xy(1, 5), xy(9, 5)}}, {{}}, {}, {{xy(3, 3), xy(3, 3), xy(4, 4)}}}, xy(5, 0), xy(5, 10), 10, mesh.Found},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m, err := mesh.New(field, tt.obstacles)
			if err != nil {
				t.Fatal(err)
			}
			var s mesh.Search
			way, outcome := s.Find(m, tt.from, tt.to, mesh.Limits{})
			if outcome != tt.outcome || outcome == mesh.Found && math.Abs(way.LengthM-tt.want) > 1e-9 {
				t.Errorf("from %v to %v: outcome %d, %.9f m; want %d, %.9f m", tt.from, tt.to, outcome, way.LengthM, tt.outcome, tt.want)
			}
		})
	}
}

// scene is a field full of obstacles made up from a seed. Most have whole
// coordinates and sides along the axes or halfway between, so that they touch and
// cross in places without a rounding error; in every third the obstacles are
// polygons of any shape, which touch in corners only.
func scene(rng *rand.Rand) (space.Box, []mesh.Obstacle) {
	size := 4 + rng.IntN(9)
	bounds := space.Box{Max: xy(float64(size), float64(size))}
	var all []mesh.Obstacle
	if rng.IntN(3) == 0 {
		var known []space.XY
		for range 1 + rng.IntN(6) {
			var ring []space.XY
			for range 3 + rng.IntN(4) {
				p := xy(float64(size)*rng.Float64(), float64(size)*rng.Float64())
				if n := len(known); n > 0 && rng.IntN(6) == 0 {
					p = known[rng.IntN(n)]
				}
				ring, known = append(ring, p), append(known, p)
			}
			all = append(all, mesh.Obstacle{ring})
		}
		return bounds, all
	}
	at := func() float64 { return float64(rng.IntN(size + 1)) }
	for range rng.IntN(10) {
		x, y, w, h := at(), at(), 1+float64(rng.IntN(4)), 1+float64(rng.IntN(4))
		switch rng.IntN(6) {
		case 0, 1:
			all = append(all, block(x, y, x+w, y+h))
		case 2:
			court := backwards(rect(x+1, y+1, x+3, y+2+float64(rng.IntN(2))))
			all = append(all, mesh.Obstacle{rect(x, y, x+4, y+4), court})
		case 3:
			all = append(all, mesh.Obstacle{{xy(x, y), xy(x+w, y), xy(x, y+w)}})
		case 4:
			all = append(all, mesh.Obstacle{{xy(x, y-w), xy(x+w, y), xy(x, y+w), xy(x-w, y)}})
		default:
			// It crosses itself.
			all = append(all, mesh.Obstacle{{xy(x, y), xy(x+w, y+w), xy(x+w, y), xy(x, y+w)}})
		}
		if n := len(all); rng.IntN(8) == 0 {
			all = append(all, all[rng.IntN(n)])
		}
	}
	return bounds, all
}

// compare asks mesh and reference the same questions.
func compare(t *testing.T, rng *rand.Rand, s *mesh.Search, questions int) {
	t.Helper()
	bounds, obstacles := scene(rng)
	m, err := mesh.New(bounds, obstacles)
	if err != nil {
		t.Fatalf("%v: %v", obstacles, err)
	}
	r := newReference(bounds, obstacles)
	size := int(bounds.Max.X)
	place := func() space.XY {
		switch n := len(obstacles); rng.IntN(4) {
		case 0:
			return xy(float64(rng.IntN(2*size+1))/2, float64(rng.IntN(2*size+1))/2)
		case 1:
			return xy(float64(size)*rng.Float64(), float64(size)*rng.Float64())
		case 2:
			if n > 0 {
				ring := obstacles[rng.IntN(n)][0]
				return ring[rng.IntN(len(ring))]
			}
		}
		return xy(float64(rng.IntN(size+1)), float64(rng.IntN(size+1)))
	}
	for range questions {
		from, to := place(), place()
		way, outcome := s.Find(m, from, to, mesh.Limits{})
		want := r.shortest(from, to)
		if err := disagreement(s, r, from, to, way, outcome, want); err != nil {
			t.Fatalf("in %v from %v to %v, field %v: %v", obstacles, from, to, bounds, err)
		}
	}
}

// disagreement says what is wrong with an answer.
func disagreement(s *mesh.Search, r *reference, from, to space.XY, way mesh.Way, outcome mesh.Outcome, want float64) error {
	switch outcome {
	case mesh.Found:
		if !(math.Abs(way.LengthM-want) <= 1e-9) {
			return fmt.Errorf("the way found is %.12f m long, the shortest %.12f", way.LengthM, want)
		}
	case mesh.NoWay:
		if !math.IsInf(want, 1) {
			return fmt.Errorf("no way was found, and there is one of %.12f m", want)
		}
		return nil
	default:
		if !math.IsNaN(want) {
			return fmt.Errorf("outcome %d, and there is a way of %.12f m", outcome, want)
		}
		return nil
	}
	length, last := 0.0, from
	for _, at := range append(s.Bends(way, nil), to) {
		if at != last && !r.sees(last, at) {
			return fmt.Errorf("the way found leads from %v to %v, and something stands between", last, at)
		}
		length += last.Dist(at)
		last = at
	}
	if math.Abs(length-way.LengthM) > 1e-9 {
		return fmt.Errorf("the pieces are %.12f m long in all, the way %.12f", length, way.LengthM)
	}
	return nil
}

func TestEqualToReference(t *testing.T) {
	var s mesh.Search
	for seed := range uint64(1500) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			compare(t, rand.New(rand.NewPCG(seed, 1)), &s, 6)
		})
	}
}

func FuzzEqualToReference(f *testing.F) {
	for seed := range uint64(8) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, seed uint64) {
		var s mesh.Search
		compare(t, rand.New(rand.NewPCG(seed, 2)), &s, 4)
	})
}

func TestNewRefusesWhatItCannotBuild(t *testing.T) {
	for _, tt := range []struct {
		name      string
		bounds    space.Box
		obstacles []mesh.Obstacle
		want      string
	}{
		{"bounds without an area", space.Box{Max: xy(1, 0)}, nil, "the bounds have no area"},
		{"endless bounds", space.Box{Max: xy(1, math.Inf(1))}, nil, "the bounds reach further than"},
		{"not a number", field, []mesh.Obstacle{block(1, 1, 2, 2), {{xy(1, math.NaN())}}}, "obstacle 1 has a corner at (1, NaN)"},
		{"too far", field, []mesh.Obstacle{block(1, 1, 2e8, 2)}, "obstacle 0 has a corner at (2e+08, 1)"},
		{"too many", field, []mesh.Obstacle{{make([]space.XY, mesh.MaxCorners+1)}}, "too many corners"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if m, err := mesh.New(tt.bounds, tt.obstacles); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("New: %v, %v; want an error with %q", m, err, tt.want)
			}
		})
	}
}

// Crossings are rounded, so a place on an edge may come to lie within. It still
// counts as on the edge.
func TestPlacesOnBentEdges(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 5))
	var s mesh.Search
	for range 300 {
		a := mesh.Obstacle{{xy(2+rng.Float64(), 2), xy(18, 3+rng.Float64()), xy(9, 9+rng.Float64())}}
		b := mesh.Obstacle{{xy(1, 4+rng.Float64()), xy(17, 2.2), xy(17, 8), xy(3, 9)}}
		m, err := mesh.New(field, []mesh.Obstacle{a, b})
		if err != nil {
			t.Fatal(err)
		}
		// The lower edge of a is its first, and what of it is left of the crossing is
		// free.
		at := a[0][0].Lerp(a[0][1], 0.05*rng.Float64())
		want := at.Dist(xy(0, 1))
		way, outcome := s.Find(m, at, xy(0, 1), mesh.Limits{})
		if outcome != mesh.Found || math.Abs(way.LengthM-want) > 2*mesh.NearM {
			t.Fatalf("from %v on the edge of %v, with %v across: outcome %d, %.9f m, want %.9f m", at, a, b, outcome, way.LengthM, want)
		}
	}
}

func TestLimits(t *testing.T) {
	m, err := mesh.New(field, []mesh.Obstacle{block(5, 0, 6, 18), block(10, 2, 11, 20), block(15, 0, 16, 18)})
	if err != nil {
		t.Fatal(err)
	}
	var s mesh.Search
	from, to := xy(1, 1), xy(19, 1)
	way, outcome := s.Find(m, from, to, mesh.Limits{})
	if outcome != mesh.Found {
		t.Fatalf("outcome %d", outcome)
	}
	if bends := s.Bends(way, nil); len(bends) != 6 {
		t.Errorf("the way bends at %v, want at two corners of each wall", bends)
	}
	for _, tt := range []struct {
		limits mesh.Limits
		want   mesh.Outcome
	}{
		{mesh.Limits{MaxExpansions: way.Expansions}, mesh.Found},
		{mesh.Limits{MaxExpansions: way.Expansions - 1}, mesh.OutOfBudget},
		{mesh.Limits{ShorterThanM: way.LengthM + 1e-6}, mesh.Found},
		{mesh.Limits{ShorterThanM: way.LengthM}, mesh.NoWay},
		{mesh.Limits{ShorterThanM: 1}, mesh.NoWay},
	} {
		if got, outcome := s.Find(m, from, to, tt.limits); outcome != tt.want || outcome == mesh.Found && got.LengthM != way.LengthM {
			t.Errorf("%+v: outcome %d, %.9f m; want %d, %.9f m", tt.limits, outcome, got.LengthM, tt.want, way.LengthM)
		}
	}
}

func TestSearchTakesNoMemoryOnceWarm(t *testing.T) {
	var s mesh.Search
	rng := rand.New(rand.NewPCG(3, 3))
	var obstacles []mesh.Obstacle
	for range 60 {
		x, y := 20*rng.Float64(), 20*rng.Float64()
		obstacles = append(obstacles, block(x, y, x+1, y+1))
	}
	m, err := mesh.New(field, obstacles)
	if err != nil {
		t.Fatal(err)
	}
	var bends []space.XY
	ask := func() {
		way, _ := s.Find(m, xy(0, 0), xy(20, 20), mesh.Limits{})
		bends = s.Bends(way, bends[:0])
	}
	ask()
	if n := testing.AllocsPerRun(20, ask); n != 0 {
		t.Errorf("a search took memory %.0f times", n)
	}
}
