package scenario

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/kapok-fleet/kapok/planner/strictyaml"
)

// ErrInvalid is the kind of error for a scenario that cannot be run.
var ErrInvalid = errors.New("invalid scenario")

// Load reads a scenario file.
func Load(file string) (Scenario, error) {
	f, err := os.Open(file)
	if err != nil {
		return Scenario{}, fmt.Errorf("scenario: %w", err)
	}
	defer func() { _ = f.Close() }()
	data, err := io.ReadAll(io.LimitReader(f, MaxFileBytes+1))
	if err != nil {
		return Scenario{}, fmt.Errorf("scenario: reading %s: %w", file, err)
	}
	if len(data) > MaxFileBytes {
		return Scenario{}, fmt.Errorf("scenario: %s: %w: it is longer than %d bytes", file, ErrInvalid, MaxFileBytes)
	}
	return Parse(filepath.ToSlash(file), data)
}

// LoadAll reads a scenario file, and returns one scenario for each run: that of the
// file, or one for each combination of its matrix.
func LoadAll(file string) ([]Scenario, error) {
	s, err := Load(file)
	if err != nil {
		return nil, err
	}
	return ParseAll(s.file, s.data)
}

// Parse reads a scenario and fills in what is absent; what recurs is replaced by
// its repetitions. Errors are of kind ErrInvalid, have one line, and begin with the
// name and the place: "file.yaml:12:3: …". A scenario with a matrix is what it is
// without; each of its runs is judged all the same.
func Parse(name string, data []byte) (Scenario, error) {
	s, _, err := parse(name, data)
	return s, err
}

// ParseAll is Parse for all runs of a matrix, whose names tell them apart:
// NAME[seed=2,network.loss=0.05].
func ParseAll(name string, data []byte) ([]Scenario, error) {
	s, runs, err := parse(name, data)
	if err != nil {
		return nil, err
	}
	if len(s.Matrix) == 0 {
		return []Scenario{s}, nil
	}
	return runs, nil
}

// parse reads a scenario, and the runs of its matrix.
func parse(name string, data []byte) (Scenario, []Scenario, error) {
	var s Scenario
	if err := strictyaml.Unmarshal(data, &s); err != nil {
		where := name
		if e, ok := errors.AsType[*strictyaml.Error](err); ok {
			where = e.Place.Of(name)
			text, known := unknownKey(data, e)
			if !known {
				text = firstLine(e.Message)
			}
			return Scenario{}, nil, fmt.Errorf("%s: %w: %s", where, ErrInvalid, text)
		}
		return Scenario{}, nil, fmt.Errorf("%s: %w: %w", where, ErrInvalid, err)
	}
	s.file, s.data = name, data
	var runs []Scenario
	err := s.validateMatrix()
	if err == nil && len(s.Matrix) > 0 {
		base := s.copied()
		if err = s.complete(); err == nil {
			runs, err = base.expand()
		}
	} else if err == nil {
		err = s.complete()
	}
	if err != nil {
		where := name
		if path, ok := errors.AsType[*fieldError](err); ok {
			where = locate(name, data, path.path)
		}
		return Scenario{}, nil, fmt.Errorf("%s: %w: %w", where, ErrInvalid, err)
	}
	return s, runs, nil
}

// complete judges a scenario and fills in what is absent.
func (s *Scenario) complete() error {
	if err := s.validate(); err != nil {
		return err
	}
	s.virtualOnly[0], s.virtualOnly[1] = s.virtual()
	s.fill()
	return nil
}

// Where is the place of the value at a path such as "faults[2].at" in the file that
// the scenario was read from, "file.yaml:12:3"; the scenario's name when it was not
// read from one.
func (s *Scenario) Where(path string) string {
	if s.file == "" {
		return s.Name
	}
	return locate(s.file, s.data, path)
}

// locate is the place of a value in the file, or of the nearest one above it
// that is there.
func locate(name string, data []byte, path string) string {
	return strictyaml.Locate(data, path).Of(name)
}

// fieldError is what is wrong with one value.
type fieldError struct{ path, problem string }

func (e *fieldError) Error() string { return e.path + " " + e.problem }

func wrong(path, format string, args ...any) error {
	return &fieldError{path, fmt.Sprintf(format, args...)}
}

func kinds() []string      { return []string{"rover", "multirotor", "vessel"} }
func taskKinds() []string  { return []string{"visit", "delivery", "patrol"} }
func priorities() []string { return []string{"emergency", "urgent", "routine"} }

// validate names the first value that cannot be.
func (s *Scenario) validate() error {
	switch {
	case s.Name == "":
		return wrong("name", "is missing")
	case s.Duration <= 0 || s.Duration.D() > MaxDuration:
		return wrong("duration", "must be above 0 and at most %v", MaxDuration)
	case s.Chart == "":
		return wrong("chart", `is missing: "harbour" or a file`)
	}
	for _, check := range []func() error{
		s.validateFleets, s.validateRecurring, s.validateOrders, s.validateStreams, s.validateIncidents, s.validateZones,
		s.validateActions, s.validateNetwork, s.validateTroubles, s.validateDemand, s.validateAsserts, s.validateThresholds,
		s.validateRealtime,
	} {
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}

func (s *Scenario) validateFleets() error {
	if len(s.Fleets) == 0 {
		return wrong("fleets", "has no fleet")
	}
	total := 0
	seen := map[string]bool{}
	for i := range s.Fleets {
		f, path := &s.Fleets[i], fmt.Sprintf("fleets[%d]", i)
		total += f.Count
		switch {
		case !slices.Contains(kinds(), f.Kind):
			return wrong(path+".kind", "is %q, not one of %v", f.Kind, kinds())
		case f.Count < 1 || total > MaxVehicles:
			return wrong(path+".count", "is %d: each fleet has one vehicle or more, all together at most %d", f.Count, MaxVehicles)
		case f.Prefix == "" || len(f.Prefix) > 32:
			return wrong(path+".prefix", "must have 1 to 32 bytes")
		case seen[f.Prefix]:
			return wrong(path+".prefix", "%q is that of another fleet", f.Prefix)
		case f.MaxLoadKg < 0 || f.MaxLegs < 0 || f.ClockErrorMS < 0:
			return wrong(path, "has a negative figure")
		}
		seen[f.Prefix] = true
		if err := checkWord(path+".lost_link", f.LostLink, LostLinks()); err != nil {
			return err
		}
		if f.LostLinkAfter > 0 && (f.LostLink == "" || f.LostLink == LostLinks()[0]) {
			return wrong(path+".lost_link_after", "is %v: give lost_link, which says what is done then", f.LostLinkAfter)
		}
		if err := checkRange(path+".battery_ratio", f.BatteryRatio, 1); err != nil {
			return err
		}
	}
	return nil
}

func (s *Scenario) validateOrders() error {
	if len(s.Orders.Timed) > MaxOrders {
		return wrong("orders.timed", "has more than %d orders", MaxOrders)
	}
	for i := range s.Orders.Timed {
		o, path := &s.Orders.Timed[i], fmt.Sprintf("orders.timed[%d]", i)
		switch {
		case !slices.Contains(taskKinds(), o.Kind):
			return wrong(path+".kind", "is %q, not one of %v", o.Kind, taskKinds())
		case o.Priority != "" && !slices.Contains(priorities(), o.Priority):
			return wrong(path+".priority", "is %q, not one of %v", o.Priority, priorities())
		case o.LoadKg < 0 || o.WorkS < 0 || o.Laps < 0:
			return wrong(path, "has a negative figure")
		case o.Kind == "delivery" && len(o.Stops) == 1:
			return wrong(path+".stops", "has one stop: a delivery has two or more, or none to have them drawn")
		}
		if err := checkWord(path+".between", o.Between, betweens()); err != nil {
			return err
		}
		if err := checkKinds(path+".vehicle_kinds", o.VehicleKinds); err != nil {
			return err
		}
	}
	return nil
}

func (s *Scenario) validateStreams() error {
	for i := range s.Orders.Stream {
		o, path := &s.Orders.Stream[i], fmt.Sprintf("orders.stream[%d]", i)
		if err := s.checkPace(path, o.PerMinute, o.Count, o.From, o.Until, MaxOrders); err != nil {
			return err
		}
		if err := checkWord(path+".between", o.Between, betweens()); err != nil {
			return err
		}
		if err := checkShares(path+".mix", o.Mix, taskKinds()); err != nil {
			return err
		}
		if err := checkShares(path+".priorities", o.Priorities, priorities()); err != nil {
			return err
		}
		if err := checkRange(path+".load_kg", o.LoadKg, 10_000); err != nil {
			return err
		}
		if err := checkKinds(path+".vehicle_kinds", o.VehicleKinds); err != nil {
			return err
		}
		if o.WorkS < 0 || o.MaxDistanceM < 0 {
			return wrong(path, "has a negative figure")
		}
	}
	return nil
}

func (s *Scenario) validateAsserts() error {
	if err := checkWord("compare", s.Compare, []string{NearestIdle}); err != nil {
		return err
	}
	for i, text := range s.Assert {
		a, err := ParseAssertion(text)
		if err == nil && s.Compare == "" && a.comparesBaseline() {
			err = fmt.Errorf("there is no baseline without the key compare")
		}
		if err == nil && a.Task != "" && !slices.ContainsFunc(s.Orders.Timed, func(o TimedOrder) bool { return o.Name == a.Task }) {
			err = fmt.Errorf("no timed order has the name %q%s", a.Task, s.orderNames(a.Task))
		}
		if err != nil {
			return wrong(fmt.Sprintf("assert[%d]", i), "cannot be checked: %v", err)
		}
	}
	return nil
}

// orderNames says which names there are.
func (s *Scenario) orderNames(near string) string {
	var names []string
	for i := range s.Orders.Timed {
		if name := s.Orders.Timed[i].Name; name != "" {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return "; none has any"
	}
	return fmt.Sprintf("%s; known are %s", nearest(near, names), strings.Join(names, ", "))
}

// has tells whether a fleet has the vehicle.
func (s *Scenario) has(vehicle string) bool {
	for i := range s.Fleets {
		for n := 1; n <= s.Fleets[i].Count; n++ {
			if s.Fleets[i].VehicleID(n) == vehicle {
				return true
			}
		}
	}
	return false
}

func checkRange(path string, r []float64, most float64) error {
	if len(r) == 0 {
		return nil
	}
	if len(r) != 2 || !(0 <= r[0] && r[0] <= r[1] && r[1] <= most) {
		return wrong(path, "is %v: it must be two numbers, the lower first, from 0 to %g", r, most)
	}
	return nil
}

func checkSpans(path string, r []Duration) error {
	if len(r) != 0 && (len(r) != 2 || r[0] > r[1]) {
		return wrong(path, "must be two time spans, the shorter first")
	}
	return nil
}

func checkKinds(path string, list []string) error {
	for i, k := range list {
		if !slices.Contains(kinds(), k) {
			return wrong(fmt.Sprintf("%s[%d]", path, i), "is %q, not one of %v", k, kinds())
		}
	}
	return nil
}

func checkShares(path string, shares map[string]float64, known []string) error {
	sum := 0.0
	for _, k := range known {
		if shares[k] < 0 {
			return wrong(path+"."+k, "is negative")
		}
		sum += shares[k]
	}
	for k := range shares {
		if !slices.Contains(known, k) {
			return wrong(path, "has an unknown key; known are %v", known)
		}
	}
	if len(shares) > 0 && !(sum > 0) {
		return wrong(path, "has no share above 0")
	}
	return nil
}

// fill sets the defaults of what is absent.
func (s *Scenario) fill() {
	if s.Start.IsZero() {
		s.Start = DefaultStart()
	}
	s.Start = s.Start.UTC()
	for i := range s.Fleets {
		f := &s.Fleets[i]
		f.BatteryRatio = orRange(f.BatteryRatio, 0.7, 1)
		if f.Model == "" {
			f.Model = map[string]string{"rover": "kapok-rover", "multirotor": "kapok-quad", "vessel": "kapok-boat"}[f.Kind]
		}
	}
	for i := range s.Orders.Stream {
		o := &s.Orders.Stream[i]
		o.LoadKg = orRange(o.LoadKg, 0.5, 3)
		o.WorkS = or(o.WorkS, 20)
		o.Until = or(o.Until, s.Duration)
		o.Between = or(o.Between, BetweenEndpoints)
		if len(o.Mix) == 0 {
			o.Mix = map[string]float64{"delivery": 1}
		}
		if len(o.Priorities) == 0 {
			o.Priorities = map[string]float64{"routine": 1}
		}
	}
	for i := range s.Orders.Timed {
		s.Orders.Timed[i].Between = or(s.Orders.Timed[i].Between, BetweenEndpoints)
	}
	s.fillIncidents()
	s.fillDemand()
	s.Network.LatencyMS = orRange(s.Network.LatencyMS, 20, 120)
	s.Network.Encoding = or(s.Network.Encoding, "cbor")
	s.Network.RandomFor = orSpans(s.Network.RandomFor, 10*time.Second, 2*time.Minute)
	s.Crashes.Down = orSpans(s.Crashes.Down, time.Second, 5*time.Second)
	s.Person.After = or(s.Person.After, Duration(30*time.Second))
	s.Fleet.CommitMS = orRange(s.Fleet.CommitMS, 1, 15)
	s.Fleet.PlanMS = orRange(s.Fleet.PlanMS, 50, 500)
	for i := range s.Faults {
		f := &s.Faults[i]
		f.Kind = or(f.Kind, Broken)
		switch f.Kind {
		case Broken:
			f.Code = or(f.Code, "broken")
		case Reboot, Wiped:
			f.For = or(f.For, Duration(rebootTakes))
		}
	}
	s.repeatAll()
}

func or[T comparable](v, standard T) T {
	var zero T
	if v == zero {
		return standard
	}
	return v
}

func orRange(r []float64, lo, hi float64) []float64 {
	if len(r) == 0 {
		return []float64{lo, hi}
	}
	return r
}

func orSpans(r []Duration, lo, hi time.Duration) []Duration {
	if len(r) == 0 {
		return []Duration{Duration(lo), Duration(hi)}
	}
	return r
}
