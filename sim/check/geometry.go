package check

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/kapok-fleet/kapok/planner/chart"
	"github.com/kapok-fleet/kapok/planner/space"
	"github.com/kapok-fleet/kapok/protocol"
)

// The tolerances of the checks: a vehicle on the very edge is not inside.
const (
	edgeM  = 0.5
	speedF = 1.02
	// sunkM is how far below the ground an aircraft must be to have hit it: the
	// ground of its body is reckoned from the same samples.
	sunkM = 1.0
)

// Geometry watches true positions. Each stay in a zone or building that must
// not be is found once, when it begins.
//
// It costs next to nothing where nothing is near: what is judged at a place also
// gives a box about it in which nothing can change, and ways within that box are
// not looked at again.
type Geometry struct {
	chart  *chart.Chart
	ground ground
	walls  *cells
	// roofs are nil for those that nobody came near.
	roofs []*roof
	zones []zone
	edges *cells
	// keepIn are the zones that must not be left.
	keepIn []int32
	// round counts judgements.
	round uint64
	// version counts the calls of SetZones that changed anything, turn is when the
	// next zone comes into force or goes.
	version int
	turn    time.Time

	movers []mover
	byID   map[string]int
	inside []string
	log    *Log
	// Forgive says why a vehicle cannot be blamed for where it is at a time: it is
	// broken, or nobody could tell it. since is when the zone appeared, zero for what
	// was there from the beginning. Empty means that it can; nil blames all.
	Forgive func(vehicle int, since time.Time) string
	// Zones and Buildings are the findings, in order of time. Caught are the
	// stays of vehicles that a zone appeared over, one for each; they become
	// violations only as SetZones tells. Forgiven are those that Forgive named a
	// reason for, at most MaxKept.
	Zones, Buildings, Caught, Forgiven []Finding
}

// mover is what is known of one vehicle.
type mover struct {
	id    string
	air   bool
	known bool
	// version is that of the zones of its last look, in the objects that it is in.
	// Beat reads these alone of nearly all vehicles.
	version int
	in      []string
	caught  []caught
	// at and mps are where it was at its last look, and how fast.
	at  space.XYZ
	mps float64
	// free is the box in which nothing can change for it up to a speed, as long as
	// the zones are those of version and until a time.
	free   free
	grazes []graze
	// last is the time of its last look.
	last time.Time
}

// free is a box of places where nothing is broken.
type free struct {
	lo, hi space.XYZ
	mps    float64
}

func (f *free) holds(p space.XYZ, mps float64) bool {
	return p.X >= f.lo.X && p.X <= f.hi.X && p.Y >= f.lo.Y && p.Y <= f.hi.Y && p.Z >= f.lo.Z && p.Z <= f.hi.Z && mps <= f.mps
}

// nowhere is a box without places.
func nowhere() free { return free{mps: -1} }

// NewGeometry takes the zones and buildings of a chart.
func NewGeometry(c *chart.Chart) *Geometry {
	g := &Geometry{chart: c, ground: newGround(c), roofs: make([]*roof, len(c.Buildings)), byID: map[string]int{}, log: &Log{}}
	walls := make([]shape, len(c.Buildings))
	for i := range c.Buildings {
		walls[i] = shapeOf(c.Outline(int32(i)))
	}
	g.walls = newCells(walls)
	for i := range c.Zones {
		g.zones = append(g.zones, g.compile(&c.Zones[i]))
	}
	g.index(time.Time{})
	return g
}

func shapeOf(rings [][]space.XY) shape {
	s := shape{rings: rings, box: space.EmptyBox()}
	for _, ring := range rings {
		for _, p := range ring {
			s.box = s.box.Extend(p)
		}
	}
	return s
}

// Report makes the findings go to a log too.
func (g *Geometry) Report(log *Log) { g.log = log }

// Add makes a vehicle known and returns its number, which counts from 0. One that
// is known has the number that it had.
func (g *Geometry) Add(vehicle string, kind protocol.Kind) int {
	n, known := g.byID[vehicle]
	if !known {
		n = len(g.movers)
		g.byID[vehicle] = n
		g.movers = append(g.movers, mover{id: vehicle, air: flies(kind), version: -1, free: nowhere()})
	}
	return n
}

func flies(kind protocol.Kind) bool { return kind == protocol.Multirotor || kind == protocol.VTOL }

// Look judges where a vehicle is at a time, and nothing of its way there. Looks at
// one vehicle must be in order of time.
func (g *Geometry) Look(now time.Time, vehicle string, kind protocol.Kind, at space.XYZ, speedMPS float64) {
	m := &g.movers[g.Add(vehicle, kind)]
	if m.known && m.version == g.version && now.Before(g.turn) && m.free.holds(at, speedMPS) {
		m.at, m.mps, m.last = at, speedMPS, now
		return
	}
	g.judge(now, m, at, speedMPS)
}

// Way judges a straight way that a vehicle, named by its number, went at a constant
// speed along the ground; now is the end of it. All of the way is looked at, not its
// ends alone. A vehicle that stays where it is needs no call; Beat does for it.
func (g *Geometry) Way(now time.Time, vehicle int, from, to space.XYZ, speedMPS float64) {
	m := &g.movers[vehicle]
	if m.version == g.version && now.Before(g.turn) && m.free.holds(from, speedMPS) && m.free.holds(to, speedMPS) {
		m.at, m.mps, m.last = to, speedMPS, now
		return
	}
	g.trace(now, m, from, to, speedMPS)
}

// leastStepM is how far apart the places are, at most, at which a way is judged near
// something.
const leastStepM = 0.5

// trace goes along a way from one box without change to the next.
func (g *Geometry) trace(now time.Time, m *mover, from, to space.XYZ, mps float64) {
	length := from.Dist(to)
	done := 0.0
	held := m.known && m.version == g.version && now.Before(g.turn)
	if !held || !m.free.holds(from, mps) && (m.at != from || m.mps != mps) {
		// Where it came to at the same speed it was judged when it came.
		g.judge(now, m, from, mps)
	}
	for done < length {
		done += max(m.free.room(from, to, done/length)*length, leastStepM)
		if done >= length {
			break
		}
		t := done / length
		g.judge(now, m, space.XYZ{X: from.X + (to.X-from.X)*t, Y: from.Y + (to.Y-from.Y)*t, Z: from.Z + (to.Z-from.Z)*t}, mps)
	}
	if m.free.holds(to, mps) {
		m.at, m.mps, m.last = to, mps, now
		return
	}
	g.judge(now, m, to, mps)
}

// room is the share of a way that lies in the box from a share on.
func (f *free) room(from, to space.XYZ, done float64) float64 {
	if f.mps < 0 {
		return 0
	}
	out := min(leaves(from.X, to.X, f.lo.X, f.hi.X), leaves(from.Y, to.Y, f.lo.Y, f.hi.Y), leaves(from.Z, to.Z, f.lo.Z, f.hi.Z))
	return max(out-done, 0)
}

// leaves is the share of the way from a to b at which it leaves lo to hi.
func leaves(a, b, lo, hi float64) float64 {
	switch {
	case b > hi:
		return (hi - a) / (b - a)
	case b < lo:
		return (lo - a) / (b - a)
	}
	return 1
}

// Beat judges vehicles again that stand where they did, where zones have changed,
// come into force or gone since their last look, and those that are where they must
// not be. It is to be called each second, after SetZones.
func (g *Geometry) Beat(now time.Time) {
	turned := !now.Before(g.turn)
	if turned {
		g.index(now)
	}
	for i := range g.movers {
		m := &g.movers[i]
		if (m.version != g.version || len(m.in) > 0 || len(m.caught) > 0) && m.known && m.last.Before(now) {
			g.judge(now, m, m.at, m.mps)
		}
	}
}

// judge looks at one place, and finds the box about it in which nothing changes.
func (g *Geometry) judge(now time.Time, m *mover, at space.XYZ, mps float64) {
	if !now.Before(g.turn) {
		g.index(now)
	}
	g.inside = g.inside[:0]
	g.round++
	f := free{lo: at, hi: at, mps: math.Inf(1)}
	reach := boxM
	groundM := g.ground.at(at.XY())
	heightM := at.Z - groundM
	room := g.judgeZones(now, m, at, mps, heightM, &reach, &f)
	g.followCaught(now, m, at, m.air && heightM <= landedM)
	if m.air {
		room = g.judgeGround(now, m, at, mps, heightM) && room
		room = g.judgeWalls(now, m, at, mps, heightM, &reach, &f) && room
	}
	g.endGrazes(now, m, at)
	m.in = append(m.in[:0], g.inside...)
	m.at, m.mps, m.last, m.version, m.known = at, mps, now, g.version, true
	if !room || len(m.in) > 0 || len(m.caught) > 0 || !g.open(m, at, reach, &f) {
		m.free = nowhere()
		return
	}
	m.free = f
}

// boxM is half the side of the greatest box, flatM half its height.
const (
	boxM  = 32.0
	flatM = 60.0
)

// open makes the box about a place as large as reach and ground allow. f holds, in
// its heights, the altitudes that must not be left; it is false when there is no
// room.
func (g *Geometry) open(m *mover, at space.XYZ, reach float64, f *free) bool {
	if f.lo.Z == at.Z {
		f.lo.Z = at.Z - flatM
	}
	if f.hi.Z == at.Z {
		f.hi.Z = at.Z + flatM
	}
	for ; reach > 0.05; reach /= 3 {
		box := space.Box{Min: at.XY(), Max: at.XY()}.Grow(reach)
		lo, hi := f.lo.Z, f.hi.Z
		if m.air {
			low, high := g.ground.between(box)
			lo = max(lo, high+lowM)
			if g.chart.HeightLimitM > 0 {
				hi = min(hi, low+g.chart.HeightLimitM)
			}
		}
		if lo <= at.Z && at.Z <= hi {
			f.lo = space.XYZ{X: box.Min.X, Y: box.Min.Y, Z: lo}
			f.hi = space.XYZ{X: box.Max.X, Y: box.Max.Y, Z: hi}
			return true
		}
	}
	return false
}

// limit is what findings call the height limit of the chart.
const limit = "height limit"

// judgeGround finds an aircraft below the ground or above the height limit of the
// chart.
func (g *Geometry) judgeGround(now time.Time, m *mover, at space.XYZ, mps, heightM float64) bool {
	if heightM < -sunkM {
		g.enter(now, m, Finding{Checker: Terrain, Object: terrain, Text: fmt.Sprintf("is %.1f m below the ground at %s", -heightM, place(at))})
		return false
	}
	switch {
	case heightM >= lowM:
	case heightM > landedM && mps > lowMPS:
		g.graze(now, m, terrain, heightM)
	default:
		// Who rises from here takes off, even if not straight up.
		g.stand(m, terrain)
	}
	if g.chart.HeightLimitM <= 0 || heightM <= g.chart.HeightLimitM+edgeM {
		return true
	}
	g.enter(now, m, Finding{Checker: Height, Object: limit, Text: fmt.Sprintf("is %.1f m above ground at %s", heightM, place(at))})
	return false
}

// enter notes that a vehicle is where it must not be, and finds that once.
func (g *Geometry) enter(now time.Time, m *mover, f Finding) {
	g.inside = append(g.inside, f.Object)
	if !slices.Contains(m.in, f.Object) {
		g.find(now, m, f, time.Time{})
	}
}

// find blames a vehicle, unless it is to be forgiven.
func (g *Geometry) find(now time.Time, m *mover, f Finding, since time.Time) {
	f.Time, f.Vehicle = now, m.id
	if g.Forgive != nil {
		if why := g.Forgive(g.byID[m.id], since); why != "" {
			if len(g.Forgiven) < MaxKept {
				f.Text += "; " + why
				g.Forgiven = append(g.Forgiven, f)
			}
			return
		}
	}
	switch f.Checker {
	case Buildings:
		g.Buildings = append(g.Buildings, f)
	case Zones, Height:
		g.Zones = append(g.Zones, f)
	}
	g.log.Add(f)
}

func place(at space.XYZ) string { return fmt.Sprintf("%.1f, %.1f, %.1f m", at.X, at.Y, at.Z) }
