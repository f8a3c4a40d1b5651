package rig

import (
	"context"
	"fmt"
	"runtime"
)

// Contender is one of those that are measured in turns.
type Contender struct {
	Name string
	// Measure runs one slice and returns its figure.
	Measure func(ctx context.Context) (float64, error)
}

// Alternate measures the contenders in turns, rounds times: the first round in
// the order given, the next in reverse, and so on, so that none always follows
// the same. It returns the figures by name, one a round. After each, told is
// called, unless it is nil.
func Alternate(ctx context.Context, rounds int, all []Contender, told func(round int, name string, figure float64)) (map[string][]float64, error) {
	figures := map[string][]float64{}
	for round := range rounds {
		for i := range all {
			c := all[i]
			if round%2 == 1 {
				c = all[len(all)-1-i]
			}
			// What this process threw away before is not to be collected now.
			runtime.GC()
			figure, err := c.Measure(ctx)
			if err != nil {
				return figures, fmt.Errorf("measuring %s in round %d: %w", c.Name, round+1, err)
			}
			figures[c.Name] = append(figures[c.Name], figure)
			if told != nil {
				told(round+1, c.Name, figure)
			}
		}
	}
	return figures, nil
}
