package scenario

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// MaxDemands bounds the sources of demand; MaxDemandAreas the areas of one.
const (
	MaxDemands     = 100
	MaxDemandAreas = 1000
)

func (s *Scenario) validateDemand() error {
	if len(s.Demand) > MaxDemands {
		return wrong("demand", "has more than %d sources", MaxDemands)
	}
	for i := range s.Demand {
		if err := s.validateSource(&s.Demand[i], fmt.Sprintf("demand[%d]", i)); err != nil {
			return err
		}
	}
	return nil
}

func (s *Scenario) validateSource(d *Demand, path string) error {
	given := 0
	for _, is := range []bool{len(d.Areas) > 0, d.Loggi != "", d.SeattleFire != ""} {
		if is {
			given++
		}
	}
	until := or(d.Until, s.Duration)
	switch {
	case given != 1:
		return wrong(path, "needs exactly one of areas, loggi and seattle_fire")
	case len(d.Areas) > MaxDemandAreas:
		return wrong(path+".areas", "has more than %d areas", MaxDemandAreas)
	case d.Count < 0 || d.Count > MaxOrders:
		return wrong(path+".count", "is %d: it must be 0 (all) to %d", d.Count, MaxOrders)
	case len(d.Areas) > 0 && (d.Count != 0 || d.Speedup != 0):
		return wrong(path, "has count or speedup, which belong to files; areas have per_hour")
	case math.IsNaN(d.Speedup) || d.Speedup < 0 || d.Speedup > 100_000:
		return wrong(path+".speedup", "is %g: it must be above 0 and at most 100000", d.Speedup)
	case d.From >= until:
		return wrong(path, "ends at %v, and begins at %v", until, d.From)
	}
	for i := range d.Areas {
		if err := s.validateArea(&d.Areas[i], fmt.Sprintf("%s.areas[%d]", path, i)); err != nil {
			return err
		}
	}
	return nil
}

func (s *Scenario) validateArea(a *DemandArea, path string) error {
	if err := a.Area.validate(path + ".area"); err != nil {
		return err
	}
	if len(a.PerHour) != 1 && len(a.PerHour) != 24 {
		return wrong(path+".per_hour", "has %d numbers: it needs 24, one for each hour of the day, or one for all", len(a.PerHour))
	}
	for i, rate := range a.PerHour {
		if err := checkNumber(fmt.Sprintf("%s.per_hour[%d]", path, i), rate, 0, MaxOrders); err != nil {
			return err
		}
	}
	if top := slices.Max(a.PerHour); top*s.Duration.D().Hours() > MaxOrders {
		return wrong(path+".per_hour", "is up to %g: it may make %d orders in the run at most", top, MaxOrders)
	}
	if err := checkWord(path+".kind", a.Kind, taskKinds()); err != nil {
		return err
	}
	if err := checkWord(path+".priority", a.Priority, priorities()); err != nil {
		return err
	}
	if err := checkRange(path+".load_kg", a.LoadKg, 10_000); err != nil {
		return err
	}
	return checkKinds(path+".vehicle_kinds", a.VehicleKinds)
}

// fillDemand sets the defaults of demand.
func (s *Scenario) fillDemand() {
	for i := range s.Demand {
		d := &s.Demand[i]
		d.Until, d.Speedup = or(d.Until, s.Duration), or(d.Speedup, 1)
		for k := range d.Areas {
			a := &d.Areas[k]
			a.Kind, a.Priority = or(a.Kind, "delivery"), or(a.Priority, "routine")
			a.LoadKg = orRange(a.LoadKg, 0.5, 3)
			if len(a.PerHour) == 1 {
				a.PerHour = slices.Repeat(a.PerHour, 24)
			}
		}
	}
}

// Parcel is a delivery of a Loggi file.
type Parcel struct {
	Lon, Lat float64
	// Size is in the file's own unit.
	Size int
}

// Parcels are the content of a Loggi file.
type Parcels struct {
	// Hub is where all parcels are, its Size 0.
	Hub  Parcel
	List []Parcel
}

// Call is an entry of a file of the Seattle Fire Department.
type Call struct {
	// At counts from the first call of the file.
	At Duration
	// Type is as the file says it, Kind the kind of incident that it is here.
	Type, Kind string
	// Units is how many units were sent, Address where to; the file has no
	// coordinates.
	Units   int
	Address string
}

// Severity is how bad a call is, by the number of units that were sent.
func (c *Call) Severity() string {
	switch {
	case c.Units >= 4:
		return "critical"
	case c.Units >= 2:
		return "serious"
	}
	return "minor"
}

// KindOfCall is the kind of incident that a type of call of the Seattle Fire
// Department is; false when nothing is done about it by robots and drones.
func KindOfCall(name string) (kind string, ok bool) {
	name = strings.ToLower(name)
	has := func(words ...string) bool {
		return slices.ContainsFunc(words, func(w string) bool { return strings.Contains(name, w) })
	}
	switch {
	case has("gas ", "odor", "co detector", "hazardous", "hazmat", "spill"):
		return "gas_leak", true
	case has("water rescue", "marine", "search"):
		return "lost_person", true
	case has("medic", "aid", "mvi", "assault", "casualty", "amr", "rescue auto", "rescue heavy"):
		return "medical", true
	case has("fire", "red", "burn", "afa", "alarm bell", "food on the stove", "smoke"):
		return "fire", true
	case has("water job"):
		return "flood", true
	}
	return "", false
}
