package simout

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// The elements of a JUnit file, as CI systems read it.
type (
	junitSuites struct {
		XMLName  xml.Name     `xml:"testsuites"`
		Name     string       `xml:"name,attr"`
		Tests    int          `xml:"tests,attr"`
		Failures int          `xml:"failures,attr"`
		Errors   int          `xml:"errors,attr"`
		Time     string       `xml:"time,attr"`
		Suites   []junitSuite `xml:"testsuite"`
	}
	junitSuite struct {
		Name       string          `xml:"name,attr"`
		File       string          `xml:"file,attr"`
		Tests      int             `xml:"tests,attr"`
		Failures   int             `xml:"failures,attr"`
		Errors     int             `xml:"errors,attr"`
		Skipped    int             `xml:"skipped,attr"`
		Time       string          `xml:"time,attr"`
		Properties []junitProperty `xml:"properties>property"`
		Cases      []junitCase     `xml:"testcase"`
		Output     string          `xml:"system-out,omitempty"`
	}
	junitProperty struct {
		Name  string `xml:"name,attr"`
		Value string `xml:"value,attr"`
	}
	junitCase struct {
		Name    string      `xml:"name,attr"`
		Class   string      `xml:"classname,attr"`
		File    string      `xml:"file,attr,omitempty"`
		Line    int         `xml:"line,attr,omitempty"`
		Time    string      `xml:"time,attr"`
		Failure *junitFault `xml:"failure,omitempty"`
		Error   *junitFault `xml:"error,omitempty"`
	}
	junitFault struct {
		Message string `xml:"message,attr"`
		Type    string `xml:"type,attr"`
		Text    string `xml:",chardata"`
	}
)

// WriteJUnit writes reports as one JUnit file: a testsuite for each run, and in it
// a testcase for each assertion, threshold and checker. A run that could not be
// carried through has a testcase "run" with an error.
func WriteJUnit(w io.Writer, reports []*Report) error {
	all := junitSuites{Name: "kapok sim run"}
	seconds := 0.0
	for _, r := range reports {
		s := r.suite()
		all.Suites = append(all.Suites, s)
		all.Tests += s.Tests
		all.Failures += s.Failures
		all.Errors += s.Errors
		seconds += r.WallS
	}
	all.Time = fmt.Sprintf("%.3f", seconds)
	data, err := xml.MarshalIndent(&all, "", "  ")
	if err != nil {
		return fmt.Errorf("simout: encoding the JUnit file: %w", err)
	}
	if _, err := fmt.Fprintf(w, "%s%s\n", xml.Header, data); err != nil {
		return fmt.Errorf("simout: writing the JUnit file: %w", err)
	}
	return nil
}

// suite is one run.
func (r *Report) suite() junitSuite {
	s := junitSuite{
		Name: plain(r.Scenario), File: plain(r.File), Time: fmt.Sprintf("%.3f", r.WallS),
		Properties: []junitProperty{
			{"seed", fmt.Sprint(r.Seed)}, {"kapok", plain(r.Kapok)}, {"event_log_sha256", r.EventLogSHA256}, {"repeat", plain(r.Repeat)},
		},
		Output: plain(r.Proves),
	}
	class := strings.ReplaceAll(plain(r.Scenario), ".", "_")
	if r.Error != "" {
		s.Errors++
		s.Cases = append(s.Cases, junitCase{
			Name: "run", Class: class, File: plain(r.File), Time: "0",
			Error: &junitFault{Message: plain(r.Error), Type: "error", Text: plain(r.Error + "\nrepeat: " + r.Repeat)},
		})
	}
	for i := range r.Verdicts {
		v := &r.Verdicts[i]
		one := junitCase{Name: plain(v.Kind + ": " + v.Name), Class: class, File: plain(r.File), Line: v.Line, Time: "0"}
		if !v.Passed {
			s.Failures++
			one.Failure = &junitFault{Message: plain("expected " + v.Expected + ", got " + v.Got), Type: v.Kind, Text: plain(r.story(v))}
		}
		s.Cases = append(s.Cases, one)
	}
	s.Tests = len(s.Cases)
	return s
}

// story tells a failed verdict in full.
func (r *Report) story(v *Verdict) string {
	var b strings.Builder
	fmt.Fprintf(&b, "expected: %s\ngot: %s\nat: %g s\n", v.Expected, v.Got, v.AtS)
	if v.Who != "" {
		fmt.Fprintf(&b, "who: %s\n", v.Who)
	}
	if v.Kind == Checker {
		for i := range r.Violations {
			if f := &r.Violations[i]; f.Checker == v.Name {
				fmt.Fprintf(&b, "%s %s: %s\n", f.Time.UTC().Format("15:04:05"), f.Vehicle, f.Text)
			}
		}
	}
	fmt.Fprintf(&b, "repeat: %s\n", r.Repeat)
	return b.String()
}

// plain takes out what XML cannot have: control characters but tab and the ends
// of lines, and bytes that are no UTF-8.
func plain(s string) string {
	return strings.Map(func(c rune) rune {
		switch {
		case c == '\t', c == '\n', c == '\r':
			return c
		case c < ' ', c == utf8.RuneError, c == 0xfffe, c == 0xffff:
			return '\ufffd'
		}
		return c
	}, s)
}
