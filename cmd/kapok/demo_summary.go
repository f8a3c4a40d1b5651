package main

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/kapok-fleet/kapok/protocol/api"
	"github.com/kapok-fleet/kapok/sim/check"
)

const (
	// demoGrace is how long after its promised arrival a delivery is due.
	demoGrace = time.Minute
	// dueDoneLeast is the share of due tasks that must be done.
	dueDoneLeast = 0.9
	// maxFindings bounds what is told of findings one by one.
	maxFindings = 20
)

// demoSummary is what a demonstration comes to.
type demoSummary struct {
	Chart    string `json:"chart"`
	Seed     uint64 `json:"seed"`
	Vehicles int    `json:"vehicles"`
	// FleetSeconds is the fleet's time that was run through.
	FleetSeconds float64 `json:"fleet_seconds"`
	WallSeconds  float64 `json:"wall_seconds"`

	// Ordered counts orders answered with success, Refused those answered
	// otherwise.
	Ordered   int `json:"ordered"`
	Refused   int `json:"refused"`
	Done      int `json:"done"`
	Underway  int `json:"underway"`
	Waiting   int `json:"waiting"`
	Failed    int `json:"failed"`
	Cancelled int `json:"cancelled"`
	// Due are tasks whose arrival, as promised in the answer to the order, lies a
	// minute or more before the end of the run; DueDone those that are done.
	// Unpromised are orders answered without a promise.
	Due        int `json:"due"`
	DueDone    int `json:"due_done"`
	Late       int `json:"late"`
	Unpromised int `json:"unpromised"`
	// Lost are orders that were answered with success and are not known at the
	// end, or wait without a reason.
	Lost int `json:"lost"`
	// ZoneViolations and BuildingHits are counted from where the vehicles truly
	// were; ZoneAlerts are the backend's own.
	ZoneViolations int `json:"zone_violations"`
	BuildingHits   int `json:"building_hits"`
	ZoneAlerts     int `json:"zone_alerts"`
	// StopsDoneTwice is counted at the vehicles.
	StopsDoneTwice int `json:"stops_done_twice"`
	Alerts         int `json:"alerts"`
	AlertsOpen     int `json:"alerts_open"`
	// Passed says whether what the demonstration promises was kept.
	Passed   bool            `json:"passed"`
	Findings []check.Finding `json:"findings,omitempty"`
}

// summarize asks the backend, at the end of the run, what became of the orders.
func (d *demo) summarize(ctx context.Context, now time.Time) (demoSummary, error) {
	s := demoSummary{
		Chart: d.place.Chart.Name, Seed: d.flags.seed, Vehicles: d.flags.drones + d.flags.robots,
	}
	list, err := d.client.Tasks(ctx, nil)
	if err != nil {
		return s, err
	}
	alerts, err := d.client.Alerts(ctx, nil)
	if err != nil {
		return s, err
	}
	tasks := map[string]*api.Task{}
	for i := range list {
		tasks[list[i].ID] = &list[i]
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	s.Ordered, s.Refused = len(d.orders), len(d.refused)
	for i := range d.orders {
		s.count(&d.orders[i], tasks[d.orders[i].task], now)
	}
	for i := range alerts {
		s.Alerts++
		if alerts[i].ClearedAt.IsZero() {
			s.AlertsOpen++
		}
		if alerts[i].Kind == "zone_violation" {
			s.ZoneAlerts++
		}
	}
	s.ZoneViolations, s.BuildingHits = len(d.geometry.Zones), len(d.geometry.Buildings)
	s.Findings = append(append(s.Findings, d.geometry.Zones...), d.geometry.Buildings...)
	s.Findings = s.Findings[:min(len(s.Findings), maxFindings)]
	return s, nil
}

// count adds one order; task is nil for one that the backend does not know.
func (s *demoSummary) count(o *demoOrder, task *api.Task, now time.Time) {
	if task == nil {
		s.Lost++
		return
	}
	switch task.State {
	case "done":
		s.Done++
	case "failed":
		s.Failed++
	case "cancelled":
		s.Cancelled++
	case "waiting":
		s.Waiting++
		if task.Reason == "" {
			s.Lost++
		}
	default:
		s.Underway++
	}
	if o.promised.IsZero() {
		s.Unpromised++
		return
	}
	due := o.promised.Add(demoGrace)
	if due.After(now) {
		return
	}
	s.Due++
	if task.State == "done" {
		s.DueDone++
	}
	if begun := task.Stops[len(task.Stops)-1].BegunAt; begun.IsZero() || begun.After(due) {
		s.Late++
	}
}

// faults are the promises that were not kept.
func (s *demoSummary) faults() []string {
	var faults []string
	fault := func(broken bool, format string, args ...any) {
		if broken {
			faults = append(faults, fmt.Sprintf(format, args...))
		}
	}
	fault(s.Lost > 0, "%d orders are lost", s.Lost)
	fault(s.ZoneViolations > 0, "%d zone violations", s.ZoneViolations)
	fault(s.ZoneAlerts > 0, "%d alerts of zone violations", s.ZoneAlerts)
	fault(s.BuildingHits > 0, "%d aircraft inside buildings", s.BuildingHits)
	fault(s.StopsDoneTwice > 0, "%d stops were done twice", s.StopsDoneTwice)
	fault(float64(s.DueDone) < dueDoneLeast*float64(s.Due), "only %d of %d due tasks are done", s.DueDone, s.Due)
	return faults
}

// conclude sums up, prints the summary and judges it.
func (d *demo) conclude(ctx context.Context, began time.Time) error {
	ended := time.Now()
	now := d.backend.clock.at(ended)
	s, err := d.summarize(ctx, now)
	if err != nil {
		return err
	}
	d.fleet.Stop()
	d.fleet.Stops(func(_ string, _, times int) {
		if times > 1 {
			s.StopsDoneTwice++
		}
	})
	s.WallSeconds = ended.Sub(began).Seconds()
	s.FleetSeconds = now.Sub(d.backend.clock.at(began)).Seconds()
	faults := s.faults()
	s.Passed = len(faults) == 0
	for _, text := range d.refused[:min(len(d.refused), maxFindings)] {
		d.say("refused: %s", text)
	}
	if d.form == asJSON {
		err = printJSON(d.out, s)
	} else {
		err = s.print(d.console)
	}
	if err != nil || s.Passed {
		return err
	}
	for _, text := range faults {
		d.say("broken: %s", text)
	}
	return no("the demonstration broke a promise")
}

func (s *demoSummary) print(c console) error {
	rows := [][]string{
		{"chart", fmt.Sprintf("%s, %d vehicles, seed %d", s.Chart, s.Vehicles, s.Seed)},
		{"time", fmt.Sprintf("%.0f s, of the fleet %.0f s", s.WallSeconds, s.FleetSeconds)},
		{"ordered", strconv.Itoa(s.Ordered)},
		{"done", strconv.Itoa(s.Done)},
		{"due", fmt.Sprintf("%d, of them %d done", s.Due, s.DueDone)},
		{"late", strconv.Itoa(s.Late)},
		{"under way", strconv.Itoa(s.Underway)},
		{"waiting", fmt.Sprintf("%d (%d orders got no promise at once)", s.Waiting, s.Unpromised)},
		{"failed", fmt.Sprintf("%d, %d cancelled, %d refused", s.Failed, s.Cancelled, s.Refused)},
		{"lost", strconv.Itoa(s.Lost)},
		{"zone violations", fmt.Sprintf("%d, %d by the backend's alerts", s.ZoneViolations, s.ZoneAlerts)},
		{"inside buildings", strconv.Itoa(s.BuildingHits)},
		{"stops done twice", strconv.Itoa(s.StopsDoneTwice)},
		{"alerts", fmt.Sprintf("%d, %d still open", s.Alerts, s.AlertsOpen)},
	}
	for i := range s.Findings {
		f := &s.Findings[i]
		rows = append(rows, []string{"finding", clock(f.Time) + " " + f.Vehicle + " " + f.Text})
	}
	return printTable(c.out, []string{"WHAT", "VALUE"}, rows)
}
