package server

import (
	"math"
	"strings"
	"testing"
)

func TestLimitsAreChecked(t *testing.T) {
	for want, l := range map[string]Limits{
		"":                           {},
		"connections, -1":            {Connections: -1},
		"one address, 2000000":       {ConnectionsPerAddress: 2_000_000},
		"log-ins of one vehicle, N":  {LoginRate: math.NaN()},
		"requests of one token, +In": {TokenRate: math.Inf(1)},
		"failures of one address, -": {FailureRate: -1},
		"requests under way, -5":     {Requests: -5},
	} {
		err := l.Validate()
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, want %q", l, err, want)
		}
	}
	if got := (Limits{}).withDefaults(); got != DefaultLimits() {
		t.Errorf("the zero limits are %+v", got)
	}
	if got := (Limits{Requests: 7, LoginRate: 0.5}).withDefaults(); got.Requests != 7 || got.LoginRate != 0.5 || got.Connections != DefaultLimits().Connections {
		t.Errorf("limits that are set are %+v", got)
	}
}
