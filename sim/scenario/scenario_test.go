package scenario

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

func TestExamplesAreReadAndFitTheSchema(t *testing.T) {
	files, err := filepath.Glob("testdata/*.yaml")
	stories, err2 := filepath.Glob("stories/*.yaml")
	if err := errors.Join(err, err2); err != nil || len(files) < 4 || len(stories) < 7 {
		t.Fatalf("%d examples, %d stories, %v", len(files), len(stories), err)
	}
	files = append(files, stories...)
	schema := compiled(t)
	for _, file := range files {
		if _, err := Load(file); err != nil {
			t.Errorf("%v", err)
		}
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		plain, err := yaml.YAMLToJSON(data)
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		value, err := jsonschema.UnmarshalJSON(strings.NewReader(string(plain)))
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(value); err != nil {
			t.Errorf("%s against the schema: %v", file, err)
		}
	}
}

func compiled(t *testing.T) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(Schema()))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("scenario.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("scenario.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestSchemaNamesEveryField walks struct and schema side by side.
func TestSchemaNamesEveryField(t *testing.T) {
	var root map[string]any
	if err := json.Unmarshal([]byte(Schema()), &root); err != nil {
		t.Fatal(err)
	}
	compareShapes(t, "scenario", reflect.TypeFor[Scenario](), root)
}

func compareShapes(t *testing.T, path string, typ reflect.Type, schema map[string]any) {
	t.Helper()
	switch {
	case typ == reflect.TypeFor[Duration](), typ == reflect.TypeFor[time.Time]():
		return
	case typ.Kind() == reflect.Pointer:
		compareShapes(t, path, typ.Elem(), schema)
		return
	case typ.Kind() == reflect.Slice:
		if items, ok := schema["items"].(map[string]any); ok {
			compareShapes(t, path+"[]", typ.Elem(), items)
		}
		return
	case typ.Kind() != reflect.Struct:
		return
	}
	properties, ok := schema["properties"].(map[string]any)
	if !ok {
		t.Errorf("%s is an object, but not in the schema", path)
		return
	}
	known := map[string]bool{}
	for i := range typ.NumField() {
		f := typ.Field(i)
		name, rest, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		if name == "-" || !f.IsExported() {
			continue
		}
		known[name] = true
		sub, ok := properties[name].(map[string]any)
		if !ok {
			t.Errorf("%s.%s is not in the schema", path, name)
			continue
		}
		if required := strings.Contains(jsonText(schema["required"]), `"`+name+`"`); required == (rest == "omitempty") {
			t.Errorf("%s.%s: omitempty and required disagree", path, name)
		}
		compareShapes(t, path+"."+name, f.Type, sub)
	}
	for name := range properties {
		if !known[name] {
			t.Errorf("%s.%s is in the schema and not in the struct", path, name)
		}
	}
}

func jsonText(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(text)
}

const small = `name: x
duration: 1m
chart: harbour
fleets:
  - {kind: rover, count: 2, prefix: R}
`

func TestErrorsNameThePlace(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"unknown key", small + "colour: red\n", "s.yaml:6:1"},
		{"not a span", "name: x\nduration: soon\nchart: harbour\n", "s.yaml"},
		{"no fleet", "name: x\nduration: 1m\nchart: harbour\n", "fleets has no fleet"},
		{"kind", strings.Replace(small, "rover", "submarine", 1), "s.yaml:5:12"},
		{"vehicle", small + "faults:\n  - {vehicle: R3, at: 1s, for: 1s}\n", "s.yaml:7:15"},
		{"assertion", small + "assert:\n  - tasks_done > 3\n  - tasks_dnoe > 3\n", "s.yaml:8:5"},
		{"order name", small + "assert: [within 10s task first done]\n", `no timed order has the name "first"`},
		{"range", small + "network: {latency_ms: [100, 10]}\n", "network.latency_ms"},
		{"share", small + "orders: {stream: [{per_minute: 1, mix: {dance: 1}}]}\n", "unknown key"},
		{"pace", small + "orders: {stream: [{per_minute: 1, count: 3}]}\n", "exactly one of per_minute and count"},
		{"shape", small + "zones: [{name: a, at: 1s, rule: keep_out}]\n", "exactly one of polygon, circle and across"},
		{"severity", small + "incidents: {timed: [{at: 1s, kind: fire, severity: bad}]}\n", "s.yaml:6:"},
		{"action", small + "actions: [{at: 1s, do: take_over, vehicle: R9}]\n", "which no fleet has"},
		{"baseline", small + "assert: [tasks_done >= baseline_tasks_done]\n", "there is no baseline"},
		{"negative", strings.Replace(small, "1m", "-1m", 1), "negative"},
	} {
		_, err := Parse("s.yaml", []byte(c.text))
		if !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want one with %q", c.name, err, c.want)
		}
	}
}

func TestDefaults(t *testing.T) {
	s, err := Parse("s.yaml", []byte(small))
	if err != nil {
		t.Fatal(err)
	}
	if s.Fleets[0].Model != "kapok-rover" || s.Network.Encoding != "cbor" || s.Start != DefaultStart() {
		t.Errorf("defaults %+v", s)
	}
}

func TestAssertions(t *testing.T) {
	a, err := ParseAssertion("tasks_done >= 15")
	if err != nil || !a.Holds(15, a.Number) || a.Holds(14, a.Number) {
		t.Errorf("%+v, %v", a, err)
	}
	if b, err := ParseAssertion("incidents_reached == incidents_reported"); err != nil || b.Other != "incidents_reported" {
		t.Errorf("%+v, %v", b, err)
	}
	for _, bad := range []string{"", "tasks_done", "tasks_done => 3", "tasks_done > many", "within soon task x done", "within 3s task x failed"} {
		if _, err := ParseAssertion(bad); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(small))
	f.Add([]byte("fleets: [{}]\nassert: [1]"))
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := Parse("fuzz.yaml", data)
		if err == nil && (len(s.Fleets) == 0 || s.Duration <= 0) {
			t.Errorf("took %+v", s)
		}
	})
}
