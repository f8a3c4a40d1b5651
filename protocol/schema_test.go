package protocol_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/kapok-fleet/kapok/protocol"
)

// object is a JSON object in the making.
type object = map[string]any

// messages are the types by their names on the wire.
func messages() map[string]reflect.Type {
	return map[string]reflect.Type{
		"hello": reflect.TypeFor[protocol.Hello](), "telemetry": reflect.TypeFor[protocol.Telemetry](),
		"ack": reflect.TypeFor[protocol.Ack](), "progress": reflect.TypeFor[protocol.Progress](),
		"fault": reflect.TypeFor[protocol.Fault](), "welcome": reflect.TypeFor[protocol.Welcome](),
		"alive": reflect.TypeFor[protocol.Alive](), "mission": reflect.TypeFor[protocol.Mission](),
		"command": reflect.TypeFor[protocol.Command](), "received": reflect.TypeFor[protocol.Received](),
		"error": reflect.TypeFor[protocol.Error](),
	}
}

func within(lo, hi float64) object { return object{"minimum": lo, "maximum": hi} }

func id() object {
	return object{"minLength": 1, "maxLength": protocol.MaxIDBytes, "pattern": `^[A-Za-z0-9._:/@+-]+$`}
}

func text(maxLength int) object {
	// The invisible characters of the basic plane, written out, as not every
	// reader of schemas knows classes of characters.
	const invisible = "\u00ad\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u180e\u200b\u200e\u200f" +
		"\u2028-\u202e\u2060-\u2064\u2066-\u206f\ufeff\ufff9-\ufffb"
	return object{"maxLength": maxLength, "pattern": `^[^\x00-\x1f\x7f-\x9f` + invisible + `]*$`}
}

// bounds are what the Go types do not say of a field, by "Type.field" or, for
// all types, by the field's name alone.
func bounds() map[string]object {
	load, duration := within(0, protocol.MaxLoadKg), within(0, protocol.MaxDurationS)
	return map[string]object{
		"lon": within(-180, 180), "lat": within(-90, 90), "level": text(protocol.MaxIDBytes),
		"altitude_m": within(protocol.MinAltitudeM, protocol.MaxAltitudeM),
		"speed_mps":  within(0, protocol.MaxSpeedMPS), "climb_mps": within(-protocol.MaxSpeedMPS, protocol.MaxSpeedMPS),
		"speeds_mps": {
			"items":    object{"type": "number", "exclusiveMinimum": 0, "maximum": protocol.MaxSpeedMPS},
			"maxItems": protocol.MaxPathPoints - 1,
		},
		"heading_deg":   within(-protocol.MaxHeadingDeg, protocol.MaxHeadingDeg),
		"battery_ratio": within(0, 1), "charge_to_ratio": within(0, 1), "load_kg": load, "max_load_kg": load,
		"work_s": duration, "task_authority_s": duration, "telemetry_interval_s": duration, "alive_interval_s": duration,
		"seq": within(1, protocol.MaxWhole), "Welcome.seq": within(0, protocol.MaxWhole), "Received.seq": within(0, protocol.MaxWhole),
		"epoch": within(0, protocol.MaxWhole), "revision": within(1, protocol.MaxCount), "stop": within(0, protocol.MaxCount),
		"max_legs": within(protocol.MinLegs, protocol.MaxCount),
		"id":       id(), "log_id": id(), "last_command": id(), "command": id(), "Progress.mission": id(), "leg": id(), "code": id(),
		"session": id(), "vehicle": id(), "task": id(), "site": id(), "Ack.reason": id(), "Progress.reason": id(),
		"model": text(protocol.MaxIDBytes), "text": text(protocol.MaxTextBytes), "reason": text(protocol.MaxTextBytes),
		"samples":      {"minItems": 1, "maxItems": protocol.MaxSamples},
		"capabilities": {"maxItems": protocol.MaxCapabilities},
		"legs":         {"maxItems": protocol.MaxLegs}, "path": {"maxItems": protocol.MaxPathPoints},
	}
}

// rules are what holds between the fields of a type.
func rules() map[string]object {
	without := func(fields ...string) object {
		var each []any
		for _, f := range fields {
			each = append(each, object{"required": []string{f}})
		}
		return object{"anyOf": each}
	}
	state := func(property string, words ...string) object {
		return object{"properties": object{property: object{"enum": words}}}
	}
	return map[string]object{
		"Ack": {
			"oneOf": []any{object{"required": []string{"mission"}}, object{"required": []string{"command"}}},
			"if":    state("verdict", "refused"), "then": object{"required": []string{"reason"}},
		},
		"Progress": {"oneOf": []any{
			object{"required": []string{"mission", "leg"}, "not": without("command")},
			object{"required": []string{"command"}, "not": without("mission", "leg"), "properties": object{"state": object{"enum": []string{"done", "failed"}}}},
		}},
		"Mission": {"if": state("state", "ended"), "then": object{"properties": object{"legs": object{"maxItems": 0}}}},
		"Leg": {
			"not": object{"required": []string{"task", "site"}},
			"if":  state("state", "pending", "started"), "then": object{"properties": object{"path": object{"minItems": 1}}},
		},
	}
}

// generator makes schemas from the Go types, the comments in messages.go and
// the tables above.
type generator struct {
	docs  map[string]string   // by Type and Type.Field
	words map[string][]string // by type, in order
	defs  object
}

func newGenerator(t *testing.T) *generator {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "messages.go", nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	g := &generator{docs: map[string]string{}, words: map[string][]string{}}
	for _, declaration := range file.Decls {
		d, ok := declaration.(*ast.GenDecl)
		if !ok {
			continue
		}
		for _, spec := range d.Specs {
			switch s := spec.(type) {
			case *ast.TypeSpec:
				g.docs[s.Name.Name] = line(d.Doc)
				if body, ok := s.Type.(*ast.StructType); ok {
					for _, f := range body.Fields.List {
						g.docs[s.Name.Name+"."+f.Names[0].Name] = line(f.Doc)
					}
				}
			case *ast.ValueSpec:
				name, typed := s.Type.(*ast.Ident)
				word, literal := s.Values[0].(*ast.BasicLit)
				if !typed || !literal {
					t.Fatalf("messages.go: constant %s is not a typed word", s.Names[0])
				}
				g.words[name.Name] = append(g.words[name.Name], strings.Trim(word.Value, `"`))
			}
		}
	}
	return g
}

func line(doc *ast.CommentGroup) string { return strings.Join(strings.Fields(doc.Text()), " ") }

// message returns the schema of a whole message.
func (g *generator) message(name string, typ reflect.Type) object {
	g.defs = object{}
	properties, required, s := g.structure(typ)
	s["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	s["$id"] = "urn:kapok:v1:" + name
	s["title"] = name
	properties["type"] = object{"const": name}
	s["required"] = append([]string{"type"}, required...)
	if len(g.defs) > 0 {
		s["$defs"] = g.defs
	}
	return s
}

// structure returns the schema of a struct, and its parts for adding to them.
func (g *generator) structure(typ reflect.Type) (properties object, required []string, s object) {
	properties, required = object{}, []string{}
	for i := range typ.NumField() {
		f := typ.Field(i)
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		if options == "" {
			required = append(required, name)
		}
		p := g.value(f.Type)
		bound, own := bounds()[typ.Name()+"."+name]
		if !own && p["$ref"] == nil {
			bound = bounds()[name]
		}
		maps.Copy(p, bound)
		if doc := g.docs[typ.Name()+"."+f.Name]; doc != "" {
			p["description"] = doc
		}
		properties[name] = p
	}
	s = object{"type": "object", "description": g.docs[typ.Name()], "properties": properties, "required": required}
	maps.Copy(s, rules()[typ.Name()])
	return properties, required, s
}

func (g *generator) value(typ reflect.Type) object {
	switch {
	case typ == reflect.TypeFor[time.Time]():
		return object{"type": "string", "format": "date-time"}
	case typ.Kind() == reflect.Pointer:
		return g.value(typ.Elem())
	case typ.Kind() == reflect.Struct:
		if g.defs[typ.Name()] == nil {
			_, _, g.defs[typ.Name()] = g.structure(typ)
		}
		return object{"$ref": "#/$defs/" + typ.Name()}
	case typ.Kind() == reflect.Slice:
		items := g.value(typ.Elem())
		if typ.Elem().Kind() == reflect.String {
			maps.Copy(items, id())
		}
		return object{"type": "array", "items": items}
	case typ.Kind() == reflect.String && g.words[typ.Name()] != nil:
		return object{"type": "string", "enum": g.words[typ.Name()]}
	case typ.Kind() == reflect.String:
		return object{"type": "string"}
	case typ.Kind() == reflect.Bool:
		return object{"type": "boolean"}
	case typ.Kind() == reflect.Float64:
		return object{"type": "number"}
	}
	return object{"type": "integer"}
}

// The embedded schemas are those of the present types.
func TestSchemasAreThoseOfTheTypes(t *testing.T) {
	t.Parallel()
	g := newGenerator(t)
	want := slices.Sorted(maps.Keys(messages()))
	for _, name := range want {
		var text bytes.Buffer
		encoder := json.NewEncoder(&text)
		encoder.SetEscapeHTML(false)
		encoder.SetIndent("", "  ")
		if err := encoder.Encode(g.message(name, messages()[name])); err != nil {
			t.Fatal(err)
		}
		document := inASCII(text.String())
		if *update {
			if err := os.WriteFile(filepath.Join("schema", name+".json"), document, 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		got, err := fs.ReadFile(protocol.Schemas(), name+".json")
		if err != nil || !bytes.Equal(got, document) {
			t.Errorf("schema/%s.json is not that of the type (%v); if that is meant, run with -update", name, err)
		}
	}
	files, err := fs.Glob(protocol.Schemas(), "*")
	if err != nil || len(files) != len(want) {
		t.Errorf("schema files %v, %v, want those of %v", files, err, want)
	}
}

// inASCII writes what is beyond ASCII in JSON as escapes, so that it can be seen.
func inASCII(text string) []byte {
	var out []byte
	for _, unit := range utf16.Encode([]rune(text)) {
		if unit < utf8.RuneSelf {
			out = append(out, byte(unit))
			continue
		}
		out = fmt.Appendf(out, "\\u%04x", unit)
	}
	return out
}

// compiled returns the schemas, ready to judge.
func compiled(t *testing.T) map[string]*jsonschema.Schema {
	t.Helper()
	compiler := jsonschema.NewCompiler()
	compiler.AssertFormat()
	schemas := map[string]*jsonschema.Schema{}
	for name := range messages() {
		text, err := fs.ReadFile(protocol.Schemas(), name+".json")
		if err != nil {
			t.Fatal(err)
		}
		document, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		if err := compiler.AddResource(name+".json", document); err != nil {
			t.Fatal(err)
		}
		if schemas[name], err = compiler.Compile(name + ".json"); err != nil {
			t.Fatal(err)
		}
	}
	return schemas
}

// judge holds a frame against the schema of its type.
func judge(t *testing.T, schemas map[string]*jsonschema.Schema, frame []byte) error {
	t.Helper()
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(frame))
	if err != nil {
		t.Fatalf("%s: %v", frame, err)
	}
	message, ok := document.(map[string]any)
	if !ok {
		t.Fatalf("%s is not an object", frame)
	}
	schema := schemas[fmt.Sprint(message["type"])]
	if schema == nil {
		t.Fatalf("%s has no schema", frame)
	}
	return schema.Validate(document)
}

func TestGoldenMessagesFitTheSchemas(t *testing.T) {
	t.Parallel()
	schemas := compiled(t)
	names, err := filepath.Glob("testdata/golden/*.json")
	if err != nil || len(names) != len(fromVehicle())+len(toVehicle()) {
		t.Fatalf("%d golden files for %d messages, %v", len(names), len(fromVehicle())+len(toVehicle()), err)
	}
	for _, name := range names {
		frame, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := judge(t, schemas, frame); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// What the decoder refuses for its content, the schemas refuse too.
func TestBadMessagesDoNotFitTheSchemas(t *testing.T) {
	t.Parallel()
	schemas := compiled(t)
	const ack = `{"type":"ack","seq":1,"verdict":"accepted","mission":{"id":"m","revision":1}`
	const progress = `{"type":"progress","seq":1,"time":"2026-05-04T09:30:00Z","state":"begun"`
	for _, frame := range []string{
		telemetryOf(), telemetryOf("null"), sampleWith(`"lat":2`, `"lat":90.5`), sampleWith(`"lat":2`, `"Lat":2`),
		sampleWith(`idle`, `lost`), sampleWith(`T09`, ` 09`), sampleWith(`ratio":1`, `ratio":1.01`), sampleWith(`"lat":2`, `"lat":"2"`),
		ack + `,"command":"c"}`, ack + `,"text":"a\u0007b"}`, ack + `,"text":"a\u202eb"}`, ack + `,"text":"a` + "\u200b" + `b"}`, strings.Replace(ack, "accepted", "refused", 1) + `}`,
		strings.Replace(ack, "1,", "0,", 1) + `}`, strings.Replace(ack, `"m"`, `"m m"`, 1) + `}`,
		progress + `}`, progress + `,"mission":"m"}`, progress + `,"command":"c"}`, progress + `,"command":"c","mission":"m","leg":"l"}`,
		telemetryOf(strings.Split(strings.Repeat(goodSample+"|", 64)+goodSample, "|")...),
	} {
		if err := judge(t, schemas, []byte(frame)); err == nil {
			t.Errorf("the schema takes %.300s", frame)
		}
		if _, err := protocol.JSON.DecodeFrom([]byte(frame)); err == nil {
			t.Errorf("the decoder takes %.300s", frame)
		}
	}
	for _, frame := range []string{telemetryOf(goodSample), ack + `}`, progress + `,"mission":"m","leg":"l"}`} {
		if err := judge(t, schemas, []byte(frame)); err != nil {
			t.Errorf("the schema refuses %s: %v", frame, err)
		}
	}
}
