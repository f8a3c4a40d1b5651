package protocol_test

import (
	"errors"
	"fmt"
	"reflect"
	"testing"

	"github.com/kapok-fleet/kapok/protocol"
)

func FuzzDecodeFromJSON(f *testing.F) { fuzzFrom(f, protocol.JSON) }
func FuzzDecodeFromCBOR(f *testing.F) { fuzzFrom(f, protocol.CBOR) }
func FuzzDecodeToJSON(f *testing.F)   { fuzzTo(f, protocol.JSON) }
func FuzzDecodeToCBOR(f *testing.F)   { fuzzTo(f, protocol.CBOR) }

// fuzzFrom checks that no frame panics, that errors are of the stated kinds,
// and that what was decoded is the same after a way through either encoding.
func fuzzFrom(f *testing.F, e protocol.Encoding) {
	for _, x := range fromVehicle() {
		frame, err := e.EncodeFrom(nil, x.message)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(frame)
	}
	f.Fuzz(func(t *testing.T, frame []byte) {
		m, err := e.DecodeFrom(frame)
		if err != nil {
			checkAnswer(t, err)
			return
		}
		for _, other := range encodings() {
			again, err := other.EncodeFrom(nil, m)
			if tooLarge(err) {
				continue
			}
			if err != nil {
				t.Fatalf("decoded %#v, which %v cannot encode: %v", m, other, err)
			}
			if got, err := other.DecodeFrom(again); err != nil || !reflect.DeepEqual(got, m) {
				t.Fatalf("decoded %#v; through %v %#v, %v", m, other, got, err)
			}
		}
	})
}

// fuzzTo is fuzzFrom for the other direction.
func fuzzTo(f *testing.F, e protocol.Encoding) {
	for _, x := range toVehicle() {
		frame, err := e.EncodeTo(nil, x.message)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(frame)
	}
	f.Fuzz(func(t *testing.T, frame []byte) {
		m, err := e.DecodeTo(frame)
		if err != nil {
			checkAnswer(t, err)
			return
		}
		for _, other := range encodings() {
			again, err := other.EncodeTo(nil, m)
			if tooLarge(err) {
				continue
			}
			if err != nil {
				t.Fatalf("decoded %#v, which %v cannot encode: %v", m, other, err)
			}
			if got, err := other.DecodeTo(again); err != nil || !reflect.DeepEqual(got, m) {
				t.Fatalf("decoded %#v; through %v %#v, %v", m, other, got, err)
			}
		}
	})
}

// tooLarge allows for a message that fits a frame only in the encoding and the
// spelling in which it came.
func tooLarge(err error) bool {
	wrong, ok := errors.AsType[*protocol.MessageError](err)
	return ok && wrong.Code == protocol.CodeFrameTooLarge
}

// checkAnswer checks that an error can be answered with a valid message.
func checkAnswer(t *testing.T, err error) {
	t.Helper()
	_, wrong := errors.AsType[*protocol.MessageError](err)
	_, unknown := errors.AsType[*protocol.UnknownTypeError](err)
	if !wrong && !unknown {
		t.Fatalf("error of another kind: %T %v", err, err)
	}
	if invalid := protocol.ErrorFor(err, at(0)).Validate(); invalid != nil {
		t.Fatalf("the answer to %q is not valid: %v", err, invalid)
	}
}

func BenchmarkDecodeTelemetry(b *testing.B) {
	for _, e := range encodings() {
		for _, samples := range []int{1, 8} {
			var m protocol.Telemetry
			for i := range samples {
				m.Samples = append(m.Samples, sampleAt(i))
			}
			frame, err := e.EncodeFrom(nil, m)
			if err != nil {
				b.Fatal(err)
			}
			b.Run(fmt.Sprintf("%v/%d", e, samples), func(b *testing.B) {
				b.SetBytes(int64(len(frame)))
				b.ReportAllocs()
				for b.Loop() {
					if _, err := e.DecodeFrom(frame); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

func BenchmarkEncodeTelemetry(b *testing.B) {
	for _, e := range encodings() {
		b.Run(e.String(), func(b *testing.B) {
			m := protocol.Telemetry{Samples: []protocol.Sample{sampleAt(0)}}
			var frame []byte
			b.ReportAllocs()
			for b.Loop() {
				var err error
				if frame, err = e.EncodeFrom(frame[:0], m); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
