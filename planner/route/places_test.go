package route_test

import (
	"math/rand/v2"
	"reflect"
	"testing"

	"github.com/kapok-fleet/kapok/planner/chart"
	"github.com/kapok-fleet/kapok/planner/space"
)

// What a planner remembers of places must never be told of others: whatever it was
// asked before, it answers as one that was asked nothing.
func TestWhatIsRememberedOfPlacesIsTrue(t *testing.T) {
	const seed = 11
	r := rand.New(rand.NewPCG(seed, 1))
	c := build(t, chart.Draft{
		GroundAltitudeM: 2,
		Water:           []chart.WaterArea{{ID: "way/7", Polygon: rect(100, -500, 900, 500)}},
	})
	p, quad := planner(t, c), spec(t, "kapok-quad")
	// Few places that come again, among many that drive them out, and none of nothing.
	places := []space.Position{{}}
	for range 300 {
		places = append(places, pos(r.Float64()*1800-900, r.Float64()*900-450, r.Float64()*60))
	}
	draw := func() space.Position {
		n := len(places)
		if r.IntN(2) == 0 {
			n = 8
		}
		at := places[r.IntN(n)]
		at.AltitudeM = r.Float64() * 60 // Another height is no other place on the ground.
		return at
	}
	for i := range 5000 {
		from, to, fresh := draw(), draw(), p.Clone()
		if got, want := p.LeastCost(&quad, from, to, 1), fresh.LeastCost(&quad, from, to, 1); got != want {
			t.Fatalf("seed %d, question %d: from %v to %v takes %v, to who was asked before %v", seed, i, from, to, want, got)
		}
		if got, want := p.CanStop(quad.Kind, to), fresh.CanStop(quad.Kind, to); !reflect.DeepEqual(got, want) {
			t.Fatalf("seed %d, question %d: stopping at %v is %v, to who was asked before %v", seed, i, to, want, got)
		}
	}
}
