package main

import (
	"os"
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
