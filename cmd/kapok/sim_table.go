package main

import (
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/kapok-fleet/kapok/cmd/kapok/internal/simout"
	"github.com/kapok-fleet/kapok/sim"
)

// tell prints what one run showed.
func (f *simRun) tell(r *simout.Report, result *sim.Result, form string) error {
	if form == asJSON {
		return printJSON(f.out, r.Whole())
	}
	if r.Error != "" {
		_, err := fmt.Fprintf(f.out, "ERROR %s: %s\n", clean(r.Scenario), clean(r.Error))
		return err
	}
	if err := printTable(f.out, []string{"WHAT", "VALUE"}, resultRows(r, result)); err != nil {
		return err
	}
	if len(r.Verdicts) == 0 {
		return nil
	}
	fmt.Fprintln(f.out)
	return printTable(f.out, []string{"VERDICT", "WHAT", "EXPECTED", "GOT", "WHEN", "WHO"}, verdictRows(r))
}

// verdictRows are a row for each verdict; checkers that found nothing share one.
func verdictRows(r *simout.Report) [][]string {
	var rows [][]string
	silent := 0
	for i := range r.Verdicts {
		v := &r.Verdicts[i]
		if v.Kind == simout.Checker && v.Passed {
			silent++
			continue
		}
		rows = append(rows, []string{passOrFail(v.Passed), v.Kind + " " + v.Name, v.Expected, v.Got, fmt.Sprintf("%.1f s", v.AtS), v.Who})
	}
	if silent > 0 {
		rows = append(rows, []string{passOrFail(true), strconv.Itoa(silent) + " checkers", "no violation", "no violation", fmt.Sprintf("%.1f s", r.SimulatedS), ""})
	}
	return rows
}

func passOrFail(passed bool) string {
	if passed {
		return "PASS"
	}
	return "FAIL"
}

// printTotal prints the last line, which sums up all runs.
func printTotal(w io.Writer, all []*simout.Report) error {
	passed, failed, broken := 0, 0, 0
	simulated, wall := 0.0, 0.0
	for _, r := range all {
		switch {
		case r.Error != "":
			broken++
		case r.Passed:
			passed++
		default:
			failed++
		}
		simulated, wall = simulated+r.SimulatedS, wall+r.WallS
	}
	word := "runs"
	if len(all) == 1 {
		word = "run"
	}
	_, err := fmt.Fprintf(w, "\n%s: %d %s, %d passed, %d failed, %d could not be run; %.0f s simulated in %.1f s\n",
		passOrFail(passed == len(all)), len(all), word, passed, failed, broken, simulated, wall)
	if err != nil {
		return fmt.Errorf("writing the output: %w", err)
	}
	return nil
}

// printResult prints a run that is judged elsewhere.
func printResult(c console, r *sim.Result) error {
	report := &simout.Report{Scenario: r.Scenario, Passed: true, Violations: violationsOf(r)}
	return printTable(c.out, []string{"WHAT", "VALUE"}, resultRows(report, r))
}

// resultRows are what a run showed beside its verdicts.
func resultRows(report *simout.Report, r *sim.Result) [][]string {
	rows := [][]string{
		{"scenario", fmt.Sprintf("%s, seed %d, chart %s, %d vehicles", r.Scenario, r.Seed, r.Chart, r.Vehicles)},
		{"simulated", fmt.Sprintf("%.0f s in %.1f s", r.SimulatedS, r.WallSeconds)},
		{"tasks", fmt.Sprintf("%d ordered, %d done, %d under way, %d waiting, %d failed, %d cancelled, %d refused",
			r.Ordered, r.Done, r.Underway, r.Waiting, r.Failed, r.Cancelled, r.Refused)},
		{"promises", fmt.Sprintf("%d due, %d of them done, %d late, %d lost", r.Due, r.DueDone, r.Late, r.Lost)},
		{"response", fmt.Sprintf("%.0f s for half, %.0f s for 95 %%", r.ResponseP50S, r.ResponseP95S)},
		{"incidents", fmt.Sprintf("%d reported, %d reached; %.0f s for half, %.0f s for 95 %%",
			r.IncidentsReported, r.IncidentsReached, r.IncidentResponseP50S, r.IncidentResponseP95S)},
		{"zones", fmt.Sprintf("%d made, %d vehicles concerned, the last lawful answer after %.2f s", r.ZonesMade, r.ZoneAffected, r.ZoneAnswerS)},
		{"stops", fmt.Sprintf("%d done, %d twice, %d missed, %d custody breaches", r.StopsDone, r.StopsDoneTwice, r.StopsMissed, r.CustodyBreaches)},
		{"violations", fmt.Sprintf("%d of zones, %d of buildings; %d caught inside", r.ZoneViolations, r.BuildingHits, r.CaughtInside)},
		{"apart", fmt.Sprintf("%d pairs of aircraft too near, for %.0f s; the nearest %.0f m", r.SeparationSummary.Count, r.Seconds, r.LeastM)},
		{"alerts", fmt.Sprintf("%d, %d still open, %d decisions by a person", r.Alerts, r.AlertsOpen, r.Decisions)},
		{"backend", fmt.Sprintf("%d crashes, %d events", r.Crashes, r.Events)},
	}
	if r.EventLogSHA256 != "" {
		rows = append(rows, []string{"event log", r.EventLogSHA256})
	}
	if b := r.Baseline; b != nil {
		rows = append(rows, []string{"by " + b.Policy, fmt.Sprintf("%d tasks done, %d late; %d incidents reached; %.0f s for half, %.0f s for 95 %%",
			b.Done, b.Late, b.IncidentsReached, b.IncidentResponseP50S, b.IncidentResponseP95S)})
	}
	for i := range report.Violations {
		f := &report.Violations[i]
		rows = append(rows, []string{"violation " + strconv.Itoa(i+1), f.Checker + " " + f.Time.Format(time.TimeOnly) + " " + f.Vehicle + " " + f.Text})
	}
	for _, text := range r.Refusals {
		rows = append(rows, []string{"refused", text})
	}
	if !report.Passed {
		rows = append(rows, []string{"repeat", report.Repeat})
	}
	return rows
}
