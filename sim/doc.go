// Package sim runs the backend against simulated vehicles in virtual time.
//
// Everything is the real thing but for time, sockets and the disk: the fleet
// and its core, the sessions, the frames in their encodings, the vehicles'
// minds. One queue of events, ordered by time and then by the order in which
// they were put in, takes the place of the world: frames under way, commits,
// plans being thought of, crashes and restarts. Whatever is left to chance is
// drawn from sources made from the scenario's seed, each part its own, so that
// the same scenario gives the same run, event for event.
//
// While it runs, independent checkers watch: both folds of the state at every
// step, true positions against the chart's raw geometry, true work against what
// the fleet says.
package sim
