package route

import (
	"math"
	"slices"
	"sort"

	"github.com/kapok-fleet/kapok/planner/chart"
	"github.com/kapok-fleet/kapok/planner/space"
)

// ground is the memory of searches on the ground graph. The goal is one node
// more than the graph has.
type ground struct {
	seconds []float64
	prev    []int32
	reached seen
	settled seen
	queue   heap
	path    []space.Position
	nodes   []int32

	// The drive being planned.
	drive
}

// drive is one query of a rover.
type drive struct {
	from, to chart.Snapped
	goal     space.XY
	speed    float64
	depart   int64
	groundM  float64
	// caught are the zones that the start lies in, while the rover leaves them.
	caught   []int32
	escaping bool
	keepIn   int32
	lastZone int32
}

func (p *Planner) drive(q Query) (Route, error) {
	d := &p.ground
	if r := p.beginDrive(&q); r != nil {
		return Route{}, r
	}
	if start := p.c.Frame.XY(q.From.Point()); start.Dist(p.c.Frame.XY(q.To.Point())) < 0.01 && q.From.Level == q.To.Level {
		return Route{Path: []space.Position{q.From, q.To}}, nil
	}
	budget := q.MaxExpansions
	n := len(p.c.Ground.Nodes)
	d.nodes = d.nodes[:0]
	leadS := d.from.DistM / d.speed
	exit := int32(-1)
	if len(d.caught) > 0 {
		d.escaping = true
		p.resetDrive()
		p.pushStart(leadS)
		out, ok := p.settle(&budget)
		if !ok {
			return p.noDrive(&q, budget)
		}
		d.escaping = false
		d.nodes = d.walk(out, d.nodes)
		if int(out) == n {
			return p.driven(&q, q.MaxExpansions-budget), nil
		}
		exit, leadS = out, d.seconds[out]
	}
	p.resetDrive()
	if exit >= 0 {
		p.reach(exit, -1, leadS)
	} else {
		p.pushStart(leadS)
	}
	if _, ok := p.settle(&budget); !ok {
		return p.noDrive(&q, budget)
	}
	first := len(d.nodes)
	d.nodes = d.walk(int32(n), d.nodes)
	if exit >= 0 {
		d.nodes = slices.Delete(d.nodes, first, first+1)
	}
	return p.driven(&q, q.MaxExpansions-budget), nil
}

// beginDrive joins the query to the graph and refuses what no way can mend.
func (p *Planner) beginDrive(q *Query) *Refusal {
	d := &p.ground
	caught := d.caught[:0]
	d.drive = drive{
		speed: q.Spec.CruiseMPS, depart: q.Depart.UnixNano(),
		groundM: p.groundM(q.From), keepIn: -1, lastZone: -1,
	}
	for i, at := range [2]*space.Position{&q.From, &q.To} {
		if at.Level == "" {
			at.AltitudeM = p.groundM(*at)
		}
		s, ok := p.c.Snap(*at)
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
	inSome := int32(-1)
	for i := range p.laws.zones {
		l := &p.laws.zones[i]
		if !l.ground || !l.applies(d.groundM) || !l.during(d.depart, nanos(q.Depart, LateS)) {
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
	return nil
}

// goalZone is a keep-out zone that stays in force and that the goal or the last
// line to it meets, or -1.
func (p *Planner) goalZone(q *Query, goal space.XY) int32 {
	d := &p.ground
	earliest := nanos(q.Depart, q.Spec.LowerBoundS(p.c.Frame.XY(q.From.Point()).Dist(goal)))
	for i := range p.laws.zones {
		l := &p.laws.zones[i]
		if l.rule == chart.KeepOut && l.ground && l.applies(d.groundM) && l.until == math.MaxInt64 &&
			l.during(earliest, earliest) && p.laws.shapes.meets(int32(i), d.to.XY, goal) {
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
	if p.ground.lastZone >= 0 {
		r.Object = p.laws.zones[p.ground.lastZone].id
	}
	return used, r
}

func (p *Planner) resetDrive() {
	d := &p.ground
	n := len(p.c.Ground.Nodes) + 1
	if len(d.seconds) < n {
		d.seconds, d.prev = make([]float64, n), make([]int32, n)
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
	if node := p.nodeAt(&d.from); node >= 0 {
		p.reach(node, -1, leadS)
	}
	for _, way := range p.both(d.from.Arc) {
		if way < 0 {
			continue
		}
		arc := &p.c.Ground.Arcs[way]
		if s, ok := p.part(way, d.from.XY, p.c.Ground.Nodes[arc.To].XY, leadS); ok {
			p.reach(arc.To, -1, leadS+s)
		}
		if d.to.Arc != d.from.Arc {
			continue
		}
		if forward := way == d.from.Arc; forward == (d.to.T >= d.from.T) {
			if s, ok := p.part(way, d.from.XY, d.to.XY, leadS); ok {
				p.reach(n, -1, leadS+s)
			}
		}
	}
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

// both is an arc and the one that leads back, -1 where there is none.
func (p *Planner) both(arc int32) [2]int32 {
	g := &p.c.Ground
	a := &g.Arcs[arc]
	for i := g.First[a.To]; i < g.First[a.To+1]; i++ {
		if g.Arcs[i].To == a.From {
			return [2]int32{arc, i}
		}
	}
	return [2]int32{arc, -1}
}

// reach offers a way to a node that arrives after so many seconds.
func (p *Planner) reach(node, from int32, seconds float64) {
	d := &p.ground
	if !d.reached.first(node) && seconds >= d.seconds[node] {
		return
	}
	d.seconds[node], d.prev[node] = seconds, from
	f := seconds
	if !d.escaping && int(node) < len(p.c.Ground.Nodes) {
		f += p.c.Ground.Nodes[node].XY.Dist(d.goal) / d.speed
	}
	d.queue.push(entry{f: f, g: seconds, to: node, from: from})
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
		if e.to == n || d.escaping && p.free(g.Nodes[e.to].XY) {
			return e.to, true
		}
		if *budget--; *budget < 0 {
			return 0, false
		}
		at := g.Nodes[e.to].XY
		if e.to == goalNode && !d.escaping {
			p.reach(n, e.to, e.g)
		}
		for i := g.First[e.to]; i < g.First[e.to+1]; i++ {
			arc := &g.Arcs[i]
			if (i == goals[0] || i == goals[1]) && !d.escaping {
				if s, ok := p.part(i, at, d.goal, e.g); ok {
					p.reach(n, e.to, e.g+s)
				}
			}
			if d.settled.stamp[arc.To] == d.settled.epoch {
				continue
			}
			if s, ok := p.whole(i, arc, e.g); ok {
				p.reach(arc.To, e.to, e.g+s)
			}
		}
	}
	return 0, false
}

// free tells whether a place is outside the zones that the start is caught in.
func (p *Planner) free(at space.XY) bool {
	for _, id := range p.ground.caught {
		if p.laws.shapes.inside(id, at) {
			return false
		}
	}
	return true
}

// whole is how many seconds an arc takes when entered after t seconds.
func (p *Planner) whole(i int32, arc *chart.Arc, t float64) (seconds float64, open bool) {
	speed := p.ground.speed
	if arc.SpeedLimitMPS > 0 {
		speed = min(speed, arc.SpeedLimitMPS)
	}
	seconds = arc.LengthM / speed
	if p.laws.flagged[i/64]&(1<<(i%64)) == 0 {
		return seconds, true
	}
	return p.lawful(i, nil, arc.LengthM, speed, t)
}

// part is whole for a piece of an arc.
func (p *Planner) part(i int32, from, to space.XY, t float64) (seconds float64, open bool) {
	arc := &p.c.Ground.Arcs[i]
	speed := p.ground.speed
	if arc.SpeedLimitMPS > 0 {
		speed = min(speed, arc.SpeedLimitMPS)
	}
	length := from.Dist(to)
	if p.laws.flagged[i/64]&(1<<(i%64)) == 0 {
		return length / speed, true
	}
	return p.lawful(i, &[2]space.XY{from, to}, length, speed, t)
}

// lawful applies the zones that an arc meets, to a piece of it if one is given.
func (p *Planner) lawful(i int32, piece *[2]space.XY, length, speed, t float64) (seconds float64, open bool) {
	d := &p.ground
	met := p.laws.onArc
	k := sort.Search(len(met), func(k int) bool { return met[k].arc >= i })
	for pass := range 2 {
		seconds = length / speed
		t0 := d.depart + int64(t*1e9)
		t1 := t0 + int64((seconds+LateS)*1e9)
		for _, m := range met[k:] {
			if m.arc != i {
				break
			}
			l := &p.laws.zones[m.zone]
			if !l.during(t0, t1) || !l.applies(d.groundM) ||
				piece != nil && !p.laws.shapes.meets(m.zone, piece[0], piece[1]) {
				continue
			}
			switch {
			case l.rule == chart.SpeedLimit && l.speedMPS > 0:
				speed = min(speed, l.speedMPS)
			case l.rule == chart.KeepOut && !(d.escaping && slices.Contains(d.caught, m.zone)),
				l.rule == chart.KeepIn && m.zone == d.keepIn:
				d.lastZone = m.zone
				return 0, false
			}
		}
		if pass == 0 && length/speed == seconds {
			break
		}
	}
	return length / speed, true
}

// walk appends the nodes of the way to a node, the start first.
func (d *ground) walk(node int32, dst []int32) []int32 {
	first := len(dst)
	for i := node; i >= 0; i = d.prev[i] {
		dst = append(dst, i)
	}
	slices.Reverse(dst[first:])
	return dst
}

// driven makes the route of the nodes found.
func (p *Planner) driven(q *Query, used int) Route {
	d := &p.ground
	n := len(p.c.Ground.Nodes)
	path := append(d.path[:0], q.From)
	last := p.c.Frame.XY(q.From.Point())
	lengthM := 0.0
	add := func(pos space.Position, at space.XY) {
		if step := at.Dist(last); step > 0.01 {
			path = append(path, pos)
			lengthM += step
			last = at
		}
	}
	place := func(at space.XY, level string) space.Position {
		pt := p.c.Frame.Point(at)
		return space.Position{Lon: pt[0], Lat: pt[1], AltitudeM: p.c.GroundAltitude(pt), Level: level}
	}
	add(place(d.from.XY, q.From.Level), d.from.XY)
	for _, i := range d.nodes {
		if int(i) < n {
			node := &p.c.Ground.Nodes[i]
			pos := space.Position{Lon: node.Point[0], Lat: node.Point[1], AltitudeM: p.c.GroundAltitude(node.Point), Level: node.Level}
			add(pos, node.XY)
		}
	}
	add(place(d.to.XY, q.To.Level), d.to.XY)
	goal := p.c.Frame.XY(q.To.Point())
	lengthM += goal.Dist(last)
	if len(path) > 1 && goal.Dist(last) <= 0.01 {
		path[len(path)-1] = q.To
	} else {
		path = append(path, q.To)
	}
	d.path = path
	seconds := d.seconds[n] + d.to.DistM/d.speed
	cost := q.Spec.Leg(seconds*d.speed, 0, 0, q.LoadKg)
	return Route{Path: slices.Clone(path), LengthM: lengthM, Cost: cost, Expansions: used}
}
