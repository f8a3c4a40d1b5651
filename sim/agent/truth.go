package agent

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/kapok-fleet/kapok/protocol"
)

// StopKey names a stop of a task as missions number it.
type StopKey struct {
	Task string
	Stop int
}

// Truth is what really happened at a vehicle, told or not.
type Truth struct {
	// Done counts how often the work of each stop was completed.
	Done map[StopKey]int
	// DoneAt is when it was completed last.
	DoneAt map[StopKey]time.Time
	// Loads are the kilograms on board, by the task they belong to.
	Loads map[string]float64
	// Breaches are impossible demands: work that was asked for and could not
	// physically be done, such as handing out a load that is not on board.
	Breaches []string
	// Obeyed, Begun, Handled and Emergencies are what checkers judge by, in order
	// of time.
	Obeyed      Log[Obeyed]
	Begun       Log[Begun]
	Handled     Log[Handled]
	Emergencies Log[Emergency]
	// lost are the tasks whose loads were lost.
	lost map[string]bool
	// epoch is the highest ever seen, whatever became of the store.
	epoch uint64
}

// InEmergency tells whether an energy emergency is declared now.
func (t *Truth) InEmergency() bool {
	e := t.Emergencies.last()
	return e != nil && e.Ended.IsZero()
}

// NewTruth is that of a vehicle that has done nothing yet.
func NewTruth() *Truth {
	return &Truth{Done: map[StopKey]int{}, DoneAt: map[StopKey]time.Time{}, Loads: map[string]float64{}, lost: map[string]bool{}}
}

// LoadKg is the weight of all loads on board.
func (t *Truth) LoadKg() float64 {
	sum := 0.0
	for _, task := range t.OnBoard() {
		sum += t.Loads[task]
	}
	return sum
}

// OnBoard lists the tasks whose loads are on board, in order of their ids.
func (t *Truth) OnBoard() []string {
	return slices.Sorted(maps.Keys(t.Loads))
}

// Tally counts how often the work of each stop was completed, over several
// vehicles.
type Tally map[StopKey]int

// Add counts what one vehicle completed.
func (t Tally) Add(done *Truth) {
	for k, n := range done.Done {
		t[k] += n
	}
}

// Stops calls yield for each stop with completed work, in order of task and stop.
func (t Tally) Stops(yield func(task string, stop, times int)) {
	for _, k := range slices.SortedFunc(maps.Keys(t), StopKey.Compare) {
		yield(k.Task, k.Stop, t[k])
	}
}

// Compare orders keys by task and stop.
func (k StopKey) Compare(o StopKey) int {
	if c := strings.Compare(k.Task, o.Task); c != 0 {
		return c
	}
	return k.Stop - o.Stop
}

func (t *Truth) complete(k StopKey, at time.Time) {
	t.Done[k]++
	t.DoneAt[k] = at
}

func (t *Truth) breach(format string, args ...any) {
	t.Breaches = append(t.Breaches, fmt.Sprintf(format, args...))
}

// obey notes that an order was accepted.
func (t *Truth) obey(o Obeyed) {
	o.SeenEpoch = t.epoch
	t.epoch = max(t.epoch, o.Epoch)
	t.Obeyed.add(o)
}

// handle notes that something of a load went on board or off it.
func (t *Truth) handle(at time.Time, leg *protocol.Leg, kg float64) {
	_, on := t.Loads[leg.Task]
	t.Handled.add(Handled{At: at, StopKey: StopKey{leg.Task, leg.Stop}, Kg: kg, OnBoard: on})
}

// loseLoads empties the vehicle.
func (t *Truth) loseLoads(at time.Time) {
	for _, task := range t.OnBoard() {
		t.Handled.add(Handled{At: at, StopKey: StopKey{Task: task}, Kg: -t.Loads[task], Lost: true})
		t.lost[task] = true
	}
	clear(t.Loads)
}
