package main

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// Texts come from vehicles, dispatchers, maps and servers that nobody vouches
// for. On a terminal such a text could move the cursor, colour or hide what
// others wrote, retitle the window, or turn a line round so that it reads as
// something else. So nothing that steers a terminal is printed: tables and lines
// have a stand-in for it, JSON has the escape that means the same text.

// steers tells whether a terminal, or the order in which a line is read, would
// obey a character rather than show it: control characters of both sets, line
// and paragraph separators, and invisible format characters. Joiners stay, as
// Persian, Hindi and emoji are written with them.
func steers(r rune) bool {
	const joiner, nonJoiner = '\u200d', '\u200c'
	return unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp) && r != joiner && r != nonJoiner
}

// clean puts on one line what may be shown of a text: a space for each control
// character, the replacement character for what is invisible or no text at all.
func clean(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case !steers(r):
			return r
		case unicode.IsControl(r):
			return ' '
		}
		return utf8.RuneError
	}, text)
}

// escapeJSON writes each character that steers as its escape, in JSON that is
// valid: there they stand inside of texts only, but for the line ends and tabs
// between values, which stay.
func escapeJSON(encoded []byte) []byte {
	if bytes.IndexFunc(encoded, steersJSON) < 0 {
		return encoded
	}
	out := make([]byte, 0, len(encoded)+64)
	for len(encoded) > 0 {
		r, size := utf8.DecodeRune(encoded)
		switch {
		case !steersJSON(r):
			out = append(out, encoded[:size]...)
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			out = fmt.Appendf(out, `\u%04x\u%04x`, high, low)
		default:
			out = fmt.Appendf(out, `\u%04x`, r)
		}
		encoded = encoded[size:]
	}
	return out
}

// steersJSON is steers without the spaces that stand between values.
func steersJSON(r rune) bool { return steers(r) && r != '\n' && r != '\t' && r != '\r' }

// screen is a terminal to which a file is written that is not looked at before:
// what steers is replaced, lines and tabs stay.
type screen struct {
	w io.Writer
	// half is the beginning of a character whose rest is still to come.
	half []byte
}

// Write implements io.Writer.
func (s *screen) Write(data []byte) (int, error) {
	all := append(s.half, data...)
	whole := len(all)
	for back := 1; back < utf8.UTFMax && back <= len(all); back++ {
		if at := len(all) - back; utf8.RuneStart(all[at]) {
			if !utf8.FullRune(all[at:]) {
				whole = at
			}
			break
		}
	}
	shown := bytes.Map(func(r rune) rune {
		if steersJSON(r) || r == '\r' {
			return utf8.RuneError
		}
		return r
	}, all[:whole])
	s.half = bytes.Clone(all[whole:])
	if _, err := s.w.Write(shown); err != nil {
		return 0, err
	}
	return len(data), nil
}
