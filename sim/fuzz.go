package sim

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/goccy/go-yaml"

	"github.com/kapok-fleet/kapok/planner/chart"
	"github.com/kapok-fleet/kapok/planner/chart/harbour"
	"github.com/kapok-fleet/kapok/planner/space"
	"github.com/kapok-fleet/kapok/sim/scenario"
)

// FuzzSettle is how long work may go on, at most, after the safety phase of a
// scenario that was drawn.
const FuzzSettle = 90 * time.Minute

// FuzzCase is a scenario that was drawn from a seed, with its chart.
type FuzzCase struct {
	Scenario scenario.Scenario
	Chart    *chart.Chart
}

// DrawFuzz draws a scenario from a seed: a city, fleets, work, and a random part
// of everything that can go wrong. Faults and new work end with the duration,
// the safety phase; then, in the liveness phase of at most FuzzSettle, all work
// must be finished. The same seed and duration give the same scenario, which is
// as if it had been read from a file.
func DrawFuzz(seed uint64, duration time.Duration) (FuzzCase, error) {
	d := fuzz{seed: seed, lasts: duration}
	d.scenario = scenario.Scenario{
		Name: fmt.Sprintf("fuzz-%d", seed), Seed: seed, Chart: fmt.Sprintf("%s%d", scenario.Generated, seed),
		Duration: scenario.Duration(duration), Settle: scenario.Duration(FuzzSettle),
	}
	if d.part(fuzzChart).Float64() < 0.2 {
		d.scenario.Chart = "harbour"
	}
	var err error
	if d.chart, err = openFuzzChart(d.scenario.Chart); err != nil {
		return FuzzCase{}, err
	}
	d.drawFleets()
	if err := d.drawWork(); err != nil {
		return FuzzCase{}, err
	}
	d.drawNetwork()
	d.drawBackend()
	d.drawFaults()
	d.drawZones()
	d.drawActions()
	d.drawWeather()
	s, _, err := rewrite(d.scenario)
	if err != nil {
		return FuzzCase{}, fmt.Errorf("sim: drawing the scenario of seed %d: %w", seed, err)
	}
	return FuzzCase{Scenario: s, Chart: d.chart}, nil
}

func openFuzzChart(name string) (*chart.Chart, error) {
	return scenario.Charts{Harbour: harbour.Chart}.Open(name)
}

// rewrite writes a scenario and reads it again, so that what runs is what the
// file says.
func rewrite(s scenario.Scenario) (scenario.Scenario, []byte, error) {
	text, err := yaml.Marshal(s)
	if err != nil {
		return s, nil, fmt.Errorf("writing scenario %s: %w", s.Name, err)
	}
	read, err := scenario.Parse(s.Name+".yaml", text)
	return read, text, err
}

// fuzz is a scenario being drawn.
type fuzz struct {
	seed     uint64
	lasts    time.Duration
	scenario scenario.Scenario
	chart    *chart.Chart
	// ids are the vehicles, abilities what at least one of a kind has.
	ids       []string
	kinds     map[string]int
	abilities map[string][]string
	// homes are where vehicles on the ground live, ends where "@1" and so on are.
	homes, ends []space.XY
}

// fuzzSource is the source that scenarios are drawn from, apart from those of runs.
const fuzzSource = 0x66757a7a

// The parts of chance of a scenario's drawing, so that a change in one does not
// shift the others.
const (
	fuzzChart uint64 = iota + 1
	fuzzFleets
	fuzzWork
	fuzzNetwork
	fuzzBackend
	fuzzFaults
	fuzzZones
	fuzzActions
	fuzzWeather
)

func (d *fuzz) part(n uint64) *rand.Rand { return newChance(d.seed, fuzzSource, n) }

// drawFleets draws who there is. Half of the scenarios have 32 vehicles or more,
// a tenth have more than 150.
func (d *fuzz) drawFleets() {
	r := d.part(fuzzFleets)
	count := 6 + r.IntN(26)
	switch size := r.Float64(); {
	case size < 0.16:
		count = 151 + r.IntN(80)
	case size < 0.6:
		count = 32 + r.IntN(60)
	}
	d.kinds, d.abilities = map[string]int{}, map[string][]string{}
	flying := r.Float64()
	if d.hasBasin() && r.IntN(3) > 0 {
		boats := 1 + r.IntN(5)
		d.fleet(r, "vessel", boats)
		count -= boats
	}
	for n := 0; count > 0; n++ {
		some := min(count, 1+r.IntN(max(count, 4)))
		kind := "rover"
		// Both kinds are there in most scenarios.
		if r.Float64() < 0.1+0.8*flying {
			kind = "multirotor"
		}
		d.fleet(r, kind, some)
		count -= some
	}
}

func (d *fuzz) hasBasin() bool {
	for _, w := range d.chart.Water {
		if w.ID == "basin" {
			return true
		}
	}
	return false
}

// fleet adds a fleet.
func (d *fuzz) fleet(r *rand.Rand, kind string, count int) {
	can := map[string][]string{
		"rover":      {"extinguisher", "gas_sensor", "first_aid_kit"},
		"multirotor": {"camera", "thermal_camera", "loudspeaker", "aed", "gas_sensor"},
		"vessel":     {"camera"},
	}[kind]
	f := scenario.Fleet{Kind: kind, Count: count, Prefix: fmt.Sprintf("%c%c", kind[0]-'a'+'A', 'a'+len(d.scenario.Fleets))}
	if len(d.scenario.Fleets) >= 26 {
		f.Prefix = fmt.Sprintf("%s%d-", kind, len(d.scenario.Fleets))
	}
	for _, c := range can {
		if r.IntN(2) == 0 {
			f.Capabilities = append(f.Capabilities, c)
			d.abilities[kind] = append(d.abilities[kind], c)
		}
	}
	if r.IntN(3) == 0 {
		low := 0.35 + 0.4*r.Float64()
		f.BatteryRatio = []float64{round(low), round(low + (1-low)*r.Float64())}
	}
	if r.IntN(2) == 0 {
		f.ClockErrorMS = r.IntN(1800)
	}
	if r.IntN(4) == 0 {
		f.MaxLegs = 6 + r.IntN(60)
	}
	d.scenario.Fleets = append(d.scenario.Fleets, f)
	d.kinds[kind] += count
	for n := range count {
		d.ids = append(d.ids, f.VehicleID(n+1))
	}
}

// round keeps the figures of drawn scenarios short.
func round(v float64) float64 { return float64(int(v*100)) / 100 }

// when draws a time within a share of the safety phase.
func (d *fuzz) when(r *rand.Rand, from, until float64) scenario.Duration {
	return scenario.Duration(time.Duration(float64(d.lasts) * (from + r.Float64()*(until-from))).Truncate(100 * time.Millisecond))
}

// lasting draws a length that ends with the safety phase at the latest.
func (d *fuzz) lasting(r *rand.Rand, at scenario.Duration, low, high time.Duration) scenario.Duration {
	span := low + time.Duration(r.Float64()*float64(high-low))
	return scenario.Duration(max(min(span, d.lasts-at.D()), time.Second).Truncate(time.Second))
}
