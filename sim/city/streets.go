package city

import (
	"fmt"
	"math"

	"github.com/paulmach/orb"

	"github.com/kapok-fleet/kapok/planner/chart"
	"github.com/kapok-fleet/kapok/planner/space"
)

// quay is how far streets and walls keep from water.
const quay = 14

// streets draws the junctions and the streets between them.
func (p *plan) streets() {
	jitter := p.between(0, 0.12) * p.pitch
	p.nodes = make([][]int32, p.count+1)
	for i := range p.nodes {
		p.nodes[i] = make([]int32, p.count+1)
		for j := range p.nodes[i] {
			at := spot{
				-p.half + float64(i)*p.pitch + p.between(-jitter, jitter),
				-p.half + float64(j)*p.pitch + p.between(-jitter, jitter),
			}
			p.nodes[i][j] = -1
			if !p.wet(at, quay) {
				p.nodes[i][j] = p.node(at)
			}
		}
	}
	bridges := 2 + p.rand.IntN(3)
	for i := range p.nodes {
		for j := range p.nodes[i] {
			if i < p.count {
				p.street(p.nodes[i][j], p.nodes[i+1][j], fmt.Sprintf("%d. Street", j+1))
			}
			if j < p.count {
				p.street(p.nodes[i][j], p.nodes[i][j+1], fmt.Sprintf("%d. Avenue", i+1))
			}
		}
		if p.river.halfM > 0 && i%bridges == 0 {
			p.bridge(i)
		}
	}
}

func (p *plan) node(at spot) int32 {
	p.spots = append(p.spots, at)
	p.draft.Nodes = append(p.draft.Nodes, chart.Node{Point: p.point(at)})
	return int32(len(p.spots) - 1)
}

// street joins two junctions on land. A few streets are missing, some are for
// walkers only, some have a limit of speed, some are one-way for cars.
func (p *plan) street(a, b int32, name string) {
	missing, kind := p.rand.Float64(), p.rand.Float64()
	if a < 0 || b < 0 || missing < 0.07 || !p.dry(p.spots[a], p.spots[b], 2) {
		return
	}
	way := chart.Arc{Profiles: chart.Sidewalk | chart.Road, Name: name}
	switch {
	case kind < 0.1:
		way.Profiles = chart.Sidewalk
	case kind < 0.2:
		way.SpeedLimitMPS = 1.5
	}
	back := way
	if kind > 0.9 {
		back.Profiles = chart.Sidewalk
	}
	p.arcs(a, b, way, back)
}

// arcs adds a way in both directions.
func (p *plan) arcs(a, b int32, there, back chart.Arc) {
	p.ways++
	there.From, there.To, there.WayID = a, b, p.ways
	back.From, back.To, back.WayID = b, a, p.ways
	p.draft.Arcs = append(p.draft.Arcs, there, back)
}

// bridge leads an avenue over the river.
func (p *plan) bridge(avenue int) {
	south, north := int32(-1), int32(-1)
	for _, n := range p.nodes[avenue] {
		if n < 0 {
			continue
		}
		at := p.spots[n]
		if at.y < p.river.centre(at.x) {
			south = n
		} else if north < 0 {
			north = n
		}
	}
	if south >= 0 && north >= 0 {
		way := chart.Arc{Profiles: chart.Sidewalk | chart.Road, Layer: 1, Name: fmt.Sprintf("%d. Bridge", avenue+1)}
		p.arcs(south, north, way, way)
	}
}

// blocks fills the land between four streets: parks with footways, or buildings.
func (p *plan) blocks() {
	parks := p.between(0.1, 0.2)
	tall := p.between(0, 0.25)
	for i := range p.count {
		for j := range p.count {
			corners := [4]int32{p.nodes[i][j], p.nodes[i+1][j], p.nodes[i+1][j+1], p.nodes[i][j+1]}
			if min(corners[0], corners[1], corners[2], corners[3]) < 0 {
				continue
			}
			var at [4]spot
			for k, n := range corners {
				at[k] = p.spots[n]
			}
			low := spot{max(at[0].x, at[3].x) + p.setback, max(at[0].y, at[1].y) + p.setback}
			high := spot{min(at[1].x, at[2].x) - p.setback, min(at[2].y, at[3].y) - p.setback}
			if !p.dry(low, high, quay) || !p.dry(spot{low.x, high.y}, spot{high.x, low.y}, quay) {
				continue
			}
			if p.rand.Float64() < parks {
				p.park(corners, spot{(low.x + high.x) / 2, (low.y + high.y) / 2})
				continue
			}
			p.buildings(low, high, tall)
		}
	}
}

// park has a footway from corner to corner.
func (p *plan) park(corners [4]int32, middle spot) {
	p.parks = append(p.parks, middle)
	n := p.node(middle)
	way := chart.Arc{Profiles: chart.Sidewalk, Name: fmt.Sprintf("Park %d", len(p.parks))}
	for _, c := range corners {
		if p.rand.Float64() < 0.8 {
			p.arcs(c, n, way, way)
		}
	}
}

// buildings puts one, two or four houses on a block.
func (p *plan) buildings(low, high spot, tall float64) {
	alley := p.between(5, 12)
	mid := spot{(low.x + high.x) / 2, (low.y + high.y) / 2}
	switch p.rand.IntN(4) {
	case 0:
		p.building(low, high, tall, true)
	case 1:
		p.building(low, spot{mid.x - alley/2, high.y}, tall, false)
		p.building(spot{mid.x + alley/2, low.y}, high, tall, false)
	default:
		p.building(low, spot{mid.x - alley/2, mid.y - alley/2}, tall, false)
		p.building(spot{mid.x + alley/2, low.y}, spot{high.x, mid.y - alley/2}, tall, false)
		p.building(spot{low.x, mid.y + alley/2}, spot{mid.x - alley/2, high.y}, tall, false)
		p.building(spot{mid.x + alley/2, mid.y + alley/2}, high, tall, false)
	}
}

func (p *plan) building(low, high spot, tall float64, court bool) {
	if p.rand.Float64() < 0.05 || high.x-low.x < 8 || high.y-low.y < 8 {
		return
	}
	number := len(p.draft.Buildings) + 1
	height := p.between(5, 28)
	// Towers stand in the middle of the city.
	if far := math.Hypot(low.x, low.y) / p.half; p.rand.Float64() < tall*(1-far) {
		height = p.between(40, 160)
	}
	shape := orb.Polygon{p.ring(low, spot{high.x, low.y}, high, spot{low.x, high.y})}
	if court && high.x-low.x > 60 && high.y-low.y > 60 {
		shape = append(shape, p.ring(spot{low.x + 18, low.y + 18}, spot{low.x + 18, high.y - 18},
			spot{high.x - 18, high.y - 18}, spot{high.x - 18, low.y + 18}))
	}
	p.draft.Buildings = append(p.draft.Buildings, chart.Building{
		ID: fmt.Sprintf("building/%d", number), Footprint: shape,
		HeightM: math.Round(height*10) / 10, Source: chart.HeightTag,
	})
	// The door is on the side of a street, a few steps before the wall.
	door := spot{(low.x + high.x) / 2, low.y - 4}
	if p.rand.IntN(2) == 0 {
		door = spot{low.x - 4, (low.y + high.y) / 2}
	}
	p.draft.Places = append(p.draft.Places, chart.Place{
		ID: fmt.Sprintf("address/%d", number), Name: fmt.Sprintf("House %d", number), Position: p.position(door),
	})
}

// position is a spot at ground level.
func (p *plan) position(at spot) space.Position {
	point := p.point(at)
	return space.Position{Lon: point[0], Lat: point[1], AltitudeM: p.draft.GroundAltitudeM}
}
