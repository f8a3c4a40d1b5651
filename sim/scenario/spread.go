package scenario

import (
	"container/heap"
	"math"

	"github.com/kapok-fleet/kapok/planner/space"
)

// spreadCellM is the side of the squares in which nodes and places are looked for.
const spreadCellM = 128

// spread picks nodes one after another, each as far as possible from all places
// given away before (farthest-point sampling: Gonzalez, "Clustering to minimize
// the maximum intercluster distance", 1985). The first is the one nearest to the
// middle. When there are fewer nodes than wanted they are used again.
func (p *placer) spread(nodes []int32, want int) []int32 {
	if want <= 0 || len(nodes) == 0 {
		return nil
	}
	picked := make([]int32, 0, want)
	if len(p.taken) == 0 {
		first := p.middle(nodes)
		picked, p.taken = append(picked, first), append(p.taken, p.chart.Ground.Nodes[first].XY)
	}
	s := newSpreading(p, nodes)
	for len(picked) < want {
		n := nodes[s.farthest()]
		at := p.chart.Ground.Nodes[n].XY
		picked, p.taken = append(picked, n), append(p.taken, at)
		s.take(at)
	}
	return picked
}

// middle is the node nearest to the middle of all, the first of equals.
func (p *placer) middle(nodes []int32) int32 {
	var middle space.XY
	for _, n := range nodes {
		middle = middle.Add(p.chart.Ground.Nodes[n].XY.Scale(1 / float64(len(nodes))))
	}
	best, least := nodes[0], math.Inf(1)
	for _, n := range nodes {
		if d := p.chart.Ground.Nodes[n].XY.Dist(middle); d < least {
			best, least = n, d
		}
	}
	return best
}

// spreading knows how far each node is from the nearest place given away. The
// farthest stands first in a heap whose entries may be out of date: distances only
// shrink, so an entry that is no more true sinks when its turn comes.
type spreading struct {
	at   *space.Grid
	far  []float64
	heap byDistance
	near []int
}

func newSpreading(p *placer, nodes []int32) *spreading {
	taken := space.NewGrid(spreadCellM)
	for i, at := range p.taken {
		taken.Insert(i, at)
	}
	s := &spreading{at: space.NewGrid(spreadCellM), far: make([]float64, len(nodes)), heap: make(byDistance, len(nodes))}
	for i, n := range nodes {
		xy := p.chart.Ground.Nodes[n].XY
		s.at.Insert(i, xy)
		_, s.far[i], _ = taken.Nearest(xy, math.MaxFloat64)
		s.heap[i] = distant{s.far[i], int32(i)}
	}
	heap.Init(&s.heap)
	return s
}

// farthest is the index of the node that is farthest from all places given away, the
// first of equals.
func (s *spreading) farthest() int {
	for {
		top := &s.heap[0]
		if is := s.far[top.index]; is != top.m {
			top.m = is
			heap.Fix(&s.heap, 0)
			continue
		}
		return int(top.index)
	}
}

// take gives a place away: no node that is nearer to it than to another is farther
// away than the farthest of all.
func (s *spreading) take(at space.XY) {
	s.near = s.at.Within(at, s.far[s.farthest()], s.near[:0])
	for _, i := range s.near {
		xy, _ := s.at.At(i)
		s.far[i] = min(s.far[i], xy.Dist(at))
	}
}

// distant is a node, by its index, and how far it was from the nearest place.
type distant struct {
	m     float64
	index int32
}

// byDistance is a heap with the farthest on top, the first of equals.
type byDistance []distant

func (h byDistance) Len() int { return len(h) }
func (h byDistance) Less(i, j int) bool {
	return h[i].m > h[j].m || h[i].m == h[j].m && h[i].index < h[j].index
}
func (h byDistance) Swap(i, j int) { h[i], h[j] = h[j], h[i] }

// Push implements heap.Interface; the heap never grows.
func (h *byDistance) Push(any) {}

// Pop implements heap.Interface; the heap never shrinks.
func (h *byDistance) Pop() any { return nil }
