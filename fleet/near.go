package fleet

import (
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/kapok-fleet/kapok/planner/assign"
	"github.com/kapok-fleet/kapok/protocol"
)

// How the vehicle for a task is found among thousands without asking each of them.

const (
	// nearFrom is from how many vehicles on the near ones are looked at first.
	nearFrom = 100
	// nearFirst is how many vehicles that may take the task are compared to learn
	// how soon it can be done, and nearRouted how many of them are routed.
	nearFirst, nearRouted = 8, 2
	// metresPerDegree is a little less than a degree of latitude has anywhere.
	metresPerDegree = 110_500
)

// near is a vehicle with a time within which it cannot be done with a task, from
// now, whatever else it has to do.
type near struct {
	leastS float64
	k      *known
}

// dispatchNear gives a task to the vehicle that dispatch would find among all, by
// looking at the near ones alone: those that could be done with it as soon as one
// that was found. It tells false, and has changed nothing but the budget, when that
// does not settle it: then all vehicles are to be looked at.
func (f *Fleet) dispatchNear(t *Task) bool {
	if len(f.index.order) < nearFrom || f.notes != nil || f.config.Policy == NearestIdle ||
		f.budget <= 0 || t.Wanted != "" || t.LoadOn != "" {
		return false
	}
	all, ok := f.byNearness(t)
	if !ok {
		return false
	}
	var some []*known
	_, more := all.peek()
	for ; more && len(some) < nearFirst; _, more = all.peek() {
		some = f.nextNear(all, t, some)
	}
	q := f.questionTo(t, some)
	first := q.answer(f.world, f.now, assign.Limits{MaxCandidates: nearRouted, MaxExpansions: f.budget})
	f.budget -= first.Expansions
	if first.Best == nil || f.budget <= 0 {
		return false
	}
	within := finishOf(&q, first.Best).Sub(f.now).Seconds()
	for next, more := all.peek(); more && next.leastS <= within; next, more = all.peek() {
		some = f.nextNear(all, t, some)
	}
	// In the order of all, which decides between equals.
	slices.SortFunc(some, func(a, b *known) int { return cmp.Compare(a.vehicle.ID, b.vehicle.ID) })
	q = f.questionTo(t, some)
	limits := assign.Limits{MaxCandidates: f.config.MaxCandidates, MaxExpansions: f.budget}
	if t.Priority == Emergency {
		limits.MaxCandidates = 0
	}
	answer := q.answer(f.world, f.now, limits)
	f.budget -= answer.Expansions
	if answer.Best == nil || answer.Exhausted {
		return false
	}
	v := some[answer.Best.Candidate].vehicle
	if f.meetsLater(v, &q.Candidates[answer.Best.Candidate], q.Job.Stops, answer.Best) != nil {
		return false
	}
	f.settle(t, q, answer, bars{})
	return true
}

// finishOf is when an offer has the task done.
func finishOf(q *Question, best *assign.Offer) time.Time {
	last := len(q.Job.Stops) - 1
	return best.Begin[last].Add(secondsOf(q.Job.Stops[last].WorkS))
}

// questionTo asks some vehicles, none of which is barred, about a task.
func (f *Fleet) questionTo(t *Task, some []*known) Question {
	q := Question{Task: t.ID, TaskRevision: t.Revision, Job: f.job(t)}
	for _, k := range some {
		q.Vehicles = append(q.Vehicles, k.vehicle.ID)
		q.Revisions = append(q.Revisions, k.vehicle.Revision)
		q.Candidates = append(q.Candidates, f.openingFor(k.vehicle, t, nil).candidate)
	}
	return q
}

// nextNear takes the nearest of the vehicles that are left, and adds it to those
// that may take the task unless something bars it.
func (f *Fleet) nextNear(left *nearest, t *Task, some []*known) []*known {
	k := left.pop().k
	if b := f.bar(k.vehicle, t); b.rule == "" {
		some = append(some, k)
	}
	return some
}

// nearest are all vehicles by the time within which they cannot be done with a task:
// the straight way to its first stop from where they are, and on from stop to stop, at
// their cruise speeds.
type nearest struct {
	// heap holds those that were looked at, spirals lead to the others.
	heap    []near
	spirals []spiral
	ring    []*known

	first        protocol.Position
	restM, workS float64
	cos          float64
}

// byNearness is false for a task without stops.
func (f *Fleet) byNearness(t *Task) (*nearest, bool) {
	var stops []*Stop
	for _, i := range openStops(t) {
		stops = append(stops, &t.Stops[i])
	}
	if len(stops) == 0 {
		return nil, false
	}
	n := &nearest{workS: stops[len(stops)-1].WorkS, first: protocol.Position(stops[0].At)}
	for i := 1; i < len(stops); i++ {
		a, b := &stops[i-1].At, &stops[i].At
		n.restM += leastM(a.Lon, a.Lat, b.Lon, b.Lat)
		n.workS += stops[i-1].WorkS
	}
	n.cos = math.Cos(n.first.Lat * (math.Pi / 180))
	at := &f.index.plots
	n.spirals = make([]spiral, len(at.order))
	for i, b := range at.order {
		n.spirals[i].begin(b, &n.first, n.cos)
	}
	if at.count < len(f.index.order) {
		// Who has not said where it is may be anywhere.
		for _, k := range f.index.order {
			if k.band == nil {
				n.push(near{k: k})
			}
		}
	}
	return n, true
}

// peek is the nearest vehicle, false when there are no more: one that was looked at,
// once nobody else can be nearer.
func (n *nearest) peek() (near, bool) {
	for i := range n.spirals {
		s := &n.spirals[i]
		for !s.done() && (len(n.heap) == 0 || (n.restM+s.leastM())/s.band.fastest+n.workS <= n.heap[0].leastS) {
			n.ring = s.next(n.ring[:0])
			for _, k := range n.ring {
				m := n.restM + leastFrom(n.cos, k.at.Lon-n.first.Lon, k.at.Lat-n.first.Lat)
				n.push(near{k: k, leastS: m/k.cruiseMPS + n.workS})
			}
		}
	}
	if len(n.heap) == 0 {
		return near{}, false
	}
	return n.heap[0], true
}

// leastM is a distance that is no longer than the one between two places, and not
// much shorter: as on a plane, with meridians as close as at the place that lies
// nearer to a pole.
func leastM(lonA, latA, lonB, latB float64) float64 {
	return leastFrom(math.Cos(latA*(math.Pi/180)), lonB-lonA, latB-latA)
}

// leastFrom is leastM from a place of whose latitude the cosine is given.
func leastFrom(cos, dLon, dLat float64) float64 {
	dLon = math.Abs(dLon)
	dLon = min(dLon, 360-dLon)
	// cos(a+d) is no less than cos(a) - d.
	dLon *= max(0, cos-math.Abs(dLat)*(math.Pi/180))
	return metresPerDegree * math.Sqrt(dLat*dLat+dLon*dLon)
}

// before orders vehicles by their times, then by their ids.
func (n *near) before(o *near) bool {
	return n.leastS < o.leastS || n.leastS == o.leastS && n.k.vehicle.ID < o.k.vehicle.ID
}

// push adds a vehicle to the heap.
func (n *nearest) push(one near) {
	n.heap = append(n.heap, one)
	h := n.heap
	for i := len(h) - 1; i > 0; {
		parent := (i - 1) / 2
		if !h[i].before(&h[parent]) {
			return
		}
		h[i], h[parent] = h[parent], h[i]
		i = parent
	}
}

// pop takes out what peek has shown.
func (n *nearest) pop() near {
	h := n.heap
	first, last := h[0], len(h)-1
	h[0] = h[last]
	n.heap = h[:last]
	sinkNear(n.heap, 0)
	return first
}

// sinkNear moves a vehicle down to its place in the heap.
func sinkNear(h []near, i int) {
	for {
		least := i
		for child := 2*i + 1; child <= 2*i+2 && child < len(h); child++ {
			if h[child].before(&h[least]) {
				least = child
			}
		}
		if least == i {
			return
		}
		h[i], h[least] = h[least], h[i]
		i = least
	}
}
