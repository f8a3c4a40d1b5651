package protocol

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

// longTelemetry reads a frame of telemetry the long way.
func longTelemetry(frame []byte) (Telemetry, error) {
	d := decoder{data: frame, cbor: true}
	if typ := d.messageType(); string(typ) != "telemetry" {
		return Telemetry{}, fmt.Errorf("the type is %q: %w", typ, d.finish())
	}
	m := d.telemetry()
	return m, d.finish()
}

// sameTelemetry compares bit by bit: numbers that are none are not yet refused.
func sameTelemetry(a, b Telemetry) bool {
	return fmt.Sprintf("%#v", a) == fmt.Sprintf("%#v", b)
}

const (
	plainHead = "\xa2\x64type\x69telemetry\x67samples"
	plainBody = "\x64time\xc0\x742026-05-31T09:30:00Z\x68position\xa3\x63lon\xf9\x3c\x00\x63lat\x02\x6aaltitude_m\x18\x78" +
		"\x69speed_mps\xfa\x3f\x80\x00\x00\x6bheading_deg\x38\x2c\x6dbattery_ratio\x01\x64mode\x64idle"
)

// FuzzPlainTelemetry checks that the short way gives the same as the long one,
// or nothing.
func FuzzPlainTelemetry(f *testing.F) {
	for _, frame := range plainFrames() {
		f.Add([]byte(frame))
	}
	f.Fuzz(func(t *testing.T, frame []byte) {
		got, ok := plainTelemetry(frame)
		if !ok {
			return
		}
		if want, err := longTelemetry(frame); err != nil || !sameTelemetry(got, want) {
			t.Fatalf("%q gave\n%#v, want\n%#v, %v", frame, got, want, err)
		}
	})
}

// plainFrames are frames that go the short way.
func plainFrames() []string {
	level := strings.Replace(plainBody, "\xa3\x63lon", "\xa4\x65level\x62-1\x63lon", 1)
	moved := strings.Replace(plainBody, "\x64mode\x64idle", "", 1)
	return []string{
		plainHead + "\x81\xa6" + plainBody,
		plainHead + "\x82\xa6" + plainBody + "\xa7" + plainBody + "\x69climb_mps\x39\x00\x01",
		plainHead + "\x98\x01\xa6" + level,
		plainHead + "\x81\xa6\x64mode\x68charging" + moved,
		plainHead + "\x81\xa6" + strings.Replace(plainBody, "\x742026-05-31T09:30:00", "\x78\x1b2026-05-31T09:30:00.123456", 1),
		plainHead + "\x81\xa6" + strings.Replace(plainBody, "\x02", "\xfb\x7f\xf8\x00\x00\x00\x00\x00\x01", 1),
	}
}

func TestUsualTelemetryGoesTheShortWay(t *testing.T) {
	for _, frame := range plainFrames() {
		got, ok := plainTelemetry([]byte(frame))
		if want, err := longTelemetry([]byte(frame)); !ok || err != nil || !sameTelemetry(got, want) {
			t.Errorf("%q gave\n%#v, %v, want\n%#v, %v", frame, got, ok, want, err)
		}
	}
	const seed = 5
	r := rand.New(rand.NewPCG(seed, 0))
	for range 2_000 {
		m := randomTelemetry(r)
		frame, err := CBOR.EncodeFrom(nil, m)
		if err != nil {
			t.Fatal(err)
		}
		if got, ok := plainTelemetry(frame); !ok || !sameTelemetry(got, m) {
			t.Fatalf("%#v gave\n%#v, %v (seed %d)", m, got, ok, seed)
		}
	}
}

// randomTelemetry has numbers of every width.
func randomTelemetry(r *rand.Rand) (m Telemetry) {
	number := func(most float64) float64 {
		v := (r.Float64()*2 - 1) * most
		switch r.IntN(3) {
		case 0:
			return float64(int(v))
		case 1:
			return float64(float32(v))
		}
		return v
	}
	at := time.Unix(MinUnix+r.Int64N(1e9), 0).UTC()
	for range 1 + r.IntN(MaxSamples) {
		at = at.Add(time.Duration(r.Int64N(1e10)))
		if at.Month() == time.February {
			at = at.AddDate(0, 1, 0)
		}
		s := Sample{Time: at, Position: Position{Lon: number(180), Lat: number(90), AltitudeM: number(-MinAltitudeM)}}
		s.SpeedMPS, s.BatteryRatio = number(MaxSpeedMPS/2)+MaxSpeedMPS/2, number(0.5)+0.5
		s.ClimbMPS, s.HeadingDeg = number(MaxSpeedMPS), number(MaxHeadingDeg)
		s.Mode = modes()[r.IntN(len(modes()))]
		if r.IntN(2) == 0 {
			s.Position.Level, s.ClimbMPS = []string{"", "0", "-1.5;2"}[r.IntN(3)], 0
		}
		m.Samples = append(m.Samples, s)
	}
	return m
}

// What is unusual or wrong is left to the long way, whatever it makes of it.
func TestUnusualTelemetryGoesTheLongWay(t *testing.T) {
	replaced := func(old, replacement string) string {
		return plainHead + "\x81\xa6" + strings.Replace(plainBody, old, replacement, 1)
	}
	one := "\xa6" + plainBody
	long := strings.Repeat("x", 24)
	tests := []struct{ name, frame, text string }{
		{"type behind", "\xa2\x67samples\x81" + one + "\x64type\x69telemetry", ""},
		{"open array", plainHead + "\x9f" + one + "\xff", ""},
		{"long count of samples", plainHead + "\x99\x00\x01" + one, ""},
		{"open map", plainHead + "\x81\xbf" + plainBody + "\xff", ""},
		{"unknown field", plainHead + "\x81\xa7" + plainBody + "\x61x\x01", ""},
		{"null", plainHead + "\x81\xa7" + plainBody + "\x69climb_mps\xf6", ""},
		{"level beyond ASCII", replaced("\xa3\x63lon", "\xa4\x65level\x62é\x63lon"), ""},
		{"long level", replaced("\xa3\x63lon", "\xa4\x65level\x78\x18"+long+"\x63lon"), ""},
		{"long head of a key", replaced("\x63lat", "\x78\x03lat"), ""},
		{"long head of a number", replaced("\x63lat\x02", "\x63lat\x1a\x00\x00\x00\x02"), ""},
		{"other zone", replaced("\x742026-05-31T09:30:00Z", "\x78\x192026-05-31T09:30:00+08:00"), ""},
		{"no sample", plainHead + "\x80", ""},
		{"another mode", replaced("idle", "lost"), ""},
		{"cut", replaced("\x64mode\x64idle", "\x63x"), "samples[0] the frame ends too early at byte 133"},
		{"missing", plainHead + "\x81\xa5" + strings.Replace(plainBody, "\x64mode\x64idle", "", 1), "samples[0].mode is missing"},
		{"twice", plainHead + "\x81\xa6" + strings.Replace(plainBody, "\x64mode\x64idle", "\x69speed_mps\x01", 1), "samples[0].speed_mps stands there twice"},
		{"latitude twice", replaced("\x63lon", "\x63lat"), "samples[0].position.lat stands there twice"},
		{"untagged time", replaced("\xc0", ""), "samples[0].time must be a time with tag 0 at byte 31"},
		{"time with a head of two bytes", replaced("\x742026-05-31T09:30:00Z", "\x792026-05-31T09:30:00.1234Z"), "samples[0].time the frame ends too early at byte 35"},
		{"time is bytes", replaced("\xc0\x74", "\xc0\x54"), "samples[0].time must be a string at byte 32"},
		{"too many samples said", plainHead + "\x98\x40" + one, "samples[1] must be an object at byte 143"},
		{"65 samples", plainHead + "\x98\x41" + strings.Repeat(one, 65), "samples[64] is one too many: send at most 64 samples in a frame"},
		{"something behind", plainHead + "\x81" + one + "\x00", "something follows the message at byte 142"},
	}
	for _, test := range tests {
		if m, ok := plainTelemetry([]byte(test.frame)); ok {
			t.Errorf("%s: went the short way: %#v", test.name, m)
		}
		text := ""
		if _, err := longTelemetry([]byte(test.frame)); err != nil {
			text = err.Error()
		}
		if text != test.text {
			t.Errorf("%s: %q, want %q", test.name, text, test.text)
		}
	}
}

// Cut anywhere, a frame is refused by either way, and nothing panics.
func TestCutTelemetryIsNotTaken(t *testing.T) {
	for _, frame := range plainFrames() {
		for size := range len(frame) {
			cut := slices.Clone([]byte(frame[:size]))
			if m, ok := plainTelemetry(cut); ok {
				t.Errorf("took %q as %#v", cut, m)
			}
		}
	}
}

// The days of two centuries are those of the calendar.
func TestPlainDays(t *testing.T) {
	for at := time.Unix(MinUnix, 0).UTC(); at.Unix() < EndUnix; at = at.AddDate(0, 0, 1) {
		year, month, day := at.Date()
		if got := plainDays(int64(year), int64(month), int64(day)); got != at.Unix()/(24*3600) {
			t.Fatalf("%v is day %d, want %d", at, got, at.Unix()/(24*3600))
		}
	}
	for month := time.January; month <= time.December; month++ {
		const noLeapYear = 2026
		last := time.Date(noLeapYear, month+1, 0, 0, 0, 0, 0, time.UTC).Day()
		if got := plainMonth(int64(month)); got != int64(last) {
			t.Errorf("%v has %d days, want %d", month, got, last)
		}
	}
}
