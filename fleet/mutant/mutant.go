// Package mutant names deliberate bugs, each a line at the very place where the
// rule stands that it breaks, so that a test can show that the simulator's
// checkers find it. Nothing but tests can switch one on: without the build tag
// mutants, On is the constant false, and the compiler leaves the lines out.
// docs/mutations.md says what finds each.
package mutant

// Bug is one deliberate bug.
type Bug string

// The bugs of the fleet's rules.
const (
	// SilentStopGivenAway gives the stops of a silent vehicle away at once, though
	// it may have begun them.
	SilentStopGivenAway Bug = "silent-stop-given-away"
	// DisplacedAtOnce gives the work of a vehicle away before it has accepted the
	// revision without it.
	DisplacedAtOnce Bug = "displaced-at-once"
	// StoreLossIgnored forgets that a vehicle which lost its store may have begun
	// stops.
	StoreLossIgnored Bug = "store-loss-ignored"
	// ReserveForgotten plans with the whole battery.
	ReserveForgotten Bug = "reserve-forgotten"
	// EventNotJournaled changes the state by an event that is not recorded.
	EventNotJournaled Bug = "event-not-journaled"
	// StalePlanApplied applies a background answer without looking whether what it
	// rests on still holds.
	StalePlanApplied Bug = "stale-plan-applied"
	// ZoneMarginForgotten lets ways touch the edges of zones.
	ZoneMarginForgotten Bug = "zone-margin-forgotten"
	// ZoneChangeUnnoticed leaves missions as they are when a zone is made across
	// their way.
	ZoneChangeUnnoticed Bug = "zone-change-unnoticed"
	// ResendForgotten does not tell a new session of a mission that was issued
	// before it.
	ResendForgotten Bug = "resend-forgotten"
	// EpochKept starts a new process with the epoch of the one before it.
	EpochKept Bug = "epoch-kept"
	// AlertNeverCleared leaves the alert about a silent vehicle open when a frame
	// comes from it.
	AlertNeverCleared Bug = "alert-never-cleared"
	// AlertClearedBlindly clears the alert about a silent vehicle while nothing is
	// heard of it.
	AlertClearedBlindly Bug = "alert-cleared-blindly"
	// CustodyIgnored sends another vehicle to hand out a load.
	CustodyIgnored Bug = "custody-ignored"
	// KeyForgotten carries out a repeated request again.
	KeyForgotten Bug = "key-forgotten"
	// RefusalCountsAsAcceptance takes a refused mission for an accepted one.
	RefusalCountsAsAcceptance Bug = "refusal-counts-as-acceptance"
	// OldAnswerCounts takes the answer to an earlier revision for one to the
	// present.
	OldAnswerCounts Bug = "old-answer-counts"
	// SlotGivenTwice lets everybody use a charger at once.
	SlotGivenTwice Bug = "slot-given-twice"
	// DuplicateCounted takes a repeated report in again.
	DuplicateCounted Bug = "duplicate-counted"
)

// The bugs of links and of the engine.
const (
	// ReceivedTooEarly confirms reports before they are on disk.
	ReceivedTooEarly Bug = "received-too-early"
	// AnswerBeforeCommit lets answers and frames leave before what they rest on is
	// on disk.
	AnswerBeforeCommit Bug = "answer-before-commit"
)

// The bugs of simulated vehicles, where the rule is the vehicle's.
const (
	// AuthorityIgnored begins stops however long nothing came from Kapok.
	AuthorityIgnored Bug = "authority-ignored"
	// AuthorityFromReceipt counts the task authority from when a frame came, not
	// from when it was sent.
	AuthorityFromReceipt Bug = "authority-from-receipt"
	// ExpiredCommandObeyed obeys commands after their expiry.
	ExpiredCommandObeyed Bug = "expired-command-obeyed"
	// EpochIgnored obeys an owner whose epoch is older than one that was seen.
	EpochIgnored Bug = "epoch-ignored"
)
