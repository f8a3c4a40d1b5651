package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// fleetClock is the fleet's time: the wall clock, or one that runs at a constant
// multiple of it. A fleet that once ran fast stays ahead of the wall clock,
// because its time never goes back; where it was is kept in the data directory.
type fleetClock struct {
	// Wall and Fleet are the same moment on both clocks.
	Wall  time.Time `json:"wall"`
	Fleet time.Time `json:"fleet"`
	Speed float64   `json:"speed"`
}

// maxSpeed is the greatest multiple of the wall clock; beyond it the machine
// would fall behind its own timers.
const maxSpeed = 50

// at is the fleet's time at a moment of the wall clock.
func (c fleetClock) at(wall time.Time) time.Time {
	ahead := time.Duration(float64(wall.Sub(c.Wall)) * c.Speed)
	return c.Fleet.Add(ahead).UTC()
}

// now is the fleet's time now.
func (c fleetClock) now() time.Time { return c.at(time.Now()) }

// wall is how long a span of the fleet's time takes on the wall clock.
func (c fleetClock) wall(span time.Duration) time.Duration {
	return time.Duration(float64(span) / c.Speed)
}

// openClock returns the clock of a data directory. Without a file, and at the
// speed of the wall clock, it is the wall clock.
func openClock(dir string, speed float64) (fleetClock, error) {
	if !(speed > 0 && speed <= maxSpeed) {
		return fleetClock{}, fmt.Errorf("speed %g is not above 0 and at most %d", speed, maxSpeed)
	}
	// The monotonic part would stand still while the machine sleeps.
	now := time.Now().Round(0)
	name := filepath.Join(dir, clockFile)
	clock := fleetClock{Wall: now, Fleet: now, Speed: speed}
	data, err := os.ReadFile(name)
	switch {
	case errors.Is(err, fs.ErrNotExist) && speed == 1:
		return clock, nil
	case errors.Is(err, fs.ErrNotExist):
		return clock, writeClock(name, clock)
	case err != nil:
		return clock, fmt.Errorf("reading the fleet's clock: %w", err)
	}
	var kept fleetClock
	if err := json.Unmarshal(data, &kept); err != nil || !(kept.Speed > 0 && kept.Speed <= maxSpeed) || kept.Fleet.IsZero() {
		return clock, fmt.Errorf("the fleet's clock %s is damaged: remove it, and the fleet's time goes on when the wall clock has caught up", name)
	}
	if kept.Speed == speed {
		return kept, nil
	}
	clock.Fleet = kept.at(now)
	return clock, writeClock(name, clock)
}

func writeClock(name string, clock fleetClock) error {
	data, err := json.Marshal(clock)
	if err != nil {
		return fmt.Errorf("encoding the fleet's clock: %w", err)
	}
	if err := os.WriteFile(name+".tmp", append(data, '\n'), 0o600); err != nil {
		return fmt.Errorf("writing the fleet's clock: %w", err)
	}
	if err := os.Rename(name+".tmp", name); err != nil {
		return fmt.Errorf("writing the fleet's clock: %w", err)
	}
	return nil
}
