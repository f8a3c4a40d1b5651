package check

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/kapok-fleet/kapok/fleet"
)

// Handled is a load that a vehicle took on board or handed out.
type Handled struct {
	At      time.Time
	Vehicle string
	Task    string
	Stop    int
	// Kg is what was taken on, negative for what was handed out. Lost says that the
	// load was lost by a fault.
	Kg   float64
	Lost bool
	// OnBoard tells whether anything of the task is on board afterwards.
	OnBoard bool
}

// Loads follows each load from hand to hand.
type Loads struct {
	log  *Log
	held map[string]string
	lost map[string]bool
}

// NewLoads adds what it finds to a log.
func NewLoads(log *Log) *Loads {
	return &Loads{log: log, held: map[string]string{}, lost: map[string]bool{}}
}

// Handle takes in what happened to a load; calls must be in order of time.
func (l *Loads) Handle(h Handled) {
	holder := l.held[h.Task]
	switch {
	case h.Lost:
		l.lost[h.Task] = true
	case h.Kg > 0 && holder != "" && holder != h.Vehicle:
		l.find(h, fmt.Sprintf("took the load of task %s on board, which is on %s", h.Task, holder))
	case h.Kg < 0 && holder != h.Vehicle && holder != "":
		l.find(h, fmt.Sprintf("handed out the load of task %s, which is on %s", h.Task, holder))
	case h.Kg < 0 && holder == "":
		l.find(h, fmt.Sprintf("handed out the load of task %s, which it did not have", h.Task))
	}
	if h.Kg > 0 {
		l.lost[h.Task] = false
	}
	switch {
	case h.OnBoard:
		l.held[h.Task] = h.Vehicle
	case holder == h.Vehicle:
		delete(l.held, h.Task)
	}
}

func (l *Loads) find(h Handled, text string) {
	l.log.Add(Finding{Custody, h.At, h.Vehicle, h.Task, text})
}

// Finish compares where the loads are with what the fleet says. Told tells whether
// everything that a vehicle did has been told to the fleet; of others nothing is
// expected.
func (l *Loads) Finish(d *fleet.Durable, told func(vehicle string) bool) {
	for _, id := range slices.Sorted(maps.Keys(d.Tasks)) {
		t := d.Tasks[id]
		says, is := string(t.LoadOn), l.held[string(id)]
		switch {
		case says == is, is != "" && !told(is), says != "" && !told(says), l.lost[string(id)]:
		case is == "":
			l.log.Add(Finding{Checker: Custody, Vehicle: says, Object: string(id), Text: fmt.Sprintf("has the load of task %s by what the fleet says, and does not have it", id)})
		default:
			l.log.Add(Finding{Checker: Custody, Vehicle: is, Object: string(id), Text: fmt.Sprintf("has the load of task %s; the fleet says %q", id, says)})
		}
	}
}
