package cch_test

import (
	"math/rand/v2"
	"testing"

	"github.com/kapok-fleet/kapok/planner/cch"
	"github.com/kapok-fleet/kapok/planner/cch/streets"
)

// form is a town in one of the two forms of a network, ready for questions.
type form struct {
	town    *streets.Town
	turns   *cch.Expanded // nil for the plain form
	graph   *cch.Graph
	weights []uint32
	h       *cch.Hierarchy
	m       *cch.Metric
}

// forms are the two forms of a town's network.
var forms = []struct {
	name string
	edge bool
}{{"nodes", false}, {"edges", true}}

func order(tb testing.TB, f *form) []int32 {
	tb.Helper()
	if f.turns == nil {
		list, err := cch.Order(f.graph)
		must(tb, err)
		return list
	}
	arcs, err := cch.OrderArcs(&f.town.Graph)
	must(tb, err)
	list, err := f.turns.Order(arcs)
	must(tb, err)
	return list
}

func must(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}

// drawn is a town's network before it is contracted.
func drawn(tb testing.TB, nodes int, edge bool) *form {
	tb.Helper()
	town, err := streets.Make(nodes, 1)
	must(tb, err)
	f := &form{town: town, graph: &town.Graph, weights: town.Weights}
	if edge {
		f.turns, err = cch.Expand(&town.Graph, &town.Turns)
		must(tb, err)
		f.graph = &f.turns.Graph
		f.weights, err = f.turns.Weights(nil, town.Weights)
		must(tb, err)
	}
	return f
}

func ready(tb testing.TB, nodes int, edge bool) *form {
	tb.Helper()
	f := drawn(tb, nodes, edge)
	var err error
	f.h, err = cch.New(f.graph, order(tb, f))
	must(tb, err)
	f.m, err = f.h.Customize(f.weights)
	must(tb, err)
	return f
}

// start and end are the seeds of random places of the town's crossings.
func (f *form) start(rnd *rand.Rand) []cch.Seed {
	v := rnd.Int32N(int32(f.town.Graph.Nodes()))
	if f.turns == nil {
		return []cch.Seed{{Node: v}}
	}
	return f.turns.FromNode(nil, v)
}

func (f *form) end(rnd *rand.Rand) []cch.Seed {
	v := rnd.Int32N(int32(f.town.Graph.Nodes()))
	if f.turns == nil {
		return []cch.Seed{{Node: v}}
	}
	return f.turns.ToNode(nil, v, f.town.Weights)
}

const benchNodes = 100_000

func BenchmarkOrderAndContract(b *testing.B) {
	for _, kind := range forms {
		b.Run(kind.name, func(b *testing.B) {
			f := drawn(b, benchNodes, kind.edge)
			for b.Loop() {
				h, err := cch.New(f.graph, order(b, f))
				must(b, err)
				b.ReportMetric(float64(h.Slots()), "slots")
				b.ReportMetric(float64(h.Depth()), "depth")
				b.ReportMetric(float64(h.Nodes()), "nodes")
			}
		})
	}
}

func BenchmarkContract(b *testing.B) {
	for _, kind := range forms {
		b.Run(kind.name, func(b *testing.B) {
			f := drawn(b, benchNodes, kind.edge)
			list := order(b, f)
			for b.Loop() {
				_, err := cch.New(f.graph, list)
				must(b, err)
			}
		})
	}
}

func BenchmarkCustomize(b *testing.B) {
	for _, kind := range forms {
		b.Run(kind.name, func(b *testing.B) {
			f := ready(b, benchNodes, kind.edge)
			for b.Loop() {
				must(b, f.m.Reset(f.weights))
			}
		})
	}
}

func BenchmarkPrune(b *testing.B) {
	for _, kind := range forms {
		b.Run(kind.name, func(b *testing.B) {
			f := ready(b, benchNodes, kind.edge)
			for b.Loop() {
				f.m.Prune()
			}
		})
	}
}

// BenchmarkClosure closes a street, drawn anew each time, and opens it again: two
// updates.
func BenchmarkClosure(b *testing.B) {
	for _, kind := range forms {
		b.Run(kind.name, func(b *testing.B) {
			f := ready(b, benchNodes, kind.edge)
			rnd := rand.New(rand.NewPCG(1, 2))
			var changes []cch.Change
			nodes := 0
			for b.Loop() {
				a := rnd.Int32N(int32(f.town.Graph.Arcs()))
				for _, w := range []uint32{cch.Infinity, f.town.Weights[a]} {
					changes = append(changes[:0], cch.Change{Arc: a, Weight: w})
					if f.turns != nil {
						changes = f.turns.Changes(changes[:0], a, w)
					}
					count, err := f.m.Update(changes)
					must(b, err)
					nodes += count
				}
			}
			b.ReportMetric(float64(nodes)/float64(2*b.N), "nodes/update")
		})
	}
}

func BenchmarkQuery(b *testing.B) {
	for _, kind := range forms {
		for _, pruned := range []string{"", "/pruned"} {
			b.Run(kind.name+pruned, func(b *testing.B) {
				f := ready(b, benchNodes, kind.edge)
				if pruned != "" {
					f.m.Prune()
				}
				rnd := rand.New(rand.NewPCG(1, 2))
				q := cch.NewQuery(f.m)
				from, to := make([][]cch.Seed, 1000), make([][]cch.Seed, 1000)
				for i := range from {
					from[i], to[i] = f.start(rnd), f.end(rnd)
				}
				i := 0
				for b.Loop() {
					_, err := q.Cost(from[i%1000], to[i%1000])
					must(b, err)
					i++
				}
			})
		}
	}
}

func BenchmarkPath(b *testing.B) {
	for _, kind := range forms {
		b.Run(kind.name, func(b *testing.B) {
			f := ready(b, benchNodes, kind.edge)
			rnd := rand.New(rand.NewPCG(1, 2))
			q := cch.NewQuery(f.m)
			var path []int32
			arcs := 0
			for b.Loop() {
				_, err := q.Cost(f.start(rnd), f.end(rnd))
				must(b, err)
				path = q.Path(path[:0])
				arcs += len(path)
			}
			b.ReportMetric(float64(arcs)/float64(b.N), "arcs")
		})
	}
}

func BenchmarkMatrix1000(b *testing.B) {
	for _, kind := range forms {
		b.Run(kind.name, func(b *testing.B) {
			f := ready(b, benchNodes, kind.edge)
			rnd := rand.New(rand.NewPCG(1, 2))
			q := cch.NewQuery(f.m)
			var from, to [][]cch.Seed
			for range 1000 {
				from, to = append(from, f.start(rnd)), append(to, f.end(rnd))
			}
			var costs []uint32
			for b.Loop() {
				var err error
				costs, err = q.Matrix(costs[:0], from, to)
				must(b, err)
			}
		})
	}
}

// BenchmarkReach5Minutes and BenchmarkReachAll look for what can be reached.
func BenchmarkReach5Minutes(b *testing.B) { benchmarkReach(b, 300_000) }

func BenchmarkReachAll(b *testing.B) { benchmarkReach(b, cch.Infinity) }

func benchmarkReach(b *testing.B, bound uint32) {
	for _, kind := range forms {
		b.Run(kind.name, func(b *testing.B) {
			f := ready(b, benchNodes, kind.edge)
			rnd := rand.New(rand.NewPCG(1, 2))
			q := cch.NewQuery(f.m)
			var nodes []cch.Reached
			count := 0
			for b.Loop() {
				var err error
				nodes, err = q.Reach(nodes[:0], f.start(rnd), bound)
				must(b, err)
				count += len(nodes)
			}
			b.ReportMetric(float64(count)/float64(b.N), "reached")
		})
	}
}
