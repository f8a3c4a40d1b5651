package agent

import "time"

// LostLink is what a vehicle does when it has heard nothing from Kapok for a
// while. Whatever it is, task authority ends as it does otherwise, and work that
// was begun is finished first.
type LostLink struct {
	// Do is what it does; LinkContinue when empty.
	Do LinkAction
	// After is the time without a frame from Kapok; lostLinkAfter when 0.
	After time.Duration
}

// LinkAction is what a vehicle does about a lost link.
type LinkAction string

// The actions on a lost link. LinkContinue carries the mission on, to its safe
// end once the authority has ended. LinkHold stands or hovers until the link is
// back or the energy runs short. LinkReturn goes back by the way it came, to the
// last site of its own. LinkLand comes down where an aircraft is; other vehicles
// stop.
const (
	LinkContinue LinkAction = "continue"
	LinkHold     LinkAction = "hold"
	LinkReturn   LinkAction = "return"
	LinkLand     LinkAction = "land"
)

// lostLinkAfter is when a link counts as lost for the failsafe, when the vehicle
// has no time of its own.
const lostLinkAfter = 30 * time.Second
