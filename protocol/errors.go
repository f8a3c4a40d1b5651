package protocol

import (
	"errors"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// The codes of what can be wrong with a message. They are what Error carries
// and what clients may switch on; texts are for people and may change.
const (
	// CodeBadMessage: not well-formed JSON or CBOR, a field missing, twice or
	// of the wrong type, or fields that contradict each other.
	CodeBadMessage = "bad_message"
	// CodeUnknownType: no message has this type, or not in this direction.
	CodeUnknownType = "unknown_type"
	// CodeTooManySamples: more than MaxSamples in one Telemetry.
	CodeTooManySamples = "too_many_samples"
	// CodeOutOfRange: a number, time, id, text or list beyond its limits.
	CodeOutOfRange = "out_of_range"
	// CodeFrameTooLarge: the frame is longer than this direction allows.
	CodeFrameTooLarge = "frame_too_large"
)

// MessageError says what is wrong with a message. Its texts contain nothing of
// the message but field names that this package knows and the path to them.
type MessageError struct {
	// Code is one of the Code constants, never CodeUnknownType.
	Code string
	// Type is the message's type, empty where it is not known.
	Type string
	// Field is the path of the field, e.g. "samples[3].position.lat", empty
	// when the fault is in the frame as a whole.
	Field string
	// Problem says what is wrong and what would be right.
	Problem string
}

// Error returns type, field and problem in one line.
func (e *MessageError) Error() string {
	var b strings.Builder
	if e.Type != "" {
		b.WriteString(e.Type)
		b.WriteString(": ")
	}
	if e.Field != "" {
		b.WriteString(e.Field)
		b.WriteByte(' ')
	}
	b.WriteString(e.Problem)
	return b.String()
}

// UnknownTypeError says that no message of this direction has this type.
type UnknownTypeError struct {
	// Type is what the frame said, cut to MaxIDBytes and cleaned for printing.
	Type string
}

// Error names the unknown type.
func (e *UnknownTypeError) Error() string {
	return "unknown message type " + `"` + e.Type + `"` + "; see docs/protocol.md for the types"
}

// ErrorFor returns the Error message that answers a frame which could not be
// decoded, for at as the sending time. It is never fatal: the caller decides.
// An error that is not of this package becomes CodeBadMessage with its text.
func ErrorFor(err error, at time.Time) Error {
	code := CodeBadMessage
	if m, ok := errors.AsType[*MessageError](err); ok {
		code = m.Code
	}
	if _, ok := errors.AsType[*UnknownTypeError](err); ok {
		code = CodeUnknownType
	}
	return Error{Code: code, Text: CleanText(err.Error(), MaxTextBytes), Time: at}
}

// CleanText returns s as a valid text of at most maxBytes bytes: invalid UTF-8
// and characters that steer become U+FFFD, control characters become spaces, and
// what is too long is cut at a character's boundary.
func CleanText(s string, maxBytes int) string {
	clean := strings.Map(func(r rune) rune {
		switch {
		case unicode.IsControl(r):
			return ' '
		case steers(r):
			return utf8.RuneError
		}
		return r
	}, strings.ToValidUTF8(s, string(utf8.RuneError)))
	if len(clean) <= maxBytes {
		return clean
	}
	cut := max(maxBytes, 0)
	for cut > 0 && !utf8.RuneStart(clean[cut]) {
		cut--
	}
	return clean[:cut]
}

// steers tells whether a character is there to be obeyed or to be overlooked
// rather than to be read: control characters, separators of lines, overrides of
// the direction of writing, what has no width. The two joiners may stand, as
// Persian, Hindi and emoji are written with them.
func steers(r rune) bool {
	const nonJoiner, joiner = '\u200c', '\u200d'
	if r < utf8.RuneSelf {
		return r < ' ' || r == 0x7f
	}
	return unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp) && r != nonJoiner && r != joiner
}
