package fleet

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/kapok-fleet/kapok/protocol"
)

// The steps in which a checksum over events takes in where vehicles are: finer
// than any of it is known, and coarser than what rounding does.
const (
	sumDegrees = 1e9
	sumMetres  = 1e3
	sumRatio   = 1e9
)

// moved is the first byte of a Moved in a checksum; no other event begins so, as
// they are JSON.
const movedMark = 'm'

// AppendSummed appends to dst what a checksum over all events takes of one, for
// the same events the same bytes: a durable event as EncodeEvent writes it, for
// which written is taken where it is not empty, and a volatile one likewise, but
// for Moved, of which there are more than of all others together. It stands in
// a binary form: times in nanoseconds, places to the 1e-9 degree and the
// millimetre, speeds to mm/s and headings to the thousandth of a degree.
func AppendSummed(dst []byte, r *Recorded, written []byte) ([]byte, error) {
	m, ok := r.Event.(Moved)
	if !ok {
		if len(written) == 0 {
			var err error
			if written, err = EncodeEvent(*r); err != nil {
				return dst, err
			}
		}
		return append(append(dst, written...), '\n'), nil
	}
	dst = slices.Grow(append(dst, movedMark), 128*(1+len(m.Earlier)))
	for _, text := range [...]string{r.Actor, r.Input, string(m.Vehicle)} {
		dst = append(append(dst, text...), 0)
	}
	dst = appendInt(appendTime(dst, r.Time), int64(r.Cause))
	dst = appendInt(dst, int64(len(m.Earlier)))
	for i := range m.Earlier {
		dst = appendSample(dst, &m.Earlier[i])
	}
	dst = appendSample(dst, &m.Sample)
	if bad := badNumber(&m.Sample); bad {
		return dst, fmt.Errorf("fleet: a sample of %s has a number that is none", m.Vehicle)
	}
	return dst, nil
}

// badNumber tells whether a sample holds what cannot be written.
func badNumber(s *protocol.Sample) bool {
	all := s.Position.Lon + s.Position.Lat + s.Position.AltitudeM + s.SpeedMPS + s.ClimbMPS + s.HeadingDeg + s.BatteryRatio
	return math.IsNaN(all) || math.IsInf(all, 0)
}

func appendSample(dst []byte, s *protocol.Sample) []byte {
	dst = appendTime(dst, s.Time)
	dst = appendSteps(dst, s.Position.Lon, sumDegrees)
	dst = appendSteps(dst, s.Position.Lat, sumDegrees)
	dst = appendSteps(dst, s.Position.AltitudeM, sumMetres)
	dst = appendSteps(dst, s.SpeedMPS, sumMetres)
	dst = appendSteps(dst, s.ClimbMPS, sumMetres)
	dst = appendSteps(dst, s.HeadingDeg, sumMetres)
	dst = appendSteps(dst, s.BatteryRatio, sumRatio)
	dst = append(append(dst, s.Mode...), 0)
	return append(append(dst, s.Position.Level...), 0)
}

func appendTime(dst []byte, t time.Time) []byte {
	return binary.LittleEndian.AppendUint64(dst, uint64(t.UnixNano()))
}

func appendInt(dst []byte, n int64) []byte {
	return binary.LittleEndian.AppendUint64(dst, uint64(n))
}

// appendSteps writes a number in whole steps.
func appendSteps(dst []byte, x, steps float64) []byte {
	return appendInt(dst, int64(math.Round(x*steps)))
}
