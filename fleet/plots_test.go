package fleet

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/kapok-fleet/kapok/planner/motion"
	"github.com/kapok-fleet/kapok/planner/space"
	"github.com/kapok-fleet/kapok/protocol"
)

// Vehicles of many speeds stand and move about a place, some of them far off and some
// nowhere yet: from plot to plot they are found in the order in which sorting all of
// them puts them.
func TestVehiclesAreFoundByNearness(t *testing.T) {
	cruises := []float64{0.8, 1.5, 1.6, 12, 14, 40}
	for seed := range uint64(60) {
		r := rand.New(rand.NewPCG(seed, 5))
		centre := []protocol.Position{{Lon: 7.42, Lat: 43.73}, {Lon: -122.3, Lat: 47.6}, {Lon: 179.97, Lat: -17}, {Lon: 15.6, Lat: 89.2}, {Lon: -0.001, Lat: 0.001}}[seed%5]
		around := func(width float64) protocol.Position {
			lon := centre.Lon + width*(r.Float64()-0.5)
			if lon > 180 {
				lon -= 360
			}
			return protocol.Position{Lon: lon, Lat: centre.Lat + width*(r.Float64()-0.5)}
		}
		f := &Fleet{index: newIndex(&Durable{})}
		width := []float64{0.01, 0.1, 0.7}[r.IntN(3)]
		for n := range 200 {
			v := &Vehicle{ID: VehicleID(fmt.Sprintf("v%03d", n)), Kind: protocol.Rover, Spec: motion.Spec{CruiseMPS: cruises[r.IntN(len(cruises))]}}
			f.index.vehicle(v)
			for range r.IntN(4) + int(seed%2) {
				at := around(width)
				f.index.plots.stands(f.index.of(v.ID), &at)
			}
			if r.IntN(8) == 0 {
				again := *v
				again.Spec.CruiseMPS = cruises[r.IntN(len(cruises))]
				f.index.vehicle(&again)
			}
		}
		for range 10 {
			first, then := space.Position(around(1.5*width)), space.Position(around(width))
			task := &Task{Stops: []Stop{{At: first, WorkS: 20, State: StopOpen}, {At: then, WorkS: 30, State: StopOpen}}}
			found, ok := f.byNearness(task)
			if !ok {
				t.Fatalf("seed %d: a task with stops has no nearest vehicles", seed)
			}
			for n, want := range sortedByNearness(f, found) {
				got, more := found.peek()
				if !more || got != want {
					t.Fatalf("seed %d: number %d is %s after %v s at the least, want %s after %v s (go test -run FoundByNearness ./fleet)",
						seed, n, got.k.actor, got.leastS, want.k.actor, want.leastS)
				}
				found.pop()
			}
			if got, more := found.peek(); more {
				t.Fatalf("seed %d: %s is found twice", seed, got.k.actor)
			}
		}
	}
}

// sortedByNearness looks at all vehicles.
func sortedByNearness(f *Fleet, n *nearest) []near {
	var all []near
	for _, k := range f.index.order {
		one := near{k: k}
		if k.band != nil {
			one.leastS = (n.restM+leastFrom(n.cos, k.at.Lon-n.first.Lon, k.at.Lat-n.first.Lat))/k.cruiseMPS + n.workS
		}
		all = append(all, one)
	}
	slices.SortFunc(all, func(a, b near) int {
		return cmp.Or(cmp.Compare(a.leastS, b.leastS), cmp.Compare(a.k.vehicle.ID, b.k.vehicle.ID))
	})
	return all
}
