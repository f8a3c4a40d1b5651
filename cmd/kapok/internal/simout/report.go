package simout

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"io"
	"slices"

	"github.com/kapok-fleet/kapok/sim"
	"github.com/kapok-fleet/kapok/sim/check"
)

// Schema is the JSON Schema of a Report, as result.json has it.
//
//go:embed result.schema.json
var Schema []byte

// Format is the version of a Report's form: it changes when a member changes
// its meaning or goes, not when one is added.
const Format = 1

// The kinds of verdicts.
const (
	// Assertion and Threshold are what the scenario demands.
	Assertion = "assertion"
	Threshold = "threshold"
	// Checker is what must hold in every run.
	Checker = "checker"
)

// Verdict is one statement that was judged.
type Verdict struct {
	Kind string `json:"kind"`
	// Name is the statement as it was written, or the checker's.
	Name   string `json:"name"`
	Passed bool   `json:"passed"`
	// Expected is what had to be, Got what was.
	Expected string `json:"expected"`
	Got      string `json:"got"`
	// AtS is the second of the run at which it was decided; Who is whom it is
	// about, empty for all.
	AtS float64 `json:"at_s"`
	Who string  `json:"who,omitempty"`
	// Line is where it stands in the scenario's file, from 1; 0 for nowhere.
	Line int `json:"line,omitempty"`
}

// Report is what one run showed.
type Report struct {
	Format int `json:"format"`
	// Kapok is the version that ran it.
	Kapok string `json:"kapok"`
	// File is the scenario's file as it was named, Scenario its name, with the
	// values of its matrix: NAME[seed=2,network.loss=0.05].
	File     string `json:"file"`
	Scenario string `json:"scenario"`
	// Proves is the scenario's own paragraph.
	Proves   string `json:"proves,omitempty"`
	Seed     uint64 `json:"seed"`
	Chart    string `json:"chart"`
	Vehicles int    `json:"vehicles"`
	// Mode is virtual, or connected for a run against a running backend.
	Mode string `json:"mode"`
	// Passed says that every verdict is one of success and that the run could be
	// carried through; Error says why it could not.
	Passed bool   `json:"passed"`
	Error  string `json:"error,omitempty"`
	// Repeat is the command that runs it again.
	Repeat string `json:"repeat"`
	// SimulatedS and WallS are how long it was in simulated and in real time.
	SimulatedS float64 `json:"simulated_s"`
	WallS      float64 `json:"wall_s"`
	// Events counts durable events, EventLogSHA256 is the checksum over all; none
	// of a connected run.
	Events         uint64    `json:"events"`
	EventLogSHA256 string    `json:"event_log_sha256,omitempty"`
	Verdicts       []Verdict `json:"verdicts"`
	// Violations are the first of what must never happen and did; Forgiven those
	// that nobody can be blamed for; Unfinished is the work that need not be
	// finished, with the reason.
	Violations []check.Finding `json:"violations"`
	Forgiven   []check.Finding `json:"forgiven,omitempty"`
	Unfinished []string        `json:"unfinished,omitempty"`
	// Refusals are requests that the backend refused.
	Refusals []string `json:"refusals,omitempty"`
	// Figures are all numbers of the run, by the names that assertions use.
	Figures map[string]float64 `json:"figures"`
	// Metrics are the distributions that thresholds bound.
	Metrics []sim.MetricSummary `json:"metrics,omitempty"`
}

// The modes.
const (
	Virtual   = "virtual"
	Connected = "connected"
)

// Failed lists the verdicts that are none of success.
func (r *Report) Failed() []Verdict {
	return slices.DeleteFunc(slices.Clone(r.Verdicts), func(v Verdict) bool { return v.Passed })
}

// Whole is the report with empty lists in the place of those that there are not.
func (r *Report) Whole() *Report {
	if r.Verdicts == nil {
		r.Verdicts = []Verdict{}
	}
	if r.Violations == nil {
		r.Violations = []check.Finding{}
	}
	if r.Figures == nil {
		r.Figures = map[string]float64{}
	}
	return r
}

// WriteResult writes a report as result.json has it.
func WriteResult(w io.Writer, r *Report) error {
	data, err := json.MarshalIndent(r.Whole(), "", "  ")
	if err != nil {
		return fmt.Errorf("simout: encoding the result of %s: %w", r.Scenario, err)
	}
	if _, err := w.Write(append(data, '\n')); err != nil {
		return fmt.Errorf("simout: writing the result of %s: %w", r.Scenario, err)
	}
	return nil
}
