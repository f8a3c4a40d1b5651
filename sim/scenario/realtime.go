package scenario

import (
	"errors"
	"fmt"
	"time"
)

// MaxRealtime is how long a scenario may be that runs against a running backend.
const MaxRealtime = 5 * time.Minute

// validateRealtime judges what is marked as fit for a running backend.
func (s *Scenario) validateRealtime() error {
	if !s.Realtime {
		return nil
	}
	if path, why := s.virtual(); why != "" {
		return wrong(path, "%s; leave it out, or realtime", why)
	}
	return nil
}

// virtual names the first thing of a scenario that exists in virtual time only.
func (s *Scenario) virtual() (path, why string) {
	const only = " in virtual time only: a running backend has its own"
	switch {
	case s.Duration.D() > MaxRealtime:
		return "duration", fmt.Sprintf("is %v: with realtime it is at most %v", s.Duration, MaxRealtime)
	case s.Settle.D() > MaxRealtime:
		return "settle", fmt.Sprintf("is %v: with realtime it is at most %v", s.Settle, MaxRealtime)
	case len(s.Crashes.At) > 0 || s.Crashes.Random > 0:
		return "crashes", "are of the backend, and exist in virtual time only"
	case len(s.Actions) > 0:
		return "actions", "happen in virtual time only"
	case s.Compare != "":
		return "compare", "runs another rule of dispatch," + only
	case len(s.Fleet.CommitMS) > 0 || len(s.Fleet.PlanMS) > 0 || s.Fleet.TelemetryInterval > 0 || s.Fleet.TaskAuthority > 0:
		return "fleet", "changes settings of the backend," + only
	}
	for i := range s.Faults {
		if !s.Faults[i].OfVehicle() {
			return fmt.Sprintf("faults[%d].kind", i), fmt.Sprintf("is %s, which is no fault of a vehicle, and exists in virtual time only", s.Faults[i].Kind)
		}
	}
	for i := range s.Zones {
		if s.Zones[i].Across != nil {
			return fmt.Sprintf("zones[%d].across", i), "is laid across routes that only virtual time knows"
		}
	}
	for i, text := range s.Assert {
		if a, err := ParseAssertion(text); err == nil && (a.When == Never || a.When == Eventually) {
			return fmt.Sprintf("assert[%d]", i), "is judged each second, in virtual time only"
		}
	}
	return "", ""
}

// ErrNotRealtime is the kind of error for a scenario that must not run against a
// running backend.
var ErrNotRealtime = errors.New("only a scenario with realtime: true runs with --connect")

// ForRealtime returns an error that says why a scenario cannot be run against a
// running backend, nil when it can.
func (s *Scenario) ForRealtime() error {
	if s.Realtime {
		return nil
	}
	if path, why := s.virtualOnly[0], s.virtualOnly[1]; why != "" {
		return fmt.Errorf("%s: %w; and its %s %s", s.Where(path), ErrNotRealtime, path, why)
	}
	return fmt.Errorf("%s: %w; mark it, as nothing in it speaks against it", s.Where("name"), ErrNotRealtime)
}
