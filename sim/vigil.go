package sim

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/kapok-fleet/kapok/fleet"
	"github.com/kapok-fleet/kapok/sim/check"
	"github.com/kapok-fleet/kapok/sim/scenario"
)

// vigil judges, each second, what must never be and what must come true once. It
// reads only the figures that some assertion is about.
type vigil struct {
	watched []watched
	// least is the lowest charge of each vehicle so far.
	least []float64
	// last are the figures as they were read last: while the backend is down, what
	// it knew stays as it was.
	last map[string]reading
}

// watched is an assertion about every second.
type watched struct {
	scenario.Assertion
	// decided says that it is settled before the end, value, bound, atS and who what
	// was so then.
	decided      bool
	value, bound float64
	atS          float64
	who          string
}

// reading is the value of a figure, and whom it is about.
type reading struct {
	value float64
	who   string
}

// newVigil takes the assertions of a scenario that are about every second.
func newVigil(s *scenario.Scenario, vehicles int) vigil {
	v := vigil{last: map[string]reading{}, least: make([]float64, vehicles)}
	for i := range v.least {
		v.least[i] = 1
	}
	for _, text := range s.Assert {
		if a, err := scenario.ParseAssertion(text); err == nil && a.When != scenario.AtEnd {
			v.watched = append(v.watched, watched{Assertion: a})
		}
	}
	return v
}

// lowest is the lowest charge of a vehicle so far.
func (g *vigil) lowest(v *vehicle) float64 { return min(g.least[v.n], v.agent.Body().BatteryRatio()) }

// watch looks at the present second.
func (w *world) watch() {
	g := &w.vigil
	for i, v := range w.vehicles {
		g.least[i] = min(g.least[i], v.agent.Body().BatteryRatio())
	}
	seen := map[string]bool{}
	for i := range g.watched {
		it := &g.watched[i]
		if it.decided {
			continue
		}
		for _, name := range []string{it.Figure, it.Other} {
			if name != "" && !seen[name] {
				seen[name] = true
				if now, ok := w.read(name); ok {
					g.last[name] = now
				}
			}
		}
		value, bound := g.last[it.Figure], it.Number
		if it.Other != "" {
			bound = g.last[it.Other].value
		}
		at := time.Duration(w.now)
		late := it.When == scenario.Eventually && it.Within > 0 && at > it.Within
		if !late && it.Holds(value.value, bound) {
			it.decided, it.value, it.bound, it.atS, it.who = true, value.value, bound, at.Seconds(), value.who
		}
	}
}

// outcome is what became of an assertion about every second; false when it was not
// watched.
func (w *world) watchedOutcome(text string) (Outcome, bool) {
	i := slices.IndexFunc(w.vigil.watched, func(it watched) bool { return it.Text == text })
	if i < 0 {
		return Outcome{}, false
	}
	it := &w.vigil.watched[i]
	o := Outcome{Assertion: text, Expected: it.Expects(), AtS: it.atS, Who: it.who}
	last := w.vigil.last[it.Figure]
	switch {
	case it.When == scenario.Never && it.decided:
		o.Found = fmt.Sprintf("%s was %s", it.Figure, plain(it.value))
	case it.When == scenario.Never:
		o.Held, o.AtS = true, time.Duration(w.now).Seconds()
		o.Found = fmt.Sprintf("it never was; %s is %s", it.Figure, plain(last.value))
	case it.decided:
		o.Held, o.Found = true, fmt.Sprintf("%s was %s", it.Figure, plain(it.value))
	default:
		o.AtS, o.Who = time.Duration(w.now).Seconds(), last.who
		o.Found = fmt.Sprintf("it never came true; %s is %s", it.Figure, plain(last.value))
	}
	if it.Other != "" {
		o.Found += fmt.Sprintf(", %s %s", it.Other, plain(w.vigil.last[it.Other].value))
	}
	return o, true
}

// read is the present value of a figure of scenario.LiveFigures; false while the
// backend, which knows it, is down.
func (w *world) read(name string) (reading, bool) {
	switch name {
	case "zone_violations":
		return lastOf(w.geometry.Zones), true
	case "caught_inside":
		return reading{value: float64(len(w.geometry.Caught))}, true
	case "building_hits":
		return lastOf(w.geometry.Buildings), true
	case "violations":
		n, who := w.violated()
		return reading{float64(n), who}, true
	case "crashes":
		return reading{value: float64(w.backend.crashes)}, true
	case "stops_done", "custody_breaches", "vehicles_empty", "battery_ratio_min":
		return w.readBodies(name), true
	case "tasks_ordered", "tasks_refused", "incidents_reported", "zones_made":
		return w.readAnswers(name), true
	}
	if !w.backend.up() {
		return reading{}, false
	}
	state := w.backend.core.Fleet().State()
	if what, ok := strings.CutPrefix(name, "tasks_"); ok {
		return w.readTasks(state, what), true
	}
	return w.readState(state, name), true
}

// lastOf is the number of findings, and whom the last is about.
func lastOf(list []check.Finding) reading {
	if len(list) == 0 {
		return reading{}
	}
	return reading{float64(len(list)), list[len(list)-1].Vehicle}
}

// maxNamed is how many vehicles or tasks an outcome names.
const maxNamed = 5

// counted is a number of things, the first of which are named.
type counted struct {
	n     int
	names []string
}

func (c *counted) add(name string) {
	if c.n++; c.n <= maxNamed {
		c.names = append(c.names, name)
	}
}

func (c *counted) reading() reading {
	who := strings.Join(c.names, ", ")
	if c.n > maxNamed {
		who += ", …"
	}
	return reading{float64(c.n), who}
}

// readBodies reads what is true of the bodies.
func (w *world) readBodies(name string) reading {
	var c counted
	least, who := 1.0, ""
	for _, v := range w.vehicles {
		truth := v.agent.Truth()
		switch name {
		case "stops_done":
			for _, times := range truth.Done {
				c.n += times
			}
		case "custody_breaches":
			for range truth.Breaches {
				c.add(v.id)
			}
		case "vehicles_empty":
			if v.agent.Body().Dead() {
				c.add(v.id)
			}
		}
		if ratio := v.agent.Body().BatteryRatio(); ratio < least {
			least, who = ratio, v.id
		}
	}
	if name == "battery_ratio_min" {
		return reading{least, who}
	}
	return c.reading()
}

// readAnswers reads what clients know.
func (w *world) readAnswers(name string) reading {
	n := 0
	switch name {
	case "incidents_reported":
		for _, it := range w.people.incidents {
			n += int(asNumber(it.id != ""))
		}
	case "zones_made":
		for _, it := range w.people.zones {
			n += int(asNumber(it.id != ""))
		}
	default:
		for _, it := range w.people.orders {
			n += int(asNumber(it.task != "" && name == "tasks_ordered" || it.refused != "" && name == "tasks_refused"))
		}
	}
	return reading{value: float64(n)}
}

// readTasks counts the ordered tasks of a state.
func (w *world) readTasks(state *fleet.State, what string) reading {
	var c counted
	for _, it := range w.people.orders {
		t := state.Durable.Tasks[it.task]
		if t == nil {
			continue
		}
		is := string(t.State)
		if is == "assigned" {
			is = "underway"
		}
		if is == what {
			c.add(string(t.ID))
		}
	}
	return c.reading()
}

// readState reads what the backend knows of alerts, incidents and vehicles.
func (w *world) readState(state *fleet.State, name string) reading {
	var c counted
	d := &state.Durable
	switch name {
	case "events":
		return reading{value: float64(d.Index)}
	case "alerts":
		return reading{value: float64(len(d.Alerts))}
	case "alerts_open", "alerts_unseen":
		for _, a := range d.Alerts {
			if a.Open() && (name == "alerts_open" || a.AcknowledgedAt.IsZero()) {
				c.n++
			}
		}
	case "incidents_reached":
		for _, it := range w.people.incidents {
			if in := d.Incidents[it.id]; in != nil && !in.ReachedAt.IsZero() {
				c.n++
			}
		}
	default:
		for _, v := range w.vehicles {
			link := fleet.LinkUnknown
			if p := state.Volatile.Presences[fleet.VehicleID(v.id)]; p != nil {
				link = p.Link
			}
			known := d.Vehicles[fleet.VehicleID(v.id)]
			if name == "vehicles_lost" && link == fleet.LinkLost || name == "vehicles_live" && link == fleet.LinkLive ||
				name == "vehicles_faulted" && known != nil && len(known.Faults) > 0 {
				c.add(v.id)
			}
		}
	}
	return c.reading()
}

// violated is how many violations there are so far, and whom the last is about.
func (w *world) violated() (n int, who string) {
	if n = w.jury.log.Len(); n == 0 {
		return 0, ""
	}
	list := w.jury.log.Findings()
	return n, list[len(list)-1].Vehicle
}

// conclude takes the samples and figures of the end of a run.
func (w *world) conclude(r *Result, state *fleet.State) {
	w.watch()
	w.measure(state)
	r.Samples = w.people.samples
	r.Metrics = r.Samples.Summaries()
	r.atEnd = map[string]float64{}
	for _, name := range []string{"vehicles_live", "vehicles_lost", "vehicles_faulted", "alerts_unseen"} {
		r.atEnd[name] = w.readState(state, name).value
	}
	for _, name := range []string{"vehicles_empty", "battery_ratio_min"} {
		r.atEnd[name] = w.readBodies(name).value
	}
}
