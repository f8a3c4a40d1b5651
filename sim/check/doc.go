// Package check judges a simulated run from outside: where vehicles truly were
// against the chart's raw geometry, and what work was truly done against what
// the fleet says. It shares no code with the planner's algorithms and none with
// the fleet's fences, so that a mistake there does not hide itself.
package check
