package protocol

import (
	"bytes"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

func (d *decoder) jsonSpace() {
	for d.pos < len(d.data) {
		switch d.data[d.pos] {
		case ' ', '\t', '\n', '\r':
			d.pos++
		default:
			return
		}
	}
}

// jsonPeek returns the next byte that is no space, 0 at the end.
func (d *decoder) jsonPeek() byte {
	if d.pos < len(d.data) && d.data[d.pos] > ' ' {
		return d.data[d.pos] // Small enough to be inlined.
	}
	return d.jsonPeekOn()
}

func (d *decoder) jsonPeekOn() byte {
	d.jsonSpace()
	if d.pos < len(d.data) {
		return d.data[d.pos]
	}
	return 0
}

func (d *decoder) jsonOpen(bracket byte, what string) {
	if d.jsonPeek() != bracket {
		d.malformed("must be " + what)
		return
	}
	d.pos++
}

// jsonNext reads the comma or the end of an object or array.
func (d *decoder) jsonNext(c *container, end byte) bool {
	b := d.jsonPeek()
	if b == end {
		d.pos++
		return false
	}
	if c.started {
		if b != ',' {
			d.malformed("a comma or a closing bracket is missing")
			return false
		}
		d.pos++
	}
	c.started = true
	return true
}

func (d *decoder) jsonKey(o *container) bool {
	o.key = d.jsonText()
	if d.err != nil {
		return false
	}
	if d.jsonPeek() != ':' {
		d.malformed("a colon is missing")
		return false
	}
	d.pos++
	return true
}

func (d *decoder) jsonLiteral(word string) bool {
	d.jsonSpace()
	if !bytes.HasPrefix(d.data[d.pos:], []byte(word)) {
		return false
	}
	d.pos += len(word)
	return true
}

func (d *decoder) jsonNull() bool { return d.jsonPeek() == 'n' && d.jsonLiteral("null") }

func (d *decoder) jsonTruth() bool {
	if d.jsonLiteral("true") {
		return true
	}
	if !d.jsonLiteral("false") {
		d.malformed("must be true or false")
	}
	return false
}

// jsonText reads a string. Without escapes it is borrowed from the frame.
func (d *decoder) jsonText() []byte {
	if d.jsonPeek() != '"' {
		d.malformed("must be a string")
		return nil
	}
	d.pos++
	start := d.pos
	for i, b := range d.data[start:] {
		switch {
		case b == '"':
			d.pos = start + i + 1
			return d.data[start : start+i]
		case b == '\\':
			d.pos = start + i
			return d.jsonEscaped(start)
		case b < ' ':
			d.pos = start + i
			d.malformed("a control character stands in a string")
			return nil
		}
	}
	d.pos = len(d.data)
	d.malformed("a string does not end")
	return nil
}

// jsonEscaped goes on with a string that has escapes, into memory of its own.
func (d *decoder) jsonEscaped(start int) []byte {
	text := append([]byte(nil), d.data[start:d.pos]...)
	for d.pos < len(d.data) {
		b := d.data[d.pos]
		switch {
		case b == '"':
			d.pos++
			return text
		case b < ' ':
			d.malformed("a control character stands in a string")
			return nil
		case b != '\\':
			text = append(text, b)
			d.pos++
			continue
		}
		r, ok := d.jsonEscape()
		if !ok {
			d.malformed("an escape in a string is wrong")
			return nil
		}
		text = utf8.AppendRune(text, r)
	}
	d.malformed("a string does not end")
	return nil
}

// jsonEscape reads one escape, with both halves of a surrogate pair.
func (d *decoder) jsonEscape() (rune, bool) {
	if d.pos+1 >= len(d.data) {
		return 0, false
	}
	b := d.data[d.pos+1]
	if b == 'u' {
		r, ok := d.jsonHex()
		if !ok || !utf16.IsSurrogate(r) {
			return r, ok
		}
		low, ok := d.jsonHex()
		pair := utf16.DecodeRune(r, low)
		return pair, ok && pair != utf8.RuneError
	}
	d.pos += 2
	switch b {
	case '"', '\\', '/':
		return rune(b), true
	case 'b':
		return '\b', true
	case 'f':
		return '\f', true
	case 'n':
		return '\n', true
	case 'r':
		return '\r', true
	case 't':
		return '\t', true
	}
	return 0, false
}

// jsonHex reads the escape of one UTF-16 unit: a backslash, u and four digits.
func (d *decoder) jsonHex() (rune, bool) {
	if d.pos+6 > len(d.data) || d.data[d.pos] != '\\' || d.data[d.pos+1] != 'u' {
		return 0, false
	}
	var r rune
	for _, b := range d.data[d.pos+2 : d.pos+6] {
		switch {
		case '0' <= b && b <= '9':
			b -= '0'
		case 'a' <= b && b <= 'f':
			b -= 'a' - 10
		case 'A' <= b && b <= 'F':
			b -= 'A' - 10
		default:
			return 0, false
		}
		r = r<<4 | rune(b)
	}
	d.pos += 6
	return r, true
}

// jsonDigits returns the position after the digits from i on.
func (d *decoder) jsonDigits(i int) int {
	for i < len(d.data) && '0' <= d.data[i] && d.data[i] <= '9' {
		i++
	}
	return i
}

// jsonToken reads the text of a number by JSON's grammar; isWhole says that it
// has neither sign, fraction nor exponent.
func (d *decoder) jsonToken() (token []byte, isWhole bool) {
	d.jsonSpace()
	i, data := d.pos, d.data
	isWhole = true
	if i < len(data) && data[i] == '-' {
		i, isWhole = i+1, false
	}
	first := i
	i = d.jsonDigits(i)
	ok := i > first && (data[first] != '0' || i == first+1)
	if i < len(data) && data[i] == '.' {
		first, isWhole = i+1, false
		i = d.jsonDigits(first)
		ok = ok && i > first
	}
	if i < len(data) && (data[i] == 'e' || data[i] == 'E') {
		i, isWhole = i+1, false
		if i < len(data) && (data[i] == '+' || data[i] == '-') {
			i++
		}
		first = i
		i = d.jsonDigits(first)
		ok = ok && i > first
	}
	if !ok {
		d.malformed("must be a number")
		return nil, false
	}
	token, d.pos = data[d.pos:i], i
	return token, isWhole
}

func (d *decoder) jsonNumber() float64 {
	if v, size := plainNumber(d.data[d.pos:]); size > 0 {
		d.pos += size
		return v
	}
	token, _ := d.jsonToken()
	if d.err != nil {
		return 0
	}
	v, err := strconv.ParseFloat(string(token), 64)
	if err != nil {
		d.fail(CodeOutOfRange, "is too large a number")
		return 0
	}
	return v
}

func (d *decoder) jsonWhole() (uint64, bool) {
	token, isWhole := d.jsonToken()
	if d.err != nil || !isWhole {
		return 0, false
	}
	n, err := strconv.ParseUint(string(token), 10, 64)
	return n, err == nil
}

func (d *decoder) jsonSkip(levels int) {
	switch b := d.jsonPeek(); b {
	case '{', '[':
		d.pos++
		var c container
		for d.err == nil && d.jsonNext(&c, b+2) { // In ASCII, '}' is '{'+2 and ']' is '['+2.
			if b == '{' && !d.jsonKey(&c) {
				return
			}
			d.skip(levels - 1)
		}
	case '"':
		d.jsonText()
	case 't', 'f':
		d.jsonTruth()
	case 'n':
		if !d.jsonNull() {
			d.malformed("must be a value")
		}
	default:
		d.jsonToken()
	}
}
