package sim

// kind is what an event is about.
type kind uint8

const (
	// call runs a function.
	call kind = iota
	// vehicleStep lets a vehicle's time pass.
	vehicleStep
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
	who   int32
	conn  *conn
	frame []byte
	do    func()
}

// queue is a binary heap of events by time, then by the order of being put in.
type queue struct {
	heap []event
	seq  uint64
}

func (q *queue) before(i, j int) bool {
	a, b := &q.heap[i], &q.heap[j]
	return a.at < b.at || a.at == b.at && a.seq < b.seq
}

func (q *queue) push(e event) {
	q.seq++
	e.seq = q.seq
	q.heap = append(q.heap, e)
	i := len(q.heap) - 1
	for i > 0 {
		parent := (i - 1) / 2
		if !q.before(i, parent) {
			break
		}
		q.heap[i], q.heap[parent] = q.heap[parent], q.heap[i]
		i = parent
	}
}

// pop takes out the first event; false when there is none.
func (q *queue) pop() (event, bool) {
	if len(q.heap) == 0 {
		return event{}, false
	}
	first := q.heap[0]
	last := len(q.heap) - 1
	q.heap[0] = q.heap[last]
	q.heap[last] = event{}
	q.heap = q.heap[:last]
	i := 0
	for {
		least := i
		for child := 2*i + 1; child <= 2*i+2 && child < last; child++ {
			if q.before(child, least) {
				least = child
			}
		}
		if least == i {
			return first, true
		}
		q.heap[i], q.heap[least] = q.heap[least], q.heap[i]
		i = least
	}
}
