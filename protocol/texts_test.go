package protocol_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/kapok-fleet/kapok/protocol"
)

// stand is what a field holds until a test writes something else in its place.
const stand = "stand-in.for:it"

// saying lists messages from a vehicle, each with the stand-in in one field.
func saying() map[string]protocol.FromVehicle {
	hello := func(change func(m *protocol.Hello)) protocol.Hello {
		m := protocol.Hello{Kind: protocol.Rover, Model: "m", LogID: "l", Time: at(0)}
		change(&m)
		return m
	}
	level := sampleAt(0)
	level.Position.Level = stand
	return map[string]protocol.FromVehicle{
		"model":                     hello(func(m *protocol.Hello) { m.Model = stand }),
		"capabilities[0]":           hello(func(m *protocol.Hello) { m.Capabilities = []string{stand} }),
		"log_id":                    hello(func(m *protocol.Hello) { m.LogID = stand }),
		"last_command":              hello(func(m *protocol.Hello) { m.LastCommand = stand }),
		"mission.id":                hello(func(m *protocol.Hello) { m.Mission = &protocol.MissionRef{ID: stand, Revision: 1} }),
		"samples[0].position.level": protocol.Telemetry{Samples: []protocol.Sample{level}},
		"command":                   protocol.Ack{Seq: 1, Command: stand, Verdict: protocol.Accepted},
		"reason":                    protocol.Ack{Seq: 1, Command: "c", Verdict: protocol.Refused, Reason: stand},
		"text":                      protocol.Ack{Seq: 1, Command: "c", Verdict: protocol.Accepted, Text: stand},
		"mission":                   protocol.Progress{Seq: 1, Mission: stand, Leg: "l", State: protocol.Done, Time: at(0)},
		"leg":                       protocol.Progress{Seq: 1, Mission: "m", Leg: stand, State: protocol.Done, Time: at(0)},
		"code":                      protocol.Fault{Seq: 1, Code: stand, Time: at(0)},
	}
}

// Ids and codes take nothing that looks like another id or steers what shows it;
// texts for people take all that can be read, and nothing else.
func TestWhatVehiclesMayWrite(t *testing.T) {
	t.Parallel()
	texts := map[string]bool{"model": true, "samples[0].position.level": true, "text": true}
	for _, test := range []struct {
		name, text string
		inID       bool
		inText     bool
	}{
		{"plain", "r-1_a.b:c/d@e+f", true, true},
		{"a Cyrillic a", "r\u0430", false, true},
		{"a fullwidth a", "r\uff41", false, true},
		{"a mathematical a", "\U0001d41a", false, true},
		{"Chinese", "\u5feb\u9012", false, true},
		{"a joiner", "a\u200db", false, true},
		{"a space", "r 1", false, true},
		{"a quotation mark", `r"1`, false, true},
		{"a combining accent", "e\u0301", false, true},
		{"NUL", "r\x001", false, false},
		{"a line feed", "r\n1", false, false},
		{"an escape", "r\x1b[2J", false, false},
		{"DEL", "r\x7f", false, false},
		{"a C1 control", "r\u009b2J", false, false},
		{"a line separator", "r\u2028", false, false},
		{"an override of direction", "r\u202e1", false, false},
		{"the end of one", "r\u202c1", false, false},
		{"an isolate", "r\u20661\u2069", false, false},
		{"a mark of direction", "r\u200f", false, false},
		{"a space of no width", "r\u200b1", false, false},
		{"a word joiner", "r\u2060", false, false},
		{"a byte order mark", "\ufeffr1", false, false},
		{"a soft hyphen", "r\u00ad1", false, false},
		{"a tag", "r\U000e0041", false, false},
		{"no UTF-8", "r\xff", false, false},
		{"an overlong slash", "r\xc0\xaf", false, false},
		{"half a surrogate pair", "r\xed\xa0\x80", false, false},
		{"a character cut off", "r\xe2\x80", false, false},
	} {
		for field, m := range saying() {
			want := test.inID
			if texts[field] {
				want = test.inText
			}
			for _, e := range encodings() {
				checkWritten(t, e, m, field, test.name, test.text, want)
			}
		}
	}
}

// checkWritten puts a text in the place of the stand-in.
func checkWritten(t *testing.T, e protocol.Encoding, m protocol.FromVehicle, field, name, text string, want bool) {
	t.Helper()
	frame, err := e.EncodeFrom(nil, m)
	if err != nil {
		t.Fatal(err)
	}
	_, err = e.DecodeFrom(bytes.Replace(frame, []byte(stand), written(t, e, text), 1))
	if (err == nil) != want {
		t.Errorf("%s in %s of %T in %v: %v", name, field, m, e, err)
	}
	if err == nil {
		return
	}
	wrong, ok := errors.AsType[*protocol.MessageError](err)
	switch {
	case !ok || strings.Contains(err.Error(), text):
		t.Errorf("%s in %s: %v", name, field, err)
	case utf8.ValidString(text) && (wrong.Field != field || wrong.Code != protocol.CodeOutOfRange):
		t.Errorf("%s in %s in %v: %s %v", name, field, e, wrong.Code, wrong)
	case !utf8.ValidString(text) && wrong.Code != protocol.CodeBadMessage:
		t.Errorf("%s in %s in %v: %s %v", name, field, e, wrong.Code, wrong)
	}
}

// written is how a text stands in a frame: as long as the stand-in in CBOR, whose
// strings begin with their length, and with escapes in JSON.
func written(t *testing.T, e protocol.Encoding, text string) []byte {
	t.Helper()
	if e == protocol.CBOR {
		return []byte(text + strings.Repeat("x", len(stand)-len(text)))
	}
	if !utf8.ValidString(text) {
		return []byte(text)
	}
	quoted, err := json.Marshal(text)
	if err != nil {
		t.Fatal(err)
	}
	return quoted[1 : len(quoted)-1]
}

// A word of a closed set is that word and none that looks like it.
func TestWordsThatLookAlike(t *testing.T) {
	t.Parallel()
	for _, e := range encodings() {
		frame, err := e.EncodeFrom(nil, protocol.Telemetry{Samples: []protocol.Sample{sampleAt(0)}})
		if err != nil {
			t.Fatal(err)
		}
		for _, mode := range []string{"Travel", "travel\x00"[:6], "tr\u0430ve", "tr\u200b1", "TRAVEL"} {
			got, err := e.DecodeFrom(bytes.Replace(frame, []byte("travel"), []byte(mode), 1))
			if (err == nil) != (mode == "travel") {
				t.Errorf("mode %q in %v: %v, %v", mode, e, got, err)
			}
		}
	}
}
