package body

import (
	"math"

	"github.com/kapok-fleet/kapok/planner/space"
)

// RestWh is what the rest of the path followed takes by the body's own figures,
// with the load on board and in the wind forecast: 0 without a path, +Inf when it
// cannot be gone at all. It allocates nothing.
func (b *Body) RestWh() float64 {
	if !b.Moving() {
		return 0
	}
	sum, at, c := 0.0, b.Believed(), *b
	for ; c.next < len(c.path); c.next++ {
		sum += c.segmentWh(at, c.path[c.next], c.segmentMPS())
		at = c.path[c.next]
	}
	return sum
}

// WayWh is what it takes to go from a place onto a path, as Follow does, and to
// its end, with a load.
func (b *Body) WayWh(from space.XYZ, path []space.XYZ, speedsMPS []float64, loadKg float64) float64 {
	c := Body{
		Figures: b.Figures, At: from, LoadKg: loadKg, DriveLost: b.DriveLost, Forecast: b.Forecast, Air: b.Air,
		GroundM: b.GroundM, Ground: b.Ground, trail: trail{lost: true},
	}
	c.Follow(path, speedsMPS)
	return c.RestWh()
}

// segmentWh is what a straight piece of way takes.
func (b *Body) segmentWh(from, to space.XYZ, speed float64) float64 {
	t := b.secondsTo(from, to, speed, b.Forecast)
	if math.IsInf(t, 1) || t == 0 {
		return t
	}
	velocity := space.XY{X: (to.X - from.X) / t, Y: (to.Y - from.Y) / t}
	return b.foreseen(b.movingW(velocity, velocity.Len(), (to.Z-from.Z)/t, b.Forecast)) * t / 3600
}

// DownWh is what it takes to come down to the ground from a height above it; 0 for
// vehicles that do not fly.
func (b *Body) DownWh(heightM float64) float64 {
	if !b.Figures.airborne() || heightM <= landedM {
		return 0
	}
	return b.segmentWh(space.XYZ{Z: heightM}, space.XYZ{}, 0)
}

// WorkWh is what so many seconds of work take at a place at a height above the
// ground, with a load.
func (b *Body) WorkWh(seconds, heightM, loadKg float64) float64 {
	w := b.Figures.IdleW + b.Figures.WorkW
	if b.Figures.airborne() && heightM > landedM {
		c := Body{Figures: b.Figures, LoadKg: loadKg, Air: b.Air}
		w += c.hoverW()
	}
	return b.foreseen(w) * seconds / 3600
}

// HoldWh is what so many seconds of standing or hovering take where the body is.
func (b *Body) HoldWh(seconds float64) float64 {
	w := b.Figures.IdleW
	if !b.Landed() {
		w += b.hoverW()
	}
	return b.foreseen(w) * seconds / 3600
}

// DropCells takes a share of the battery away for good, with the charge that it
// held.
func (b *Body) DropCells(share float64) {
	wh := min(max(share, 0), 1) * b.Figures.BatteryWh
	b.EnergyWh = max(b.EnergyWh-wh, 0)
	b.LostWh = min(b.LostWh+wh, b.Figures.BatteryWh)
}

// PeakW is the greatest power that the body draws under way with its load, in the
// wind forecast.
func (b *Body) PeakW() float64 {
	return b.foreseen(b.movingW(space.XY{X: b.Figures.MaxMPS}, b.Figures.MaxMPS, b.Figures.ClimbMPS, space.XY{}))
}

// End is the last point of the path followed; false without one.
func (b *Body) End() (space.XYZ, bool) {
	if !b.Moving() {
		return space.XYZ{}, false
	}
	return b.path[len(b.path)-1], true
}

// Ghost is a copy of the body that follows the same path from now on, apart from
// it and never paused.
func (b *Body) Ghost() *Body {
	g := *b
	g.moves, g.trail, g.Paused = nil, trail{lost: true}, false
	return &g
}
