package fleet

import (
	"fmt"
	"math"

	"github.com/kapok-fleet/kapok/planner/route"
	"github.com/kapok-fleet/kapok/planner/space"
)

// Search patterns, after the International Aeronautical and Maritime Search and
// Rescue Manual (IAMSAR), volume II.

// maxTracks is how many tracks across its area a search has at most; beyond it
// they are further apart than asked for.
const maxTracks = 200

// sweep is the shape of a search: as many patterns as tasks share it.
type sweep struct {
	patterns [][]space.XY
	// spacingM is what was found possible, at least what was asked for.
	spacingM float64
}

// newSweep covers an area about a centre: with one expanding square, or with
// parallel tracks in as many strips as there are sectors. A search with patterns
// longer than sortieM (0: no bound) is shared by more tasks, up to MaxSectors;
// what is still too long has its tracks set further apart.
func newSweep(centre space.XY, area space.Box, spacingM, sortieM float64, sectors int) sweep {
	size := max(area.Max.X-area.Min.X, area.Max.Y-area.Min.Y)
	s := sweep{spacingM: max(spacingM, size/maxTracks)}
	for n := max(sectors, 1); ; n++ {
		s.patterns = patterns(centre, area, s.spacingM, n)
		if sortieM == 0 || s.longest() <= sortieM {
			return s
		}
		if n >= MaxSectors {
			break
		}
	}
	for s.longest() > sortieM && s.spacingM < size {
		s.spacingM *= 1.1
		s.patterns = patterns(centre, area, s.spacingM, MaxSectors)
	}
	return s
}

func patterns(centre space.XY, area space.Box, spacingM float64, sectors int) [][]space.XY {
	if sectors == 1 {
		return [][]space.XY{expandingSquare(centre, area, spacingM)}
	}
	list := make([][]space.XY, sectors)
	width := (area.Max.X - area.Min.X) / float64(sectors)
	for i := range list {
		strip := area
		strip.Min.X += width * float64(i)
		strip.Max.X = strip.Min.X + width
		list[i] = parallelTracks(strip, spacingM)
	}
	return list
}

// expandingSquare begins at the centre and turns right at each corner: legs of
// one spacing, one, two, two, three, three, … The first leads north. What would
// lie outside of the area is drawn in to its edge.
func expandingSquare(centre space.XY, area space.Box, spacingM float64) []space.XY {
	points := []space.XY{centre}
	at := centre
	headings := [4]space.XY{{Y: 1}, {X: 1}, {Y: -1}, {X: -1}}
	furthest := max(area.Max.X-centre.X, centre.X-area.Min.X, area.Max.Y-centre.Y, centre.Y-area.Min.Y)
	for k := 0; ; k++ {
		length := spacingM * float64(k/2+1)
		if length > 2*furthest+spacingM {
			return points
		}
		h := headings[k%4]
		at = space.XY{X: at.X + h.X*length, Y: at.Y + h.Y*length}
		in := space.XY{X: min(max(at.X, area.Min.X), area.Max.X), Y: min(max(at.Y, area.Min.Y), area.Max.Y)}
		last := points[len(points)-1]
		if in != at && flown(points, last, in, spacingM/2) {
			return points
		}
		if in != last {
			points = append(points, in)
		}
	}
}

// flown tells whether tracks pass everywhere along a line within a distance.
func flown(tracks []space.XY, a, b space.XY, withinM float64) bool {
	steps := max(int(a.Dist(b)/withinM), 1)
	for k := 0; k <= steps; k++ {
		t := float64(k) / float64(steps)
		p := space.XY{X: a.X + (b.X-a.X)*t, Y: a.Y + (b.Y-a.Y)*t}
		near := math.Inf(1)
		for i := 1; i < len(tracks); i++ {
			near = min(near, space.SegmentDist(p, tracks[i-1], tracks[i]))
		}
		if near > withinM {
			return false
		}
	}
	return true
}

// parallelTracks goes up and down a box, along its longer side.
func parallelTracks(box space.Box, spacingM float64) []space.XY {
	width, height := box.Max.X-box.Min.X, box.Max.Y-box.Min.Y
	n := max(int(math.Ceil(width/spacingM)), 1)
	points := make([]space.XY, 0, 2*n)
	for k := range n {
		x := box.Min.X + width*(float64(k)+0.5)/float64(n)
		inset := min(spacingM/2, height/2)
		south, north := space.XY{X: x, Y: box.Min.Y + inset}, space.XY{X: x, Y: box.Max.Y - inset}
		if k%2 == 0 {
			points = append(points, south, north)
		} else {
			points = append(points, north, south)
		}
	}
	return points
}

// longest is the length of the longest pattern.
func (s *sweep) longest() float64 {
	longest := 0.0
	for _, p := range s.patterns {
		length := 0.0
		for i := 1; i < len(p); i++ {
			length += p[i-1].Dist(p[i])
		}
		longest = max(longest, length)
	}
	return longest
}

// searchTasks are the tasks of a search. Corners where no aircraft may be
// (outside of the chart, in zones, at roofs above the limit of height) are left
// out, and the note of the task says so.
func (f *Fleet) searchTasks(i *Incident, p *Part) []*Task {
	s := newSweep(f.chart.Frame.XY(i.At.Point()), f.searched(i), p.SpacingM, p.SortieM, p.Sectors[i.Severity])
	var tasks []*Task
	for k, pattern := range s.patterns {
		t := f.partTask(i, p)
		t.Kind = Patrol
		if n := len(s.patterns); n > 1 {
			t.Role = fmt.Sprintf("%s %d of %d", p.Role, k+1, n)
		}
		left := 0
		for _, xy := range pattern {
			at, ok := f.searchAt(xy, p.HeightM)
			if !ok {
				left++
				continue
			}
			t.Stops = append(t.Stops, visitAt(at, i.Name, 0))
		}
		t.Note = searchNote(i, &s, p, left, len(pattern))
		if len(t.Stops) > 0 {
			tasks = append(tasks, t)
		}
	}
	if len(tasks) == 0 {
		t := f.partTask(i, p)
		t.Stops = []Stop{visitAt(f.hoverAbove(i.At, p.HeightM, 0), i.Name, 0)}
		t.Note = "no place of the pattern may be flown to: it looks from one place alone"
		tasks = append(tasks, t)
	}
	return tasks
}

// searched is the area of a search: the square about the place, as far as the
// chart reaches.
func (f *Fleet) searched(i *Incident) space.Box {
	box := space.BoxOf(f.chart.Frame.XY(i.At.Point())).Grow(i.RadiusM)
	extent := f.chart.Frame.Bound(f.chart.Extent).Grow(-placeStepM)
	area := space.Box{
		Min: space.XY{X: max(box.Min.X, extent.Min.X), Y: max(box.Min.Y, extent.Min.Y)},
		Max: space.XY{X: min(box.Max.X, extent.Max.X), Y: min(box.Max.Y, extent.Max.Y)},
	}
	if area.Empty() {
		return box
	}
	return area
}

// searchAt is a lawful place of a search over a point: heightM above the ground,
// or above the roofs where they are higher.
func (f *Fleet) searchAt(xy space.XY, heightM float64) (space.Position, bool) {
	wanted := f.chart.GroundAltitudeXY(xy) + heightM
	return f.airAt(xy, max(wanted, f.roofNear(xy, route.ClearanceM)+route.RoofClearanceM))
}

func searchNote(i *Incident, s *sweep, p *Part, left, all int) string {
	note := fmt.Sprintf("tracks %.0f m apart within %.0f m", s.spacingM, i.RadiusM)
	if s.spacingM > p.SpacingM {
		note += fmt.Sprintf(", as %.0f m would be too long for %d tasks", p.SpacingM, len(s.patterns))
	}
	if left > 0 {
		note += fmt.Sprintf("; %d of %d corners may not be flown to and are left out", left, all)
	}
	return note
}
