package protocol

import (
	"encoding/binary"
	"math"
	"time"
)

// The short way to write, in CBOR, telemetry, which is nearly all that vehicles
// send, and the two messages that are nearly all they are sent: byte for byte what the
// long way writes.

// appendTelemetry appends the frame of a valid message, whose times are in UTC.
func appendTelemetry(dst []byte, m *Telemetry) []byte {
	dst = append(dst, "\xa2\x64type\x69telemetry\x67samples"...)
	dst = appendHead(dst, cborArray, len(m.Samples))
	for i := range m.Samples {
		dst = appendSample(dst, &m.Samples[i])
	}
	return dst
}

// appendAlive and appendReceived append the frame of a message whose time is in UTC.
func appendAlive(dst []byte, m *Alive) []byte {
	return appendTime(append(dst, "\xa2\x64type\x65alive\x64time"...), m.Time)
}

func appendReceived(dst []byte, m *Received) []byte {
	dst = append(dst, "\xa4\x64type\x68received\x66log_id"...)
	dst = append(appendHead(dst, cborString, len(m.LogID)), m.LogID...)
	dst = appendWhole(append(dst, "\x63seq"...), m.Seq)
	return appendTime(append(dst, "\x64time"...), m.Time)
}

// appendWhole writes a number that is whole and not negative.
func appendWhole(dst []byte, n uint64) []byte {
	switch {
	case n < 1<<16:
		return appendHead(dst, cborUint, int(n))
	case n < 1<<32:
		return binary.BigEndian.AppendUint32(append(dst, cborUint<<5|26), uint32(n))
	}
	return binary.BigEndian.AppendUint64(append(dst, cborUint<<5|27), n)
}

func appendSample(dst []byte, s *Sample) []byte {
	fields := 7
	if s.ClimbMPS == 0 {
		fields--
	}
	dst = appendHead(dst, cborMap, fields)
	dst = appendTime(append(dst, "\x64time"...), s.Time)
	dst = append(dst, "\x68position"...)
	fields = 4
	if s.Position.Level == "" {
		fields--
	}
	dst = appendHead(dst, cborMap, fields)
	dst = appendFloat(append(dst, "\x63lon"...), s.Position.Lon)
	dst = appendFloat(append(dst, "\x63lat"...), s.Position.Lat)
	dst = appendFloat(append(dst, "\x6aaltitude_m"...), s.Position.AltitudeM)
	if s.Position.Level != "" {
		dst = appendHead(append(dst, "\x65level"...), cborString, len(s.Position.Level))
		dst = append(dst, s.Position.Level...)
	}
	dst = appendFloat(append(dst, "\x69speed_mps"...), s.SpeedMPS)
	if s.ClimbMPS != 0 {
		dst = appendFloat(append(dst, "\x69climb_mps"...), s.ClimbMPS)
	}
	dst = appendFloat(append(dst, "\x6bheading_deg"...), s.HeadingDeg)
	dst = appendFloat(append(dst, "\x6dbattery_ratio"...), s.BatteryRatio)
	dst = appendHead(append(dst, "\x64mode"...), cborString, len(s.Mode))
	return append(dst, s.Mode...)
}

// appendHead writes a length, or a number of fields or items, below 65,536.
func appendHead(dst []byte, major byte, n int) []byte {
	switch {
	case n < 24:
		return append(dst, major<<5|byte(n))
	case n < 1<<8:
		return append(dst, major<<5|24, byte(n))
	}
	return binary.BigEndian.AppendUint16(append(dst, major<<5|25), uint16(n))
}

func appendTime(dst []byte, t time.Time) []byte {
	const head, longest = 2, len("2006-01-02T15:04:05.123456789Z")
	var room [head + longest + 8]byte
	text := t.AppendFormat(room[:0], time.RFC3339Nano)
	return append(appendHead(append(dst, cborTag<<5), cborString, len(text)), text...)
}

// appendFloat writes a number in the shortest form that keeps it.
func appendFloat(dst []byte, x float64) []byte {
	short := float32(x)
	if float64(short) != x {
		return binary.BigEndian.AppendUint64(append(dst, cborSimple<<5|cborDouble), math.Float64bits(x))
	}
	bits := math.Float32bits(short)
	if half, ok := halfBits(bits); ok {
		return binary.BigEndian.AppendUint16(append(dst, cborSimple<<5|cborHalf), half)
	}
	return binary.BigEndian.AppendUint32(append(dst, cborSimple<<5|cborSingle), bits)
}

// halfBits are the bits of a number in half precision, of its bits in single
// precision; false for one that half precision does not have, or has only as a
// subnormal number below 2^-14 with bits lost.
func halfBits(bits uint32) (uint16, bool) {
	sign := uint16(bits >> 16 & 0x8000)
	exponent, fraction := int(bits>>23&0xff)-127, bits&0x7fffff
	switch {
	case bits&0x7fffffff == 0:
		return sign, true
	case exponent >= -14 && exponent <= 15 && fraction&0x1fff == 0:
		return sign | uint16(exponent+15)<<10 | uint16(fraction>>13), true
	case exponent >= -24 && exponent < -14:
		// The leading one becomes explicit, and moves down.
		shift := uint(-1 - exponent)
		if full := fraction | 0x800000; full&(1<<shift-1) == 0 {
			return sign | uint16(full>>shift), true
		}
	}
	return 0, false
}
