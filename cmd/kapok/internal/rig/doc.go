// Package rig measures Kapok from outside: it starts servers and loads as
// processes of their own, each pinned to cores of its own where the system can,
// and tells what they cost and how well they were served.
//
// A benchmark has three processes: the server that is measured, a load that
// stands for vehicles and dispatchers, and the one that conducts. They speak over
// the loopback interface only. What is compared is measured in turns, slice by
// slice, since the speed of a machine changes over minutes; the median of the
// slices counts.
package rig
