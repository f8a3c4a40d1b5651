//go:build !race

// Package raced tells tests whether the race detector is on. Under it code is five
// to ten times slower: tests that repeat one story over many seeds or many maps
// then take fewer of them, as more would not show more races.
package raced

// On tells whether the race detector is on.
const On = false
