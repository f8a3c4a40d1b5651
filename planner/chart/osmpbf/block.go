package osmpbf

import (
	"math"
	"time"

	"google.golang.org/protobuf/encoding/protowire"
)

// Bounds of places, in nanodegrees.
const (
	maxLat = 90 * nanodegrees
	maxLon = 180 * nanodegrees
	// maxOffset is the largest offset of a block's coordinates that can lead to
	// a place on earth and is of use.
	maxOffset = 360 * nanodegrees
)

func zigzag(coded uint64) int64 { return protowire.DecodeZigZag(coded) }

// readData decodes a block of elements. What holds for all groups may stand
// after them, so it is gathered first.
func (d *decoder) readData(raw []byte) error {
	d.strings.reset()
	d.granularity, d.dateGranularity = 100, 1000
	d.latOffset, d.lonOffset = 0, 0
	f := fields{rest: raw}
	for f.next() {
		switch f.key {
		case 1<<3 | chunk:
			if err := d.stringTable(f.bytes); err != nil {
				return err
			}
		case 17<<3 | varint:
			d.granularity = int64(f.number)
		case 18<<3 | varint:
			d.dateGranularity = int64(f.number)
		case 19<<3 | varint:
			d.latOffset = int64(f.number)
		case 20<<3 | varint:
			d.lonOffset = int64(f.number)
		}
	}
	if f.broken {
		return d.damaged("its data are not valid protobuf")
	}
	if err := d.checkScale(); err != nil {
		return err
	}
	f = fields{rest: raw}
	for f.next() {
		if f.key == 2<<3|chunk {
			if err := d.readGroup(f.bytes); err != nil {
				return err
			}
		}
	}
	return nil
}

// checkScale refuses units and offsets with which coordinates could overflow.
func (d *decoder) checkScale() error {
	for _, unit := range []struct {
		name  string
		value int64
	}{{"granularity", d.granularity}, {"date granularity", d.dateGranularity}} {
		if unit.value < 1 || unit.value > math.MaxInt32 {
			return d.damaged("its %s is %d, not between 1 and %d", unit.name, unit.value, math.MaxInt32)
		}
	}
	for _, offset := range []int64{d.latOffset, d.lonOffset} {
		if offset < -maxOffset || offset > maxOffset {
			return d.damaged("its coordinates are offset by %d nanodegrees, out of the world", offset)
		}
	}
	d.reach = (maxLon + maxOffset) / d.granularity
	return nil
}

// degrees turns a coordinate in units of the block into degrees. It is false for
// one outside of the bound.
func (d *decoder) degrees(units, offset, bound int64) (float64, bool) {
	if units < -d.reach || units > d.reach {
		return 0, false
	}
	nano := offset + units*d.granularity
	if nano < -bound || nano > bound {
		return 0, false
	}
	// Both are exact, so the quotient is the number closest to the decimal one,
	// as it is when parsed from text.
	return float64(nano) / nanodegrees, true
}

// place turns a latitude and longitude in units of the block into degrees.
func (d *decoder) place(lat, lon int64) (latDeg, lonDeg float64, ok bool) {
	latDeg, latOK := d.degrees(lat, d.latOffset, maxLat)
	lonDeg, lonOK := d.degrees(lon, d.lonOffset, maxLon)
	return latDeg, lonDeg, latOK && lonOK
}

// instant turns a time in units of the block since 1970 into one in UTC; 0
// stands for an unknown time. It is false for one beyond 64 bits.
func (d *decoder) instant(units int64) (time.Time, bool) {
	if units == 0 {
		return time.Time{}, true
	}
	if limit := math.MaxInt64 / d.dateGranularity; units < -limit || units > limit {
		return time.Time{}, false
	}
	return time.UnixMilli(units * d.dateGranularity).UTC(), true
}

// readGroup decodes the elements of a group in the order in which they stand.
func (d *decoder) readGroup(raw []byte) error {
	f := fields{rest: raw}
	for f.next() {
		var err error
		switch f.key {
		case 1<<3 | chunk:
			err = d.readNode(f.bytes)
		case 2<<3 | chunk:
			err = d.readDense(f.bytes)
		case 3<<3 | chunk:
			err = d.readWay(f.bytes)
		case 4<<3 | chunk:
			err = d.readRelation(f.bytes)
		}
		if err != nil {
			return err
		}
	}
	if f.broken {
		return d.damaged("a group of elements is not valid protobuf")
	}
	return nil
}

// table is the strings of a block. Elements refer to them by index. A string is
// made when it is first used, so that unused ones cost nothing and kept ones do
// not hold the block.
type table struct {
	raw   [][]byte
	texts []string
}

func (t *table) reset() {
	clear(t.texts)
	t.raw, t.texts = t.raw[:0], t.texts[:0]
}

// stringTable adds the strings of a table; those of several count on.
func (d *decoder) stringTable(raw []byte) error {
	t := &d.strings
	f := fields{rest: raw}
	for f.next() {
		if f.key != 1<<3|chunk {
			continue
		}
		if len(t.raw) == d.limits.MaxStrings {
			return d.beyond("its table has more than %d strings", d.limits.MaxStrings)
		}
		t.raw = append(t.raw, f.bytes)
		t.texts = append(t.texts, "")
	}
	if f.broken {
		return d.damaged("its table of strings is not valid protobuf")
	}
	return nil
}

// at returns a string of the table. It is false for an index beyond its end.
func (t *table) at(i uint64) (string, bool) {
	if i >= uint64(len(t.raw)) {
		return "", false
	}
	if t.texts[i] == "" {
		t.texts[i] = text(t.raw[i])
	}
	return t.texts[i], true
}
