package chart

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/tidwall/rtree"

	"github.com/kapok-fleet/kapok/planner/space"
)

const (
	// FarFromNetworkM is the distance beyond which Findings takes a site or place
	// as off the network.
	FarFromNetworkM = 100
	// IsolatedNodes is the size from which on Findings mentions a part of a
	// network that is cut off from the main one.
	IsolatedNodes = 20
)

// Finding is one kind of thing in a chart that will trouble people: how often it
// occurs, and the first example.
type Finding struct {
	// Code is stable, Text is for people.
	Code  string `json:"code"`
	Text  string `json:"text"`
	Count int    `json:"count"`
	First string `json:"first"`
}

// Findings looks through a chart for what will trouble the people who use it.
// None of it keeps the chart from being used. The order is always the same.
func (c *Chart) Findings() []Finding {
	f := findings{}
	c.findNetworks(&f)
	c.findSites(&f)
	c.findForbiddenSites(&f)
	for i := range c.Places {
		if at := c.Places[i].Position; c.off(at) {
			f.add("place_off_network", fmt.Sprintf("place more than %d m from where robots drive", FarFromNetworkM), c.Places[i].ID)
		}
	}
	c.findBuildings(&f)
	if t := c.Terrain; t == nil {
		f.add("no_terrain", "no terrain: the ground is taken as flat", fmt.Sprintf("%g m", c.GroundAltitudeM))
	} else {
		t.find(&f)
	}
	return f
}

// find tells what was wrong with the sources of terrain.
func (t *Terrain) find(f *findings) {
	if t.Voids > 0 {
		f.add("terrain_voids", "height that the terrain's source does not have, filled from its neighbours", t.Source)
		(*f)[len(*f)-1].Count = t.Voids
	}
	if t.Faults > 0 {
		first := t.Source
		if len(t.Repairs) > 0 {
			first = t.Repairs[0].String()
		}
		f.add("terrain_faults", "spike or pit of the terrain's source that no ground can be, filled from its neighbours", first)
		(*f)[len(*f)-1].Count = t.Faults
	}
}

type findings []Finding

// add counts a finding.
func (f *findings) add(code, text, example string) {
	for i := range *f {
		if (*f)[i].Code == code {
			(*f)[i].Count++
			return
		}
	}
	*f = append(*f, Finding{Code: code, Text: text, Count: 1, First: example})
}

// off tells whether a position is far from the main network of robots.
func (c *Chart) off(at space.Position) bool {
	on, ok := c.Snap(at)
	return !ok || on.DistM > FarFromNetworkM
}

func (c *Chart) findNetworks(f *findings) {
	for _, network := range [...]struct {
		name      string
		component []int32
	}{{"sidewalk", c.Ground.Component}, {"road", c.Ground.RoadComponent}} {
		sizes := map[int32]int{}
		firsts := map[int32]int64{}
		var order []int32
		for n, number := range network.component {
			if number < 0 {
				continue
			}
			if sizes[number] == 0 {
				firsts[number] = c.Ground.Nodes[n].OSMID
				order = append(order, number)
			}
			sizes[number]++
		}
		if len(order) == 0 {
			f.add("no_"+network.name+"_network", "no network for the profile "+network.name, network.name)
		}
		slices.SortFunc(order, cmp.Compare)
		for _, number := range order {
			if number > 0 && sizes[number] > IsolatedNodes {
				f.add(network.name+"_isolated",
					fmt.Sprintf("part of the %s network with more than %d nodes, cut off from the main one", network.name, IsolatedNodes),
					fmt.Sprintf("%d nodes with node/%d", sizes[number], firsts[number]))
			}
		}
	}
}

func (c *Chart) findSites(f *findings) {
	for i := range c.Sites {
		s := &c.Sites[i]
		if c.off(s.Position) {
			f.add("site_off_network", fmt.Sprintf("site more than %d m from where robots drive", FarFromNetworkM), s.ID)
		}
		if b, in := c.BuildingAt(c.Frame.XY(s.Position.Point())); in {
			f.add("site_in_building", "site inside a building, where no drone can land", s.ID+" in "+c.Buildings[b].ID)
		}
	}
}

// findForbiddenSites looks for zones that forbid sites.
func (c *Chart) findForbiddenSites(f *findings) {
	var sites rtree.RTreeG[int32]
	for i := range c.Sites {
		at := c.Frame.XY(c.Sites[i].Position.Point())
		insert(&sites, space.BoxOf(at), i)
	}
	for i := range c.Zones {
		z := &c.Zones[i]
		if z.Rule != KeepOut {
			continue
		}
		rings := make([][]space.XY, len(z.Polygon))
		for r, ring := range z.Polygon {
			for _, p := range ring {
				rings[r] = append(rings[r], c.Frame.XY(p))
			}
		}
		box := space.BoxOf(rings[0]...)
		first := int32(-1)
		sites.Search([2]float64{box.Min.X, box.Min.Y}, [2]float64{box.Max.X, box.Max.Y}, func(at, _ [2]float64, s int32) bool {
			if space.InRings(rings, space.XY{X: at[0], Y: at[1]}) && (first < 0 || s < first) {
				first = s
			}
			return true
		})
		if first >= 0 {
			f.add("zone_over_site", "zone that keeps vehicles out of a site", z.ID+" over "+c.Sites[first].ID)
		}
	}
}

func (c *Chart) findBuildings(f *findings) {
	for i := range c.Buildings {
		b := &c.Buildings[i]
		if b.Source == HeightMaximum {
			f.add("height_unknown", fmt.Sprintf("building of unknown height and type, taken as %d m high", MaximumHeightM), b.ID)
		}
		if c.HeightLimitM > 0 && b.HeightM >= c.HeightLimitM {
			f.add("above_height_limit", fmt.Sprintf("building at least as high as aircraft may fly, %g m", c.HeightLimitM),
				fmt.Sprintf("%s, %g m", b.ID, b.HeightM))
		}
	}
}
