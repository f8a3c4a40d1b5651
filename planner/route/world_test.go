package route_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/planar"

	"github.com/kapok-fleet/kapok/planner/chart"
	"github.com/kapok-fleet/kapok/planner/motion"
	"github.com/kapok-fleet/kapok/planner/route"
	"github.com/kapok-fleet/kapok/planner/space"
	"github.com/kapok-fleet/kapok/planner/verify"
)

func noon() time.Time { return time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC) }

// Hand-made charts are drawn in metres around this place, which is the centre
// of their extent and so of their frame.
func centre() orb.Point { return orb.Point{24.83, 60.185} }

func pt(x, y float64) orb.Point { return space.NewFrame(centre()).Point(space.XY{X: x, Y: y}) }

func pos(x, y, z float64) space.Position {
	p := pt(x, y)
	return space.Position{Lon: p[0], Lat: p[1], AltitudeM: z}
}

func ring(xy ...float64) orb.Polygon {
	r := orb.Ring{}
	for i := 0; i < len(xy); i += 2 {
		r = append(r, pt(xy[i], xy[i+1]))
	}
	return orb.Polygon{append(r, r[0])}
}

func rect(x0, y0, x1, y1 float64) orb.Polygon { return ring(x0, y0, x1, y0, x1, y1, x0, y1) }

func house(id string, heightM float64, footprint orb.Polygon) chart.Building {
	return chart.Building{ID: id, Footprint: footprint, HeightM: heightM, Source: chart.HeightTag}
}

// build makes a chart of 4 km a side out of a draft.
func build(t testing.TB, d chart.Draft) *chart.Chart {
	t.Helper()
	c0, half := centre(), space.NewFrame(centre()).Point(space.XY{X: 2000, Y: 2000})
	dx, dy := half[0]-c0[0], half[1]-c0[1]
	d.Name, d.HeightLimitM = "hand-made", 120
	d.Extent = orb.Bound{Min: orb.Point{c0[0] - dx, c0[1] - dy}, Max: orb.Point{c0[0] + dx, c0[1] + dy}}
	c, err := chart.New(d)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// streets is a square grid of n×n nodes, step metres apart, from the origin;
// node i*n+j is at (j·step, i·step). All ways go both ways.
func streets(n int, step float64) (nodes []chart.Node, arcs []chart.Arc) {
	for i := range n {
		for j := range n {
			nodes = append(nodes, chart.Node{Point: pt(float64(j)*step, float64(i)*step)})
			at := int32(i*n + j)
			if j+1 < n {
				arcs = append(arcs, chart.Arc{From: at, To: at + 1}, chart.Arc{From: at + 1, To: at})
			}
			if i+1 < n {
				arcs = append(arcs, chart.Arc{From: at, To: at + int32(n)}, chart.Arc{From: at + int32(n), To: at})
			}
		}
	}
	return nodes, arcs
}

func planner(t testing.TB, c *chart.Chart, zones ...chart.Zone) *route.Planner {
	t.Helper()
	p, err := route.NewPlanner(&route.World{Chart: c, Zones: zones})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func spec(t testing.TB, model string) motion.Spec {
	t.Helper()
	s, ok := motion.Preset(model)
	if !ok {
		t.Fatalf("no preset %q", model)
	}
	return s
}

// check verifies a route by the independent checker.
func check(t testing.TB, c *chart.Chart, zones []chart.Zone, q route.Query, r route.Route) {
	t.Helper()
	for _, v := range verify.Path(c, zones, nil, q.Spec.Kind, r.Path, q.Depart, q.Spec.CruiseMPS) {
		t.Errorf("%v → %v: %v\npath %s", q.From, q.To, v, draw(r.Path))
	}
	if len(r.Path) < 2 {
		t.Fatalf("the path has %d points", len(r.Path))
	}
	first, last := r.Path[0], r.Path[len(r.Path)-1]
	if first.Point() != q.From.Point() || last.Point() != q.To.Point() {
		t.Errorf("the path leads from %v to %v, asked was %v to %v", first, last, q.From, q.To)
	}
	checkSpeeds(t, c, zones, q, r)
}

// checkSpeeds holds the speeds against the cost, and against the speed-limit
// zones without times that lie on the way, by looks every hundredth part.
func checkSpeeds(t testing.TB, c *chart.Chart, zones []chart.Zone, q route.Query, r route.Route) {
	t.Helper()
	if len(r.SpeedsMPS) != len(r.Path)-1 {
		t.Fatalf("%d speeds for %d points", len(r.SpeedsMPS), len(r.Path))
	}
	want := q.Spec.Path(c.Frame, r.Path, q.LoadKg, r.SpeedsMPS)
	if !close2(r.Cost.Seconds, want.Seconds, 0.01) || !close2(r.Cost.EnergyWh, want.EnergyWh, 0.01) {
		t.Errorf("the route costs %+v, its segments at %v m/s %+v", r.Cost, r.SpeedsMPS, want)
	}
	for i, v := range r.SpeedsMPS {
		if !(v > 0 && v <= q.Spec.CruiseMPS) {
			t.Errorf("segment %d is planned at %g m/s", i, v)
		}
		a, b := c.Frame.XYZ(r.Path[i]), c.Frame.XYZ(r.Path[i+1])
		for k := range 101 {
			at := a.XY().Add(b.XY().Sub(a.XY()).Scale(float64(k) / 100))
			for _, z := range zones {
				if z.Rule == chart.SpeedLimit && v > z.SpeedLimitMPS && planar.PolygonContains(z.Polygon, c.Frame.Point(at)) {
					t.Fatalf("segment %d of %s is planned at %g m/s through zone %s of %g m/s", i, draw(r.Path), v, z.ID, z.SpeedLimitMPS)
				}
			}
		}
	}
}

// draw writes a path in metres.
func draw(path []space.Position) string {
	f := space.NewFrame(centre())
	s := ""
	for _, p := range path {
		at := f.XYZ(p)
		s += fmt.Sprintf("(%.0f %.0f %.0f) ", round(at.X), round(at.Y), round(at.Z))
	}
	return s
}

// realChart imports an area from the test data, with terrain files if given, or
// skips.
func realChart(t testing.TB, name string, terrain ...string) *chart.Chart {
	t.Helper()
	dir := os.Getenv("KAPOK_DATA")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared", "data")
	}
	open := func(path ...string) *os.File {
		f, err := os.Open(filepath.Join(append([]string{dir}, path...)...))
		if err != nil {
			t.Skipf("the test data is absent: %v", err)
		}
		t.Cleanup(func() { _ = f.Close() })
		return f
	}
	options := chart.OSMOptions{Name: name}
	for _, file := range terrain {
		options.Terrain = append(options.Terrain, chart.TerrainFile{Name: file, Reader: open("terrain", file)})
	}
	c, _, err := chart.ImportOSM(open("osm", name), options)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// somewhere is a place in the middle of a chart, at the altitude of the ground.
func somewhere(r *rand.Rand, c *chart.Chart) space.Position {
	b := c.Extent
	u, v := 0.05+0.9*r.Float64(), 0.05+0.9*r.Float64()
	p := orb.Point{b.Min[0] + u*(b.Max[0]-b.Min[0]), b.Min[1] + v*(b.Max[1]-b.Min[1])}
	return space.Position{Lon: p[0], Lat: p[1], AltitudeM: c.GroundAltitude(p)}
}

func close2(a, b, tolerance float64) bool { return math.Abs(a-b) <= tolerance }

// round takes the sign off a zero.
func round(v float64) float64 { return math.Round(v) + 0 }
