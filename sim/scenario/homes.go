package scenario

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/kapok-fleet/kapok/planner/space"
)

const (
	// HomeWithinM is how far from its site or place a home may be.
	HomeWithinM = 400
	// HomesApartM is how far apart homes at the same site or place are.
	HomesApartM = 6
)

// residence is a site or place that vehicles live at.
type residence struct {
	id string
	at space.XY
}

// homesAt gives a group homes at the sites and places that it names: each
// vehicle goes to the one where the fewest of its class (in the air or not) live
// so far, the first in order when several do.
func (p *placer) homesAt(g Group) ([]Home, error) {
	residences, err := p.residences(g)
	if err != nil {
		return nil, err
	}
	nodes := p.nodesFor(g.Kind)
	class := "ground "
	if airborne(g.Kind) {
		class = "air "
	}
	full := map[string]bool{}
	var homes []Home
	for len(homes) < g.Count {
		best := -1
		for i, r := range residences {
			if !full[r.id] && (best < 0 || p.living[class+r.id] < p.living[class+residences[best].id]) {
				best = i
			}
		}
		if best < 0 {
			return nil, fmt.Errorf("scenario: placing %d vehicles of kind %s at %s: %w: only %d find open ground within %d m",
				g.Count, g.Kind, strings.Join(g.Homes, ", "), ErrNoRoom, len(homes), HomeWithinM)
		}
		r := residences[best]
		node, ok := p.nearestFree(nodes, r.at)
		if !ok {
			full[r.id] = true
			continue
		}
		at := p.chart.Ground.Nodes[node].XY
		p.living[class+r.id]++
		p.taken = append(p.taken, at)
		homes = append(homes, Home{Position: p.onGround(at), Near: r.id})
	}
	return homes, nil
}

// residences finds the sites and places that a group names, each once: in the
// order of the names, and of the chart.
func (p *placer) residences(g Group) ([]residence, error) {
	var found []residence
	seen := map[string]bool{}
	for _, name := range g.Homes {
		known := false
		add := func(id string, at space.Position) {
			known = true
			if !seen[id] {
				seen[id] = true
				found = append(found, residence{id, p.chart.Frame.XY(at.Point())})
			}
		}
		for i := range p.chart.Sites {
			if s := &p.chart.Sites[i]; s.ID == name || string(s.Kind) == name {
				add(s.ID, s.Position)
			}
		}
		for i := range p.chart.Places {
			if s := &p.chart.Places[i]; s.ID == name {
				add(s.ID, s.Position)
			}
		}
		if !known {
			return nil, fmt.Errorf("scenario: placing %d vehicles of kind %s: %w: the chart has no site or place %q, and no site of that kind",
				g.Count, g.Kind, ErrNoRoom, name)
		}
	}
	return found, nil
}

// nearestFree is the node nearest to a place that no home was given at.
func (p *placer) nearestFree(nodes []int32, to space.XY) (int32, bool) {
	best, bestM := int32(-1), float64(HomeWithinM)
	for _, n := range nodes {
		at := p.chart.Ground.Nodes[n].XY
		d := at.Dist(to)
		if d > bestM || d == bestM && best >= 0 {
			continue
		}
		free := !slices.ContainsFunc(p.taken, func(t space.XY) bool { return t.Dist(at) < HomesApartM })
		if free && !math.IsNaN(d) {
			best, bestM = n, d
		}
	}
	return best, best >= 0
}
