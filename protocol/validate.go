package protocol

import (
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// checker keeps the first thing that is wrong with a message.
type checker struct{ err *MessageError }

func (c *checker) fail(code, field, problem string) {
	if c.err == nil {
		c.err = &MessageError{Code: code, Field: field, Problem: problem}
	}
}

// result names the message in the error; a nil *MessageError becomes nil.
func (c *checker) result(typ string) error {
	if c.err == nil {
		return nil
	}
	c.err.Type = typ
	return c.err
}

// part adopts what is wrong with the part of a message called name.
func (c *checker) part(name string, err *MessageError) {
	if c.err == nil && err != nil {
		err.Field = name + "." + err.Field
		c.err = err
	}
}

// item is part for an item of a list.
func (c *checker) item(name string, i int, err *MessageError) {
	if err != nil {
		c.part(name+"["+strconv.Itoa(i)+"]", err)
	}
}

// number takes finite numbers from lo to hi.
func (c *checker) number(field string, v, lo, hi float64) {
	if !(v >= lo && v <= hi) {
		c.outside(field, lo, hi) // Apart, so that the comparison is inlined.
	}
}

func (c *checker) outside(field string, lo, hi float64) {
	c.fail(CodeOutOfRange, field, "must be a number from "+plain(lo)+" to "+plain(hi))
}

func plain(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }

func (c *checker) count(field string, v, lo, hi int) {
	if v < lo || v > hi {
		c.fail(CodeOutOfRange, field, "must be from "+strconv.Itoa(lo)+" to "+strconv.Itoa(hi))
	}
}

func (c *checker) whole(field string, v, lo uint64) {
	if v < lo || v > MaxWhole {
		c.fail(CodeOutOfRange, field, "must be from "+strconv.FormatUint(lo, 10)+" to 2^53-1")
	}
}

func (c *checker) instant(field string, t time.Time) {
	if s := t.Unix(); s < MinUnix || s >= EndUnix {
		c.fail(CodeOutOfRange, field, "must be a time from the year 2000 to 2199; set the clock")
	}
}

func (c *checker) optionalInstant(field string, t time.Time) {
	if !t.IsZero() {
		c.instant(field, t)
	}
}

func (c *checker) id(field, v string) {
	if !isID(v) {
		c.fail(CodeOutOfRange, field, "must be 1 to 64 characters of A-Z a-z 0-9 . _ : / @ + -")
	}
}

func (c *checker) optionalID(field, v string) {
	if v != "" {
		c.id(field, v)
	}
}

func isID(v string) bool {
	if v == "" || len(v) > MaxIDBytes {
		return false
	}
	for i := range len(v) {
		switch b := v[i]; {
		case 'a' <= b && b <= 'z', 'A' <= b && b <= 'Z', '-' <= b && b <= ':', b == '_', b == '@', b == '+':
			// From '-' to ':' come - . / 0-9 and the colon.
		default:
			return false
		}
	}
	return true
}

// text takes text for people; it may be empty.
func (c *checker) text(field, v string, maxBytes int) {
	if len(v) > maxBytes || !utf8.ValidString(v) || strings.ContainsFunc(v, steers) {
		c.fail(CodeOutOfRange, field, "must be at most "+strconv.Itoa(maxBytes)+" bytes of UTF-8 without control characters and invisible ones")
	}
}

// known takes one of the words of a closed set.
func known[T ~string](c *checker, field string, v T, words []T) {
	if slices.Contains(words, v) {
		return
	}
	problem := "must be one of"
	for _, w := range words {
		problem += " " + string(w)
	}
	c.fail(CodeBadMessage, field, problem)
}

func (c *checker) path(field string, path []Position) {
	if len(path) > MaxPathPoints {
		c.fail(CodeOutOfRange, field, "has more than 10000 points")
		return
	}
	for i := range path {
		c.item(field, i, path[i].check())
	}
}

// speeds takes one speed for each segment of a path, or none at all. At 0 a
// segment would never end.
func (c *checker) speeds(field string, speeds []float64, segments int) {
	if len(speeds) > 0 && len(speeds) != segments {
		c.fail(CodeBadMessage, field, "must have one speed for each segment of the path, or be absent")
	}
	for i, v := range speeds {
		if !(v > 0 && v <= MaxSpeedMPS) {
			c.fail(CodeOutOfRange, field+"["+strconv.Itoa(i)+"]", "must be a number above 0 and at most "+plain(MaxSpeedMPS))
			return
		}
	}
}

func (p *Position) check() *MessageError {
	var c checker
	c.number("lon", p.Lon, -180, 180)
	c.number("lat", p.Lat, -90, 90)
	c.number("altitude_m", p.AltitudeM, MinAltitudeM, MaxAltitudeM)
	if p.Level != "" {
		c.text("level", p.Level, MaxIDBytes)
	}
	return c.err
}

func (r *MissionRef) check() *MessageError {
	var c checker
	c.id("id", r.ID)
	c.count("revision", r.Revision, 1, MaxCount)
	return c.err
}
