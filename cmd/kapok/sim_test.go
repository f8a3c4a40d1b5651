package main

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/kapok-fleet/kapok/cmd/kapok/internal/mcap"
	"github.com/kapok-fleet/kapok/cmd/kapok/internal/simout"
	"github.com/kapok-fleet/kapok/fleet/access"
)

// recordedScenario has an order, a zone, a wrong promise and a matrix.
const recordedScenario = `name: recorded
proves: that a run leaves behind what it should
seed: 3
duration: 2m
chart: harbour
fleets:
  - {kind: rover, count: 2, prefix: R}
  - {kind: multirotor, count: 2, prefix: D}
orders:
  timed: [{at: 5s, kind: visit, vehicle_kinds: [multirotor]}]
zones:
  - {name: no flying, at: 30s, rule: keep_out, airborne: true, circle: {at: "@9", radius_m: 60}}
assert:
  - tasks_lost == 0
  - tasks_done >= 100
thresholds:
  "response_s": ["p(90)<1000"]
matrix:
  network.loss: [0, 0.02]
`

// simRunIn runs kapok sim run with an environment and returns what it said.
func simRunIn(t *testing.T, env map[string]string, args ...string) (status int, out, said string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	status = runContext(t.Context(), append([]string{"sim", "run"}, args...), console{
		in: strings.NewReader(""), out: &stdout, err: &stderr, env: func(name string) string { return env[name] },
	})
	return status, stdout.String(), stderr.String()
}

// TestWhatARunLeavesBehind holds each file of a run's folder against its format.
func TestWhatARunLeavesBehind(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file, step := filepath.Join(dir, "recorded.yaml"), filepath.Join(dir, "step.md")
	if err := os.WriteFile(file, []byte(recordedScenario), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(step, []byte("what was said before\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	env := map[string]string{"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": step}
	status, out, said := simRunIn(t, env, file, "--out", filepath.Join(dir, "out"), "-o", "table")
	if status != exitNegative {
		t.Fatalf("status %d\n%s\n%s", status, out, said)
	}
	if line := 15; strings.Count(said, fmt.Sprintf("::error file=%s,line=%d,title=recorded[network.loss=", file, line)) != 2 {
		t.Errorf("there is no annotation for line %d of each run:\n%s", line, said)
	}
	folder := filepath.Join(dir, "out", "recorded-network.loss=0.02")
	checkResult(t, filepath.Join(folder, simout.ResultFile))
	checkJUnit(t, filepath.Join(dir, "out", simout.JUnitFile))
	for _, name := range []string{filepath.Join(dir, "out", simout.SummaryFile), step} {
		text := readFile(t, name)
		if !regexp.MustCompile(`(?s)## Kapok: 2 of 2 runs failed.*\| FAIL \| recorded.*tasks\\_done &gt;= 100 \| .* \| 120.0 s \|`).MatchString(text) {
			t.Errorf("%s does not tell what failed:\n%s", name, text)
		}
	}
	if !strings.HasPrefix(readFile(t, step), "what was said before\n") {
		t.Error("the summary of the step was overwritten")
	}
	checkTracks(t, filepath.Join(folder, simout.TracksFile))
	checkMCAP(t, filepath.Join(folder, simout.MCAPFile))
	for _, name := range []string{simout.EventsFile, simout.MCAPFile} {
		recording, err := simout.OpenRecording(filepath.Join(folder, name))
		if err != nil || len(recording.Actors) != 4 || recording.Sightings < 40 || recording.Actors[0].Kind == "" {
			t.Errorf("%s: %+v, %v", name, recording, err)
		}
	}
}

func readFile(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// checkResult holds a result against the published schema.
func checkResult(t *testing.T, name string) {
	t.Helper()
	schema, err := jsonschema.UnmarshalJSON(bytes.NewReader(simout.Schema))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("result.schema.json", schema); err != nil {
		t.Fatal(err)
	}
	compiled, err := compiler.Compile("result.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	text := readFile(t, name)
	value, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	if err := compiled.Validate(value); err != nil {
		t.Errorf("the result does not fit its schema: %v\n%s", err, text)
	}
	var r simout.Report
	if err := json.Unmarshal([]byte(text), &r); err != nil {
		t.Fatal(err)
	}
	want := []string{"assertion tasks_lost == 0 line 14: true", "assertion tasks_done >= 100 line 15: false", "threshold"}
	var got []string
	for _, v := range r.Verdicts {
		got = append(got, fmt.Sprintf("%s %s line %d: %t", v.Kind, v.Name, v.Line, v.Passed))
	}
	for _, text := range want {
		if !slices.ContainsFunc(got, func(one string) bool { return strings.HasPrefix(one, text) }) {
			t.Errorf("no verdict %q among %q", text, got)
		}
	}
	if r.Passed || r.EventLogSHA256 == "" || r.Figures["tasks_ordered"] != 1 || !strings.Contains(r.Repeat, "--only 'recorded[network.loss=0.02]'") {
		t.Errorf("%+v", r)
	}
}

func checkJUnit(t *testing.T, name string) {
	t.Helper()
	var suites struct {
		Tests    int `xml:"tests,attr"`
		Failures int `xml:"failures,attr"`
		Suites   []struct {
			Name  string `xml:"name,attr"`
			Cases []struct {
				Name    string `xml:"name,attr"`
				Failure *struct {
					Message string `xml:"message,attr"`
				} `xml:"failure"`
			} `xml:"testcase"`
		} `xml:"testsuite"`
	}
	if err := xml.Unmarshal([]byte(readFile(t, name)), &suites); err != nil {
		t.Fatal(err)
	}
	if len(suites.Suites) != 2 || suites.Failures != 2 || suites.Tests != 2*len(suites.Suites[0].Cases) {
		t.Errorf("%+v", suites)
	}
	for _, one := range suites.Suites[1].Cases {
		if failed := one.Failure != nil; failed != (one.Name == "assertion: tasks_done >= 100") {
			t.Errorf("testcase %q: %+v", one.Name, one.Failure)
		}
	}
}

func checkTracks(t *testing.T, name string) {
	t.Helper()
	var all struct {
		Complete bool
		Features []struct {
			Properties struct {
				Vehicle string
				Times   []float64 `json:"times_s"`
			}
			Geometry struct{ Coordinates [][]float64 }
		}
	}
	if err := json.Unmarshal([]byte(readFile(t, name)), &all); err != nil {
		t.Fatal(err)
	}
	vehicles := map[string]bool{}
	for _, f := range all.Features {
		vehicles[f.Properties.Vehicle] = true
		if n := len(f.Geometry.Coordinates); n < 2 || n != len(f.Properties.Times) || n > 100 || !slices.IsSorted(f.Properties.Times) {
			t.Errorf("a track of %s has %d points and the times %v", f.Properties.Vehicle, n, f.Properties.Times)
		}
	}
	if !all.Complete || len(vehicles) != 4 {
		t.Errorf("the tracks are those of %v", vehicles)
	}
}

// checkMCAP reads a recording with Kapok's reader and, where it is installed, with
// the npm package @mcap/core.
func checkMCAP(t *testing.T, name string) {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	topics, total := map[string]int{}, 0
	if err := mcap.Read(f, func(m *mcap.Message) error { topics[m.Topic]++; total++; return nil }); err != nil {
		t.Fatal(err)
	}
	if topics["/vehicles/D1"] == 0 || topics["/vehicles/R2"] == 0 || topics["/zones"] != 2 || topics["/missions/D1"]+topics["/missions/D2"] == 0 {
		t.Errorf("the topics are %v", topics)
	}
	reader := filepath.Join("internal", "mcap", "testdata", "reader")
	node, err := exec.LookPath("node")
	if err != nil {
		t.Log("node is not installed: the recording is not read by the reference implementation")
		return
	}
	if _, err := os.Stat(filepath.Join(reader, "node_modules", "@mcap", "core")); err != nil {
		t.Logf("@mcap/core is not installed: run make test, or npm ci in cmd/kapok/%s (%v)", filepath.ToSlash(reader), err)
		return
	}
	out, err := exec.CommandContext(t.Context(), node, filepath.Join(reader, "read.mjs"), name).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	var said struct {
		Streamed int
		First    map[string]struct {
			Schema, Encoding, Message string
			Value                     map[string]any
		}
	}
	if err := json.Unmarshal(out, &said); err != nil {
		t.Fatal(err)
	}
	fix, zones := said.First["/vehicles/D1"], said.First["/zones"]
	if said.Streamed != total || fix.Schema != simout.FixSchema || fix.Encoding != "jsonschema" || fix.Message != "json" || fix.Value["frame_id"] != "D1" {
		t.Errorf("the reference implementation read %d of %d messages, and %+v", said.Streamed, total, fix)
	}
	if text, _ := zones.Value["geojson"].(string); zones.Schema != simout.GeoSchema || !strings.HasPrefix(text, `{"type":"FeatureCollection"`) {
		t.Errorf("the zones are %+v", zones)
	}
}

// TestTheSameVerdictsAgainstARunningBackend runs a story in virtual time, and
// then over real sockets against kapok serve.
func TestTheSameVerdictsAgainstARunningBackend(t *testing.T) {
	t.Parallel()
	story := filepath.Join("..", "..", "sim", "scenario", "stories", "parade.yaml")
	status, out, said := simRunIn(t, nil, story, "-o", "json")
	if status != exitOK {
		t.Fatalf("in virtual time: status %d\n%s\n%s", status, out, said)
	}
	virtual := verdictsOf(t, out)

	const speed = "20"
	data, addr := t.TempDir(), freeAddress(t)
	store, err := openTokens(data)
	if err != nil {
		t.Fatal(err)
	}
	secrets := map[access.Role]string{}
	for _, role := range []access.Role{access.Simulator, access.Dispatcher} {
		if secrets[role], err = createToken(store, access.Token{Name: string(role), Role: role, Fleet: defaultFleet}); err != nil {
			t.Fatal(err)
		}
	}
	p := &player{t: t, name: "serve", vars: map[string]string{"KAPOK_DATA_DIR": data}}
	defer p.stop()
	p.serve("kapok serve --listen " + addr + " --speed " + speed)
	status, out, said = simRunIn(t, map[string]string{"KAPOK_TOKEN": secrets[access.Dispatcher]}, story,
		"--connect", p.vars["URL"], "--token", secrets[access.Simulator], "--speed", speed, "-o", "json", "--out", filepath.Join(data, "out"))
	if status != exitOK {
		t.Errorf("against the backend: status %d\n%s\n%s", status, out, said)
	}
	connected := verdictsOf(t, out)
	// Some checkers see into the backend, and judge in virtual time only.
	virtual = slices.DeleteFunc(virtual, func(v string) bool {
		name, _, _ := strings.Cut(v, ": ")
		return strings.HasPrefix(v, "checker ") && !slices.Contains(connectedCheckers(), strings.TrimPrefix(name, "checker "))
	})
	slices.Sort(virtual)
	if slices.Sort(connected); fmt.Sprint(connected) != fmt.Sprint(virtual) || len(connected) < 10 {
		t.Errorf("the verdicts in virtual time and against a running backend:\n%v\n%v", virtual, connected)
	}
	if recording, err := simout.OpenRecording(filepath.Join(data, "out", "parade", simout.MCAPFile)); err != nil || len(recording.Actors) != 8 {
		t.Errorf("the recording holds %d vehicles (%v)", len(recording.Actors), err)
	}
}

// verdictsOf are the verdicts of a result.
func verdictsOf(t *testing.T, text string) []string {
	t.Helper()
	var r simout.Report
	if err := json.NewDecoder(io.Reader(strings.NewReader(text))).Decode(&r); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	var all []string
	for _, v := range r.Verdicts {
		all = append(all, fmt.Sprintf("%s %s: %t", v.Kind, v.Name, v.Passed))
	}
	return all
}
