package route

import (
	"slices"
	"sort"

	"github.com/paulmach/orb"

	"github.com/kapok-fleet/kapok/planner/chart"
	"github.com/kapok-fleet/kapok/planner/space"
)

// ground is the memory of searches on the ground graph. The goal is one node
// more than the graph has.
type ground struct {
	// seconds is when each node is reached after the departure, prev from where
	// (-1 for the start) and speeds how fast.
	seconds []float64
	prev    []int32
	speeds  []float64
	reached seen
	settled seen
	queue   heap
	path    []space.Position
	mps     []float64
	// steps is the way found.
	steps []step

	// The drive being planned.
	drive
}

// step is a node of a way and the speed at which it is reached.
type step struct {
	node int32
	mps  float64
}

// drive is one query of a rover.
type drive struct {
	from, to chart.Snapped
	goal     space.XY
	speed    float64
	// leadMPS is the speed from the start to the graph,
	// and leadS how long that takes.
	leadMPS, leadS float64
	// startMPS is the limit of speed about the start, within AheadM.
	startMPS float64
	depart   int64
	// profile is the class of vehicle whose arcs are open.
	profile chart.Profile
	// caught are the zones that the start lies in, while the rover leaves them.
	caught   []int32
	escaping bool
	keepIn   int32
	lastZone int32
	// closedBy is the first closed way that was met, 0 for none.
	closedBy int64
}

func (p *Planner) drive(q Query) (Route, error) {
	d := &p.ground
	if r := p.beginDrive(&q); r != nil {
		return Route{}, r
	}
	if start := p.c.Frame.XY(q.From.Point()); start.Dist(p.c.Frame.XY(q.To.Point())) < 0.01 && q.From.Level == q.To.Level {
		return Route{Path: []space.Position{q.From, q.To}, SpeedsMPS: []float64{d.speed}}, nil
	}
	budget := q.MaxExpansions
	n := len(p.c.Ground.Nodes)
	d.steps = d.steps[:0]
	start := p.c.Frame.XY(q.From.Point())
	d.startMPS = p.besideMPS(start, start, 0, AheadM)
	d.leadMPS = min(p.besideMPS(start, d.from.XY, 0, 0), d.startMPS)
	leadS := d.from.DistM / d.leadMPS
	exit := int32(-1)
	if len(d.caught) > 0 || p.shutIn(&d.from) {
		d.escaping = true
		p.resetDrive()
		p.pushStart(leadS)
		out, ok := p.settle(&budget)
		if !ok {
			return p.noDrive(&q, budget)
		}
		d.escaping = false
		d.steps = d.walk(out, d.steps)
		if int(out) == n {
			return p.driven(&q, q.MaxExpansions-budget), nil
		}
		exit, leadS = out, d.seconds[out]
	}
	p.resetDrive()
	if exit >= 0 {
		p.reach(exit, -1, leadS, d.speed)
	} else {
		p.pushStart(leadS)
	}
	if _, ok := p.settle(&budget); !ok {
		return p.noDrive(&q, budget)
	}
	first := len(d.steps)
	d.steps = d.walk(int32(n), d.steps)
	if exit >= 0 {
		d.steps = slices.Delete(d.steps, first, first+1)
	}
	return p.driven(&q, q.MaxExpansions-budget), nil
}

// beginDrive joins the query to the graph and refuses what no way can mend.
func (p *Planner) beginDrive(q *Query) *Refusal {
	d := &p.ground
	caught := d.caught[:0]
	d.drive = drive{
		speed: q.Spec.CruiseMPS, depart: q.Depart.UnixNano(),
		profile: chart.Sidewalk, keepIn: -1, lastZone: -1,
	}
	if q.Spec.Road {
		d.profile = chart.Road
	}
	for i, at := range [2]*space.Position{&q.From, &q.To} {
		if at.Level == "" {
			at.AltitudeM = p.groundM(*at)
		}
		s, ok := p.c.SnapOn(*at, d.profile)
		if !ok || s.DistM > SnapLimitM {
			return &Refusal{Rule: OffNetwork, At: *at, Number: s.DistM}
		}
		if i == 0 {
			d.from = s
		} else {
			d.to = s
		}
	}
	d.goal = d.to.XY
	start, goal := p.c.Frame.XY(q.From.Point()), p.c.Frame.XY(q.To.Point())
	inSome, groundM := int32(-1), p.groundM(q.From)
	for i := range p.laws.zones {
		l := &p.laws.zones[i]
		if !l.ground || !l.applies(groundM) || !p.during(l, d.depart, nanos(q.Depart, LateS)) {
			continue
		}
		switch here := p.laws.shapes.inside(int32(i), start); {
		case l.rule == chart.KeepOut && here:
			caught = append(caught, int32(i))
		case l.rule == chart.KeepIn && here:
			if inSome < 0 {
				inSome = int32(i)
			}
			if d.keepIn < 0 && p.laws.shapes.inside(int32(i), goal) {
				d.keepIn = int32(i)
			}
		}
	}
	d.caught = caught
	if inSome >= 0 && d.keepIn < 0 {
		return &Refusal{Rule: InsideZone, At: q.To, Object: p.laws.zones[inSome].id}
	}
	if id := p.goalZone(q, goal); id >= 0 {
		return &Refusal{Rule: InsideZone, At: q.To, Object: p.laws.zones[id].id}
	}
	if way := p.c.Ground.Arcs[d.to.Arc].WayID; p.closed[way] && p.nodeAt(&d.to) < 0 {
		return &Refusal{Rule: WayClosed, At: q.To, Object: wayName(way)}
	}
	return nil
}

// goalZone is a keep-out zone that stays in force and that the goal or the last
// line to it meets, or -1.
func (p *Planner) goalZone(q *Query, goal space.XY) int32 {
	d := &p.ground
	earliest := nanos(q.Depart, q.Spec.LowerBoundS(p.c.Frame.XY(q.From.Point()).Dist(goal)))
	groundM := p.groundM(q.To)
	for i := range p.laws.zones {
		l := &p.laws.zones[i]
		if l.rule == chart.KeepOut && l.ground && l.applies(groundM) && l.endless() &&
			p.during(l, earliest, earliest) && p.laws.shapes.meets(int32(i), d.to.XY, goal) {
			return int32(i)
		}
	}
	return -1
}

func (p *Planner) noDrive(q *Query, budget int) (Route, error) {
	used := Route{Expansions: q.MaxExpansions - budget}
	if budget < 0 {
		used.Expansions = q.MaxExpansions
		return used, &Refusal{Rule: Budget, At: q.To, Number: float64(q.MaxExpansions)}
	}
	r := &Refusal{Rule: NoWay, At: q.To}
	switch d := &p.ground; {
	case d.closedBy != 0:
		r.Object = wayName(d.closedBy)
	case d.lastZone >= 0:
		r.Object = p.laws.zones[d.lastZone].id
	}
	return used, r
}

func (p *Planner) resetDrive() {
	d := &p.ground
	n := len(p.c.Ground.Nodes) + 1
	if len(d.seconds) < n {
		d.seconds, d.prev, d.speeds = make([]float64, n), make([]int32, n), make([]float64, n)
	}
	d.reached.reset(n)
	d.settled.reset(n)
	d.queue = d.queue[:0]
}

// pushStart offers the ways that lead from the start's place on its arc: to
// either end, and to the goal where it lies on the same arc.
func (p *Planner) pushStart(leadS float64) {
	d := &p.ground
	n := int32(len(p.c.Ground.Nodes))
	d.leadS = leadS
	if node := p.nodeAt(&d.from); node >= 0 {
		p.reach(node, -1, leadS, d.speed)
	}
	for _, way := range p.both(d.from.Arc) {
		if way < 0 {
			continue
		}
		arc := &p.c.Ground.Arcs[way]
		if s, mps, ok := p.setOut(way, p.c.Ground.Nodes[arc.To].XY); ok {
			p.reach(arc.To, -1, leadS+s, mps)
		}
		if d.to.Arc != d.from.Arc {
			continue
		}
		if forward := way == d.from.Arc; forward == (d.to.T >= d.from.T) {
			if s, mps, ok := p.setOut(way, d.to.XY); ok {
				p.reach(n, -1, leadS+s, mps)
			}
		}
	}
}

// setOut is part for the piece of an arc from the start on.
func (p *Planner) setOut(way int32, to space.XY) (seconds, mps float64, open bool) {
	d := &p.ground
	seconds, mps, open = p.part(way, d.from.XY, to, d.leadS)
	if d.from.DistM < AheadM && d.startMPS < mps {
		seconds, mps = d.from.XY.Dist(to)/d.startMPS, d.startMPS
	}
	return seconds, mps, open
}

// nodeAt is the node that a place on the graph coincides with, or -1. From
// there every arc of the node is open, whichever of them the place was found on.
func (p *Planner) nodeAt(s *chart.Snapped) int32 {
	arc := &p.c.Ground.Arcs[s.Arc]
	for _, node := range [2]int32{arc.From, arc.To} {
		if p.c.Ground.Nodes[node].XY.Dist(s.XY) < 0.01 {
			return node
		}
	}
	return -1
}

// both is an arc and the one of the vehicle's profile that leads back, -1 where
// there is none.
func (p *Planner) both(arc int32) [2]int32 {
	g := &p.c.Ground
	a := &g.Arcs[arc]
	for i := g.First[a.To]; i < g.First[a.To+1]; i++ {
		if g.Arcs[i].To == a.From && g.Arcs[i].Profiles&p.ground.profile != 0 {
			return [2]int32{arc, i}
		}
	}
	return [2]int32{arc, -1}
}

// reach offers a way to a node that arrives after so many seconds, at a speed.
func (p *Planner) reach(node, from int32, seconds, mps float64) {
	d := &p.ground
	after := p.leftAfter(node, from, seconds)
	if !d.reached.first(node) && after >= d.seconds[node] {
		return
	}
	d.seconds[node], d.prev[node], d.speeds[node] = after, from, mps
	f := after
	if !d.escaping && int(node) < len(p.c.Ground.Nodes) {
		f += p.c.Ground.Nodes[node].XY.Dist(d.goal) / d.speed
	}
	d.queue.push(entry{f: f, g: seconds, to: node, from: from})
}

// leftAfter is when a way that reaches a node after so many seconds has left the
// zones that the start is caught in, on its last arc; for all other ways it is
// when they reach the node.
func (p *Planner) leftAfter(node, from int32, seconds float64) float64 {
	d := &p.ground
	if !d.escaping || int(node) == len(p.c.Ground.Nodes) {
		return seconds
	}
	to := p.c.Ground.Nodes[node].XY
	if len(d.caught) == 0 || !p.free(node) {
		return seconds
	}
	at, begun := d.from.XY, d.leadS
	if from >= 0 {
		at, begun = p.c.Ground.Nodes[from].XY, d.seconds[from]
	}
	last := 0.0
	for _, id := range d.caught {
		if _, t1, ok := p.laws.shapes.span(id, at, to, 0); ok {
			last = max(last, t1)
		}
	}
	return begun + last*(seconds-begun)
}

// settle takes nodes in order of the least total until the goal, or while
// escaping until a node outside the zones that the start was caught in. The
// estimate is the straight line at the greatest speed that costs are reckoned
// with, so it is never too great (Hart, Nilsson and Raphael, "A formal basis
// for the heuristic determination of minimum cost paths", 1968).
func (p *Planner) settle(budget *int) (node int32, ok bool) {
	d := &p.ground
	g := &p.c.Ground
	n := int32(len(g.Nodes))
	goals, goalNode := p.both(d.to.Arc), p.nodeAt(&d.to)
	for len(d.queue) > 0 {
		e := d.queue.pop()
		if !d.settled.first(e.to) {
			continue
		}
		if e.to == n || d.escaping && p.free(e.to) {
			d.seconds[e.to] = e.g
			return e.to, true
		}
		if *budget--; *budget < 0 {
			return 0, false
		}
		at := g.Nodes[e.to].XY
		if e.to == goalNode && !d.escaping {
			p.reach(n, e.to, e.g, d.speed)
		}
		for i := g.First[e.to]; i < g.First[e.to+1]; i++ {
			arc := &g.Arcs[i]
			if (i == goals[0] || i == goals[1]) && !d.escaping {
				if s, mps, ok := p.part(i, at, d.goal, e.g); ok {
					p.reach(n, e.to, e.g+s, mps)
				}
			}
			if d.settled.stamp[arc.To] == d.settled.epoch {
				continue
			}
			if s, mps, ok := p.whole(i, arc, e.g); ok {
				p.reach(arc.To, e.to, e.g+s, mps)
			}
		}
	}
	return 0, false
}

// whole is how many seconds an arc takes when entered after t seconds, and at
// what speed. It is open to the vehicles of its profiles alone.
func (p *Planner) whole(i int32, arc *chart.Arc, t float64) (seconds, mps float64, open bool) {
	if p.shut(arc) {
		return 0, 0, false
	}
	speed := p.ground.speed
	if arc.SpeedLimitMPS > 0 {
		speed = min(speed, arc.SpeedLimitMPS)
	}
	seconds = arc.LengthM / speed
	if p.laws.flagged[i/64]&(1<<(i%64)) == 0 {
		return seconds, speed, true
	}
	return p.lawful(i, nil, arc.LengthM, speed, t)
}

// part is whole for a piece of an arc.
func (p *Planner) part(i int32, from, to space.XY, t float64) (seconds, mps float64, open bool) {
	arc := &p.c.Ground.Arcs[i]
	if p.shut(arc) {
		return 0, 0, false
	}
	speed := p.ground.speed
	if arc.SpeedLimitMPS > 0 {
		speed = min(speed, arc.SpeedLimitMPS)
	}
	length := from.Dist(to)
	if p.laws.flagged[i/64]&(1<<(i%64)) == 0 {
		return length / speed, speed, true
	}
	return p.lawful(i, &[2]space.XY{from, to}, length, speed, t)
}

// lawful applies the zones that an arc meets, to a piece of it if one is given.
func (p *Planner) lawful(i int32, piece *[2]space.XY, length, speed, t float64) (seconds, mps float64, open bool) {
	d := &p.ground
	met := p.laws.onArc
	k := sort.Search(len(met), func(k int) bool { return met[k].arc >= i })
	arc := &p.c.Ground.Arcs[i]
	z0, z1 := p.c.GroundAltitude(p.c.Ground.Nodes[arc.From].Point), p.c.GroundAltitude(p.c.Ground.Nodes[arc.To].Point)
	for pass := range 2 {
		seconds = length / speed
		t0 := d.depart + int64(t*1e9)
		t1 := t0 + int64((seconds+LateS)*1e9)
		for _, m := range met[k:] {
			if m.arc != i {
				break
			}
			l := &p.laws.zones[m.zone]
			if !p.during(l, t0, t1) || !overlaps(l, z0, z1) ||
				piece != nil && !p.laws.shapes.meets(m.zone, piece[0], piece[1]) {
				continue
			}
			switch {
			case l.rule == chart.SpeedLimit && l.speedMPS > 0:
				speed = min(speed, l.speedMPS)
			case l.rule == chart.KeepOut && !(d.escaping && slices.Contains(d.caught, m.zone)),
				l.rule == chart.KeepIn && m.zone == d.keepIn:
				d.lastZone = m.zone
				return 0, 0, false
			}
		}
		if pass == 0 && length/speed == seconds {
			break
		}
	}
	return length / speed, speed, true
}

// touchM is how near is on the edge.
const touchM = 1e-6

// besideMPS is the speed beside the graph, on the straight line between a place
// and where it is joined to the graph, entered after t seconds; zones as near as
// reachM count.
func (p *Planner) besideMPS(from, to space.XY, t, reachM float64) float64 {
	d := &p.ground
	speed := d.speed
	t0 := d.depart + int64(t*1e9)
	t1 := t0 + int64((from.Dist(to)/speed+LateS)*1e9)
	p.seen.reset(p.laws.shapes.count())
	p.ids = p.laws.ix.along(from, to, reachM, &p.seen, p.ids[:0])
	groundM := p.c.GroundAltitudeXY(from)
	for _, id := range p.ids {
		l := &p.laws.zones[id]
		if l.rule == chart.SpeedLimit && l.speedMPS > 0 && l.ground && l.applies(groundM) &&
			p.during(l, t0, t1) && (p.laws.shapes.closer(id, from, to, max(reachM, touchM)) || p.laws.shapes.inside(id, from)) {
			speed = min(speed, l.speedMPS)
		}
	}
	return speed
}

// walk appends the way to a node, the start first.
func (d *ground) walk(node int32, dst []step) []step {
	first := len(dst)
	for i := node; i >= 0; i = d.prev[i] {
		dst = append(dst, step{i, d.speeds[i]})
	}
	slices.Reverse(dst[first:])
	return dst
}

// driven makes the route of the steps found. Points closer than a centimetre
// become one.
func (p *Planner) driven(q *Query, used int) Route {
	d := &p.ground
	d.path, d.mps = append(d.path[:0], q.From), d.mps[:0]
	r := Route{Expansions: used}
	last, seconds := p.c.Frame.XY(q.From.Point()), 0.0
	extend := func(pos space.Position, at space.XY, mps float64) {
		lengthM := at.Dist(last)
		d.path, d.mps, last = append(d.path, pos), append(d.mps, mps), at
		r.LengthM += lengthM
		seconds += lengthM / mps
	}
	place := func(pt orb.Point, level string, at space.XY, mps float64) {
		if at.Dist(last) > 0.01 {
			extend(space.Position{Lon: pt[0], Lat: pt[1], AltitudeM: p.c.GroundAltitude(pt), Level: level}, at, mps)
		}
	}
	place(p.c.Frame.Point(d.from.XY), q.From.Level, d.from.XY, d.leadMPS)
	for _, s := range d.steps {
		if int(s.node) == len(p.c.Ground.Nodes) {
			place(p.c.Frame.Point(d.goal), q.To.Level, d.goal, s.mps)
			continue
		}
		node := &p.c.Ground.Nodes[s.node]
		place(node.Point, node.Level, node.XY, s.mps)
	}
	goal := p.c.Frame.XY(q.To.Point())
	if len(d.path) > 1 && goal.Dist(last) <= 0.01 {
		d.path[len(d.path)-1] = q.To
	} else {
		extend(q.To, goal, p.besideMPS(d.goal, goal, seconds, 0))
	}
	r.Path, r.SpeedsMPS = slices.Clone(d.path), slices.Clone(d.mps)
	r.Cost = q.Spec.Leg(seconds*d.speed, 0, 0, q.LoadKg)
	return r
}
