package chart

import "fmt"

// segment is a straight part of a way between two nodes of the file, as indices
// of m.nodes, with who may drive it in its direction and against it.
type segment struct {
	from, to          int32
	forward, backward Profile
}

// graph draws the ground graph: each way that some profile may take, stitched to
// others at the nodes they share, and nowhere else.
func (m *importer) graph(d *Draft) {
	runs := make([][]segment, len(m.ways))
	for i := range m.ways {
		runs[i] = m.segments(&m.ways[i])
	}
	number := m.graphNodes(d, runs)
	for i, run := range runs {
		way := &m.ways[i]
		arc := Arc{WayID: way.id, Name: way.tags["name"], SpeedLimitMPS: way.tags.speedLimitMPS(), Layer: way.tags.layer()}
		for _, s := range run {
			if s.forward != 0 {
				arc.From, arc.To, arc.Profiles = number[s.from], number[s.to], s.forward
				d.Arcs = append(d.Arcs, arc)
			}
			if s.backward != 0 {
				arc.From, arc.To, arc.Profiles = number[s.to], number[s.from], s.backward
				d.Arcs = append(d.Arcs, arc)
			}
		}
	}
}

// segments returns the parts of a way that can be driven. A barrier takes those
// who cannot pass it off the segments that touch it, and a missing node ends
// the way: a straight line in its stead could lead through a house.
func (m *importer) segments(way *rawWay) []segment {
	forward, backward := way.tags.drive()
	if forward|backward == 0 {
		return nil
	}
	var run []segment
	var taken Profile
	before, blockedBefore := int32(-1), Profile(0)
	for _, ref := range way.refs {
		n, ok := m.node(ref)
		if !ok {
			m.report.MissingNodes++
			m.warn("a way refers to nodes outside the file, which are left out", fmt.Sprintf("way/%d", way.id))
			before = -1
			continue
		}
		blocked := m.infos[ref].blocks & (forward | backward)
		m.warnBarrier(blocked, ref)
		if s := (segment{before, int32(n), forward &^ (blocked | blockedBefore), backward &^ (blocked | blockedBefore)}); s.from >= 0 && s.from != s.to && s.forward|s.backward != 0 {
			run = append(run, s)
			taken |= s.forward | s.backward
		}
		before, blockedBefore = int32(n), blocked
	}
	if taken&Sidewalk != 0 {
		m.report.GraphWays++
	}
	if taken&Road != 0 {
		m.report.RoadWays++
	}
	return run
}

func (m *importer) warnBarrier(blocked Profile, ref int64) {
	if blocked&Sidewalk != 0 {
		m.warn("a barrier ends a way", fmt.Sprintf("node/%d", ref))
	}
	if blocked&Road != 0 {
		m.warn("a barrier ends a way for road vehicles", fmt.Sprintf("node/%d", ref))
	}
}

// graphNodes adds the nodes of all segments to the draft, in the order of their
// OSM ids, and returns each node's number there, -1 for those that are not in.
func (m *importer) graphNodes(d *Draft, runs [][]segment) []int32 {
	number := make([]int32, len(m.nodes))
	for i := range number {
		number[i] = -1
	}
	levels := map[int32]string{}
	for i, run := range runs {
		level := m.ways[i].tags["level"]
		for k, s := range run {
			if k == 0 || run[k-1].to != s.from {
				m.level(number, levels, s.from, level)
			}
			m.level(number, levels, s.to, level)
		}
	}
	for i := range number {
		if number[i] < 0 {
			continue
		}
		number[i] = int32(len(d.Nodes))
		raw := m.nodes[i]
		level := levels[int32(i)]
		if info, ok := m.infos[raw.id]; ok && info.level != "" {
			level = info.level
		}
		d.Nodes = append(d.Nodes, Node{OSMID: raw.id, Point: raw.point(), Level: level})
	}
	return number
}

// level marks a node as used by a way on a level. Ways that disagree leave it
// without one.
func (m *importer) level(number []int32, levels map[int32]string, n int32, level string) {
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
