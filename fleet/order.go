package fleet

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/kapok-fleet/kapok/protocol"
	"github.com/kapok-fleet/kapok/protocol/api"
)

// MaxStops is the most stops that a task may have, laps counted.
const MaxStops = 2000

// MaxAhead is how far ahead a stop may have its earliest begin.
const MaxAhead = 366 * 24 * time.Hour

// orderTask takes an order in and looks for a vehicle at once, so that the
// answer already says who goes and when.
func (f *Fleet) orderTask(a OrderTask) Answer {
	if f.index.open >= f.config.MaxOpenTasks {
		return problem(statusUnavailable, "too_many_tasks", "", fmt.Sprintf("this fleet holds its limit of %d open tasks: try again later", f.config.MaxOpenTasks))
	}
	t, bad := f.newTask(&a.Order)
	if bad != nil {
		return Answer{Status: statusUnprocessable, Problem: bad}
	}
	if f.index.stops+len(t.Stops) > f.config.MaxOpenStops {
		return problem(statusUnavailable, "too_many_tasks", "", fmt.Sprintf("the open tasks of this fleet have %d stops, of at most %d: try again later", f.index.stops, f.config.MaxOpenStops))
	}
	t.ID = TaskID(fmt.Sprintf("T%d", f.state.Durable.Counters.Task+1))
	t.State, t.Reason = TaskWaiting, Reason{"new", "just ordered"}
	t.OrderedBy, t.OrderedAt = f.actor, f.now
	ordered := f.emit(TaskOrdered{*t})
	actor := f.actor
	f.actor = "kapok"
	done := f.because(ordered)
	f.amply(t.Priority, func() { f.dispatch(t.ID) })
	done()
	f.actor = actor
	return f.taskAnswer(statusCreated, t.ID)
}

func bad(code, field, format string, args ...any) *Problem {
	return &Problem{Code: code, Field: field, Detail: fmt.Sprintf(format, args...)}
}

// maxKinds is more than there are kinds of vehicle.
const maxKinds = 16

// tooLong refuses capabilities or a model that no vehicle could name either.
func tooLong(capabilities []string, model string) *Problem {
	if len(capabilities) > protocol.MaxCapabilities {
		return bad("bad_capability", "capabilities", "at most %d capabilities", protocol.MaxCapabilities)
	}
	for i, c := range capabilities {
		if len(c) > protocol.MaxIDBytes {
			return bad("bad_capability", fmt.Sprintf("capabilities[%d]", i), "a capability has at most %d bytes", protocol.MaxIDBytes)
		}
	}
	if len(model) > protocol.MaxIDBytes {
		return bad("unknown_model", "model", "a model's name has at most %d bytes", protocol.MaxIDBytes)
	}
	return nil
}

// newTask checks an order and turns it into a task.
func (f *Fleet) newTask(o *api.Order) (*Task, *Problem) {
	t := &Task{
		Kind: TaskKind(o.Kind), Priority: Priority(o.Priority), Rank: o.Rank, LoadKg: o.LoadKg,
		Capabilities: o.Capabilities, Note: o.Note,
	}
	if t.Priority == "" {
		t.Priority = Routine
	}
	if !slices.Contains([]Priority{Emergency, Urgent, Routine}, t.Priority) {
		return nil, bad("bad_priority", "priority", "priority must be emergency, urgent or routine, not %q", o.Priority)
	}
	if p := tooLong(o.Capabilities, ""); p != nil {
		return nil, p
	}
	if len(o.VehicleKinds) > maxKinds {
		return nil, bad("bad_vehicle_kind", "vehicle_kinds", "there are not %d kinds of vehicle", len(o.VehicleKinds))
	}
	for _, k := range o.VehicleKinds {
		if _, ok := f.config.Spec(protocol.Kind(k), ""); !ok {
			return nil, bad("bad_vehicle_kind", "vehicle_kinds", "there is no kind of vehicle %q", k)
		}
		t.Kinds = append(t.Kinds, protocol.Kind(k))
	}
	laps := max(o.Laps, 1)
	switch {
	case len(o.Stops) == 0:
		return nil, bad("no_stops", "stops", "an order needs at least one stop")
	case laps > MaxStops || len(o.Stops)*laps > MaxStops:
		return nil, bad("too_many_stops", "stops", "%d stops times %d laps is above the limit of %d", len(o.Stops), laps, MaxStops)
	case laps > 1 && t.Kind != Patrol:
		return nil, bad("bad_laps", "laps", "only a patrol has laps")
	case t.Kind == Delivery && len(o.Stops) < 2:
		return nil, bad("no_dropoff", "stops", "a delivery needs a stop to pick up and at least one to drop off")
	case t.Kind != Delivery && o.LoadKg != 0:
		return nil, bad("bad_load", "load_kg", "only a delivery carries a load")
	case !slices.Contains([]TaskKind{Visit, Delivery, Patrol}, t.Kind):
		return nil, bad("bad_kind", "kind", "kind must be visit, delivery or patrol, not %q", o.Kind)
	case math.IsNaN(o.LoadKg) || o.LoadKg < 0 || o.LoadKg > 10_000:
		return nil, bad("bad_load", "load_kg", "load_kg must be from 0 to 10000")
	}
	for range laps {
		for i := range o.Stops {
			s, p := f.newStop(t, o, i)
			if p != nil {
				return nil, p
			}
			t.Stops = append(t.Stops, s)
		}
	}
	return t, nil
}

// newStop checks one stop of an order.
func (f *Fleet) newStop(t *Task, o *api.Order, i int) (Stop, *Problem) {
	in := &o.Stops[i]
	field := fmt.Sprintf("stops[%d]", i)
	s := Stop{
		Action: protocol.ActionVisit, WorkS: in.WorkS, State: StopOpen,
		NotBefore: in.NotBefore.UTC(), NotAfter: in.NotAfter.UTC(),
	}
	if t.Kind == Delivery {
		s.Action, s.LoadKg = protocol.ActionDropoff, 0
		if i == 0 {
			s.Action, s.LoadKg = protocol.ActionPickup, o.LoadKg
		} else if i == len(o.Stops)-1 {
			s.LoadKg = -o.LoadKg
		}
	}
	if in.NotBefore.IsZero() {
		s.NotBefore = in.NotBefore
	}
	if in.NotAfter.IsZero() {
		s.NotAfter = in.NotAfter
	}
	switch {
	case math.IsNaN(in.WorkS) || in.WorkS < 0 || in.WorkS > 86_400:
		return s, bad("bad_work", field+".work_s", "work_s must be from 0 to 86400 s")
	case !s.NotBefore.IsZero() && (s.NotBefore.After(f.now.Add(MaxAhead)) || s.NotBefore.Year() < 2000):
		return s, bad("bad_window", field+".not_before", "not_before %s must lie within the next %d days", s.NotBefore, MaxAhead/(24*time.Hour))
	case s.NotAfter.Year() > 9999:
		return s, bad("bad_window", field+".not_after", "not_after lies beyond the year 9999")
	case !s.NotAfter.IsZero() && s.NotAfter.Before(s.NotBefore):
		return s, bad("bad_window", field, "not_after %s is before not_before %s", s.NotAfter, s.NotBefore)
	case !s.NotAfter.IsZero() && s.NotAfter.Before(f.now):
		return s, bad("window_over", field+".not_after", "not_after %s has passed", s.NotAfter)
	}
	p := f.stopPlace(&s, in, field)
	if p == nil && !f.chart.Extent.Contains(s.At.Point()) {
		p = bad("outside_chart", field+".position", "%.6f,%.6f lies outside of chart %s", s.At.Lon, s.At.Lat, f.chart.Name)
	}
	return s, p
}

// badPosition says what sensible asks for.
const badPosition = "lon, lat and altitude_m must be within -180..180, -90..90 and -1000..20000"

// sensible tells whether a position is one on this planet that can be told to a
// vehicle.
func sensible(p *api.Position) bool {
	return math.Abs(p.Lat) <= 90 && math.Abs(p.Lon) <= 180 &&
		(p.AltitudeM == nil || *p.AltitudeM >= protocol.MinAltitudeM && *p.AltitudeM <= protocol.MaxAltitudeM)
}

// stopPlace finds where a stop is: exactly one of position, site and place.
func (f *Fleet) stopPlace(s *Stop, in *api.OrderStop, field string) *Problem {
	given := 0
	for _, is := range []bool{in.Position != nil, in.Site != "", in.Place != ""} {
		if is {
			given++
		}
	}
	if given != 1 {
		return bad("bad_place", field, "exactly one of position, site and place must be given")
	}
	switch {
	case in.Position != nil:
		p := in.Position
		if !sensible(p) {
			return bad("bad_position", field+".position", badPosition)
		}
		s.At = f.position(p)
	case in.Site != "":
		site, ok := f.sites[SiteID(in.Site)]
		if !ok {
			return bad("no_such_site", field+".site", "the chart has no site %q", in.Site)
		}
		s.At, s.Name = site.Position, nameOr(site.Name, site.ID)
	default:
		place, ok := f.places[in.Place]
		if !ok {
			return bad("no_such_place", field+".place", "the chart has no place %q", in.Place)
		}
		s.At, s.Name = place.Position, nameOr(place.Name, place.ID)
	}
	return nil
}

func nameOr(name, id string) string {
	if name != "" {
		return name
	}
	return id
}
