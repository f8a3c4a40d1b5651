package track

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"math"
	"slices"
	"time"
)

const (
	formatVersion    = 1
	fileMagic        = "kapoktrk"
	fileHeaderBytes  = 12
	blockMagic       = "tblk"
	blockHeaderBytes = 32
	// maxBlockBytes is the longest body that is believed; far more than a full
	// memory of samples takes.
	maxBlockBytes = 64 << 20
	// maxTextBytes bounds ids, modes and levels; longer ones are cut.
	maxTextBytes = 255
)

// Sample is where a vehicle was. Angles are WGS-84 degrees, AltitudeM is metres
// above mean sea level (EGM96). What is kept is exact to 1e-7 degrees, 1 cm,
// 1 cm/s, 0.01 degrees of heading, 0.01 % of charge and 1 ms.
type Sample struct {
	Vehicle      string
	Time         time.Time
	Lon, Lat     float64
	AltitudeM    float64
	Level        string
	SpeedMPS     float64
	HeadingDeg   float64
	BatteryRatio float64
	Mode         string
}

// stored is a sample as it is written.
type stored struct {
	numbers     [7]int64
	mode, level string
}

// scales are the units of the numbers behind the time.
func scales() [6]float64 { return [6]float64{1e7, 1e7, 100, 100, 100, 1e4} }

func (s *Sample) store() stored {
	out := stored{mode: cut(s.Mode), level: cut(s.Level)}
	out.numbers[0] = s.Time.UnixMilli()
	for i, v := range [6]float64{s.Lon, s.Lat, s.AltitudeM, s.SpeedMPS, s.HeadingDeg, s.BatteryRatio} {
		// Differences of what is this small never overflow; what is not a number is
		// nothing that a vehicle was admitted with.
		if scaled := math.Round(v * scales()[i]); math.Abs(scaled) < 1<<60 {
			out.numbers[1+i] = int64(scaled)
		}
	}
	return out
}

func (s stored) sample(vehicle string) Sample {
	var v [6]float64
	for i := range v {
		v[i] = float64(s.numbers[1+i]) / scales()[i]
	}
	return Sample{
		Vehicle: vehicle, Time: time.UnixMilli(s.numbers[0]).UTC(), Lon: v[0], Lat: v[1], AltitudeM: v[2], Level: s.level,
		SpeedMPS: v[3], HeadingDeg: v[4], BatteryRatio: v[5], Mode: s.mode,
	}
}

func cut(text string) string { return text[:min(len(text), maxTextBytes)] }

func checksum(data []byte) uint32 { return crc32.Checksum(data, crc32.MakeTable(crc32.Castagnoli)) }

func fileHeader() []byte {
	return binary.LittleEndian.AppendUint32([]byte(fileMagic), formatVersion)
}

// blockHeader is what stands before a block's body.
type blockHeader struct {
	length      int
	first, last int64 // Unix milliseconds
	sum         uint32
}

// parseBlockHeader needs blockHeaderBytes.
func parseBlockHeader(b []byte) (blockHeader, bool) {
	h := blockHeader{
		length: int(binary.LittleEndian.Uint32(b[4:])),
		first:  int64(binary.LittleEndian.Uint64(b[8:])),  //nolint:gosec // Written from an int64.
		last:   int64(binary.LittleEndian.Uint64(b[16:])), //nolint:gosec // Likewise.
		sum:    binary.LittleEndian.Uint32(b[28:]),
	}
	ok := string(b[:4]) == blockMagic && binary.LittleEndian.Uint32(b[24:]) == checksum(b[:24]) && h.length <= maxBlockBytes
	return h, ok
}

// appendBlock writes samples, of which there is at least one, as a block. It
// sorts them.
func appendBlock(dst []byte, samples []Sample) []byte {
	slices.SortStableFunc(samples, func(a, b Sample) int {
		return cmp.Or(cmp.Compare(a.Vehicle, b.Vehicle), a.Time.Compare(b.Time))
	})
	var body []byte
	first, last := int64(math.MaxInt64), int64(math.MinInt64)
	for from := 0; from < len(samples); {
		to := from + 1
		for to < len(samples) && samples[to].Vehicle == samples[from].Vehicle {
			to++
		}
		body = appendRun(body, samples[from:to])
		first, last = min(first, samples[from].Time.UnixMilli()), max(last, samples[to-1].Time.UnixMilli())
		from = to
	}
	start := len(dst)
	dst = append(dst, blockMagic...)
	dst = binary.LittleEndian.AppendUint32(dst, uint32(len(body)))
	dst = binary.LittleEndian.AppendUint64(dst, uint64(first)) //nolint:gosec // Read back as an int64.
	dst = binary.LittleEndian.AppendUint64(dst, uint64(last))  //nolint:gosec // Likewise.
	dst = binary.LittleEndian.AppendUint32(dst, checksum(dst[start:]))
	dst = binary.LittleEndian.AppendUint32(dst, checksum(body))
	return append(dst, body...)
}

func appendRun(dst []byte, samples []Sample) []byte {
	id := cut(samples[0].Vehicle)
	dst = append(binary.AppendUvarint(dst, uint64(len(id))), id...)
	dst = binary.AppendUvarint(dst, uint64(len(samples)))
	var run []byte
	var before stored
	for i := range samples {
		s := samples[i].store()
		for n := range s.numbers {
			run = binary.AppendVarint(run, s.numbers[n]-before.numbers[n])
		}
		run = appendChanged(run, s.mode, before.mode)
		run = appendChanged(run, s.level, before.level)
		before = s
	}
	dst = binary.AppendUvarint(dst, uint64(len(run)))
	return append(dst, run...)
}

func appendChanged(dst []byte, text, before string) []byte {
	if text == before {
		return append(dst, 0)
	}
	return append(binary.AppendUvarint(dst, uint64(len(text))+1), text...)
}

var errMalformed = errors.New("track: a block does not hold what it says")

// run is the samples of one vehicle in a block.
type run struct {
	vehicle string
	count   uint64
	data    []byte
}

// takeRun splits the first run off a body.
func takeRun(body []byte) (r run, rest []byte, err error) {
	id, body, ok := takeBytes(body)
	count, n := binary.Uvarint(body)
	if !ok || n <= 0 {
		return run{}, nil, errMalformed
	}
	data, rest, ok := takeBytes(body[n:])
	// A sample has nine numbers at least.
	if !ok || count > uint64(len(data)/9) {
		return run{}, nil, errMalformed
	}
	return run{string(id), count, data}, rest, nil
}

func takeBytes(b []byte) (taken, rest []byte, ok bool) {
	length, n := binary.Uvarint(b)
	if n <= 0 || length > uint64(len(b)-n) {
		return nil, nil, false
	}
	return b[n : n+int(length)], b[n+int(length):], true //nolint:gosec // Within the slice.
}

// each decodes the samples of a run, in order; false from yield ends it.
func (r run) each(yield func(Sample) bool) error {
	data := r.data
	var s stored
	for range r.count {
		for i := range s.numbers {
			v, n := binary.Varint(data)
			if n <= 0 {
				return errMalformed
			}
			s.numbers[i] += v
			data = data[n:]
		}
		var ok, okToo bool
		s.mode, data, ok = takeChanged(data, s.mode)
		s.level, data, okToo = takeChanged(data, s.level)
		if !ok || !okToo {
			return errMalformed
		}
		if !yield(s.sample(r.vehicle)) {
			return nil
		}
	}
	return nil
}

func takeChanged(b []byte, before string) (text string, rest []byte, ok bool) {
	length, n := binary.Uvarint(b)
	switch {
	case n <= 0 || length > uint64(len(b)-n)+1:
		return "", nil, false
	case length == 0:
		return before, b[n:], true
	}
	end := n + int(length) - 1 //nolint:gosec // Within the slice.
	taken := b[n:end]
	if string(taken) == before {
		return before, b[end:], true
	}
	return string(bytes.ToValidUTF8(taken, []byte("?"))), b[end:], true
}
