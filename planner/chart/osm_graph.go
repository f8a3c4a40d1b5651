package chart

import (
	"fmt"
	"slices"
)

// graph draws the ground graph: each walkable way, stitched to others at the
// nodes they share, in both directions, since one-way streets do not bind those
// on foot.
func (m *importer) graph(d *Draft) {
	// number is each node's place in the graph, -1 for none. Graph nodes stand in
	// the order of their OSM ids.
	number := make([]int32, len(m.nodes))
	levels := map[int]string{}
	runs := make([][][]int, 0, len(m.ways))
	for i := range number {
		number[i] = -1
	}
	for _, way := range m.ways {
		pieces := m.pieces(way)
		runs = append(runs, pieces)
		if len(pieces) > 0 {
			m.report.GraphWays++
		}
		for _, n := range slices.Concat(pieces...) {
			level := way.tags["level"]
			if number[n] == 0 && levels[n] != level {
				level = ""
			}
			number[n] = 0
			if level != "" {
				levels[n] = level
			} else {
				delete(levels, n)
			}
		}
	}
	for i := range number {
		if number[i] < 0 {
			continue
		}
		number[i] = int32(len(d.Nodes))
		raw := m.nodes[i]
		level := levels[i]
		if info, ok := m.infos[raw.id]; ok && info.level != "" {
			level = info.level
		}
		d.Nodes = append(d.Nodes, Node{OSMID: raw.id, Point: raw.point(), Level: level})
	}
	for i, pieces := range runs {
		for _, piece := range pieces {
			m.draw(d, m.ways[i], piece, number)
		}
	}
}

// pieces returns the parts of a walkable way that can be driven without a
// break, as indices of m.nodes. A barrier ends a part, and so does a missing
// node: a straight line in its stead could lead through a house.
func (m *importer) pieces(way rawWay) [][]int {
	if way.tags == nil || !way.tags.walkable() {
		return nil
	}
	var pieces [][]int
	var piece []int
	end := func() {
		if len(piece) > 1 {
			pieces = append(pieces, piece)
		}
		piece = nil
	}
	for _, ref := range way.refs {
		n, ok := m.node(ref)
		if !ok {
			m.report.MissingNodes++
			m.warn("a way refers to nodes outside the file, which are left out", fmt.Sprintf("way/%d", way.id))
			end()
			continue
		}
		if m.infos[ref].blocked {
			m.warn("a barrier ends a way", fmt.Sprintf("node/%d", ref))
			end()
			continue
		}
		if len(piece) == 0 || piece[len(piece)-1] != n {
			piece = append(piece, n)
		}
	}
	end()
	return pieces
}

// draw adds both directions of a piece.
func (m *importer) draw(d *Draft, way rawWay, piece []int, number []int32) {
	name, limit := way.tags["name"], way.tags.speedLimitMPS()
	for i := 1; i < len(piece); i++ {
		from, to := number[piece[i-1]], number[piece[i]]
		arc := Arc{From: from, To: to, SpeedLimitMPS: limit, WayID: way.id, Name: name}
		back := arc
		back.From, back.To = to, from
		d.Arcs = append(d.Arcs, arc, back)
	}
}
