package server

import "math/bits"

const (
	// spareBytes bounds the memory of sheets that stand by, and spareBeats the
	// number of pulses for which they do.
	spareBytes = 64 << 20
	spareBeats = 20
	// leastSheet is the smallest memory of a frame that is used again.
	leastSheet = 4 << 10
)

// sheets is the memory of frames of positions: once all sockets have written
// what stands in it, it takes another frame. Else a hundred different frames
// twice a second would keep the collector busy. The hub's lock guards it.
type sheets struct {
	// lent are those in use, by their first byte.
	lent map[*byte]struct{}
	// spare are the others by the size of their memory, the last one used last.
	spare map[int][]sheet
	bytes int
}

// sheet is memory that stands by since a pulse.
type sheet struct {
	memory []byte
	since  uint64
}

// sheetSize is the size of memory that is taken for so many bytes: at most an
// eighth more.
func sheetSize(n int) int {
	n = max(n, leastSheet)
	step := 1 << (bits.Len(uint(n)) - 4) //nolint:gosec // At least leastSheet.
	return (n + step - 1) / step * step
}

// take returns empty memory for n bytes.
func (s *sheets) take(n int) []byte {
	size := sheetSize(n)
	all := s.spare[size]
	if len(all) == 0 {
		return make([]byte, 0, size)
	}
	last := len(all) - 1
	memory := all[last].memory
	all[last] = sheet{}
	s.spare[size] = all[:last]
	s.bytes -= size
	return memory[:0]
}

// lend notes that a frame stands in memory of take.
func (s *sheets) lend(frame []byte) {
	if s.lent == nil {
		s.lent = map[*byte]struct{}{}
	}
	s.lent[&frame[0]] = struct{}{}
}

// forsake leaves the memory of a frame to whoever may still read it.
func (s *sheets) forsake(frame []byte) { delete(s.lent, &frame[0]) }

// giveBack takes the memory of a frame that nobody holds any more, if it is of
// take.
func (s *sheets) giveBack(frame []byte, beat uint64) {
	if _, ok := s.lent[&frame[0]]; !ok {
		return
	}
	delete(s.lent, &frame[0])
	size := cap(frame)
	if size != sheetSize(size) || s.bytes+size > spareBytes {
		return
	}
	if s.spare == nil {
		s.spare = map[int][]sheet{}
	}
	s.spare[size] = append(s.spare[size], sheet{frame, beat})
	s.bytes += size
}

// tidy lets go of what was not used for a while.
func (s *sheets) tidy(beat uint64) {
	for size, all := range s.spare {
		old := 0
		for old < len(all) && beat-all[old].since > spareBeats {
			old++
		}
		if old == len(all) {
			delete(s.spare, size)
		} else if old > 0 {
			s.spare[size] = append(all[:0:0], all[old:]...)
		}
		s.bytes -= old * size
	}
}
