package main

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/kapok-fleet/kapok/fleet/server"
)

// TestTheEdgeIsDocumented: every setting of the edge stands in docs/security.md,
// and reaches the server.
func TestTheEdgeIsDocumented(t *testing.T) {
	text, err := os.ReadFile("../../docs/security.md")
	if err != nil {
		t.Fatal(err)
	}
	s := defaultEdge()
	if s.limits() != server.DefaultLimits() {
		t.Errorf("the default settings are the limits %+v", s.limits())
	}
	flags := []string{"metrics"}
	for i, c := range s.counts() {
		flags = append(flags, c.flag)
		*c.value = 1000 + i
	}
	for i, r := range s.rates() {
		flags = append(flags, r.flag)
		*r.value = 2000 + float64(i)
	}
	for _, flag := range flags {
		if !strings.Contains(string(text), "`--"+flag) {
			t.Errorf("docs/security.md does not name --%s", flag)
		}
	}
	want := server.Limits{
		Connections: 1000, ConnectionsPerAddress: 1001, PendingPerAddress: 1002, Requests: 1003,
		TokenBurst: 1004, AddressBurst: 1005, FailureBurst: 1006, LoginBurst: 1007,
		TokenRate: 2000, AddressRate: 2001, FailureRate: 2002, LoginRate: 2003,
	}
	if got := s.limits(); got != want {
		t.Errorf("the limits are %+v, want %+v", got, want)
	}
}

// TestTheDocumentsHaveTheDefaults: where a document gives the default of a
// setting, it is the default. A row of a table with flags begins its second cell
// with their defaults, in their order; elsewhere the key stands in parentheses
// behind the figure.
func TestTheDocumentsHaveTheDefaults(t *testing.T) {
	s := defaultSettings()
	flags := s.flags()
	check := func(document, flag, figure string) {
		f := flags.Lookup(flag)
		if f == nil {
			t.Errorf("%s names the setting %s, which there is not", document, flag)
			return
		}
		if figure = strings.ReplaceAll(figure, ",", ""); figure != strings.TrimSuffix(f.DefValue, "s") && figure != f.DefValue {
			t.Errorf("%s gives --%s the default %s; it is %s", document, flag, figure, f.DefValue)
		}
	}
	text, err := os.ReadFile("../../docs/security.md")
	if err != nil {
		t.Fatal(err)
	}
	flag, figure := regexp.MustCompile("`--([a-z-]+)`"), regexp.MustCompile(`[0-9]+`)
	found := 0
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(line, " | ")
		names := flag.FindAllStringSubmatch(line, -1)
		if !strings.HasPrefix(line, "| ") || len(cells) < 3 || len(names) == 0 {
			continue
		}
		figures := figure.FindAllString(cells[1], -1)
		for i, name := range names {
			if len(figures) <= i {
				t.Errorf("the row %q gives --%s no default", line, name[1])
				continue
			}
			check("security.md", name[1], figures[i])
			found++
		}
	}
	if text, err = os.ReadFile("../../docs/limits.md"); err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile("([0-9,]+) \\(`([a-z_]+)`\\)").FindAllStringSubmatch(string(text), -1) {
		check("limits.md", strings.ReplaceAll(m[2], "_", "-"), m[1])
		found++
	}
	for _, m := range regexp.MustCompile("([0-9]+) h \\(`([a-z_]+)`\\)").FindAllStringSubmatch(string(text), -1) {
		check("limits.md", strings.ReplaceAll(m[2], "_", "-"), fmt.Sprintf("%sh0m0s", m[1]))
		found++
	}
	if found < 18 {
		t.Errorf("only %d defaults were found", found)
	}
}
