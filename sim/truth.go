package sim

import (
	"github.com/kapok-fleet/kapok/sim/agent"
	"github.com/kapok-fleet/kapok/sim/check"
)

// truth tells the checkers what the agents had truly done when it was told, all
// together.
type truth struct {
	done     agent.Tally
	carriers map[string][]string
}

var _ check.Truth = truth{}

// truthOf takes down what agents have done so far.
func truthOf(agents []*agent.Agent) truth {
	t := truth{done: agent.Tally{}, carriers: map[string][]string{}}
	for _, a := range agents {
		t.done.Add(a.Truth())
		for task := range a.Truth().Loads {
			t.carriers[task] = append(t.carriers[task], a.ID())
		}
	}
	return t
}

// Done implements check.Truth.
func (t truth) Done(task string, stop int) int { return t.done[agent.StopKey{Task: task, Stop: stop}] }

// Carriers implements check.Truth.
func (t truth) Carriers(task string) []string { return t.carriers[task] }

// Stops implements check.Truth.
func (t truth) Stops(yield func(task string, stop, times int)) { t.done.Stops(yield) }
