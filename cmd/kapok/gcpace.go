package main

import (
	"context"
	"os"
	"runtime/debug"
	"runtime/metrics"
	"sync"
	"time"
)

const (
	// gcHeadroom is how much a server's heap may grow between two collections. By
	// default it doubles: each of many vehicles would take twice its memory, and a
	// server with few would collect all the time. With this headroom a collection is
	// due once or twice a second where thousands of vehicles send a frame each
	// second, which costs about a tenth of a core.
	gcHeadroom = 16 << 20
	// gcLeast and gcMost bound the percentage that is set.
	gcLeast, gcMost = 20, 400
	// gcPaceEvery is how often it is looked at.
	gcPaceEvery = 2 * time.Second
)

// gcPercent is the percentage by which memory that is in use may grow before the
// next collection, so that it grows by gcHeadroom.
func gcPercent(inUse uint64) int {
	if inUse == 0 {
		return gcMost
	}
	return int(min(max(gcHeadroom*100/inUse, gcLeast), gcMost)) //nolint:gosec // At most 400.
}

// pacingGC starts paceGC and returns what ends it.
func pacingGC(ctx context.Context) (end func()) {
	ctx, cancel := context.WithCancel(ctx)
	var pacing sync.WaitGroup
	pacing.Go(func() { paceGC(ctx) })
	return func() { cancel(); pacing.Wait() }
}

// paceGC keeps the memory of many idle connections small, until ctx ends. Whoever
// sets GOGC or GOMEMLIMIT knows better.
func paceGC(ctx context.Context) {
	if os.Getenv("GOGC") != "" || os.Getenv("GOMEMLIMIT") != "" {
		return
	}
	samples := []metrics.Sample{{Name: "/gc/heap/live:bytes"}, {Name: "/gc/scan/stack:bytes"}, {Name: "/gc/scan/globals:bytes"}}
	set := 100 // As Go has it by itself.
	ticker := time.NewTicker(gcPaceEvery)
	defer ticker.Stop()
	for {
		metrics.Read(samples)
		var inUse uint64
		for _, s := range samples {
			if s.Value.Kind() == metrics.KindUint64 {
				inUse += s.Value.Uint64()
			}
		}
		// Setting it stops everything for a moment, so small changes are let be.
		if want := gcPercent(inUse); want*10 < set*9 || want*9 > set*10 {
			set = want
			debug.SetGCPercent(want)
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}
