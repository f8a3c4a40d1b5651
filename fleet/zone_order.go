package fleet

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/paulmach/orb"

	"github.com/kapok-fleet/kapok/planner/chart"
	"github.com/kapok-fleet/kapok/planner/space"
	"github.com/kapok-fleet/kapok/protocol/api"
)

// The limits of a zone that is ordered.
const (
	// MaxZoneRings and MaxZonePoints bound a polygon; more is refused.
	MaxZoneRings  = 64
	MaxZonePoints = 4096
	// MaxZoneCorners is how many of the points may stand out of the outline by
	// more than ZoneCornerM: ways are planned about these.
	MaxZoneCorners = 512
	ZoneCornerM    = 1.0
	// ZoneBeyondDeg is how far beyond the chart's extent a zone's points may
	// lie; the zone must touch the extent itself.
	ZoneBeyondDeg = 1.0
	// MinZoneM2 is the least area of a ring.
	MinZoneM2 = 1.0
)

// The years that a zone's times must lie in.
const (
	firstZoneYear = 1970
	lastZoneYear  = 2200
)

// badZone is the refusal of an order.
func badZone(field, format string, args ...any) Answer {
	return problem(statusUnprocessable, "bad_zone", field, fmt.Sprintf(format, args...))
}

// zoneOf checks an order and makes the zone of it.
func (f *Fleet) zoneOf(id ZoneID, o *api.ZoneOrder) (chart.Zone, Answer, bool) {
	zone := chart.Zone{
		ID: string(id), Name: o.Name, Rule: chart.Rule(o.Rule), FloorM: o.FloorM, From: o.From.UTC(), Until: o.Until.UTC(),
		Airborne: o.Airborne, Ground: o.Ground,
	}
	switch zone.Rule {
	case chart.AltitudeLimit:
		zone.HeightLimitM = o.HeightLimitM
	case chart.SpeedLimit:
		zone.SpeedLimitMPS = o.SpeedLimitMPS
	case chart.KeepOut, chart.KeepIn, chart.Advise:
	}
	if o.CeilingM != nil {
		if *o.CeilingM == 0 {
			return zone, badZone("ceiling_m", "a ceiling at sea level exactly cannot be told from none: use 0.1"), true
		}
		zone.CeilingM = *o.CeilingM
	}
	for _, t := range [...]struct {
		name string
		at   time.Time
	}{{"from", zone.From}, {"until", zone.Until}} {
		if y := t.at.Year(); !t.at.IsZero() && (y < firstZoneYear || y > lastZoneYear) {
			return zone, badZone(t.name, "the year %d is not within %d to %d", y, firstZoneYear, lastZoneYear), true
		}
	}
	if !zone.Until.IsZero() && !zone.Until.After(f.now) {
		return zone, badZone("until", "it would have ended at %s, before now, %s", zone.Until.Format(time.RFC3339), f.now.Format(time.RFC3339)), true
	}
	if p, bad := badFigures(o); bad {
		return zone, p, true
	}
	schedule, field, err := scheduleOf(o.Schedule)
	if err != nil {
		return zone, badZone(field, "%v", err), true
	}
	zone.Schedule = schedule
	polygon, p, bad := f.polygonOf(o.Polygon)
	if bad {
		return zone, p, true
	}
	zone.Polygon = polygon
	if err := zone.Validate(); err != nil {
		// The id of a new zone is known to nobody.
		text := strings.TrimPrefix(err.Error(), fmt.Sprintf("zone %q: ", zone.ID))
		return zone, badZone("", "%s", text), true
	}
	return zone, Answer{}, false
}

// maxZoneMPS is the greatest speed limit of a zone.
const maxZoneMPS = 1000

// badFigures refuses rules, figures and times that contradict each other.
func badFigures(o *api.ZoneOrder) (Answer, bool) {
	rule := chart.Rule(o.Rule)
	refuse := func(field, format string, args ...any) (Answer, bool) { return badZone(field, format, args...), true }
	switch {
	case !slices.Contains([]chart.Rule{chart.KeepOut, chart.KeepIn, chart.AltitudeLimit, chart.SpeedLimit, chart.Advise}, rule):
		return refuse("rule", "%q is not keep_out, keep_in, altitude_limit, speed_limit or advise", o.Rule)
	case rule == chart.AltitudeLimit && !(o.HeightLimitM > 0 && o.HeightLimitM <= chart.MaxHeightM):
		return refuse("height_limit_m", "an altitude_limit needs a height_limit_m above 0 and at most %d, not %g", chart.MaxHeightM, o.HeightLimitM)
	case rule == chart.SpeedLimit && !(o.SpeedLimitMPS > 0 && o.SpeedLimitMPS <= maxZoneMPS):
		return refuse("speed_limit_mps", "a speed_limit needs a speed_limit_mps above 0 and at most %d, not %g", maxZoneMPS, o.SpeedLimitMPS)
	case rule != chart.AltitudeLimit && o.HeightLimitM != 0:
		return refuse("height_limit_m", "only an altitude_limit has one, not a %s", rule)
	case rule != chart.SpeedLimit && o.SpeedLimitMPS != 0:
		return refuse("speed_limit_mps", "only a speed_limit has one, not a %s", rule)
	case rule == chart.AltitudeLimit && o.Ground && !o.Airborne:
		return refuse("ground", "an altitude_limit for vehicles on the ground alone binds nobody: make it airborne")
	case !(math.Abs(o.FloorM) <= chart.MaxHeightM):
		return refuse("floor_m", "%g is not within %d m of the sea", o.FloorM, chart.MaxHeightM)
	case o.CeilingM != nil && !(math.Abs(*o.CeilingM) <= chart.MaxHeightM):
		return refuse("ceiling_m", "%g is not within %d m of the sea", *o.CeilingM, chart.MaxHeightM)
	case o.CeilingM != nil && *o.CeilingM <= o.FloorM:
		return refuse("ceiling_m", "%g is not above the floor_m of %g", *o.CeilingM, o.FloorM)
	case !o.Until.IsZero() && !o.From.IsZero() && !o.Until.After(o.From):
		return refuse("until", "it would end at %s, not after it begins, at %s", o.Until.UTC().Format(time.RFC3339), o.From.UTC().Format(time.RFC3339))
	}
	return Answer{}, false
}

// polygonOf checks rings and closes those that are open.
func (f *Fleet) polygonOf(rings [][][2]float64) (orb.Polygon, Answer, bool) {
	refuse := func(format string, args ...any) (orb.Polygon, Answer, bool) {
		return nil, badZone("polygon", format, args...), true
	}
	if len(rings) == 0 || len(rings) > MaxZoneRings {
		return refuse("it has %d rings, and must have 1 to %d", len(rings), MaxZoneRings)
	}
	total := 0
	polygon := make(orb.Polygon, len(rings))
	reach := f.chart.Extent.Pad(ZoneBeyondDeg)
	for i, r := range rings {
		total += len(r)
		if total > MaxZonePoints {
			return refuse("it has more than %d points", MaxZonePoints)
		}
		for k, at := range r {
			p := orb.Point(at)
			if !space.ValidPoint(p) || !reach.Contains(p) {
				return refuse("point %d of ring %d, %g,%g, is not within %g degrees of the chart: give longitude first", k+1, i+1, p[0], p[1], ZoneBeyondDeg)
			}
			polygon[i] = append(polygon[i], p)
		}
		if n := len(polygon[i]); n > 0 && polygon[i][0] != polygon[i][n-1] {
			polygon[i] = append(polygon[i], polygon[i][0])
		}
		if len(polygon[i]) < 4 {
			return refuse("ring %d has %d points, and must have 3 or more", i+1, max(0, len(polygon[i])-1))
		}
	}
	if !polygon.Bound().Intersects(f.chart.Extent) {
		return nil, problem(statusUnprocessable, "zone_outside_chart", "polygon", "the zone does not touch the chart"), true
	}
	projected := ringsOf(f.chart.Frame, polygon)
	if at, crossed := crossing(projected); crossed {
		p := f.chart.Frame.Point(at)
		return refuse("its edges cross near %.6f,%.6f", p[0], p[1])
	}
	for i, r := range projected {
		if area := math.Abs(space.RingArea(r)); !(area >= MinZoneM2) {
			return refuse("ring %d holds %.2f m², and must hold %g or more", i+1, area, MinZoneM2)
		}
	}
	corners := 0
	for _, r := range projected {
		corners += len(space.SimplifyRing(r, ZoneCornerM))
	}
	if corners > MaxZoneCorners {
		return refuse("it is too jagged: %d of its points stand out by more than %g m, and at most %d may: simplify it", corners, ZoneCornerM, MaxZoneCorners)
	}
	for i, r := range projected[1:] {
		if !ringWithin(r, projected[0]) {
			return refuse("ring %d is not within the first: the rings after that are courts, and another area is a zone of its own", i+2)
		}
	}
	return polygon, Answer{}, false
}

// ringWithin tells whether a ring that does not cross another lies in it. Corners
// may lie on its edge.
func ringWithin(ring, outer []space.XY) bool {
	const edgeM = 0.01
	for _, p := range ring {
		if space.RingDist(outer, p) > edgeM {
			return space.InRing(outer, p)
		}
	}
	return true
}

// ringsOf takes a polygon into the frame; rings lose the last point, which is
// the first again.
func ringsOf(frame space.Frame, polygon orb.Polygon) [][]space.XY {
	rings := make([][]space.XY, 0, len(polygon))
	for _, r := range polygon {
		if len(r) > 1 && r[0] == r[len(r)-1] {
			r = r[:len(r)-1]
		}
		if len(r) < 3 {
			continue
		}
		ring := make([]space.XY, len(r))
		for k, p := range r {
			ring[k] = frame.XY(p)
		}
		rings = append(rings, ring)
	}
	return rings
}

// onChart tells whether a zone touches the chart's extent.
func onChart(c *chart.Chart, z *chart.Zone) bool {
	return z.Polygon.Bound().Intersects(c.Extent)
}

// crossing finds two edges that cross, ends that touch apart. Edges are looked
// at from west to east, each against those that begin before it ends.
func crossing(rings [][]space.XY) (space.XY, bool) {
	type edge struct{ a, b space.XY }
	var edges []edge
	for _, r := range rings {
		for k := range r {
			a, b := r[k], r[(k+1)%len(r)]
			if a.X > b.X {
				a, b = b, a
			}
			edges = append(edges, edge{a, b})
		}
	}
	slices.SortFunc(edges, func(x, y edge) int { return cmp.Compare(x.a.X, y.a.X) })
	for i, x := range edges {
		for _, y := range edges[i+1:] {
			if y.a.X > x.b.X {
				break
			}
			if min(x.a.Y, x.b.Y) > max(y.a.Y, y.b.Y) || max(x.a.Y, x.b.Y) < min(y.a.Y, y.b.Y) {
				continue
			}
			if crossProperly(x.a, x.b, y.a, y.b) {
				return y.a, true
			}
		}
	}
	return space.XY{}, false
}

// crossProperly tells whether two segments cross at a point inside both.
func crossProperly(a, b, c, d space.XY) bool {
	ab, cd := b.Sub(a), d.Sub(c)
	d1, d2 := ab.Cross(c.Sub(a)), ab.Cross(d.Sub(a))
	d3, d4 := cd.Cross(a.Sub(c)), cd.Cross(b.Sub(c))
	return d1*d2 < 0 && d3*d4 < 0
}
