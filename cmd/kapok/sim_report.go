package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/kapok-fleet/kapok/cmd/kapok/internal/simout"
	"github.com/kapok-fleet/kapok/sim"
	"github.com/kapok-fleet/kapok/sim/check"
	"github.com/kapok-fleet/kapok/sim/scenario"
)

// record begins the recordings of a run, nil without --out; folder is the run's.
func (f *simRun) record(it *simCase) (rec *simout.Recorder, folder string, err error) {
	if f.outDir == "" {
		return nil, "", nil
	}
	name := folderName(it.scenario.Name)
	for n := 2; f.folders[name]; n++ {
		name = folderName(it.scenario.Name) + "-" + strconv.Itoa(n)
	}
	f.folders[name] = true
	folder = filepath.Join(f.outDir, name)
	rec, err = simout.Record(folder, it.chart, it.scenario.Start, it.scenario.Name, it.scenario.Seed)
	return rec, folder, err
}

// folderName makes the name of a run one that every file system takes.
func folderName(name string) string {
	safe := strings.Map(func(c rune) rune {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', strings.ContainsRune("-_=.,", c):
			return c
		}
		return '-'
	}, name)
	safe = strings.Trim(safe[:min(len(safe), 100)], "-.")
	return cmp.Or(safe, "run")
}

// leaveOne writes the results of one run into its folder.
func leaveOne(folder string, r *simout.Report) error {
	return errors.Join(
		writeFile(filepath.Join(folder, simout.ResultFile), func(w io.Writer) error { return simout.WriteResult(w, r) }),
		leaveAll(folder, []*simout.Report{r}),
	)
}

// leaveAll writes what there is of several runs together.
func leaveAll(folder string, all []*simout.Report) error {
	return errors.Join(
		writeFile(filepath.Join(folder, simout.JUnitFile), func(w io.Writer) error { return simout.WriteJUnit(w, all) }),
		writeFile(filepath.Join(folder, simout.SummaryFile), func(w io.Writer) error { return simout.WriteSummary(w, all) }),
	)
}

// leave writes what there is of all runs together, to --out and to GitHub.
func (f *simRun) leave(all []*simout.Report) error {
	var err error
	if f.outDir != "" && len(all) > 0 {
		err = leaveAll(f.outDir, all)
	}
	step := f.env("GITHUB_STEP_SUMMARY")
	if step == "" || len(all) == 0 {
		return err
	}
	file, e := os.OpenFile(step, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if e != nil {
		return errors.Join(err, fmt.Errorf("opening GITHUB_STEP_SUMMARY: %w", e))
	}
	return errors.Join(err, simout.WriteSummary(file, all), file.Close())
}

// annotate tells GitHub what failed, among the talk: data keep to themselves.
func (f *simRun) annotate(all []*simout.Report) error {
	if f.env("GITHUB_ACTIONS") != "true" {
		return nil
	}
	return simout.WriteAnnotations(f.err, all)
}

// writeFile makes a file, which is removed when it does not become whole.
func writeFile(name string, write func(io.Writer) error) error {
	file, err := os.Create(name)
	if err != nil {
		return fmt.Errorf("writing results: %w", err)
	}
	if err := errors.Join(write(file), file.Close()); err != nil {
		_ = os.Remove(name)
		return err
	}
	return nil
}

// report puts together what a run showed.
func (f *simRun) report(it *simCase, result *sim.Result, failed error) *simout.Report {
	s := &it.scenario
	r := &simout.Report{
		Format: simout.Format, Kapok: buildOf().Version, File: filepath.ToSlash(it.file), Scenario: s.Name, Proves: strings.TrimSpace(s.Proves), Seed: s.Seed,
		Chart: cmp.Or(result.Chart, it.chart.Name), Vehicles: result.Vehicles, Mode: simout.Virtual, Repeat: f.repeat(it),
		SimulatedS: result.SimulatedS, WallS: result.WallSeconds, Events: result.Events, EventLogSHA256: result.EventLogSHA256,
		Refusals: result.Refusals,
	}
	names := check.Names()
	if f.url != "" {
		r.Mode, names = simout.Connected, connectedCheckers()
	}
	if failed != nil {
		r.Error = oneLine(failed)
		return r
	}
	r.Figures, r.Metrics = result.Figures(), result.Metrics
	if f.alone {
		r.Passed = true
		return r
	}
	r.Violations, r.Forgiven, r.Unfinished = violationsOf(result), result.Forgiven, result.Unfinished
	r.Figures["separation_least_m"], r.Figures["separation_lost_s"] = result.LeastM, result.Seconds
	r.Figures["separation_lost_pairs"] = float64(result.Count)
	for i := range result.Outcomes {
		r.Verdicts = append(r.Verdicts, verdictOf(it, &result.Outcomes[i]))
	}
	r.Verdicts = append(r.Verdicts, checkers(it, result, names)...)
	r.Passed = len(r.Failed()) == 0
	return r
}

// violationsOf are what must never happen and did.
func violationsOf(r *sim.Result) []check.Finding { return r.Violations }

// verdictOf is what became of an assertion or a bound of a threshold.
func verdictOf(it *simCase, o *sim.Outcome) simout.Verdict {
	v := simout.Verdict{
		Kind: simout.Threshold, Name: o.Assertion, Passed: o.Held, Expected: cmp.Or(o.Expected, o.Assertion), Got: o.Found, AtS: max(o.AtS, 0), Who: o.Who,
	}
	if i := slices.Index(it.scenario.Assert, o.Assertion); i >= 0 {
		v.Kind, v.Line = simout.Assertion, lineOf(it.scenario.Where(fmt.Sprintf("assert[%d]", i)))
		return v
	}
	v.Line = lineOf(it.scenario.Where("thresholds"))
	return v
}

// lineOf is the line in "file.yaml:12:3", 0 for none.
func lineOf(place string) int {
	parts := strings.Split(place, ":")
	if len(parts) < 3 {
		return 0
	}
	line, err := strconv.Atoi(parts[len(parts)-2])
	if err != nil {
		return 0
	}
	return line
}

// checkers are the verdicts of those checkers that judged a run. One whose figure an assertion
// of the scenario is about is judged by that: it passes here.
func checkers(it *simCase, result *sim.Result, names []string) []simout.Verdict {
	asserted := assertedCheckers(&it.scenario)
	var all []simout.Verdict
	for _, name := range names {
		v := simout.Verdict{Kind: simout.Checker, Name: name, Passed: true, Expected: "no violation", Got: "no violation"}
		count := result.ViolationCounts[name]
		first := slices.IndexFunc(result.Violations, func(f check.Finding) bool { return f.Checker == name })
		if first >= 0 {
			one := &result.Violations[first]
			v.Passed, v.Got, v.Who = false, one.Text, cmp.Or(one.Vehicle, one.Object)
			if !one.Time.IsZero() {
				v.AtS = max(one.Time.Sub(it.scenario.Start).Seconds(), 0)
			}
		}
		if count > 1 {
			v.Got = fmt.Sprintf("%s (and %d more)", v.Got, count-1)
		}
		if by, ok := asserted[name]; ok && !v.Passed {
			v.Passed, v.Expected = true, "as asserted: "+by
		}
		all = append(all, v)
	}
	return all
}

// assertedCheckers are the checkers whose figures a scenario makes assertions
// about, with the assertion.
func assertedCheckers(s *scenario.Scenario) map[string]string {
	figures := map[string][]string{
		"zone_violations": {check.Zones}, "building_hits": {check.Buildings}, "custody_breaches": {check.Custody},
		"stops_done_twice": {check.Twice}, "stops_missed": {check.Missed}, "tasks_lost": {check.LostTask}, "violations": check.Names(),
	}
	by := map[string]string{}
	for _, text := range s.Assert {
		if a, err := scenario.ParseAssertion(text); err == nil {
			for _, name := range figures[a.Figure] {
				by[name] = text
			}
		}
	}
	return by
}

// repeat is the command that runs a case again.
func (f *simRun) repeat(it *simCase) string {
	words := []string{"kapok", "sim", "run", quoted(filepath.ToSlash(it.file))}
	if f.seeded {
		words = append(words, "--seed", strconv.FormatUint(f.seed, 10))
	}
	if f.length > 0 {
		words = append(words, "--for", f.length.String())
	}
	if strings.HasSuffix(it.scenario.Name, "]") {
		words = append(words, "--only", quoted(it.scenario.Name))
	}
	if f.url != "" {
		words = append(words, "--connect", quoted(f.url), "--speed", strconv.FormatFloat(f.speed, 'g', -1, 64))
	}
	return strings.Join(words, " ")
}

// quoted is a word of a command as a shell takes it.
func quoted(word string) string {
	for _, c := range word {
		if !strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./=:,@+", c) {
			return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
		}
	}
	return word
}
