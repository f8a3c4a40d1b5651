// Package body is the physical half of a simulated vehicle: a point mass that
// follows paths in the chart's metric frame within its own limits and drains
// its own battery.
//
// Its figures and its physics are its own. Nothing here is shared with the
// planner's package motion, so that a plan which is wrong about time or energy
// shows in the simulator instead of being confirmed by the same mistake.
package body
