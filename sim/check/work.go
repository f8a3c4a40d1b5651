package check

import (
	"fmt"
	"slices"
	"strings"

	"github.com/kapok-fleet/kapok/fleet"
)

// Truth is what was truly done, told by the vehicles' bodies.
type Truth interface {
	// Done is how often the work of a task's stop, counted from 1, was completed
	// by all vehicles together.
	Done(task string, stop int) int
	// Carriers lists the vehicles with the task's load on board.
	Carriers(task string) []string
	// Stops calls yield for each stop with completed work, in a stable order.
	Stops(yield func(task string, stop, times int))
}

// Work is the judgement on tasks and loads.
type Work struct {
	// Twice are stops whose work was done more than once; Missed stops that the
	// fleet calls done and nobody did; Custody loads that are where they must
	// not be.
	Twice, Missed, Custody []Finding
	// StopsDone counts completed stops.
	StopsDone int
}

// JudgeWork compares the fleet's tasks with the truth.
func JudgeWork(state *fleet.State, truth Truth) Work {
	var w Work
	truth.Stops(func(task string, stop, times int) {
		w.StopsDone++
		if times > 1 {
			w.Twice = append(w.Twice, Finding{Checker: Twice, Object: task, Text: fmt.Sprintf("stop %d of task %s was done %d times", stop, task, times)})
		}
	})
	for _, t := range sortedTasks(state) {
		for i := range t.Stops {
			if t.Stops[i].State == fleet.StopDone && truth.Done(string(t.ID), i+1) == 0 {
				w.Missed = append(w.Missed, Finding{Checker: Missed, Object: string(t.ID), Text: fmt.Sprintf("stop %d of task %s is called done and was not done", i+1, t.ID)})
			}
		}
		carriers := truth.Carriers(string(t.ID))
		switch {
		case len(carriers) > 1:
			w.Custody = append(w.Custody, Finding{Checker: Custody, Object: string(t.ID), Text: fmt.Sprintf("the load of task %s is on %s at once", t.ID, strings.Join(carriers, " and "))})
		case len(carriers) == 1 && t.State == fleet.TaskDone:
			w.Custody = append(w.Custody, Finding{Checker: Custody, Vehicle: carriers[0], Object: string(t.ID), Text: fmt.Sprintf("task %s is done and its load is still on %s", t.ID, carriers[0])})
		}
	}
	return w
}

func sortedTasks(state *fleet.State) []*fleet.Task {
	tasks := make([]*fleet.Task, 0, len(state.Durable.Tasks))
	for _, t := range state.Durable.Tasks {
		tasks = append(tasks, t)
	}
	slices.SortFunc(tasks, func(a, b *fleet.Task) int { return strings.Compare(string(a.ID), string(b.ID)) })
	return tasks
}
