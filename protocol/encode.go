package protocol

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"

	"github.com/fxamacker/cbor/v2"
)

// EncodeFrom appends the frame of a message from a vehicle to dst. The message
// must be one of the five structs as a value. One that is not valid, or whose
// frame would be longer than MaxFrameFromVehicle, is refused with a
// *MessageError, so that whatever is encoded can be decoded; dst is then
// returned as it was. Times are written in UTC.
func (e Encoding) EncodeFrom(dst []byte, m FromVehicle) ([]byte, error) {
	if m == nil {
		return dst, fmt.Errorf("encoding a message from a vehicle: it is nil")
	}
	if err := m.Validate(); err != nil {
		return dst, fmt.Errorf("encoding a message from a vehicle: %w", err)
	}
	var frame any // The type, then the message's own fields beside it.
	switch m := m.(type) {
	case Hello:
		m.Time = m.Time.UTC()
		frame = struct {
			Type string `json:"type"`
			Hello
		}{"hello", m}
	case Telemetry:
		m.Samples = utcSamples(m.Samples)
		if e == CBOR && len(m.Samples) > 0 {
			frame := appendTelemetry(dst, &m)
			if size := len(frame) - len(dst); size > MaxFrameFromVehicle {
				return dst, tooLarge(size, MaxFrameFromVehicle)
			}
			return frame, nil
		}
		frame = struct {
			Type string `json:"type"`
			Telemetry
		}{"telemetry", m}
	case Ack:
		frame = struct {
			Type string `json:"type"`
			Ack
		}{"ack", m}
	case Progress:
		m.Time = m.Time.UTC()
		frame = struct {
			Type string `json:"type"`
			Progress
		}{"progress", m}
	case Fault:
		m.Time = m.Time.UTC()
		frame = struct {
			Type string `json:"type"`
			Fault
		}{"fault", m}
	default:
		return dst, fmt.Errorf("encoding a message from a vehicle: %T is not a message as a value", m)
	}
	return e.append(dst, frame, MaxFrameFromVehicle)
}

// EncodeTo appends the frame of a message to a vehicle to dst. The message must
// be one of the six structs as a value; the promises are those of EncodeFrom,
// with MaxFrameToVehicle as the limit.
func (e Encoding) EncodeTo(dst []byte, m ToVehicle) ([]byte, error) {
	if m == nil {
		return dst, fmt.Errorf("encoding a message to a vehicle: it is nil")
	}
	if err := m.Validate(); err != nil {
		return dst, fmt.Errorf("encoding a message to a vehicle: %w", err)
	}
	var frame any
	switch m := m.(type) {
	case Welcome:
		m.HelloTime, m.Time = m.HelloTime.UTC(), m.Time.UTC()
		frame = struct {
			Type string `json:"type"`
			Welcome
		}{"welcome", m}
	case Alive:
		m.Time = m.Time.UTC()
		if e == CBOR {
			return appendAlive(dst, &m), nil
		}
		frame = struct {
			Type string `json:"type"`
			Alive
		}{"alive", m}
	case Mission:
		m.Time, m.Legs = m.Time.UTC(), wireLegs(m.Legs)
		frame = struct {
			Type string `json:"type"`
			Mission
		}{"mission", m}
	case Command:
		m.Time, m.ExpiresAt = m.Time.UTC(), m.ExpiresAt.UTC()
		frame = struct {
			Type string `json:"type"`
			Command
		}{"command", m}
	case Received:
		m.Time = m.Time.UTC()
		if e == CBOR {
			return appendReceived(dst, &m), nil
		}
		frame = struct {
			Type string `json:"type"`
			Received
		}{"received", m}
	case Error:
		m.Time = m.Time.UTC()
		frame = struct {
			Type string `json:"type"`
			Error
		}{"error", m}
	default:
		return dst, fmt.Errorf("encoding a message to a vehicle: %T is not a message as a value", m)
	}
	return e.append(dst, frame, MaxFrameToVehicle)
}

// utcSamples returns the samples with times in UTC, the same slice when they
// are so already.
func utcSamples(samples []Sample) []Sample {
	for i := range samples {
		if samples[i].Time.Location() != time.UTC {
			samples = append([]Sample(nil), samples...)
			for j := range samples {
				samples[j].Time = samples[j].Time.UTC()
			}
			return samples
		}
	}
	return samples
}

// wireLegs returns a copy of the legs with times in UTC and with empty lists
// where there are none, since null means that a required field is missing.
func wireLegs(legs []Leg) []Leg {
	out := make([]Leg, len(legs))
	for i, leg := range legs {
		if !leg.NotBefore.IsZero() {
			leg.NotBefore = leg.NotBefore.UTC()
		}
		if !leg.ETA.IsZero() {
			leg.ETA = leg.ETA.UTC()
		}
		if leg.Path == nil {
			leg.Path = []Position{}
		}
		out[i] = leg
	}
	return out
}

func (e Encoding) append(dst []byte, frame any, limit int) ([]byte, error) {
	buffer := bytes.NewBuffer(dst)
	write := writeJSON
	if e == CBOR {
		write = writeCBOR
	}
	if err := write(buffer, frame); err != nil {
		return dst, fmt.Errorf("encoding a message as %v: %w", e, err)
	}
	if size := buffer.Len() - len(dst); size > limit {
		return dst, tooLarge(size, limit)
	}
	return buffer.Bytes(), nil
}

func writeJSON(buffer *bytes.Buffer, frame any) error {
	encoder := json.NewEncoder(buffer)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(frame); err != nil {
		return err
	}
	buffer.Truncate(buffer.Len() - 1) // Encode ends with a line feed.
	return nil
}

// writeCBOR writes the shortest float that keeps the value, and times as text
// with tag 0. Making the mode each time costs little beside the writing: the
// library keeps what it learns of the types by itself.
func writeCBOR(buffer *bytes.Buffer, frame any) error {
	mode, err := cbor.EncOptions{
		ShortestFloat: cbor.ShortestFloat16,
		Time:          cbor.TimeRFC3339NanoUTC,
		TimeTag:       cbor.EncTagRequired,
	}.UserBufferEncMode()
	if err != nil {
		return err
	}
	return mode.MarshalToBuffer(frame, buffer)
}
