package main

import (
	"cmp"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/kapok-fleet/kapok/planner/motion"
	"github.com/kapok-fleet/kapok/planner/space"
)

// mostError is the error of the total energy beyond which a model is refused.
const mostError = 0.15

// simValidate are the flags of sim validate-flight.
type simValidate struct {
	output
	airframe            string
	windMPS, windDeg    float64
	altitudeM, celsiusC float64
	loadKg              float64
}

// validation is what the command says. Energies are in watt hours.
type validation struct {
	File     string `json:"file"`
	Recorded string `json:"recorded_model"`
	Airframe string `json:"airframe"`
	// Measured says what the measured energy was taken from: "voltage x current"
	// or "battery percent".
	Measured   string  `json:"measured_from"`
	WindMPS    float64 `json:"wind_mps"`
	AirKgM3    float64 `json:"air_kg_m3"`
	FlightS    float64 `json:"flight_s"`
	SkippedS   float64 `json:"without_reading_s"`
	StaleS     float64 `json:"stale_s"`
	MeasuredWh float64 `json:"measured_wh"`
	ModelWh    float64 `json:"model_wh"`
	ErrorRatio float64 `json:"error_ratio"`
	// PercentWh is the measured energy by another way, for comparison: the percent
	// of the pack that the flight took.
	PercentWh float64       `json:"battery_percent_wh"`
	Phases    []phaseResult `json:"phases"`
	// CutShort says that the log ends without the recorder's word that it does.
	CutShort bool `json:"cut_short"`
	Passed   bool `json:"passed"`
}

// phaseResult is one phase of the flight; with energy by percent, phases have no
// measurement, and it is 0.
type phaseResult struct {
	Phase      string  `json:"phase"`
	Seconds    float64 `json:"seconds"`
	MeanMPS    float64 `json:"mean_mps"`
	MeasuredWh float64 `json:"measured_wh"`
	ModelWh    float64 `json:"model_wh"`
	ErrorRatio float64 `json:"error_ratio"`
}

func newSimValidate(c console) *cobra.Command {
	f := simValidate{celsiusC: 15}
	cmd := &cobra.Command{
		Use: "validate-flight FILE", Short: "Compare a recorded flight's energy with the planner's model of its airframe",
		Long: "Read a flight recorder's log (DroneDeploy, tab separated), add up the energy measured from the first to the last\n" +
			"flying sample, and compare it with what the planner's model of the airframe says of the same track: each sample's\n" +
			"speed and climb for the time to the next. The speed through the air is that over the ground, less the wind given.\n" +
			"Measured is voltage x current where the log has them, else the percent of the pack.\n\n" +
			"Airframes: " + strings.Join(motion.Airframes(), ", ") + ".\n" +
			"Exit status: 0 the totals are within 15 %, 1 they are not, 2 the log cannot be used.",
		Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			form, err := f.choose(c.out)
			if err != nil {
				return err
			}
			return f.run(c.out, form, args[0])
		},
	}
	f.flag(cmd, asTable, asJSON)
	cmd.Flags().StringVar(&f.airframe, "airframe", "", "the airframe to compare with (required)")
	cmd.Flags().Float64Var(&f.windMPS, "wind-mps", 0, "steady wind of the flight, 0 to 40 m/s")
	cmd.Flags().Float64Var(&f.windDeg, "wind-from-deg", 0, "where it blew from, clockwise from north")
	cmd.Flags().Float64Var(&f.altitudeM, "altitude-m", 0, "altitude of the ground above the sea, for the density of the air")
	cmd.Flags().Float64Var(&f.celsiusC, "temperature-c", 15, "temperature of the air, for its density")
	cmd.Flags().Float64Var(&f.loadKg, "load-kg", 0, "load on board")
	return cmd
}

// check refuses flags that cannot be.
func (f *simValidate) check() (motion.AirframeFile, error) {
	frame, ok := motion.AirframeOf(f.airframe)
	if !ok {
		return frame, fmt.Errorf("airframe %q is not one of %s", f.airframe, strings.Join(motion.Airframes(), ", "))
	}
	for _, flag := range []struct {
		name             string
		value, low, high float64
	}{
		{"wind-mps", f.windMPS, 0, 40},
		{"wind-from-deg", f.windDeg, 0, 360},
		{"altitude-m", f.altitudeM, -500, 9000},
		{"temperature-c", f.celsiusC, -50, 60},
		{"load-kg", f.loadKg, 0, 500},
	} {
		if !(flag.value >= flag.low && flag.value <= flag.high) {
			return frame, fmt.Errorf("--%s is %g; it must be from %g to %g", flag.name, flag.value, flag.low, flag.high)
		}
	}
	return frame, nil
}

func (f *simValidate) run(w io.Writer, form, path string) error {
	frame, err := f.check()
	if err != nil {
		return err
	}
	file, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("reading the flight log: %w", err)
	}
	defer func() { _ = file.Close() }()
	log, err := readFlightLog(file)
	if err != nil {
		return fmt.Errorf("flight log %s: %w", path, err)
	}
	v, err := f.compare(&log, frame)
	if err != nil {
		return fmt.Errorf("flight log %s: %w", path, err)
	}
	v.File = path
	if form == asJSON {
		err = printJSON(w, v)
	} else {
		err = v.table(w)
	}
	if err != nil {
		return err
	}
	if !v.Passed {
		return no("the model says %+.1f %% of the measured energy, more than 15 %%", 100*v.ErrorRatio)
	}
	return nil
}

// flightPhase tells what an aircraft does by its speeds.
func flightPhase(levelMPS, upMPS float64) string {
	switch {
	case upMPS > 0.5:
		return "climb"
	case upMPS < -0.5:
		return "descent"
	case levelMPS > 1:
		return "cruise"
	}
	return "hover"
}

// compare drives the model with a recorded flight.
func (f *simValidate) compare(log *flightLog, frame motion.AirframeFile) (validation, error) {
	flown, err := log.flight()
	if err != nil {
		return validation{}, err
	}
	spec := frame.Spec()
	spec.AirKgM3 = motion.AirDensity(f.altitudeM, f.celsiusC)
	wind := motion.WindFrom(f.windMPS, f.windDeg, 0)
	model := spec.In(wind, f.loadKg)
	v := validation{
		Recorded: log.Model, Airframe: frame.Name, CutShort: !log.Ended, WindMPS: f.windMPS, AirKgM3: spec.AirKgM3,
		FlightS:   flown[len(flown)-1].Seconds - flown[0].Seconds,
		PercentWh: percentWh(flown, frame.PackWh.Value), Measured: "battery percent",
	}
	electric := electricShare(flown) >= 0.9
	if electric {
		v.Measured = "voltage x current"
	}
	for _, name := range []string{"hover", "climb", "cruise", "descent"} {
		v.Phases = append(v.Phases, phaseResult{Phase: name})
	}
	for i := range flown[:len(flown)-1] {
		s := &flown[i]
		seconds := flown[i+1].Seconds - s.Seconds
		if s.Stale {
			v.StaleS += seconds
		}
		if electric && math.IsNaN(s.Watts) {
			v.SkippedS += seconds
			continue
		}
		level := math.Hypot(s.North, s.East)
		watts := spec.Airframe.AvionicsW
		if s.Flying {
			air := space.XY{X: s.East, Y: s.North}.Sub(wind.Toward).Len()
			watts = model.PowerW(air, s.Up)
		}
		name := flightPhase(level, s.Up)
		p := &v.Phases[slices.IndexFunc(v.Phases, func(p phaseResult) bool { return p.Phase == name })]
		p.Seconds += seconds
		p.MeanMPS += math.Hypot(level, s.Up) * seconds
		p.ModelWh += watts * seconds / 3600
		if electric {
			p.MeasuredWh += s.Watts * seconds / 3600
		}
	}
	return v, v.sum()
}

// electricShare is how many of the samples have both current and voltage.
func electricShare(flown []flightSample) float64 {
	n := 0
	for i := range flown {
		if !math.IsNaN(flown[i].Watts) {
			n++
		}
	}
	return float64(n) / float64(len(flown))
}

// percentWh is what the flight took by the percent of the pack: from the first
// sample that has it to the last.
func percentWh(flown []flightSample, packWh float64) float64 {
	// 0 is no reading: nothing flies with an empty pack.
	from, to := 0.0, 0.0
	for i := range flown {
		if percent := flown[i].Percent; percent > 0 {
			from, to = cmp.Or(from, percent), percent
		}
	}
	return (from - to) / 100 * packWh
}

// sum adds the phases up and judges.
func (v *validation) sum() error {
	for i := range v.Phases {
		p := &v.Phases[i]
		if p.Seconds > 0 {
			p.MeanMPS /= p.Seconds
		}
		v.MeasuredWh += p.MeasuredWh
		v.ModelWh += p.ModelWh
		if p.MeasuredWh > 0 {
			p.ErrorRatio = p.ModelWh/p.MeasuredWh - 1
		}
	}
	if v.Measured == "battery percent" {
		v.MeasuredWh = v.PercentWh
	}
	if !(v.MeasuredWh > 0) {
		return fmt.Errorf("the battery gave %.2f Wh by %s: nothing to compare with", v.MeasuredWh, v.Measured)
	}
	v.ErrorRatio = v.ModelWh/v.MeasuredWh - 1
	v.Passed = math.Abs(v.ErrorRatio) <= mostError
	return nil
}

// table shows a validation to a person.
func (v *validation) table(w io.Writer) error {
	fmt.Fprintf(w, "%s, recorded model %s, as %s\n", clean(v.File), clean(v.Recorded), v.Airframe)
	fmt.Fprintf(w, "%.1f s from the first to the last flying sample; measured by %s; wind %g m/s; air %.3f kg/m3\n",
		v.FlightS, v.Measured, v.WindMPS, v.AirKgM3)
	if v.SkippedS > 0 || v.StaleS > 0 {
		fmt.Fprintf(w, "%.1f s without a reading are left out on both sides; %.1f s repeat an old one\n", v.SkippedS, v.StaleS)
	}
	if v.CutShort {
		fmt.Fprintln(w, "the log was cut short, without the recorder's end; it is compared as far as it goes")
	}
	row := func(name string, seconds, mps, measured, model, ratio float64) []string {
		wh, share := "-", "-"
		if measured > 0 {
			wh, share = fmt.Sprintf("%.2f", measured), fmt.Sprintf("%+.1f %%", 100*ratio)
		}
		return []string{name, fmt.Sprintf("%.1f", seconds), fmt.Sprintf("%.1f", mps), wh, fmt.Sprintf("%.2f", model), share}
	}
	var rows [][]string
	seconds := 0.0
	for _, p := range v.Phases {
		rows = append(rows, row(p.Phase, p.Seconds, p.MeanMPS, p.MeasuredWh, p.ModelWh, p.ErrorRatio))
		seconds += p.Seconds
	}
	total := row("total", seconds, 0, v.MeasuredWh, v.ModelWh, v.ErrorRatio)
	total[2] = ""
	if err := printTable(w, []string{"PHASE", "S", "M/S", "MEASURED WH", "MODEL WH", "ERROR"}, append(rows, total)); err != nil {
		return err
	}
	if v.Measured != "battery percent" {
		fmt.Fprintf(w, "for comparison, the percent of the pack: %.2f Wh\n", v.PercentWh)
	}
	verdict := "passed: within 15 %"
	if !v.Passed {
		verdict = "failed: beyond 15 %"
	}
	_, err := fmt.Fprintln(w, verdict)
	if err != nil {
		return fmt.Errorf("writing the output: %w", err)
	}
	return nil
}
