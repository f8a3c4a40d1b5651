package main

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/kapok-fleet/kapok/planner/chart"
	"github.com/kapok-fleet/kapok/planner/route"
	"github.com/kapok-fleet/kapok/planner/space"
)

const (
	// explainedZones is how many zones are tried without, explainedReachM how far
	// from the way they may be.
	explainedZones  = 40
	explainedReachM = 2000
	// bindSlackM is how far from its limit something may be and still bind.
	bindSlackM = 0.6
)

// routeBinding is one thing that makes the way what it is.
type routeBinding struct {
	// Rule is the zone's, or building, shore, roof, least_cruise_height,
	// height_limit or closed_way.
	Rule   string  `json:"rule"`
	Object string  `json:"object,omitempty"`
	Number float64 `json:"number"`
	Limit  float64 `json:"limit"`
	Unit   string  `json:"unit,omitempty"`
	// Leg is the number of the leg, from 1; 0 for the way as a whole.
	Leg  int        `json:"leg,omitempty"`
	At   *placeView `json:"at,omitempty"`
	Text string     `json:"text"`
}

// explain tells what binds the way: the corners that it bends about, the heights
// that hold its altitude, and the zones and closed ways without which it would be
// another.
func (t *trip) explain(w *plannedRoute) []routeBinding {
	list := []routeBinding{}
	if t.spec.Kind.Airborne() {
		list = append(list, t.heightsThatBind(w)...)
	}
	if t.wayIsFree() {
		list = append(list, t.cornersThatBind(w)...)
	}
	list = append(list, t.zonesThatBind(w)...)
	return append(list, t.closuresThatBind(w)...)
}

// wayIsFree tells whether the vehicle may leave the network.
func (t *trip) wayIsFree() bool { return t.spec.Kind != "rover" }

// cornersThatBind are the walls that the way's bends pass at the least distance.
func (t *trip) cornersThatBind(w *plannedRoute) []routeBinding {
	var list []routeBinding
	for i := 1; i+1 < len(w.path); i++ {
		at := t.chart.Frame.XYZ(w.path[i])
		before, after := t.chart.Frame.XYZ(w.path[i-1]).XY(), t.chart.Frame.XYZ(w.path[i+1]).XY()
		if in, out := at.XY().Sub(before), after.Sub(at.XY()); in.Len() < 0.5 || out.Len() < 0.5 || math.Abs(in.Cross(out)) < 1e-3*in.Len()*out.Len() {
			continue
		}
		rule, object, best := t.wallAt(before, at, after)
		if object == "" {
			continue
		}
		view := t.viewOf(w.path[i])
		list = append(list, routeBinding{
			Rule: rule, Object: object, Number: rounded(best, 1), Limit: route.ClearanceM, Unit: "m", Leg: i, At: &view,
			Text: "the way bends about it at the least distance",
		})
	}
	return list
}

// wallAt is the building or shore that the pieces before and after a bend pass
// nearest, if that is no further than they must.
func (t *trip) wallAt(before space.XY, at space.XYZ, after space.XY) (rule, object string, best float64) {
	best = route.ClearanceM + bindSlackM
	look := func(what, id string, rings [][]space.XY) {
		if d := min(pieceDist(rings, before, at.XY()), pieceDist(rings, at.XY(), after)); d < best {
			rule, object, best = what, id, d
		}
	}
	found := t.chart.BuildingsIn(space.BoxOf(at.XY()).Grow(4*best), nil)
	slices.Sort(found)
	for _, b := range found {
		if t.spec.Kind.Airborne() && t.chart.RoofM(b) <= at.Z-route.RoofClearanceM {
			continue
		}
		look("building", t.chart.Buildings[b].ID, t.chart.Outline(b))
	}
	if water, wet := t.chart.WaterAt(at.XY()); wet && !t.spec.Kind.Airborne() {
		look("shore", t.chart.Water[water].ID, t.chart.Shore(water))
	}
	return rule, object, best
}

// pieceDist is how far a straight piece is from the nearest wall that it does not
// cross.
func pieceDist(rings [][]space.XY, from, to space.XY) float64 {
	best := min(ringsDist(rings, from), ringsDist(rings, to))
	for _, ring := range rings {
		for _, corner := range ring {
			best = min(best, space.SegmentDist(corner, from, to))
		}
	}
	return best
}

// ringsDist is how far a place is from the nearest wall.
func ringsDist(rings [][]space.XY, at space.XY) float64 {
	best := math.Inf(1)
	for _, ring := range rings {
		for i := 1; i < len(ring); i++ {
			best = min(best, space.SegmentDist(at, ring[i-1], ring[i]))
		}
	}
	return best
}

// heightsThatBind are the limits that hold the cruise where it is.
func (t *trip) heightsThatBind(w *plannedRoute) []routeBinding {
	var list []routeBinding
	told := map[string]bool{}
	tell := func(leg int, rule, object string, number, limit float64, text string) {
		if key := rule + object; !told[key] {
			told[key] = true
			at := w.Legs[leg].From
			list = append(list, routeBinding{Rule: rule, Object: object, Number: rounded(number, 1), Limit: rounded(limit, 1), Unit: "m", Leg: leg + 1, At: &at, Text: text})
		}
	}
	highest := t.chart.HeightLimitM
	if highest <= 0 {
		highest = route.DefaultHeightLimitM
	}
	least := route.MinCruiseM
	if t.chart.Terrain != nil {
		least += t.chart.Terrain.UncertaintyM
	}
	for i := range w.Legs {
		l := &w.Legs[i]
		if l.Phase != "cruise" {
			continue
		}
		if top := max(l.From.HeightM, l.To.HeightM); top >= highest-route.LimitMarginM-bindSlackM {
			tell(i, "height_limit", "", top, highest, "it flies as high as it may")
		}
		if l.LeastHeightM <= least+bindSlackM {
			tell(i, "least_cruise_height", "", l.LeastHeightM, least, "it flies as low as a cruise may be")
		}
		number, first, closest := 0, "", 0.0
		t.roofsBelow(w, i, func(b int32, roofM, altitudeM float64) {
			if number++; number == 1 {
				first, closest = t.chart.Buildings[b].ID, altitudeM-roofM
			}
		})
		if number > 0 {
			text := "it passes over the roof at the least distance"
			if number > 1 {
				text += fmt.Sprintf(", and over %d others", number-1)
			}
			tell(i, "roof", first, closest, route.RoofClearanceM, text)
		}
	}
	return list
}

// roofsBelow finds roofs that a leg passes over as low as it may.
func (t *trip) roofsBelow(w *plannedRoute, leg int, each func(b int32, roofM, altitudeM float64)) {
	a, b := t.chart.Frame.XYZ(w.path[leg]), t.chart.Frame.XYZ(w.path[leg+1])
	found := t.chart.BuildingsIn(space.BoxOf(a.XY(), b.XY()), nil)
	slices.Sort(found)
	for _, n := range found {
		roof := t.chart.RoofM(n)
		lowest := math.Inf(1)
		steps := max(1, math.Ceil(a.Dist(b)))
		if gap := min(a.Z, b.Z) - roof; gap > route.RoofClearanceM+bindSlackM || max(a.Z, b.Z) < roof {
			continue
		}
		for k := 0.0; k <= steps; k++ {
			part := k / steps
			at := space.XY{X: a.X + (b.X-a.X)*part, Y: a.Y + (b.Y-a.Y)*part}
			if space.InRings(t.chart.Outline(n), at) {
				lowest = min(lowest, a.Z+(b.Z-a.Z)*part)
			}
		}
		if lowest-roof <= route.RoofClearanceM+bindSlackM {
			each(n, roof, lowest)
		}
	}
}

// zonesThatBind are the zones without which the way would take less: each of the
// nearest is left out in turn, and the way planned again.
func (t *trip) zonesThatBind(w *plannedRoute) []routeBinding {
	var list []routeBinding
	for _, z := range t.zonesNear(w) {
		live := slices.DeleteFunc(slices.Clone(t.world.Zones), func(o chart.Zone) bool { return o.ID == z.ID })
		suspended := map[string]bool{z.ID: true}
		for id := range t.world.Suspended {
			suspended[id] = true
		}
		p := t.planner.Clone()
		p.SetZones(live, suspended)
		found, err := p.Find(t.query())
		if err != nil {
			continue
		}
		if b, binds := t.saves(w, &found); binds {
			b.Rule, b.Object = string(z.Rule), z.ID
			list = append(list, b)
		}
	}
	return list
}

// saves compares the way with one that something less binds.
func (t *trip) saves(w *plannedRoute, other *route.Route) (routeBinding, bool) {
	b := routeBinding{Number: w.DurationS, Limit: rounded(other.Cost.Seconds, 3), Unit: "s"}
	least := 0.05
	if t.objective == route.LeastEnergy {
		b.Number, b.Limit, b.Unit, least = w.EnergyWh, rounded(other.Cost.EnergyWh, 4), "Wh", 0.005
	}
	b.Text = fmt.Sprintf("without it the way takes %.1f %s less", b.Number-b.Limit, b.Unit)
	if shorter := w.LengthM - other.LengthM; shorter >= 0.5 {
		b.Text += fmt.Sprintf(" and is %.0f m shorter", shorter)
	}
	return b, b.Number-b.Limit > least
}

// zonesNear are the zones within reach of the way that may concern it, the nearest
// first.
func (t *trip) zonesNear(w *plannedRoute) []*chart.Zone {
	type near struct {
		zone  *chart.Zone
		distM float64
	}
	var list []near
	add := func(z *chart.Zone) {
		binds := z.Airborne == z.Ground || z.Airborne == t.spec.Kind.Airborne()
		if !binds || z.Rule == chart.Advise || !z.ActiveDuring(t.depart.Add(-seconds(route.LateS)), w.Arrive.Add(seconds(route.LateS))) {
			return
		}
		if d := t.pathDist(w, z); d <= explainedReachM {
			list = append(list, near{z, d})
		}
	}
	for i := range t.chart.Zones {
		if !t.world.Suspended[t.chart.Zones[i].ID] {
			add(&t.chart.Zones[i])
		}
	}
	for i := range t.world.Zones {
		add(&t.world.Zones[i])
	}
	slices.SortStableFunc(list, func(a, b near) int { return cmp.Compare(a.distM, b.distM) })
	zones := []*chart.Zone{}
	for i := range list[:min(len(list), explainedZones)] {
		zones = append(zones, list[i].zone)
	}
	return zones
}

// pathDist is about how far a zone is from the way: from its outline, or 0 where it
// holds a point of it.
func (t *trip) pathDist(w *plannedRoute, z *chart.Zone) float64 {
	best := math.Inf(1)
	rings := t.ringsOf(z)
	for i := range w.path {
		at := t.chart.Frame.XY(w.path[i].Point())
		if space.InRings(rings, at) {
			return 0
		}
		if i > 0 {
			best = min(best, pieceDist(rings, t.chart.Frame.XY(w.path[i-1].Point()), at))
		}
	}
	return best
}

// closuresThatBind are the closed ways without which a robot's way would take less.
func (t *trip) closuresThatBind(w *plannedRoute) []routeBinding {
	var list []routeBinding
	var ways []int64
	for way := range t.world.Closed {
		ways = append(ways, way)
	}
	slices.Sort(ways)
	for _, way := range ways[:min(len(ways), explainedZones)] {
		open := map[int64]bool{}
		for other := range t.world.Closed {
			open[other] = other != way
		}
		p := t.planner.Clone()
		p.SetConditions(t.world.Wind, open)
		found, err := p.Find(t.query())
		if err != nil {
			continue
		}
		if b, binds := t.saves(w, &found); binds {
			b.Rule, b.Object = "closed_way", fmt.Sprintf("way/%d", way)
			list = append(list, b)
		}
	}
	return list
}
