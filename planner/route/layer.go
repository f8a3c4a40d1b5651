package route

import (
	"cmp"
	"math"
	"slices"

	"github.com/kapok-fleet/kapok/planner/mesh"
	"github.com/kapok-fleet/kapok/planner/space"
)

// This file is the short cut of searches among many obstacles that stay: layers,
// compiled once, in which package mesh finds the shortest way within microseconds.
// If nothing else, such as a zone in force, stands in that way, it is the answer;
// otherwise the search in the visibility graph goes on as if nothing had been asked.
// In a wind that search alone knows which way is quickest, and over terrain which
// buildings are in the way where.

const (
	// layerBuildings is how many buildings must stand at an altitude for its layer
	// to be compiled, layerWays how many for its ways to be answers, and layerShore how
	// many corners a water must have. Measured: with fewer, the visibility graph is as
	// quick, as it knows nothing of what is not near the way; with three times as many
	// it takes two to ten times as long at the median and more than that at worst.
	layerBuildings = 64
	layerWays      = 400
	layerShore     = 64
	// layerCorners is how many corners the outlines in a layer may have, each of
	// which takes about 10 µs to compile and 200 bytes; those with more are not
	// compiled. layerWaters is how many waters have layers, the greatest.
	layerCorners = 120_000
	layerWaters  = 8
	// roundStep is by how much an outline turns at once about a corner. It is off the
	// circle there by at most a twelfth of the clearance.
	roundStep = math.Pi / 4
	// cellsPerExpansion is how many cells of a mesh are counted as one expansion.
	cellsPerExpansion = 8
)

// layer is the air at one altitude, or one water, with all that stands in it for
// good: what is free of it, cut into cells.
type layer struct {
	// From lowM on and below highM, the same buildings stand in the air.
	lowM, highM float64
	// water is the number of the water, −1 for the air.
	water int32
	mesh  *mesh.Mesh
	// stand are the buildings that stand in the air of the layer, ix is where.
	stand []int32
	ix    *index
}

// compileLayers compiles the layers of the waters and, over flat ground, those of
// the usual altitudes in which many buildings stand.
func (f *fixed) compileLayers(groundM, limitM float64, flat bool) {
	for _, i := range f.greatWaters() {
		reach := f.water.boxes[i].Grow(2 * ClearanceM)
		f.addLayer(layer{water: i}, func(b int32) bool { return f.buildings.boxes[b].Intersects(reach) })
	}
	if !flat {
		return
	}
	for _, h := range [...]float64{MinCruiseM, 60, 80, 100, limitM} {
		z := groundM + min(h, limitM)
		if slices.ContainsFunc(f.layers, func(l layer) bool { return l.at(z) }) {
			continue
		}
		l, n := layer{water: -1, lowM: math.Inf(-1), highM: math.Inf(1)}, 0
		for _, roofM := range f.roofM {
			if clearM := roofM + RoofClearanceM; clearM > z {
				l.highM, n = min(l.highM, clearM), n+1
			} else {
				l.lowM = max(l.lowM, clearM)
			}
		}
		if n >= layerBuildings {
			l.index(f, z)
			f.addLayer(l, func(b int32) bool { return f.roofM[b]+RoofClearanceM > z })
		}
	}
}

// index makes the index of the buildings that stand at an altitude.
func (l *layer) index(f *fixed, z float64) {
	var boxes []space.Box
	for b, roofM := range f.roofM {
		if roofM+RoofClearanceM > z {
			l.stand, boxes = append(l.stand, int32(b)), append(boxes, f.buildings.boxes[b])
		}
	}
	l.ix = newIndex(boxes, 64)
}

// greatWaters are the waters that layers are compiled for.
func (f *fixed) greatWaters() []int32 {
	var all []int32
	corners := func(i int32) int32 { return f.water.ring[f.water.first[i+1]] - f.water.ring[f.water.first[i]] }
	for i := range int32(f.water.count()) {
		if corners(i) >= layerShore {
			all = append(all, i)
		}
	}
	slices.SortStableFunc(all, func(a, b int32) int { return cmp.Compare(corners(b), corners(a)) })
	return all[:min(len(all), layerWaters)]
}

// at tells whether a layer of the air is that of an altitude.
func (l *layer) at(z float64) bool { return l.water < 0 && z >= l.lowM && z < l.highM }

// addLayer compiles a layer in which the buildings stand that are asked for. One
// that is too great, or that cannot be compiled, is left out.
func (f *fixed) addLayer(l layer, stands func(building int32) bool) {
	var all []mesh.Obstacle
	corners := 0
	add := func(o mesh.Obstacle) {
		for _, ring := range o {
			corners += len(ring)
		}
		all = append(all, o)
	}
	for i := range int32(f.buildings.count()) {
		if stands(i) && corners <= layerCorners {
			add(f.buildings.outline(i, ClearanceM))
		}
	}
	if l.water >= 0 {
		// What the shore does not wind about is forbidden.
		out := f.inner.Grow(ClearanceM)
		shore := f.water.outline(l.water, ClearanceM)
		add(append(shore, []space.XY{out.Min, {X: out.Max.X, Y: out.Min.Y}, out.Max, {X: out.Min.X, Y: out.Max.Y}}))
	}
	if corners > layerCorners {
		return
	}
	m, err := mesh.New(f.inner, all)
	if err != nil {
		return
	}
	l.mesh = m
	f.layers = append(f.layers, l)
}

// outline is the boundary of all that is nearer to shape i than the clearance c, or
// on its forbidden side, in straight lines. It runs along the rings at the clearance,
// around convex corners, and in concave ones back to the corner itself: in this way
// it winds once about the shape and once about each strip beside an edge.
func (s *shapes) outline(i int32, c float64) mesh.Obstacle {
	var o mesh.Obstacle
	for r := s.first[i]; r < s.first[i+1]; r++ {
		ring, c := s.pts[s.ring[r]:s.ring[r+1]], c
		if few, many := s.coarse[r]; many {
			ring, c = few, c+coarseM
		}
		n := len(ring)
		line := make([]space.XY, 0, 3*n)
		for k := range n {
			line = roundCorner(ring[(k+n-1)%n], ring[k], ring[(k+1)%n], c, line)
		}
		o = append(o, line)
	}
	return o
}

// roundCorner appends the boundary at the distance c about the corner p of a ring:
// straight lines that touch the circle about a convex one, or, where the ring turns
// the other way, the way by the corner itself.
func roundCorner(prev, p, next space.XY, c float64, dst []space.XY) []space.XY {
	in := math.Atan2(p.Y-prev.Y, p.X-prev.X)
	turn := math.Remainder(math.Atan2(next.Y-p.Y, next.X-p.X)-in, 2*math.Pi)
	// What lies to the right of a direction is a quarter of a circle before it.
	at := func(angle, reach float64) space.XY {
		sin, cos := math.Sincos(angle)
		return space.XY{X: p.X + reach*sin, Y: p.Y - reach*cos}
	}
	if turn <= 1e-9 {
		return append(dst, at(in, c), p, at(in+turn, c))
	}
	parts := max(1, math.Ceil(turn/roundStep-0.1))
	step := turn / parts
	for j := range int(parts) {
		dst = append(dst, at(in+step*(float64(j)+0.5), c/math.Cos(step/2)))
	}
	return dst
}

// layered is the memory of searches in layers.
type layered struct {
	search mesh.Search
	bends  []space.XY
}

// inLayer looks for the shortest way in the layer of the flight and leaves it in
// the sight search. It has decided when that way is free, or not shorter than the
// bound; otherwise it says nothing, but for whether there is a way at all without
// the zones.
func (p *Planner) inLayer(boundM float64, budget *int) (lengthM float64, ok bool, said word) {
	a := &p.air
	l := p.layer()
	if l == nil {
		return 0, false, nothing
	}
	in := &a.sight.layered
	way, outcome := p.across(l, budget)
	switch {
	case *budget < 0:
		return 0, false, decided
	case outcome != mesh.Found:
		return 0, false, nothing
	case way.LengthM >= boundM:
		return 0, false, decided
	}
	in.bends = append(in.search.Bends(way, in.bends[:0]), a.goal)
	s := &a.sight
	s.straight(a.start, a.goal)
	last := int32(0)
	for i, at := range in.bends {
		next := int32(1)
		if i+1 < len(in.bends) {
			next = int32(len(s.spots))
			s.spots = append(s.spots, spot{corner: corner{at: at}, closed: true})
		}
		from, to := &s.spots[last], &s.spots[next]
		to.parent, to.g = last, from.g+from.at.Dist(to.at)
		if *budget--; *budget < 0 {
			return 0, false, decided
		}
		if id, _ := p.blocked(last, next, from.at, to.at, from.g); id >= 0 || a.lagM > 0 {
			return 0, false, open
		}
		last = next
	}
	return s.spots[1].g, true, decided
}

// word is what a search in a layer says.
type word uint8

const (
	// nothing: there is no layer, or no way in it as it is drawn.
	nothing word = iota
	// open: there is a way, and a zone or the like is in it or slows it down.
	open
	// decided: the answer is that of all searches.
	decided
)

// across is the shortest way across a layer, whatever the zones.
func (p *Planner) across(l *layer, budget *int) (mesh.Way, mesh.Outcome) {
	a := &p.air
	most := min(*budget, math.MaxInt/cellsPerExpansion) * cellsPerExpansion
	way, outcome := a.sight.layered.search.Find(l.mesh, a.start, a.goal, mesh.Limits{MaxExpansions: max(most, 1)})
	*budget -= way.Expansions/cellsPerExpansion + 1
	return way, outcome
}

// boundHeights raises the lower bounds of the heights by the ways across layers: no
// way at a height is shorter than one among those of its buildings alone that stand in
// a layer from there on up.
func (p *Planner) boundHeights(q *Query, budget *int) {
	a := &p.air
	if a.relief || a.afloat || a.drift.windy || len(p.fixed.layers) == 0 {
		return
	}
	var known *layer
	lengthM := 0.0
	for i := range a.heights {
		h := &a.heights[i]
		l := p.layerFrom(h.z)
		if l == nil || *budget < 0 {
			continue
		}
		if l != known {
			way, outcome := p.across(l, budget)
			known, lengthM = l, 0
			if outcome == mesh.Found {
				// The mesh is drawn with straight lines about corners.
				lengthM = way.LengthM*(1-layerSlack) - layerSlackM
			}
		}
		h.boundS = max(h.boundS, p.secondsAt(q, h.z, lengthM))
	}
	slices.SortStableFunc(a.heights, func(x, y height) int { return cmp.Compare(x.boundS, y.boundS) })
}

// layerSlack and layerSlackM are by how much a way across a layer may be longer than
// one among the true outlines.
const (
	layerSlack  = 1e-3
	layerSlackM = 1.0
)

// layerFrom is the lowest layer of the air all of whose buildings stand at an altitude
// too, nil for none.
func (p *Planner) layerFrom(z float64) *layer {
	var best *layer
	for i := range p.fixed.layers {
		if l := &p.fixed.layers[i]; l.water < 0 && l.highM > z && (best == nil || l.lowM < best.lowM) {
			best = l
		}
	}
	return best
}

// standing is the highest layer of the air in which all buildings stand that do at an
// altitude, nil for none: its index has them, and few others.
func (p *Planner) standing(z float64) *layer {
	var best *layer
	for i := range p.fixed.layers {
		if l := &p.fixed.layers[i]; l.ix != nil && l.lowM <= z && (best == nil || l.lowM > best.lowM) {
			best = l
		}
	}
	return best
}

// layer is that of the flight, nil where none was compiled.
func (p *Planner) layer() *layer {
	a, layers := &p.air, p.fixed.layers
	if a.relief || a.drift.windy {
		return nil
	}
	for i := range layers {
		if l := &layers[i]; a.afloat && a.water >= 0 && l.water == a.water || !a.afloat && l.at(a.z) && len(l.stand) >= layerWays {
			return l
		}
	}
	return nil
}
