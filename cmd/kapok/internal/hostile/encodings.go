package hostile

import (
	"encoding/binary"
	"strings"

	"github.com/kapok-fleet/kapok/protocol"
)

// encodings are frames that no decoder may choke on.
func encodings() []Attack {
	json := func(name, does, code, text string) Attack {
		return impossible(Encodings, name, does, code, protocol.JSON, func(*Raid) string { return text })
	}
	cbor := func(name, does, code, bytes string) Attack {
		return impossible(Encodings, name, does, code, protocol.CBOR, func(*Raid) string { return bytes })
	}
	// A map with the type telemetry, and its samples to follow.
	const samples = "\xa2\x64type\x69telemetry\x67samples"
	return []Attack{
		json("not-json", "sends a frame that is no JSON", "bad_message", "hello?"),
		json("cut-json", "sends half a sample", "bad_message", `{"type":"telemetry","samples":[{"time":"2026-`),
		json("empty-frame", "sends an empty frame", "bad_message", ""),
		json("deep-json", "sends JSON of 30,000 nested arrays", "bad_message", `{"x":`+strings.Repeat("[", 30_000)+strings.Repeat("]", 30_000)+`,"type":"telemetry"}`),
		json("deep-known-field", "sends samples of 30,000 nested arrays", "bad_message", `{"type":"telemetry","samples":`+strings.Repeat("[", 30_000)),
		json("json-bad-utf8", "sends JSON with a text that is not UTF-8", "bad_message", `{"type":"fault","seq":1,"code":"`+"\xff\xfe"+`"}`),
		json("lone-surrogate", "sends JSON with half a surrogate pair", "bad_message", `{"type":"fault","seq":1,"code":"\ud800"}`),
		json("duplicate-key", "names a field twice", "bad_message", `{"type":"fault","seq":1,"seq":2,"code":"motor","time":"2026-05-04T09:30:00Z"}`),
		json("unknown-type", "sends a message of a type that there is not", "unknown_type", `{"type":"self_destruct"}`),
		json("forged-type", "sends a message that only Kapok sends", "unknown_type", `{"type":"command","id":"c-1","kind":"land"}`),
		{
			Name: "many-samples", Group: Encodings, Does: "sends 65 samples in a frame", Want: Answer{Code: "too_many_samples"},
			Metric: linkError("too_many_samples"), MemoryMiB: small, Run: tells(protocol.JSON, tooManySamples), Flood: repeats(protocol.JSON, tooManySamples),
		},
		json("many-unknown-fields", "sends a message of 5,000 fields that nobody knows", "unknown_type",
			`{"type":"fields"`+strings.Repeat(`,"f":[]`, 5_000)+`}`),
		cbor("deep-cbor", "sends CBOR of 30,000 nested arrays", "bad_message", "\xa2\x61x"+strings.Repeat("\x81", 30_000)+"\xf6"+"\x64type\x69telemetry"),
		cbor("deep-cbor-tags", "sends CBOR of 30,000 nested tags", "bad_message", samples+strings.Repeat("\xc1", 30_000)+"\x00"),
		cbor("cbor-claims-2-60", "sends CBOR that claims an array of 2^60 samples", "bad_message", samples+"\x9b"+string(binary.BigEndian.AppendUint64(nil, 1<<60))),
		cbor("cbor-claims-text", "sends CBOR that claims a text of 2^62 bytes", "bad_message", "\xa1\x64type\x7b"+string(binary.BigEndian.AppendUint64(nil, 1<<62))),
		cbor("cbor-endless", "sends CBOR with an array that never ends", "bad_message", samples+"\x9f"+strings.Repeat("\xa0", 10)),
		cbor("cbor-bad-utf8", "sends CBOR with a text that is not UTF-8", "bad_message", "\xa2\x64type\x65fault\x64code\x62\xff\xfe"),
		cbor("cbor-reserved", "sends CBOR with a reserved head", "bad_message", "\xa1\x64type\x1f"),
		cbor("json-as-cbor", "sends JSON in the frames of CBOR", "bad_message", `{"type":"telemetry"}`),
	}
}

func tooManySamples(r *Raid) string {
	one := r.text()
	from, to := strings.Index(one, "[")+1, strings.LastIndex(one, "]")
	return one[:to] + strings.Repeat(","+one[from:to], 64) + one[to:]
}
