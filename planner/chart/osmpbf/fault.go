package osmpbf

import (
	"errors"
	"fmt"
	"io"
)

// Error says in one sentence why a file cannot be read on, where, and what to
// do about it.
type Error struct {
	// Block counts from 1, which is the file's header.
	Block int
	// Offset is the byte of the file at which the block begins.
	Offset int64
	// Problem says what is wrong, Advice what to do.
	Problem, Advice string
	// Err is the error of the reader that Read was given; nil when the fault is
	// in the bytes.
	Err error
}

// Error returns the sentence, without a full stop.
func (e *Error) Error() string {
	return fmt.Sprintf("block %d at byte %d: %s: %s", e.Block, e.Offset, e.Problem, e.Advice)
}

// Unwrap returns the error of the reader, if there was one.
func (e *Error) Unwrap() error { return e.Err }

// fault makes an error about the block at hand.
func (d *decoder) fault(advice, format string, args ...any) *Error {
	return &Error{Block: d.block, Offset: d.start, Problem: fmt.Sprintf(format, args...), Advice: advice}
}

// damaged is the fault of bytes that no writer should have written.
func (d *decoder) damaged(format string, args ...any) error {
	advice := "the file is damaged, fetch it again"
	if d.block == 1 {
		advice = "the file is damaged or not OpenStreetMap PBF, fetch it again"
	}
	return d.fault(advice, format, args...)
}

// unsupported is the fault of a good file of a kind that is not read here.
func (d *decoder) unsupported(advice, format string, args ...any) error {
	return d.fault(advice, format, args...)
}

// beyond is the fault of a file that is larger somewhere than the limits allow.
func (d *decoder) beyond(format string, args ...any) error {
	return d.fault("make a smaller extract, or raise the limit", format, args...)
}

// unread is the fault of a stream that gave fewer bytes than a block needs.
func (d *decoder) unread(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return d.fault("it was cut short, fetch it again", "the file ends at byte %d, inside this block", d.offset)
	}
	e := d.fault("see to its source and read it again", "the stream fails at byte %d with %q", d.offset, err.Error())
	e.Err = err
	return e
}
