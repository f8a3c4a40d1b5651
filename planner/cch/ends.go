package cch

// FromNode appends the seeds of a start at a node of the streets: all arcs that leave
// it. Nodes that do not exist have none.
func (e *Expanded) FromNode(dst []Seed, node int32) []Seed {
	if uint(node) >= uint(e.streets.Nodes()) {
		return dst
	}
	first, end := e.streets.Out(node)
	for a := first; a < end; a++ {
		dst = append(dst, Seed{Node: a})
	}
	return dst
}

// ToNode appends the seeds of an end at a node of the streets: all arcs that lead to
// it, at their weights. From a node to itself this is a way round; to stay there is
// the caller's case.
func (e *Expanded) ToNode(dst []Seed, node int32, weights []uint32) []Seed {
	if uint(node) >= uint(e.streets.Nodes()) || len(weights) != e.streets.Arcs() {
		return dst
	}
	for _, a := range e.into.at(node) {
		dst = e.ToArc(dst, a, weights[a])
	}
	return dst
}

// FromArc appends the seeds of a start on an arc, along it: the arcs that may follow,
// at what is left of the arc and the turn. Who can start in either direction appends
// those of the arc's twin too. An end further on along the same arc is the caller's
// case; the ways of these seeds leave the arc at its end.
func (e *Expanded) FromArc(dst []Seed, arc int32, rest uint32) []Seed {
	if uint(arc) >= uint(e.streets.Arcs()) || rest >= Infinity {
		return dst
	}
	for k := e.Graph.First[arc]; k < e.Graph.First[arc+1]; k++ {
		dst = append(dst, Seed{e.Graph.Head[k], min(rest+e.Turn[k], Infinity)})
	}
	return dst
}

// ToArc appends the seeds of an end on an arc, at what it costs to get there from the
// arc's start.
func (e *Expanded) ToArc(dst []Seed, arc int32, part uint32) []Seed {
	if uint(arc) >= uint(e.streets.Arcs()) || part >= Infinity {
		return dst
	}
	dst = append(dst, Seed{arc, part})
	for _, s := range e.copies.at(arc) {
		dst = append(dst, Seed{s, part})
	}
	return dst
}

// Streets appends the arcs of the streets on the last way that a query has found: that
// of its first node and of all that follow. After FromArc, the arc of the start itself
// is not among them.
func (e *Expanded) Streets(dst []int32, q *Query) []int32 {
	start, _, ok := q.Ends()
	if !ok {
		return dst
	}
	dst = append(dst, e.Arc[q.starts[start].Node])
	before := len(dst)
	dst = q.Path(dst)
	for i, k := range dst[before:] {
		dst[before+i] = e.Arc[e.Graph.Head[k]]
	}
	return dst
}
