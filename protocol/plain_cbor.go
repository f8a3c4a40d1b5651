package protocol

import (
	"encoding/binary"
	"math"
	"math/bits"
	"time"
)

// The short way for telemetry in CBOR as vehicles write it: the type first, each
// field of a sample once, none that is unknown or null, and no length that needs
// more than the initial byte, but for times and whole numbers. The order of the
// fields of samples and positions does not matter. A frame that is otherwise goes
// the long way from its start, and so does a wrong one: what is wrong is said there.

// plainTelemetry reads a whole frame.
func plainTelemetry(frame []byte) (m Telemetry, ok bool) {
	const head = "\xa2\x64type\x69telemetry\x67samples"
	// No sample takes fewer bytes, so that a number of samples which is a lie
	// costs no more memory than the frame.
	const leastSample = 100
	if len(frame) < len(head)+2 || string(frame[:len(head)]) != head {
		return m, false
	}
	var count int
	b, rest := frame[len(head)], frame[len(head)+1:]
	switch {
	case b>>5 == cborArray && b&31 < 24:
		count = int(b & 31)
	case b == cborArray<<5|24:
		count, rest = int(rest[0]), rest[1:]
	}
	if count == 0 || count > MaxSamples || count > len(rest)/leastSample {
		return m, false
	}
	m.Samples = make([]Sample, count)
	for i := range m.Samples {
		n := plainSample(rest, &m.Samples[i])
		if n == 0 {
			return m, false
		}
		rest = rest[n:]
	}
	return m, len(rest) == 0
}

// plainSample reads a sample from the start of data to m. The size is 0 for one
// that it does not take, and m then has no meaning.
func plainSample(data []byte, m *Sample) (size int) {
	const required, most = 1<<6 - 1, 7
	fields, rest := plainMap(data)
	if fields > most {
		return 0
	}
	seen, n := uint(0), 0
	for range fields {
		var key []byte
		if key, rest = plainKey(rest); key == nil {
			return 0
		}
		switch string(key) {
		case "time":
			seen |= 1 << 0
			m.Time, n = plainTaggedTime(rest)
		case "position":
			seen |= 1 << 1
			n = plainPosition(rest, &m.Position)
		case "speed_mps":
			seen |= 1 << 2
			m.SpeedMPS, n = plainFloat(rest)
		case "heading_deg":
			seen |= 1 << 3
			m.HeadingDeg, n = plainFloat(rest)
		case "battery_ratio":
			seen |= 1 << 4
			m.BatteryRatio, n = plainFloat(rest)
		case "mode":
			seen |= 1 << 5
			m.Mode, n = plainMode(rest)
		case "climb_mps":
			seen |= 1 << 6
			m.ClimbMPS, n = plainFloat(rest)
		default:
			return 0
		}
		if n == 0 {
			return 0
		}
		rest = rest[n:]
	}
	if seen&required != required || bits.OnesCount(seen) != fields {
		return 0
	}
	return len(data) - len(rest)
}

// plainPosition is plainSample for a position.
func plainPosition(data []byte, m *Position) (size int) {
	const required, most = 1<<3 - 1, 4
	fields, rest := plainMap(data)
	if fields > most {
		return 0
	}
	seen, n := uint(0), 0
	for range fields {
		var key []byte
		if key, rest = plainKey(rest); key == nil {
			return 0
		}
		switch string(key) {
		case "lon":
			seen |= 1 << 0
			m.Lon, n = plainFloat(rest)
		case "lat":
			seen |= 1 << 1
			m.Lat, n = plainFloat(rest)
		case "altitude_m":
			seen |= 1 << 2
			m.AltitudeM, n = plainFloat(rest)
		case "level":
			seen |= 1 << 3
			m.Level, n = plainLevel(rest)
		default:
			return 0
		}
		if n == 0 {
			return 0
		}
		rest = rest[n:]
	}
	if seen&required != required || bits.OnesCount(seen) != fields {
		return 0
	}
	return len(data) - len(rest)
}

// plainMap reads the head of a map; there are 32 fields or more when it is none.
func plainMap(data []byte) (fields int, rest []byte) {
	if len(data) == 0 {
		return 32, nil
	}
	return int(data[0] ^ cborMap<<5), data[1:]
}

// plainKey reads a string of less than 24 bytes; it is nil when there is none.
// Compared with known texts, it need not be checked to be UTF-8.
func plainKey(data []byte) (key, rest []byte) {
	if len(data) == 0 {
		return nil, nil
	}
	n := int(data[0] ^ cborString<<5)
	if n >= 24 || n >= len(data) {
		return nil, nil
	}
	return data[1 : n+1], data[n+1:]
}

func plainMode(data []byte) (mode Mode, size int) {
	text, _ := plainKey(data)
	for _, m := range modes() {
		if string(text) == string(m) {
			return m, len(text) + 1
		}
	}
	return "", 0
}

func plainLevel(data []byte) (level string, size int) {
	text, _ := plainKey(data)
	if text == nil || !isASCII(text) {
		return "", 0
	}
	return string(text), len(text) + 1
}

func plainFloat(data []byte) (v float64, size int) {
	if len(data) == 0 {
		return 0, 0
	}
	switch b, tail := data[0], data[1:]; {
	case b == cborSimple<<5|cborDouble && len(tail) >= 8:
		return math.Float64frombits(binary.BigEndian.Uint64(tail)), 9
	case b == cborSimple<<5|cborHalf && len(tail) >= 2:
		return halfFloat(binary.BigEndian.Uint16(tail)), 3
	case b == cborSimple<<5|cborSingle && len(tail) >= 4:
		return float64(math.Float32frombits(binary.BigEndian.Uint32(tail))), 5
	}
	return plainWhole(data)
}

// plainWhole reads a whole number of at most 16 bits and a sign.
func plainWhole(data []byte) (v float64, size int) {
	b, tail := data[0], data[1:]
	switch info := b & 31; {
	case info < 24:
		v, size = float64(info), 1
	case info == 24 && len(tail) >= 1:
		v, size = float64(tail[0]), 2
	case info == 25 && len(tail) >= 2:
		v, size = float64(binary.BigEndian.Uint16(tail)), 3
	}
	switch b >> 5 {
	case cborUint:
		return v, size
	case cborNegint:
		return -1 - v, size
	}
	return 0, 0
}

// plainTaggedTime takes lengths in the byte behind the initial byte too, which
// times with six digits of a second and more have.
func plainTaggedTime(data []byte) (t time.Time, size int) {
	if len(data) < 3 || data[0] != cborTag<<5 {
		return t, 0
	}
	n, start := int(data[1]^cborString<<5), 2
	if n == 24 {
		n, start = int(data[2]), 3
	} else if n > 24 {
		return t, 0
	}
	if n > len(data)-start {
		return t, 0
	}
	t, ok := plainTime(data[start : start+n])
	if !ok {
		return t, 0
	}
	return t, start + n
}
