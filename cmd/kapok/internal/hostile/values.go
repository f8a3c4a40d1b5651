package hostile

import (
	"encoding/binary"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/kapok-fleet/kapok/fleet"
	"github.com/kapok-fleet/kapok/protocol"
)

// impossible is an attack of one message that says what cannot be. The link
// goes on.
func impossible(group Group, name, does, code string, encoding protocol.Encoding, message func(*Raid) string) Attack {
	return Attack{
		Name: name, Group: group, Does: does, Want: Answer{Code: code}, Metric: linkError(code), MemoryMiB: small,
		Run: tells(encoding, message), Flood: repeats(encoding, message),
	}
}

func values() []Attack {
	number := func(name, does, code, field, value string) Attack {
		return impossible(Values, name, does, code, protocol.JSON, func(r *Raid) string { return r.field(field, value) })
	}
	float := func(name, does string, value float64) Attack {
		return impossible(Values, name, does, "out_of_range", protocol.CBOR, func(r *Raid) string { return r.cbor(value) })
	}
	all := []Attack{
		number("json-nan", "says in JSON that the latitude is NaN", "bad_message", "lat", "NaN"),
		number("json-infinity", "says in JSON that the speed is 1e999", "out_of_range", "speed_mps", "1e999"),
		float("cbor-nan", "says in CBOR that the latitude is NaN", math.NaN()),
		float("cbor-infinity", "says in CBOR that the latitude is infinite", math.Inf(1)),
		float("cbor-huge", "says in CBOR that the latitude is 1.8e308", math.MaxFloat64),
		number("latitude-91", "is at latitude 91", "out_of_range", "lat", "91"),
		number("longitude-181", "is at longitude -181", "out_of_range", "lon", "-181"),
		number("deep-below", "is 100 km below the sea", "out_of_range", "altitude_m", "-100000"),
		number("negative-battery", "has a battery ratio of -0.1", "out_of_range", "battery_ratio", "-0.1"),
		number("full-battery", "has a battery ratio of 87, as if it were percent", "out_of_range", "battery_ratio", "87"),
		number("absurd-speed", "goes at 300,000 km/s", "out_of_range", "speed_mps", "3e8"),
		number("huge-number", "sends a number of 10,000 digits", "out_of_range", "speed_mps", strings.Repeat("9", 10_000)),
		{
			Name: "teleport", Group: Values, Does: "is 1 km further on after a fifth of a second", Note: "an alert `implausible_position` is raised for it",
			Metric: alertRaised(fleet.AlertImplausible), Alert: fleet.AlertImplausible, MemoryMiB: small, Run: teleport,
			Flood: floods1(protocol.JSON, func(r *Raid, s *Socket) error { return s.say(r.elsewhere(time.Now())) }),
		},
		{
			Name: "look-alike-vehicle", Group: Values, Does: "logs in under an id with a Cyrillic letter that looks Latin",
			Want: Answer{Status: 422, Code: "invalid"}, Metric: refused("invalid"), MemoryMiB: small,
			Run: asks(func(r *Raid) Request {
				return Request{Path: "/v1/link?vehicle=r%D0%BEver-1", Token: r.Tokens.Simulator, Headers: linkHeaders()}
			}),
		},
	}
	for _, text := range []struct{ name, does, value string }{
		{"look-alike-code", "reports a fault whose code has a full-width letter", "motor\uff11"},
		{"newline-in-code", "reports a fault whose code has a line feed and a forged line of a log", `motor\nlevel=ERROR msg=forged`},
		{"escape-in-code", "reports a fault whose code has escape sequences of terminals", `\u001b[2Jmotor`},
		{"bidi-in-code", "reports a fault whose code turns the direction of writing round", "motor\u202e"},
	} {
		all = append(all, impossible(Values, text.name, text.does, "out_of_range", protocol.JSON, func(*Raid) string { return fault(1, text.value, "") }))
	}
	for _, text := range []struct{ name, does, value string }{
		{"newline-in-text", "reports a fault whose text has a line feed and a forged line of a log", `over heat\ntime=2026 level=ERROR msg=forged`},
		{"escape-in-text", "reports a fault whose text has escape sequences of terminals", `\u001b]0;owned\u0007\u001b[2J`},
	} {
		all = append(all, impossible(Values, text.name, text.does, "out_of_range", protocol.JSON, func(*Raid) string { return fault(1, "motor", text.value) }))
	}
	return all
}

// fault is the text of a report.
func fault(seq uint64, code, text string) string {
	return fmt.Sprintf(`{"type":"fault","seq":%d,"code":"%s","text":"%s","time":"%s"}`, seq, code, text, time.Now().UTC().Format(time.RFC3339Nano))
}

// cbor is a sample in CBOR with another latitude.
func (r *Raid) cbor(latitude float64) string {
	const mark = 12.345678
	s := r.sample()
	s.Position.Lat = mark
	frame, err := protocol.CBOR.EncodeFrom(nil, protocol.Telemetry{Samples: []protocol.Sample{s}})
	if err != nil {
		return err.Error()
	}
	return strings.Replace(string(frame), float64Bits(mark), float64Bits(latitude), 1)
}

func float64Bits(v float64) string {
	return "\xfb" + string(binary.BigEndian.AppendUint64(nil, math.Float64bits(v)))
}

// elsewhere is a sample that jumps by a kilometre with each call.
func (r *Raid) elsewhere(now time.Time) protocol.Telemetry {
	s := r.sample()
	s.Time = now.UTC()
	if now.UnixMilli()%2 == 0 {
		s.Position.Lat += 0.009
	}
	return protocol.Telemetry{Samples: []protocol.Sample{s}}
}

// teleport sends samples that nothing can connect.
func teleport(r *Raid) (Answer, error) {
	s, err := r.login(protocol.JSON)
	if err != nil {
		return Answer{}, err
	}
	from := time.Now().Add(-2 * time.Second).UTC()
	var samples []protocol.Sample
	for i := range 8 {
		sample := r.sample()
		sample.Time = from.Add(time.Duration(i) * 200 * time.Millisecond)
		sample.Position.Lat += 0.009 * float64(i%2)
		samples = append(samples, sample)
	}
	if err := s.say(protocol.Telemetry{Samples: samples}); err != nil {
		return Answer{}, err
	}
	return s.verdict()
}
