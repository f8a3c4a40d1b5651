package drive

import (
	"slices"

	"github.com/kapok-fleet/kapok/sim/agent"
	"github.com/kapok-fleet/kapok/sim/check"
)

var _ check.Truth = (*Fleet)(nil)

// Done is how often the work of a task's stop, counted from 1, was completed by
// all vehicles together.
func (f *Fleet) Done(task string, stop int) int {
	n := 0
	for _, v := range f.vehicles {
		v.With(func(a *agent.Agent) { n += a.Truth().Done[agent.StopKey{Task: task, Stop: stop}] })
	}
	return n
}

// Carriers lists the vehicles with the task's load on board.
func (f *Fleet) Carriers(task string) []string {
	var ids []string
	for _, v := range f.vehicles {
		v.With(func(a *agent.Agent) {
			if _, on := a.Truth().Loads[task]; on {
				ids = append(ids, a.ID())
			}
		})
	}
	return ids
}

// Stops calls yield for each stop with completed work, in order.
func (f *Fleet) Stops(yield func(task string, stop, times int)) {
	sum := map[agent.StopKey]int{}
	for _, v := range f.vehicles {
		v.With(func(a *agent.Agent) {
			for key, n := range a.Truth().Done {
				sum[key] += n
			}
		})
	}
	keys := make([]agent.StopKey, 0, len(sum))
	for k := range sum {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, agent.StopKey.Compare)
	for _, k := range keys {
		yield(k.Task, k.Stop, sum[k])
	}
}

// Breaches are impossible demands that vehicles met with, by vehicle.
func (f *Fleet) Breaches() []string {
	var all []string
	for _, v := range f.vehicles {
		v.With(func(a *agent.Agent) {
			for _, text := range a.Truth().Breaches {
				all = append(all, a.ID()+": "+text)
			}
		})
	}
	return all
}
