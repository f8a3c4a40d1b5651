package route_test

import (
	"errors"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/kapok-fleet/kapok/planner/chart"
	"github.com/kapok-fleet/kapok/planner/motion"
	"github.com/kapok-fleet/kapok/planner/route"
	"github.com/kapok-fleet/kapok/planner/space"
)

// namedDistrict is the district with a way for each street: 1 to 5 for those from
// west to east, the southernmost first, and 11 to 15 for those from south to north.
func namedDistrict(t testing.TB) *chart.Chart {
	nodes, arcs := streets(5, 100)
	for i := range arcs {
		a, b := int64(arcs[i].From), int64(arcs[i].To)
		if arcs[i].WayID = 1 + a/5; a%5 == b%5 {
			arcs[i].WayID = 11 + a%5
		}
	}
	return build(t, chart.Draft{Nodes: nodes, Arcs: arcs, GroundAltitudeM: 4})
}

func closing(ways ...int64) map[int64]bool {
	closed := map[int64]bool{}
	for _, w := range ways {
		closed[w] = true
	}
	return closed
}

func TestClosedStreets(t *testing.T) {
	c := namedDistrict(t)
	tests := []struct {
		name     string
		closed   map[int64]bool
		from, to space.Position
		want     string
		refusal  route.Refusal
	}{
		{name: "all open", from: pos(20, 0, 0), to: pos(220, 0, 0), want: "(20 0 4) (100 0 4) (200 0 4) (220 0 4) "},
		{
			name: "a robot that stands on a closed street leaves it at the nearest crossing",
			from: pos(120, 0, 0), to: pos(220, 100, 0), closed: closing(1),
			want: "(120 0 4) (100 0 4) (100 100 4) (200 100 4) (220 100 4) ",
		},
		{
			name: "along closed streets, where there are no others about it",
			from: pos(120, 100, 0), to: pos(220, 300, 0), closed: closing(2, 12),
			want: "(120 100 4) (200 100 4) (200 200 4) (200 300 4) (220 300 4) ",
		},
		{
			name: "a crossing of a closed street is open", from: pos(100, 20, 0), to: pos(100, 120, 0), closed: closing(2),
			want: "(100 20 4) (100 100 4) (100 120 4) ",
		},
		{
			name: "a goal on a closed street", from: pos(120, 100, 0), to: pos(120, 0, 0), closed: closing(1),
			refusal: route.Refusal{Rule: route.WayClosed, Object: "way/1"},
		},
		{
			name: "all ways out are closed", from: pos(0, 0, 0), to: pos(120, 100, 0), closed: closing(3, 11, 12, 13, 14, 15),
			refusal: route.Refusal{Rule: route.NoWay, Object: "way/11"},
		},
	}
	for _, tt := range tests {
		p := planner(t, c)
		p.SetConditions(motion.Wind{}, tt.closed)
		q := route.Query{From: tt.from, To: tt.to, Spec: spec(t, "kapok-rover"), Depart: noon()}
		r, err := p.Find(q)
		if tt.want != "" {
			if err != nil || draw(r.Path) != tt.want {
				t.Errorf("%s: %s (%v), want %s", tt.name, draw(r.Path), err, tt.want)
				continue
			}
			check(t, c, nil, q, r)
			continue
		}
		if got, ok := errors.AsType[*route.Refusal](err); !ok || got.Rule != tt.refusal.Rule || got.Object != tt.refusal.Object {
			t.Errorf("%s: %v, want %s by %s", tt.name, err, tt.refusal.Rule, tt.refusal.Object)
		}
	}
}

// Closed ways change nothing else: the least time is that of the streets that are left.
func TestRandomClosures(t *testing.T) {
	found := 0
	for seed := range uint64(6) {
		r := rand.New(rand.NewPCG(seed, 14))
		c := wild(t, r)
		for i := range c.Ground.Arcs {
			a := &c.Ground.Arcs[i]
			a.WayID = 1 + int64(min(a.From, a.To))%40
		}
		closed := closing(1+r.Int64N(40), 1+r.Int64N(40), 1+r.Int64N(40))
		p := planner(t, c)
		p.SetConditions(motion.Wind{}, closed)
		left := *c
		left.Ground.Arcs = append([]chart.Arc(nil), c.Ground.Arcs...)
		for i := range left.Ground.Arcs {
			if a := &left.Ground.Arcs[i]; closed[a.WayID] {
				a.LengthM = math.Inf(1)
			}
		}
		for range 20 {
			from, to := r.Int32N(int32(len(c.Ground.Nodes))), r.Int32N(int32(len(c.Ground.Nodes)))
			a, b := c.Ground.Nodes[from].Point, c.Ground.Nodes[to].Point
			q := route.Query{
				From: space.Position{Lon: a[0], Lat: a[1]}, To: space.Position{Lon: b[0], Lat: b[1]},
				Spec: spec(t, "kapok-rover"), Depart: noon(),
			}
			got, err := p.Find(q)
			want := dijkstra(&left, nil, from, to, q.Spec.CruiseMPS)
			if err != nil {
				got.Cost.Seconds = math.Inf(1)
			} else if !math.IsInf(want, 1) {
				found++
			}
			// Who stands at a crossing with closed streets alone leaves along one of them.
			if err == nil && math.IsInf(want, 1) {
				continue
			}
			if got.Cost.Seconds != want && !close2(got.Cost.Seconds, want, 1e-3) {
				t.Fatalf("seed %d, node %d to %d: %.3f s (%v), the least is %.3f s (go test -run TestRandomClosures ./planner/route)", seed, from, to, got.Cost.Seconds, err, want)
			}
		}
	}
	if found < 40 {
		t.Errorf("only %d drives were found", found)
	}
}
