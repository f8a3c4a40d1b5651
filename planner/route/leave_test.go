package route_test

import (
	"container/heap"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/planar"

	"github.com/kapok-fleet/kapok/planner/chart"
	"github.com/kapok-fleet/kapok/planner/route"
	"github.com/kapok-fleet/kapok/planner/space"
)

func TestAnAircraftBetweenWallsLeavesByTheNearestGap(t *testing.T) {
	// The zone's near edge in the north is behind a wall with a gap; no straight
	// line leads to it, nor over the roofs.
	walls := []chart.Building{
		house("north-west", 200, rect(-600, 100, 60, 110)), house("north-east", 200, rect(100, 100, 600, 110)),
		house("south", 200, rect(-600, -60, 600, -50)),
	}
	zones := []chart.Zone{{ID: "fire", Rule: chart.KeepOut, Polygon: rect(-500, -200, 500, 150)}}
	c := build(t, chart.Draft{Buildings: walls})
	r, err := fly(t, c, zones, pos(0, 0, 50), pos(0, -1000, 0))
	if err != nil {
		t.Fatal(err)
	}
	seconds, ok := leaveSeconds(c, zones, spec(t, "kapok-quad").CruiseMPS, r)
	if want := (math.Hypot(70, 90) + math.Hypot(0, 70)) / 15; !ok || seconds > want+0.5 {
		t.Errorf("out after %.1f s, want %.1f s: %s", seconds, want, draw(r.Path))
	}
}

func TestAWayOutThatLeadsNowhereIsNotTaken(t *testing.T) {
	// The hole of the zone is nearer than its outer edge, but the goal is outside.
	zones := []chart.Zone{{ID: "moat", Rule: chart.KeepOut, Polygon: append(rect(-300, -300, 300, 300), rect(-100, -100, 100, 100)[0])}}
	c := build(t, chart.Draft{})
	r, err := fly(t, c, zones, pos(0, 150, 50), pos(0, 1000, 0))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := draw(r.Path), "(0 150 50) (0 310 50) (0 310 40) (0 1000 40) (0 1000 0) "; got != want {
		t.Errorf("path %s, want %s", got, want)
	}
	if _, err := fly(t, c, zones, pos(0, 150, 50), pos(0, 0, 0)); err != nil {
		t.Errorf("into the hole: %v", err)
	}
}

func TestAnAircraftLeavesAFlatZoneByTheNearerOfUpAndOut(t *testing.T) {
	c := build(t, chart.Draft{})
	tests := []struct {
		name string
		zone chart.Zone
		from space.Position
		want string
	}{
		{"up", chart.Zone{CeilingM: 60}, pos(0, 0, 50), "(0 0 50) (0 0 70) (1000 0 70) (1000 0 0) "},
		{"down", chart.Zone{FloorM: 60}, pos(0, 0, 70), "(0 0 70) (0 0 50) (0 0 40) (1000 0 40) (1000 0 0) "},
		{"out", chart.Zone{CeilingM: 90}, pos(0, 280, 41), "(0 280 41) (0 310 41) "},
		{"two at once", chart.Zone{CeilingM: 90}, pos(290, 290, 41), "(290 290 41) (290 310 41) "},
		{"from the ground", chart.Zone{}, pos(0, 280, 0), "(0 280 0) (0 280 40) (0 310 40) "},
		{"a limit too low to fly", chart.Zone{Rule: chart.AltitudeLimit, HeightLimitM: 5}, pos(0, 280, 50), "(0 280 50) (0 310 50) "},
	}
	for _, tt := range tests {
		z := tt.zone
		z.ID, z.Polygon = "z", rect(-300, -300, 300, 300)
		if z.Rule == "" {
			z.Rule = chart.KeepOut
		}
		zones := []chart.Zone{z}
		if tt.name == "two at once" {
			zones = append(zones, chart.Zone{ID: "y", Rule: chart.KeepOut, Polygon: rect(280, -300, 600, 300)})
		}
		r, err := fly(t, c, zones, tt.from, pos(1000, 0, 0))
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		if got := draw(r.Path); len(got) < len(tt.want) || got[:len(tt.want)] != tt.want {
			t.Errorf("%s: path %s, want %s", tt.name, got, tt.want)
		}
	}
}

// beyond tells whether a place is 9.5 m off all zones.
func beyond(c *chart.Chart, zones []chart.Zone, at space.XYZ) bool {
	for i := range zones {
		z := &zones[i]
		if z.FloorM != 0 && at.Z <= z.FloorM-9.5 || z.CeilingM != 0 && at.Z >= z.CeilingM+9.5 {
			continue
		}
		ring := make([]space.XY, 0, len(z.Polygon[0]))
		for _, p := range z.Polygon[0][1:] {
			ring = append(ring, c.Frame.XY(p))
		}
		if space.InRing(ring, at.XY()) || space.RingDist(ring, at.XY()) < 9.5 {
			return false
		}
	}
	return true
}

// leaveSeconds is when a route is beyond the zones that it begins in.
func leaveSeconds(c *chart.Chart, zones []chart.Zone, cruiseMPS float64, r route.Route) (float64, bool) {
	t := 0.0
	for i := 1; i < len(r.Path); i++ {
		a, b := c.Frame.XYZ(r.Path[i-1]), c.Frame.XYZ(r.Path[i])
		seconds := max(a.XY().Dist(b.XY())/cruiseMPS, (b.Z-a.Z)/4, (a.Z-b.Z)/3)
		steps := math.Ceil(a.Dist(b)) + 1
		for k := 0.0; k <= steps; k++ {
			u := k / steps
			if beyond(c, zones, space.XYZ{X: a.X + (b.X-a.X)*u, Y: a.Y + (b.Y-a.Y)*u, Z: a.Z + (b.Z-a.Z)*u}) {
				return t + u*seconds, true
			}
		}
		t += seconds
	}
	return t, false
}

// gridSeconds is the least time out of zones by exhaustive search on a grid, at
// the present height above ground and at every tenth metre of height: about the
// truth, in ignorance of how the planner goes about it.
func gridSeconds(c *chart.Chart, zones []chart.Zone, from space.Position, cruiseMPS float64) float64 {
	at := c.Frame.XYZ(from)
	ground := c.GroundAltitudeXY(at.XY())
	best := math.Inf(1)
	heights := []float64{at.Z - ground}
	for h := 40.0; h <= 100; h += 10 {
		heights = append(heights, h)
	}
	for _, h := range heights {
		column := max((ground+h-at.Z)/4, (at.Z-ground-h)/3)
		if column < best {
			g := newLattice(c, zones, at.XY(), h, cruiseMPS)
			best = min(best, column+g.leave(best-column))
		}
	}
	return best
}

const (
	latticeM    = 6.0
	latticeHalf = 75
)

// lattice is a grid of places about a centre at one height above ground.
type lattice struct {
	c         *chart.Chart
	zones     []chart.Zone
	centre    space.XY
	h, mps    float64
	buildings []chart.Building
	rings     [][][]space.XY
	free      map[[2]int]bool
}

func newLattice(c *chart.Chart, zones []chart.Zone, centre space.XY, h, mps float64) *lattice {
	g := &lattice{c: c, zones: zones, centre: centre, h: h, mps: mps, free: map[[2]int]bool{}}
	window := space.BoxOf(centre).Grow(latticeHalf*latticeM + 20)
	for i := range c.Buildings {
		b := &c.Buildings[i]
		if b.HeightM+route.RoofClearanceM <= h || !c.Frame.Bound(b.Footprint.Bound()).Intersects(window) {
			continue
		}
		var rings [][]space.XY
		for _, r := range b.Footprint {
			var ring []space.XY
			for _, p := range r[1:] {
				ring = append(ring, c.Frame.XY(p))
			}
			rings = append(rings, ring)
		}
		g.buildings, g.rings = append(g.buildings, *b), append(g.rings, rings)
	}
	return g
}

func (g *lattice) at(k [2]int) space.XY {
	return g.centre.Add(space.XY{X: float64(k[0]) * latticeM, Y: float64(k[1]) * latticeM})
}

func (g *lattice) open(k [2]int) bool {
	if v, ok := g.free[k]; ok {
		return v
	}
	at, ok := g.at(k), true
	if !g.c.Extent.Contains(g.c.Frame.Point(at)) || max(k[0], -k[0], k[1], -k[1]) > latticeHalf {
		ok = false
	}
	for i := range g.c.Zones {
		if z := &g.c.Zones[i]; z.Rule == chart.AltitudeLimit && g.h > z.HeightLimitM && planar.PolygonContains(z.Polygon, g.c.Frame.Point(at)) {
			ok = false
		}
	}
	for i, rings := range g.rings {
		if g.c.Frame.Bound(g.buildings[i].Footprint.Bound()).Dist(at) > route.ClearanceM {
			continue
		}
		for _, ring := range rings {
			ok = ok && space.RingDist(ring, at) >= route.ClearanceM
		}
		ok = ok && !space.InRings(rings, at)
	}
	g.free[k] = ok
	return ok
}

type reach struct {
	k       [2]int
	seconds float64
}

// frontier is a heap of places by the time at which they are reached.
type frontier []reach

func (f frontier) Len() int           { return len(f) }
func (f frontier) Less(i, j int) bool { return f[i].seconds < f[j].seconds }
func (f frontier) Swap(i, j int)      { f[i], f[j] = f[j], f[i] }

func (f *frontier) Push(x any) {
	if r, ok := x.(reach); ok {
		*f = append(*f, r)
	}
}

func (f *frontier) Pop() any {
	old := *f
	last := old[len(old)-1]
	*f = old[:len(old)-1]
	return last
}

// leave is the time from the centre to the first place beyond the zones.
func (g *lattice) leave(bound float64) float64 {
	q := frontier{{}}
	done := map[[2]int]bool{}
	for len(q) > 0 {
		e, ok := heap.Pop(&q).(reach)
		if !ok || done[e.k] || e.seconds >= bound {
			continue
		}
		done[e.k] = true
		at := g.at(e.k)
		z := g.c.GroundAltitudeXY(at) + g.h
		if beyond(g.c, g.zones, space.XYZ{X: at.X, Y: at.Y, Z: z}) {
			return e.seconds
		}
		for dx := -2; dx <= 2; dx++ {
			for dy := -2; dy <= 2; dy++ {
				k := [2]int{e.k[0] + dx, e.k[1] + dy}
				if done[k] || !g.open(k) {
					continue
				}
				to := g.at(k)
				rise := g.c.GroundAltitudeXY(to) + g.h - z
				heap.Push(&q, reach{k, e.seconds + max(at.Dist(to)/g.mps, rise/4, -rise/3)})
			}
		}
	}
	return math.Inf(1)
}

// trap is a zone, or two, about a place: stars, on flat ground some with a ceiling.
func trap(c *chart.Chart, r *rand.Rand, from space.Position) []chart.Zone {
	at := c.Frame.XY(from.Point())
	var zones []chart.Zone
	for i := range 1 + r.IntN(2) {
		z := chart.Zone{ID: "trap" + string(rune('a'+i)), Rule: chart.KeepOut}
		centre := at.Add(space.XY{X: 60 * (r.Float64() - 0.5), Y: 60 * (r.Float64() - 0.5)})
		var ring orb.Ring
		n, size := 4+r.IntN(20), 90+150*r.Float64()
		for k := range n {
			sin, cos := math.Sincos(2 * math.Pi * float64(k) / float64(n))
			m := size * (0.6 + 0.4*r.Float64())
			ring = append(ring, c.Frame.Point(centre.Add(space.XY{X: m * cos, Y: m * sin})))
		}
		z.Polygon = orb.Polygon{append(ring, ring[0])}
		if c.Terrain == nil && r.IntN(3) == 0 {
			z.CeilingM = from.AltitudeM + 60*r.Float64()
		}
		zones = append(zones, z)
	}
	return zones
}

// Those caught in zones among the buildings of real towns leave in hardly more
// time than an exhaustive search on a fine grid finds.
func TestThoseCaughtLeaveByTheNearestLawfulWay(t *testing.T) {
	for name, c := range map[string]*chart.Chart{"harbour": harbourChart(t), "monaco": monaco(t)} {
		t.Run(name, func(t *testing.T) {
			looked, worst, sum, truth := 0, 0.0, 0.0, 0.0
			for seed := uint64(0); looked < 10; seed++ {
				r := rand.New(rand.NewPCG(seed, 31))
				q := route.Query{From: somewhere(r, c), To: somewhere(r, c), Spec: spec(t, "kapok-quad"), Depart: noon()}
				q.From.AltitudeM += 40 + 60*r.Float64()
				q.To = onRoof(c, q.To)
				zones := trap(c, r, q.From)
				ground := c.GroundAltitude(q.From.Point())
				if g := newLattice(c, nil, c.Frame.XY(q.From.Point()), q.From.AltitudeM-ground, 15); !g.open([2]int{}) {
					continue
				}
				got, err := planner(t, c, zones...).Find(q)
				if err != nil {
					t.Logf("seed %d: %v", seed, err)
					continue
				}
				if beyond(c, zones, c.Frame.XYZ(q.From)) {
					continue
				}
				looked++
				check(t, c, zones, q, got)
				seconds, ok := leaveSeconds(c, zones, q.Spec.CruiseMPS, got)
				want := gridSeconds(c, zones, q.From, q.Spec.CruiseMPS)
				if !ok || seconds > 1.15*want+1.5 {
					t.Errorf("seed %d: out after %.1f s, want %.1f s (go test -run TestThoseCaught ./planner/route)", seed, seconds, want)
				}
				worst, sum, truth = max(worst, seconds/want), sum+seconds, truth+want
			}
			t.Logf("%d ways out, %.1f s on average against %.1f s, at worst %.2f times as long", looked, sum/float64(looked), truth/float64(looked), worst)
		})
	}
}
