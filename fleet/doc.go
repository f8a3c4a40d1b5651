// Package fleet is the heart of Kapok: the state of one area of operation and
// the rules by which it changes.
//
// A Fleet has one owner and no clock, socket, lock or goroutine. Its owner
// hands it inputs with the time; each input is decided at once: the fleet
// concludes events, every event is evolved into the state as soon as it is
// concluded, and what must leave the process is returned as effects:
//
//	input ──> decide ──> events ──> evolve ──> (journal) ──> effects
//
// Only evolve changes state. State has two parts: Durable, changed by durable
// events alone (tasks, missions, commands, alerts, queues, answers given), and
// Volatile, what is known of links and positions, which a restart loses. The
// fold of all durable events is Durable; after a restart the fleet is that fold
// and the input Recovered.
//
// Effects may be released only when the last durable event decided before them
// is on disk; the owner does that (package engine).
//
// Entities in the state are immutable: evolve puts a changed copy in the place
// of the old one, so a copy of the maps is a consistent view for any reader.
package fleet
