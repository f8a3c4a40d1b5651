package drive

import "github.com/kapok-fleet/kapok/sim/agent"

// Done is how often the work of a task's stop, counted from 1, was completed by
// all vehicles together.
func (f *Fleet) Done(task string, stop int) int {
	n := 0
	for _, v := range f.vehicles {
		v.With(func(a *agent.Agent) { n += a.Truth().Done[agent.StopKey{Task: task, Stop: stop}] })
	}
	return n
}

// Stops calls yield for each stop with completed work, in order.
func (f *Fleet) Stops(yield func(task string, stop, times int)) {
	sum := agent.Tally{}
	for _, v := range f.vehicles {
		v.With(func(a *agent.Agent) { sum.Add(a.Truth()) })
	}
	sum.Stops(yield)
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
