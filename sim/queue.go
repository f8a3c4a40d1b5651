package sim

// kind is what an event is about.
type kind uint8

const (
	// call runs a function.
	call kind = iota
	// vehicleSteps lets time pass for the vehicles whose turn it is.
	vehicleSteps
	// frameUp and frameDown bring a frame to the backend or to the vehicle.
	frameUp
	frameDown
	// closeUp and closeDown bring the end of a connection.
	closeUp
	closeDown
	// coreStep lets the fleet decide what has come in.
	coreStep
)

// event is something that happens at a time, in nanoseconds from the start.
type event struct {
	at    int64
	seq   uint64
	kind  kind
	conn  *conn
	frame []byte
	do    func()
}

// queue is a heap of events by time, then by the order of being put in. The heap
// holds numbers alone; the events stay where they are until their time has come.
type queue struct {
	heap []turn
	// events are those in the heap, by slot; free are the slots without one.
	events []event
	free   []int32
	seq    uint64
}

// turn is an event's place in time.
type turn struct {
	at   int64
	seq  uint64
	slot int32
}

func (a *turn) before(b *turn) bool { return a.at < b.at || a.at == b.at && a.seq < b.seq }

// fan is how many children a place in the heap has: with four the heap is half as
// deep, and they lie side by side.
const fan = 4

func (q *queue) push(e event) {
	q.seq++
	e.seq = q.seq
	t := turn{at: e.at, seq: e.seq}
	if n := len(q.free); n > 0 {
		t.slot, q.free = q.free[n-1], q.free[:n-1]
		q.events[t.slot] = e
	} else {
		t.slot = int32(len(q.events))
		q.events = append(q.events, e)
	}
	q.heap = append(q.heap, t)
	i := len(q.heap) - 1
	for i > 0 {
		parent := (i - 1) / fan
		if !t.before(&q.heap[parent]) {
			break
		}
		q.heap[i] = q.heap[parent]
		i = parent
	}
	q.heap[i] = t
}

// pop takes out the first event; false when there is none.
func (q *queue) pop() (event, bool) {
	if len(q.heap) == 0 {
		return event{}, false
	}
	slot := q.heap[0].slot
	first := q.events[slot]
	q.events[slot] = event{}
	q.free = append(q.free, slot)
	last := len(q.heap) - 1
	t := q.heap[last]
	q.heap = q.heap[:last]
	if last > 0 {
		q.sink(t)
	}
	return first, true
}

// sink puts what was last into the place of the first.
func (q *queue) sink(t turn) {
	i := 0
	for {
		child := fan*i + 1
		if child >= len(q.heap) {
			break
		}
		least := child
		for end := min(child+fan, len(q.heap)); child < end; child++ {
			if q.heap[child].before(&q.heap[least]) {
				least = child
			}
		}
		if !q.heap[least].before(&t) {
			break
		}
		q.heap[i] = q.heap[least]
		i = least
	}
	q.heap[i] = t
}
