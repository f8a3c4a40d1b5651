// Package assign decides which vehicle takes which task.
//
// It is asked about one job and the vehicles that might take it, each with where
// and when it is free, what it can do and what its battery holds. It answers with
// the one that finishes first, and for each other one with the reason why not. To
// take a job is to reach all its stops in their windows, to serve what was promised
// before, and to come home with the reserve untouched. What can be judged without
// a route is judged first, so that few vehicles are routed; the work is bounded by
// counted expansions, never by a clock.
package assign

import (
	"time"

	"github.com/kapok-fleet/kapok/planner/motion"
	"github.com/kapok-fleet/kapok/planner/route"
	"github.com/kapok-fleet/kapok/planner/space"
)

// Job is a task to be given to one vehicle: stops in the order of visiting.
type Job struct {
	Stops []Stop
	// Needs are capabilities that the vehicle must have, all of them.
	Needs []string
	// Kinds are the kinds of vehicle allowed, empty for any.
	Kinds []motion.Kind
}

// Stop is a place where the vehicle works.
type Stop struct {
	At space.Position
	// WorkS is how long the work takes.
	WorkS float64
	// Earliest and Latest bound the begin of the work; zero times are open.
	Earliest, Latest time.Time
	// LoadKg is what comes on board (positive) or leaves (negative).
	LoadKg float64
}

// Candidate is a vehicle that could take the job after what it does already.
type Candidate struct {
	Spec         motion.Spec
	Capabilities []string
	// Start and FreeAt are where and when it can begin with the job.
	Start  space.Position
	FreeAt time.Time
	// EnergyWh is what its battery holds then, LoadKg what it carries then.
	EnergyWh float64
	LoadKg   float64
	// After are stops that it must still serve after the job, before Home (its
	// own deliveries when an emergency goes first); their Latest times bind.
	After []Stop
	// Home is where it goes in the end; the zero position for nowhere.
	Home space.Position
}

// Limits bound the work of one decision.
type Limits struct {
	// MaxCandidates is how many are routed, in order of a lower bound of
	// finishing; 0 for all.
	MaxCandidates int
	// MaxExpansions bounds all searches together; 0 for no bound. While several
	// candidates are left to be routed, one of them may use a quarter of what
	// remains, or its equal share where that is more.
	MaxExpansions int
}

// Offer is a feasible way for one candidate to do the job: a route to each
// stop, to each stop of After, and home.
type Offer struct {
	Candidate int
	Routes    []route.Route
	// Arrive is when it reaches each stop of the job and of After; Begin is
	// when work there begins, after waiting for the window; Home is when it is
	// back home.
	Arrive, Begin []time.Time
	Home          time.Time
	// EnergyWh is what all of it takes; BatteryAfterRatio is the charge at home.
	EnergyWh          float64
	BatteryAfterRatio float64
	// LandWh has for each of Routes what it takes at most to come down somewhere
	// lawful from anywhere on it, the reserve not counted; nil for vehicles that do
	// not fly.
	LandWh []float64
	// Expansions is what the searches for it took.
	Expansions int
}

// Rule names why a candidate is excluded; rules of package route may stand here
// too.
type Rule string

// The rules that exclude a candidate.
const (
	WrongKind    Rule = "wrong_kind"
	NoCapability Rule = "no_capability"
	TooHeavy     Rule = "too_heavy"
	NoEnergy     Rule = "no_energy"
	TooLate      Rule = "too_late"
	// Slower: another finishes the job earlier; Number and Limit are seconds
	// from now until this one and the chosen one finish. Whether it could do
	// the rest (After, the way home, energy) was not looked at.
	Slower Rule = "slower"
	// NotTried: its lower bound was beyond MaxCandidates or the budget ran out.
	NotTried Rule = "not_tried"
	// NotLandable: at some place of its way the aircraft's battery would not be
	// enough to come down somewhere and keep the reserve; Number is the energy that
	// takes with the reserve, Limit what the battery would hold, both in watt hours,
	// and At the landing.
	NotLandable Rule = "not_landable"
	// BadSpec: the vehicle's figures are unusable; Object says why.
	BadSpec Rule = "bad_spec"
)

// Exclusion says why a candidate was not chosen: the rule, its number and the
// limit that it broke, in SI units, and the object (capability, zone, …).
type Exclusion struct {
	Candidate     int
	Rule          Rule
	Number, Limit float64
	Object        string
	// At is the place concerned, where a route was refused.
	At space.Position
	// AtLeast says that Number is a lower bound, as no route was asked for.
	AtLeast bool
}

// Answer is the outcome for one job.
type Answer struct {
	// Best is nil when no candidate is feasible.
	Best     *Offer
	Excluded []Exclusion
	// Expansions is what the searches took; Exhausted says that MaxExpansions
	// ended them before all wanted candidates were routed.
	Expansions int
	Exhausted  bool
}
