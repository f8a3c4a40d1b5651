package chart

import (
	"fmt"
	"math"
	"slices"

	"github.com/paulmach/orb"

	"github.com/kapok-fleet/kapok/planner/space"
)

const (
	// GuardLeast is how many places and references GuardDatum needs to say
	// anything.
	GuardLeast = 20
	// GuardMost is how many places it looks at; of more it takes only some.
	GuardMost = 5000
	// guardReachM is how far a reference is looked for.
	guardReachM = 5_000.0
	// guardFarM and guardShare are when a file looks shifted: its places lie at
	// least so far from the references, and taken in another datum they lie at
	// most at that share of the distance.
	guardFarM  = 10.0
	guardShare = 0.4
)

// DatumWarning says that a file looks as if it were in another datum than it was
// taken for.
type DatumWarning struct {
	// Taken is what the file was taken for, and Looks what it looks like.
	Taken, Looks space.Datum
	// ShiftM is how far the places would move if it were that, in the median.
	ShiftM float64
	// OffM is how far the places lie from the nearest reference as they were taken,
	// and FitM as the file looks, both in the median, by Places of them.
	OffM, FitM float64
	Places     int
}

// String tells the warning in a sentence.
func (w DatumWarning) String() string {
	return fmt.Sprintf("it was taken for %s and looks like %s: its places lie %.0f m from what is known, and %.0f m if it is %s, which moves them by %.0f m",
		w.Taken, w.Looks, w.OffM, w.FitM, w.Looks, w.ShiftM)
}

// GuardDatum compares the places of a file, as they stand in it, with references
// in WGS-84 that they should lie on or near: borders, outlines and ways of the
// chart, or runways. It warns when the places, taken for the datum that was
// stated, lie clearly further from the references than taken for another one.
// Too few of either, places outside of where the datums differ, and references of
// which there are so many everywhere that no place is far from one give no
// warning.
func GuardDatum(places []orb.Point, taken space.Datum, references []orb.Point) (DatumWarning, bool) {
	if len(places) < GuardLeast || len(references) < GuardLeast {
		return DatumWarning{}, false
	}
	if every := len(places)/GuardMost + 1; every > 1 {
		var some []orb.Point
		for i := 0; i < len(places); i += every {
			some = append(some, places[i])
		}
		places = some
	}
	// Where the datums are one there is nothing to find out.
	if mid := places[len(places)/2]; space.GCJ02.FromWGS84(mid) == mid {
		return DatumWarning{}, false
	}
	frame := space.NewFrame(taken.ToWGS84(places[len(places)/2]))
	grid := space.NewGrid(200)
	for i, p := range references {
		// Frames are of use for some hundred kilometres.
		if at := frame.XY(p); math.Abs(at.X) < space.MaxExtentM && math.Abs(at.Y) < space.MaxExtentM {
			grid.Insert(i, at)
		}
	}
	w := DatumWarning{Taken: taken, OffM: medianOff(grid, frame, places, taken), Places: len(places)}
	if !(w.OffM >= guardFarM) {
		return DatumWarning{}, false
	}
	w.FitM = math.Inf(1)
	for _, d := range [...]space.Datum{space.WGS84, space.GCJ02, space.BD09} {
		if fit := medianOff(grid, frame, places, d); d != taken && fit < w.FitM {
			w.Looks, w.FitM = d, fit
		}
	}
	if !(w.FitM <= guardShare*w.OffM) {
		return DatumWarning{}, false
	}
	shifts := make([]float64, len(places))
	for i, p := range places {
		shifts[i] = frame.XY(taken.ToWGS84(p)).Dist(frame.XY(w.Looks.ToWGS84(p)))
	}
	slices.Sort(shifts)
	w.ShiftM = shifts[len(shifts)/2]
	return w, true
}

// medianOff is how far places in a datum lie from the nearest reference, in the
// median; one with none in reach counts as at the end of it.
func medianOff(grid *space.Grid, frame space.Frame, places []orb.Point, datum space.Datum) float64 {
	offs := make([]float64, len(places))
	for i, p := range places {
		offs[i] = guardReachM
		if _, m, ok := grid.Nearest(frame.XY(datum.ToWGS84(p)), guardReachM); ok {
			offs[i] = m
		}
	}
	slices.Sort(offs)
	return offs[len(offs)/2]
}

// Landmarks returns places of the chart that zones, borders and buildings of
// other sources should fall on: corners of buildings and shores, and where nodes
// of the ground graph are. Buildings whose ids are in without are left out.
func (c *Chart) Landmarks(without map[string]bool) []orb.Point {
	var list []orb.Point
	for i := range c.Buildings {
		if without[c.Buildings[i].ID] {
			continue
		}
		list = append(list, c.Buildings[i].Footprint[0]...)
	}
	for i := range c.Water {
		list = append(list, c.Water[i].Polygon[0]...)
	}
	for i := range c.Ground.Nodes {
		list = append(list, c.Ground.Nodes[i].Point)
	}
	return list
}
