package main

import (
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"github.com/paulmach/orb"

	"github.com/kapok-fleet/kapok/planner/chart"
	"github.com/kapok-fleet/kapok/planner/space"
)

// airTown is a made-up town for flights, drawn from a seed: buildings without streets,
// and zones that come and go.
type airTown struct {
	chart *chart.Chart
	zones []chart.Zone
	frame space.Frame
	rand  *rand.Rand
	day   time.Time
	// tall are the outlines of the buildings that nobody may fly over.
	tall [][]space.XY
}

// The measures of the town. Nine buildings of ten are low enough to be flown over at
// the usual height of a cruise, one of ten is not, and most of these are higher than
// any flight may be.
const (
	airSideM    = 10_000.0
	airLimitM   = 120.0
	airTallM    = 60.0
	airTallestM = 260.0
	airHouseM   = 5.0
	airHousesM  = 29.0
	// airGapM is the least distance between buildings.
	airGapM = 4.0
	// airReliefM is how much the ground rises and falls, where it does.
	airReliefM = 120.0
)

// newAirTown draws a town with so many buildings and zones.
func newAirTown(seed uint64, buildings, zones int, relief bool) (*airTown, error) {
	middle := orb.Point{114.05, 22.55}
	t := &airTown{
		frame: space.NewFrame(middle), rand: rand.New(rand.NewPCG(seed, 10)),
		day: time.Date(2026, 5, 4, 0, 0, 0, 0, time.UTC),
	}
	corner := airSideM/2 + 200
	draft := chart.Draft{
		Name: "made up", Illustrative: true, Attribution: "Made up; not for navigation", HeightLimitM: airLimitM,
		Extent: orb.Bound{Min: t.frame.Point(space.XY{X: -corner, Y: -corner}), Max: t.frame.Point(space.XY{X: corner, Y: corner})},
	}
	if relief {
		draft.Terrain = t.hills(draft.Extent)
	}
	t.build(&draft, buildings)
	t.draw(zones)
	var err error
	if t.chart, err = chart.New(draft); err != nil {
		return nil, fmt.Errorf("bench air: the town: %w", err)
	}
	return t, nil
}

// build sets buildings at random, none into another: rectangles of 8 to 32 m turned any
// way, a fifth of them with a wing.
func (t *airTown) build(draft *chart.Draft, count int) {
	const cellM = 100.0
	taken := map[[2]int][]space.Box{}
	for len(draft.Buildings) < count {
		ring := t.outline()
		box := space.BoxOf(ring...).Grow(airGapM)
		free := true
		lowX, lowY := int(math.Floor(box.Min.X/cellM)), int(math.Floor(box.Min.Y/cellM))
		highX, highY := int(math.Floor(box.Max.X/cellM)), int(math.Floor(box.Max.Y/cellM))
		for x := lowX; x <= highX && free; x++ {
			for y := lowY; y <= highY && free; y++ {
				for _, other := range taken[[2]int{x, y}] {
					free = free && !box.Intersects(other)
				}
			}
		}
		if !free {
			continue
		}
		for x := lowX; x <= highX; x++ {
			for y := lowY; y <= highY; y++ {
				taken[[2]int{x, y}] = append(taken[[2]int{x, y}], box)
			}
		}
		b := chart.Building{ID: fmt.Sprintf("b%d", len(draft.Buildings)), Footprint: orb.Polygon{t.ring(ring)}, Source: chart.HeightTag}
		if len(draft.Buildings)%10 == 0 {
			if b.HeightM = airTallM + (airTallestM-airTallM)*t.rand.Float64(); b.HeightM > airLimitM {
				t.tall = append(t.tall, ring)
			}
		} else {
			b.HeightM = airHouseM + (airHousesM-airHouseM)*t.rand.Float64()
		}
		draft.Buildings = append(draft.Buildings, b)
	}
}

func (t *airTown) outline() []space.XY {
	mid := space.XY{X: (t.rand.Float64() - 0.5) * airSideM, Y: (t.rand.Float64() - 0.5) * airSideM}
	w, h := 4+12*t.rand.Float64(), 4+12*t.rand.Float64()
	ring := []space.XY{{X: -w, Y: -h}, {X: w, Y: -h}, {X: w, Y: h}, {X: -w, Y: h}}
	if t.rand.IntN(5) == 0 {
		ring = []space.XY{{X: -w, Y: -h}, {X: w, Y: -h}, {X: w, Y: 0}, {X: 0, Y: 0}, {X: 0, Y: h}, {X: -w, Y: h}}
	}
	sin, cos := math.Sincos(2 * math.Pi * t.rand.Float64())
	for i, p := range ring {
		ring[i] = space.XY{X: mid.X + p.X*cos - p.Y*sin, Y: mid.Y + p.X*sin + p.Y*cos}
	}
	return ring
}

func (t *airTown) ring(points []space.XY) orb.Ring {
	var r orb.Ring
	for _, p := range points {
		r = append(r, t.frame.Point(p))
	}
	return append(r, r[0])
}

// draw makes zones of 3 to 16 corners and 30 to 300 m about a middle: half of them in
// force for some hours of the day, half each week by a schedule. Three of four are
// closed to aircraft, some only above or below a height; the others limit the height
// or the speed.
func (t *airTown) draw(count int) {
	for i := range count {
		t.zones = append(t.zones, t.zone(fmt.Sprintf("z%d", i)))
	}
}

func (t *airTown) zone(id string) chart.Zone {
	z := chart.Zone{ID: id, Rule: chart.KeepOut, Airborne: true}
	mid := space.XY{X: (t.rand.Float64() - 0.5) * airSideM, Y: (t.rand.Float64() - 0.5) * airSideM}
	corners, reach := 3+t.rand.IntN(14), 30+270*t.rand.Float64()
	var ring []space.XY
	for k := range corners {
		sin, cos := math.Sincos(2 * math.Pi * (float64(k) + 0.6*t.rand.Float64()) / float64(corners))
		r := reach * (0.5 + 0.5*t.rand.Float64())
		ring = append(ring, space.XY{X: mid.X + r*cos, Y: mid.Y + r*sin})
	}
	z.Polygon = orb.Polygon{t.ring(ring)}
	switch t.rand.IntN(8) {
	case 0:
		z.Rule, z.HeightLimitM = chart.AltitudeLimit, 50+50*t.rand.Float64()
	case 1:
		z.Rule, z.SpeedLimitMPS = chart.SpeedLimit, 3+7*t.rand.Float64()
	case 2:
		z.CeilingM = 40 + 40*t.rand.Float64()
	case 3:
		z.FloorM = 60 + 30*t.rand.Float64()
	}
	begin := time.Duration(t.rand.IntN(24*60)) * time.Minute
	lasts := time.Duration(30+t.rand.IntN(10*60)) * time.Minute
	if t.rand.IntN(2) == 0 {
		z.From, z.Until = t.day.Add(begin), t.day.Add(begin+lasts)
		return z
	}
	z.Schedule = []chart.Period{{
		Start: chart.Moment{ClockS: int32(begin / time.Second)},
		End:   chart.Moment{ClockS: int32((begin + lasts) % (24 * time.Hour) / time.Second)},
	}}
	return z
}

// hills are a grid of heights each 90 m, made of waves.
func (t *airTown) hills(extent orb.Bound) *chart.Terrain {
	const n = 140
	h := &chart.Terrain{
		Origin: extent.Min, Cols: n, Rows: n, UncertaintyM: 5, Source: "made up",
		StepLon: (extent.Max[0] - extent.Min[0]) / (n - 1), StepLat: (extent.Max[1] - extent.Min[1]) / (n - 1),
	}
	phase := [4]float64{t.rand.Float64() * 6, t.rand.Float64() * 6, t.rand.Float64() * 6, t.rand.Float64() * 6}
	for row := range n {
		for col := range n {
			x, y := float64(col)/n, float64(row)/n
			wave := math.Sin(9*x+phase[0])*math.Sin(7*y+phase[1]) + 0.4*math.Sin(23*x+phase[2])*math.Sin(19*y+phase[3])
			h.HeightDM = append(h.HeightDM, int32(10*airReliefM*(0.5+wave/2.8)))
		}
	}
	return h
}

// place is somewhere on open ground, in no building and 15 m off all of them.
func (t *airTown) place() space.Position {
	for {
		p := space.XY{X: (t.rand.Float64() - 0.5) * airSideM, Y: (t.rand.Float64() - 0.5) * airSideM}
		free := true
		for _, i := range t.chart.BuildingsIn(space.BoxOf(p).Grow(15), nil) {
			free = free && !space.InRings(t.chart.Outline(i), p) && space.RingDist(t.chart.Outline(i)[0], p) > 15
		}
		if free {
			at := t.frame.Position(space.XYZ{X: p.X, Y: p.Y})
			at.AltitudeM = t.chart.GroundAltitudeXY(p)
			return at
		}
	}
}

// blocked tells whether a building that nobody may fly over stands on the straight line.
func (t *airTown) blocked(from, to space.Position) bool {
	a, b := t.frame.XY(from.Point()), t.frame.XY(to.Point())
	box := space.BoxOf(a, b)
	for _, ring := range t.tall {
		if !box.Intersects(space.BoxOf(ring...)) {
			continue
		}
		for k := range ring {
			if space.SegmentsDist(a, b, ring[k], ring[(k+1)%len(ring)]) == 0 {
				return true
			}
		}
	}
	return false
}
