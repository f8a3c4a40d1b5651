package fleet

import (
	"math"

	"github.com/kapok-fleet/kapok/protocol"
)

// Where vehicles are, so that the near ones are found without looking at all.

const (
	// plotsPerDegree is how many plots a degree has: half a kilometre from south to
	// north, and less from west to east.
	plotsPerDegree = 222
	// maxRings is how far from a place plots are looked at one by one; beyond it all
	// that are left are taken at once.
	maxRings = 40
	// farEast is from which meridian on, east or west, no plots are looked at one by
	// one: on the other side of the 180th they begin anew.
	farEast = 179
	// roundings is the part of a distance that sums of a few numbers may be off.
	roundings = 1e-9
)

// plot is a square of the grid of meridians and parallels.
type plot struct{ east, north int32 }

func plotOf(at *protocol.Position) plot {
	return plot{int32(math.Floor(at.Lon * plotsPerDegree)), int32(math.Floor(at.Lat * plotsPerDegree))}
}

// band is the vehicles of about equal cruise speeds, by where they are. A slow
// vehicle counts as near for no longer than it is: the bands are looked through
// each by itself.
type band struct {
	// fastest is the highest cruise speed there ever was in the band.
	fastest float64
	plots   map[plot][]*known
	count   int
}

// plots are all vehicles that have said where they are.
type plots struct {
	bands map[int]*band
	// order are the bands in the order in which they came up, count how many vehicles
	// there are in all of them.
	order []*band
	count int
}

// bandOf is the number of the band of a cruise speed, in steps of a factor of the
// square root of two.
func bandOf(cruiseMPS float64) int {
	if !(cruiseMPS > 0) || math.IsInf(cruiseMPS, 0) {
		return math.MinInt
	}
	return int(math.Ceil(2 * math.Log2(cruiseMPS)))
}

// put notes where a vehicle is now, and its cruise speed.
func (p *plots) put(k *known) {
	n, at := bandOf(k.cruiseMPS), plotOf(&k.at)
	b := p.bands[n]
	if b == nil {
		b = &band{plots: map[plot][]*known{}}
		p.bands[n] = b
		p.order = append(p.order, b)
	}
	if k.band != nil {
		k.band.drop(k)
	} else {
		p.count++
	}
	b.fastest = max(b.fastest, k.cruiseMPS)
	b.count++
	k.band, k.plot, k.nth = b, at, len(b.plots[at])
	b.plots[at] = append(b.plots[at], k)
}

func (b *band) drop(k *known) {
	all := b.plots[k.plot]
	last := all[len(all)-1]
	all[k.nth], last.nth = last, k.nth
	all[len(all)-1] = nil
	b.count--
	if b.plots[k.plot] = all[:len(all)-1]; len(all) == 1 {
		delete(b.plots, k.plot)
	}
}

// stands notes where a vehicle is, as it says.
func (p *plots) stands(k *known, at *protocol.Position) {
	k.at = *at
	if k.band == nil || k.plot != plotOf(at) {
		p.put(k)
	}
}

// spiral goes through a band from a place outwards, ring of plots by ring.
type spiral struct {
	band *band
	at   plot
	cos  float64
	// ring is the next one, taken how many vehicles the ones before it had.
	ring, taken int
	// everywhere says that the next ring has all that are left.
	everywhere bool
}

func (s *spiral) done() bool { return s.taken == s.band.count }

// begin sets out from a place.
func (s *spiral) begin(b *band, from *protocol.Position, cos float64) {
	*s = spiral{band: b, at: plotOf(from), cos: cos}
	if math.Abs(from.Lon) > farEast {
		s.everywhere = true
	}
}

// leastM is a distance, by leastFrom, that none of the rings to come is within: from
// the second on they are so many plots away to the north, to the south, to the east or
// to the west.
func (s *spiral) leastM() float64 {
	if s.ring == 0 {
		return 0
	}
	degrees := float64(s.ring-1) / plotsPerDegree
	return metresPerDegree * degrees * max(0, min(1, s.cos-degrees*(math.Pi/180))) * (1 - roundings)
}

// next appends the vehicles of the next ring, of all that are left when it lies far
// out.
func (s *spiral) next(all []*known) []*known {
	before, r := len(all), int32(s.ring)
	switch {
	case s.everywhere || s.ring > maxRings:
		for at, of := range s.band.plots {
			if max(abs(at.east-s.at.east), abs(at.north-s.at.north)) >= r {
				all = append(all, of...)
			}
		}
	case r == 0:
		all = append(all, s.band.plots[s.at]...)
	default:
		for d := -r; d <= r; d++ {
			all = append(all, s.band.plots[plot{s.at.east + d, s.at.north - r}]...)
			all = append(all, s.band.plots[plot{s.at.east + d, s.at.north + r}]...)
		}
		for d := 1 - r; d < r; d++ {
			all = append(all, s.band.plots[plot{s.at.east - r, s.at.north + d}]...)
			all = append(all, s.band.plots[plot{s.at.east + r, s.at.north + d}]...)
		}
	}
	s.ring++
	s.taken += len(all) - before
	return all
}

func abs(n int32) int32 { return max(n, -n) }
