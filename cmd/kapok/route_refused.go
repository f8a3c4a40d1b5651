package main

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/kapok-fleet/kapok/planner/chart"
	"github.com/kapok-fleet/kapok/planner/route"
	"github.com/kapok-fleet/kapok/planner/space"
)

const (
	// nearestReachM is how far from a refused place another is looked for, and
	// nearestTurns in how many directions.
	nearestReachM = 3000.0
	nearestTurns  = 32
	// nearestTries is how many places are tried with a way, and each with how many
	// expansions.
	nearestTries      = 6
	nearestExpansions = 200_000
)

// refusedError is the negative result of a route: what is against it.
type refusedError struct {
	Rule   string    `json:"rule"`
	Text   string    `json:"text"`
	Object string    `json:"object,omitempty"`
	At     placeView `json:"at"`
	Number float64   `json:"number"`
	Limit  float64   `json:"limit"`
	Unit   string    `json:"unit,omitempty"`
	// Zones are those in force at the departure that hold the place.
	Zones []zoneHold `json:"zones,omitempty"`
	// Nearest is the nearest place found instead of it that has a way, for aircraft.
	Nearest  *placeView `json:"nearest,omitempty"`
	NearestM float64    `json:"nearest_m,omitempty"`
}

// zoneHold is a zone that holds a place, and until when, if that is known.
type zoneHold struct {
	ID    string     `json:"id"`
	Rule  chart.Rule `json:"rule"`
	Until time.Time  `json:"until,omitzero"`
}

func (r *refusedError) Error() string {
	s := fmt.Sprintf("no route: %s", r.Rule)
	if text, ok := refusalTexts()[r.Rule]; ok {
		s += ", " + text
	}
	s += fmt.Sprintf("; at %.6f,%.6f, altitude %.1f m", r.At.Lon, r.At.Lat, r.At.AltitudeM)
	if r.Object != "" {
		s += "; " + r.Object
	}
	if r.Number != 0 || r.Limit != 0 {
		s += fmt.Sprintf("; %.4g %s", r.Number, r.Unit)
	}
	if r.Limit != 0 {
		s += fmt.Sprintf(" against a limit of %.4g %s", r.Limit, r.Unit)
	}
	for _, z := range r.Zones {
		s += fmt.Sprintf("; it lies in the %s zone %s", z.Rule, z.ID)
		if !z.Until.IsZero() {
			s += ", in force until " + stamp(z.Until)
		}
	}
	if r.Nearest != nil {
		s += fmt.Sprintf("; the nearest place with a way is %.6f,%.6f, %.0f m off", r.Nearest.Lon, r.Nearest.Lat, r.NearestM)
	}
	return s
}

// refusalTexts say what the rules mean.
func refusalTexts() map[string]string {
	return map[string]string{
		string(route.NoWay):          "nothing lawful connects the two",
		string(route.OffNetwork):     "the place is too far from where such vehicles drive",
		string(route.InsideZone):     "the place lies in a zone that forbids it",
		string(route.InsideBuilding): "the place or the air above it lies in a building",
		string(route.OutsideChart):   "the place lies beyond the chart",
		string(route.OffWater):       "the place is on no water, or not on the same",
		string(route.AboveLimit):     "the place is higher above the ground than aircraft may fly",
		string(route.OverWater):      "an aircraft does not come down on water",
		string(route.WayClosed):      "the place lies on a way that is closed",
		string(route.TooWindy):       "the wind is more than it can fly against",
		string(route.Budget):         "the search was too long",
		"too_heavy":                  "the load is more than it carries",
		"no_energy":                  "its battery does not last to the end with the reserve",
		"not_landable":               "from somewhere on the way it could not come down lawfully and keep its reserve",
	}
}

// refusal is the planner's, with the unit of its number, the zones that hold the
// place, and the nearest place instead.
func (t *trip) refusal(r *route.Refusal) *refusedError {
	view := &refusedError{
		Rule: string(r.Rule), Object: r.Object, At: t.viewOf(r.At),
		Number: rounded(r.Number, 2), Limit: rounded(r.Limit, 2), Unit: "m",
	}
	switch r.Rule {
	case route.TooWindy:
		view.Unit = "m/s"
	case route.Budget:
		view.Unit = "expansions"
	case route.NoWay, route.InsideZone, route.InsideBuilding, route.OverWater:
		view.Zones = t.zonesOver(r.At)
		t.findNearest(r.At, view)
	case route.OutsideChart, route.AboveLimit, route.OffNetwork, route.OffWater, route.WayClosed:
	}
	return view
}

// binding are the zones that bind the vehicle and forbid places.
func (t *trip) binding() []*chart.Zone {
	var list []*chart.Zone
	add := func(z *chart.Zone) {
		if (z.Airborne == z.Ground || z.Airborne == t.spec.Kind.Airborne()) && (z.Rule == chart.KeepOut || z.Rule == chart.AltitudeLimit) {
			list = append(list, z)
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
	return list
}

// zonesOver are the zones in force at the departure that hold a place.
func (t *trip) zonesOver(at space.Position) []zoneHold {
	var list []zoneHold
	for _, z := range t.binding() {
		if !z.ActiveAt(t.depart) || !space.InRings(t.ringsOf(z), t.chart.Frame.XY(at.Point())) {
			continue
		}
		hold := zoneHold{ID: z.ID, Rule: z.Rule}
		if until, ends := z.NextChange(t.depart); ends {
			hold.Until = until
		}
		list = append(list, hold)
	}
	return list
}

func (t *trip) ringsOf(z *chart.Zone) [][]space.XY {
	rings := make([][]space.XY, len(z.Polygon))
	for i, ring := range z.Polygon {
		for _, p := range ring {
			rings[i] = append(rings[i], t.chart.Frame.XY(p))
		}
	}
	return rings
}

// findNearest looks, ring by ring about a refused place, for one that is free and
// has a way. It is for aircraft: others are bound to their networks.
func (t *trip) findNearest(at space.Position, r *refusedError) {
	if !t.spec.Kind.Airborne() {
		return
	}
	q := t.query()
	q.MaxExpansions = nearestExpansions
	isGoal := at.Point() == t.to.Point()
	if !isGoal && at.Point() != t.from.Point() {
		return
	}
	var fences [][][]space.XY
	for _, z := range t.binding() {
		if z.Rule == chart.KeepOut && z.ActiveDuring(t.depart, t.depart.Add(time.Hour)) {
			fences = append(fences, t.ringsOf(z))
		}
	}
	middle, heightM := t.chart.Frame.XY(at.Point()), at.AltitudeM-t.chart.GroundAltitude(at.Point())
	tries := 0
	for m := 2.0; m <= nearestReachM && tries < nearestTries; m += max(2, m/16) {
		for turn := range nearestTurns {
			sin, cos := math.Sincos(2 * math.Pi * float64(turn) / nearestTurns)
			xy := space.XY{X: middle.X + m*sin, Y: middle.Y + m*cos}
			if !t.free(fences, xy) {
				continue
			}
			p := t.chart.Frame.Position(space.XYZ{X: xy.X, Y: xy.Y, Z: t.chart.GroundAltitudeXY(xy) + heightM})
			if isGoal {
				q.To = p
			} else {
				q.From = p
			}
			tries++
			if _, err := t.planner.Find(q); err == nil {
				view := t.viewOf(p)
				r.Nearest, r.NearestM = &view, rounded(m, 1)
				return
			} else if refused, ok := errors.AsType[*route.Refusal](err); !ok || tries >= nearestTries || refused.Rule == route.TooWindy {
				return
			}
			// The other directions at the same distance are hardly better.
			break
		}
	}
}

// free tells whether a place is on the chart and clear of buildings, water and
// fences.
func (t *trip) free(fences [][][]space.XY, xy space.XY) bool {
	if !t.chart.Extent.Contains(t.chart.Frame.Point(xy)) {
		return false
	}
	if _, wet := t.chart.WaterAt(xy); wet {
		return false
	}
	apart := func(rings [][]space.XY) bool {
		return !space.InRings(rings, xy) && ringsDist(rings, xy) >= route.OpenGroundM
	}
	for _, b := range t.chart.BuildingsIn(space.BoxOf(xy).Grow(route.OpenGroundM), nil) {
		if !apart(t.chart.Outline(b)) {
			return false
		}
	}
	return !slices.ContainsFunc(fences, func(rings [][]space.XY) bool { return !apart(rings) })
}
