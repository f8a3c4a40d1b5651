package fence

import (
	"fmt"
	"math"
	"testing"

	"github.com/paulmach/orb"

	"github.com/kapok-fleet/kapok/planner/chart"
	"github.com/kapok-fleet/kapok/planner/space"
)

// The cells never go down as a value rises, and every value has one.
func TestCellsFollowTheOrderOfValues(t *testing.T) {
	a := newAxis(-3, 7, 16)
	values := []float64{math.Inf(-1), -1e300, -3.1, -3}
	for i := range 1000 {
		border := -3 + float64(i)/100
		values = append(values, math.Nextafter(border, -9), border, math.Nextafter(border, 9))
	}
	values = append(values, 7, 7.1, 1e300, math.Inf(1))
	last := int32(0)
	for _, v := range values {
		if cell := a.cell(v); cell < last || cell > 15 {
			t.Fatalf("%v is in cell %d, what is before it in cell %d", v, cell, last)
		} else {
			last = cell
		}
	}
	if last != 15 || a.cell(math.NaN()) != 0 || a.cell(-3) != 0 {
		t.Errorf("the last cell met is %d, that of NaN %d", last, a.cell(math.NaN()))
	}
}

// Whatever the zones are like, the memory stays within what Set promises, and a
// place in all of them finds them all.
func TestMemoryIsBounded(t *testing.T) {
	f := space.NewFrame(orb.Point{113.93, 22.51})
	box := func(x, y, size float64) orb.Polygon {
		return orb.Polygon{{
			f.Point(space.XY{X: x - size, Y: y - size}), f.Point(space.XY{X: x + size, Y: y - size}),
			f.Point(space.XY{X: x + size, Y: y + size}), f.Point(space.XY{X: x - size, Y: y + size}),
		}}
	}
	comb := func(x, y, size float64) orb.Polygon {
		var ring orb.Ring
		for i := range 2000 {
			at := x - size + 2*size*float64(i)/2000
			ring = append(ring, f.Point(space.XY{X: at, Y: y - size}), f.Point(space.XY{X: at, Y: y + size}))
		}
		return orb.Polygon{append(ring, f.Point(space.XY{X: x + size, Y: y - 2*size}))}
	}
	for _, tt := range []struct {
		name string
		n    int
		zone func(i int) orb.Polygon
	}{
		{"none", 0, nil},
		{"one", 1, func(int) orb.Polygon { return box(0, 0, 100) }},
		{"all cover everything", 1000, func(int) orb.Polygon { return box(0, 0, 50_000) }},
		{"half of them do", 1000, func(i int) orb.Polygon { return box(float64(i), float64(i), 50+float64(i%2)*50_000) }},
		{"all in the same place", 500, func(int) orb.Polygon { return box(5, 5, 1) }},
		{"many small ones", 20_000, func(i int) orb.Polygon { return box(float64(i%141)*100, float64(i/141)*100, 40) }},
		{"combs of 4,001 points", 3, func(int) orb.Polygon { return comb(0, 0, 100) }},
	} {
		var zones []chart.Zone
		edges := 0
		for i := range tt.n {
			polygon := tt.zone(i)
			edges += len(polygon[0])
			zones = append(zones, chart.Zone{ID: fmt.Sprintf("z%05d", i), Rule: chart.KeepOut, Polygon: polygon})
		}
		s := Compile(&chart.Chart{Frame: f}, zones)
		if cells := len(s.grid.first) - 1; cells > maxSide*maxSide || cells < 1 {
			t.Errorf("%s: %d cells", tt.name, cells)
		}
		if entries := len(s.grid.zones); entries > perZone*tt.n || entries < tt.n {
			t.Errorf("%s: %d entries for %d zones", tt.name, entries, tt.n)
		}
		if len(s.edges) > maxCopies*edges || len(s.edges) < edges {
			t.Errorf("%s: %d places for %d edges", tt.name, len(s.edges), edges)
		}
	}
}
