package fleet_test

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/kapok-fleet/kapok/fleet"
	"github.com/kapok-fleet/kapok/planner/space"
	"github.com/kapok-fleet/kapok/protocol/api"
)

// round is an oval, or one with teeth, of that many points about the centre of the
// chart: half as wide as it is high.
func (q *squad) round(points int, outerM, innerM float64) [][][2]float64 {
	var ring [][2]float64
	for i := range points {
		sin, cos := math.Sincos(2 * math.Pi * float64(i) / float64(points))
		r := outerM
		if i%2 == 1 {
			r = innerM
		}
		ring = append(ring, [2]float64(q.chart.Frame.Point(space.XY{X: r / 2 * cos, Y: r * sin})))
	}
	return [][][2]float64{ring}
}

// BenchmarkZoneOfManyPoints is the step in which a zone comes into force across the
// ways of ten drones.
func BenchmarkZoneOfManyPoints(b *testing.B) {
	for _, points := range []int{64, fleet.MaxZoneCorners, fleet.MaxZonePoints} {
		for _, star := range []bool{false, true} {
			if star && points > fleet.MaxZoneCorners {
				continue
			}
			name, inner := "oval", 520.0
			if star {
				name, inner = "teeth", 400.0
			}
			b.Run(fmt.Sprintf("%s/%d", name, points), func(b *testing.B) {
				var worst time.Duration
				for b.Loop() {
					b.StopTimer()
					q := newSquad(b)
					q.crowd(10, 0.3)
					q.now = q.now.Add(time.Second)
					ask := fleet.PutZone{Order: api.ZoneOrder{Rule: "keep_out", Polygon: q.round(points, 520, inner)}}
					b.StartTimer()
					begin := time.Now()
					change, _ := q.zone(ask)
					worst = max(worst, time.Since(begin))
					if len(change.Affected) < 4 {
						b.Fatalf("%d affected", len(change.Affected))
					}
				}
				b.ReportMetric(worst.Seconds()*1000, "ms-worst")
			})
		}
	}
}
