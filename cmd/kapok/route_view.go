package main

import (
	"math"
	"time"

	"github.com/kapok-fleet/kapok/planner/chart"
	"github.com/kapok-fleet/kapok/planner/motion"
	"github.com/kapok-fleet/kapok/planner/route"
	"github.com/kapok-fleet/kapok/planner/space"
	"github.com/kapok-fleet/kapok/planner/verify"
)

// plannedRoute is a way as it is printed.
type plannedRoute struct {
	Chart        string         `json:"chart"`
	Checksum     string         `json:"chart_checksum"`
	Illustrative bool           `json:"illustrative,omitempty"`
	Kind         motion.Kind    `json:"kind"`
	Airframe     string         `json:"airframe"`
	LoadKg       float64        `json:"load_kg"`
	Objective    string         `json:"objective"`
	Wind         windView       `json:"wind"`
	Depart       time.Time      `json:"depart"`
	Arrive       time.Time      `json:"arrive"`
	From         placeView      `json:"from"`
	To           placeView      `json:"to"`
	LengthM      float64        `json:"length_m"`
	DurationS    float64        `json:"duration_s"`
	EnergyWh     float64        `json:"energy_wh"`
	BatteryWh    float64        `json:"battery_wh"`
	ReserveWh    float64        `json:"reserve_wh"`
	BatteryRatio float64        `json:"battery_after_ratio"`
	Checked      bool           `json:"checked"`
	CheckedBy    string         `json:"checked_by"`
	Expansions   int            `json:"expansions"`
	Legs         []legView      `json:"legs"`
	Landings     []landingView  `json:"landings,omitempty"`
	Binding      []routeBinding `json:"binding,omitempty"`

	path   []space.Position
	times  []time.Time
	geoid  bool
	raises []float64
}

// placeView is a place with both of its heights.
type placeView struct {
	Lon       float64 `json:"lon"`
	Lat       float64 `json:"lat"`
	AltitudeM float64 `json:"altitude_m"`
	HeightM   float64 `json:"height_m"`
	Level     string  `json:"level,omitempty"`
}

// legView is a straight piece of the way.
type legView struct {
	From           placeView `json:"from"`
	To             placeView `json:"to"`
	Phase          string    `json:"phase"`
	Start          time.Time `json:"start"`
	LengthM        float64   `json:"length_m"`
	HeadingDeg     float64   `json:"heading_deg"`
	GroundSpeedMPS float64   `json:"ground_speed_mps"`
	AirSpeedMPS    float64   `json:"air_speed_mps,omitempty"`
	DurationS      float64   `json:"duration_s"`
	EnergyWh       float64   `json:"energy_wh"`
	// LeastHeightM is the lowest height above the ground along the leg.
	LeastHeightM float64 `json:"least_height_m"`
	BatteryRatio float64 `json:"battery_after_ratio"`
}

// landingView is the best place to come down from a point of the way.
type landingView struct {
	// Point is the number of the point, 0 for the start.
	Point int `json:"point"`
	// Where is site, start, end or open_ground.
	Where     string    `json:"where"`
	Site      string    `json:"site,omitempty"`
	At        placeView `json:"at"`
	DurationS float64   `json:"duration_s"`
	EnergyWh  float64   `json:"energy_wh"`
}

// checkedBy says who looked at a way.
const checkedBy = "planner/verify, at most 1 m apart"

func (t *trip) viewOf(p space.Position) placeView {
	ground := t.chart.GroundAltitude(p.Point())
	return placeView{rounded(p.Lon, 7), rounded(p.Lat, 7), rounded(p.AltitudeM, 2), rounded(p.AltitudeM-ground, 2), p.Level}
}

// rounded keeps some decimals: what is behind them is no knowledge.
func rounded(v float64, decimals int) float64 {
	unit := math.Pow10(decimals)
	if r := math.Round(v*unit) / unit; r != 0 {
		return r
	}
	return 0
}

// view makes the legs of a way.
func (t *trip) view(r *route.Route) *plannedRoute {
	objective := "time"
	if t.objective == route.LeastEnergy {
		objective = "energy"
	}
	w := &plannedRoute{
		Chart: t.chart.Name, Checksum: t.chart.Checksum, Illustrative: t.chart.Illustrative,
		Kind: t.spec.Kind, Airframe: t.model, LoadKg: t.loadKg, Objective: objective, Wind: t.wind,
		Depart: t.depart, Arrive: t.depart.Add(seconds(r.Cost.Seconds)), From: t.viewOf(r.Path[0]), To: t.viewOf(r.Path[len(r.Path)-1]),
		LengthM: rounded(r.LengthM, 2), DurationS: rounded(r.Cost.Seconds, 3), EnergyWh: rounded(r.Cost.EnergyWh, 4),
		BatteryWh: rounded(t.spec.BatteryWh*t.battery, 4), ReserveWh: rounded(t.spec.ReserveWh(), 4),
		BatteryRatio: rounded(t.battery-r.Cost.EnergyWh/t.spec.BatteryWh, 5),
		Expansions:   r.Expansions, path: r.Path, geoid: t.chart.Geoid != nil,
	}
	wind := t.world.Wind
	if !t.spec.Kind.Airborne() {
		wind = motion.Wind{}
	}
	flight := t.spec.In(wind, t.loadKg)
	var spent motion.Cost
	w.times = append(w.times, t.depart)
	for i := 1; i < len(r.Path); i++ {
		leg, cost := t.leg(&flight, wind, r.Path[i-1], r.Path[i], r.SpeedsMPS[i-1])
		leg.Start = t.depart.Add(seconds(spent.Seconds))
		spent = spent.Add(cost)
		leg.BatteryRatio = rounded(t.battery-spent.EnergyWh/t.spec.BatteryWh, 5)
		w.Legs = append(w.Legs, leg)
		w.times = append(w.times, t.depart.Add(seconds(spent.Seconds)))
	}
	for _, p := range r.Path {
		w.raises = append(w.raises, t.chart.UndulationM(p.Point()))
	}
	return w
}

func (t *trip) leg(flight *motion.Flight, wind motion.Wind, from, to space.Position, mps float64) (legView, motion.Cost) {
	a, b := t.chart.Frame.XYZ(from), t.chart.Frame.XYZ(to)
	// The planner has flown it already: the wind lets it hold its course.
	cost, _ := flight.Segment(a, b, mps)
	way := b.XY().Sub(a.XY())
	lengthM := way.Len()
	l := legView{
		From: t.viewOf(from), To: t.viewOf(to), Phase: phaseOf(t.spec.Kind, lengthM, b.Z-a.Z),
		LengthM: rounded(a.Dist(b), 2), DurationS: rounded(cost.Seconds, 3), EnergyWh: rounded(cost.EnergyWh, 4),
		LeastHeightM: rounded(t.leastHeightM(a, b), 2),
	}
	if !t.spec.Kind.Airborne() {
		l.LengthM = rounded(lengthM, 2)
	}
	if lengthM > 0 && cost.Seconds > 0 {
		l.HeadingDeg = rounded(math.Mod(math.Atan2(way.X, way.Y)*180/math.Pi+360, 360), 1)
		l.GroundSpeedMPS = rounded(lengthM/cost.Seconds, 3)
		if t.spec.Kind.Airborne() {
			l.AirSpeedMPS = rounded(wind.AirSpeed(lengthM/cost.Seconds, way.Scale(1/lengthM)), 3)
		}
	}
	return l, cost
}

// phaseOf names what the vehicle does on a leg.
func phaseOf(kind motion.Kind, lengthM, riseM float64) string {
	switch {
	case kind == motion.Rover:
		return "drive"
	case kind == motion.Vessel:
		return "sail"
	case lengthM < 0.5 && riseM > 0:
		return "climb"
	case lengthM < 0.5:
		return "descent"
	}
	return "cruise"
}

// leastHeightM is the lowest height above the ground, looked at every metre.
func (t *trip) leastHeightM(a, b space.XYZ) float64 {
	least := math.Inf(1)
	steps := max(1, math.Ceil(a.Dist(b)))
	for k := 0.0; k <= steps; k++ {
		part := k / steps
		at := space.XYZ{X: a.X + (b.X-a.X)*part, Y: a.Y + (b.Y-a.Y)*part, Z: a.Z + (b.Z-a.Z)*part}
		least = min(least, at.Z-t.chart.GroundAltitudeXY(at.XY()))
	}
	return least
}

// check has the way walked along by the checker, which knows nothing of the
// planner. What it finds is a fault of Kapok's.
func (t *trip) check(r *route.Route, w *plannedRoute) error {
	found := verify.Timed(t.chart, t.world.Zones, t.world.Suspended, t.spec.Kind, r.Path, w.times)
	if t.spec.Kind == motion.Rover {
		found = append(found, t.checkDrive(r)...)
	}
	if len(found) > 0 {
		return no("internal error: the way that was found breaks %d rules, first: %s", len(found), found[0])
	}
	w.Checked, w.CheckedBy = true, checkedBy
	return nil
}

// checkDrive has the directions of travel checked, and that no closed way is
// entered: one that the vehicle starts on may be left.
func (t *trip) checkDrive(r *route.Route) []verify.Violation {
	profile := chart.Sidewalk
	if t.spec.Road {
		profile = chart.Road
	}
	found := verify.Drive(t.chart, profile, r.Path)
	if len(t.world.Closed) == 0 {
		return found
	}
	open := *t.chart
	open.Ground.Arcs = make([]chart.Arc, len(t.chart.Ground.Arcs))
	copy(open.Ground.Arcs, t.chart.Ground.Arcs)
	for i := range open.Ground.Arcs {
		if t.world.Closed[open.Ground.Arcs[i].WayID] {
			open.Ground.Arcs[i].Profiles = 0
		}
	}
	entered := verify.Drive(&open, profile, r.Path)
	for i := 2; len(entered) > 0 && i < len(r.Path) && entered[0].At == r.Path[i]; i++ {
		entered = entered[1:]
	}
	return append(found, entered...)
}

// land finds where an aircraft can come down from each point of the way. One whose
// way ends in the air must be able to land from everywhere on it with its reserve;
// another lands at the end.
func (t *trip) land(r *route.Route, w *plannedRoute) error {
	if !t.spec.Kind.Airborne() {
		return nil
	}
	var own []space.Position
	for _, end := range []struct {
		view placeView
		at   space.Position
	}{{w.From, t.from}, {w.To, t.to}} {
		if end.view.HeightM < 1 {
			own = append(own, end.at)
		}
	}
	all := t.planner.Landings(&t.spec, r.Path, t.loadKg, t.depart, own...)
	for i, l := range all {
		if l.Possible() {
			w.Landings = append(w.Landings, landingView{i, t.whereIs(&l), l.Site, t.viewOf(l.At), rounded(l.Cost.Seconds, 2), rounded(l.Cost.EnergyWh, 4)})
		}
	}
	if w.To.HeightM < 1 {
		return nil
	}
	d := t.planner.LandingsAlong(&t.spec, r, t.loadKg, w.BatteryWh, t.depart, own...)
	if d.LackWh <= 0 {
		return nil
	}
	refused := &refusedError{Rule: "not_landable", Object: d.Worst.Site, At: t.viewOf(t.to), Unit: "Wh", Limit: w.BatteryWh}
	if d.Worst.Possible() {
		refused.Number = rounded(w.BatteryWh+d.LackWh, 4)
	}
	for i := range all {
		if !all[i].Possible() {
			refused.At = t.viewOf(r.Path[i])
			break
		}
	}
	return refused
}

// whereIs names the kind of place that a landing is.
func (t *trip) whereIs(l *route.Landing) string {
	switch {
	case l.Site != "":
		return "site"
	case l.At.Point() == t.from.Point():
		return "start"
	case l.At.Point() == t.to.Point():
		return "end"
	}
	return "open_ground"
}
