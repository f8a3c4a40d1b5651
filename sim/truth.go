package sim

import (
	"github.com/kapok-fleet/kapok/sim/agent"
	"github.com/kapok-fleet/kapok/sim/check"
)

// truth tells the checkers what the agents truly did, all together.
type truth []*agent.Agent

var _ check.Truth = truth(nil)

// Done implements check.Truth.
func (t truth) Done(task string, stop int) int {
	n := 0
	for _, a := range t {
		n += a.Truth().Done[agent.StopKey{Task: task, Stop: stop}]
	}
	return n
}

// Carriers implements check.Truth.
func (t truth) Carriers(task string) []string {
	var ids []string
	for _, a := range t {
		if _, on := a.Truth().Loads[task]; on {
			ids = append(ids, a.ID())
		}
	}
	return ids
}

// Stops implements check.Truth.
func (t truth) Stops(yield func(task string, stop, times int)) {
	sum := agent.Tally{}
	for _, a := range t {
		sum.Add(a.Truth())
	}
	sum.Stops(yield)
}
