package route

import (
	"math"
	"slices"
	"time"

	"github.com/kapok-fleet/kapok/planner/chart"
	"github.com/kapok-fleet/kapok/planner/motion"
	"github.com/kapok-fleet/kapok/planner/space"
)

// This file is what it takes at the most to land from anywhere on a way.

const (
	// landingStepM is how far apart the places of a way are at the most that landings
	// are looked for from, where it takes the most to land.
	landingStepM = 250.0
	// landingFarM is how far apart they are elsewhere.
	landingFarM = 1000.0
)

// Descent is what it takes at the most to land from anywhere on a way.
type Descent struct {
	// Worst is the landing of the place that it takes the most from.
	Worst Landing
	// First is the landing of the place at which the way begins.
	First Landing
	// LackWh is what the battery has too little of, at the place where it lacks the
	// most, to land and keep the spec's reserve; below zero it is what is left over.
	// Lacking is the landing of that place.
	LackWh  float64
	Lacking Landing
	// Expansions is what the searches took; Exhausted says that they were ended by
	// MaxExpansions, so that more of them may find less.
	Expansions int
	Exhausted  bool
}

// Along asks what it takes to land from a way.
type Along struct {
	Spec *motion.Spec
	// Way is followed from Depart on with LoadKg on board and EnergyWh in the battery.
	Way      *Route
	LoadKg   float64
	EnergyWh float64
	Depart   time.Time
	// Own are places of the caller's own, such as a home.
	Own []space.Position
	// Onward is a landing that is known to be possible from the end of the way, at the
	// time at which it is reached; nil for none.
	Onward *Landing
	// MaxExpansions bounds the searches together, 0 for no bound.
	MaxExpansions int
}

// node is a place on a way: where and when, what is left in the battery, what it takes
// on to the next node and back from there, and the best landing known, for which the
// aircraft may come to be lateS later where it was looked for than the way is planned.
type node struct {
	at       space.XYZ
	seconds  float64
	leftWh   float64
	alongM   float64
	on, back motion.Cost
	looked   bool
	landing  Landing
	lateS    float64
}

// descent is a question at work.
type descent struct {
	s     seeker
	along *Along
	nodes []node
	timed bool
	d     Descent
}

// LandingsAlong is Descend for a way that leads nowhere else and without a bound.
func (p *Planner) LandingsAlong(
	spec *motion.Spec, way *Route, loadKg, energyWh float64, depart time.Time, own ...space.Position,
) Descent {
	return p.Descend(Along{Spec: spec, Way: way, LoadKg: loadKg, EnergyWh: energyWh, Depart: depart, Own: own})
}

// Descend finds what it takes at the most to land from anywhere on a way, whose path
// Find has found for the time of departure.
//
// From each place of the way, those between its points included, an aircraft can
// lawfully land by no more energy than Worst takes, and with a lack of energy of no
// more than LackWh: it flies on to a place of the way from which a landing was looked
// for, as told at BestLanding, or back to one, and takes that. On it flies as planned,
// to the end and Onward if need be. Back it flies at the speeds that the wind and the
// zones leave it, and only where that is lawful: not into a zone, out of a keep-in zone,
// or above a limit in which the way begins, and, where zones have times, only as long as
// it comes no more than LateS later than planned to where it turns off. Landings are
// looked for at most landingStepM apart where it takes the most to land, and elsewhere at
// most landingFarM apart if EnergyWh is infinite. To stop and to turn is taken to cost
// nothing.
//
// With no landing at all, both are infinite. A way without points takes nothing.
func (p *Planner) Descend(q Along) Descent {
	w := descent{s: p.seeker(q.Spec, q.LoadKg, q.Own), along: &q, timed: p.laws.timed}
	none := noLanding()
	switch {
	case len(q.Way.Path) == 0:
		return Descent{LackWh: math.Inf(-1)}
	case !w.s.usable:
		return Descent{Worst: none, First: none, Lacking: none, LackWh: math.Inf(1)}
	}
	if q.MaxExpansions > 0 {
		w.s.left = q.MaxExpansions
	}
	before := w.s.left
	w.layNodes()
	w.lookAt(len(w.nodes) - 1)
	if q.Onward != nil {
		if last := &w.nodes[len(w.nodes)-1].landing; q.Onward.Cost.EnergyWh < last.Cost.EnergyWh {
			*last = *q.Onward
		}
	}
	stepM := landingFarM
	if !math.IsInf(q.EnergyWh, 1) {
		stepM = landingStepM
	}
	w.lookEvery(stepM)
	for w.spread(); w.refine(); w.spread() {
	}
	w.conclude()
	w.d.Expansions = before - w.s.left
	p.air.nodes = w.nodes
	return w.d
}

// layNodes cuts the way into pieces of at most landingStepM.
func (w *descent) layNodes() {
	p, q := w.s.p, w.along
	w.nodes = p.air.nodes[:0]
	p.departs = q.Depart.UnixNano()
	var spent motion.Cost
	to := p.xyz(q.Way.Path[0])
	last := node{at: to, leftWh: q.EnergyWh, landing: noLanding()}
	turns := w.mayTurn()
	for i := 1; i < len(q.Way.Path); i++ {
		from := to
		to = p.xyz(q.Way.Path[i])
		on, back := w.piece(from, to, q.Way.SpeedsMPS[i-1], spent.Seconds)
		if !turns {
			back = noLanding().Cost
		}
		steps := max(1, math.Ceil(from.Dist(to)/landingStepM))
		last.on, last.back = portion(on, 1/steps), portion(back, 1/steps)
		for k := 1.0; k <= steps; k++ {
			w.nodes = append(w.nodes, last)
			part := k / steps
			last.at = space.XYZ{X: from.X + (to.X-from.X)*part, Y: from.Y + (to.Y-from.Y)*part, Z: from.Z + (to.Z-from.Z)*part}
			last.seconds = spent.Seconds + on.Seconds*part
			last.leftWh = q.EnergyWh - spent.EnergyWh - on.EnergyWh*part
			last.alongM += from.Dist(to) / steps
		}
		spent = spent.Add(on)
	}
	w.nodes = append(w.nodes, last)
}

// piece is what a segment of the way takes on and back, infinite where the wind does
// not let the aircraft hold its course.
func (w *descent) piece(from, to space.XYZ, speedMPS, seconds float64) (on, back motion.Cost) {
	p := w.s.p
	on, ok := w.s.power.Segment(from, to, speedMPS)
	if !ok {
		return noLanding().Cost, noLanding().Cost
	}
	t0 := nanos(w.along.Depart, seconds)
	limit := p.speedLimit(from, to, t0, t0+int64((on.Seconds+2*LateS)*1e9))
	if back, ok = w.s.power.Segment(to, from, limit); !ok {
		return on, noLanding().Cost
	}
	return on, back
}

// portion is a part of a cost.
func portion(c motion.Cost, part float64) motion.Cost {
	return motion.Cost{Seconds: c.Seconds * part, EnergyWh: c.EnergyWh * part}
}

// mayTurn tells whether the way may be flown back as well: it does not begin in a zone,
// outside of a keep-in zone, or above a limit, that it is not to come to again.
func (w *descent) mayTurn() bool {
	s, p := &w.s, w.s.p
	s.q.From, s.q.To, s.q.Depart = w.along.Way.Path[0], w.along.Way.Path[0], w.along.Depart
	s.begin()
	if s.fromM-s.groundM > p.air.limitM+LimitMarginM {
		return false
	}
	t0, t1 := p.departs, nanos(w.along.Depart, LateS)
	for _, id := range p.zonesAt(s.start) {
		l := &p.laws.zones[id]
		if !l.applies(s.fromM) || !p.binds(l) || !p.during(l, t0, t1) {
			continue
		}
		if l.rule == chart.KeepOut || l.rule == chart.AltitudeLimit && s.fromM > s.groundM+l.limitM {
			return false
		}
	}
	for _, i := range p.laws.keepIns {
		if l := &p.laws.zones[i]; p.binds(l) && !slices.Contains(p.air.keepIns, i) {
			return false
		}
	}
	return true
}

// lookEvery looks for landings so far apart.
func (w *descent) lookEvery(stepM float64) {
	next := len(w.nodes) - 1
	for k := next - 1; k >= 0; k-- {
		if k == 0 || w.nodes[next].alongM-w.nodes[k-1].alongM > stepM {
			w.lookAt(k)
			next = k
		}
	}
}

// lookAt looks for the landing of a node.
func (w *descent) lookAt(k int) {
	n := &w.nodes[k]
	n.looked = true
	if w.s.left <= 0 {
		w.d.Exhausted = true
		return
	}
	depart := time.Unix(0, nanos(w.along.Depart, n.seconds)).UTC()
	if l := w.s.from(w.s.p.c.Frame.Position(n.at), depart); l.Cost.EnergyWh < n.landing.Cost.EnergyWh {
		n.landing, n.lateS = l, 0
	}
}

// spread gives each node the landings of others that it can fly on or back to, where
// they take less.
func (w *descent) spread() {
	for k := len(w.nodes) - 2; k >= 0; k-- {
		n, next := &w.nodes[k], &w.nodes[k+1]
		if next.lateS == 0 && next.landing.Cost.EnergyWh+n.on.EnergyWh < n.landing.Cost.EnergyWh {
			n.landing, n.lateS = next.landing, 0
			n.landing.Cost = n.landing.Cost.Add(n.on)
		}
	}
	for k := 1; k < len(w.nodes); k++ {
		n, last := &w.nodes[k], &w.nodes[k-1]
		lateS := last.lateS + last.on.Seconds + last.back.Seconds
		if w.inTime(lateS) && last.landing.Cost.EnergyWh+last.back.EnergyWh < n.landing.Cost.EnergyWh {
			n.landing, n.lateS = last.landing, lateS
			n.landing.Cost = n.landing.Cost.Add(last.back)
		}
	}
}

// inTime tells whether an aircraft may be so late where it turns off to land.
func (w *descent) inTime(lateS float64) bool { return !w.timed || lateS <= LateS }

// worstBetween is the landing of the place between node k and the next, these two
// included, that it takes the most from. With more of the way behind it, to fly on
// takes less and to fly back more; at the worst place both take the same, or to fly
// back would be too late.
func (w *descent) worstBetween(k int) Landing {
	n, next := &w.nodes[k], &w.nodes[k+1]
	if !next.landing.Possible() || math.IsInf(n.on.EnergyWh, 1) {
		return noLanding()
	}
	worst := next.landing
	ahead := worst.Cost.EnergyWh + n.on.EnergyWh - n.landing.Cost.EnergyWh
	part := 0.0
	if both := n.on.EnergyWh + n.back.EnergyWh; both > 0 && n.landing.Possible() && !math.IsInf(both, 1) {
		part = min(max(ahead/both, 0), 1)
		if late := n.on.Seconds + n.back.Seconds; w.timed && n.lateS+part*late > LateS {
			part = max(0, (LateS-n.lateS)/late)
		}
	}
	worst.Cost = worst.Cost.Add(portion(n.on, 1-part))
	return worst
}

// refine looks for one more landing, between the two places with landings that it may
// take the most to land between. It is false if they are next to each other.
func (w *descent) refine() bool {
	to, worstWh := len(w.nodes)-1, 0.0
	var from, until int
	mostWh := -1.0
	for k := to - 1; k >= 0; k-- {
		worstWh = max(worstWh, w.worstBetween(k).Cost.EnergyWh)
		if !w.nodes[k].looked {
			continue
		}
		if worstWh > mostWh {
			from, until, mostWh = k, to, worstWh
		}
		to, worstWh = k, 0
	}
	lengthM := w.nodes[until].alongM - w.nodes[from].alongM
	if until <= from+1 || lengthM <= landingStepM {
		return false
	}
	mid := from + 1
	for mid+1 < until && w.nodes[mid+1].alongM-w.nodes[from].alongM <= lengthM/2 {
		mid++
	}
	w.lookAt(mid)
	return true
}

// conclude gathers the worst of all.
func (w *descent) conclude() {
	d := &w.d
	d.First, d.LackWh = w.nodes[0].landing, math.Inf(-1)
	d.Worst = w.nodes[len(w.nodes)-1].landing
	for k := range w.nodes {
		n := &w.nodes[k]
		lackWh := n.landing.Cost.EnergyWh + w.along.Spec.ReserveWh() - n.leftWh
		if !n.landing.Possible() {
			lackWh = math.Inf(1)
		}
		if k == 0 || lackWh > d.LackWh {
			d.LackWh, d.Lacking = lackWh, n.landing
		}
		if k+1 == len(w.nodes) {
			break
		}
		if worst := w.worstBetween(k); worst.Cost.EnergyWh > d.Worst.Cost.EnergyWh {
			d.Worst = worst
		}
	}
}
