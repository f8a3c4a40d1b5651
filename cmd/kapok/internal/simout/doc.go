// Package simout is what a simulated run leaves behind: verdicts for people and
// machines (a result with a published schema, JUnit, Markdown, annotations of
// GitHub), and recordings (events, tracks, an MCAP file for Foxglove). It only
// writes and reads; nothing is judged here.
//
// Recordings are written while the run goes on and take a bounded amount of
// memory, whatever its length.
package simout
