package protocol

import (
	"encoding/binary"
	"math"
	"unicode/utf8"
)

// The major types of RFC 8949.
const (
	cborUint   = 0
	cborNegint = 1
	cborBytes  = 2
	cborString = 3
	cborArray  = 4
	cborMap    = 5
	cborTag    = 6
	cborSimple = 7
)

// Additional information and whole initial bytes with a meaning of their own.
const (
	cborHalf       = 25
	cborSingle     = 26
	cborDouble     = 27
	cborIndefinite = 31
	cborFalse      = 0xf4
	cborTrue       = 0xf5
	cborNull       = 0xf6
	cborUndefined  = 0xf7
	cborBreak      = 0xff
)

// cborPeek returns the next initial byte; the break code stands for the end of
// the frame too, since neither begins a value.
func (d *decoder) cborPeek() byte {
	if d.pos < len(d.data) {
		return d.data[d.pos]
	}
	return cborBreak
}

// cborHead reads an initial byte and its argument.
func (d *decoder) cborHead() (major, info byte, arg uint64) {
	if d.pos >= len(d.data) {
		d.malformed("the frame ends too early")
		return cborSimple, 0, 0
	}
	b := d.data[d.pos]
	major, info = b>>5, b&31
	d.pos++
	if info < 24 {
		return major, info, uint64(info)
	}
	if info == cborIndefinite {
		return major, info, 0
	}
	if info > cborDouble {
		d.malformed("a reserved initial byte stands there")
		return cborSimple, 0, 0
	}
	size := 1 << (info - 24)
	if len(d.data)-d.pos < size {
		d.malformed("the frame ends too early")
		return cborSimple, 0, 0
	}
	tail := d.data[d.pos : d.pos+size]
	d.pos += size
	switch size {
	case 1:
		arg = uint64(tail[0])
	case 2:
		arg = uint64(binary.BigEndian.Uint16(tail))
	case 4:
		arg = uint64(binary.BigEndian.Uint32(tail))
	default:
		arg = binary.BigEndian.Uint64(tail)
	}
	return major, info, arg
}

// cborContainer reads the head of a map or array. A count that the rest of the
// frame cannot hold is refused at once.
func (d *decoder) cborContainer(want byte, what string) (count uint64, open bool) {
	if d.cborPeek()>>5 != want {
		d.malformed("must be " + what)
		return 0, false
	}
	_, info, count := d.cborHead()
	if count > uint64(len(d.data)-d.pos) {
		d.malformed("the frame ends too early")
		return 0, false
	}
	return count, info == cborIndefinite
}

func (d *decoder) cborNext(c *container) bool {
	if c.open {
		if d.pos < len(d.data) && d.data[d.pos] == cborBreak {
			d.pos++
			return false
		}
		return true
	}
	if c.left == 0 {
		return false
	}
	c.left--
	return true
}

func (d *decoder) cborKey(o *container) bool {
	o.key = d.cborText()
	return d.err == nil
}

func (d *decoder) cborNull() bool {
	if b := d.cborPeek(); b != cborNull && b != cborUndefined {
		return false
	}
	d.pos++
	return true
}

func (d *decoder) cborTruth() bool {
	b := d.cborPeek()
	if b != cborTrue && b != cborFalse {
		d.malformed("must be true or false")
		return false
	}
	d.pos++
	return b == cborTrue
}

func (d *decoder) cborText() []byte {
	// A short string, as nearly all are, has its length in its initial byte.
	if rest := d.data[d.pos:]; len(rest) > 0 && rest[0]>>5 == cborString {
		if n := int(rest[0] & 31); n < 24 && n < len(rest) && isASCII(rest[1:n+1]) {
			d.pos += n + 1
			return rest[1 : n+1]
		}
	}
	if d.cborPeek()>>5 != cborString {
		d.malformed("must be a string")
		return nil
	}
	return d.cborString()
}

// cborString reads a byte or text string of definite length. One in chunks is
// refused: nothing that Kapok reads is long enough to need them.
func (d *decoder) cborString() []byte {
	major, info, size := d.cborHead()
	switch {
	case d.err != nil:
		return nil
	case info == cborIndefinite:
		d.malformed("a string in chunks is not supported")
		return nil
	case size > uint64(len(d.data)-d.pos):
		d.malformed("the frame ends too early")
		return nil
	}
	text := d.data[d.pos : d.pos+int(size)]
	if major == cborString && !utf8.Valid(text) {
		d.malformed("a string is not valid UTF-8")
		return nil
	}
	d.pos += int(size)
	return text
}

func isASCII(text []byte) bool {
	all := byte(0)
	for _, b := range text {
		all |= b
	}
	return all < utf8.RuneSelf
}

func (d *decoder) cborTimeTag() bool {
	if d.cborPeek() != cborTag<<5 {
		d.malformed("must be a time with tag 0")
		return false
	}
	d.pos++
	return true
}

func (d *decoder) cborWhole() (uint64, bool) {
	if d.cborPeek()>>5 != cborUint {
		return 0, false
	}
	_, info, n := d.cborHead()
	return n, info != cborIndefinite
}

func (d *decoder) cborNumber() float64 {
	start := d.pos
	if rest := d.data[start:]; len(rest) > 8 && rest[0] == cborSimple<<5|cborDouble {
		d.pos += 9
		return math.Float64frombits(binary.BigEndian.Uint64(rest[1:9]))
	}
	major, info, arg := d.cborHead()
	if d.err != nil {
		return 0
	}
	switch {
	case info == cborIndefinite:
	case major == cborUint:
		return float64(arg)
	case major == cborNegint:
		return -1 - float64(arg)
	case major == cborSimple && info == cborHalf:
		return halfFloat(uint16(arg))
	case major == cborSimple && info == cborSingle:
		return float64(math.Float32frombits(uint32(arg)))
	case major == cborSimple && info == cborDouble:
		return math.Float64frombits(arg)
	}
	d.pos = start
	d.malformed("must be a number")
	return 0
}

// halfFloat widens an IEEE 754 binary16.
func halfFloat(bits uint16) float64 {
	sign, exponent, fraction := uint64(bits>>15), uint64(bits>>10&31), uint64(bits&1023)
	switch exponent {
	case 0:
		return math.Float64frombits(sign<<63 | math.Float64bits(float64(fraction)/(1<<24)))
	case 31:
		exponent = 2047
	default:
		exponent += 1023 - 15
	}
	return math.Float64frombits(sign<<63 | exponent<<52 | fraction<<42)
}

func (d *decoder) cborSkip(levels int) {
	switch b := d.cborPeek(); b >> 5 {
	case cborUint, cborNegint:
		if _, info, _ := d.cborHead(); info == cborIndefinite {
			d.malformed("a number has no length")
		}
	case cborBytes, cborString:
		d.cborString()
	case cborArray, cborMap:
		var c container
		c.left, c.open = d.cborContainer(b>>5, "a value")
		for d.err == nil && d.cborNext(&c) {
			if b>>5 == cborMap {
				d.skip(levels - 1)
			}
			d.skip(levels - 1)
		}
	case cborTag:
		if _, info, _ := d.cborHead(); info == cborIndefinite {
			d.malformed("a tag has no number")
		}
		d.skip(levels - 1)
	default:
		_, info, arg := d.cborHead()
		if d.err == nil && (info == cborIndefinite || info == 24 && arg < 32) {
			d.malformed("must be a value")
		}
	}
}
