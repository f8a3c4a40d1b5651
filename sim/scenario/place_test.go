package scenario

import (
	"errors"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/paulmach/orb"

	"github.com/kapok-fleet/kapok/planner/chart"
	"github.com/kapok-fleet/kapok/planner/space"
	"github.com/kapok-fleet/kapok/protocol"
)

// gridChart is a street grid of n by n crossings 100 m apart, with a building
// in the first block and a keep-out zone for aircraft over the last crossing.
func gridChart(t *testing.T, n int, sites ...chart.Site) *chart.Chart {
	t.Helper()
	frame := space.NewFrame(orb.Point{113.93, 22.51})
	d := chart.Draft{Name: "grid", HeightLimitM: 120, Sites: sites}
	for y := range n {
		for x := range n {
			d.Nodes = append(d.Nodes, chart.Node{Point: frame.Point(space.XY{X: float64(x) * 100, Y: float64(y) * 100})})
			i := int32(len(d.Nodes) - 1)
			if x > 0 {
				d.Arcs = append(d.Arcs, chart.Arc{From: i - 1, To: i}, chart.Arc{From: i, To: i - 1})
			}
			if y > 0 {
				d.Arcs = append(d.Arcs, chart.Arc{From: i - int32(n), To: i}, chart.Arc{From: i, To: i - int32(n)})
			}
		}
	}
	d.Buildings = []chart.Building{{ID: "b1", Footprint: square(frame, 10, 10, 90), HeightM: 30, Source: chart.HeightTag}}
	last := float64(n-1) * 100
	d.Zones = []chart.Zone{{ID: "z1", Rule: chart.KeepOut, Airborne: true, Polygon: square(frame, last-20, last-20, last+20)}}
	c, err := chart.New(d)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// square is the ring from (x, y) to (end, end).
func square(frame space.Frame, x, y, end float64) orb.Polygon {
	var ring orb.Ring
	for _, at := range []space.XY{{X: x, Y: y}, {X: end, Y: y}, {X: end, Y: end}, {X: x, Y: end}, {X: x, Y: y}} {
		ring = append(ring, frame.Point(at))
	}
	return orb.Polygon{ring}
}

func TestPlaceOnAGrid(t *testing.T) {
	frame := space.NewFrame(orb.Point{113.93, 22.51})
	at := func(x, y float64) space.Position { return frame.Position(space.XYZ{X: x, Y: y}) }
	c := gridChart(t, 6,
		chart.Site{ID: "dock", Kind: chart.Dock, Position: at(200, 210), Capacity: 2},
		chart.Site{ID: "pad", Kind: chart.Pad, Position: at(250, 250), Capacity: 1},
		chart.Site{ID: "roof", Kind: chart.Pad, Position: at(50, 50), Capacity: 4},
		chart.Site{ID: "locker", Kind: chart.Locker, Name: "Locker", Position: at(310, 320), Capacity: 1},
	)
	groups := []Group{{Kind: protocol.Rover, Count: 9}, {Kind: protocol.Multirotor, Count: 5}}
	p, err := Place(c, groups, 3)
	if err != nil {
		t.Fatal(err)
	}
	if len(p.Homes[0]) != 9 || p.Homes[0][1].Site != "dock" || p.Homes[0][2].Site != "" {
		t.Errorf("rovers: %+v", p.Homes[0])
	}
	if p.Homes[1][0].Site != "pad" || p.Homes[1][1].Site != "" {
		t.Errorf("drones: %+v", p.Homes[1])
	}
	for _, h := range p.Homes[1] {
		xy := c.Frame.XY(h.Position.Point())
		if b, ok := c.BuildingAt(xy); ok {
			t.Errorf("a drone lives in building %d", b)
		}
		if xy.Dist(c.Frame.XY(at(500, 500).Point())) < 20 {
			t.Errorf("a drone lives in the keep-out zone: %v", xy)
		}
	}
	checkPlacement(t, p, groups)
	added := p.Chart.Sites[len(c.Sites):]
	if len(added) != 3+2 || added[0].ID != "kapok/charger/1" || added[0].Kinds[0] != "rover" || added[3].Kinds[0] != "multirotor" {
		t.Errorf("chargers %+v", added)
	}
	if p.Endpoints[0].ID != "locker" || len(p.Endpoints) != MinEndpoints {
		t.Errorf("endpoints %+v", p.Endpoints[:2])
	}
	again, err := Place(c, groups, 3)
	if err != nil || !reflect.DeepEqual(again.Endpoints, p.Endpoints) || again.Chart.Checksum != p.Chart.Checksum {
		t.Errorf("the same seed placed differently: %v", err)
	}
	other, err := Place(c, groups, 4)
	if err != nil || reflect.DeepEqual(other.Endpoints, p.Endpoints) {
		t.Errorf("another seed placed the same: %v", err)
	}
}

// checkPlacement looks at what holds on every chart.
func checkPlacement(t *testing.T, p Placement, groups []Group) {
	t.Helper()
	for i, g := range groups {
		if len(p.Homes[i]) != g.Count {
			t.Errorf("%d homes for %d of %s", len(p.Homes[i]), g.Count, g.Kind)
		}
	}
	air := 0
	for _, e := range p.Endpoints {
		if s, ok := p.Chart.Snap(e.Position); !ok || s.DistM > 1 {
			t.Errorf("endpoint %s is %.1f m off the network", e.ID, s.DistM)
		}
		if e.Air {
			air++
		}
	}
	if len(p.Endpoints) < MinEndpoints || air < 2 {
		t.Errorf("%d endpoints, %d of them for aircraft", len(p.Endpoints), air)
	}
}

func TestHomesAtSites(t *testing.T) {
	frame := space.NewFrame(orb.Point{113.93, 22.51})
	at := func(x, y float64) space.Position { return frame.Position(space.XYZ{X: x, Y: y}) }
	c := gridChart(
		t, 6,
		chart.Site{ID: "north", Kind: chart.FireStation, Position: at(100, 410), Capacity: 1},
		chart.Site{ID: "south", Kind: chart.FireStation, Position: at(300, 10), Capacity: 1},
		chart.Site{ID: "ward", Kind: chart.Hospital, Position: at(50, 50), Capacity: 1},
	)
	group := func(count int, homes ...string) Group { return Group{protocol.Rover, count, homes} }
	p, err := Place(c, []Group{group(3, "fire_station"), group(3, "fire_station", "ward")}, 1)
	if err != nil {
		t.Fatal(err)
	}
	var near []string
	taken := map[space.Position]bool{}
	for _, h := range slices.Concat(p.Homes...) {
		near = append(near, h.Near)
		if taken[h.Position] {
			t.Errorf("two vehicles live at %v", h.Position)
		}
		taken[h.Position] = true
	}
	if want := []string{"north", "south", "north", "ward", "south", "ward"}; !slices.Equal(near, want) {
		t.Errorf("homes near %v, want %v", near, want)
	}
	for _, wrong := range []Group{group(1, "castle"), group(200, "north")} {
		if _, err := Place(c, []Group{wrong}, 1); !errors.Is(err, ErrNoRoom) {
			t.Errorf("%v: %v", wrong, err)
		}
	}
}

func TestPlaceWithoutRoom(t *testing.T) {
	if _, err := Place(gridChart(t, 3), []Group{{Kind: protocol.Vessel, Count: 1}}, 1); !errors.Is(err, ErrNoRoom) {
		t.Errorf("a boat on a street grid: %v", err)
	}
}

func TestPlaceOnRealDistricts(t *testing.T) {
	data := os.Getenv("KAPOK_DATA")
	if data == "" {
		data = filepath.Join("..", "..", "..", "shared", "data")
	}
	for _, name := range []string{"otaniemi-espoo.osm", "taipei-block.osm"} {
		t.Run(strings.TrimSuffix(name, ".osm"), func(t *testing.T) {
			c, err := Charts{Data: data}.Open("data:osm/" + name)
			if errors.Is(err, ErrNoData) || errors.Is(err, os.ErrNotExist) {
				t.Skipf("test data are not there: %v", err)
			}
			if err != nil {
				t.Fatal(err)
			}
			groups := []Group{{Kind: protocol.Rover, Count: 20}, {Kind: protocol.Multirotor, Count: 12}}
			p, err := Place(c, groups, 1)
			if err != nil {
				t.Fatal(err)
			}
			checkPlacement(t, p, groups)
			t.Logf("%d endpoints, first %q, %d chargers added", len(p.Endpoints), p.Endpoints[0].Name, len(p.Chart.Sites)-len(c.Sites))
		})
	}
}

// TestSpreadIsFarthestPointSampling holds spread against the plain rule, for seeded
// nodes of which some coincide and some lie in a row.
func TestSpreadIsFarthestPointSampling(t *testing.T) {
	for seed := range uint64(20) {
		draw := rand.New(rand.NewPCG(seed, 2))
		c := &chart.Chart{}
		var nodes []int32
		for n := range 300 {
			at := space.XY{X: 4000 * draw.Float64(), Y: 3000 * draw.Float64()}
			if n%3 == 0 {
				at = space.XY{X: 50 * float64(draw.IntN(40))}
			}
			c.Ground.Nodes = append(c.Ground.Nodes, chart.Node{XY: at})
			nodes = append(nodes, int32(n))
		}
		p, q := placer{chart: c}, placer{chart: c}
		for range seed % 4 {
			p.taken = append(p.taken, space.XY{X: 9000 * draw.Float64()})
		}
		q.taken = slices.Clone(p.taken)
		for _, want := range []int{1, 40, 120, 400} {
			if got, plain := p.spread(nodes, want), q.plainSpread(nodes, want); !slices.Equal(got, plain) {
				t.Fatalf("seed %d, %d nodes: picked %v, the plain rule picks %v", seed, want, got, plain)
			}
		}
	}
}

// plainSpread looks at every node for each that is picked.
func (p *placer) plainSpread(nodes []int32, want int) []int32 {
	var picked []int32
	if len(p.taken) == 0 {
		picked = append(picked, p.middle(nodes))
		p.taken = append(p.taken, p.chart.Ground.Nodes[picked[0]].XY)
	}
	for len(picked) < want {
		best, far := int32(0), -1.0
		for _, n := range nodes {
			least := math.Inf(1)
			for _, at := range p.taken {
				least = min(least, at.Dist(p.chart.Ground.Nodes[n].XY))
			}
			if least > far {
				best, far = n, least
			}
		}
		picked, p.taken = append(picked, best), append(p.taken, p.chart.Ground.Nodes[best].XY)
	}
	return picked
}
