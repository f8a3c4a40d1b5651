package verify

import (
	"math"

	"github.com/kapok-fleet/kapok/planner/chart"
	"github.com/kapok-fleet/kapok/planner/space"
)

// Drive checks that a rover of a profile may drive along a path: each segment but
// the first and the last must lie within OffNetworkM of an arc that is open to
// the profile in the direction of travel. Where the path turns onto another arc,
// a point of the path is expected, as routes have them. It returns a violation
// without a time for each segment that does not, At being its end, in their
// order; nil when there is none. The first and the last segment may be the ways to and
// from the network; of a path of one or two segments nothing is said.
func Drive(c *chart.Chart, profile chart.Profile, path []space.Position) []Violation {
	var found []Violation
	for i := 2; i+1 < len(path); i++ {
		from, to := c.Frame.XY(path[i-1].Point()), c.Frame.XY(path[i].Point())
		if from.Dist(to) < OffNetworkM {
			continue
		}
		best := math.Inf(1)
		for k := range c.Ground.Arcs {
			arc := &c.Ground.Arcs[k]
			a, b := c.Ground.Nodes[arc.From].XY, c.Ground.Nodes[arc.To].XY
			if arc.Profiles&profile == 0 || !space.BoxOf(a, b).Grow(OffNetworkM).Contains(from) {
				continue
			}
			_, t0 := space.ClosestOnSegment(from, a, b)
			if _, t1 := space.ClosestOnSegment(to, a, b); t1 > t0 {
				best = min(best, max(space.SegmentDist(from, a, b), space.SegmentDist(to, a, b)))
			}
		}
		if best > OffNetworkM {
			found = append(found, Violation{Rule: WrongWay, At: path[i], Number: best, Limit: OffNetworkM})
		}
	}
	return found
}
