package verify

import (
	"math"
	"time"

	"github.com/kapok-fleet/kapok/planner/chart"
	"github.com/kapok-fleet/kapok/planner/motion"
	"github.com/kapok-fleet/kapok/planner/space"
)

// Timed is Path for a vehicle that is at each point of the path at a time of its
// own, one for each point, none before the one before it; between points it moves
// evenly.
func Timed(c *chart.Chart, zones []chart.Zone, suspended map[string]bool, kind motion.Kind,
	path []space.Position, times []time.Time,
) []Violation {
	if len(path) == 0 || len(times) != len(path) {
		return []Violation{{Rule: BadPath}}
	}
	w := newWalk(c, zones, suspended, kind, path)
	w.t = times[0]
	w.approach(path[0], path[0])
	w.look(path[0], true)
	if kind == motion.Rover {
		w.lookGround(path)
	}
	for i := 1; i < len(path); i++ {
		if times[i].Before(times[i-1]) {
			return append(w.found, Violation{Rule: BadPath, At: path[i], Time: times[i]})
		}
		a, b, lasts := c.Frame.XYZ(path[i-1]), c.Frame.XYZ(path[i]), times[i].Sub(times[i-1])
		steps := max(1, math.Ceil(a.Dist(b)/StepM))
		w.approach(path[i-1], path[i])
		for k := 1.0; k <= steps; k++ {
			t := k / steps
			w.t = times[i-1].Add(time.Duration(float64(lasts) * t))
			w.look(c.Frame.Position(space.XYZ{X: a.X + (b.X-a.X)*t, Y: a.Y + (b.Y-a.Y)*t, Z: a.Z + (b.Z-a.Z)*t}), i == 1 || i == len(path)-1)
		}
	}
	return w.found
}
