package protocol_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/fxamacker/cbor/v2"

	"github.com/kapok-fleet/kapok/protocol"
)

const goodSample = `{"time":"2026-05-04T09:30:00Z","position":{"lon":1,"lat":2,"altitude_m":3},` +
	`"speed_mps":0,"heading_deg":0,"battery_ratio":1,"mode":"idle"}`

func telemetryOf(samples ...string) string {
	return `{"type":"telemetry","samples":[` + strings.Join(samples, ",") + `]}`
}

func sampleWith(old, replacement string) string {
	return telemetryOf(strings.Replace(goodSample, old, replacement, 1))
}

// TestRefused tells, for each thing that can be wrong with a frame, the code
// and the words of the answer.
func TestRefused(t *testing.T) {
	t.Parallel()
	later := strings.Replace(goodSample, "09:30:00", "09:29:59", 1)
	long := strings.Repeat("x", protocol.MaxIDBytes+1)
	ack := `{"type":"ack","seq":1,"verdict":"accepted","mission":{"id":"m","revision":1}`
	progress := `{"type":"progress","seq":1,"time":"2026-05-04T09:30:00Z","state":"done"`
	hello := `{"type":"hello","kind":"rover","model":"R","epoch":0,"time":"2026-05-04T09:30:00Z"`
	tests := []struct{ frame, code, text string }{
		{``, "bad_message", "must be an object at byte 0"},
		{`[]`, "bad_message", "must be an object at byte 0"},
		{`{}`, "bad_message", "type is missing"},
		{`{"type":null}`, "bad_message", "type is missing"},
		{`{"type":7}`, "bad_message", "type must be a string at byte 8"},
		{`{"type":"welcome"}`, "unknown_type", `unknown message type "welcome"; see docs/protocol.md for the types`},
		{`{"type":"telemetry"}`, "bad_message", "telemetry: samples is missing"},
		{telemetryOf(), "bad_message", "telemetry: samples must have at least one sample"},
		{telemetryOf(goodSample) + "x", "bad_message", "telemetry: something follows the message at byte 170"},
		{telemetryOf(goodSample, later), "out_of_range", "telemetry: samples[1].time is before the sample before it; send the oldest first"},
		{
			telemetryOf(strings.Split(strings.Repeat(goodSample+"|", 65)[:65*(len(goodSample)+1)-1], "|")...), "too_many_samples",
			"telemetry: samples[64] is one too many: send at most 64 samples in a frame",
		},
		{telemetryOf("null"), "bad_message", "telemetry: samples[0] must be an object at byte 31"},
		{sampleWith(`"lat":2`, `"lat":90.5`), "out_of_range", "telemetry: samples[0].position.lat must be a number from -90 to 90"},
		{sampleWith(`"lat":2`, `"lat":null`), "bad_message", "telemetry: samples[0].position.lat is missing"},
		{sampleWith(`"lat":2`, `"lat":"2"`), "bad_message", "telemetry: samples[0].position.lat must be a number at byte 88"},
		{sampleWith(`"lat":2`, `"lat":02`), "bad_message", "telemetry: samples[0].position.lat must be a number at byte 88"},
		{sampleWith(`"lat":2`, `"lat":1e999`), "out_of_range", "telemetry: samples[0].position.lat is too large a number"},
		{sampleWith(`"lat":2`, `"lat":2,"lat":3`), "bad_message", "telemetry: samples[0].position.lat stands there twice"},
		{sampleWith(`"lat":2`, `"Lat":2`), "bad_message", "telemetry: samples[0].position.lat is missing"},
		{sampleWith(`"lon":1`, `"lon":-181`), "out_of_range", "telemetry: samples[0].position.lon must be a number from -180 to 180"},
		{sampleWith(`_m":3`, `_m":20001`), "out_of_range", "telemetry: samples[0].position.altitude_m must be a number from -1000 to 20000"},
		{sampleWith(`_mps":0`, `_mps":-1`), "out_of_range", "telemetry: samples[0].speed_mps must be a number from 0 to 200"},
		{sampleWith(`_deg":0`, `_deg":361`), "out_of_range", "telemetry: samples[0].heading_deg must be a number from -360 to 360"},
		{sampleWith(`ratio":1`, `ratio":1.01`), "out_of_range", "telemetry: samples[0].battery_ratio must be a number from 0 to 1"},
		{sampleWith(`idle`, `lost`), "bad_message", "telemetry: samples[0].mode must be one of idle travel work charging hold return manual fault"},
		{sampleWith(`2026-05-04T09`, `1970-05-04T09`), "out_of_range", "telemetry: samples[0].time must be a time from the year 2000 to 2199; set the clock"},
		{sampleWith(`T09`, ` 09`), "bad_message", "telemetry: samples[0].time must be an RFC 3339 time such as 2026-05-04T09:30:00.25Z"},
		{ack + `}`, "", ""},
		{ack + `,"command":"c"}`, "bad_message", "ack: mission must be there, or else command: exactly one of them"},
		{ack + `,"x":` + strings.Repeat("[", 40) + `}`, "bad_message", "ack: nested too deeply at byte 113"},
		{ack + `,"type":"ack"}`, "bad_message", "ack: type stands there twice"},
		{ack + `,"text":"a` + "\x7f" + `b"}`, "out_of_range", "ack: text must be at most 1024 bytes of UTF-8 without control characters and invisible ones"},
		{ack + `,"text":"` + "\xff" + `"}`, "bad_message", "the frame is not valid UTF-8"},
		{ack + `,"text":"\ud800"}`, "bad_message", "ack: text an escape in a string is wrong at byte 91"},
		{strings.Replace(ack, "1,", "0,", 1) + `}`, "out_of_range", "ack: seq must be from 1 to 2^53-1"},
		{strings.Replace(ack, "1,", "1.0,", 1) + `}`, "bad_message", "ack: seq must be a whole number from 0 to 2^53-1, without fraction or exponent"},
		{strings.Replace(ack, "accepted", "refused", 1) + `}`, "bad_message", "ack: reason must be there with a refusal"},
		{strings.Replace(ack, `"m"`, `"m m"`, 1) + `}`, "out_of_range", "ack: mission.id must be 1 to 64 characters of A-Z a-z 0-9 . _ : / @ + -"},
		{strings.Replace(ack, `"m"`, `"`+long+`"`, 1) + `}`, "out_of_range", "ack: mission.id must be 1 to 64 characters of A-Z a-z 0-9 . _ : / @ + -"},
		{progress + `,"mission":"m"}`, "bad_message", "progress: mission must be there with leg, or else command: exactly one of them"},
		{strings.Replace(progress, "done", "begun", 1) + `,"command":"c"}`, "bad_message", "progress: state must be done or failed for a command"},
		{hello + `}`, "bad_message", "hello: log_id is missing"},
		{hello + `,"log_id":"a","limits":{"max_legs":3}}`, "out_of_range", "hello: limits.max_legs must be from 4 to 2147483647"},
		{hello + `,"log_id":"a","capabilities":["a","b c"]}`, "out_of_range", "hello: capabilities[1] must be 1 to 64 characters of A-Z a-z 0-9 . _ : / @ + -"},
		{hello + `,"log_id":"a","capabilities":[` + strings.Repeat(`"a",`, 32) + `"b"]}`, "out_of_range", "hello: capabilities[32] is one item too many"},
		{
			`{"type":"x","pad":"` + strings.Repeat("x", protocol.MaxFrameFromVehicle) + `"}`, "frame_too_large",
			"the frame has 65557 bytes; send at most 65536",
		},
	}
	for _, test := range tests {
		_, err := protocol.JSON.DecodeFrom([]byte(test.frame))
		if test.code == "" {
			if err != nil {
				t.Errorf("%.100s: %v", test.frame, err)
			}
			continue
		}
		if err == nil || err.Error() != test.text {
			t.Errorf("%.300s\ngot:  %v\nwant: %s", test.frame, err, test.text)
			continue
		}
		answer := protocol.ErrorFor(err, at(0))
		if answer.Code != test.code || answer.Validate() != nil {
			t.Errorf("%.100s: answer %+v (valid: %v), want code %s", test.frame, answer, answer.Validate(), test.code)
		}
	}
}

func TestRefusedCBOR(t *testing.T) {
	t.Parallel()
	const alive = "\xa2\x64type\x65alive\x64time\xc0\x7420"
	good := "26-05-04T09:30:00Z"
	tests := []struct{ name, frame, text string }{
		{"good", alive + good, ""},
		{"indefinite map", "\xbf" + alive[1:] + good + "\xff", ""},
		{"unknown fields of every kind", "\xa9" + alive[1:] + good +
			"\x61a\x9f\x01\x20\xff\x61b\xc1\xfb00000000\x61c\xa1\x01\x02\x61d\xf6\x61e\x41\xff\x61f\xf8\x20\x61g\xf7", ""},
		{"empty", "", "must be an object at byte 0"},
		{"cut", (alive + good)[:30], "alive: time the frame ends too early at byte 19"},
		{"untagged time", strings.Replace(alive, "\xc0", "", 1) + good, "alive: time must be a time with tag 0 at byte 17"},
		{"key twice", "\xa3" + alive[1:] + good + "\x64time\xc0\x74" + "20" + good, "alive: time stands there twice"},
		{"huge map", "\xbb\x7f\xff\xff\xff\xff\xff\xff\xff", "the frame ends too early at byte 9"},
		{"huge string", "\xa1\x7b\x7f\xff\xff\xff\xff\xff\xff\xff", "the frame ends too early at byte 10"},
		{"string in chunks", "\xa1\x7f\x64type\xff", "a string in chunks is not supported at byte 2"},
		{"invalid UTF-8", "\xa1\x64type\x61\xff", "type a string is not valid UTF-8 at byte 7"},
		{"number as key", "\xa1\x01\x02", "must be a string at byte 1"},
		{"reserved byte", "\xa1\x61a\x1c", "a reserved initial byte stands there at byte 4"},
		{"break as a value", "\xa1\x61a\xff", "must be a value at byte 4"},
		{"deep", "\xa1\x61a" + strings.Repeat("\x81", 40), "nested too deeply at byte 35"},
		{"trailing", alive + good + "\x00", "alive: something follows the message at byte 39"},
	}
	for _, test := range tests {
		_, err := protocol.CBOR.DecodeTo([]byte(test.frame))
		if test.text == "" && err != nil || test.text != "" && (err == nil || err.Error() != test.text) {
			t.Errorf("%s: got %v, want %q", test.name, err, test.text)
		}
	}
}

func TestALegHasASpeedForEachSegmentOrNone(t *testing.T) {
	t.Parallel()
	const leg = `{"type":"mission","id":"m","revision":1,"state":"active","epoch":1,"task_authority_s":60,"time":"2026-05-04T09:30:00Z",` +
		`"legs":[{"id":"l","action":"park","state":"pending","path":[{"lon":1,"lat":2,"altitude_m":3},{"lon":1,"lat":2.1,"altitude_m":3}],"speed_mps":2`
	for _, test := range []struct{ speeds, text string }{
		{``, ""},
		{`,"speeds_mps":[]`, ""},
		{`,"speeds_mps":null`, ""},
		{`,"speeds_mps":[200]`, ""},
		{`,"speeds_mps":[1.5,2]`, "mission: legs[0].speeds_mps must have one speed for each segment of the path, or be absent"},
		{`,"speeds_mps":[0]`, "mission: legs[0].speeds_mps[0] must be a number above 0 and at most 200"},
		{`,"speeds_mps":[201]`, "mission: legs[0].speeds_mps[0] must be a number above 0 and at most 200"},
		{`,"speeds_mps":["2"]`, "mission: legs[0].speeds_mps[0] must be a number at byte 276"},
		{`,"speeds_mps":[2],"speeds_mps":[2]`, "mission: legs[0].speeds_mps stands there twice"},
		{`,"speeds_mps":[` + strings.Repeat("2,", protocol.MaxPathPoints) + `2]`, "mission: legs[0].speeds_mps[10000] is one speed too many"},
	} {
		_, err := protocol.JSON.DecodeTo([]byte(leg + test.speeds + "}]}"))
		if test.text == "" && err != nil || test.text != "" && (err == nil || err.Error() != test.text) {
			t.Errorf("%.40s: got %v, want %q", test.speeds, err, test.text)
		}
	}
}

func TestNotFiniteIsRefused(t *testing.T) {
	t.Parallel()
	for _, number := range []string{"\xf9\x7e\x00", "\xf9\x7c\x00", "\xf9\xfc\x00", "\xfa\x7f\xc0\x00\x00", "\xfb\x7f\xf0\x00\x00\x00\x00\x00\x00"} {
		frame := "\xa2\x64type\x67mission\x70task_authority_s" + number
		d, err := protocol.CBOR.DecodeTo([]byte(frame))
		if err == nil {
			t.Errorf("%x: decoded %v", number, d)
		}
	}
	m := protocol.Mission{ID: "m", Revision: 1, State: protocol.MissionActive, Time: at(0)}
	for _, half := range []struct {
		bits string
		want float64
	}{{"\x3c\x00", 1}, {"\x00\x01", 1.0 / (1 << 24)}, {"\x3c\x01", 1 + 1.0/1024}, {"\x7b\xff", 65504}} {
		m.TaskAuthorityS = half.want
		frame, err := protocol.CBOR.EncodeTo(nil, m)
		if err != nil || !strings.Contains(string(frame), "task_authority_s\xf9"+half.bits) {
			t.Errorf("encoded %v as %q, %v", half.want, frame, err)
			continue
		}
		if got, err := protocol.CBOR.DecodeTo(frame); err != nil || !reflect.DeepEqual(got, protocol.ToVehicle(m)) {
			t.Errorf("decoded %+v, %v, want %v", got, err, half.want)
		}
	}
}

// Whatever the order of the fields, and whatever else is among them, the
// message is the same.
func TestOrderAndUnknownFieldsDoNotMatter(t *testing.T) {
	t.Parallel()
	for _, x := range fromVehicle() {
		frame, err := protocol.JSON.EncodeFrom(nil, x.message)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := strings.CutSuffix(string(frame), "}")
		typeField, rest, _ := strings.Cut(body[1:], ",")
		mixed := fmt.Sprintf(" {\n%s , \"new\": {\"type\":[true,null,-1.5e-3,\"\\u00e9\\\"\"]}, %s,\t\"text2\":null} ", rest, typeField)
		got, err := protocol.JSON.DecodeFrom([]byte(mixed))
		if err != nil || !reflect.DeepEqual(got, x.message) {
			t.Errorf("%s\ngot  %+v, %v\nwant %+v", mixed, got, err, x.message)
		}
	}
}

// Every field without omitempty or omitzero is required, in both encodings,
// and so every other may be absent. The struct tags decide.
func TestRequiredFieldsAreThoseOfTheTags(t *testing.T) {
	t.Parallel()
	for _, x := range fromVehicle() {
		checkRequired(t, x.message, x.name, func(e protocol.Encoding) ([]byte, error) { return e.EncodeFrom(nil, x.message) },
			func(e protocol.Encoding, frame []byte) error { _, err := e.DecodeFrom(frame); return err })
	}
	for _, x := range toVehicle() {
		checkRequired(t, x.message, x.name, func(e protocol.Encoding) ([]byte, error) { return e.EncodeTo(nil, x.message) },
			func(e protocol.Encoding, frame []byte) error { _, err := e.DecodeTo(frame); return err })
	}
}

func checkRequired(t *testing.T, message any, name string, encode func(protocol.Encoding) ([]byte, error), decode func(protocol.Encoding, []byte) error) {
	t.Helper()
	for _, path := range requiredPaths(reflect.ValueOf(message), nil) {
		for _, e := range encodings() {
			frame, err := encode(e)
			if err != nil {
				t.Fatal(err)
			}
			frame = without(t, e, frame, path)
			var wrong *protocol.MessageError
			err = decode(e, frame)
			if !errors.As(err, &wrong) || wrong.Field != pathText(path) || wrong.Problem != "is missing" {
				t.Errorf("%s in %v without %s: %v", name, e, pathText(path), err)
			}
		}
	}
}

// requiredPaths lists the ways to the required fields of a message's value,
// with the first item of each list.
func requiredPaths(v reflect.Value, prefix []any) (paths [][]any) {
	for i := range v.NumField() {
		field := v.Type().Field(i)
		name, options, _ := strings.Cut(field.Tag.Get("json"), ",")
		here := append(append([]any(nil), prefix...), name)
		if options == "" {
			paths = append(paths, here)
		}
		value := reflect.Indirect(v.Field(i))
		if value.Kind() == reflect.Slice && value.Len() > 0 {
			value, here = value.Index(0), append(here, 0)
		}
		if value.Kind() == reflect.Struct && strings.Contains(value.Type().PkgPath(), "kapok") && !value.IsZero() {
			paths = append(paths, requiredPaths(value, here)...)
		}
	}
	return paths
}

func pathText(path []any) string {
	var b strings.Builder
	for _, p := range path {
		if i, ok := p.(int); ok {
			fmt.Fprintf(&b, "[%d]", i)
			continue
		}
		if b.Len() > 0 {
			b.WriteByte('.')
		}
		fmt.Fprint(&b, p)
	}
	return b.String()
}

// without takes a field out of a frame by way of the libraries' general types.
func without(t *testing.T, e protocol.Encoding, frame []byte, path []any) []byte {
	t.Helper()
	var tree any
	unmarshal, marshal := json.Unmarshal, json.Marshal
	if e == protocol.CBOR {
		dec, err := cbor.DecOptions{TimeTagToAny: cbor.TimeTagToTime}.DecMode()
		if err != nil {
			t.Fatal(err)
		}
		enc, err := cbor.EncOptions{Time: cbor.TimeRFC3339NanoUTC, TimeTag: cbor.EncTagRequired}.EncMode()
		if err != nil {
			t.Fatal(err)
		}
		unmarshal, marshal = dec.Unmarshal, enc.Marshal
	}
	if err := unmarshal(frame, &tree); err != nil {
		t.Fatal(err)
	}
	at := reflect.ValueOf(tree)
	for _, p := range path[:len(path)-1] {
		if i, ok := p.(int); ok {
			at = at.Index(i).Elem()
			continue
		}
		at = at.MapIndex(reflect.ValueOf(p)).Elem()
	}
	at.SetMapIndex(reflect.ValueOf(path[len(path)-1]), reflect.Value{})
	out, err := marshal(tree)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestEncodingRefusesWhatCannotBeDecoded(t *testing.T) {
	t.Parallel()
	dst := []byte("kept")
	for _, m := range []protocol.ToVehicle{nil, protocol.Alive{}, &protocol.Alive{Time: at(0)}, protocol.Received{Seq: 1, Time: at(0)}} {
		for _, e := range encodings() {
			if got, err := e.EncodeTo(dst, m); err == nil || string(got) != "kept" {
				t.Errorf("%v of %T: %q, %v", e, m, got, err)
			}
		}
	}
	long := protocol.Mission{ID: "m", Revision: 1, State: protocol.MissionActive, Time: at(0)}
	for i := range 10 {
		path := make([]protocol.Position, 4000)
		long.Legs = append(long.Legs, protocol.Leg{
			ID: fmt.Sprint(i), Site: "s", Action: protocol.ActionPark, State: protocol.LegPending, Path: path,
		})
	}
	var wrong *protocol.MessageError
	if _, err := protocol.JSON.EncodeTo(nil, long); !errors.As(err, &wrong) || wrong.Code != protocol.CodeFrameTooLarge {
		t.Errorf("a mission beyond 1 MiB: %v", err)
	}
}

func TestEncodingOf(t *testing.T) {
	t.Parallel()
	for _, e := range encodings() {
		if got, ok := protocol.EncodingOf(e.Subprotocol()); !ok || got != e {
			t.Errorf("EncodingOf(%q) = %v, %v", e.Subprotocol(), got, ok)
		}
	}
	if e, ok := protocol.EncodingOf("kapok.v2.json"); ok {
		t.Errorf("an unknown sub-protocol gave %v", e)
	}
}

func TestCleanText(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		in   string
		max  int
		want string
	}{
		{"plain", 10, "plain"},
		{"a\nb\x00c\u0085", 10, "a b c "},
		{"a\xffb", 10, "a\ufffdb"},
		{"快递柜", 7, "快递"},
		{"\x1b[31m\x7f\u009b", 40, " [31m  "},
		{"a\u202eb\u202a\u2066\u2069c\u200e", 40, "a\ufffdb\ufffd\ufffd\ufffdc\ufffd"},
		{"a\u200bb\ufeffc\u2060\u2028", 40, "a\ufffdb\ufffdc\ufffd\ufffd"},
		{"می\u200cروم 👩\u200d🔧", 40, "می\u200cروم 👩\u200d🔧"},
		{"快递柜", 2, ""},
	} {
		if got := protocol.CleanText(test.in, test.max); got != test.want {
			t.Errorf("CleanText(%q, %d) = %q, want %q", test.in, test.max, got, test.want)
		}
	}
}
