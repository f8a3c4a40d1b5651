// Package protocol defines the messages that vehicles and Kapok exchange over
// a link, their encodings and their limits. It opens no sockets.
//
// A link carries one message a frame. From the vehicle come Hello, Telemetry,
// Ack, Progress and Fault; from Kapok come Welcome, Alive, Mission, Command,
// Received and Error. The same Go structs are encoded as JSON (text frames,
// sub-protocol kapok.v1.json) and as CBOR (binary frames, kapok.v1.cbor). The
// field "type" names the message. Unknown fields are ignored; an unknown type
// is answered with Error.
//
// Units are SI and stand in the names: _m, _mps, _s, _deg, _ratio. Positions
// are WGS-84 and altitudes are above mean sea level (EGM96). Times are RFC 3339
// UTC in JSON and tag 0 in CBOR.
package protocol
