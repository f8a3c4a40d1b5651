// Package city makes up the chart of a city from a seed: streets with footways
// through parks, a river with bridges, hills, buildings, sites, addresses, zones
// and now and then a harbour basin. The same seed and size give the same chart,
// byte for byte, and another seed quite another one; charts are for trying things
// on, not for navigation.
//
// A city is drawn in metres about its middle, on a grid of streets that is then
// bent, turned and put somewhere on earth.
package city

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"

	"github.com/paulmach/orb"

	"github.com/kapok-fleet/kapok/planner/chart"
	"github.com/kapok-fleet/kapok/planner/space"
)

// The least and the greatest length of a city's side, in metres.
const (
	MinSideM = 1000
	MaxSideM = 16_000
	// drawnSideM is the greatest that a seed chooses by itself.
	drawnSideM = 4000
)

// ErrInvalid is the kind of error for a city that cannot be.
var ErrInvalid = errors.New("not a city")

// source is the part of chance that cities are drawn from.
const source = 0x63697479

// New makes the city of a seed. Its side is sideM metres long, MinSideM to
// MaxSideM; 0 lets the seed choose.
func New(seed uint64, sideM float64) (*chart.Chart, error) {
	if sideM != 0 && !(sideM >= MinSideM && sideM <= MaxSideM) {
		return nil, fmt.Errorf("city: %w: a side of %g m; %d to %d are possible", ErrInvalid, sideM, MinSideM, MaxSideM)
	}
	p := plan{rand: rand.New(rand.NewPCG(seed, source))}
	p.choose(sideM)
	p.streets()
	p.blocks()
	p.drawZones()
	p.drawSites()
	p.drawHills()
	p.draft.Name = fmt.Sprintf("city-%d", seed)
	c, err := chart.New(p.draft)
	if err != nil {
		return nil, fmt.Errorf("city: seed %d: %w", seed, err)
	}
	return c, nil
}

// Open makes the city that words name: "SEED" or "SEED,SIDE", where the side is
// written like 2km or 1500m.
func Open(words string) (*chart.Chart, error) {
	number, side, sized := strings.Cut(words, ",")
	seed, err := strconv.ParseUint(strings.TrimSpace(number), 10, 64)
	if err != nil {
		return nil, fmt.Errorf("city: %w: %q is not a seed, a whole number from 0", ErrInvalid, number)
	}
	if !sized {
		return New(seed, 0)
	}
	side, factor := strings.TrimSpace(side), 1.0
	if metres, ok := strings.CutSuffix(side, "km"); ok {
		side, factor = metres, 1000
	} else if metres, ok := strings.CutSuffix(side, "m"); ok {
		side = metres
	} else {
		side = ""
	}
	length, err := strconv.ParseFloat(side, 64)
	if err != nil || !(length*factor >= MinSideM && length*factor <= MaxSideM) {
		return nil, fmt.Errorf("city: %w: %q: the side is written like 2km or 1500m, %d to %d m", ErrInvalid, words, MinSideM, MaxSideM)
	}
	return New(seed, length*factor)
}

// spot is a place in the city's own metres, before it is turned.
type spot struct{ x, y float64 }

func (a spot) to(b spot) float64 { return math.Hypot(a.x-b.x, a.y-b.y) }

// plan is a city being drawn.
type plan struct {
	rand  *rand.Rand
	frame space.Frame
	// sin and cos are of the angle that the city is turned by.
	sin, cos float64
	half     float64

	// count is the number of blocks along a side, pitch their length; setback is
	// how far the walls stand from the middle of the street.
	count          int
	pitch, setback float64
	// nodes are the numbers of the junctions, -1 where there is none; spots is
	// where each node is.
	nodes [][]int32
	spots []spot
	ways  int64

	river river
	basin basin
	// taken are the zones that nothing is put into.
	taken []disc
	// parks and doors are where sites may be.
	parks []spot
	draft chart.Draft
}

// river winds from west to east; one without a width is none.
type river struct{ middle, swing, wave, phase, halfM float64 }

// basin is a rectangle of water for boats; one without a width is none.
type basin struct{ west, south, east, north float64 }

type disc struct {
	at      spot
	radiusM float64
}

// choose draws what kind of city it is.
func (p *plan) choose(sideM float64) {
	r := p.rand
	// Small cities are more frequent than large ones.
	drawn := MinSideM + (drawnSideM-MinSideM)*math.Pow(r.Float64(), 1.6)
	if sideM == 0 {
		sideM = math.Round(drawn/100) * 100
	}
	p.half = sideM / 2
	p.pitch = p.between(95, 165)
	p.count = int(sideM / p.pitch)
	p.pitch = sideM / float64(p.count)
	p.setback = p.between(12, 21)
	angle := p.between(0, math.Pi/2)
	p.sin, p.cos = math.Sincos(angle)
	centre := orb.Point{p.between(-170, 170), p.between(-50, 60)}
	p.frame = space.NewFrame(centre)
	if r.Float64() < 0.6 {
		p.river = river{
			middle: p.between(-0.1, 0.25) * sideM, swing: p.between(0.02, 0.1) * sideM,
			wave: p.between(0.7, 1.6) * 2 * math.Pi / sideM, phase: p.between(0, 2*math.Pi), halfM: p.between(15, 40),
		}
	}
	if r.Float64() < 0.35 {
		width, depth := p.between(380, 500), p.between(300, 360)
		p.basin = basin{west: -p.half, south: -p.half, east: -p.half + width, north: -p.half + depth}
		p.river.middle = max(p.river.middle, -p.half+depth+p.river.swing+p.river.halfM+60)
	}
	p.draft = chart.Draft{
		Attribution: "Made up from a seed to try Kapok on; not for navigation", Illustrative: true,
		GroundAltitudeM: math.Round(p.between(1, 60)), HeightLimitM: 120,
	}
	reach := p.half*math.Sqrt2 + 50
	p.draft.Extent = orb.MultiPoint{
		p.frame.Point(space.XY{X: -reach, Y: -reach}), p.frame.Point(space.XY{X: reach, Y: reach}),
		p.frame.Point(space.XY{X: -reach, Y: reach}), p.frame.Point(space.XY{X: reach, Y: -reach}),
	}.Bound()
	p.water()
}

func (p *plan) between(low, high float64) float64 { return low + p.rand.Float64()*(high-low) }

// point is where a spot is on earth.
func (p *plan) point(s spot) orb.Point {
	return p.frame.Point(space.XY{X: s.x*p.cos - s.y*p.sin, Y: s.x*p.sin + s.y*p.cos})
}

func (p *plan) ring(spots ...spot) orb.Ring {
	ring := make(orb.Ring, 0, len(spots)+1)
	for _, s := range spots {
		ring = append(ring, p.point(s))
	}
	return append(ring, ring[0])
}

// centre is the middle line of the river.
func (r *river) centre(x float64) float64 { return r.middle + r.swing*math.Sin(r.wave*x+r.phase) }

// wet tells whether a spot is in the water, or nearer to it than a margin.
func (p *plan) wet(s spot, marginM float64) bool {
	if p.river.halfM > 0 {
		// The slope makes the river wider along y than it is.
		slope := p.river.swing * p.river.wave
		if math.Abs(s.y-p.river.centre(s.x)) < (p.river.halfM+marginM)*math.Sqrt(1+slope*slope) {
			return true
		}
	}
	b := &p.basin
	return b.east > b.west && s.x < b.east+marginM && s.y < b.north+marginM
}

// dry tells whether a straight way keeps away from the water.
func (p *plan) dry(a, b spot, marginM float64) bool {
	steps := int(a.to(b)/5) + 1
	for i := range steps + 1 {
		f := float64(i) / float64(steps)
		if p.wet(spot{a.x + f*(b.x-a.x), a.y + f*(b.y-a.y)}, marginM) {
			return false
		}
	}
	return true
}

// water draws river and basin.
func (p *plan) water() {
	if p.river.halfM > 0 {
		var bank []spot
		slope := p.river.swing * p.river.wave
		half := p.river.halfM * math.Sqrt(1+slope*slope)
		for x := -p.half - 40; x <= p.half+40; x += 40 {
			bank = append(bank, spot{x, p.river.centre(x) - half})
		}
		for x := bank[len(bank)-1].x; x >= -p.half-40; x -= 40 {
			bank = append(bank, spot{x, p.river.centre(x) + half})
		}
		p.draft.Water = append(p.draft.Water, chart.WaterArea{ID: "river", Polygon: orb.Polygon{p.ring(bank...)}})
	}
	if b := p.basin; b.east > b.west {
		p.draft.Water = append(p.draft.Water, chart.WaterArea{ID: "basin", Polygon: orb.Polygon{p.ring(
			spot{b.west, b.south}, spot{b.east, b.south}, spot{b.east, b.north}, spot{b.west, b.north},
		)}})
	}
}

// drawHills gives two cities out of three their ground: a few smooth waves.
func (p *plan) drawHills() {
	if p.rand.Float64() < 0.35 {
		return
	}
	type wave struct{ x, y, phase, heightM float64 }
	waves := make([]wave, 4)
	steepest := p.between(0.01, 0.09)
	for i := range waves {
		length, angle := p.between(700, 3000), p.between(0, 2*math.Pi)
		sin, cos := math.Sincos(angle)
		k := 2 * math.Pi / length
		waves[i] = wave{k * cos, k * sin, p.between(0, 2*math.Pi), steepest / k / 4}
	}
	bound := p.draft.Extent
	const cells = 90
	t := &chart.Terrain{
		Origin: bound.Min, StepLon: (bound.Max[0] - bound.Min[0]) / cells, StepLat: (bound.Max[1] - bound.Min[1]) / cells,
		Cols: cells + 1, Rows: cells + 1, Source: "made up",
	}
	for row := range t.Rows {
		for col := range t.Cols {
			at := p.frame.XY(orb.Point{t.Origin[0] + float64(col)*t.StepLon, t.Origin[1] + float64(row)*t.StepLat})
			height := p.draft.GroundAltitudeM
			for _, w := range waves {
				height += w.heightM * math.Cos(w.x*at.X+w.y*at.Y+w.phase)
			}
			t.HeightDM = append(t.HeightDM, int32(math.Round(height*10)))
		}
	}
	p.draft.Terrain = t
	// Sites and places stand on the ground, which they did not know of so far.
	for i := range p.draft.Sites {
		p.draft.Sites[i].Position.AltitudeM = t.Altitude(p.draft.Sites[i].Position.Point())
	}
	for i := range p.draft.Places {
		p.draft.Places[i].Position.AltitudeM = t.Altitude(p.draft.Places[i].Position.Point())
	}
}

// Morning is the day on which the timed zones of cities are in force, at the time
// when a scenario begins that does not say another.
func Morning() time.Time { return time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC) }
