package scenario

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

// need tells whether a value must, may or must not be given.
type need uint8

const (
	without need = iota
	optional
	required
)

// faultNeeds are what the faults of a kind need.
type faultNeeds struct {
	kind string
	// ofVehicle says that it befalls a vehicle; all others the backend or a
	// dispatcher.
	ofVehicle bool
	lasts     need
	// unit is that of Amount, empty when there is none; it lies from least to most,
	// and is not open when open names that end.
	unit        string
	least, most float64
	// notZero refuses an amount of 0, notMost one of most.
	notZero, notMost bool
}

// faultTable lists the kinds of faults in the order of the documentation.
func faultTable() []faultNeeds {
	return []faultNeeds{
		{kind: Broken, ofVehicle: true, lasts: required},
		{kind: Reboot, ofVehicle: true, lasts: optional},
		{kind: Wiped, ofVehicle: true, lasts: optional},
		{kind: ClockJump, ofVehicle: true, lasts: optional, unit: "seconds", least: -86_400, most: 86_400, notZero: true},
		{kind: ClockDrift, ofVehicle: true, lasts: required, unit: "parts in a million", least: -100_000, most: 100_000, notZero: true},
		{kind: GNSSNoise, ofVehicle: true, lasts: required, unit: "metres", most: 1000, notZero: true},
		{kind: GNSSBias, ofVehicle: true, lasts: required, unit: "metres", least: -1000, most: 1000, notZero: true},
		{kind: GNSSLoss, ofVehicle: true, lasts: required},
		{kind: GNSSTeleport, ofVehicle: true, lasts: required, unit: "metres", least: -100_000, most: 100_000, notZero: true},
		{kind: CellDrop, ofVehicle: true, unit: "share of the battery", most: 1, notZero: true},
		{kind: DriveFailure, ofVehicle: true, lasts: required, unit: "share of the speed that is left", most: 1, notMost: true},
		{kind: Frozen, ofVehicle: true, lasts: required},
		{kind: Liar, ofVehicle: true, lasts: required},
		{kind: Slow, ofVehicle: true, lasts: required, unit: "seconds", most: 600, notZero: true},
		{kind: Refusing, ofVehicle: true, lasts: required},
		{kind: Forgetful, ofVehicle: true, lasts: optional},
		{kind: DiskFull, lasts: required},
		{kind: DiskSync, lasts: required},
		{kind: DiskSlow, lasts: required, unit: "milliseconds", most: 60_000, notZero: true},
		{kind: PlannerLate, lasts: required, unit: "seconds", most: 600, notZero: true},
		{kind: SlowDispatcher, lasts: required, unit: "events a second", most: 1_000_000},
	}
}

// FaultKinds lists the kinds of faults.
func FaultKinds() []string {
	var kinds []string
	for _, n := range faultTable() {
		kinds = append(kinds, n.kind)
	}
	return kinds
}

// OfVehicle tells whether the fault befalls vehicles; all others are the backend's
// or a dispatcher's.
func (f *Fault) OfVehicle() bool {
	for _, n := range faultTable() {
		if n.kind == or(f.Kind, Broken) {
			return n.ofVehicle
		}
	}
	return false
}

// rebootTakes is how long a vehicle is away for when the fault does not say it.
const rebootTakes = 10 * time.Second

func (s *Scenario) validateFaults() error {
	if len(s.Faults) > MaxTroubles {
		return wrong("faults", "has more than %d faults", MaxTroubles)
	}
	for i := range s.Faults {
		if err := s.validateFault(&s.Faults[i], fmt.Sprintf("faults[%d]", i)); err != nil {
			return err
		}
	}
	return nil
}

func (s *Scenario) validateFault(f *Fault, path string) error {
	kind := or(f.Kind, Broken)
	table := faultTable()
	at := slices.IndexFunc(table, func(n faultNeeds) bool { return n.kind == kind })
	if at < 0 {
		return wrong(path+".kind", "is %q, not one of %s", kind, strings.Join(FaultKinds(), ", "))
	}
	n := &table[at]
	switch {
	case n.ofVehicle && f.Vehicle == "":
		return wrong(path, `is a fault on nothing: %s befalls a vehicle; give vehicle: an id, "PREFIX*" for a fleet, or "*" for all`, kind)
	case n.ofVehicle && !s.names(f.Vehicle):
		return wrong(path+".vehicle", "is a fault on nothing: %q, which no fleet has; known are %s", f.Vehicle, s.vehicles())
	case !n.ofVehicle && f.Vehicle != "":
		return wrong(path+".vehicle", "is %q: %s is no fault of a vehicle; leave vehicle out", f.Vehicle, kind)
	case n.lasts == required && f.For == 0:
		return wrong(path, "needs for: how long %s lasts, such as 30s", kind)
	case n.lasts == without && f.For != 0:
		return wrong(path+".for", "is %v: %s happens at once; leave for out", f.For, kind)
	case kind != Broken && f.Code != "":
		return wrong(path+".code", "is %q: only broken has a code; leave it out", f.Code)
	case kind != Broken && f.LoadLost:
		return wrong(path+".load_lost", "is true: only broken has it; leave it out")
	}
	if err := n.validateAmount(path, f.Amount); err != nil {
		return err
	}
	return s.checkAt(path+".at", f.At)
}

// validateAmount judges how strong a fault is.
func (n *faultNeeds) validateAmount(path string, amount float64) error {
	if n.unit == "" {
		if amount != 0 {
			return wrong(path+".amount", "is %g: %s has none; leave it out", amount, n.kind)
		}
		return nil
	}
	most := "to"
	if n.notMost {
		most = "to below"
	}
	zero := ""
	if n.notZero {
		zero = ", not 0"
	}
	bad := math.IsNaN(amount) || amount < n.least || amount > n.most || n.notZero && amount == 0 || n.notMost && amount == n.most
	if !bad {
		return nil
	}
	where := path + ".amount"
	if amount == 0 {
		return wrong(where, "is missing: %s needs it, in %s from %g %s %g%s", n.kind, n.unit, n.least, most, n.most, zero)
	}
	return wrong(where, "is %g: for %s it is in %s from %g %s %g%s", amount, n.kind, n.unit, n.least, most, n.most, zero)
}

// checkAt refuses what would begin after the end of the run.
func (s *Scenario) checkAt(path string, at Duration) error {
	if at > s.Duration {
		return wrong(path, "is %v, after the end of the run at %v", at, s.Duration)
	}
	return nil
}

// names tells whether a word says which vehicles: an id, "PREFIX*" or "*".
func (s *Scenario) names(word string) bool {
	if word == "*" || s.has(word) {
		return true
	}
	prefix, ok := strings.CutSuffix(word, "*")
	return ok && slices.ContainsFunc(s.Fleets, func(f Fleet) bool { return f.Prefix == prefix })
}

// Named tells whether a word of a fault or an outage, an id, "PREFIX*" or "*",
// says a vehicle.
func (s *Scenario) Named(word, vehicle string) bool {
	if word == "*" || word == vehicle {
		return true
	}
	prefix, ok := strings.CutSuffix(word, "*")
	if !ok {
		return false
	}
	number, ok := strings.CutPrefix(vehicle, prefix)
	// Another fleet's prefix may begin with this one.
	return ok && slices.ContainsFunc(s.Fleets, func(f Fleet) bool { return f.Prefix == prefix }) &&
		number != "" && strings.Trim(number, "0123456789") == ""
}

// vehicles says which vehicles there are.
func (s *Scenario) vehicles() string {
	var all []string
	for i := range s.Fleets {
		f := &s.Fleets[i]
		if f.Count == 1 {
			all = append(all, f.VehicleID(1))
		} else {
			all = append(all, f.VehicleID(1)+" to "+f.VehicleID(f.Count))
		}
	}
	return strings.Join(all, ", ")
}
