package fleet

import (
	"math"
	"slices"
	"time"

	"github.com/kapok-fleet/kapok/planner/chart"
	"github.com/kapok-fleet/kapok/planner/route"
	"github.com/kapok-fleet/kapok/planner/space"
)

// Where the parts of a response go.

const (
	// placeStepM and placeSpokes are how places around one are tried: on rings,
	// the nearest first.
	placeStepM  = 10.0
	placeSpokes = 16
	// reachM is how far from the incident a place is sought, beyond the standoff.
	reachM = 300.0
	// landStepM, landSpokes and landReachM are how land is sought beyond that
	// where an aircraft is to come down: for a place on the water.
	landStepM  = 25.0
	landSpokes = 32
	landReachM = 1000.0
	// aroundM is within which distance roofs and ground count for an overview.
	aroundM = 30.0
	// openM is how far from a wall open ground is.
	openM = 5.0
	// lawAhead is for how long a place must stay lawful to be chosen.
	lawAhead = 10 * time.Minute
)

// spots lists places around one for trying: from leastM on, nearest first; the
// place itself is the first of all without a least distance.
func spots(centre space.XY, leastM float64) []space.XY {
	var list []space.XY
	for r := leastM; r <= leastM+reachM; r += placeStepM {
		if r == 0 {
			list = append(list, centre)
			continue
		}
		list = ring(list, centre, r, placeSpokes)
	}
	return list
}

// ring appends places on a circle.
func ring(list []space.XY, centre space.XY, radiusM float64, spokes int) []space.XY {
	for k := range spokes {
		sin, cos := math.Sincos(2 * math.Pi * float64(k) / float64(spokes))
		list = append(list, space.XY{X: centre.X + radiusM*sin, Y: centre.Y + radiusM*cos})
	}
	return list
}

// partPlace is where a part of a response goes. Where no better place is found
// it is that of the incident: the planner then says what is against it.
func (f *Fleet) partPlace(at space.Position, p *Part) space.Position {
	switch {
	case p.Place == PlaceAbove:
		return f.hoverAbove(at, p.HeightM, p.StandoffM)
	case p.Place == PlaceNear && p.airborne():
		return f.landNear(at, p.StandoffM)
	case p.Place == PlaceNear:
		return f.reachable(at, p.StandoffM)
	}
	return at
}

// hoverAbove is a lawful place in the air above a place, by heightM above the
// highest ground and roof around it, or as high as the limit of height allows.
// Where that is too low to stay clear of the roof, it is beside the building.
func (f *Fleet) hoverAbove(at space.Position, heightM, standoffM float64) space.Position {
	centre := f.chart.Frame.XY(at.Point())
	wanted := f.topAround(centre, aroundM) + heightM
	for _, xy := range spots(centre, standoffM) {
		if p, ok := f.airAt(xy, wanted); ok {
			return p
		}
	}
	at.AltitudeM, at.Level = f.chart.GroundAltitude(at.Point())+heightM, ""
	return at
}

// airAt is the highest lawful place in the air over a point that is not above
// the wanted altitude and clear of the roofs and of the keep-out zones around: who
// turns there on its way to the next place passes their edges at a distance.
func (f *Fleet) airAt(xy space.XY, wantedM float64) (space.Position, bool) {
	point := f.chart.Frame.Point(xy)
	if !f.chart.Extent.Contains(point) {
		return space.Position{}, false
	}
	ground := f.chart.GroundAltitudeXY(xy)
	limit := f.chart.HeightLimitM
	if limit == 0 {
		limit = route.DefaultHeightLimitM
	}
	p := space.Position{Lon: point[0], Lat: point[1]}
	for p.AltitudeM = min(wantedM, ground+limit-route.LimitMarginM); p.AltitudeM >= ground+route.LowestCruiseM-route.LimitMarginM; p.AltitudeM -= 5 {
		if f.roofNear(xy, route.ClearanceM) > p.AltitudeM-route.RoofClearanceM {
			return space.Position{}, false
		}
		if f.lawful(p, true) && !f.besideZone(xy, p.AltitudeM) {
			return p, true
		}
	}
	return space.Position{}, false
}

// besideZone tells whether a place in the air is nearer to a keep-out zone than
// aircraft pass one.
func (f *Fleet) besideZone(xy space.XY, altitudeM float64) bool {
	return slices.ContainsFunc(f.lawsNow(), func(l *zoneLaw) bool {
		return l.zone.Rule == chart.KeepOut && l.airborne && altitudeM >= l.floorM && altitudeM <= l.ceilingM &&
			l.box.Grow(route.ClearanceM).Contains(xy) &&
			slices.ContainsFunc(l.rings, func(r []space.XY) bool { return space.RingDist(r, xy) < route.ClearanceM })
	})
}

// landNear is the nearest ground where an aircraft can come down: outside of
// buildings by openM, on land, and in no zone that forbids it.
func (f *Fleet) landNear(at space.Position, standoffM float64) space.Position {
	centre := f.chart.Frame.XY(at.Point())
	if p, ok := f.landAmong(spots(centre, standoffM)); ok {
		return p
	}
	for r := standoffM + reachM + landStepM; r <= standoffM+landReachM; r += landStepM {
		if p, ok := f.landAmong(ring(nil, centre, r, landSpokes)); ok {
			return p
		}
	}
	return at
}

// landAmong is the first of some places where an aircraft can come down.
func (f *Fleet) landAmong(places []space.XY) (space.Position, bool) {
	for _, xy := range places {
		point := f.chart.Frame.Point(xy)
		if _, wet := f.chart.WaterAt(xy); wet || !f.chart.Extent.Contains(point) || f.roofNear(xy, openM) > math.Inf(-1) {
			continue
		}
		p := space.Position{Lon: point[0], Lat: point[1], AltitudeM: f.chart.GroundAltitudeXY(xy)}
		if f.lawful(p, true) {
			return p, true
		}
	}
	return space.Position{}, false
}

// reachable is the nearest point of the network where a rover may stand: where
// people walk, or a road if there is nothing else within route.SnapLimitM.
func (f *Fleet) reachable(at space.Position, standoffM float64) space.Position {
	centre := f.chart.Frame.XY(at.Point())
	for _, profile := range [...]chart.Profile{chart.Sidewalk, chart.Road} {
		best, bestM := space.Position{}, math.Inf(1)
		for _, xy := range spots(centre, standoffM) {
			if xy.Dist(centre)-placeStepM > bestM {
				break
			}
			point := f.chart.Frame.Point(xy)
			on, ok := f.chart.SnapOn(space.Position{Lon: point[0], Lat: point[1], Level: at.Level}, profile)
			if !ok || on.DistM > route.SnapLimitM {
				continue
			}
			d := on.XY.Dist(centre)
			if d >= bestM || d < standoffM {
				continue
			}
			point = f.chart.Frame.Point(on.XY)
			p := space.Position{Lon: point[0], Lat: point[1], AltitudeM: f.chart.GroundAltitudeXY(on.XY)}
			if f.chart.Extent.Contains(point) && f.lawful(p, false) {
				best, bestM = p, d
			}
		}
		if !math.IsInf(bestM, 1) {
			return best
		}
	}
	return at
}

// topAround is the altitude of the highest ground and roof within a distance.
func (f *Fleet) topAround(xy space.XY, withinM float64) float64 {
	_, high := f.chart.GroundRange(space.BoxOf(xy).Grow(withinM))
	return max(high, f.roofNear(xy, withinM))
}

// roofNear is the altitude of the highest roof within a distance of a point,
// minus infinity for none.
func (f *Fleet) roofNear(xy space.XY, withinM float64) float64 {
	top := math.Inf(-1)
	var room [64]int32
	for _, b := range f.chart.BuildingsIn(space.BoxOf(xy).Grow(withinM), room[:0]) {
		rings := f.chart.Outline(b)
		near := space.InRings(rings, xy)
		for _, ring := range rings {
			near = near || space.RingDist(ring, xy) < withinM
		}
		if near {
			top = max(top, f.chart.RoofM(b))
		}
	}
	return top
}

// lawful tells whether a vehicle may stand or hover at a place, now and for
// lawAhead.
func (f *Fleet) lawful(at space.Position, airborne bool) bool {
	xyz := f.chart.Frame.XYZ(at)
	for _, when := range [...]time.Time{f.now, f.now.Add(lawAhead)} {
		for _, h := range f.fences.Locate(xyz, when, airborne, 0, nil) {
			if h.Violated && h.Rule != chart.Advise {
				return false
			}
		}
	}
	return true
}
