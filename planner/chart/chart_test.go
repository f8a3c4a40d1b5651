package chart

import (
	"bytes"
	"errors"
	"math"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/paulmach/orb"

	"github.com/kapok-fleet/kapok/planner/space"
)

// square returns a closed ring with sides of 2·half degrees.
func square(lon, lat, half float64) orb.Ring {
	return orb.Ring{
		{lon - half, lat - half},
		{lon + half, lat - half},
		{lon + half, lat + half},
		{lon - half, lat + half},
		{lon - half, lat - half},
	}
}

// village is a chart in miniature: a street of four nodes in both directions, a
// one-way stub, a footbridge on level 1 above the street's end, one far-off
// path, a building with a court, and one of everything else.
func village() Draft {
	d := Draft{
		Name: "village", Attribution: "drawn by hand", Illustrative: true,
		GroundAltitudeM: 3, HeightLimitM: 120,
		Nodes: []Node{
			{OSMID: 11, Point: orb.Point{10.000, 50.000}},
			{OSMID: 12, Point: orb.Point{10.001, 50.000}},
			{OSMID: 13, Point: orb.Point{10.002, 50.000}},
			{OSMID: 14, Point: orb.Point{10.003, 50.000}, Level: "0;1"},
			{OSMID: 15, Point: orb.Point{10.002, 50.001}},
			{OSMID: 16, Point: orb.Point{10.0020001, 50.0000001}, Level: "1"},
			{OSMID: 21, Point: orb.Point{10.000, 50.003}},
			{OSMID: 22, Point: orb.Point{10.001, 50.003}},
		},
		Buildings: []Building{{
			ID: "way/1", Name: "Rathaus", HeightM: 21.5, Source: HeightTag,
			Footprint: orb.Polygon{square(10.0005, 50.0005, 0.0003), square(10.0005, 50.0005, 0.0001)},
		}},
		Zones: []Zone{{
			ID: "school", Name: "学校", Rule: KeepOut, Polygon: orb.Polygon{square(10.002, 50.002, 0.0002)},
			CeilingM: 100, Airborne: true, From: time.Date(2026, 1, 2, 3, 4, 5, 6, time.FixedZone("CST", 8*3600)),
		}},
		Sites: []Site{{ID: "node/31", Kind: Charger, Name: "Markt", Position: space.Position{Lon: 10, Lat: 50, AltitudeM: 3}, Capacity: 2, Kinds: []string{"vtol", "multirotor"}}},
		Terrain: &Terrain{
			Origin: orb.Point{9.999, 49.999}, StepLon: 0.0025, StepLat: 0.0025, Cols: 3, Rows: 3, Source: "drawn by hand",
			HeightDM: []int32{0, 10, 20, 30, 40, 50, 60, 70, 80},
		},
		Water:  []WaterArea{{ID: "way/51", Polygon: orb.Polygon{square(10.0022, 50.0005, 0.0002), square(10.0022, 50.0005, 0.0001)}}},
		Places: []Place{{ID: "node/41", Name: "牛肉麵", Position: space.Position{Lon: 10.001, Lat: 50.0001, Level: "1"}}},
	}
	both := func(a, b int32, way int64) {
		d.Arcs = append(d.Arcs, Arc{From: b, To: a, WayID: way, Name: "Hauptstraße", SpeedLimitMPS: 2.5}, Arc{From: a, To: b, WayID: way, Name: "Hauptstraße"})
	}
	both(6, 7, 102)
	both(2, 3, 101)
	both(0, 1, 101)
	both(1, 2, 101)
	both(3, 5, 103)
	d.Arcs = append(d.Arcs, Arc{From: 2, To: 4, WayID: 104})
	return d
}

func mustNew(t *testing.T, d Draft) *Chart {
	t.Helper()
	c, err := New(d)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func encoded(t testing.TB, c *Chart) []byte {
	t.Helper()
	var file bytes.Buffer
	if err := c.Write(&file); err != nil {
		t.Fatal(err)
	}
	return file.Bytes()
}

func TestNewMeasuresAndOrders(t *testing.T) {
	c := mustNew(t, village())
	g := c.Ground
	for n := range g.Nodes {
		for _, arc := range g.From(int32(n)) {
			if int(arc.From) != n {
				t.Errorf("arc %+v stands among those of node %d", arc, n)
			}
			want := space.Distance(pos(g.Nodes[arc.From].Point), pos(g.Nodes[arc.To].Point))
			if math.Abs(arc.LengthM-want) > 1e-4 {
				t.Errorf("arc %+v is %.4f m on the ellipsoid", arc, want)
			}
		}
	}
	if len(g.Arcs) != 11 || int(g.First[len(g.Nodes)]) != 11 {
		t.Errorf("%d arcs, First %v", len(g.Arcs), g.First)
	}
	// Node 4 can be reached but not left, so it is a component of its own.
	if want := []int32{0, 0, 0, 0, 2, 0, 1, 1}; !reflect.DeepEqual(g.Component, want) {
		t.Errorf("components %v, want %v", g.Component, want)
	}
	if g.InMain(6) || !g.InMain(0) || g.InMain(-1) || g.InMain(99) {
		t.Error("InMain is wrong")
	}
	if c.Extent.Min != (orb.Point{10, 50}) || c.Extent.Max != (orb.Point{10.003, 50.003}) {
		t.Errorf("extent %v", c.Extent)
	}
	if at := c.Frame.XY(c.Extent.Center()); at.Len() > 1e-6 {
		t.Errorf("the frame is not centred on the extent: %v", at)
	}
}

func pos(p orb.Point) space.Position { return space.Position{Lon: p[0], Lat: p[1]} }

func TestSnapping(t *testing.T) {
	c := mustNew(t, village())
	for _, q := range []struct {
		name  string
		at    space.Position
		node  int32
		distM float64
	}{
		{"north of a node", space.Position{Lon: 10.001, Lat: 50.0001}, 1, 11.12},
		{"beside the far-off path, which is not of the main component", space.Position{Lon: 10.000, Lat: 50.003}, 0, 333.7},
		{"the street below the footbridge", space.Position{Lon: 10.002, Lat: 50}, 2, 0},
		{"on the footbridge", space.Position{Lon: 10.002, Lat: 50, Level: "1"}, 5, 0.0133},
		{"a level that is not drawn", space.Position{Lon: 10.0, Lat: 50, Level: "5"}, 0, 0},
	} {
		node, distM, ok := c.SnapNode(q.at)
		if !ok || node != q.node || math.Abs(distM-q.distM) > 0.1 {
			t.Errorf("%s: node %d, %.3f m, %v; want node %d, %.3f m", q.name, node, distM, ok, q.node, q.distM)
		}
	}
	on, ok := c.Snap(space.Position{Lon: 10.00025, Lat: 50.0001})
	if !ok || on.Arc != 0 || math.Abs(on.T-0.25) > 1e-3 || math.Abs(on.DistM-11.12) > 0.1 {
		t.Errorf("snapped to %+v, %v", on, ok)
	}
	empty := mustNew(t, Draft{Extent: orb.Bound{Min: orb.Point{1, 1}, Max: orb.Point{1.1, 1.1}}})
	if _, _, ok := empty.SnapNode(space.Position{Lon: 1, Lat: 1}); ok {
		t.Error("a chart without a network snaps")
	}
	if _, ok := empty.Snap(space.Position{Lon: 1, Lat: 1}); ok {
		t.Error("a chart without a network snaps to an arc")
	}
}

// TestSnapAgainstAllNodes compares the index with a search through everything.
func TestSnapAgainstAllNodes(t *testing.T) {
	const seed = 3
	rng := rand.New(rand.NewPCG(seed, 0))
	var d Draft
	for i := range 500 {
		d.Nodes = append(d.Nodes, Node{Point: orb.Point{rng.Float64() * 0.02, rng.Float64() * 0.02}})
		if i > 0 {
			to := int32(rng.IntN(i))
			d.Arcs = append(d.Arcs, Arc{From: int32(i), To: to}, Arc{From: to, To: int32(i)})
		}
	}
	c := mustNew(t, d)
	for range 200 {
		p := space.Position{Lon: rng.Float64() * 0.02, Lat: rng.Float64() * 0.02}
		at := c.Frame.XY(p.Point())
		bestNode, bestArc := math.Inf(1), math.Inf(1)
		for _, n := range c.Ground.Nodes {
			bestNode = min(bestNode, n.XY.Dist(at))
		}
		for _, a := range c.Ground.Arcs {
			bestArc = min(bestArc, space.SegmentDist(at, c.Ground.Nodes[a.From].XY, c.Ground.Nodes[a.To].XY))
		}
		_, nodeM, _ := c.SnapNode(p)
		on, _ := c.Snap(p)
		if nodeM != bestNode || math.Abs(on.DistM-bestArc) > 1e-9 {
			t.Fatalf("seed %d: node at %g m, really %g; arc at %g m, really %g", seed, nodeM, bestNode, on.DistM, bestArc)
		}
	}
}

func TestBuildings(t *testing.T) {
	c := mustNew(t, village())
	box := space.BoxOf(c.Frame.XY(orb.Point{10.0007, 50.0007}))
	if got := c.BuildingsIn(box, []int32{9}); !reflect.DeepEqual(got, []int32{9, 0}) {
		t.Errorf("buildings %v", got)
	}
	for _, q := range []struct {
		name string
		at   orb.Point
		in   bool
	}{
		{"the wing", orb.Point{10.0007, 50.0007}, true},
		{"the court", orb.Point{10.0005, 50.0005}, false},
		{"the street", orb.Point{10.001, 50}, false},
	} {
		if _, in := c.BuildingAt(c.Frame.XY(q.at)); in != q.in {
			t.Errorf("%s: in a building is %v", q.name, in)
		}
	}
}

func TestFileRoundTrip(t *testing.T) {
	c := mustNew(t, village())
	file := encoded(t, c)
	back, err := Read(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	c.index, back.index = nil, nil
	if !reflect.DeepEqual(c, back) {
		t.Errorf("read back:\n%+v\nwant:\n%+v", back, c)
	}
	// Journals name charts by checksum: what changes it, for the same drawing,
	// needs another Version.
	if want := "sha256:e902ae13182a07b109a4a82171ea91aed9d1e61b5906b4f0d7f43486a6eb228a"; c.Checksum != want {
		t.Errorf("the format has changed: checksum %s, want %s", c.Checksum, want)
	}
	if again := encoded(t, mustNew(t, village())); !bytes.Equal(file, again) {
		t.Error("the same draft gives another file")
	}
}

func TestChecksumCoversEverything(t *testing.T) {
	base := mustNew(t, village()).Checksum
	if !strings.HasPrefix(base, "sha256:") || len(base) != 7+64 {
		t.Fatalf("checksum %q", base)
	}
	for name, change := range map[string]func(*Draft){
		"name":           func(d *Draft) { d.Name = "town" },
		"attribution":    func(d *Draft) { d.Attribution = "" },
		"flag":           func(d *Draft) { d.Illustrative = false },
		"extent":         func(d *Draft) { d.Extent = orb.Bound{Min: orb.Point{9, 49}, Max: orb.Point{10.5, 50.5}} },
		"ground":         func(d *Draft) { d.GroundAltitudeM = 4 },
		"limit":          func(d *Draft) { d.HeightLimitM = 121 },
		"node":           func(d *Draft) { d.Nodes[0].Point[0] += 2e-7 },
		"level":          func(d *Draft) { d.Nodes[0].Level = "2" },
		"arc speed":      func(d *Draft) { d.Arcs[0].SpeedLimitMPS = 2 },
		"arc name":       func(d *Draft) { d.Arcs[0].Name = "" },
		"building":       func(d *Draft) { d.Buildings[0].HeightM = 22 },
		"zone time":      func(d *Draft) { d.Zones[0].Until = time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC) },
		"zone flag":      func(d *Draft) { d.Zones[0].Ground = true },
		"site kinds":     func(d *Draft) { d.Sites[0].Kinds = nil },
		"capacity":       func(d *Draft) { d.Sites[0].Capacity = 3 },
		"place":          func(d *Draft) { d.Places[0].Name = "x" },
		"profile":        func(d *Draft) { d.Arcs[0].Profiles = Road | Sidewalk },
		"layer":          func(d *Draft) { d.Arcs[0].Layer = -1 },
		"no terrain":     func(d *Draft) { d.Terrain = nil },
		"terrain":        func(d *Draft) { d.Terrain.HeightDM[4]++ },
		"grid":           func(d *Draft) { d.Terrain.StepLat *= 1.5 },
		"terrain source": func(d *Draft) { d.Terrain.Source = "" },
		"island":         func(d *Draft) { d.Water[0].Polygon = d.Water[0].Polygon[:1] },
	} {
		d := village()
		change(&d)
		if c := mustNew(t, d); c.Checksum == base {
			t.Errorf("changing the %s leaves the checksum", name)
		}
	}
	// Below a centimetre nothing changes, and neither does the arcs' order matter.
	d := village()
	d.Nodes[0].Point[0] += 2e-8
	d.Arcs[0], d.Arcs[5] = d.Arcs[5], d.Arcs[0]
	if c := mustNew(t, d); c.Checksum != base {
		t.Error("the order of arcs shows in the checksum")
	}
}

func TestNewRefuses(t *testing.T) {
	nan := math.NaN()
	for name, c := range map[string]struct {
		change func(*Draft)
		want   string
	}{
		"arc out of range":  {func(d *Draft) { d.Arcs[0].To = 99 }, "to 99 of 8"},
		"loop":              {func(d *Draft) { d.Arcs[0].To = d.Arcs[0].From }, "to itself"},
		"NaN node":          {func(d *Draft) { d.Nodes[2].Point[1] = nan }, "OSM 13"},
		"pole":              {func(d *Draft) { d.Nodes[2].Point[1] = 90 }, "not a place"},
		"speed":             {func(d *Draft) { d.Arcs[1].SpeedLimitMPS = -1 }, "speed limit -1"},
		"flat building":     {func(d *Draft) { d.Buildings[0].HeightM = 0 }, "way/1"},
		"empty footprint":   {func(d *Draft) { d.Buildings[0].Footprint = nil }, "no ring"},
		"line":              {func(d *Draft) { d.Buildings[0].Footprint[1] = orb.Ring{{1, 1}, {2, 2}, {1, 1}} }, "ring 1 has 2 points"},
		"zone twice":        {func(d *Draft) { d.Zones = append(d.Zones, d.Zones[0]) }, "stands twice"},
		"zone rule":         {func(d *Draft) { d.Zones[0].Rule = "no" }, `rule "no"`},
		"zone ceiling":      {func(d *Draft) { d.Zones[0].FloorM = 200 }, "not above floor_m"},
		"zone limit":        {func(d *Draft) { d.Zones[0].Rule = AltitudeLimit }, "height_limit_m"},
		"zone speed":        {func(d *Draft) { d.Zones[0].Rule = SpeedLimit }, "speed_limit_mps"},
		"zone time":         {func(d *Draft) { d.Zones[0].Until = d.Zones[0].From }, "until"},
		"site kind":         {func(d *Draft) { d.Sites[0].Kind = "x" }, `kind "x"`},
		"site capacity":     {func(d *Draft) { d.Sites[0].Capacity = 0 }, "capacity 0"},
		"site twice":        {func(d *Draft) { d.Sites = append(d.Sites, d.Sites[0]) }, "stands twice"},
		"place":             {func(d *Draft) { d.Places[0].Position.Lon = math.Inf(1) }, "node/41"},
		"extent":            {func(d *Draft) { d.Places[0].Position.Lat = 58 }, "200 km"},
		"height limit":      {func(d *Draft) { d.HeightLimitM = -1 }, "height limit"},
		"profile":           {func(d *Draft) { d.Arcs[2].Profiles = 8 }, "unknown profiles"},
		"terrain too small": {func(d *Draft) { d.Terrain.Rows, d.Terrain.HeightDM = 1, d.Terrain.HeightDM[:3] }, "3 by 1 samples"},
		"terrain count":     {func(d *Draft) { d.Terrain.Cols = 4 }, "4 by 3 samples has 9"},
		"terrain step":      {func(d *Draft) { d.Terrain.StepLon = nan }, "grid is not a place"},
		"terrain height":    {func(d *Draft) { d.Terrain.HeightDM[3] = 200_000 }, "20000 m high"},
		"water":             {func(d *Draft) { d.Water[0].Polygon = nil }, "way/51"},
		"ring of one place": {func(d *Draft) { d.Zones[0].Polygon = orb.Polygon{{{1, 1}, {2, 1}, {1 + 1e-9, 1}}} }, "no area"},
	} {
		d := village()
		c.change(&d)
		_, err := New(d)
		if !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}
