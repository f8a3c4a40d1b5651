package hostile

import (
	"fmt"
	"strings"
	"time"
)

// The lines of a document between which the table stands.
const (
	TableBegin = "<!-- table of attacks: begin -->"
	TableEnd   = "<!-- table of attacks: end -->"
)

// Table is all attacks in Markdown, a table for each group.
func Table() string {
	var b strings.Builder
	all := All()
	for _, g := range Groups() {
		fmt.Fprintf(&b, "\n### %s\n\n| attack | an attacker … | answer | metric | memory |\n|---|---|---|---|---|\n", g)
		for _, a := range all {
			if a.Group == g {
				fmt.Fprintf(&b, "| `%s` | %s | %s | `%s` | %d MiB |\n", a.Name, a.Does, a.promise(), a.Metric, a.MemoryMiB)
			}
		}
	}
	return b.String()
}

// promise is the answer with all that is promised beside it.
func (a Attack) promise() string {
	text := a.Want.String()
	if a.Within > 0 {
		text += fmt.Sprintf(" within %d s", int(a.Within/time.Second))
	}
	if a.Note != "" {
		text += ": " + a.Note
	}
	return text
}
