package sim

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/kapok-fleet/kapok/sim/check"
	"github.com/kapok-fleet/kapok/sim/scenario"
)

// FuzzVerdict is what the run of a drawn scenario showed.
type FuzzVerdict struct {
	Result Result
	// Violations are what must never happen. A run that could not be carried
	// through has one, of the checker Folds or Broken.
	Violations []check.Finding
	// Faults counts the faults of the scenario by kind, outages and storms
	// included.
	Faults map[string]int
}

// Broken is the checker of runs that end with an error that is not of the folds.
const Broken = "run"

// Checkers lists the checkers that found something, each once.
func (v *FuzzVerdict) Checkers() []string {
	var names []string
	for i := range v.Violations {
		if n := v.Violations[i].Checker; !slices.Contains(names, n) {
			names = append(names, n)
		}
	}
	return names
}

// Run runs the scenario. The options' chart is taken from the case. The error is
// that of a context that has ended; any other is a violation.
func (c FuzzCase) Run(ctx context.Context, o Options) (FuzzVerdict, error) {
	o.Chart = c.Chart
	v := FuzzVerdict{Faults: countFaults(&c.Scenario)}
	var err error
	v.Result, err = Run(ctx, c.Scenario, o)
	if ctx.Err() != nil {
		return v, ctx.Err()
	}
	if err != nil {
		checker := Broken
		if strings.Contains(err.Error(), "fold") {
			checker = check.Folds
		}
		v.Violations = append(v.Violations, check.Finding{Checker: checker, Object: c.Scenario.Name, Text: err.Error()})
		return v, nil
	}
	v.Violations = v.Result.Violations
	return v, nil
}

func countFaults(s *scenario.Scenario) map[string]int {
	n := map[string]int{}
	for i := range s.Faults {
		n[cmp.Or(s.Faults[i].Kind, scenario.Broken)]++
	}
	winds, closed := 0, len(s.Conditions.ClosedWays)
	for i := range s.Conditions.Changes {
		ch := &s.Conditions.Changes[i]
		winds += int(asNumber(ch.WindMPS != nil || ch.WindFromDeg != nil || ch.GustMPS != nil))
		closed += len(ch.CloseWays)
	}
	for kind, count := range map[string]int{
		"outage": len(s.Network.Outages), "storm": len(s.Network.Storms), "crash": len(s.Crashes.At),
		"zone": len(s.Zones), "change of wind": winds, "closed street": closed,
	} {
		if count > 0 {
			n[kind] = count
		}
	}
	for kind, on := range map[string]bool{
		"loss": s.Network.Loss > 0, "duplicate": s.Network.Duplicate > 0, "reorder": s.Network.Reorder > 0,
		"bandwidth": s.Network.BandwidthKbps > 0, "jitter": s.Network.JitterMS > 0, "wind": s.Conditions.WindMPS > 0,
	} {
		if on {
			n[kind] = 1
		}
	}
	return n
}
