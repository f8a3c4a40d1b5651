package route

import (
	"math"

	"github.com/paulmach/orb"

	"github.com/kapok-fleet/kapok/planner/space"
)

// places remember what lies where a planner was asked lately. The same few stops are
// asked about for each of many vehicles, and taking degrees into the frame costs more
// than everything else that bounds a way.
type places [1 << placeBits]place

const placeBits = 6

// place is a point in degrees, where it is in the frame, and what was found out about
// it so far.
type place struct {
	point           orb.Point
	at              space.XY
	groundM         float64
	water           int32
	wet             bool
	known, surveyed bool
	looked          bool
}

// place is what is known of a point; it is valid until the next call.
func (p *Planner) place(point orb.Point) *place {
	// The odd factors spread the bits: the golden ratio and another prime.
	h := math.Float64bits(point[0])*0x9e3779b97f4a7c15 ^ math.Float64bits(point[1])*0xc2b2ae3d27d4eb4f
	at := &p.places[h>>(64-placeBits)]
	if !at.known || at.point != point {
		*at = place{point: point, at: p.c.Frame.XY(point), known: true}
	}
	return at
}

// xy is where a position is in the chart's frame.
func (p *Planner) xy(at space.Position) space.XY { return p.place(at.Point()).at }

// xyz is xy with the altitude.
func (p *Planner) xyz(at space.Position) space.XYZ {
	xy := p.xy(at)
	return space.XYZ{X: xy.X, Y: xy.Y, Z: at.AltitudeM}
}

// groundM is the altitude of the ground at a place.
func (p *Planner) groundM(at space.Position) float64 {
	known := p.place(at.Point())
	if !known.surveyed {
		known.groundM, known.surveyed = p.c.GroundAltitude(known.point), true
	}
	return known.groundM
}

// waterAt is the water that a position is on, false for none.
func (p *Planner) waterAt(at space.Position) (water int32, wet bool) {
	known := p.place(at.Point())
	if !known.looked {
		known.water, known.wet = p.c.WaterAt(known.at)
		known.looked = true
	}
	return known.water, known.wet
}
