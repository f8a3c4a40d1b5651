package server

import (
	"cmp"
	"iter"
	"log/slog"
	"math/bits"
	"slices"
)

// batch are the rows that changed behind a look, by id: a hundred areas are cut
// out of one batch.
type batch struct {
	numbers []int
	spots   []spot
	// changed are the numbers as a set.
	changed members
	// encoded are all rows that are shown, each behind a comma, once somebody is sent
	// them all.
	encoded []byte
	whole   bool
	// byLon are the rows that have a place, from west to east, once an area is
	// looked for; nowhere are the others.
	byLon   []lonOf
	nowhere []int
	sorted  bool
}

// lonOf is the longitude of a row of the batch.
type lonOf struct {
	lon float64
	row int
}

// fill makes a batch of what changed, in the memory that it has.
func (b *batch) fill(r *roster, since uint64) {
	b.numbers, b.spots, b.encoded = b.numbers[:0], b.spots[:0], b.encoded[:0]
	b.whole, b.sorted = false, false
	b.changed.clear(len(r.rows))
	for _, n := range r.order {
		row := &r.rows[n]
		if row.look <= since {
			continue
		}
		b.numbers, b.spots = append(b.numbers, n), append(b.spots, row.spot)
		b.changed.set(n)
	}
}

// all encodes the rows that are shown, once.
func (b *batch) all(r *roster, log *slog.Logger) []byte {
	if b.whole {
		return b.encoded
	}
	b.whole = true
	for i, n := range b.numbers {
		if b.spots[i].kind == 0 {
			continue
		}
		if one := r.encoded(n, log); len(one) > 0 {
			b.encoded = append(append(b.encoded, ','), one...)
		}
	}
	return b.encoded
}

// within calls see with all rows that a sight may have, in any order.
func (b *batch) within(s *sight, see func(i int)) {
	b.sort()
	for _, i := range b.nowhere {
		see(i)
	}
	if s.crosses {
		for _, at := range b.byLon[:b.upTo(s.area.east)] {
			see(at.row)
		}
	}
	for _, at := range b.byLon[b.westOf(s.area.west):] {
		if !s.crosses && at.lon > s.area.east {
			return
		}
		see(at.row)
	}
}

// sort puts the rows in order from west to east, once.
func (b *batch) sort() {
	if b.sorted {
		return
	}
	b.sorted, b.byLon, b.nowhere = true, b.byLon[:0], b.nowhere[:0]
	for i := range b.spots {
		if lon := b.spots[i].lon; lon == lon { //nolint:gocritic // No number equals itself where there is none.
			b.byLon = append(b.byLon, lonOf{lon, i})
		} else {
			b.nowhere = append(b.nowhere, i)
		}
	}
	slices.SortFunc(b.byLon, func(a, b lonOf) int { return cmp.Compare(a.lon, b.lon) })
}

// westOf counts the rows west of a longitude, upTo those that are not east of it.
func (b *batch) westOf(lon float64) int {
	n, _ := slices.BinarySearchFunc(b.byLon, lon, func(at lonOf, lon float64) int {
		if at.lon < lon {
			return -1
		}
		return 1
	})
	return n
}

func (b *batch) upTo(lon float64) int {
	n, _ := slices.BinarySearchFunc(b.byLon, lon, func(at lonOf, lon float64) int {
		if at.lon <= lon {
			return -1
		}
		return 1
	})
	return n
}

// members is a set of rows; nil is empty. It never changes once it is shared.
type members struct{ bits []uint64 }

// clear makes the set empty, with room for so many rows.
func (m *members) clear(rows int) {
	words := (rows + 63) / 64
	m.bits = slices.Grow(m.bits[:0], words)[:words]
	clear(m.bits)
}

// set adds a row, for which there is room.
func (m *members) set(n int) { m.bits[n>>6] |= 1 << (n & 63) }

// word are the rows from 64*w on.
func (m *members) word(w int) uint64 {
	if m == nil || w >= len(m.bits) {
		return 0
	}
	return m.bits[w]
}

// each yields the rows, from the lowest number on.
func (m *members) each() iter.Seq[int] {
	return func(yield func(int) bool) {
		for w, rest := range m.bits {
			for ; rest != 0; rest &= rest - 1 {
				if !yield(w<<6 + bits.TrailingZeros64(rest)) {
					return
				}
			}
		}
	}
}

// copied is a copy with room for so many rows.
func (m *members) copied(rows int) *members {
	c := &members{make([]uint64, (rows+63)/64)}
	if m != nil {
		copy(c.bits, m.bits)
	}
	return c
}
