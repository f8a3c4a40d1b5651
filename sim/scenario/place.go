package scenario

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/kapok-fleet/kapok/planner/chart"
	"github.com/kapok-fleet/kapok/planner/space"
	"github.com/kapok-fleet/kapok/protocol"
)

// The figures of the placing rule, which docs/scenarios.md states in words.
const (
	// PlaceSnapM is how far from the main network a site or place may be for
	// vehicles on wheels to use it.
	PlaceSnapM = 60
	// OpenM is how far from every building open ground is.
	OpenM = 15
	// VehiclesPerCharger is for how many vehicles of a kind one charger is
	// added where the chart has none; at most MaxAddedChargers are.
	VehiclesPerCharger = 4
	MaxAddedChargers   = 16
	// MaxEndpoints bounds the places that deliveries run between, for up to a
	// thousand vehicles; fewer than MinEndpoints are filled up from the network.
	MaxEndpoints = 400
	MinEndpoints = 24
)

// Group is how many vehicles of a kind want a home.
type Group struct {
	Kind  protocol.Kind
	Count int
	// Homes are kinds or ids of sites, or ids of places, that the vehicles live
	// at; none to leave it to the rule.
	Homes []string
}

// Home is where a vehicle starts and belongs.
type Home struct {
	Position space.Position
	// Site is the id of the chart's site there, empty for none.
	Site string
	// Near is the id of the site or place that it was chosen for, empty for none.
	Near string
}

// Endpoint is a place that work can be ordered for.
type Endpoint struct {
	ID   string
	Name string
	// Place says that it is one of the chart's places: an address or a shop.
	Place bool
	// Position is the spot on the network in front of it.
	Position space.Position
	// Ground and Air say by whom that spot can be reached.
	Ground, Air bool
	// Door is where the site or place itself is.
	Door space.Position
	// OpenDoor says that aircraft can land there.
	OpenDoor bool
}

// Placement is where things are on a chart.
type Placement struct {
	// Chart is the one given, with the chargers that were added.
	Chart *chart.Chart
	// Homes has a list for each group, of its Count.
	Homes     [][]Home
	Endpoints []Endpoint
}

// ErrNoRoom is the kind of error for a chart without a place for what is asked.
var ErrNoRoom = errors.New("the chart has no room")

// Place puts fleets, chargers and the ends of deliveries on any chart, by the
// rule of docs/scenarios.md: sites of the chart first, then places spread evenly
// over its main network. It depends on nothing but its arguments. A group that
// finds no place at all, or wants homes that the chart does not have, is an error
// of kind ErrNoRoom.
func Place(c *chart.Chart, groups []Group, seed uint64) (Placement, error) {
	p := placer{chart: c, rand: rand.New(rand.NewPCG(seed, 0x706c616365)), living: map[string]int{}}
	p.survey()
	var out Placement
	for _, g := range groups {
		give := p.homes
		if len(g.Homes) > 0 {
			give = p.homesAt
		}
		homes, err := give(g)
		if err != nil {
			return Placement{}, err
		}
		out.Homes = append(out.Homes, homes)
	}
	added, err := p.chargers(groups)
	if err != nil {
		return Placement{}, err
	}
	if out.Chart, err = withSites(c, added); err != nil {
		return Placement{}, err
	}
	vehicles := 0
	for _, g := range groups {
		vehicles += g.Count
	}
	out.Endpoints = p.endpoints(vehicles)
	return out, nil
}

// placer holds what is known of the chart while placing.
type placer struct {
	chart *chart.Chart
	rand  *rand.Rand
	// ground are the outdoor nodes of the main network, open those of them that
	// aircraft can use.
	ground, open []int32
	// taken are the places given away so far.
	taken []space.XY
	zones []keepOut
	// living counts the vehicles that were given a home at a site or place.
	living map[string]int
}

// keepOut is a zone that nobody is placed in.
type keepOut struct {
	rings       [][]space.XY
	air, ground bool
	inside      bool
}

func airborne(k protocol.Kind) bool { return k == protocol.Multirotor || k == protocol.VTOL }

func (p *placer) survey() {
	c := p.chart
	for i := range c.Zones {
		z := &c.Zones[i]
		if z.Rule != chart.KeepOut && z.Rule != chart.KeepIn {
			continue
		}
		k := keepOut{air: z.Airborne || !z.Ground, ground: z.Ground || !z.Airborne, inside: z.Rule == chart.KeepOut}
		for _, ring := range z.Polygon {
			var xy []space.XY
			for _, point := range ring {
				xy = append(xy, c.Frame.XY(point))
			}
			k.rings = append(k.rings, xy)
		}
		p.zones = append(p.zones, k)
	}
	for n := range c.Ground.Nodes {
		node := &c.Ground.Nodes[n]
		if !c.Ground.InMain(int32(n)) || !chart.SameLevel("", node.Level) {
			continue
		}
		if p.lawful(node.XY, false) {
			p.ground = append(p.ground, int32(n))
		}
		if p.openAir(node.XY) {
			p.open = append(p.open, int32(n))
		}
	}
}

// lawful tells whether a place is outside all keep-out zones, and inside all
// keep-in zones, that bind the vehicle, whatever their times, by OpenM.
func (p *placer) lawful(at space.XY, air bool) bool {
	for _, z := range p.zones {
		if air && !z.air || !air && !z.ground || len(z.rings) == 0 {
			continue
		}
		if space.InRings(z.rings, at) == z.inside {
			return false
		}
		for _, ring := range z.rings {
			if space.RingDist(ring, at) < OpenM {
				return false
			}
		}
	}
	return true
}

// openAir tells whether an aircraft can stand at a place and rise from it.
func (p *placer) openAir(at space.XY) bool {
	if !p.lawful(at, true) {
		return false
	}
	for _, i := range p.chart.BuildingsIn(space.BoxOf(at).Grow(OpenM), nil) {
		rings := p.chart.Outline(i)
		if space.InRings(rings, at) {
			return false
		}
		for _, ring := range rings {
			if space.RingDist(ring, at) < OpenM {
				return false
			}
		}
	}
	return true
}

// reachable tells whether a vehicle on wheels gets to a position, and where on
// the network that is.
func (p *placer) reachable(at space.Position) (space.XY, bool) {
	s, ok := p.chart.Snap(at)
	return s.XY, ok && s.DistM <= PlaceSnapM && p.lawful(s.XY, false)
}

// usable tells whether a vehicle of the kind can use the site.
func (p *placer) usable(s *chart.Site, kind protocol.Kind) bool {
	if len(s.Kinds) > 0 && !slices.Contains(s.Kinds, string(kind)) {
		return false
	}
	switch {
	case airborne(kind):
		return s.Kind != chart.Dock && p.openAir(p.chart.Frame.XY(s.Position.Point()))
	case kind == protocol.Rover:
		_, ok := p.reachable(s.Position)
		return s.Kind != chart.Pad && ok
	}
	return len(s.Kinds) > 0
}

// homes gives a group its places: docks (wheels, boats) or pads (aircraft) in
// the order of the chart, each up to its capacity, then the network.
func (p *placer) homes(g Group) ([]Home, error) {
	var homes []Home
	want := chart.Dock
	if airborne(g.Kind) {
		want = chart.Pad
	}
	for i := range p.chart.Sites {
		s := &p.chart.Sites[i]
		if s.Kind != want || !p.usable(s, g.Kind) {
			continue
		}
		for range min(s.Capacity, g.Count-len(homes)) {
			homes = append(homes, Home{Position: s.Position, Site: s.ID})
			p.taken = append(p.taken, p.chart.Frame.XY(s.Position.Point()))
		}
	}
	nodes := p.nodesFor(g.Kind)
	if len(homes) < g.Count && len(nodes) == 0 {
		return nil, fmt.Errorf("scenario: placing %d vehicles of kind %s: %w: no site and no open ground for them", g.Count, g.Kind, ErrNoRoom)
	}
	for _, n := range p.spread(nodes, g.Count-len(homes)) {
		homes = append(homes, Home{Position: p.onGround(p.chart.Ground.Nodes[n].XY)})
	}
	return homes, nil
}

// nodesFor lists the network's nodes where a kind can be placed; none for boats.
func (p *placer) nodesFor(kind protocol.Kind) []int32 {
	switch {
	case airborne(kind):
		return p.open
	case kind == protocol.Rover:
		return p.ground
	}
	return nil
}

// onGround is the position of a place at ground level.
func (p *placer) onGround(at space.XY) space.Position {
	point := p.chart.Frame.Point(at)
	return p.chart.Frame.Position(space.XYZ{X: at.X, Y: at.Y, Z: p.chart.GroundAltitude(point)})
}

// chargers returns sites to be added for kinds that the chart has no usable
// charger for.
func (p *placer) chargers(groups []Group) ([]chart.Site, error) {
	var added []chart.Site
	counts := map[protocol.Kind]int{}
	for _, g := range groups {
		counts[g.Kind] += g.Count
	}
	for _, g := range groups {
		count := counts[g.Kind]
		counts[g.Kind] = 0
		has := slices.ContainsFunc(p.chart.Sites, func(s chart.Site) bool {
			return s.Kind == chart.Charger && p.usable(&s, g.Kind)
		})
		if count == 0 || has {
			continue
		}
		nodes := p.nodesFor(g.Kind)
		if len(nodes) == 0 {
			return nil, fmt.Errorf("scenario: placing a charger for %s: %w: no open ground for it", g.Kind, ErrNoRoom)
		}
		for _, n := range p.spread(nodes, min((count+VehiclesPerCharger-1)/VehiclesPerCharger, MaxAddedChargers)) {
			added = append(added, chart.Site{
				ID: fmt.Sprintf("kapok/charger/%d", len(added)+1), Kind: chart.Charger,
				Name:     fmt.Sprintf("charger %d (added)", len(added)+1),
				Position: p.onGround(p.chart.Ground.Nodes[n].XY), Capacity: 2, Kinds: []string{string(g.Kind)},
			})
		}
	}
	return added, nil
}

// withSites returns the chart with more sites; the chart itself when there are
// none to add.
func withSites(c *chart.Chart, added []chart.Site) (*chart.Chart, error) {
	if len(added) == 0 {
		return c, nil
	}
	draft := c.Draft()
	draft.Sites = append(draft.Sites, added...)
	with, err := chart.New(draft)
	if err != nil {
		return nil, fmt.Errorf("scenario: adding %d chargers to chart %s: %w", len(added), c.Name, err)
	}
	return with, nil
}
