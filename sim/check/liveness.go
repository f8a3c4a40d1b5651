package check

import (
	"fmt"
	"maps"
	"slices"

	"github.com/kapok-fleet/kapok/fleet"
	"github.com/kapok-fleet/kapok/protocol"
)

// lastingReasons are those for which a task may wait for ever: no vehicle of the
// fleet can do it, whatever else happens. Any other reason passes, and with it the
// waiting.
func lastingReasons() []string {
	return []string{
		"bad_spec", "wrong_kind", "no_capability", "too_heavy", "too_late", "no_energy",
		"outside_chart", "off_water", "over_water", "above_limit", "off_network", "inside_building", "no_way", "inside_zone",
		"not_the_carrier", "given_to_another",
	}
}

// Ailing says why nothing is expected of a vehicle in the end: it is broken, a
// person has it, its battery is empty. Empty for one that is well and in touch.
type Ailing func(vehicle fleet.VehicleID) string

// Busy tells whether a vehicle goes on finishing stops; of the empty id, whether any
// does. What waits for its turn behind that work is not stuck.
type Busy func(vehicle fleet.VehicleID) bool

// Well says of an open alert that the evidence to clear it is there: what it is
// about is over.
type Well func(a *fleet.Alert) bool

// JudgeLiveness finds what is not finished at the end of a run that had time to
// finish everything, after faults and demand had stopped. What may remain is named
// in the texts that it returns.
func JudgeLiveness(log *Log, d *fleet.Durable, personAway bool, ailing Ailing, busy Busy, well Well) (excepted []string) {
	excuse := func(format string, args ...any) { excepted = append(excepted, fmt.Sprintf(format, args...)) }
	for _, id := range slices.Sorted(maps.Keys(d.Tasks)) {
		t := d.Tasks[id]
		if t.State.Final() {
			continue
		}
		if why := mayWait(t, personAway, ailing, busy); why != "" {
			excuse("task %s is %s: %s", id, t.State, why)
			continue
		}
		log.Add(Finding{Checker: Liveness, Vehicle: string(t.Vehicle), Object: string(id), Text: fmt.Sprintf("task %s is %s in the end: %s", id, t.State, t.Reason.Text)})
	}
	for _, id := range slices.Sorted(maps.Keys(d.Commands)) {
		c := d.Commands[id]
		if c.State.Final() {
			continue
		}
		if why := ailing(c.Vehicle); why != "" {
			excuse("command %s (%s) is %s: %s", id, c.Kind, c.State, why)
			continue
		}
		log.Add(Finding{Checker: Liveness, Vehicle: string(c.Vehicle), Object: string(id), Text: fmt.Sprintf("command %s (%s) is %s in the end", id, c.Kind, c.State)})
	}
	for _, id := range slices.Sorted(maps.Keys(d.Missions)) {
		m := d.Missions[id]
		if !m.Open() || len(m.Tasks()) == 0 && (atEnd(m) || charges(m)) {
			continue
		}
		why := ailing(m.Vehicle)
		if why == "" && busy(m.Vehicle) {
			why = "the run ended while its vehicle went on working"
		}
		if why != "" {
			excuse("mission %s is %s: %s", id, m.State, why)
			continue
		}
		log.Add(Finding{Checker: Liveness, Vehicle: string(m.Vehicle), Object: string(id), Text: fmt.Sprintf("mission %s is %s in the end, at leg %d of %d", id, m.State, m.Current()+1, len(m.Legs))})
	}
	for _, id := range slices.Sorted(maps.Keys(d.Alerts)) {
		if a := d.Alerts[id]; a.Open() && well(a) {
			log.Add(Finding{Checker: Liveness, Vehicle: string(a.Vehicle), Object: string(id), Text: fmt.Sprintf("alert %s (%s) stands in the end, though what it is about is over: %s", id, a.Kind, a.Text)})
		}
	}
	return excepted
}

// charges tells whether a mission is at a charger, which takes as long as it takes.
func charges(m *fleet.Mission) bool {
	i := m.Current()
	return i < len(m.Legs) && m.Legs[i].Action == protocol.ActionCharge && m.Legs[i].State == protocol.LegBegun
}

// atEnd tells whether a mission is on its last leg, to its safe end or charging.
func atEnd(m *fleet.Mission) bool { return m.Current() >= len(m.Legs)-1 }

// mayWait says why a task need not be finished, empty for one that must be.
func mayWait(t *fleet.Task, personAway bool, ailing Ailing, busy Busy) string {
	if personAway && slices.ContainsFunc(t.Stops, func(s fleet.Stop) bool { return s.Doubt }) {
		return "a person must decide, and nobody is there"
	}
	for _, v := range []fleet.VehicleID{t.LoadOn, t.Wanted} {
		if v != "" && ailing(v) != "" {
			return fmt.Sprintf("only %s may do it: %s", v, ailing(v))
		}
	}
	switch {
	case t.State == fleet.TaskWaiting && slices.Contains(lastingReasons(), t.Reason.Code):
		return "no vehicle can: " + t.Reason.Text
	case t.State != fleet.TaskWaiting && ailing(t.Vehicle) != "":
		return fmt.Sprintf("%s has it: %s", t.Vehicle, ailing(t.Vehicle))
	case t.State == fleet.TaskWaiting && busy(""), t.State != fleet.TaskWaiting && busy(t.Vehicle):
		return "the run ended while work went on"
	}
	return ""
}
