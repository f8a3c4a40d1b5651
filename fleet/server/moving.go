package server

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/kapok-fleet/kapok/fleet"
	"github.com/kapok-fleet/kapok/protocol"
)

// appendMoving appends the part of a vehicle that changes by itself, nil for one
// that was never heard: the bytes of json.Marshal of its api.VehiclePosition, at
// a tenth of the cost. On an error what it returns is worth nothing.
func appendMoving(b []byte, id fleet.VehicleID, p *fleet.Presence) ([]byte, error) {
	b = append(b, `{"id":`...)
	b, err := appendText(b, string(id))
	if err != nil {
		return b, err
	}
	if p == nil {
		return append(b, `,"link":"`+string(fleet.LinkUnknown)+`","speed_mps":0,"heading_deg":0,"battery_ratio":0}`...), nil
	}
	b = append(b, `,"link":`...)
	if b, err = appendText(b, string(p.Link)); err != nil {
		return b, err
	}
	if b, err = appendTime(b, `,"last_heard":"`, p.LastHeard); err != nil {
		return b, err
	}
	sample := &protocol.Sample{}
	if p.Known {
		sample = &p.Sample
		if b, err = appendPlace(b, &p.Sample.Position); err != nil {
			return b, err
		}
	}
	if b, err = appendTime(b, `,"position_time":"`, sample.Time); err != nil {
		return b, err
	}
	if !finite(sample.SpeedMPS) || !finite(sample.HeadingDeg) || !finite(sample.BatteryRatio) {
		return b, fmt.Errorf("server: encode vehicle %q: %v, %v, %v: not all are JSON numbers", id, sample.SpeedMPS, sample.HeadingDeg, sample.BatteryRatio)
	}
	b = appendNumber(append(b, `,"speed_mps":`...), sample.SpeedMPS)
	b = appendNumber(append(b, `,"heading_deg":`...), sample.HeadingDeg)
	b = appendNumber(append(b, `,"battery_ratio":`...), sample.BatteryRatio)
	if sample.Mode != "" {
		b = append(b, `,"mode":`...)
		if b, err = appendText(b, string(sample.Mode)); err != nil {
			return b, err
		}
	}
	return append(b, '}'), nil
}

// appendPlace appends the member with where a vehicle is.
func appendPlace(b []byte, p *protocol.Position) ([]byte, error) {
	if !finite(p.Lon) || !finite(p.Lat) || !finite(p.AltitudeM) {
		return b, fmt.Errorf("server: encode the position %v,%v,%v: not all are JSON numbers", p.Lon, p.Lat, p.AltitudeM)
	}
	b = appendNumber(append(b, `,"position":{"lon":`...), p.Lon)
	b = appendNumber(append(b, `,"lat":`...), p.Lat)
	b = appendNumber(append(b, `,"altitude_m":`...), p.AltitudeM)
	if p.Level != "" {
		var err error
		b = append(b, `,"level":`...)
		if b, err = appendText(b, p.Level); err != nil {
			return b, err
		}
	}
	return append(b, '}'), nil
}

// appendTime appends a member that begins with name and an opening quote; none
// for the zero time.
func appendTime(b []byte, name string, t time.Time) ([]byte, error) {
	if t.IsZero() {
		return b, nil
	}
	b, err := t.AppendText(append(b, name...))
	if err != nil {
		return b, fmt.Errorf("server: encode a time: %w", err)
	}
	return append(b, '"'), nil
}

// finite tells whether there is a JSON number for v.
func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

// appendNumber writes a finite number as encoding/json does: short, with an
// exponent only where it is very small or very large.
func appendNumber(b []byte, v float64) []byte {
	if b, ok := appendDecimal(b, v); ok {
		return b
	}
	format := byte('f')
	if abs := math.Abs(v); abs != 0 && (abs < 1e-6 || abs >= 1e21) {
		format = 'e'
	}
	b = strconv.AppendFloat(b, v, format, -1, 64)
	if n := len(b); format == 'e' && n >= 4 && b[n-4] == 'e' && b[n-3] == '-' && b[n-2] == '0' {
		b[n-2] = b[n-1]
		b = b[:n-1]
	}
	return b
}

const (
	// decimals are the digits behind the point of what appendDecimal writes, and
	// fraction is ten to that power.
	decimals = 7
	fraction = 10_000_000
	// exact bounds numbers of 15 digits, all of which a float64 tells apart: if one
	// of them reads as a number, no shorter one does.
	exact = 1e15
)

// appendDecimal writes a number that a few decimals say exactly, as vehicles send
// them; false, with nothing written, for any other.
func appendDecimal(b []byte, v float64) ([]byte, bool) {
	scaled := math.RoundToEven(v * fraction)
	// What needs an exponent, and zero, which may be negative, are left out.
	if abs := math.Abs(scaled); !(abs >= fraction/1e6 && abs < exact) || scaled/fraction != v {
		return b, false
	}
	n := int64(scaled)
	if n < 0 {
		b, n = append(b, '-'), -n
	}
	b = strconv.AppendInt(b, n/fraction, 10)
	rest := n % fraction
	if rest == 0 {
		return b, true
	}
	var digits [1 + decimals]byte
	digits[0] = '.'
	end := 0
	for i := decimals; i > 0; i-- {
		digit := rest % 10
		rest /= 10
		digits[i] = '0' + byte(digit) //nolint:gosec // A digit.
		if end == 0 && digit != 0 {
			end = i + 1
		}
	}
	return append(b, digits[:end]...), true
}

// appendText writes a string with its quotes. What needs an escape is rare and
// left to encoding/json.
func appendText(b []byte, text string) ([]byte, error) {
	for i := range len(text) {
		if c := text[i]; c < ' ' || c > '~' || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&' {
			quoted, err := json.Marshal(text)
			if err != nil {
				return b, fmt.Errorf("server: encode %q: %w", text, err)
			}
			return append(b, quoted...), nil
		}
	}
	b = append(b, '"')
	b = append(b, text...)
	return append(b, '"'), nil
}
