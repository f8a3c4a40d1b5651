package fleet

import (
	"encoding/json"
	"fmt"

	"github.com/kapok-fleet/kapok/planner/chart"
	"github.com/kapok-fleet/kapok/protocol/api"
)

// viewSchedule is a zone's schedule as the HTTP API shows it.
func viewSchedule(schedule []chart.Period) []api.ZonePeriod {
	var view []api.ZonePeriod
	for _, p := range schedule {
		one := api.ZonePeriod{Start: momentText(p.Start), End: momentText(p.End)}
		if p.Days != 0 {
			one.Days = p.Days.Names()
		}
		view = append(view, one)
	}
	return view
}

// momentText is a moment as text; those of a chart have one.
func momentText(m chart.Moment) string {
	text, err := m.MarshalText()
	if err != nil {
		return ""
	}
	return string(text)
}

// scheduleOf reads the schedule of an order; field names what is wrong.
func scheduleOf(order []api.ZonePeriod) (schedule []chart.Period, field string, err error) {
	if len(order) > chart.MaxPeriods {
		return nil, "schedule", fmt.Errorf("it has %d periods, the limit is %d", len(order), chart.MaxPeriods)
	}
	for i := range order {
		var p chart.Period
		at := func(name string) string { return fmt.Sprintf("schedule[%d].%s", i, name) }
		if len(order[i].Days) > 0 {
			days, err := json.Marshal(order[i].Days)
			if err == nil {
				err = p.Days.UnmarshalJSON(days)
			}
			if err != nil {
				return nil, at("days"), err
			}
		}
		if err := p.Start.UnmarshalText([]byte(order[i].Start)); err != nil {
			return nil, at("start"), err
		}
		if err := p.End.UnmarshalText([]byte(order[i].End)); err != nil {
			return nil, at("end"), err
		}
		schedule = append(schedule, p)
	}
	return schedule, "", nil
}
