package main

import (
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/planar"

	"github.com/kapok-fleet/kapok/fleet/fence"
	"github.com/kapok-fleet/kapok/planner/chart"
	"github.com/kapok-fleet/kapok/planner/space"
)

// sighting is a question: who is where, and when.
type sighting struct {
	at       space.XYZ
	when     time.Time
	airborne bool
}

// sighting makes up one in the field.
func (f *zoneField) sighting() sighting {
	return sighting{
		at: space.XYZ{
			X: f.box.Min.X + f.rng.Float64()*(f.box.Max.X-f.box.Min.X),
			Y: f.box.Min.Y + f.rng.Float64()*(f.box.Max.Y-f.box.Min.Y),
			Z: f.groundM + 130*f.rng.Float64(),
		},
		when: f.begin.Add(time.Duration(f.rng.Int64N(int64(3 * time.Hour)))), airborne: f.rng.IntN(4) > 0,
	}
}

func (f *zoneField) sightings(n int) []sighting {
	all := make([]sighting, n)
	for i := range all {
		all[i] = f.sighting()
	}
	return all
}

// zones makes up zones with heights and times, every fifth with a hole. Their
// size is such that a place is in a few.
func (f *zoneField) zones(n, corners int) []chart.Zone {
	rules := [...]chart.Rule{chart.KeepOut, chart.AltitudeLimit, chart.SpeedLimit, chart.Advise}
	radius := 1.2 * math.Sqrt((f.box.Max.X-f.box.Min.X)*(f.box.Max.Y-f.box.Min.Y)/float64(n))
	zones := make([]chart.Zone, n)
	for i := range zones {
		centre := f.sighting().at.XY()
		z := chart.Zone{
			ID: fmt.Sprintf("z%05d", i), Rule: rules[i%len(rules)], Polygon: orb.Polygon{f.ring(centre, radius, 0.7, corners)},
			FloorM: f.groundM + 1 + 40*f.rng.Float64(), CeilingM: f.groundM + 60 + 60*f.rng.Float64(),
			HeightLimitM: 60, SpeedLimitMPS: 4,
			From: f.begin.Add(time.Duration(f.rng.Int64N(int64(time.Hour)))), Airborne: i%3 == 0,
		}
		z.Until = z.From.Add(2 * time.Hour)
		if i%5 == 0 {
			z.Polygon = append(z.Polygon, f.ring(centre, 0.25*radius, 0.5, 8))
		}
		zones[i] = z
	}
	return zones
}

// ring makes up a simple ring about a place, whose spikes are a part of its
// radius.
func (f *zoneField) ring(centre space.XY, radius, spikes float64, corners int) orb.Ring {
	spikes = min(spikes, 20/float64(corners))
	ring := make(orb.Ring, 0, corners+1)
	for i := range corners {
		turn := 2 * math.Pi * (float64(i) + 0.8*f.rng.Float64()) / float64(corners)
		d := radius * (1 - spikes*f.rng.Float64())
		ring = append(ring, f.frame.Point(space.XY{X: centre.X + d*math.Cos(turn), Y: centre.Y + d*math.Sin(turn)}))
	}
	return append(ring, ring[0])
}

// orbZones answers as a fence.Set does, one zone after the other, by orb.
type orbZones []orbZone

type orbZone struct {
	*chart.Zone
	rings orb.Polygon // in the frame
	bound orb.Bound   // with the edge's tolerance
}

// newOrbZones takes zones in the order of their ids.
func newOrbZones(frame space.Frame, zones []chart.Zone) orbZones {
	all := make(orbZones, len(zones))
	for i := range zones {
		all[i].Zone = &zones[i]
		for _, ring := range zones[i].Polygon {
			flat := make(orb.Ring, len(ring))
			for k, p := range ring {
				at := frame.XY(p)
				flat[k] = orb.Point{at.X, at.Y}
			}
			all[i].rings = append(all[i].rings, flat)
		}
		all[i].bound = all[i].rings.Bound().Pad(2 * fence.EdgeM)
	}
	return all
}

// inside appends the ids of the zones that hold a place. With edges, a place
// within the tolerance of an edge is inside, of a hole's too; orb alone knows no
// tolerance, and takes a hole's edge for outside.
func (all orbZones) inside(l *sighting, edges bool, ids []string) []string {
	p := orb.Point{l.at.X, l.at.Y}
	for i := range all {
		z := &all[i]
		if !z.bound.Contains(p) || l.at.Z < z.FloorM || l.at.Z > z.CeilingM ||
			l.when.Before(z.From) || !l.when.Before(z.Until) || z.Airborne && !l.airborne {
			continue
		}
		if edges && z.onEdge(p) || planar.PolygonContains(z.rings, p) {
			ids = append(ids, z.ID)
		}
	}
	return ids
}

func (z *orbZone) onEdge(p orb.Point) bool {
	for _, ring := range z.rings {
		for i := range ring[1:] {
			if planar.DistanceFromSegment(ring[i], ring[i+1], p) <= fence.EdgeM {
				return true
			}
		}
	}
	return false
}

// comparison counts the questions, and those that are answered differently.
type comparison struct {
	set          *fence.Set
	oracle       orbZones
	asked, wrong int

	hits      []fence.Hit
	got, want []string
}

func (c *comparison) at(l *sighting) {
	c.hits = c.set.Locate(l.at, l.when, l.airborne, 5, c.hits[:0])
	c.got = c.got[:0]
	for _, h := range c.hits {
		c.got = append(c.got, h.ID)
	}
	c.want = c.oracle.inside(l, true, c.want[:0])
	c.asked++
	if !slices.Equal(c.got, c.want) {
		c.wrong++
	}
}

// edges asks at each vertex and in the middle of each edge, holes included, and
// a little inside and outside of the tolerance there; each at the floor, the
// ceiling, the first and the last instant of the zone, and just beyond them.
func (c *comparison) edges(ctx context.Context) error {
	for i := range c.oracle {
		if err := ctx.Err(); err != nil {
			return err
		}
		z := &c.oracle[i]
		middle := z.From.Add(z.Until.Sub(z.From) / 2)
		heightM := (z.FloorM + z.CeilingM) / 2
		n := 0
		for _, ring := range z.rings {
			for k := range ring[1:] {
				for _, p := range beside(ring[k], ring[k+1]) {
					heights := [...]float64{heightM, z.FloorM, z.CeilingM, math.Nextafter(z.FloorM, -1e6), math.Nextafter(z.CeilingM, 1e6)}
					times := [...]time.Time{middle, z.From, z.Until.Add(-1), z.Until, z.From.Add(-1)}
					at := space.XYZ{X: p[0], Y: p[1], Z: heights[n%len(heights)]}
					c.at(&sighting{at: space.XYZ{X: p[0], Y: p[1], Z: heightM}, when: middle, airborne: true})
					c.at(&sighting{at: at, when: times[n/len(heights)%len(times)], airborne: n%2 == 0})
					n++
				}
			}
		}
	}
	return nil
}

// beside lists an edge's end, its middle, and places on both sides of that, just
// within the tolerance and just beyond it.
func beside(a, b orb.Point) []orb.Point {
	middle := orb.Point{(a[0] + b[0]) / 2, (a[1] + b[1]) / 2}
	points := []orb.Point{a, middle}
	length := planar.Distance(a, b)
	if length == 0 {
		return points
	}
	for _, d := range [...]float64{-1.1, -0.9, 0.9, 1.1} {
		d *= fence.EdgeM / length
		points = append(points, orb.Point{middle[0] + d*(a[1]-b[1]), middle[1] + d*(b[0]-a[0])})
	}
	return points
}
