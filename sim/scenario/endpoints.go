package scenario

import (
	"fmt"
	"slices"
	"strings"

	"github.com/kapok-fleet/kapok/planner/chart"
	"github.com/kapok-fleet/kapok/planner/space"
)

// endpoints lists where work can be ordered for: lockers, hospitals and
// stations, then places, each at the nearest point of the network; and nodes of
// the network where those are too few. Where there are a thousand vehicles and
// more, two for each five of them take the place of MaxEndpoints.
func (p *placer) endpoints(vehicles int) []Endpoint {
	most := max(MaxEndpoints, vehicles*2/5)
	var ends []Endpoint
	for i := range p.chart.Sites {
		s := &p.chart.Sites[i]
		switch s.Kind {
		case chart.Locker, chart.Hospital, chart.Station, chart.FireStation:
			ends = p.endpoint(ends, s.ID, s.Name, s.Position)
		case chart.Dock, chart.Charger, chart.Pad:
		}
	}
	sites := len(ends)
	for _, i := range p.rand.Perm(len(p.chart.Places)) {
		if len(ends) >= most {
			break
		}
		place := &p.chart.Places[i]
		before := len(ends)
		ends = p.endpoint(ends, place.ID, place.Name, place.Position)
		if len(ends) > before {
			ends[before].Place = true
		}
	}
	slices.SortStableFunc(ends[sites:], func(a, b Endpoint) int { return strings.Compare(a.ID, b.ID) })
	for len(ends) < MinEndpoints && len(p.ground) > 0 {
		n := p.ground[p.rand.IntN(len(p.ground))]
		at := p.chart.Ground.Nodes[n].XY
		ends = append(ends, Endpoint{
			ID: fmt.Sprintf("kapok/node/%d", len(ends)+1), Name: fmt.Sprintf("street corner %d", len(ends)+1),
			Position: p.onGround(at), Ground: true, Air: p.openAir(at), Door: p.onGround(at), OpenDoor: p.openAir(at),
		})
	}
	return ends
}

func (p *placer) endpoint(ends []Endpoint, id, name string, at space.Position) []Endpoint {
	on, ok := p.reachable(at)
	if !ok {
		return ends
	}
	to := p.onGround(on)
	to.Level = at.Level
	return append(ends, Endpoint{
		ID: id, Name: name, Position: to, Ground: true,
		Air:  chart.SameLevel(to.Level, "") && p.openAir(on),
		Door: at, OpenDoor: chart.SameLevel(at.Level, "") && p.openAir(p.chart.Frame.XY(at.Point())),
	})
}
