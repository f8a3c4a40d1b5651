// Package engine runs a fleet: inputs in order, durable events to the journal
// in groups, effects out when they may leave, planning in the background.
//
// It has two parts. Core has no goroutine and no clock; the engine and the
// simulator drive the same one:
//
//	inputs ──> Core.Step ──> records ──> journal ──> Core.Committed ──> effects
//
// Engine is Core with goroutines around it. One owner collects inputs and steps
// them; a committer appends whatever waits, as one group; a releaser carries out
// effects in order; workers answer the planner's questions. The owner waits for
// none of them.
//
// The promise of both: nothing derived from the state leaves before the last
// durable event decided before it is on disk. So nobody is ever told what a
// crash could forget. After a failed write there is no retry: everyone waiting
// is told ErrUnavailable, sessions are closed, the state is thrown away and read
// from disk again.
package engine
