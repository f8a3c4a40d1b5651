package protocol

import (
	"strconv"
	"unicode/utf8"
)

// Encoding is how messages become frames. The zero value is JSON.
type Encoding uint8

// The encodings of a link: JSON in text frames, CBOR in binary frames.
const (
	JSON Encoding = iota
	CBOR
)

// EncodingOf returns the encoding that a WebSocket sub-protocol names.
func EncodingOf(subprotocol string) (Encoding, bool) {
	switch subprotocol {
	case SubprotocolJSON:
		return JSON, true
	case SubprotocolCBOR:
		return CBOR, true
	}
	return JSON, false
}

// Subprotocol returns the WebSocket sub-protocol of the encoding.
func (e Encoding) Subprotocol() string {
	if e == CBOR {
		return SubprotocolCBOR
	}
	return SubprotocolJSON
}

// String returns "json" or "cbor".
func (e Encoding) String() string {
	if e == CBOR {
		return "cbor"
	}
	return "json"
}

// DecodeFrom returns the message in a frame from a vehicle: one of Hello,
// Telemetry, Ack, Progress and Fault, as a value. It keeps nothing of the
// frame. What it returns without an error is valid; an error is a
// *MessageError or an *UnknownTypeError, and ErrorFor makes the answer of it.
//
// A field that is null is taken as absent, a field that is not known is
// skipped; a known field that is absent though required, stands there twice or
// has another type is refused, and so is text that is not valid UTF-8. CBOR
// may have maps and arrays of indefinite length, but no strings in chunks.
// Times are returned in UTC and empty lists as nil.
func (e Encoding) DecodeFrom(frame []byte) (FromVehicle, error) {
	d, err := e.decoder(frame, MaxFrameFromVehicle)
	if err != nil {
		return nil, err
	}
	if d.cbor {
		if m, ok := plainTelemetry(frame); ok {
			if err := m.Validate(); err != nil {
				return nil, err
			}
			return m, nil
		}
	}
	var m FromVehicle
	typ := d.messageType()
	switch string(typ) {
	case "telemetry":
		d.typ = "telemetry"
		m = d.telemetry()
	case "hello":
		d.typ = "hello"
		m = d.hello()
	case "ack":
		d.typ = "ack"
		m = d.ack()
	case "progress":
		d.typ = "progress"
		m = d.progress()
	case "fault":
		d.typ = "fault"
		m = d.fault()
	default:
		return nil, d.unknownType(typ)
	}
	return ended(&d, m)
}

// ended returns the message that was read when the frame ends behind it and what
// it says is valid.
func ended[M interface{ Validate() error }](d *decoder, m M) (M, error) {
	err := d.finish()
	if err == nil {
		err = m.Validate()
	}
	if err != nil {
		var none M
		return none, err
	}
	return m, nil
}

// DecodeTo returns the message in a frame to a vehicle: one of Welcome, Alive,
// Mission, Command, Received and Error, as a value. Its promises are those of
// DecodeFrom.
func (e Encoding) DecodeTo(frame []byte) (ToVehicle, error) {
	d, err := e.decoder(frame, MaxFrameToVehicle)
	if err != nil {
		return nil, err
	}
	var m ToVehicle
	typ := d.messageType()
	switch string(typ) {
	case "alive":
		d.typ = "alive"
		m = d.alive()
	case "received":
		d.typ = "received"
		m = d.received()
	case "mission":
		d.typ = "mission"
		m = d.mission()
	case "command":
		d.typ = "command"
		m = d.command()
	case "welcome":
		d.typ = "welcome"
		m = d.welcome()
	case "error":
		d.typ = "error"
		m = d.errorMessage()
	default:
		return nil, d.unknownType(typ)
	}
	return ended(&d, m)
}

// decoder checks what concerns the frame as a whole.
func (e Encoding) decoder(frame []byte, limit int) (decoder, error) {
	d := decoder{data: frame, cbor: e == CBOR}
	if len(frame) > limit {
		return d, tooLarge(len(frame), limit)
	}
	if !d.cbor && !utf8.Valid(frame) {
		return d, &MessageError{Code: CodeBadMessage, Problem: "the frame is not valid UTF-8"}
	}
	return d, nil
}

func tooLarge(size, limit int) error {
	problem := "the frame has " + strconv.Itoa(size) + " bytes; send at most " + strconv.Itoa(limit)
	return &MessageError{Code: CodeFrameTooLarge, Problem: problem}
}

// unknownType is the error for a type that this direction does not have, or
// for a frame whose type could not be read.
func (d *decoder) unknownType(typ []byte) error {
	if d.err != nil {
		return d.err
	}
	return &UnknownTypeError{Type: CleanText(string(typ), MaxIDBytes)}
}
