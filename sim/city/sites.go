package city

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/paulmach/orb"

	"github.com/kapok-fleet/kapok/planner/chart"
)

// asideM is how far sites and addresses keep from forbidden zones.
const asideM = 30

// drawZones draws a few zones, most of them in the air, and takes the addresses
// in forbidden ones away.
func (p *plan) drawZones() {
	somewhere := func() spot { return spot{p.between(-0.8, 0.8) * p.half, p.between(-0.8, 0.8) * p.half} }
	for n := range 1 + p.rand.IntN(4) {
		at, radius := somewhere(), p.between(40, 110)
		z := chart.Zone{ID: fmt.Sprintf("closed/%d", n+1), Rule: chart.KeepOut, Airborne: true}
		switch p.rand.IntN(4) {
		case 0:
			z.CeilingM = math.Round(p.draft.GroundAltitudeM + p.between(60, 250))
		case 1:
			z.From = Morning().Add(time.Duration(p.rand.IntN(6)) * time.Minute)
			z.Until = z.From.Add(time.Duration(2+p.rand.IntN(8)) * time.Minute)
		case 2:
			// Closed to everybody: it is kept small, so that the streets stay joined.
			z.Airborne, radius = false, 35
		}
		z.Polygon = p.round(at, radius)
		p.draft.Zones = append(p.draft.Zones, z)
		p.taken = append(p.taken, disc{at, radius})
	}
	for n := range p.rand.IntN(3) {
		z := chart.Zone{
			ID: fmt.Sprintf("low/%d", n+1), Rule: chart.AltitudeLimit, Airborne: true,
			HeightLimitM: math.Round(p.between(60, 90)), Polygon: p.round(somewhere(), p.between(150, 400)),
		}
		p.draft.Zones = append(p.draft.Zones, z)
	}
	for n := range p.rand.IntN(3) {
		z := chart.Zone{
			ID: fmt.Sprintf("slow/%d", n+1), Rule: chart.SpeedLimit, SpeedLimitMPS: p.between(1, 4),
			Polygon: p.round(somewhere(), p.between(100, 300)),
		}
		if z.SpeedLimitMPS > 2 {
			z.Airborne = true
		} else {
			z.Ground = true
		}
		p.draft.Zones = append(p.draft.Zones, z)
	}
	p.draft.Places = slices.DeleteFunc(p.draft.Places, func(place chart.Place) bool {
		at := p.frame.XY(place.Position.Point())
		return p.closed(spot{at.X*p.cos + at.Y*p.sin, at.Y*p.cos - at.X*p.sin})
	})
}

// round is a polygon about a spot.
func (p *plan) round(at spot, radiusM float64) orb.Polygon {
	corners := 5 + p.rand.IntN(8)
	turn := p.between(0, math.Pi)
	spots := make([]spot, corners)
	for i := range spots {
		sin, cos := math.Sincos(turn + 2*math.Pi*float64(i)/float64(corners))
		spots[i] = spot{at.x + radiusM*cos, at.y + radiusM*sin}
	}
	return orb.Polygon{p.ring(spots...)}
}

// closed tells whether a spot is in a forbidden zone or near one.
func (p *plan) closed(at spot) bool {
	return slices.ContainsFunc(p.taken, func(d disc) bool { return at.to(d.at) < d.radiusM+asideM })
}

// drawSites puts the places that vehicles use into parks and beside junctions,
// and the boats' into the basin.
func (p *plan) drawSites() {
	parks := slices.DeleteFunc(slices.Clone(p.parks), p.closed)
	p.rand.Shuffle(len(parks), func(i, j int) { parks[i], parks[j] = parks[j], parks[i] })
	air := []string{"multirotor", "vtol"}
	for i, at := range parks[:min(len(parks), 16)] {
		if i%2 == 0 {
			p.site(chart.Pad, at, 2+p.rand.IntN(4), air...)
		} else {
			p.site(chart.Charger, at, 1+p.rand.IntN(3), air...)
		}
	}
	corners := slices.DeleteFunc(slices.Clone(p.spots), func(at spot) bool { return p.closed(at) || slices.Contains(p.parks, at) })
	p.rand.Shuffle(len(corners), func(i, j int) { corners[i], corners[j] = corners[j], corners[i] })
	blocks := p.count * p.count
	for _, want := range []struct {
		kind     chart.SiteKind
		count    int
		capacity int
		kinds    []string
	}{
		{chart.Dock, 2 + blocks/80, 4, []string{"rover"}},
		{chart.Charger, 3 + blocks/60, 2, []string{"rover"}},
		{chart.Hospital, 1 + blocks/200, 2, nil},
		{chart.FireStation, 1 + blocks/150, 2, nil},
		{chart.Station, 1 + blocks/300, 1, nil},
		{chart.Locker, 4 + blocks/20, 1, nil},
	} {
		for range want.count {
			if len(corners) == 0 {
				return
			}
			at := corners[0]
			corners = corners[1:]
			p.site(want.kind, spot{at.x + 3, at.y + 3}, want.capacity, want.kinds...)
		}
	}
	p.boats()
}

func (p *plan) site(kind chart.SiteKind, at spot, capacity int, kinds ...string) {
	p.draft.Sites = append(p.draft.Sites, chart.Site{
		ID: fmt.Sprintf("%s/%d", kind, len(p.draft.Sites)+1), Kind: kind, Position: p.position(at),
		Capacity: capacity, Kinds: slices.Clone(kinds),
	})
}

// Buoy begins the ids of the places in the basin, which only boats reach.
const Buoy = "buoy/"

// boats fits the basin out. Buoys keep away from the streets, so that nobody
// takes them for addresses.
func (p *plan) boats() {
	b := &p.basin
	if b.east <= b.west {
		return
	}
	p.site(chart.Dock, spot{b.west + 30, b.north - 20}, 3, "vessel")
	p.site(chart.Dock, spot{b.west + 60, b.north - 20}, 3, "vessel")
	p.site(chart.Charger, spot{b.west + 100, b.north - 20}, 2, "vessel")
	for n := range 6 {
		at := spot{p.between(b.west+90, b.east-90), p.between(b.south+90, b.north-90)}
		p.draft.Places = append(p.draft.Places, chart.Place{
			ID: fmt.Sprintf("%s%d", Buoy, n+1), Name: fmt.Sprintf("Buoy %d", n+1), Position: p.position(at),
		})
	}
}
