package simout

import (
	"fmt"
	"io"
	"strconv"
	"strings"
)

// maxAnnotations is how many annotations GitHub shows of one step; more are not
// written.
const maxAnnotations = 10

// WriteAnnotations writes a workflow command of GitHub for each failed verdict of
// the runs, which GitHub shows beside the line of the scenario's file; at most
// ten, and the last then says how many there are in all.
func WriteAnnotations(w io.Writer, reports []*Report) error {
	var lines []string
	for _, r := range reports {
		if r.Error != "" {
			lines = append(lines, annotation(r.File, 0, r.Scenario, r.Error))
		}
		for _, v := range r.Failed() {
			text := fmt.Sprintf("%s %s: expected %s, got %s, at %s", v.Kind, v.Name, v.Expected, v.Got, atText(v.AtS))
			if v.Who != "" {
				text += ", " + v.Who
			}
			lines = append(lines, annotation(r.File, v.Line, r.Scenario, text+"\nrepeat: "+r.Repeat))
		}
	}
	if n := len(lines); n > maxAnnotations {
		lines = append(lines[:maxAnnotations-1], annotation("", 0, "kapok sim run", strconv.Itoa(n)+" verdicts failed; the summary has all of them"))
	}
	for _, line := range lines {
		if _, err := io.WriteString(w, line+"\n"); err != nil {
			return fmt.Errorf("simout: writing annotations: %w", err)
		}
	}
	return nil
}

// annotation is one workflow command. In its message three characters are
// escaped, in its properties two more, by the rules of the runner.
func annotation(file string, line int, title, text string) string {
	var properties []string
	if file != "" {
		properties = append(properties, "file="+escapeProperty(file))
	}
	if line > 0 {
		properties = append(properties, "line="+strconv.Itoa(line))
	}
	properties = append(properties, "title="+escapeProperty(title))
	return "::error " + strings.Join(properties, ",") + "::" + escapeData(text)
}

func escapeData(s string) string {
	return strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A").Replace(plain(s))
}

func escapeProperty(s string) string {
	return strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C").Replace(plain(s))
}
