//go:build mutants

package sim

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/kapok-fleet/kapok/fleet"
	"github.com/kapok-fleet/kapok/fleet/mutant"
	"github.com/kapok-fleet/kapok/planner/chart"
	"github.com/kapok-fleet/kapok/sim/check"
	"github.com/kapok-fleet/kapok/sim/scenario"
)

// The hunt: which seeds are tried, and how long the safety phase of drawn
// scenarios is.
const (
	huntSeeds = 200
	huntLasts = 5 * time.Minute
	drawn     = "fuzz"
)

// mutationsFile holds the table of what finds each bug; `make mutations` writes it.
const mutationsFile = "../docs/mutations.md"

// catch is how a bug was found: by which checker, in which scenario with which
// seed, at which simulated time, 0 for the end.
type catch struct {
	bug     mutant.Bug
	checker string
	source  string
	seed    uint64
	at      time.Duration
	took    time.Duration
	text    string
}

// quickSeeds is how many seeds are tried from the recorded one on: a change of
// anything that draws from the seed moves what a scenario contains.
const quickSeeds = 12

// TestMutationsAreCaught shows that every bug of the table is found with the
// recorded seed, or one of the next, and that without the bug nobody finds anything
// with that seed up to that time.
func TestMutationsAreCaught(t *testing.T) {
	began := time.Now()
	for _, want := range readCatches(t) {
		t.Run(string(want.bug), func(t *testing.T) {
			for seed := want.seed; seed < want.seed+quickSeeds; seed++ {
				s, c := prey(t, want.source, seed)
				got := chase(t, s, c, want.bug, 0)
				if got.checker == "" || chase(t, s, c, "", got.at).checker != "" {
					continue
				}
				if seed != want.seed || got.checker != want.checker {
					t.Logf("found by %s with seed %d of %s, and the table says by %s with %d; make mutations writes it anew", got.checker, seed, want.source, want.checker, want.seed)
				}
				return
			}
			t.Errorf("nobody finds it with seeds %d to %d of %s, though %s did; if it is still found, make mutations writes the table anew", want.seed, want.seed+quickSeeds-1, want.source, want.checker)
		})
	}
	t.Logf("%.0f s in all", time.Since(began).Seconds())
}

// TestEveryBugIsHooked shows that every bug stands in the table and somewhere in
// the code.
func TestEveryBugIsHooked(t *testing.T) {
	var code strings.Builder
	for _, pattern := range []string{"../fleet/*.go", "../fleet/*/*.go", "agent/*.go", "../planner/*/*.go"} {
		names, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			if strings.HasSuffix(name, "_test.go") || strings.Contains(name, "mutant/") {
				continue
			}
			text, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			code.Write(text)
		}
	}
	catches := readCatches(t)
	for _, b := range bugs(t) {
		if !strings.Contains(code.String(), "mutant.On(mutant."+b.name+")") {
			t.Errorf("bug %s is named and stands nowhere in the code", b.bug)
		}
		if !slices.ContainsFunc(catches, func(c catch) bool { return c.bug == b.bug }) {
			t.Errorf("bug %s is not in %s: make mutations", b.bug, mutationsFile)
		}
	}
}

// TestHuntMutations looks for the first seed that finds each bug, and writes the
// table down; KAPOK_MUTATIONS=all hunts for every bug, a list of bugs for those.
func TestHuntMutations(t *testing.T) {
	which := os.Getenv("KAPOK_MUTATIONS")
	if which == "" {
		t.Skip("KAPOK_MUTATIONS=all looks for the first seed that finds each bug")
	}
	known := map[mutant.Bug]catch{}
	if which != "all" {
		for _, c := range readCatches(t) {
			known[c.bug] = c
		}
	}
	for _, b := range bugs(t) {
		if which != "all" && !slices.Contains(strings.Split(which, ","), string(b.bug)) {
			continue
		}
		c, ok := hunt(t, b.bug)
		if !ok {
			t.Errorf("no checker finds %s", b.bug)
			delete(known, b.bug)
			continue
		}
		t.Logf("%s: %s seed %d at %v: %s", b.bug, c.source, c.seed, c.at, c.text)
		known[b.bug] = c
		if err := os.WriteFile(mutationsFile, []byte(mutationsPage(t, known)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// thinking are drawn scenarios in which all plans are made in the background.
const thinking = "thinking"

// ground is where a bug is hunted: drawn scenarios have little of what these bugs
// need, so that they would be found late.
func ground(bug mutant.Bug) string {
	switch bug {
	case mutant.ReserveForgotten, mutant.SlotGivenTwice:
		return "low-energy"
	case mutant.StoreLossIgnored:
		return "amnesia"
	case mutant.ExpiredCommandObeyed, mutant.AuthorityFromReceipt, mutant.OldAnswerCounts:
		return "stutter"
	case mutant.ZoneChangeUnnoticed:
		return "zone-popup"
	case mutant.StalePlanApplied:
		return thinking
	}
	return drawn
}

// hunt tries one seed after the other.
func hunt(t *testing.T, bug mutant.Bug) (catch, bool) {
	began, source := time.Now(), ground(bug)
	for seed := uint64(1); seed <= number(t, "KAPOK_SEEDS", huntSeeds); seed++ {
		s, c := prey(t, source, seed)
		got := chase(t, s, c, bug, 0)
		if got.checker == "" {
			continue
		}
		if clean := chase(t, s, c, "", got.at); clean.checker != "" {
			t.Logf("seed %d does not count, something is found without the bug: %s", seed, clean.text)
			continue
		}
		got.source, got.seed, got.took = source, seed, time.Since(began)
		return got, true
	}
	return catch{}, false
}

// prey is the scenario of a seed, with its chart.
func prey(t *testing.T, source string, seed uint64) (scenario.Scenario, *chart.Chart) {
	t.Helper()
	if source == drawn || source == thinking {
		f, err := DrawFuzz(seed, huntLasts)
		if err != nil {
			t.Fatal(err)
		}
		if source == thinking {
			f.Scenario.Name, f.Scenario.Fleet.PlanMS = thinking, []float64{2000, 15000}
		}
		return f.Scenario, f.Chart
	}
	s := example(t, source)
	s.Seed = seed
	return s, harbourChart(t)
}

// chase runs a scenario with a bug, none when it is empty, until a checker finds
// something, or up to a time when that is not 0.
func chase(t *testing.T, s scenario.Scenario, c *chart.Chart, bug mutant.Bug, until time.Duration) catch {
	t.Helper()
	if bug != "" {
		defer mutant.Switch(bug)()
	}
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	got := catch{bug: bug}
	var w *world
	options := Options{Chart: c, OnSecond: func(done, _ time.Duration) {
		if got.at = done; w.jury.log.Len() > 0 || until > 0 && done >= until {
			stop()
		}
	}}
	if s.Name == thinking {
		config := fleet.DefaultConfig()
		config.ExpansionsPerStep = 1
		options.Config = &config
	}
	w, err := newWorld(s, options)
	if err != nil {
		t.Fatal(err)
	}
	err = w.run(ctx)
	if err == nil {
		got.at = 0
		w.result()
	}
	if found := w.jury.log.Findings(); len(found) > 0 {
		got.checker, got.text = found[0].Checker, found[0].String()
		return got
	}
	if err != nil && !errors.Is(err, context.Canceled) {
		got.checker, got.text = check.Folds, err.Error()
		if strings.Contains(err.Error(), "journal") {
			got.checker = "journal"
		}
	}
	return got
}

// named is a bug with its constant's name and what that says.
type named struct {
	bug        mutant.Bug
	name, says string
}

// bugs reads all of them from package mutant, in order.
func bugs(t *testing.T) []named {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "../fleet/mutant/mutant.go", nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	var all []named
	for _, d := range file.Decls {
		group, ok := d.(*ast.GenDecl)
		if !ok || group.Tok != token.CONST {
			continue
		}
		for _, spec := range group.Specs {
			v, ok := spec.(*ast.ValueSpec)
			if !ok {
				continue
			}
			value, ok := v.Values[0].(*ast.BasicLit)
			if !ok {
				continue
			}
			text, err := strconv.Unquote(value.Value)
			if err != nil {
				t.Fatal(err)
			}
			says := strings.Join(strings.Fields(strings.TrimPrefix(v.Doc.Text(), v.Names[0].Name)), " ")
			all = append(all, named{mutant.Bug(text), v.Names[0].Name, says})
		}
	}
	return all
}

const mutationsHead = `# Mutations

A checker that never finds anything shows nothing. So each rule that matters has a
deliberate bug at the very line where it stands: package ` + "`fleet/mutant`" + ` names them,
and ` + "`mutant.On`" + ` is the constant false unless a build has the tag ` + "`mutants`" + `, so that
the compiler leaves them out of every other.

This table says who finds each bug: the first of at most %d seeds of
` + "`kapok sim fuzz --duration %s`" + ` in which a checker finds something, though without
the bug nobody finds anything up to then; the simulated time of the finding, and how
long the hunt took on one core, clean runs included. Where a scenario of
` + "`sim/scenario/testdata`" + ` is named before the seed, the bug needs what drawn scenarios
have too little of; ` + "`thinking`" + ` are drawn ones in which every plan is made in the
background and takes 2 to 15 s. ` + "`make test`" + ` shows that
the seeds of the table still find their bugs; ` + "`make mutations`" + ` hunts again and
writes this page.

| bug | what it does | found by | seed | at | seconds |
|---|---|---|---|---|---|
`

// mutationsPage is the page of docs.
func mutationsPage(t *testing.T, known map[mutant.Bug]catch) string {
	var page strings.Builder
	fmt.Fprintf(&page, mutationsHead, huntSeeds, strings.TrimSuffix(huntLasts.String(), "0s"))
	for _, b := range bugs(t) {
		c, ok := known[b.bug]
		if !ok {
			continue
		}
		seed, at := strconv.FormatUint(c.seed, 10), "the end"
		if c.source != drawn {
			seed = c.source + " " + seed
		}
		if c.at > 0 {
			at = c.at.Truncate(time.Second).String()
		}
		fmt.Fprintf(&page, "| `%s` | %s | `%s` | %s | %s | %.1f |\n", b.bug, strings.TrimSuffix(b.says, "."), c.checker, seed, at, c.took.Seconds())
	}
	return page.String()
}

// readCatches reads the table, in the order of its seeds.
func readCatches(t *testing.T) []catch {
	t.Helper()
	text, err := os.ReadFile(mutationsFile)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	var all []catch
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(strings.TrimSpace(line), "|")
		if len(cells) != 8 || !strings.Contains(cells[1], "`") {
			continue
		}
		for i := range cells {
			cells[i] = strings.Trim(strings.TrimSpace(cells[i]), "`")
		}
		c := catch{bug: mutant.Bug(cells[1]), checker: cells[3], source: drawn}
		seed := cells[4]
		if source, number, ok := strings.Cut(seed, " "); ok {
			c.source, seed = source, number
		}
		if c.seed, err = strconv.ParseUint(seed, 10, 64); err != nil {
			t.Fatalf("%s: %q: %v", mutationsFile, line, err)
		}
		if cells[5] != "the end" {
			if c.at, err = time.ParseDuration(cells[5]); err != nil {
				t.Fatalf("%s: %q: %v", mutationsFile, line, err)
			}
		}
		seconds, err := strconv.ParseFloat(cells[6], 64)
		if err != nil {
			t.Fatalf("%s: %q: %v", mutationsFile, line, err)
		}
		c.took = time.Duration(seconds * float64(time.Second))
		all = append(all, c)
	}
	slices.SortStableFunc(all, func(a, b catch) int { return cmp.Compare(a.seed, b.seed) })
	return all
}
