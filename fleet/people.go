package fleet

import (
	"fmt"
	"time"
)

// Freeze is an emergency stop in force: nothing that moves a vehicle is issued.
type Freeze struct {
	By     string    `json:"by"`
	At     time.Time `json:"at"`
	Reason string    `json:"reason"`
	// Commands are the holds that it gave.
	Commands []CommandID `json:"commands,omitempty"`
}

// Takeover says who has a vehicle in hand instead of Kapok.
type Takeover struct {
	By     string    `json:"by"`
	At     time.Time `json:"at"`
	Reason string    `json:"reason"`
}

func (f *Fleet) takeOver(a TakeOver) Answer {
	return problem(statusUnprocessable, "unknown_request", "", fmt.Sprintf("no rule for %T", a))
}

func (f *Fleet) reassignTask(a ReassignTask) Answer {
	return problem(statusUnprocessable, "unknown_request", "", fmt.Sprintf("no rule for %T", a))
}

func (f *Fleet) rankTask(a RankTask) Answer {
	return problem(statusUnprocessable, "unknown_request", "", fmt.Sprintf("no rule for %T", a))
}

func (f *Fleet) commandGroup(a CommandGroup) Answer {
	return problem(statusUnprocessable, "unknown_request", "", fmt.Sprintf("no rule for %T", a))
}

func (f *Fleet) stopFleet(a StopFleet) Answer {
	return problem(statusUnprocessable, "unknown_request", "", fmt.Sprintf("no rule for %T", a))
}

func (f *Fleet) releaseFleet(a ReleaseFleet) Answer {
	return problem(statusUnprocessable, "unknown_request", "", fmt.Sprintf("no rule for %T", a))
}
