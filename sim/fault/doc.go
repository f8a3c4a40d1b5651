// Package fault holds the models of what goes wrong around a fleet: links that
// delay, lose, repeat and reorder, and disks that fill up, refuse to sync, and
// lose or tear what was not synced when the power goes.
//
// It also holds the words for the troubles of vehicles, which agents and scenarios
// share.
//
// The models are pure: they draw from the source that they are given and keep no
// clock. Times are nanoseconds from the beginning of a run.
package fault
