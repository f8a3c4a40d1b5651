package main

import "testing"

func TestGCPercent(t *testing.T) {
	for inUse, want := range map[uint64]int{
		0: 400, 1: 400, gcHeadroom / 4: 400, gcHeadroom / 2: 200, gcHeadroom: 100, 2 * gcHeadroom: 50, 4 * gcHeadroom: 25, 5 * gcHeadroom: 20, 1 << 40: 20,
	} {
		if got := gcPercent(inUse); got != want {
			t.Errorf("with %d bytes in use it is %d, want %d", inUse, got, want)
		}
	}
}
