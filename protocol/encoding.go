package protocol

import "errors"

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

var errNotBuilt = errors.New("protocol: not built yet")

// EncodeFrom appends the frame of a message from a vehicle.
func (e Encoding) EncodeFrom(dst []byte, m FromVehicle) ([]byte, error) { return dst, errNotBuilt }

// EncodeTo appends the frame of a message to a vehicle.
func (e Encoding) EncodeTo(dst []byte, m ToVehicle) ([]byte, error) { return dst, errNotBuilt }

// DecodeFrom returns the message in a frame from a vehicle.
func (e Encoding) DecodeFrom(frame []byte) (FromVehicle, error) { return nil, errNotBuilt }

// DecodeTo returns the message in a frame to a vehicle.
func (e Encoding) DecodeTo(frame []byte) (ToVehicle, error) { return nil, errNotBuilt }
