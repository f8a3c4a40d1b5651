package route

// entry is one open way of a search: its least total, what it took so far, the
// place that it reaches and the one that it comes from. What f and g measure is
// the search's own affair.
type entry struct {
	f, g     float64
	to, from int32
}

// before is a total order, so that equal ways come out alike every time: the
// lesser total, then the one that has come further, then lower numbers.
func (e entry) before(o entry) bool {
	switch {
	case e.f != o.f:
		return e.f < o.f
	case e.g != o.g:
		return e.g > o.g
	case e.to != o.to:
		return e.to < o.to
	}
	return e.from < o.from
}

// heap is a binary heap with the first entry at its top.
type heap []entry

func (h *heap) push(e entry) {
	q := append(*h, e)
	i := len(q) - 1
	for i > 0 {
		up := (i - 1) / 2
		if !e.before(q[up]) {
			break
		}
		q[i] = q[up]
		i = up
	}
	q[i] = e
	*h = q
}

// pop takes the first entry out; the heap must not be empty.
func (h *heap) pop() entry {
	q := *h
	top, e := q[0], q[len(q)-1]
	q = q[:len(q)-1]
	*h = q
	if len(q) == 0 {
		return top
	}
	i := 0
	for {
		kid := 2*i + 1
		if kid >= len(q) {
			break
		}
		if kid+1 < len(q) && q[kid+1].before(q[kid]) {
			kid++
		}
		if !q[kid].before(e) {
			break
		}
		q[i] = q[kid]
		i = kid
	}
	q[i] = e
	return top
}
