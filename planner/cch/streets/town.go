package streets

import (
	"fmt"
	"math"

	"github.com/kapok-fleet/kapok/planner/cch"
	"github.com/kapok-fleet/kapok/planner/space"
)

// town makes the network of the crossings that are kept.
func (p *plan) town(keep []int32) (*Town, error) {
	number := make([]int32, len(p.at))
	for i := range number {
		number[i] = -1
	}
	at := make([]space.XY, len(keep))
	for i, v := range keep {
		number[v], at[i] = int32(i), p.at[v]
	}
	var arcs []cch.Arc
	var kinds []Kind
	var twins []int32
	for _, l := range p.links {
		a, b := number[l.a], number[l.b]
		if a < 0 || b < 0 {
			continue
		}
		first := int32(len(arcs))
		arcs, kinds, twins = append(arcs, cch.Arc{Tail: a, Head: b}), append(kinds, l.kind), append(twins, -1)
		if !l.oneWay {
			arcs, kinds, twins = append(arcs, cch.Arc{Tail: b, Head: a}), append(kinds, l.kind), append(twins, first)
			twins[first] = first + 1
		}
	}
	g, given, err := cch.NewGraph(at, arcs)
	if err != nil {
		return nil, fmt.Errorf("make up a town: %w", err)
	}
	t := &Town{Graph: g, Weights: make([]uint32, len(arcs)), Kind: make([]Kind, len(arcs))}
	t.Turns.Twin = make([]int32, len(arcs))
	sorted := make([]int32, len(arcs))
	for a, was := range given {
		sorted[was] = int32(a)
	}
	tails := g.Tails()
	for a, was := range given {
		t.Kind[a], t.Turns.Twin[a] = kinds[was], -1
		if w := twins[was]; w >= 0 {
			t.Turns.Twin[a] = sorted[w]
		}
		from, to := at[tails[a]], at[g.Head[a]]
		metres := math.Hypot(to.X-from.X, to.Y-from.Y) * (1 + 0.2*p.rnd.Float64())
		t.Weights[a] = uint32(math.Round(1000 * metres / t.Kind[a].SpeedMPS()))
	}
	t.rules(p, tails)
	return t, nil
}

// Times of turns, in milliseconds.
const (
	acrossMS   = 6000
	asideMS    = 2000
	lightsMS   = 4000
	turnBackMS = 15000
)

// rules draws the rules of turning.
func (t *Town) rules(p *plan, tails []int32) {
	angle := make([]float64, len(tails))
	for a, tail := range tails {
		from, to := t.Graph.At[tail], t.Graph.At[t.Graph.Head[a]]
		angle[a] = math.Atan2(to.Y-from.Y, to.X-from.X)
	}
	bend := func(from, to int32) float64 { return math.Remainder(angle[to]-angle[from], 2*math.Pi) }
	t.Turns.UTurn, t.Turns.UTurnAtEnd = cch.Infinity, turnBackMS
	t.Turns.Cost = func(from, to int32) uint32 {
		cost := uint32(0)
		switch b := bend(from, to); {
		case b > 0.8:
			cost = acrossMS
		case b < -0.8:
			cost = asideMS
		}
		if t.Kind[from] < Avenue && t.Kind[to] >= Avenue {
			cost += lightsMS
		}
		return cost
	}
	for a := range tails {
		from := int32(a)
		first, end := t.Graph.Out(t.Graph.Head[a])
		for to := first; to < end; to++ {
			if to == t.Turns.Twin[a] {
				continue
			}
			// Left turns off avenues, turns across two streets back to the first one's start,
			// and places where one must go straight on.
			left := bend(from, to) > 0.8
			switch {
			case left && t.Kind[a] >= Avenue && t.Kind[to] >= Avenue && p.rnd.IntN(5) == 0:
				t.Turns.Never = append(t.Turns.Never, []int32{from, to})
			case left && p.rnd.IntN(60) == 0:
				t.noWayRound(from, to, bend)
			case math.Abs(bend(from, to)) < 0.3 && p.rnd.IntN(300) == 0:
				t.Turns.Only = append(t.Turns.Only, []int32{from, to})
			}
		}
	}
}

// noWayRound forbids two left turns in a row.
func (t *Town) noWayRound(from, via int32, bend func(from, to int32) float64) {
	first, end := t.Graph.Out(t.Graph.Head[via])
	for to := first; to < end; to++ {
		if to != t.Turns.Twin[via] && bend(via, to) > 0.8 {
			t.Turns.Never = append(t.Turns.Never, []int32{from, via, to})
		}
	}
}
