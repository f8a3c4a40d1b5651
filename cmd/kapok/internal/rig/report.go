package rig

import (
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
)

// Report is what a benchmark found: figures, and whether its bounds hold.
type Report struct {
	// Command is the command line.
	Command []string  `json:"command"`
	Started time.Time `json:"started"`
	// Quick says that the run was too short to tell how fast anything is.
	Quick   bool    `json:"quick,omitempty"`
	Machine Machine `json:"machine"`
	// Processes are those that took part.
	Processes []Placed `json:"processes,omitempty"`
	Rows      []Row    `json:"rows"`
	Checks    []Check  `json:"checks"`
	// Notes are what a reader has to know beside it.
	Notes []string `json:"notes,omitempty"`
}

// Placed is a process and where it ran.
type Placed struct {
	Name string `json:"name"`
	// Cores are what it was pinned to, none for unpinned.
	Cores []int `json:"cores,omitempty"`
	// GoMaxProcs is on how many processors its Go code ran at once.
	GoMaxProcs int `json:"gomaxprocs"`
}

// Row is one figure.
type Row struct {
	Name  string  `json:"name"`
	Value float64 `json:"value"`
	Unit  string  `json:"unit"`
	// Each are the slices that Value is the median of, in the order of time; empty
	// for a figure that was measured once.
	Each []float64 `json:"each,omitempty"`
	Note string    `json:"note,omitempty"`
}

// Check is a figure with a bound.
type Check struct {
	Name  string  `json:"name"`
	Value float64 `json:"value"`
	// Must is "at most" or "at least".
	Must  string  `json:"must"`
	Bound float64 `json:"bound"`
	Unit  string  `json:"unit"`
	Holds bool    `json:"holds"`
}

// NewReport begins the report of a command line.
func NewReport(command []string, quick bool) *Report {
	return &Report{
		Command: command, Started: time.Now().UTC().Truncate(time.Second), Quick: quick,
		Machine: ThisMachine(), Rows: []Row{}, Checks: []Check{},
	}
}

// Took notes that a process took part.
func (r *Report) Took(name string, p *Process) {
	procs := len(p.Pinned())
	if procs == 0 {
		procs = r.Machine.Cores
		r.Note("the %s ran unpinned: there is one core only, or this system cannot pin", name)
	}
	r.Processes = append(r.Processes, Placed{Name: name, Cores: p.Pinned(), GoMaxProcs: procs})
}

// Row adds a figure that was measured once.
func (r *Report) Row(name string, value float64, unit string) {
	r.Rows = append(r.Rows, Row{Name: name, Value: finite(value), Unit: unit})
}

// Rounds adds a figure that was measured several times, and returns its median.
func (r *Report) Rounds(name string, each []float64, unit string) float64 {
	rounded := make([]float64, len(each))
	for i, v := range each {
		rounded[i] = finite(v)
	}
	r.Rows = append(r.Rows, Row{Name: name, Value: finite(Median(each)), Unit: unit, Each: rounded})
	return Median(each)
}

// AtMost adds a check; NaN does not hold.
func (r *Report) AtMost(name string, value, bound float64, unit string) {
	r.Checks = append(r.Checks, Check{name, finite(value), "at most", bound, unit, value <= bound})
}

// AtLeast adds a check; NaN does not hold.
func (r *Report) AtLeast(name string, value, bound float64, unit string) {
	r.Checks = append(r.Checks, Check{name, finite(value), "at least", bound, unit, value >= bound})
}

// Note adds a sentence, once.
func (r *Report) Note(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	for _, known := range r.Notes {
		if known == text {
			return
		}
	}
	r.Notes = append(r.Notes, text)
}

// OK tells whether every bound holds.
func (r *Report) OK() bool {
	for _, c := range r.Checks {
		if !c.Holds {
			return false
		}
	}
	return true
}

// WriteTable writes the report for people.
func (r *Report) WriteTable(w io.Writer) error {
	m := r.Machine
	fmt.Fprintf(w, "%s\n%s · %d cores · %s · %s %s/%s\n", strings.Join(r.Command, " "),
		orUnknown(m.Processor), m.Cores, orUnknown(m.Kernel), m.Go, m.OS, m.Arch)
	for _, p := range r.Processes {
		fmt.Fprintf(w, "%s: cores %s, GOMAXPROCS %d\n", p.Name, coreList(p.Cores), p.GoMaxProcs)
	}
	fmt.Fprintln(w)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, row := range r.Rows {
		fmt.Fprintf(t, "%s\t%s %s\t%s\n", row.Name, Figure(row.Value), row.Unit, row.Note)
	}
	if len(r.Checks) > 0 {
		fmt.Fprint(t, "\t\t\n")
	}
	for _, c := range r.Checks {
		holds := "ok"
		if !c.Holds {
			holds = "FAILED"
		}
		fmt.Fprintf(t, "%s\t%s %s\t%s %s: %s\n", c.Name, Figure(c.Value), c.Unit, c.Must, Figure(c.Bound), holds)
	}
	if err := t.Flush(); err != nil {
		return fmt.Errorf("writing the report: %w", err)
	}
	if r.Quick {
		fmt.Fprintln(w, "\nThis was a short run: it shows that the benchmark works, not how fast anything is.")
	}
	for _, note := range r.Notes {
		fmt.Fprintln(w, "Note: "+note+".")
	}
	return nil
}

// Figure writes a number with three digits that count, and all of those before
// the point.
func Figure(v float64) string {
	if math.Abs(v) >= 99.5 {
		return strconv.FormatFloat(math.Round(v), 'f', 0, 64)
	}
	return strconv.FormatFloat(v, 'g', 3, 64)
}

// finite replaces what JSON cannot hold by -1, which no figure can be.
func finite(v float64) float64 {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return -1
	}
	return v
}

func orUnknown(text string) string {
	if text == "" {
		return "unknown"
	}
	return text
}

func coreList(all []int) string {
	if len(all) == 0 {
		return "any"
	}
	texts := make([]string, len(all))
	for i, core := range all {
		texts[i] = strconv.Itoa(core)
	}
	return strings.Join(texts, ",")
}
