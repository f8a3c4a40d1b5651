package osmpbf

import (
	"google.golang.org/protobuf/encoding/protowire"
)

// Wire types, as the low bits of a field's key. A known field number with
// another type is an unknown field, which is passed over, as protobuf wants it.
const (
	varint = uint64(protowire.VarintType)
	chunk  = uint64(protowire.BytesType)
)

// fields walks over the fields of one protobuf message.
type fields struct {
	rest []byte
	// key is the present field's number << 3 | wire type.
	key uint64
	// number is the value of a varint, bytes that of a chunk. Of a varint, bytes
	// are its encoding.
	number uint64
	bytes  []byte
	// broken is set at the end when what remains is not protobuf.
	broken bool
}

// next moves to the next field and tells whether there is one.
func (f *fields) next() bool {
	if len(f.rest) == 0 {
		return false
	}
	number, wireType, n := protowire.ConsumeTag(f.rest)
	if n < 0 {
		return f.fail()
	}
	f.key = uint64(number)<<3 | uint64(wireType)
	value := f.rest[n:]
	switch wireType {
	case protowire.VarintType:
		if f.number, n = protowire.ConsumeVarint(value); n < 0 {
			return f.fail()
		}
		f.bytes = value[:n]
	case protowire.BytesType:
		if f.bytes, n = protowire.ConsumeBytes(value); n < 0 {
			return f.fail()
		}
	default:
		if n = protowire.ConsumeFieldValue(number, wireType, value); n < 0 {
			return f.fail()
		}
	}
	f.rest = value[n:]
	return true
}

func (f *fields) fail() bool {
	f.broken = true
	return false
}

// varints is a column of numbers: a repeated field, read from the front. The
// zero value is an empty column.
type varints struct {
	rest []byte
	// owned tells that rest is not part of the message.
	owned bool
}

// add appends the numbers of one more field of the column. Almost always there
// is one field, which is not copied; numbers that stand in fields of their own
// have the same bytes as packed ones.
func (v *varints) add(numbers []byte) {
	switch {
	case len(v.rest) == 0:
		v.rest, v.owned = numbers, false
	case v.owned:
		v.rest = append(v.rest, numbers...)
	default:
		copied := make([]byte, 0, 2*(len(v.rest)+len(numbers)))
		v.rest, v.owned = append(append(copied, v.rest...), numbers...), true
	}
}

// count returns how many numbers are left. One that is cut off counts.
func (v *varints) count() int {
	n := 0
	for _, b := range v.rest {
		if b < 0x80 {
			n++
		}
	}
	if len(v.rest) > 0 && v.rest[len(v.rest)-1] >= 0x80 {
		n++
	}
	return n
}

// next takes the next number. It is false when there is none or it is broken.
func (v *varints) next() (uint64, bool) {
	if len(v.rest) > 0 && v.rest[0] < 0x80 {
		b := v.rest[0]
		v.rest = v.rest[1:]
		return uint64(b), true
	}
	number, n := protowire.ConsumeVarint(v.rest)
	if n < 0 {
		return 0, false
	}
	v.rest = v.rest[n:]
	return number, true
}

// deltas is a column of numbers, each written as its signed difference from the
// one before, the first from 0.
type deltas struct {
	varints
	sum int64
}

// next takes the next number. It is false when there is none, it is broken, or
// the sum leaves 64 bits.
func (c *deltas) next() (int64, bool) {
	coded, ok := c.varints.next()
	if !ok {
		return 0, false
	}
	step := protowire.DecodeZigZag(coded)
	sum := c.sum + step
	if (sum < c.sum) != (step < 0) {
		return 0, false
	}
	c.sum = sum
	return sum, true
}
