package main

import (
	"context"
	"fmt"
	"path/filepath"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/kapok-fleet/kapok/fleet"
	"github.com/kapok-fleet/kapok/planner/chart/harbour"
	"github.com/kapok-fleet/kapok/sim"
	"github.com/kapok-fleet/kapok/sim/scenario"
)

func newSim(c console) *cobra.Command {
	cmd := &cobra.Command{Use: "sim", Short: "Run scenarios in virtual time", Args: cobra.ArbitraryArgs, RunE: needsCommand}
	cmd.AddCommand(newSimRun(c))
	return cmd
}

// simRun are the flags of sim run.
type simRun struct {
	output
	connection
	seed   uint64
	length time.Duration
	events bool
}

func newSimRun(c console) *cobra.Command {
	var f simRun
	cmd := &cobra.Command{
		Use: "run FILE", Short: "Simulate a scenario; exit status 1 when an assertion fails",
		Long: "Simulate a scenario, faster than real time. The same scenario and seed give the same events: compare\n" +
			"event_log_sha256. A chart named data:PATH is looked for under KAPOK_DATA (default ../shared/data).\n\n" +
			"With --connect the same vehicles run in real time, over real sockets, against a running kapok serve that has\n" +
			"the same chart, and the scenario's people use its HTTP API; the result is what API and vehicles say.",
		Args: exactly(1, "one scenario file"),
		RunE: func(cmd *cobra.Command, args []string) error {
			form, err := f.choose(c.out)
			if err != nil {
				return err
			}
			s, err := scenario.Load(args[0])
			if err != nil {
				return err
			}
			if cmd.Flags().Changed("seed") {
				s.Seed = f.seed
			}
			if f.length > 0 {
				s.Duration = scenario.Duration(f.length)
			}
			dir := filepath.Dir(args[0])
			if f.url == "" {
				return f.run(cmd.Context(), c, s, dir, form)
			}
			result, err := connectTo(cmd.Context(), c, s, dir, &f.connection)
			if err != nil {
				return err
			}
			return f.tell(c, &result, form)
		},
	}
	cmd.Flags().Uint64Var(&f.seed, "seed", 0, "another seed than the scenario's")
	cmd.Flags().DurationVar(&f.length, "for", 0, "another duration than the scenario's, in simulated time")
	cmd.Flags().BoolVar(&f.events, "events", false, "print every event, durable and not, before the result (ndjson)")
	f.connection.flags(cmd)
	f.output.flag(cmd, asTable, asJSON)
	return cmd
}

// run simulates and tells the result.
func (f *simRun) run(ctx context.Context, c console, s scenario.Scenario, dir, form string) error {
	on, err := scenario.Charts{Dir: dir, Data: dataFolder(c), Harbour: harbour.Chart}.Open(s.Chart, s.Terrain...)
	if err != nil {
		return err
	}
	options := sim.Options{Chart: on, Wall: time.Now}
	if terminal(c.err) {
		options.OnSecond = progress(c)
	}
	var failed error
	if f.events {
		options.OnEvent = func(r fleet.Recorded) {
			data, err := fleet.EncodeEvent(r)
			if err == nil {
				_, err = fmt.Fprintf(c.out, "%s\n", data)
			}
			if err != nil && failed == nil {
				failed = fmt.Errorf("printing an event: %w", err)
			}
		}
	}
	result, err := sim.Run(ctx, s, options)
	if terminal(c.err) {
		fmt.Fprint(c.err, "\r\x1b[K")
	}
	if err == nil {
		err = failed
	}
	if err != nil {
		return err
	}
	return f.tell(c, &result, form)
}

// tell prints a result; a broken assertion is an error.
func (f *simRun) tell(c console, result *sim.Result, form string) error {
	var err error
	if form == asJSON {
		err = printJSON(c.out, result)
	} else {
		err = printResult(c, result)
	}
	if err == nil && !result.Passed() {
		for _, o := range result.Outcomes {
			if !o.Held {
				c.say("broken: %s (%s)", o.Assertion, o.Found)
			}
		}
		return no("scenario %s, seed %d: an assertion does not hold", result.Scenario, result.Seed)
	}
	return err
}

// progress shows how far a run is, on one line of a terminal.
func progress(c console) func(done, whole time.Duration) {
	var shown time.Time
	return func(done, whole time.Duration) {
		if now := time.Now(); now.Sub(shown) > 200*time.Millisecond {
			shown = now
			fmt.Fprintf(c.err, "\r\x1b[K%v of %v", done, whole)
		}
	}
}

func printResult(c console, r *sim.Result) error {
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
		{"alerts", fmt.Sprintf("%d, %d still open, %d decisions by a person", r.Alerts, r.AlertsOpen, r.Decisions)},
		{"backend", fmt.Sprintf("%d crashes, %d events", r.Crashes, r.Events)},
		{"event log", r.EventLogSHA256},
	}
	if b := r.Baseline; b != nil {
		rows = append(rows, []string{"by " + b.Policy, fmt.Sprintf("%d tasks done, %d late; %d incidents reached; %.0f s for half, %.0f s for 95 %%",
			b.Done, b.Late, b.IncidentsReached, b.IncidentResponseP50S, b.IncidentResponseP95S)})
	}
	for _, o := range r.Outcomes {
		verdict := "holds"
		if !o.Held {
			verdict = "BROKEN, found " + o.Found
		}
		rows = append(rows, []string{"assertion", o.Assertion + ": " + verdict})
	}
	for i := range r.Findings {
		f := &r.Findings[i]
		rows = append(rows, []string{"finding " + strconv.Itoa(i+1), f.Time.Format(time.TimeOnly) + " " + f.Vehicle + " " + f.Text})
	}
	for _, text := range r.Refusals {
		rows = append(rows, []string{"refused", text})
	}
	return printTable(c.out, []string{"WHAT", "VALUE"}, rows)
}
