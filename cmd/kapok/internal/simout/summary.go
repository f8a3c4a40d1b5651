package simout

import (
	"fmt"
	"io"
	"strings"
)

// maxSummaryBytes bounds the summary: GitHub takes 1 MiB a step, for everything
// that the step says.
const maxSummaryBytes = 512 << 10

// WriteSummary writes reports in Markdown: a table of the runs, then for each run
// that failed what it failed by. Runs beyond half a mebibyte are counted only.
func WriteSummary(w io.Writer, reports []*Report) error {
	var b strings.Builder
	failed := 0
	for _, r := range reports {
		if !r.Passed {
			failed++
		}
	}
	fmt.Fprintf(&b, "## Kapok: %s\n\n", verdictOn(len(reports), failed))
	b.WriteString("| | scenario | seed | vehicles | simulated | verdicts | event log |\n|---|---|---|---|---|---|---|\n")
	for _, r := range reports {
		bad := len(r.Failed())
		fmt.Fprintf(&b, "| %s | %s | %d | %d | %.0f s in %.1f s | %d of %d | `%.12s` |\n", word(r.Passed), cell(r.Scenario), r.Seed, r.Vehicles,
			r.SimulatedS, r.WallS, len(r.Verdicts)-bad, len(r.Verdicts), r.EventLogSHA256)
	}
	left := 0
	for _, r := range reports {
		if r.Passed {
			continue
		}
		if b.Len() > maxSummaryBytes {
			left++
			continue
		}
		r.tell(&b)
	}
	if left > 0 {
		fmt.Fprintf(&b, "\n%d more runs failed; see junit.xml.\n", left)
	}
	if _, err := io.WriteString(w, b.String()); err != nil {
		return fmt.Errorf("simout: writing the summary: %w", err)
	}
	return nil
}

// verdictOn is the head line over all runs.
func verdictOn(runs, failed int) string {
	what := "runs"
	if runs == 1 {
		what = "run"
	}
	if failed == 0 {
		return fmt.Sprintf("%d %s passed", runs, what)
	}
	return fmt.Sprintf("%d of %d %s failed", failed, runs, what)
}

func word(passed bool) string {
	if passed {
		return "PASS"
	}
	return "FAIL"
}

// tell writes what a run failed by.
func (r *Report) tell(b *strings.Builder) {
	fmt.Fprintf(b, "\n### %s\n\n", cell(r.Scenario))
	if r.Proves != "" {
		fmt.Fprintf(b, "%s\n\n", cell(r.Proves))
	}
	if r.Error != "" {
		fmt.Fprintf(b, "It could not be carried through: %s\n\n", cell(r.Error))
	}
	if failed := r.Failed(); len(failed) > 0 {
		b.WriteString("| verdict | expected | got | when | who |\n|---|---|---|---|---|\n")
		for i := range failed {
			v := &failed[i]
			fmt.Fprintf(b, "| %s: %s | %s | %s | %s | %s |\n", v.Kind, cell(v.Name), cell(v.Expected), cell(v.Got), atText(v.AtS), cell(v.Who))
		}
		b.WriteString("\n")
	}
	for i := range r.Violations {
		f := &r.Violations[i]
		fmt.Fprintf(b, "- %s %s %s: %s\n", f.Time.UTC().Format("15:04:05"), cell(f.Checker), cell(f.Vehicle), cell(f.Text))
	}
	fmt.Fprintf(b, "\nRepeat: %s\n", code(r.Repeat))
}

// atText is a second of a run for people.
func atText(seconds float64) string { return fmt.Sprintf("%.1f s", seconds) }

// cell is a text that stands in a table, with nothing that Markdown or HTML
// would take as its own.
func cell(s string) string {
	replaced := strings.NewReplacer(
		"\r\n", " ", "\n", " ", "\r", " ", "\\", "\\\\", "|", "\\|", "<", "&lt;", ">", "&gt;", "&", "&amp;",
		"`", "\\`", "*", "\\*", "_", "\\_", "[", "\\[", "]", "\\]", "#", "\\#", "~", "\\~", "@", "&#64;", "!", "\\!",
	).Replace(s)
	return strings.TrimSpace(plain(replaced))
}

// code is a text between backticks, with more of them than it has itself.
func code(s string) string {
	fence := "`"
	for strings.Contains(s, fence) {
		fence += "`"
	}
	return fence + " " + strings.Join(strings.Fields(plain(s)), " ") + " " + fence
}
