package fleet

import (
	"math"
	"math/bits"
	"reflect"
	"strings"
	"time"

	"github.com/kapok-fleet/kapok/planner/space"
)

// mixed is a checksum of 64 bits over numbers and texts in order: each word is
// multiplied into it and the halves of the product are folded. It tells states
// apart that differ by mistake, not by malice.
type mixed uint64

// The odd numbers that words are mixed with.
const (
	mixStart = 0x9e3779b97f4a7c15
	mixWord  = 0xd6e8feb86659fd93
	mixStep  = 0xa0761d6478bd642f
)

func (h mixed) word(x uint64) mixed {
	high, low := bits.Mul64(uint64(h)^x, mixWord)
	return mixed(high ^ low + mixStep)
}

func (h mixed) float(x float64) mixed { return h.word(math.Float64bits(x)) }

// time is the same for the same instant in every zone.
func (h mixed) time(t time.Time) mixed {
	return h.word(uint64(t.Unix())).word(uint64(t.Nanosecond()))
}

func (h mixed) text(s string) mixed {
	h = h.word(uint64(len(s)))
	for len(s) >= 8 {
		h = h.word(uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
			uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56)
		s = s[8:]
	}
	rest := uint64(0)
	for i := range len(s) {
		rest |= uint64(s[i]) << (8 * i)
	}
	return h.word(rest)
}

func (h mixed) bytes(b []byte) mixed {
	h = h.word(uint64(len(b)))
	for len(b) >= 8 {
		h = h.word(uint64(b[0]) | uint64(b[1])<<8 | uint64(b[2])<<16 | uint64(b[3])<<24 |
			uint64(b[4])<<32 | uint64(b[5])<<40 | uint64(b[6])<<48 | uint64(b[7])<<56)
		b = b[8:]
	}
	rest := uint64(0)
	for i := range b {
		rest |= uint64(b[i]) << (8 * i)
	}
	return h.word(rest)
}

// path is most of what a mission is made of.
func (h mixed) path(path []space.Position) mixed {
	h = h.word(uint64(len(path)))
	for i := range path {
		p := &path[i]
		h = h.float(p.Lon).float(p.Lat).float(p.AltitudeM).word(uint64(len(p.Level)))
		if p.Level != "" {
			h = h.text(p.Level)
		}
	}
	return h
}

// shapes mix what an entity is written with in a snapshot: every exported field
// but those that are never written, whatever its name. A list or map without
// anything counts as none, as it does once it was written and read. What it has
// found out about types it keeps, so it belongs to one owner.
type shapes map[reflect.Type]*shape

// shape is how the values of a type are mixed.
type shape struct {
	kind reflect.Kind
	// time, raw and path are the types that are not taken apart by reflection.
	time, raw, path bool
	fields          []field
	// item is that of lists, arrays, pointers and of the values of maps, key that
	// of the keys.
	item, key *shape
}

type field struct {
	number int
	shape  *shape
}

// of finds the shape of a type.
func (all shapes) of(t reflect.Type) *shape {
	if s, ok := all[t]; ok {
		return s
	}
	s := &shape{kind: t.Kind()}
	all[t] = s // Before its parts, which may hold the type itself.
	switch {
	case t == reflect.TypeFor[time.Time]():
		s.time = true
	case t == reflect.TypeFor[[]space.Position]():
		s.path = true
	case s.kind == reflect.Slice && t.Elem().Kind() == reflect.Uint8:
		s.raw = true
	case s.kind == reflect.Struct:
		for i := range t.NumField() {
			f := t.Field(i)
			if name, _, _ := strings.Cut(f.Tag.Get("json"), ","); f.IsExported() && name != "-" {
				s.fields = append(s.fields, field{i, all.of(f.Type)})
			}
		}
	case s.kind == reflect.Map:
		s.item, s.key = all.of(t.Elem()), all.of(t.Key())
	case s.kind == reflect.Slice || s.kind == reflect.Array || s.kind == reflect.Pointer:
		s.item = all.of(t.Elem())
	}
	return s
}

// mix takes in a value of the shape. It must be addressable.
func (all shapes) mix(h mixed, s *shape, v reflect.Value) mixed {
	switch s.kind {
	case reflect.Struct:
		if s.time {
			if at, ok := v.Addr().Interface().(*time.Time); ok {
				return h.time(*at)
			}
		}
		for i := range s.fields {
			f := &s.fields[i]
			h = all.mix(h, f.shape, v.Field(f.number))
		}
		return h
	case reflect.String:
		return h.text(v.String())
	case reflect.Float64, reflect.Float32:
		return h.float(v.Float())
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return h.word(uint64(v.Int()))
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return h.word(v.Uint())
	case reflect.Bool:
		if v.Bool() {
			return h.word(1)
		}
		return h.word(2)
	case reflect.Slice, reflect.Array:
		return all.mixList(h, s, v)
	case reflect.Map:
		return all.mixMap(h, s, v)
	case reflect.Pointer:
		if v.IsNil() {
			return h.word(3)
		}
		return all.mix(h.word(4), s.item, v.Elem())
	case reflect.Interface:
		return all.mixAny(h, v)
	default:
		// Nothing else can be written in a snapshot.
		return h.word(5)
	}
}

func (all shapes) mixList(h mixed, s *shape, v reflect.Value) mixed {
	switch {
	case s.raw:
		return h.bytes(v.Bytes())
	case s.path:
		if path, ok := v.Addr().Interface().(*[]space.Position); ok {
			return h.path(*path)
		}
	}
	n := v.Len()
	h = h.word(uint64(n))
	for i := range n {
		h = all.mix(h, s.item, v.Index(i))
	}
	return h
}

// mixMap adds up what its entries come to, whatever their order.
func (all shapes) mixMap(h mixed, s *shape, v reflect.Value) mixed {
	sum := uint64(0)
	for entries := v.MapRange(); entries.Next(); {
		one := all.mix(mixStart, s.key, addressable(entries.Key()))
		sum += uint64(all.mix(one, s.item, addressable(entries.Value())))
	}
	return h.word(uint64(v.Len())).word(sum)
}

func (all shapes) mixAny(h mixed, v reflect.Value) mixed {
	if v.IsNil() {
		return h.word(3)
	}
	held := v.Elem()
	return all.mix(h.text(held.Type().String()), all.of(held.Type()), addressable(held))
}

// addressable is a copy that has an address.
func addressable(v reflect.Value) reflect.Value {
	c := reflect.New(v.Type()).Elem()
	c.Set(v)
	return c
}
