package chart

import (
	"slices"
	"strings"

	"github.com/paulmach/orb"
	"github.com/tidwall/rtree"

	"github.com/kapok-fleet/kapok/planner/space"
)

// LevelSlackM is how much further away than the nearest a node or arc may be to
// be preferred for being on the level asked for. Beyond it, the level is taken
// as not drawn in the network.
const LevelSlackM = 30

// index finds nodes, arcs and buildings by place. It is never changed once
// built.
type index struct {
	// sidewalk and road hold the main components of the profiles.
	sidewalk, road   network
	buildings, water rtree.RTreeG[int32]
	// outlines are the footprints in the frame, shores the rings of the water.
	outlines, shores [][][]space.XY
	// roofsM are the altitudes of the roofs.
	roofsM []float64
	relief relief
}

// network holds the nodes and arcs of one profile's main component.
type network struct{ nodes, arcs rtree.RTreeG[int32] }

func newIndex(c *Chart) *index {
	x := &index{relief: newRelief(c)}
	x.sidewalk.fill(c.Ground, Sidewalk)
	x.road.fill(c.Ground, Road)
	footprints, shores := make([]orb.Polygon, len(c.Buildings)), make([]orb.Polygon, len(c.Water))
	for i := range c.Buildings {
		footprints[i] = c.Buildings[i].Footprint
	}
	for i := range c.Water {
		shores[i] = c.Water[i].Polygon
	}
	x.outlines = outlines(c.Frame, footprints, &x.buildings)
	x.shores = outlines(c.Frame, shores, &x.water)
	x.roofsM = make([]float64, len(c.Buildings))
	for i := range c.Buildings {
		x.roofsM[i] = c.highestGround(c.Buildings[i].Footprint[0]) + c.Buildings[i].HeightM
	}
	return x
}

// fill takes in the main component of a profile.
func (w *network) fill(g Graph, profile Profile) {
	for n := range g.Nodes {
		if g.InMainOf(int32(n), profile) {
			at := g.Nodes[n].XY
			w.nodes.Insert([2]float64{at.X, at.Y}, [2]float64{at.X, at.Y}, int32(n))
		}
	}
	for i, arc := range g.Arcs {
		if arc.Profiles&profile == 0 || !g.InMainOf(arc.From, profile) || !g.InMainOf(arc.To, profile) {
			continue
		}
		// Of the two arcs of a way in both directions, the first is enough.
		if arc.From > arc.To && g.joined(arc.To, arc.From, profile) {
			continue
		}
		insert(&w.arcs, space.BoxOf(g.Nodes[arc.From].XY, g.Nodes[arc.To].XY), i)
	}
}

// outlines brings polygons into the frame, and their boxes into a tree.
func outlines(frame space.Frame, polygons []orb.Polygon, tree *rtree.RTreeG[int32]) [][][]space.XY {
	list := make([][][]space.XY, len(polygons))
	for i, polygon := range polygons {
		list[i] = make([][]space.XY, len(polygon))
		for r, ring := range polygon {
			list[i][r] = make([]space.XY, len(ring))
			for k, p := range ring {
				list[i][r][k] = frame.XY(p)
			}
		}
		insert(tree, space.BoxOf(list[i][0]...), i)
	}
	return list
}

func insert(tree *rtree.RTreeG[int32], box space.Box, i int) {
	tree.Insert([2]float64{box.Min.X, box.Min.Y}, [2]float64{box.Max.X, box.Max.Y}, int32(i))
}

// joined tells whether an arc of a profile goes from a to b.
func (g Graph) joined(a, b int32, profile Profile) bool {
	for _, arc := range g.From(a) {
		if arc.To == b && arc.Profiles&profile != 0 {
			return true
		}
	}
	return false
}

// network returns the index of one profile, nil for none or several.
func (c *Chart) network(p Profile) *network {
	switch {
	case c.index == nil:
		return nil
	case p == Sidewalk:
		return &c.index.sidewalk
	case p == Road:
		return &c.index.road
	}
	return nil
}

// SnapNode is SnapNodeOn the network of Sidewalk.
func (c *Chart) SnapNode(p space.Position) (node int32, distM float64, ok bool) {
	return c.SnapNodeOn(p, Sidewalk)
}

// SnapNodeOn returns the node of a profile's main component that is nearest to a
// position, and how far it is in metres. A node on the position's level is
// preferred as LevelSlackM tells; among equals the lowest is taken. Only a chart
// without a network for the profile has none. The distance has no limit: whether
// it is too far is the caller's to say.
func (c *Chart) SnapNodeOn(p space.Position, profile Profile) (node int32, distM float64, ok bool) {
	net := c.network(profile)
	if net == nil {
		return 0, 0, false
	}
	at := c.Frame.XY(p.Point())
	dist := func(n int32) float64 { return c.Ground.Nodes[n].XY.Dist(at) }
	same := func(n int32) bool { return SameLevel(p.Level, c.Ground.Nodes[n].Level) }
	return nearest(&net.nodes, at, dist, same)
}

// Snapped is a place on the ground graph.
type Snapped struct {
	// Arc is the arc's number; where ways go in both directions it is the arc
	// that starts at the lower node.
	Arc int32
	// T is the fraction of the way from the arc's start to its end.
	T  float64
	XY space.XY
	// DistM is how far the position asked for is from XY.
	DistM float64
}

// Snap is SnapOn the network of Sidewalk.
func (c *Chart) Snap(p space.Position) (Snapped, bool) { return c.SnapOn(p, Sidewalk) }

// SnapOn returns the place on a profile's network that is nearest to a position,
// by the rules of SnapNodeOn.
func (c *Chart) SnapOn(p space.Position, profile Profile) (Snapped, bool) {
	net := c.network(profile)
	if net == nil {
		return Snapped{}, false
	}
	at := c.Frame.XY(p.Point())
	ends := func(i int32) (Node, Node) {
		arc := c.Ground.Arcs[i]
		return c.Ground.Nodes[arc.From], c.Ground.Nodes[arc.To]
	}
	dist := func(i int32) float64 {
		from, to := ends(i)
		return space.SegmentDist(at, from.XY, to.XY)
	}
	same := func(i int32) bool {
		from, to := ends(i)
		return SameLevel(p.Level, from.Level) || SameLevel(p.Level, to.Level)
	}
	arc, distM, ok := nearest(&net.arcs, at, dist, same)
	if !ok {
		return Snapped{}, false
	}
	from, to := ends(arc)
	on, t := space.ClosestOnSegment(at, from.XY, to.XY)
	return Snapped{Arc: arc, T: t, XY: on, DistM: distM}, true
}

// nearest walks a tree's items from the nearest on, to the first on the right
// level or LevelSlackM beyond the very nearest.
func nearest(tree *rtree.RTreeG[int32], at space.XY, dist func(int32) float64, same func(int32) bool) (item int32, distM float64, ok bool) {
	var near, best candidate
	tree.Nearby(
		func(lo, hi [2]float64, i int32, isItem bool) float64 {
			if isItem {
				return dist(i)
			}
			return space.Box{Min: space.XY{X: lo[0], Y: lo[1]}, Max: space.XY{X: hi[0], Y: hi[1]}}.Dist(at)
		},
		func(_, _ [2]float64, i int32, d float64) bool {
			if best.ok && d > best.distM || near.ok && d > near.distM+LevelSlackM {
				return false
			}
			near.offer(i, d)
			if same(i) {
				best.offer(i, d)
			}
			return true
		},
	)
	if !best.ok {
		best = near
	}
	return best.item, best.distM, best.ok
}

type candidate struct {
	item  int32
	distM float64
	ok    bool
}

// offer takes an item that is nearer, or as near with a lower number.
func (c *candidate) offer(item int32, distM float64) {
	if !c.ok || distM < c.distM || distM == c.distM && item < c.item {
		*c = candidate{item, distM, true}
	}
}

// SameLevel tells whether a level is one of those that a node lists: OSM values
// such as "1", "-1" or "0;1". The empty level, outdoors, is the level 0.
func SameLevel(level, list string) bool {
	if level == list {
		return true
	}
	if level == "" {
		level = "0"
	}
	if list == "" {
		list = "0"
	}
	for one := range strings.SplitSeq(list, ";") {
		if strings.TrimSpace(one) == level {
			return true
		}
	}
	return false
}

// BuildingsIn appends to dst the numbers of the buildings whose bounding boxes
// touch a box, in ascending order, and returns it.
func (c *Chart) BuildingsIn(box space.Box, dst []int32) []int32 {
	if c.index == nil {
		return dst
	}
	start := len(dst)
	c.index.buildings.Search([2]float64{box.Min.X, box.Min.Y}, [2]float64{box.Max.X, box.Max.Y},
		func(_, _ [2]float64, i int32) bool {
			dst = append(dst, i)
			return true
		})
	slices.Sort(dst[start:])
	return dst
}

// Outline returns a building's footprint in the chart's frame: the outer ring,
// then its courts, each closed. It belongs to the chart.
func (c *Chart) Outline(building int32) [][]space.XY { return c.index.outlines[building] }

// BuildingAt returns the highest building over a place, courts excepted.
func (c *Chart) BuildingAt(at space.XY) (building int32, ok bool) {
	for _, i := range c.BuildingsIn(space.BoxOf(at), nil) {
		if space.InRings(c.Outline(i), at) && (!ok || c.Buildings[i].HeightM > c.Buildings[building].HeightM) {
			building, ok = i, true
		}
	}
	return building, ok
}

// WaterAt returns the stretch of water at a place, the first of several.
func (c *Chart) WaterAt(at space.XY) (water int32, ok bool) {
	if c.index == nil {
		return 0, false
	}
	c.index.water.Search([2]float64{at.X, at.Y}, [2]float64{at.X, at.Y}, func(_, _ [2]float64, i int32) bool {
		if (!ok || i < water) && space.InRings(c.index.shores[i], at) {
			water, ok = i, true
		}
		return true
	})
	return water, ok
}

// Shore returns the rings of a stretch of water in the chart's frame: the outer
// one, then its islands, each closed. It belongs to the chart.
func (c *Chart) Shore(water int32) [][]space.XY { return c.index.shores[water] }
