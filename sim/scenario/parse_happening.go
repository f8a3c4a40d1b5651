package scenario

import (
	"fmt"
	"maps"
	"slices"
)

func betweens() []string   { return []string{BetweenEndpoints, BetweenPlaces} }
func severities() []string { return []string{"minor", "serious", "critical"} }
func zoneRules() []string {
	return []string{"keep_out", "keep_in", "altitude_limit", "speed_limit", "advise"}
}

// checkPace judges how many of something happen when.
func (s *Scenario) checkPace(path string, perMinute float64, count int, from, until Duration, most int) error {
	if until == 0 {
		until = s.Duration
	}
	switch {
	case perMinute < 0 || count < 0 || (perMinute > 0) == (count > 0):
		return wrong(path, "needs exactly one of per_minute and count, above 0")
	case perMinute*s.Duration.D().Minutes() > float64(most):
		return wrong(path+".per_minute", "is %g: it may make %d in the run at most", perMinute, most)
	case count > most:
		return wrong(path+".count", "is %d, above the limit of %d", count, most)
	case from >= until:
		return wrong(path, "ends at %v, and begins at %v", until, from)
	}
	return nil
}

func (s *Scenario) validateIncidents() error {
	if len(s.Incidents.Timed) > MaxIncidents {
		return wrong("incidents.timed", "has more than %d incidents", MaxIncidents)
	}
	for i := range s.Incidents.Timed {
		t, path := &s.Incidents.Timed[i], fmt.Sprintf("incidents.timed[%d]", i)
		if t.Kind == "" {
			return wrong(path+".kind", "is missing")
		}
		if t.RadiusM < 0 {
			return wrong(path+".radius_m", "is negative")
		}
		if err := checkWord(path+".severity", t.Severity, severities()); err != nil {
			return err
		}
		if err := checkWord(path+".between", t.Between, betweens()); err != nil {
			return err
		}
	}
	for i := range s.Incidents.Stream {
		t, path := &s.Incidents.Stream[i], fmt.Sprintf("incidents.stream[%d]", i)
		if err := s.checkPace(path, t.PerMinute, t.Count, t.From, t.Until, MaxIncidents); err != nil {
			return err
		}
		if len(t.Kinds) == 0 {
			return wrong(path+".kinds", "is missing: shares of kinds, such as {fire: 1}")
		}
		if err := checkShares(path+".kinds", t.Kinds, slices.Sorted(maps.Keys(t.Kinds))); err != nil {
			return err
		}
		if err := checkShares(path+".severities", t.Severities, severities()); err != nil {
			return err
		}
		if err := checkWord(path+".between", t.Between, betweens()); err != nil {
			return err
		}
	}
	return nil
}

func (s *Scenario) validateZones() error {
	if len(s.Zones) > MaxZones {
		return wrong("zones", "has more than %d zones", MaxZones)
	}
	names := map[string]bool{}
	for i := range s.Zones {
		z, path := &s.Zones[i], fmt.Sprintf("zones[%d]", i)
		switch {
		case z.Name == "" || names[z.Name]:
			return wrong(path+".name", "is missing, or that of another zone")
		case !slices.Contains(zoneRules(), z.Rule):
			return wrong(path+".rule", "is %q, not one of %v", z.Rule, zoneRules())
		case z.CeilingM != 0 && z.CeilingM <= z.FloorM:
			return wrong(path+".ceiling_m", "is not above floor_m")
		}
		names[z.Name] = true
		if err := z.validateShape(path); err != nil {
			return err
		}
	}
	return nil
}

// validateShape judges where a zone is.
func (z *TimedZone) validateShape(path string) error {
	shapes := 0
	for _, given := range []bool{len(z.Polygon) > 0, z.Circle != nil, z.Across != nil} {
		if given {
			shapes++
		}
	}
	switch {
	case shapes != 1:
		return wrong(path, "needs exactly one of polygon, circle and across")
	case len(z.Polygon) > 0 && len(z.Polygon) < 3:
		return wrong(path+".polygon", "has less than three points")
	case z.Circle != nil && z.Circle.At == "":
		return wrong(path+".circle.at", "is missing")
	case z.Circle != nil && !(z.Circle.RadiusM > 0 && z.Circle.RadiusM <= 100_000):
		return wrong(path+".circle.radius_m", "must be above 0 and at most 100000")
	case z.Across != nil && (z.Across.Inside < 0 || z.Across.Routes < max(1, z.Across.Inside)):
		return wrong(path+".across", "needs routes of at least 1, and at most as many inside")
	}
	return nil
}

func (s *Scenario) validateActions() error {
	vehicle, fleet, zone := actions()
	if len(s.Actions) > MaxTroubles {
		return wrong("actions", "has more than %d actions", MaxTroubles)
	}
	for i := range s.Actions {
		a, path := &s.Actions[i], fmt.Sprintf("actions[%d]", i)
		switch {
		case slices.Contains(vehicle, a.Do):
			if !s.has(a.Vehicle) {
				return wrong(path+".vehicle", "is %q, which no fleet has; known are %s", a.Vehicle, s.vehicles())
			}
		case slices.Contains(zone, a.Do):
			if a.Zone == "" {
				return wrong(path+".zone", "is missing")
			}
		case !slices.Contains(fleet, a.Do):
			return wrong(path+".do", "is %q, not one of %v", a.Do, slices.Concat(vehicle, fleet, zone))
		}
	}
	return nil
}

// checkWord refuses a word that is given and not known.
func checkWord(path, word string, known []string) error {
	if word != "" && !slices.Contains(known, word) {
		return wrong(path, "is %q, not one of %v", word, known)
	}
	return nil
}

// fillIncidents sets the defaults of incidents.
func (s *Scenario) fillIncidents() {
	for i := range s.Incidents.Timed {
		t := &s.Incidents.Timed[i]
		t.Between, t.Severity = or(t.Between, BetweenEndpoints), or(t.Severity, "serious")
	}
	for i := range s.Incidents.Stream {
		t := &s.Incidents.Stream[i]
		t.Between, t.Until = or(t.Between, BetweenEndpoints), or(t.Until, s.Duration)
		if len(t.Severities) == 0 {
			t.Severities = map[string]float64{"serious": 1}
		}
	}
}
