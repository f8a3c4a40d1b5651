package scenario

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kapok-fleet/kapok/planner/chart"
)

// TestBadScenariosAreOneLine: what is wrong with a scenario is told in one line that
// names the file, the place and the mend.
func TestBadScenariosAreOneLine(t *testing.T) {
	for _, c := range []struct{ name, more, place, mend string }{
		{"unknown key", "colour: red", "s.yaml:6:1", `unknown key "colour"; known here are name, seed`},
		{"mistyped key", "asert: []", "s.yaml:6:1", "did you mean assert?"},
		{"unknown key deep", "network: {outages: [{vehicel: R1, at: 1s, for: 1s}]}", "s.yaml:6:", "did you mean vehicle?"},
		{"key twice", "seed: 1\nseed: 2", "s.yaml:7:1", "already defined"},
		{"unknown vehicle", "actions: [{at: 1s, do: take_over, vehicle: R9}]", "s.yaml:6:", "known are R1 to R2"},
		{"negative time", "faults: [{kind: frozen, vehicle: R1, at: -3s, for: 1s}]", "s.yaml:6:", `"-3s" is negative`},
		{"no time", "faults: [{kind: frozen, vehicle: R1, at: soon, for: 1s}]", "s.yaml:6:", "not a time span such as 90s"},
		{"fault on nothing", "faults: [{kind: frozen, at: 3s, for: 1s}]", "s.yaml:6:", "fault on nothing: frozen befalls a vehicle; give vehicle"},
		{"fault on a stranger", "faults:\n  - {kind: frozen, vehicle: D1, at: 3s, for: 1s}", "s.yaml:7:29", "fault on nothing: \"D1\", which no fleet has; known are R1 to R2"},
		{"fault on a strange fleet", `faults: [{kind: frozen, vehicle: "D*", at: 3s, for: 1s}]`, "s.yaml:6:", "which no fleet has"},
		{"fault of a vehicle's disk", "faults: [{kind: disk_full, vehicle: R1, at: 3s, for: 1s}]", "s.yaml:6:", "leave vehicle out"},
		{"unknown fault", "faults: [{kind: tired, vehicle: R1, at: 3s, for: 1s}]", "s.yaml:6:17", "not one of broken, reboot"},
		{"endless fault", "faults: [{kind: frozen, vehicle: R1, at: 3s}]", "s.yaml:6:", "needs for"},
		{"fault at once that lasts", "faults: [{kind: cell_drop, vehicle: R1, at: 3s, for: 5s, amount: 0.5}]", "s.yaml:6:", "leave for out"},
		{"fault without amount", "faults: [{kind: slow, vehicle: R1, at: 3s, for: 5s}]", "s.yaml:6:", "is missing: slow needs it, in seconds from 0 to 600, not 0"},
		{"fault too strong", "faults: [{kind: cell_drop, vehicle: R1, at: 3s, amount: 2}]", "s.yaml:6:", "is 2: for cell_drop it is in share of the battery from 0 to 1"},
		{"fault with a strange amount", "faults: [{kind: frozen, vehicle: R1, at: 3s, for: 5s, amount: 2}]", "s.yaml:6:", "frozen has none; leave it out"},
		{"drive that is whole", "faults: [{kind: drive_failure, vehicle: R1, at: 3s, for: 5s, amount: 1}]", "s.yaml:6:", "to below 1"},
		{"code of another", "faults: [{kind: frozen, vehicle: R1, at: 3s, for: 5s, code: x}]", "s.yaml:6:", "only broken has a code"},
		{"fault after the end", "faults: [{kind: frozen, vehicle: R1, at: 3h, for: 5s}]", "s.yaml:6:", "after the end of the run at 1m"},
		{"outage of nothing", "network: {outages: [{at: 1s, for: 1s}]}", "s.yaml:6:", "give vehicle"},
		{"outage of two", "network: {outages: [{vehicle: R1, area: {at: \"@1\", radius_m: 5}, at: 1s, for: 1s}]}", "s.yaml:6:", "give one of them"},
		{"area without size", "network: {outages: [{area: {at: \"@1\", radius_m: 0}, at: 1s, for: 1s}]}", "s.yaml:6:", "above 0 and at most 100000"},
		{"loss of all", "network: {loss: 1}", "s.yaml:6:17", "it must be 0 to 0.5"},
		{"encoding", "network: {encoding: xml}", "s.yaml:6:21", "not one of [cbor json]"},
		{"storm after the end", "network: {storms: [2m]}", "s.yaml:6:", "after the end"},
		{"wind", "conditions: {wind_mps: 90}", "s.yaml:6:24", "it must be 0 to 40"},
		{"wind of nowhere", "conditions: {wind_from_deg: 361}", "s.yaml:6:29", "it must be 0 to 360"},
		{"weather that changes nothing", "conditions:\n  changes:\n    - {at: 5s}", "s.yaml:8:7", "changes nothing: give wind_mps"},
		{"weather out of order", "conditions: {changes: [{at: 9s, gust_mps: 1}, {at: 5s, gust_mps: 2}]}", "s.yaml:6:", "put them in order of time"},
		{"weather after the end", "conditions: {changes: [{at: 9m, gust_mps: 1}]}", "s.yaml:6:", "after the end"},
		{"way closed twice", "conditions: {closed_ways: [5, 6, 5]}", "s.yaml:6:34", "named once"},
		{"way opened that is open", "conditions: {closed_ways: [5], changes: [{at: 5s, open_ways: [5]}, {at: 6s, open_ways: [5]}]}", "s.yaml:6:", "is 5, which is not closed then"},
		{"mistyped weather", "conditions: {changes: [{at: 5s, gusts_mps: 2}]}", "s.yaml:6:", "did you mean gust_mps?"},
		{"unknown metric", "thresholds: {respons_s: [\"p(90)<180\"]}", "s.yaml:6:", "did you mean response_s?"},
		{"unknown selector", "thresholds: {\"response_s{colour=red}\": [\"p(90)<180\"]}", "s.yaml:6:", "known are priority, kind, vehicle_kind"},
		{"unknown value", "thresholds: {\"response_s{priority=high}\": [\"p(90)<180\"]}", "s.yaml:6:", "not one of emergency, urgent, routine"},
		{"unknown aggregate", "thresholds:\n  response_s: [\"p90<180\"]", "s.yaml:7:16", "not one of p(N), avg"},
		{"threshold without bound", "thresholds: {response_s: [\"p(90)\"]}", "s.yaml:6:", "such as p(90)<180"},
		{"unknown figure", "assert:\n  - tasks_lots == 0", "s.yaml:7:5", "did you mean tasks_lost?"},
		{"figure not alive", "assert: [never tasks_lost > 0]", "s.yaml:6:", "can be read during the run"},
		{"unknown order", "orders: {timed: [{name: meds, at: 1s, kind: visit}]}\nassert: [within 9s task med done]", "s.yaml:7:", "did you mean meds?"},
		{"demand of two kinds", "demand: [{loggi: a.json, seattle_fire: b.tsv}]", "s.yaml:6:", "exactly one of areas, loggi and seattle_fire"},
		{"demand by half a day", "demand: [{areas: [{area: {at: \"@1\", radius_m: 9}, per_hour: [1, 2]}]}]", "s.yaml:6:", "needs 24"},
		{"endless recurrence", "actions: [{at: 1s, do: release, every: 1ms}]", "s.yaml:6:", "bound it with times or until"},
		{"times without every", "actions: [{at: 1s, do: release, times: 3}]", "s.yaml:6:", "such as every: 10m"},
		{"matrix of nothing", "matrix: {network.los: [0.1]}", "s.yaml:6:", "did you mean loss?"},
		{"matrix of lists", "matrix: {fleets: [1]}", "s.yaml:6:", "only keys with a single value"},
		{"matrix of the wrong kind", "matrix: {duration: [soon]}", "s.yaml:6:", "does not fit"},
		{"matrix too large", "matrix: {seed: [1,2,3,4,5,6,7,8,9,10], \"fleets[0].count\": [1,2,3,4,5,6,7,8,9,10], network.loss: [0.1,0.2,0.3,0.4,0.11,0.12,0.13,0.14,0.15,0.16], conditions.wind_mps: [1, 2]}", "s.yaml:6:", "more than 1000 runs"},
		{"matrix with a bad run", "matrix: {network.loss: [0, 3]}", "s.yaml:6:", "x[network.loss=3], where network.loss is 3: it must be 0 to 0.5"},
		{"long realtime", "realtime: true\nsettle: 10m", "s.yaml:7:", "at most 5m"},
		{"realtime with crashes", "realtime: true\ncrashes: {random: 1}", "s.yaml:7:", "leave it out, or realtime"},
		{"realtime with a full disk", "realtime: true\nfaults: [{kind: disk_full, at: 1s, for: 1s}]", "s.yaml:7:", "no fault of a vehicle"},
		{"realtime with actions", "realtime: true\nactions: [{at: 1s, do: release}]", "s.yaml:7:", "in virtual time only"},
		{"realtime each second", "realtime: true\nassert: [never vehicles_lost > 0]", "s.yaml:7:", "judged each second"},
		{"missing chart", "terrain: [hills.hgt]", "s.yaml:6:11", "which is not there: paths start from the scenario's folder"},
		{"missing parcels", "demand: [{loggi: none.json}]", "s.yaml:6:18", "which is not there"},
		{"missing data", "demand: [{seattle_fire: \"data:none.tsv\"}]", "s.yaml:6:25", "KAPOK_DATA"},
		{"parcels that are none", "demand: [{loggi: bad.json}]", "s.yaml:6:18", "bad.json:2:"},
		{"calls that are none", "demand: [{seattle_fire: bad.tsv}]", "s.yaml:6:25", "bad.tsv:2:"},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := problem(t, small+c.more+"\n")
			if err == nil {
				t.Fatal("it was taken")
			}
			text := err.Error()
			if !strings.HasPrefix(text, c.place) || !strings.Contains(text, c.mend) || strings.ContainsRune(text, '\n') {
				t.Errorf("%s\nwant it to begin with %s and to say %q, in one line", text, c.place, c.mend)
			}
			t.Log(text)
		})
	}
}

// problem reads a scenario and its files.
func problem(t *testing.T, text string) error {
	t.Helper()
	s, err := Parse("s.yaml", []byte(text))
	if err != nil {
		if !errors.Is(err, ErrInvalid) {
			t.Errorf("%v is not of kind ErrInvalid", err)
		}
		return err
	}
	dir := t.TempDir()
	for name, content := range map[string]string{
		"bad.json": "{\n  \"origin\": 3}",
		"bad.tsv":  strings.Join(callColumns(), "\t") + "\nyesterday\tF1\t1\tE21\tPine St\tAid Response\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	charts := Charts{Dir: dir, Data: filepath.Join(dir, "data"), Harbour: func() (*chart.Chart, error) { return nil, errors.New("no harbour") }}
	_, err = charts.Prepare(&s)
	return err
}

func TestMissingChart(t *testing.T) {
	text := strings.Replace(small, "harbour", "town.chart", 1)
	if err := problem(t, text); err == nil || !strings.HasPrefix(err.Error(), "s.yaml:3:8: chart is \"town.chart\", which is not there") {
		t.Errorf("%v", err)
	}
}

// TestGeneratedChartsAreNoFiles: a made-up city is not looked for.
func TestGeneratedChartsAreNoFiles(t *testing.T) {
	if err := problem(t, strings.Replace(small, "harbour", "generated:3", 1)); err != nil {
		t.Error(err)
	}
}
