package motion

import (
	"bytes"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
)

//go:embed airframes/*.json
var airframes embed.FS

// maxAirframeBytes bounds an airframe's file.
const maxAirframeBytes = 1 << 16

// Sourced is a figure and where it comes from.
type Sourced struct {
	Value float64 `json:"value"`
	// Source names the document, or says how the figure was estimated.
	Source string `json:"source"`
}

// AirframeFile is what is published of an airframe, each figure with its source.
// Spec makes what the planner needs of it.
type AirframeFile struct {
	Name string `json:"name"`
	// Title is the maker's name of it.
	Title string `json:"title"`
	// MassKg is with battery and without load.
	MassKg       Sourced `json:"mass_kg"`
	MaxLoadKg    Sourced `json:"max_load_kg"`
	Rotors       Sourced `json:"rotors"`
	RotorRadiusM Sourced `json:"rotor_radius_m"`
	// PackWh is the published energy of all batteries together.
	PackWh Sourced `json:"pack_wh"`
	// EnduranceS is how long it stays up without a load in still air, at
	// EnduranceMPS: 0 in the hover; left out where nothing is said, for the speed
	// of least power, as an endurance is a maximum.
	EnduranceS   Sourced  `json:"endurance_s"`
	EnduranceMPS *Sourced `json:"endurance_mps,omitempty"`
	// TopMPS is the greatest level speed in still air, TiltDeg the angle at which
	// it leans then; together they give the drag area.
	TopMPS    Sourced `json:"top_mps"`
	TiltDeg   Sourced `json:"tilt_deg"`
	AvionicsW Sourced `json:"avionics_w"`
	// CruiseMPS is the planned speed through the air.
	CruiseMPS    Sourced `json:"cruise_mps"`
	ClimbMPS     Sourced `json:"climb_mps"`
	DescentMPS   Sourced `json:"descent_mps"`
	ChargeW      Sourced `json:"charge_w"`
	ReserveRatio Sourced `json:"reserve_ratio"`
}

// Airframes returns the names of the airframes that Kapok has files of, in
// alphabetical order.
func Airframes() []string {
	return []string{"dji-inspire-1-pro", "dji-m30", "dji-m350-rtk", "dji-m600-pro", "dji-phantom-4-pro", "kapok-quad"}
}

// AirframeOf returns what is known of an airframe, false for a name that is not
// among Airframes.
func AirframeOf(name string) (AirframeFile, bool) {
	for _, known := range Airframes() {
		if known == name {
			data, err := airframes.ReadFile("airframes/" + name + ".json")
			if err != nil {
				return AirframeFile{}, false
			}
			f, err := ReadAirframe(data)
			return f, err == nil
		}
	}
	return AirframeFile{}, false
}

// ReadAirframe reads an airframe's file, of at most 64 KiB of JSON. Unknown names,
// figures out of range or without a source, and whatever follows the object are
// refused.
func ReadAirframe(data []byte) (AirframeFile, error) {
	if len(data) > maxAirframeBytes {
		return AirframeFile{}, fmt.Errorf("airframe: %d bytes, more than %d", len(data), maxAirframeBytes)
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	var f AirframeFile
	if err := d.Decode(&f); err != nil {
		return AirframeFile{}, fmt.Errorf("airframe: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return AirframeFile{}, errors.New("airframe: more follows the object")
	}
	if err := f.validate(); err != nil {
		return AirframeFile{}, err
	}
	return f, nil
}

// validate reports all faults, joined.
func (f *AirframeFile) validate() error {
	var faults []error
	complain := func(format string, args ...any) {
		faults = append(faults, fmt.Errorf("airframe %q: "+format, append([]any{f.Name}, args...)...))
	}
	if f.Name == "" || f.Title == "" {
		complain("name and title must not be empty")
	}
	type bound struct {
		name      string
		figure    Sourced
		low, high float64
	}
	bounds := []bound{
		{"mass_kg", f.MassKg, 0.05, 600},
		{"max_load_kg", f.MaxLoadKg, 0, 600},
		{"rotors", f.Rotors, 3, 16},
		{"rotor_radius_m", f.RotorRadiusM, 0.02, 3},
		{"pack_wh", f.PackWh, 1, 200_000},
		{"endurance_s", f.EnduranceS, 60, 86_400},
		{"top_mps", f.TopMPS, 1, 60},
		{"tilt_deg", f.TiltDeg, 5, 70},
		{"avionics_w", f.AvionicsW, 0, 1000},
		{"cruise_mps", f.CruiseMPS, 1, 60},
		{"climb_mps", f.ClimbMPS, 0.2, 20},
		{"descent_mps", f.DescentMPS, 0.2, 20},
		{"charge_w", f.ChargeW, 1, 100_000},
		{"reserve_ratio", f.ReserveRatio, 0, 0.9},
	}
	if f.EnduranceMPS != nil {
		bounds = append(bounds, bound{"endurance_mps", *f.EnduranceMPS, 0, 60})
	}
	for _, b := range bounds {
		if !(b.figure.Value >= b.low && b.figure.Value <= b.high) {
			complain("%s is %g; it must be from %g to %g", b.name, b.figure.Value, b.low, b.high)
		}
		if b.figure.Source == "" {
			complain("%s has no source", b.name)
		}
	}
	if len(faults) > 0 {
		return errors.Join(faults...)
	}
	if a := f.airframe(); !(a.DriveRatio > 0.2 && a.DriveRatio < 1) {
		complain("mass, rotors, pack and endurance leave the drive an efficiency of %.2f; it must be above 0.2 and below 1", a.DriveRatio)
	}
	return errors.Join(faults...)
}

// airframe derives what the power follows from: the drag area from the tilt at the
// greatest speed, where drag equals weight times its tangent, and the efficiency of
// the drive such that the usable share of the pack lasts as long as the published
// endurance.
func (f *AirframeFile) airframe() Airframe {
	radius, top := f.RotorRadiusM.Value, f.TopMPS.Value
	a := Airframe{
		Name: f.Name, MassKg: f.MassKg.Value, DiscM2: f.Rotors.Value * math.Pi * radius * radius,
		DragM2:     2 * f.MassKg.Value * gravity * math.Tan(f.TiltDeg.Value*math.Pi/180) / (SeaLevelKgM3 * top * top),
		DriveRatio: 1,
	}
	r := a.rotorOf(0, 0)
	shaft := math.Inf(1)
	if f.EnduranceMPS != nil {
		shaft = r.powerW(f.EnduranceMPS.Value, 0)
	} else {
		for v := 0.0; v <= top; v += 0.1 {
			shaft = min(shaft, r.powerW(v, 0))
		}
	}
	drawn := f.PackWh.Value * UsableShare / (f.EnduranceS.Value / secondsPerHour)
	a.AvionicsW = f.AvionicsW.Value
	a.DriveRatio = shaft / (drawn - a.AvionicsW)
	return a
}

// Spec makes the performance that the planner reckons with. The battery is the
// usable share of the pack.
func (f *AirframeFile) Spec() Spec {
	s := Spec{
		Kind: Multirotor, CruiseMPS: f.CruiseMPS.Value, MaxMPS: f.TopMPS.Value,
		ClimbMPS: f.ClimbMPS.Value, DescentMPS: f.DescentMPS.Value,
		BatteryWh: f.PackWh.Value * UsableShare, ChargeW: f.ChargeW.Value,
		MaxLoadKg: f.MaxLoadKg.Value, ReserveRatio: f.ReserveRatio.Value,
		Airframe: f.airframe(),
	}
	empty := s.In(Wind{}, 0)
	s.CruiseW, s.ClimbW, s.WorkW = whole(empty.PowerW(s.CruiseMPS, 0)), whole(empty.PowerW(0, s.ClimbMPS)), whole(empty.PowerW(0, 0))
	if s.MaxLoadKg > 0 {
		full := s.In(Wind{}, s.MaxLoadKg)
		s.LoadWPerKg = whole((full.PowerW(s.CruiseMPS, 0) - empty.PowerW(s.CruiseMPS, 0)) / s.MaxLoadKg)
	}
	return s
}

// whole rounds examples to whole watts.
func whole(watts float64) float64 { return math.Round(watts) }

// validate refuses an airframe that is not whole.
func (a *Airframe) validate() error {
	for _, figure := range []struct {
		name      string
		value     float64
		low, high float64
	}{
		{"mass_kg", a.MassKg, 0.05, 600},
		{"disc_m2", a.DiscM2, 0.001, 1000},
		{"drag_m2", a.DragM2, 0, 100},
		{"drive_ratio", a.DriveRatio, 0.05, 1},
		{"avionics_w", a.AvionicsW, 0, 1000},
	} {
		if !(figure.value >= figure.low && figure.value <= figure.high) {
			return fmt.Errorf("spec: airframe %q: %s is %g; it must be from %g to %g", a.Name, figure.name, figure.value, figure.low, figure.high)
		}
	}
	return nil
}
