package main

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kapok-fleet/kapok/planner/motion"
)

// harbourRoute is the start of a command that is whole but for what is tried.
func harbourRoute(more ...string) []string {
	return append([]string{"route", "--chart", "harbour", "--from", "113.9262,22.5072", "--to", "113.9391,22.5143"}, more...)
}

// TestRouteTellsWhatIsWrongWithAQuestion: each in one sentence, as wrong use, or as
// a negative result where a file is at fault.
func TestRouteTellsWhatIsWrongWithAQuestion(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	zone := `{"type":"FeatureCollection","datum":"wgs84","features":[{"type":"Feature","properties":{"id":"z","rule":"keep_out"},"geometry":{"type":"Polygon","coordinates":[[[113.93,22.51],[113.931,22.51],[113.931,22.511],[113.93,22.51]]]}}]}`
	good, undated := write("good.geojson", zone), write("undated.geojson", strings.Replace(zone, `"datum":"wgs84",`, "", 1))
	for _, tt := range []struct {
		args   []string
		status int
		want   string
	}{
		{[]string{"route"}, 2, "a route needs --chart, --from and --to"},
		{[]string{"route", "--chart", "harbour", "--from", "113.93,22.51"}, 2, "a route needs"},
		{harbourRoute("more"), 2, "unknown command"},
		{harbourRoute("--from", "113.93"), 2, "neither LON,LAT nor the id of a site"},
		{harbourRoute("--from", "113.93,22.51,1,2"), 2, "is not LON,LAT or LON,LAT,HEIGHT"},
		{harbourRoute("--from", "113.93,x"), 2, "is not LON,LAT"},
		{harbourRoute("--from", "22.51,113.93"), 2, "no place on the earth; longitude comes first"},
		{harbourRoute("--to", "NaN,22.51"), 2, "no place on the earth"},
		{harbourRoute("--to", "113.93,22.51,-4"), 2, "write an altitude as alt:-4"},
		{harbourRoute("--to", "113.93,22.51,alt:"), 2, "is not LON,LAT"},
		{harbourRoute("--to", "113.93,22.51,Inf"), 2, "is not LON,LAT"},
		{harbourRoute("--kind", "balloon"), 2, `--kind "balloon" is not multirotor`},
		{harbourRoute("--kind", "vtol"), 2, "there is no model of a vtol"},
		{harbourRoute("--kind", "rover", "--airframe", "dji-m30"), 2, "dji-m30 is a multirotor, not a rover"},
		{harbourRoute("--airframe", "zeppelin"), 2, `"zeppelin" is neither a file nor one of kapok-boat`},
		{harbourRoute("--airframe", write("no.json", "hello")), 1, "airframe: invalid character"},
		{harbourRoute("--airframe", write("kind.json", `{"kind":"vtol","wings":2}`)), 1, `unknown field "wings"`},
		{harbourRoute("--airframe", write("few.json", `{"kind":"vtol"}`)), 1, "cruise_mps is 0; it must be above 0"},
		{harbourRoute("--airframe", write("long.json", strings.Repeat(" ", maxModelBytes+1))), 1, "more than 65536 bytes"},
		{harbourRoute("--load", "-1"), 2, "--load is -1 kg"},
		{harbourRoute("--load", "NaN"), 2, "--load is NaN kg"},
		{harbourRoute("--battery", "0"), 2, "--battery is 0"},
		{harbourRoute("--battery", "1.1"), 2, "--battery is 1.1"},
		{harbourRoute("--depart", "tomorrow"), 2, "is no time such as"},
		{harbourRoute("--depart", "2500-01-01T00:00:00Z"), 2, "the year 2500"},
		{harbourRoute("--wind", "8"), 2, "is not SPEED@FROM"},
		{harbourRoute("--wind", "8@west"), 2, "is not SPEED@FROM"},
		{harbourRoute("--wind", "8@270+"), 2, "is not SPEED@FROM"},
		{harbourRoute("--wind", "61@0"), 2, "must be from 0 to 60 m/s"},
		{harbourRoute("--wind", "8@361"), 2, "must be from 0 to 360 degrees"},
		{harbourRoute("--wind", "NaN@NaN"), 2, "must be from 0 to 60 m/s"},
		{harbourRoute("--objective", "beauty"), 2, `"beauty" is not time or energy`},
		{harbourRoute("--zones", filepath.Join(dir, "none")), 2, "opening zones"},
		{harbourRoute("--zones", undated), 1, "it does not say its datum"},
		{harbourRoute("--zones", undated, "--datum", "mars"), 2, `unknown datum "mars"`},
		{harbourRoute("--datum", "wgs84"), 2, "--datum is of --zones"},
		{harbourRoute("--zones", good, "--zones", good), 1, `the zone "z" is in`},
		{harbourRoute("--suspend", "atlantis"), 2, "the chart has no such zone"},
		{harbourRoute("--close", "5"), 2, "the chart has no such way"},
		{harbourRoute("-o", "kml"), 2, `output "kml" is not one of`},
		{[]string{"route", "--chart", write("bad.osm", "<osm>"), "--from", "1,1", "--to", "2,2"}, 1, "cut off"},
	} {
		status, out, said := kapok(t, tt.args...)
		if status != tt.status || out != "" || strings.Count(said, "\n") != 1 || !strings.Contains(said, tt.want) {
			t.Errorf("%v: status %d, want %d, and says %q, want %q", tt.args, status, tt.status, said, tt.want)
		}
	}
}

// TestRouteTakesAVehicleOfOnesOwn: a table of figures is a vehicle, also of a kind
// that Kapok has no model of.
func TestRouteTakesAVehicleOfOnesOwn(t *testing.T) {
	spec, _ := motion.Preset("kapok-quad")
	spec.Kind, spec.Airframe, spec.CruiseMPS, spec.MaxMPS = motion.VTOL, motion.Airframe{}, 22, 30
	data, err := json.Marshal(spec)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "wing.json")
	if err := os.WriteFile(file, data, 0o600); err != nil {
		t.Fatal(err)
	}
	status, out, said := kapok(t, harbourRoute("--kind", "vtol", "--airframe", file)...)
	if status != 0 || !strings.Contains(out, `"kind": "vtol"`) || !strings.Contains(out, `"air_speed_mps": 22`) {
		t.Errorf("status %d\n%s%s", status, out, said)
	}
}

// TestLegsAreTheWay: what the legs take is what the way takes, wherever it leads
// and whatever the wind, and what the geometry shows.
func TestLegsAreTheWay(t *testing.T) {
	const seed = 6
	r := rand.New(rand.NewPCG(seed, seed))
	found := 0
	for n := range 24 {
		place := func() string { return fmt.Sprintf("%.5f,%.5f", 113.922+0.018*r.Float64(), 22.502+0.016*r.Float64()) }
		kind := []string{"multirotor", "rover", "vessel"}[n%3]
		args := []string{
			"route", "--chart", "harbour", "--from", place(), "--to", place(), "--kind", kind, "--depart", "2026-05-04T09:00:00Z",
			"--wind", fmt.Sprintf("%.1f@%d+2", 10*r.Float64(), r.IntN(360)), "--objective", []string{"time", "energy"}[n%2], "-o", "json", "--explain",
		}
		status, out, said := kapok(t, args...)
		if strings.Contains(said, "internal error") {
			t.Errorf("seed %d: %v: %s", seed, args, said)
		}
		if status != 0 {
			continue
		}
		found++
		var w plannedRoute
		if err := json.Unmarshal([]byte(out), &w); err != nil {
			t.Fatal(err)
		}
		var lengthM, durationS, energyWh float64
		for i := range w.Legs {
			l := &w.Legs[i]
			lengthM, durationS, energyWh = lengthM+l.LengthM, durationS+l.DurationS, energyWh+l.EnergyWh
			if i > 0 && l.From != w.Legs[i-1].To {
				t.Errorf("%v: leg %d begins elsewhere than the one before it ends", args, i+1)
			}
		}
		slack := 0.01 * float64(len(w.Legs)+1)
		if math.Abs(lengthM-w.LengthM) > slack || math.Abs(durationS-w.DurationS) > slack/10 || math.Abs(energyWh-w.EnergyWh) > slack/10 {
			t.Errorf("%v: the legs take %g m, %g s, %g Wh, the way %g m, %g s, %g Wh", args, lengthM, durationS, energyWh, w.LengthM, w.DurationS, w.EnergyWh)
		}
		if !w.Checked || len(w.Legs) > 0 && (w.Legs[0].From != w.From || w.Legs[len(w.Legs)-1].To.Lon != w.To.Lon) {
			t.Errorf("%v: checked %v, from %+v to %+v", args, w.Checked, w.From, w.To)
		}
	}
	if found < 8 {
		t.Errorf("only %d of 24 questions have a way", found)
	}
}

// TestRoutesOnRealCharts: from place to place in Monaco, over its terrain: each way
// is checked, and each refusal says its rule.
func TestRoutesOnRealCharts(t *testing.T) {
	data, _ := cities(t)
	file := filepath.Join(t.TempDir(), "monaco.chart")
	if status, _, said := kapok(t, "chart", "build", "--osm", filepath.Join(data, "osm", "monaco.osm.pbf"),
		"--terrain", filepath.Join(data, "terrain", "N43E007.hgt.zip"), "-o", file, "--format", "json"); status != 0 {
		t.Fatal(said)
	}
	const seed = 7
	r := rand.New(rand.NewPCG(seed, seed))
	ways := map[string]int{}
	for n := range 18 {
		place := func() string { return fmt.Sprintf("%.5f,%.5f", 7.412+0.024*r.Float64(), 43.727+0.02*r.Float64()) }
		kind := []string{"multirotor", "rover"}[n%2]
		args := []string{"route", "--chart", file, "--from", place(), "--to", place(), "--kind", kind, "--wind", "6@300+2", "-o", "geojson"}
		status, out, said := kapok(t, args...)
		switch {
		case status == 0 && strings.Contains(out, `"coordinates_ref": "wgs84"`) && strings.Contains(out, `"checked": true`):
			ways[kind]++
		case status == exitNegative && strings.HasPrefix(said, "kapok: no route: ") && strings.Contains(out, `"role": "refusal"`):
		default:
			t.Errorf("seed %d: %v: status %d: %s", seed, args, status, said)
		}
	}
	if ways["multirotor"] < 2 || ways["rover"] < 4 {
		t.Errorf("ways by kind: %v", ways)
	}
}
