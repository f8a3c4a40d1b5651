package protocol

import (
	"strconv"
	"time"
)

// maxNesting is how deep the values of unknown fields may nest.
const maxNesting = 32

// typeBit is the bit of the field "type" for decoder.once.
const typeBit = 31

// decoder reads one frame from front to back, without copying it and without
// believing its lengths. The first error sticks: from then on every method
// returns zero values and every loop ends. JSON and CBOR differ only in the
// methods of read_json.go and read_cbor.go, so that what a message is, and what
// is wrong with it, cannot differ between them.
//
// The path to what is wrong is put together only once something is: on the way
// out, each object and array puts its key or index before it.
type decoder struct {
	data []byte
	pos  int
	cbor bool
	typ  string
	top  container // of the message itself
	err  *MessageError
}

// container is the state of reading one object or array.
type container struct {
	key     []byte // of the present field, borrowed from the frame; nil for an unknown one
	seen    uint32 // bits of the fields that were there
	index   int    // of the present item of an array
	left    uint64 // CBOR: items to come, when open is false
	open    bool   // CBOR: ends at a break instead
	started bool   // JSON: a comma is due
	message bool   // it is the message itself, which has a type
}

// fail records the first error. The path of the value comes by within.
func (d *decoder) fail(code, problem string) {
	if d.err == nil {
		d.err = &MessageError{Code: code, Type: d.typ, Problem: problem}
	}
}

func (d *decoder) malformed(problem string) {
	d.fail(CodeBadMessage, problem+" at byte "+strconv.Itoa(d.pos))
}

// within puts a key or an index in brackets before the path of the error.
func (d *decoder) within(step string) {
	if rest := d.err.Field; rest != "" && rest[0] != '[' {
		step += "."
	}
	d.err.Field = step + d.err.Field
}

// object begins to read an object. Its fields follow by nextField, which must
// be called until it returns false.
func (d *decoder) object() (o container) {
	if d.err != nil {
		return o
	}
	if d.cbor {
		o.left, o.open = d.cborContainer(cborMap, "an object")
	} else {
		d.jsonOpen('{', "an object")
	}
	return o
}

// nextField moves to the next field that has a value; null is the same as
// absent. It returns false after the last field.
func (d *decoder) nextField(o *container) bool {
	if d.err != nil {
		if o.key != nil {
			d.within(string(o.key))
		}
		return false
	}
	for {
		var more bool
		if d.cbor {
			more = d.cborNext(o) && d.cborKey(o)
		} else {
			more = d.jsonNext(o, '}') && d.jsonKey(o)
		}
		if !more {
			return false
		}
		if !d.null() {
			return true
		}
	}
}

// array begins to read an array; its items follow by nextItem.
func (d *decoder) array() (a container) {
	a.index = -1
	if d.err != nil {
		return a
	}
	if d.cbor {
		a.left, a.open = d.cborContainer(cborArray, "an array")
	} else {
		d.jsonOpen('[', "an array")
	}
	return a
}

// nextItem moves to the next item of an array. It returns false after the last.
func (d *decoder) nextItem(a *container) bool {
	if d.err != nil {
		if a.index >= 0 {
			d.within("[" + strconv.Itoa(a.index) + "]")
		}
		return false
	}
	a.index++
	var more bool
	if d.cbor {
		more = d.cborNext(a)
	} else {
		more = d.jsonNext(a, ']')
	}
	if d.err != nil {
		d.within("[" + strconv.Itoa(a.index) + "]")
	}
	return more && d.err == nil
}

// once notes that the field with this bit is there; a second one is refused.
// The required fields of an object have the lowest bits, in the order in which
// require names them.
func (d *decoder) once(o *container, bit uint) {
	if o.seen&(1<<bit) != 0 {
		d.fail(CodeBadMessage, "stands there twice")
	}
	o.seen |= 1 << bit
}

// require fails for the first named field that was not there.
func (d *decoder) require(o *container, names ...string) {
	if d.err != nil || o.seen&(1<<len(names)-1) == 1<<len(names)-1 {
		return
	}
	for i, name := range names {
		if o.seen&(1<<i) == 0 {
			d.fail(CodeBadMessage, "is missing")
			d.within(name)
			return
		}
	}
}

// unknown skips the value of a field that the message does not have, and of
// "type", which has been read before.
func (d *decoder) unknown(o *container) {
	if o.message && string(o.key) == "type" {
		d.once(o, typeBit)
	}
	if d.err == nil {
		o.key = nil
		d.skip(maxNesting)
	}
}

func (d *decoder) skip(levels int) {
	if d.err != nil {
		return
	}
	if levels == 0 {
		d.malformed("nested too deeply")
		return
	}
	if d.cbor {
		d.cborSkip(levels)
	} else {
		d.jsonSkip(levels)
	}
}

// null reads a null, if there is one.
func (d *decoder) null() bool {
	if d.cbor {
		return d.cborNull()
	}
	return d.jsonNull()
}

// text reads a string.
func (d *decoder) text() string { return string(d.bytes()) }

// bytes reads a string as valid UTF-8 that may be borrowed from the frame.
func (d *decoder) bytes() []byte {
	if d.err != nil {
		return nil
	}
	if d.cbor {
		return d.cborText()
	}
	return d.jsonText()
}

// word reads a string that is usually one of the known ones, which then cost no
// memory.
func word[T ~string](d *decoder, known []T) T {
	b := d.bytes()
	for _, k := range known {
		if string(b) == string(k) {
			return k
		}
	}
	return T(b)
}

// number reads a number.
func (d *decoder) number() float64 {
	if d.err != nil {
		return 0
	}
	if d.cbor {
		return d.cborNumber()
	}
	return d.jsonNumber()
}

// whole reads a whole number from 0 to MaxWhole.
func (d *decoder) whole() uint64 {
	if d.err != nil {
		return 0
	}
	var n uint64
	var ok bool
	if d.cbor {
		n, ok = d.cborWhole()
	} else {
		n, ok = d.jsonWhole()
	}
	if !ok || n > MaxWhole {
		d.fail(CodeBadMessage, "must be a whole number from 0 to 2^53-1, without fraction or exponent")
		return 0
	}
	return n
}

// count reads a whole number that fits an int of 32 bits.
func (d *decoder) count() int {
	n := d.whole()
	if n > MaxCount {
		d.fail(CodeOutOfRange, "must be at most 2147483647")
		return 0
	}
	return int(n)
}

// truth reads true or false.
func (d *decoder) truth() bool {
	if d.err != nil {
		return false
	}
	if d.cbor {
		return d.cborTruth()
	}
	return d.jsonTruth()
}

// instant reads a time, in UTC.
func (d *decoder) instant() time.Time {
	if d.err != nil {
		return time.Time{}
	}
	if d.cbor && !d.cborTimeTag() {
		return time.Time{}
	}
	b := d.bytes()
	var t time.Time
	if d.err != nil {
		return t
	}
	if t, plain := plainTime(b); plain {
		return t
	}
	if err := t.UnmarshalText(b); err != nil {
		d.fail(CodeBadMessage, "must be an RFC 3339 time such as 2026-05-04T09:30:00.25Z")
		return time.Time{}
	}
	return t.UTC()
}

// finish fails when something follows the message.
func (d *decoder) finish() error {
	if d.err == nil && !d.cbor {
		d.jsonSpace()
	}
	if d.err == nil && d.pos != len(d.data) {
		d.malformed("something follows the message")
	}
	if d.err != nil {
		return d.err
	}
	return nil
}

// messageType reads the field "type", which is usually the first. The result is
// borrowed; what else the message has follows by message.
func (d *decoder) messageType() []byte {
	first, o := true, &d.top
	for *o = d.object(); d.nextField(o); {
		if string(o.key) != "type" {
			d.unknown(o)
			first = false
			continue
		}
		typ := d.bytes()
		if d.err != nil {
			continue
		}
		if d.once(o, typeBit); !first {
			d.pos = 0
			*o = d.object()
		}
		o.message = true
		return typ
	}
	d.require(&container{}, "type")
	return nil
}

// message goes on to read the message itself: behind its type when that came
// first, otherwise from its start.
func (d *decoder) message() *container { return &d.top }
