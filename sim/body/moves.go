package body

import (
	"github.com/kapok-fleet/kapok/planner/space"
)

// Move is a straight piece of way that a body went at a constant speed.
type Move struct {
	From, To space.XYZ
	// Seconds is how long it took, above 0.
	Seconds float64
	// SpeedMPS is along the ground, as it was meant; drift with a wrong idea of the
	// own place is not counted.
	SpeedMPS float64
}

// Moves are the pieces of way of the last Step, in order and without a gap,
// beginning where the body was; what is missing to the length of the step, it
// stood or hovered at the end. They are valid until the next Step and empty for a
// body that did not move.
//
// A body may take a second, or any other time, in one step: whoever wants to know
// where it was in between asks for the Moves, or for the places at each tenth of a
// second by Places, and loses nothing against steps of a tenth of a second. A
// body that rests has none, and costs nothing.
func (b *Body) Moves() []Move { return b.moves }

// Places calls yield for where the body was at each multiple of every seconds
// within the Moves of the last Step, after so many seconds from its begin, and at
// last for where the Moves ended. It calls it not at all for a body that did not
// move, and stops when yield returns false. Nothing is allocated.
func (b *Body) Places(every float64, yield func(at space.XYZ, afterS, speedMPS float64) bool) {
	if !(every > 0) {
		return
	}
	begun, next := 0.0, every
	for i := range b.moves {
		m := &b.moves[i]
		end := begun + m.Seconds
		// What falls on the very end is told once.
		for ; next < end-1e-9; next += every {
			t := (next - begun) / m.Seconds
			at := space.XYZ{
				X: m.From.X + (m.To.X-m.From.X)*t, Y: m.From.Y + (m.To.Y-m.From.Y)*t, Z: m.From.Z + (m.To.Z-m.From.Z)*t,
			}
			if !yield(at, next, m.SpeedMPS) {
				return
			}
		}
		begun = end
	}
	if n := len(b.moves); n > 0 {
		yield(b.moves[n-1].To, begun, b.moves[n-1].SpeedMPS)
	}
}
