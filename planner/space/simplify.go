package space

// SimplifyRing returns the corners of an open ring without those that stand out by
// no more than m metres: the line through what is left passes all of them within m
// (Douglas and Peucker, "Algorithms for the reduction of the number of points
// required to represent a digitized line or its caricature", 1973). The first
// corner and the one furthest from it always stay, a ring of fewer than five is
// returned as it is, and one that would lose all its area too. The result does not
// share memory with the ring unless it is the ring.
func SimplifyRing(ring []XY, m float64) []XY {
	if len(ring) < 5 {
		return ring
	}
	far := 0
	for i, p := range ring {
		if p.Dist(ring[0]) > ring[far].Dist(ring[0]) {
			far = i
		}
	}
	keep := make([]bool, len(ring)+1)
	keep[0], keep[far] = true, true
	at := func(i int) XY { return ring[i%len(ring)] }
	type part struct{ from, to int }
	for open := []part{{0, far}, {far, len(ring)}}; len(open) > 0; {
		p := open[len(open)-1]
		open = open[:len(open)-1]
		worst, most := -1, m
		for i := p.from + 1; i < p.to; i++ {
			if d := SegmentDist(at(i), at(p.from), at(p.to)); d > most {
				worst, most = i, d
			}
		}
		if worst >= 0 {
			keep[worst] = true
			open = append(open, part{p.from, worst}, part{worst, p.to})
		}
	}
	var some []XY
	for i, p := range ring {
		if keep[i] {
			some = append(some, p)
		}
	}
	if len(some) < 3 {
		return ring
	}
	return some
}
