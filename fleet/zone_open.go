package fleet

import (
	"github.com/paulmach/orb"

	"github.com/kapok-fleet/kapok/planner/chart"
	"github.com/kapok-fleet/kapok/planner/space"
)

// openGround tells of most places, by their degrees alone, that no zone is near.
// So a sample there need not be projected into the chart's frame to be held
// against zones, which is most of what a sample costs. It never says so of a
// place in a zone: cells are marked by their boxes in the frame and more.
type openGround struct {
	extent orb.Bound
	// perLon and perLat are cells per degree.
	perLon, perLat float64
	boxes          []space.Box
	taken          []bool
}

// openCells is how many cells a chart has along each side.
const openCells = 32

// openMarginM is by how much a cell's box grows: more than its edges bend in the
// frame between the corners, even for the greatest chart.
const openMarginM = 100

func newOpenGround(c *chart.Chart) openGround {
	e := c.Extent
	width, height := e.Max[0]-e.Min[0], e.Max[1]-e.Min[1]
	if !(width > 0 && height > 0) {
		return openGround{}
	}
	g := openGround{extent: e, perLon: openCells / width, perLat: openCells / height}
	for row := range openCells {
		for column := range openCells {
			low := orb.Point{e.Min[0] + float64(column)/g.perLon, e.Min[1] + float64(row)/g.perLat}
			high := orb.Point{low[0] + 1/g.perLon, low[1] + 1/g.perLat}
			g.boxes = append(g.boxes, c.Frame.Bound(orb.Bound{Min: low, Max: high}).Grow(openMarginM))
		}
	}
	return g
}

// mark takes in the zones. One that vehicles must keep in leaves no ground open.
func (g *openGround) mark(frame space.Frame, zones []chart.Zone) {
	g.taken = make([]bool, len(g.boxes))
	for i := range zones {
		if zones[i].Rule == chart.KeepIn {
			g.taken = nil
			return
		}
		box := space.EmptyBox()
		for _, ring := range zones[i].Polygon {
			for _, p := range ring {
				box = box.Extend(frame.XY(p))
			}
		}
		if box.Empty() {
			continue
		}
		for k := range g.boxes {
			g.taken[k] = g.taken[k] || g.boxes[k].Intersects(box)
		}
	}
}

// at tells whether no zone is near; false also where it is not known, as beyond
// the chart.
func (g *openGround) at(lon, lat float64) bool {
	x, y := (lon-g.extent.Min[0])*g.perLon, (lat-g.extent.Min[1])*g.perLat
	if !(x >= 0 && x < openCells && y >= 0 && y < openCells) {
		return false
	}
	i := int(y)*openCells + int(x)
	return i < len(g.taken) && !g.taken[i]
}
