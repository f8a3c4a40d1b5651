package protocol_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/fxamacker/cbor/v2"

	"github.com/kapok-fleet/kapok/protocol"
)

// update rewrites the golden files and schemas from the code:
// go test ./protocol -run 'Golden|Schemas' -update.
var update = flag.Bool("update", false, "rewrite golden files and schemas")

func at(seconds int) time.Time {
	return time.Date(2026, 5, 4, 9, 30, seconds, 250_000_000, time.UTC)
}

func pointAt(lon, lat, altitude float64) protocol.Position {
	return protocol.Position{Lon: lon, Lat: lat, AltitudeM: altitude}
}

func sampleAt(seconds int) protocol.Sample {
	return protocol.Sample{
		Time: at(seconds), Position: pointAt(113.930125+float64(seconds)*1e-5, 22.510375, 41.5),
		SpeedMPS: 11.75, ClimbMPS: -0.5, HeadingDeg: 271.3, BatteryRatio: 0.8125, Mode: protocol.ModeTravel,
	}
}

// example is one message with the name of its golden files.
type example[M any] struct {
	name    string
	message M
}

func fromVehicle() []example[protocol.FromVehicle] {
	indoors := sampleAt(2)
	indoors.Position.Level = "-1"
	indoors.ClimbMPS = 0
	return []example[protocol.FromVehicle]{
		{"hello", protocol.Hello{
			Kind: protocol.Multirotor, Model: "Kestrel 4 快递", Capabilities: []string{"camera", "winch"},
			Limits:  protocol.Limits{MaxLegs: 40, MaxLoadKg: 2.5},
			Mission: &protocol.MissionRef{ID: "m-17", Revision: 3}, LastCommand: "c-4",
			LogID: "8d1f", Epoch: 1777886000, Time: at(0),
		}},
		{"hello_first", protocol.Hello{Kind: protocol.Rover, Model: "R2", LogID: "a", Time: at(0)}},
		{"telemetry", protocol.Telemetry{Samples: []protocol.Sample{sampleAt(0), sampleAt(1), indoors}}},
		{"ack_mission", protocol.Ack{
			Seq: 8, Mission: &protocol.MissionRef{ID: "m-17", Revision: 4}, Verdict: protocol.Accepted,
		}},
		{"ack_command_refused", protocol.Ack{
			Seq: 9, Command: "c-5", Verdict: protocol.Refused, Reason: "expired", Text: "the order came 4 s too late",
		}},
		{"progress_leg", protocol.Progress{
			Seq: 10, Mission: "m-17", Leg: "l-2", State: protocol.Begun, Time: at(30),
		}},
		{"progress_command", protocol.Progress{
			Seq: 11, Command: "c-4", State: protocol.Failed, Time: at(31), Reason: "wind", Text: "阵风太大",
		}},
		{"fault", protocol.Fault{Seq: 12, Code: "motor_2", Text: "current above limit", LoadLost: true, Time: at(32)}},
		{"fault_cleared", protocol.Fault{Seq: 1 << 40, Code: "motor_2", Cleared: true, Time: at(33)}},
	}
}

func toVehicle() []example[protocol.ToVehicle] {
	path := []protocol.Position{pointAt(113.93, 22.51, 60), pointAt(113.9325, 22.5125, 60), pointAt(113.9325, 22.5125, 4.5)}
	return []example[protocol.ToVehicle]{
		{"welcome", protocol.Welcome{
			Session: "s-1", Vehicle: "uav-03", Epoch: 1777886000, TelemetryIntervalS: 1, AliveIntervalS: 7.5,
			HelloTime: at(0), Time: at(1), LogID: "8d1f", Seq: 7,
		}},
		{"alive", protocol.Alive{Time: at(2)}},
		{"mission", protocol.Mission{
			ID: "m-17", Revision: 4, State: protocol.MissionActive, Epoch: 1777886000, TaskAuthorityS: 60, Time: at(3),
			Legs: []protocol.Leg{
				{
					ID: "l-1", Task: "t-9", Action: protocol.ActionPickup, State: protocol.LegDone,
					SpeedMPS: 12, WorkS: 20, LoadKg: 1.25,
				},
				{
					ID: "l-2", Task: "t-9", Stop: 1, Action: protocol.ActionDropoff, State: protocol.LegStarted,
					Path: path, SpeedMPS: 12, SpeedsMPS: []float64{8.5, 12}, WorkS: 20.5, NotBefore: at(10), ETA: at(50),
				},
				{
					ID: "l-3", Site: "way/77", Action: protocol.ActionCharge, State: protocol.LegPending,
					Path: path[:1], SpeedMPS: 9.7, ChargeToRatio: 0.9,
				},
			},
		}},
		{"mission_ended", protocol.Mission{
			ID: "m-16", Revision: 9, State: protocol.MissionEnded, Epoch: 1, Time: at(4), Reason: "belongs to rover-02 now",
		}},
		{"command_return", protocol.Command{
			ID: "c-4", Kind: protocol.CommandReturn, Epoch: 1777886000, Time: at(5), ExpiresAt: at(15), SpeedMPS: 12, Path: path, Reason: "zone closed",
		}},
		{"command_hold", protocol.Command{ID: "c-5", Kind: protocol.CommandHold, Epoch: 1777886000, Time: at(5), ExpiresAt: at(15)}},
		{"received", protocol.Received{LogID: "8d1f", Seq: 12, Time: at(6)}},
		{"error", protocol.Error{Code: protocol.CodeTooManySamples, Text: "send at most 64 samples in a frame", Time: at(7)}},
		{"error_fatal", protocol.Error{Code: "bad_token", Text: "this token was revoked", Fatal: true, Time: at(8)}},
	}
}

func TestGoldenFromVehicle(t *testing.T) {
	t.Parallel()
	for _, x := range fromVehicle() {
		for _, e := range encodings() {
			t.Run(x.name+"/"+e.String(), func(t *testing.T) {
				t.Parallel()
				frame, err := e.EncodeFrom(nil, x.message)
				if err != nil {
					t.Fatal(err)
				}
				compareGolden(t, x.name, e, frame)
				got, err := e.DecodeFrom(frame)
				if err != nil || !reflect.DeepEqual(got, x.message) {
					t.Errorf("decoded %#v, %v\nwant %#v", got, err, x.message)
				}
			})
		}
	}
}

func TestGoldenToVehicle(t *testing.T) {
	t.Parallel()
	for _, x := range toVehicle() {
		for _, e := range encodings() {
			t.Run(x.name+"/"+e.String(), func(t *testing.T) {
				t.Parallel()
				frame, err := e.EncodeTo(nil, x.message)
				if err != nil {
					t.Fatal(err)
				}
				compareGolden(t, x.name, e, frame)
				got, err := e.DecodeTo(frame)
				if err != nil || !reflect.DeepEqual(got, x.message) {
					t.Errorf("decoded %#v, %v\nwant %#v", got, err, x.message)
				}
			})
		}
	}
}

func encodings() []protocol.Encoding { return []protocol.Encoding{protocol.JSON, protocol.CBOR} }

// compareGolden holds the frame against its golden file: JSON as text, CBOR in
// hexadecimal, 64 digits a line.
func compareGolden(t *testing.T, name string, e protocol.Encoding, frame []byte) {
	t.Helper()
	file := filepath.Join("testdata", "golden", name+"."+e.String())
	text := string(frame) + "\n"
	if e == protocol.CBOR {
		text = inLines(hex.EncodeToString(frame))
	}
	if *update {
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if text != string(want) {
		t.Errorf("%s differs from the frame; if that is meant, run with -update\ngot:  %swant: %s", file, text, want)
	}
}

func inLines(digits string) string {
	var b strings.Builder
	for len(digits) > 64 {
		b.WriteString(digits[:64] + "\n")
		digits = digits[64:]
	}
	return b.String() + digits + "\n"
}

// The type stands first in a frame, so that readers know early what comes.
func TestTypeIsFirst(t *testing.T) {
	t.Parallel()
	frame, err := protocol.JSON.EncodeTo([]byte("before "), protocol.Alive{Time: at(0)})
	if err != nil || string(frame) != `before {"type":"alive","time":"2026-05-04T09:30:00.25Z"}` {
		t.Errorf("encoded %s, %v", frame, err)
	}
	frame, err = protocol.CBOR.EncodeTo(nil, protocol.Alive{Time: at(0)})
	if err != nil || !bytes.HasPrefix(frame, []byte("\xa2\x64type\x65alive\x64time\xc0")) {
		t.Errorf("encoded %q, %v", frame, err)
	}
}

// The CBOR library reads our frames as the same data as the JSON library reads
// the others, so no private dialect has crept in.
func TestGoldenFilesAgreeByOtherReaders(t *testing.T) {
	t.Parallel()
	names, err := filepath.Glob("testdata/golden/*.json")
	if err != nil || len(names) == 0 {
		t.Fatalf("no golden files: %v", err)
	}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		digits, err := os.ReadFile(strings.TrimSuffix(name, ".json") + ".cbor")
		if err != nil {
			t.Fatal(err)
		}
		frame, err := hex.DecodeString(strings.ReplaceAll(string(digits), "\n", ""))
		if err != nil {
			t.Fatal(err)
		}
		var fromJSON, fromCBOR any
		if err := json.Unmarshal(text, &fromJSON); err != nil {
			t.Fatal(err)
		}
		mode, err := cbor.DecOptions{DefaultMapType: reflect.TypeFor[map[string]any](), TimeTagToAny: cbor.TimeTagToRFC3339Nano}.DecMode()
		if err != nil {
			t.Fatal(err)
		}
		if err := mode.Unmarshal(frame, &fromCBOR); err != nil {
			t.Fatal(err)
		}
		again, err := json.Marshal(fromCBOR)
		if err != nil {
			t.Fatal(err)
		}
		var viaJSON any
		if err := json.Unmarshal(again, &viaJSON); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(fromJSON, viaJSON) {
			t.Errorf("%s: JSON says %v, CBOR %v", name, fromJSON, viaJSON)
		}
	}
}
