// Package streets makes up the street networks of towns, for benchmarks and tests of
// ways among streets: the same town for the same seed.
//
// A town is not a grid, though it starts as one. Its crossings are out of line and
// its streets bend; blocks and whole parks are missing; avenues cut through it, some
// of them at an angle; a river has few bridges, and railways and express roads are
// crossed by avenues only. The middle is full of one-way streets, and everywhere
// streets end blind. It has four kinds of streets with speeds
// of their own, turns that take time, and some that are forbidden, also over a street
// between.
package streets

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/kapok-fleet/kapok/planner/cch"
	"github.com/kapok-fleet/kapok/planner/space"
)

// MaxNodes is the largest town.
const MaxNodes = 2_000_000

// ErrSize means that a town was asked for that is empty or larger than MaxNodes.
var ErrSize = errors.New("no such town")

// Kind is a kind of street.
type Kind uint8

// The kinds of streets, by the speeds on them.
const (
	Lane Kind = iota
	Street
	Avenue
	Express
)

// SpeedMPS is how fast one drives on a kind of street.
func (k Kind) SpeedMPS() float64 {
	return [...]float64{5.6, 8.3, 13.9, 22.2}[min(k, Express)]
}

// Town is a street network.
type Town struct {
	// Graph has the crossings, in metres, and the streets by direction.
	Graph cch.Graph
	// Weights is the time along each arc, in milliseconds.
	Weights []uint32
	// Kind is that of each arc.
	Kind []Kind
	// Turns are the rules of turning, with times in milliseconds. U-turns are for dead
	// ends.
	Turns cch.Turns
}

// Make makes up a town of exactly so many nodes, joined when one-way streets count
// both ways. Sizes outside of 1 to MaxNodes give ErrSize.
func Make(nodes int, seed uint64) (*Town, error) {
	if nodes < 1 || nodes > MaxNodes {
		return nil, fmt.Errorf("make up a town of %d nodes: %w: 1 to %d", nodes, ErrSize, MaxNodes)
	}
	// What parks, the river and unlucky corners take is made up for by a larger plan.
	for side := math.Sqrt(float64(nodes)) * 1.04; ; side = side*1.1 + 1 {
		p := newPlan(int(side)+2, rand.New(rand.NewPCG(seed, uint64(nodes))))
		keep := p.around(nodes)
		if len(keep) == nodes {
			return p.town(keep)
		}
	}
}

// link is a street between two crossings of a plan.
type link struct {
	a, b int32
	kind Kind
	// oneWay streets lead from a to b.
	oneWay bool
}

// plan is a town while it is drawn: a field of side by side crossings, and the ends
// of blind streets.
type plan struct {
	rnd   *rand.Rand
	side  int
	at    []space.XY
	gone  []bool
	links []link
	// rows and columns have the kind of their streets.
	rows, columns []Kind
	// rails tells after which columns a railway lies.
	rails []bool
}

func newPlan(side int, rnd *rand.Rand) *plan {
	p := &plan{
		rnd: rnd, side: side, at: make([]space.XY, side*side), gone: make([]bool, side*side),
		rows: kinds(rnd, side), columns: kinds(rnd, side), rails: make([]bool, side),
	}
	for x := 15 + rnd.IntN(20); x < side; x += 60 + rnd.IntN(60) {
		p.rails[x] = true
	}
	p.crossings()
	p.parks()
	bridges := p.river()
	p.grid()
	p.diagonals()
	p.links = append(p.links, bridges...)
	p.blind()
	return p
}

// kinds draws which rows or columns are avenues and express roads.
func kinds(rnd *rand.Rand, side int) []Kind {
	list := make([]Kind, side)
	avenue, express := 4, 20
	for i := range list {
		list[i] = Street
		if rnd.IntN(3) == 0 {
			list[i] = Lane
		}
		switch i {
		case express:
			list[i] = Express
			express += 30 + rnd.IntN(30)
			avenue = i + 6
		case avenue:
			list[i] = Avenue
			avenue += 6 + rnd.IntN(8)
		}
	}
	return list
}

// crossings places the crossings: uneven distances, slow bends, and a little of their
// own for each.
func (p *plan) crossings() {
	xs, ys := p.lines(), p.lines()
	a, b := p.rnd.Float64()*7, p.rnd.Float64()*7
	for y := range p.side {
		for x := range p.side {
			bendX := 250*math.Sin(ys[y]/2300+a) + 60*math.Sin(ys[y]/610+b)
			bendY := 250*math.Sin(xs[x]/2700+b) + 60*math.Sin(xs[x]/530+a)
			p.at[y*p.side+x] = space.XY{
				X: xs[x] + bendX + p.rnd.Float64()*36 - 18,
				Y: ys[y] + bendY + p.rnd.Float64()*36 - 18,
			}
		}
	}
}

// lines are the places of rows or columns.
func (p *plan) lines() []float64 {
	list := make([]float64, p.side)
	at := 0.0
	for i := range list {
		list[i] = at
		at += 60 + p.rnd.Float64()*p.rnd.Float64()*160
	}
	return list
}

// parks takes crossings away in ovals.
func (p *plan) parks() {
	for range p.side * p.side / 900 {
		cx, cy := p.rnd.IntN(p.side), p.rnd.IntN(p.side)
		rx, ry := 1+p.rnd.Float64()*4, 1+p.rnd.Float64()*4
		for y := max(0, cy-5); y < min(p.side, cy+6); y++ {
			for x := max(0, cx-5); x < min(p.side, cx+6); x++ {
				dx, dy := float64(x-cx)/rx, float64(y-cy)/ry
				through := p.rows[y] >= Avenue || p.columns[x] >= Avenue
				if dx*dx+dy*dy <= 1 && !through {
					p.gone[y*p.side+x] = true
				}
			}
		}
	}
}

// river takes away the crossings along a bend from side to side, and returns its
// bridges: a few of the avenues that meet it.
func (p *plan) river() []link {
	if p.side < 12 {
		return nil
	}
	var bridges []link
	mid, phase := float64(p.side)*(0.4+0.2*p.rnd.Float64()), p.rnd.Float64()*7
	next := p.rnd.IntN(10)
	for x := range p.side {
		y := mid + float64(p.side)*0.12*math.Sin(float64(x)/float64(p.side)*8+phase)
		low, high := int(y), int(y)+2
		for k := low; k <= high && k < p.side; k++ {
			p.gone[k*p.side+x] = true
		}
		a, b := (low-1)*p.side+x, (high+1)*p.side+x
		if x < next || p.columns[x] < Avenue && x < next+20 || low < 1 || high+1 >= p.side {
			continue
		}
		p.gone[a], p.gone[b] = false, false
		bridges = append(bridges, link{a: int32(a), b: int32(b), kind: max(p.columns[x], Avenue)})
		next = x + 12 + p.rnd.IntN(16)
	}
	return bridges
}

// grid draws the streets between neighbours, but for some that are missing. Streets
// in the middle of the town are mostly one-way, every other one the other way. Express
// roads and railways are met by avenues only.
func (p *plan) grid() {
	for y := range p.side {
		for x := range p.side {
			v := y*p.side + x
			if x+1 < p.side && (p.rows[y] >= Avenue || !p.barred(x)) {
				p.street(v, v+1, p.rows[y], p.old(x, y), y%2 == 0)
			}
			if y+1 < p.side && (p.columns[x] >= Avenue || p.rows[y] < Express && p.rows[y+1] < Express) {
				p.street(v, v+p.side, p.columns[x], p.old(x, y), x%2 == 0)
			}
		}
	}
}

// barred tells whether only avenues lead from a column to the next.
func (p *plan) barred(x int) bool {
	return p.rails[x] || p.columns[x] == Express || p.columns[x+1] == Express
}

// old tells whether a crossing is in the old middle of the town.
func (p *plan) old(x, y int) bool {
	dx, dy := float64(x)/float64(p.side)-0.5, float64(y)/float64(p.side)-0.5
	return dx*dx+dy*dy < 0.03
}

func (p *plan) street(a, b int, kind Kind, old, forward bool) {
	if p.gone[a] || p.gone[b] || kind <= Street && p.rnd.IntN(9) == 0 {
		return
	}
	oneWay := kind <= Street && (old && p.rnd.IntN(10) < 7 || p.rnd.IntN(16) == 0)
	if oneWay && !forward {
		a, b = b, a
	}
	p.links = append(p.links, link{int32(a), int32(b), kind, oneWay})
}

// diagonals draws avenues from edge to edge at an angle.
func (p *plan) diagonals() {
	for range p.side / 60 {
		slope := 0.4 + p.rnd.Float64()
		if p.rnd.IntN(2) == 0 {
			slope = -slope
		}
		from := p.rnd.Float64() * float64(p.side)
		last := -1
		for x := range p.side {
			y := int(math.Floor(from + slope*(float64(x)-float64(p.side)/2)))
			v := y*p.side + x
			if y < 0 || y >= p.side || p.gone[v] {
				last = -1
				continue
			}
			// Along one row or column there is a street already.
			if last >= 0 && last/p.side != y {
				p.links = append(p.links, link{a: int32(last), b: int32(v), kind: Avenue})
			}
			last = v
		}
	}
}

// blind adds streets that end blind.
func (p *plan) blind() {
	count := len(p.at)
	for v := range count {
		if p.gone[v] || p.rnd.IntN(8) > 0 {
			continue
		}
		angle, length := p.rnd.Float64()*2*math.Pi, 20+p.rnd.Float64()*50
		end := space.XY{X: p.at[v].X + length*math.Cos(angle), Y: p.at[v].Y + length*math.Sin(angle)}
		p.links = append(p.links, link{a: int32(v), b: int32(len(p.at)), kind: Lane})
		p.at = append(p.at, end)
		p.gone = append(p.gone, false)
	}
}

// around lists the crossings that are nearest to the middle of the town by the number
// of streets, at most so many.
func (p *plan) around(nodes int) []int32 {
	arcs := make([]cch.Arc, 0, 2*len(p.links))
	for _, l := range p.links {
		arcs = append(arcs, cch.Arc{Tail: l.a, Head: l.b}, cch.Arc{Tail: l.b, Head: l.a})
	}
	g, _, err := cch.NewGraph(p.at, arcs)
	if err != nil {
		return nil
	}
	seen := make([]bool, len(p.at))
	start := p.start()
	seen[start] = true
	list := []int32{start}
	for i := 0; i < len(list) && len(list) < nodes; i++ {
		first, end := g.Out(list[i])
		for a := first; a < end && len(list) < nodes; a++ {
			if h := g.Head[a]; !seen[h] {
				seen[h] = true
				list = append(list, h)
			}
		}
	}
	return list
}

// start is a crossing near the middle.
func (p *plan) start() int32 {
	mid := p.side/2*p.side + p.side/2
	if len(p.links) == 0 {
		return int32(mid)
	}
	best := slices.MinFunc(p.links, func(a, b link) int {
		return cmp.Compare(max(int(a.a)-mid, mid-int(a.a)), max(int(b.a)-mid, mid-int(b.a)))
	})
	return best.a
}
