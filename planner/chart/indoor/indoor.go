// Package indoor reads maps of the insides of buildings, as fleets of robots have
// them: building.yaml files of Open-RMF and layouts in the Layout Interchange Format
// of VDMA. Both become a Map: nodes on levels, lanes between them, doors across
// lanes, and lifts that stop at nodes.
//
// Most such maps know nothing of the earth. Their metres become places by Put.
package indoor

import (
	"fmt"
	"math"

	"github.com/paulmach/orb"

	"github.com/kapok-fleet/kapok/planner/space"
)

// Limits of a map. A file beyond one of them is refused.
const (
	MaxBytes  = 64 << 20
	MaxLevels = 300
	MaxNodes  = 500_000
	MaxLanes  = 1_000_000
	MaxDoors  = 50_000
	MaxLifts  = 1_000
	// MaxSpanM is how far from its origin a map may reach.
	MaxSpanM = 20_000
)

// What a lift and a door take where the file does not say it. The speeds are
// those that Open-RMF simulates its lifts and their doors with, at its nominal
// acceleration; a hinged or sliding door in a corridor is taken to need as long as a
// powered one may by EN 16005, some 5 s.
const (
	LiftSpeedMPS = 1.0
	LiftDoorMPS  = 0.3
	DoorS        = 5.0
	// LiftCapacity is how many robots a cabin takes at once.
	LiftCapacity = 1
	// StoreyM is the height of a storey where the file has no heights.
	StoreyM = 4.0
)

// Map is the inside of a building, or of several. The numbers by which its parts
// name each other are indices.
type Map struct {
	Name string
	// Format is what it was read from: "building.yaml" or "LIF".
	Format string
	// Placed tells that nodes, doors and lifts have a Point: the file had places on
	// the earth, or Put gave them.
	Placed bool
	// Levels are from the lowest to the highest.
	Levels []Level
	// Nodes are those that lanes, lifts or stations use.
	Nodes    []Node
	Lanes    []Lane
	Doors    []Door
	Lifts    []Lift
	Stations []Station
	// Findings are what will trouble people and keeps nothing from being read.
	Findings []Finding
}

// Finding is one of them; At is where in the file, as the file's format tells it.
type Finding struct{ At, Text string }

// Level is a floor.
type Level struct {
	Name string
	// ElevationM is its height above that of elevation 0 of the file.
	ElevationM float64
}

// Node is a place where robots turn, wait or work.
type Node struct {
	// ID is unique in the map: "L1/lobby", or "L1/#56" by its number where it has no
	// name or another node has it; the file's own id in LIF.
	ID   string
	Name string
	// Level is a number of Levels.
	Level int
	// XY is in metres from the map's origin, x to the right and y up the map.
	XY    space.XY
	Point orb.Point
	// Charger, Parking and Holding say what robots may do there: charge, stay, and
	// wait for others. PassThrough forbids to stay.
	Charger, Parking, Holding, PassThrough bool
	// Dock, Pickup and Dropoff name what stands there to dock at, to take loads
	// from and to give them to.
	Dock, Pickup, Dropoff string
	// Lift is the number of the lift in whose cabin the node lies, -1 for none.
	Lift int
}

// Lane is a straight way from a node to another.
type Lane struct {
	From, To int
	// Both tells that robots drive it in both directions.
	Both bool
	// SpeedLimitMPS is 0 where the lane has none of its own.
	SpeedLimitMPS float64
	// Classes are the robots that may use it, by the file's own names: numbers of
	// graphs in building.yaml, types of vehicle in LIF.
	Classes []string
	// Door is the number of the door that the lane leads through, -1 for none.
	Door int
	// Mutex names the group of lanes and nodes of which one robot may be on at a time.
	Mutex string
}

// Door is across a corridor, from A to B.
type Door struct {
	Name string
	// Kind is the file's word: hinged, double_sliding and so on.
	Kind  string
	Level int
	A, B  space.XY
	// OpenS is how long it takes to open.
	OpenS float64
}

// Lift carries robots between levels.
type Lift struct {
	Name  string
	XY    space.XY
	Point orb.Point
	// WidthM and DepthM are the cabin's, 0 where the file does not say.
	WidthM, DepthM float64
	// Stops are from the lowest level to the highest.
	Stops []Stop
	// SpeedMPS, DoorS (to open or to close) and Capacity (robots) are the file's or
	// the constants of this package.
	SpeedMPS, DoorS float64
	Capacity        int
}

// Stop is where a lift opens.
type Stop struct {
	Level int
	// Node is the node in the cabin on that level.
	Node int
}

// Station is where robots work with what stands there; each of its nodes will do.
type Station struct {
	ID, Name string
	Nodes    []int
}

// Put places a map that is not Placed: its origin lies at a place, and up the map is
// a direction in degrees clockwise from north.
func (m *Map) Put(origin orb.Point, upDeg float64) error {
	if m.Placed {
		return fmt.Errorf("map %s has places of its own", m.Name)
	}
	if !space.ValidPoint(origin) || math.IsNaN(upDeg) || math.IsInf(upDeg, 0) {
		return fmt.Errorf("map %s cannot lie at %v, turned by %g degrees", m.Name, origin, upDeg)
	}
	frame := space.NewFrame(origin)
	sin, cos := math.Sincos(upDeg * math.Pi / 180)
	place := func(at space.XY) orb.Point {
		return frame.Point(space.XY{X: at.X*cos + at.Y*sin, Y: at.Y*cos - at.X*sin})
	}
	for i := range m.Nodes {
		m.Nodes[i].Point = place(m.Nodes[i].XY)
	}
	for i := range m.Lifts {
		m.Lifts[i].Point = place(m.Lifts[i].XY)
	}
	m.Placed = true
	return nil
}

// RideS is how long the lift takes from one of its levels to another once it is
// there and open: closing, the ride, and opening.
func (m *Map) RideS(lift *Lift, from, to int) float64 {
	return 2*lift.DoorS + math.Abs(m.Levels[from].ElevationM-m.Levels[to].ElevationM)/lift.SpeedMPS
}

// note adds a finding.
func (m *Map) note(at, text string, args ...any) {
	m.Findings = append(m.Findings, Finding{at, fmt.Sprintf(text, args...)})
}

// close sees to what both formats share: doors across lanes and parts that cannot be
// reached.
func (m *Map) close() {
	m.hangDoors()
	m.findIslands()
}

// hangDoors tells the lanes which door they lead through.
func (m *Map) hangDoors() {
	byLevel := map[int][]int{}
	for i := range m.Doors {
		byLevel[m.Doors[i].Level] = append(byLevel[m.Doors[i].Level], i)
	}
	used := make([]bool, len(m.Doors))
	for i := range m.Lanes {
		l := &m.Lanes[i]
		l.Door = -1
		from, to := &m.Nodes[l.From], &m.Nodes[l.To]
		if from.Level != to.Level {
			continue
		}
		for _, d := range byLevel[from.Level] {
			if !crosses(from.XY, to.XY, m.Doors[d].A, m.Doors[d].B) {
				continue
			}
			if l.Door >= 0 {
				m.note(from.ID, "the lane from %s to %s leads through two doors, %s and %s: only the first is waited for; add a node between them",
					from.ID, to.ID, m.Doors[l.Door].Name, m.Doors[d].Name)
				continue
			}
			l.Door, used[d] = d, true
		}
	}
	for d, in := range used {
		if !in {
			m.note(m.Levels[m.Doors[d].Level].Name, "no lane leads through the door %s", m.Doors[d].Name)
		}
	}
}

// crosses tells whether two segments meet; ends count.
func crosses(a, b, c, d space.XY) bool {
	side := func(p, q, r space.XY) float64 { return (q.X-p.X)*(r.Y-p.Y) - (q.Y-p.Y)*(r.X-p.X) }
	s1, s2, s3, s4 := side(a, b, c), side(a, b, d), side(c, d, a), side(c, d, b)
	if s1*s2 > 0 || s3*s4 > 0 {
		return false
	}
	if s1 != 0 || s2 != 0 || s3 != 0 || s4 != 0 {
		return true
	}
	// All on one line.
	return min(a.X, b.X) <= max(c.X, d.X) && min(c.X, d.X) <= max(a.X, b.X) &&
		min(a.Y, b.Y) <= max(c.Y, d.Y) && min(c.Y, d.Y) <= max(a.Y, b.Y)
}

// findIslands tells of parts that no lane or lift joins with the greatest, whatever
// the directions of lanes and the classes of robots.
func (m *Map) findIslands() {
	of := newUnion(len(m.Nodes))
	for _, l := range m.Lanes {
		of.join(l.From, l.To)
	}
	for i := range m.Lifts {
		for _, s := range m.Lifts[i].Stops {
			of.join(m.Lifts[i].Stops[0].Node, s.Node)
		}
	}
	size, first := map[int]int{}, map[int]int{}
	for i := range m.Nodes {
		root := of.root(i)
		if size[root] == 0 {
			first[root] = i
		}
		size[root]++
	}
	main := -1
	for i := range m.Nodes {
		if root := of.root(i); main < 0 || size[root] > size[main] {
			main = root
		}
	}
	for i := range m.Nodes {
		if root := of.root(i); root != main && first[root] == i {
			m.note(m.Nodes[i].ID, "%d nodes about %s are joined with the rest by no lane and no lift", size[root], m.Nodes[i].ID)
		}
	}
}

// union is a forest of sets of nodes.
type union []int

func newUnion(n int) union {
	u := make(union, n)
	for i := range u {
		u[i] = i
	}
	return u
}

func (u union) root(i int) int {
	for u[i] != i {
		u[i] = u[u[i]]
		i = u[i]
	}
	return i
}

func (u union) join(a, b int) { u[u.root(a)] = u.root(b) }
