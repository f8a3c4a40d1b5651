package scenario

import (
	"fmt"
	"math"
)

// MaxSettle is how long a run may go on after its duration.
const MaxSettle = MaxDuration

func (s *Scenario) validateNetwork() error {
	n := &s.Network
	if err := checkRange("network.latency_ms", n.LatencyMS, 60_000); err != nil {
		return err
	}
	for _, f := range []struct {
		key          string
		value, least float64
		most         float64
	}{
		{"jitter_ms", n.JitterMS, 0, 60_000},
		{"loss", n.Loss, 0, 0.5},
		{"duplicate", n.Duplicate, 0, 0.5},
		{"reorder", n.Reorder, 0, 0.5},
		{"bandwidth_kbps", n.BandwidthKbps, 0, 1e9},
	} {
		if err := checkNumber("network."+f.key, f.value, f.least, f.most); err != nil {
			return err
		}
	}
	if err := checkWord("network.encoding", n.Encoding, []string{"cbor", "json"}); err != nil {
		return err
	}
	for i := range n.Outages {
		if err := s.validateOutage(&n.Outages[i], fmt.Sprintf("network.outages[%d]", i)); err != nil {
			return err
		}
	}
	if n.Random < 0 || n.Random+len(n.Outages) > MaxTroubles {
		return wrong("network.random", "is %d: it must be 0 to %d, with the outages that are listed", n.Random, MaxTroubles)
	}
	if len(n.Storms) > MaxTroubles {
		return wrong("network.storms", "has more than %d storms", MaxTroubles)
	}
	for i, at := range n.Storms {
		if err := s.checkAt(fmt.Sprintf("network.storms[%d]", i), at); err != nil {
			return err
		}
	}
	return checkSpans("network.random_for", n.RandomFor)
}

func (s *Scenario) validateOutage(o *Outage, path string) error {
	switch {
	case o.Vehicle == "" && o.Area == nil:
		return wrong(path, `is an outage of nothing: give vehicle (an id, "PREFIX*" or "*") or area`)
	case o.Vehicle != "" && o.Area != nil:
		return wrong(path, "has both vehicle and area: give one of them")
	case o.Area == nil && !s.names(o.Vehicle):
		return wrong(path+".vehicle", "is an outage of nothing: %q, which no fleet has; known are %s", o.Vehicle, s.vehicles())
	case o.For <= 0:
		return wrong(path+".for", "must be above 0")
	}
	if o.Area != nil {
		if err := o.Area.validate(path + ".area"); err != nil {
			return err
		}
	}
	return s.checkAt(path+".at", o.At)
}

// validate judges a circle.
func (c *Circle) validate(path string) error {
	if c.At == "" {
		return wrong(path+".at", `is missing: the id of a site or place, "@N" or "lon,lat"`)
	}
	if !(c.RadiusM > 0 && c.RadiusM <= 100_000) {
		return wrong(path+".radius_m", "is %g: it must be above 0 and at most 100000", c.RadiusM)
	}
	return nil
}

func (s *Scenario) validateTroubles() error {
	if s.Crashes.Random < 0 || s.Crashes.Random+len(s.Crashes.At) > MaxTroubles {
		return wrong("crashes.random", "is %d: it must be 0 to %d, with the times that are listed", s.Crashes.Random, MaxTroubles)
	}
	for i, at := range s.Crashes.At {
		if err := s.checkAt(fmt.Sprintf("crashes.at[%d]", i), at); err != nil {
			return err
		}
	}
	if err := checkSpans("crashes.down", s.Crashes.Down); err != nil {
		return err
	}
	if err := s.validateFaults(); err != nil {
		return err
	}
	if err := s.validateConditions(); err != nil {
		return err
	}
	if s.Settle.D() > MaxSettle {
		return wrong("settle", "is %v: it must be at most %v", s.Settle, MaxSettle)
	}
	if err := checkRange("fleet.commit_ms", s.Fleet.CommitMS, 60_000); err != nil {
		return err
	}
	return checkRange("fleet.plan_ms", s.Fleet.PlanMS, 600_000)
}

// checkNumber refuses a number out of its bounds.
func checkNumber(path string, v, least, most float64) error {
	if math.IsNaN(v) || v < least || v > most {
		return wrong(path, "is %g: it must be %g to %g", v, least, most)
	}
	return nil
}
