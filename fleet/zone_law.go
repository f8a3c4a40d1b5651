package fleet

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"github.com/paulmach/orb"

	"github.com/kapok-fleet/kapok/planner/chart"
	"github.com/kapok-fleet/kapok/planner/space"
)

// How ways are held against zones. Ways are cut at the edges of zones exactly,
// so that the answer does not hang on the size of steps.

// The slacks of the check: what a way may be beyond a limit without being
// planned anew. They are those of package verify and of the fences.
const (
	heightSlackM  = 0.5
	speedSlackMPS = 0.1
	// heightStepM is how far apart heights are compared with a limit.
	heightStepM = 25
)

// zoneLaw is a zone in force in the chart's frame.
type zoneLaw struct {
	zone             *chart.Zone
	bound            orb.Bound
	box              space.Box
	rings            [][]space.XY
	floorM, ceilingM float64
	airborne, ground bool
	roster           roster
}

// compileLaws prepares the zones that bind anybody, in the order of their ids.
func compileLaws(frame space.Frame, list []chart.Zone) []*zoneLaw {
	laws := make([]*zoneLaw, 0, len(list))
	for i := range list {
		if list[i].Rule != chart.Advise {
			laws = append(laws, newLaw(frame, &list[i]))
		}
	}
	slices.SortFunc(laws, func(a, b *zoneLaw) int { return strings.Compare(a.zone.ID, b.zone.ID) })
	return laws
}

func newLaw(frame space.Frame, z *chart.Zone) *zoneLaw {
	l := &zoneLaw{
		zone: z, bound: widened(z.Polygon.Bound()), box: space.EmptyBox(), rings: ringsOf(frame, z.Polygon), floorM: math.Inf(-1), ceilingM: math.Inf(1),
		airborne: z.Airborne || !z.Ground, ground: z.Ground || !z.Airborne,
	}
	if z.FloorM != 0 {
		l.floorM = z.FloorM
	}
	if z.CeilingM != 0 {
		l.ceilingM = z.CeilingM
	}
	for _, r := range l.rings {
		for _, p := range r {
			l.box = l.box.Extend(p)
		}
	}
	return l
}

// lawsOf is the zone of that id as it is in force, empty when it is not.
func (f *Fleet) lawsOf(id ZoneID) []*zoneLaw {
	laws := f.lawsNow()
	at, found := slices.BinarySearchFunc(laws, string(id), func(l *zoneLaw, id string) int { return strings.Compare(l.zone.ID, id) })
	if !found {
		return nil
	}
	return laws[at : at+1 : at+1]
}

// binds tells whether the zone concerns a kind of vehicle.
func (l *zoneLaw) binds(airborne bool) bool { return airborne && l.airborne || !airborne && l.ground }

// stretch is a straight part of a way, or a stay at a place.
type stretch struct {
	a, b space.XYZ
	// t0 and t1 are when it begins and ends, in seconds from now.
	t0, t1 float64
	// speedMPS is the planned ground speed, 0 for a stay.
	speedMPS float64
}

// span is a part of a stretch, from 0 at its begin to 1 at its end.
type span struct{ lo, hi float64 }

const spanSlack = 1e-9

// look is what ways are held against: which zones, whom they bind, and how long
// before its begin a zone counts.
type look struct {
	f       *Fleet
	laws    []*zoneLaw
	marginS float64
	// nearM is how near a way may pass a keep-out zone. firstMet knows it.
	nearM float64
}

// firstMet is when the way first meets a zone against its rule, in seconds from
// now, and which; nil when it meets none. A way that begins against a rule may
// lead out: it is not held against that rule before it has complied once.
func (k look) firstMet(way []stretch, airborne bool) (float64, *zoneLaw) {
	first, which := math.Inf(1), (*zoneLaw)(nil)
	if airborne {
		k.nearM = nearM
	}
	var keepIns []*zoneLaw
	for _, l := range k.laws {
		switch {
		case !l.binds(airborne):
		case l.zone.Rule == chart.KeepIn:
			keepIns = append(keepIns, l)
		default:
			if t, met := k.past(l, way).met(l, way); met && t < first {
				first, which = t, l
			}
		}
	}
	if len(keepIns) > 0 {
		if t, met := k.leaves(keepIns, way); met && t < first {
			first, which = t, keepIns[0]
		}
	}
	return first, which
}

// mayMeet tells, at little cost, whether a plan from a place may meet one of the
// zones at all. Keep-in zones concern every plan.
func (k look) mayMeet(at space.Position, legs []Leg, airborne bool) bool {
	bound := orb.Bound{Min: at.Point(), Max: at.Point()}
	for i := range legs {
		if legs[i].Final() {
			continue
		}
		for _, p := range legs[i].Path {
			bound = bound.Extend(p.Point())
		}
	}
	return slices.ContainsFunc(k.laws, func(l *zoneLaw) bool {
		return l.binds(airborne) && (l.zone.Rule == chart.KeepIn || l.bound.Intersects(bound))
	})
}

// met is when a way first breaks the rule of a zone.
func (k look) met(l *zoneLaw, way []stretch) (float64, bool) {
	free := l.zone.Rule == chart.SpeedLimit
	var room [8]span
	for i := range way {
		s := &way[i]
		spans := k.broken(l, s, room[:0])
		for _, p := range spans {
			if !free && p.lo <= spanSlack && p.hi >= 1-spanSlack {
				// Not yet out.
				break
			}
			if !free && p.lo <= spanSlack {
				free = true
				continue
			}
			return s.t0 + p.lo*(s.t1-s.t0), true
		}
		free = free || len(spans) == 0
	}
	return 0, false
}

// broken lists the parts of a stretch that break the zone's rule, in order.
func (k look) broken(l *zoneLaw, s *stretch, dst []span) []span {
	spans := k.within(l, s, dst)
	switch l.zone.Rule {
	case chart.SpeedLimit:
		if s.speedMPS <= l.zone.SpeedLimitMPS+speedSlackMPS || s.a.XY().Dist(s.b.XY()) < 0.01 {
			return spans[:0]
		}
	case chart.AltitudeLimit:
		return k.tooHigh(l, s, spans)
	case chart.KeepOut, chart.KeepIn, chart.Advise:
	}
	return spans
}

// tooHigh replaces spans within a zone by the parts that are above its limit.
func (k look) tooHigh(l *zoneLaw, s *stretch, spans []span) []span {
	var high []span
	over := func(t float64) bool {
		at := s.at(t)
		return at.Z > k.f.chart.GroundAltitudeXY(at.XY())+l.zone.HeightLimitM+heightSlackM
	}
	length := s.a.Dist(s.b)
	for _, p := range spans {
		parts := max(1, math.Ceil((p.hi-p.lo)*length/heightStepM))
		step := (p.hi - p.lo) / parts
		for j := range int(parts) {
			lo := p.lo + step*float64(j)
			hi := lo + step
			if !over(lo) && !over(hi) {
				continue
			}
			if n := len(high); n > 0 && high[n-1].hi >= lo-spanSlack {
				high[n-1].hi = hi
				continue
			}
			high = append(high, span{lo, hi})
		}
	}
	return high
}

// at is the place at a part of a stretch.
func (s *stretch) at(t float64) space.XYZ {
	return space.XYZ{X: s.a.X + (s.b.X-s.a.X)*t, Y: s.a.Y + (s.b.Y-s.a.Y)*t, Z: s.a.Z + (s.b.Z-s.a.Z)*t}
}

// within lists the parts of a stretch that lie in the zone's volume, or too near to
// it for the look, while it is in force, in order.
func (k look) within(l *zoneLaw, s *stretch, dst []span) []span {
	a, b := s.a.XY(), s.b.XY()
	apartM := k.apart(l)
	if !l.box.Intersects(space.BoxOf(a, b).Grow(apartM)) {
		return dst
	}
	tall := clip(span{0, 1}, s.a.Z, s.b.Z, l.floorM-apartM, l.ceilingM+apartM)
	var room [4]force
	for _, w := range l.forces(k.f.now, k.marginS, s.t0, s.t1, room[:0]) {
		if all := clip(tall, s.t0, s.t1, w.from, w.until); all.hi >= all.lo {
			dst = l.over(s, all, apartM, dst)
		}
	}
	return dst
}

// over adds the parts of a stretch that lie over the zone or nearer to it than that.
// All is the part that counts at all.
func (l *zoneLaw) over(s *stretch, all span, apartM float64, dst []span) []span {
	a, b := s.a.XY(), s.b.XY()
	cuts := l.cuts(a, b)
	for i := 1; i < len(cuts); i++ {
		lo, hi := max(cuts[i-1], all.lo), min(cuts[i], all.hi)
		if hi < lo || hi-lo < spanSlack && all.hi-all.lo >= spanSlack {
			continue
		}
		if !space.InRings(l.rings, a.Lerp(b, (cuts[i-1]+cuts[i])/2)) {
			continue
		}
		if n := len(dst); n > 0 && dst[n-1].hi >= lo-spanSlack {
			dst[n-1].hi = hi
			continue
		}
		dst = append(dst, span{lo, hi})
	}
	if apartM > 0 {
		return l.beside(s, all, apartM, dst)
	}
	return dst
}

// cuts are where a segment crosses the zone's edges, from 0 to 1, both included.
func (l *zoneLaw) cuts(a, b space.XY) []float64 {
	cuts := []float64{0, 1}
	d := b.Sub(a)
	if d.Len() < 1e-6 {
		return cuts
	}
	reach := space.BoxOf(a, b)
	for _, r := range l.rings {
		p := r[len(r)-1]
		for _, q := range r {
			if min(p.X, q.X) <= reach.Max.X && max(p.X, q.X) >= reach.Min.X && min(p.Y, q.Y) <= reach.Max.Y && max(p.Y, q.Y) >= reach.Min.Y {
				e := q.Sub(p)
				if across := d.Cross(e); math.Abs(across) > 1e-12 {
					t, u := p.Sub(a).Cross(e)/across, p.Sub(a).Cross(d)/across
					if t > 0 && t < 1 && u >= 0 && u <= 1 {
						cuts = append(cuts, t)
					}
				}
			}
			p = q
		}
	}
	slices.Sort(cuts)
	return cuts
}

// clip narrows a span to where a value that goes evenly from v0 to v1 is within
// least and most; the result is empty (hi below lo) when it never is.
func clip(s span, v0, v1, least, most float64) span {
	if v0 == v1 {
		if v0 < least || v0 > most {
			return span{1, 0}
		}
		return s
	}
	lo, hi := (least-v0)/(v1-v0), (most-v0)/(v1-v0)
	if lo > hi {
		lo, hi = hi, lo
	}
	return span{max(s.lo, lo), min(s.hi, hi)}
}

// leaves is when a way is first outside of all keep-in zones, after it has been
// in one, be it before that came into force.
func (k look) leaves(laws []*zoneLaw, way []stretch) (float64, bool) {
	free := false
	for i := range way {
		s := &way[i]
		var spans []span
		bound := false
		for _, l := range laws {
			if mid := (s.t0 + s.t1) / 2; l.counts(k.f.now, k.marginS, mid) {
				bound = true
				spans = k.within(l, s, spans)
			}
		}
		if !bound {
			free = free || k.willKeep(laws, s)
			continue
		}
		slices.SortFunc(spans, func(x, y span) int { return cmp.Compare(x.lo, y.lo) })
		kept := 0.0
		for _, p := range spans {
			if p.lo > kept+spanSlack && (free || kept > 0) {
				return s.t0 + kept*(s.t1-s.t0), true
			}
			kept = max(kept, p.hi)
			free = true
		}
		if kept < 1-spanSlack && free {
			return s.t0 + kept*(s.t1-s.t0), true
		}
	}
	return 0, false
}

// willKeep tells whether a stretch is at some time where a keep-in zone is to come
// into force.
func (k look) willKeep(laws []*zoneLaw, s *stretch) bool {
	early := look{f: k.f, marginS: math.Inf(1)}
	return slices.ContainsFunc(laws, func(l *zoneLaw) bool { return len(early.within(l, s, nil)) > 0 })
}

// breaks tells whether a vehicle that is at a place now breaks the zone's rule by
// being there; with keep-in zones, look.outside tells.
func (l *zoneLaw) breaks(f *Fleet, at space.XYZ, airborne bool) bool {
	s := stretch{a: at, b: at}
	if !l.binds(airborne) || l.zone.Rule == chart.SpeedLimit || l.zone.Rule == chart.KeepIn {
		return false
	}
	return len(look{f: f}.broken(l, &s, nil)) > 0
}

// outside is the first keep-in zone that binds a vehicle while it is in none.
func (f *Fleet) outside(laws []*zoneLaw, at space.XYZ, airborne bool) *zoneLaw {
	var first *zoneLaw
	for _, l := range laws {
		if l.zone.Rule != chart.KeepIn || !l.binds(airborne) {
			continue
		}
		if !l.zone.ActiveAt(f.now) {
			continue
		}
		if len(look{f: f}.within(l, &stretch{a: at, b: at}, nil)) > 0 {
			return nil
		}
		if first == nil {
			first = l
		}
	}
	return first
}
