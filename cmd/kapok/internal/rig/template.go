package rig

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"time"

	"github.com/kapok-fleet/kapok/protocol"
)

const (
	// What a template is found by. All values written in their place have as many
	// characters in JSON, and as many bytes in CBOR.
	markLon = 113.9301234
	markLat = 22.5101234
	// markTime is in microseconds, as all times are.
	timeLayout = "2006-01-02T15:04:05.000000Z"
	timeBytes  = len(timeLayout)
	// roverSpeedMPS is how fast they move.
	roverSpeedMPS = 1.2
)

// template is a telemetry frame with its WebSocket head, in which only times and
// places are written anew for each vehicle. That makes a sample many times
// cheaper to send than to read.
type template struct {
	cbor  bool
	frame []byte
	slots []slot
	// second and prefix are the last second that was written: "2006-…:05.".
	second int64
	prefix [20]byte
}

// slot is where a sample's values stand in the frame.
type slot struct{ time, lon, lat int }

// newTemplate makes one for frames of so many samples.
func newTemplate(cbor bool, samples int) (*template, error) {
	mark := time.Date(2020, 1, 2, 3, 4, 5, 678901000, time.UTC)
	sample := protocol.Sample{
		Time: mark, Position: protocol.Position{Lon: markLon, Lat: markLat, AltitudeM: 4},
		SpeedMPS: roverSpeedMPS, HeadingDeg: 90, BatteryRatio: 0.87, Mode: protocol.ModeIdle,
	}
	message := protocol.Telemetry{}
	for range samples {
		message.Samples = append(message.Samples, sample)
	}
	encoding, opcode := protocol.JSON, byte(opText)
	lon, lat := []byte("113.9301234"), []byte("22.5101234")
	if cbor {
		encoding, opcode = protocol.CBOR, opBinary
		lon = binary.BigEndian.AppendUint64(nil, math.Float64bits(markLon))
		lat = binary.BigEndian.AppendUint64(nil, math.Float64bits(markLat))
	}
	payload, err := encoding.EncodeFrom(nil, message)
	if err != nil {
		return nil, fmt.Errorf("making a telemetry frame: %w", err)
	}
	t := &template{cbor: cbor, frame: AppendFrame(nil, opcode, payload), second: math.MinInt64}
	at := 0
	find := func(mark []byte) int {
		i := bytes.Index(t.frame[at:], mark)
		if i < 0 {
			err = fmt.Errorf("making a telemetry frame: %q does not stand in it", mark)
			return 0
		}
		at += i + len(mark)
		return at - len(mark)
	}
	for range samples {
		t.slots = append(t.slots, slot{find([]byte(mark.Format(timeLayout))), find(lon), find(lat)})
	}
	return t, err
}

// set writes a sample's time and place.
func (t *template) set(i int, at time.Time, lon, lat float64) {
	s := t.slots[i]
	t.setTime(t.frame[s.time:s.time+timeBytes], at)
	if t.cbor {
		binary.BigEndian.PutUint64(t.frame[s.lon:], math.Float64bits(lon))
		binary.BigEndian.PutUint64(t.frame[s.lat:], math.Float64bits(lat))
		return
	}
	putDecimal(t.frame[s.lon:s.lon+11], lon)
	putDecimal(t.frame[s.lat:s.lat+10], lat)
}

func (t *template) setTime(dst []byte, at time.Time) {
	if second := at.Unix(); second != t.second {
		t.second = second
		var text [timeBytes]byte
		copy(t.prefix[:], at.UTC().AppendFormat(text[:0], timeLayout))
	}
	copy(dst, t.prefix[:])
	putDigits(dst[20:26], uint64(at.Nanosecond()/1000))
}

// putDecimal writes a positive number with seven digits behind the point, in as
// many characters as there are.
func putDecimal(dst []byte, v float64) {
	n := uint64(math.Round(v * 1e7))
	point := len(dst) - 8
	putDigits(dst[point+1:], n%1e7)
	dst[point] = '.'
	putDigits(dst[:point], n/1e7)
}

func putDigits(dst []byte, n uint64) {
	for i := len(dst) - 1; i >= 0; i-- {
		dst[i] = '0' + byte(n%10)
		n /= 10
	}
}
