package chart

import (
	"errors"
	"math"
	"slices"

	"github.com/paulmach/orb"
)

// What counts as a fault of terrain: see faults.
const (
	// MaxGroundSlope is the rise over run, 60 degrees, up to which one sample
	// supports its neighbour; so does a step of MinFaultM.
	MaxGroundSlope = 1.7320508
	MinFaultM      = 30.0
	// needSupport of eightNeighbours must support a sample.
	needSupport, eightNeighbours = 3, 8
	// maxIsland is how many samples that only support each other are a fault.
	maxIsland = 12
	// A sample deeper below the sea than pitM is a fault where the ground pitRingM
	// away is above shoreM in pitSides of eight directions.
	pitM, shoreM = -30.0, -10.0
	pitRingM     = 300.0
	pitSides     = 6
	// MaxRepairs is how many repairs are listed; the others are only counted.
	MaxRepairs = 1000
)

// Repair is a sample of terrain whose height was a fault of the source, and what
// it was given from its neighbours.
type Repair struct {
	At      orb.Point `json:"at"`
	WasM    float64   `json:"was_m"`
	BecameM float64   `json:"became_m"`
}

// sampleState is what is known of a sample during the search for faults.
type sampleState uint8

const (
	soundSample sampleState = iota
	voidSample
	faultySample
	// seenSample is a sound one that the search for islands has been at.
	seenSample
)

// faultFinder looks for spikes and pits in a raster.
type faultFinder struct {
	r      *raster
	states []sampleState
	// across, along and aslant are the greatest steps, in decimetres, to a
	// neighbour east or west, north or south, and in a corner.
	across, along, aslant int32
}

// faults returns the samples that no ground can be, in their order. Three tests
// find them; none looks at how high a sample is, so that tops and cliffs stay:
//
//   - A sample is sound while three of its eight neighbours (in proportion where
//     some are missing) are sound and within MaxGroundSlope of it, or within
//     MinFaultM. What is not sound supports nothing, until all that is left is
//     supported: the 3-core of the graph of gentle steps (Seidman, "Network
//     structure and minimum degree", Social Networks 5, 1983). The top of a cliff
//     has the ground behind it, the narrowest ridge the samples along it.
//   - Sound samples that are joined by gentle steps to at most maxIsland in all,
//     with a steep one to all that is around, are an island of a fault.
//   - Ground more than 30 m below the sea in the midst of ground that is not is a
//     pit.
func (r *raster) faults() []int {
	eastM, northM := r.cellM()
	most := func(m float64) int32 { return int32(10 * max(MinFaultM, MaxGroundSlope*m)) }
	f := faultFinder{
		r: r, states: make([]sampleState, len(r.heights)),
		across: most(eastM), along: most(northM), aslant: most(math.Hypot(eastM, northM)),
	}
	for i, h := range r.heights {
		if h == void {
			f.states[i] = voidSample
		}
	}
	f.peel()
	f.dropIslands()
	f.dropPits(max(2, int(pitRingM/eastM)), max(2, int(pitRingM/northM)))
	var found []int
	for i, s := range f.states {
		if s == faultySample {
			found = append(found, i)
		}
	}
	return found
}

// joined appends the sound neighbours of a sample within a gentle step, and
// counts all that have a height.
func (f *faultFinder) joined(i int, list []int) (near []int, known int) {
	r := f.r
	col, row := i%r.cols, i/r.cols
	h := r.heights[i]
	for dy := max(-1, -row); dy <= min(1, r.rows-1-row); dy++ {
		for dx := max(-1, -col); dx <= min(1, r.cols-1-col); dx++ {
			k := i + dy*r.cols + dx
			if k == i || f.states[k] == voidSample {
				continue
			}
			known++
			most := f.aslant
			switch {
			case dy == 0:
				most = f.across
			case dx == 0:
				most = f.along
			}
			if f.states[k] != faultySample && abs(r.heights[k]-h) <= most {
				list = append(list, k)
			}
		}
	}
	return list, known
}

func abs(v int32) int32 { return max(v, -v) }

// peel takes away what is not supported, until all is.
func (f *faultFinder) peel() {
	var queue, near []int
	var known int
	unsupported := func(i int) bool {
		near, known = f.joined(i, near[:0])
		return len(near) < known*needSupport/eightNeighbours
	}
	for i, s := range f.states {
		if s == soundSample && unsupported(i) {
			queue = append(queue, i)
		}
	}
	for len(queue) > 0 {
		i := queue[len(queue)-1]
		queue = queue[:len(queue)-1]
		if f.states[i] != soundSample || !unsupported(i) {
			continue
		}
		f.states[i] = faultySample
		// The list is that of unsupported, which those queued write again.
		queue = append(queue, near...)
	}
}

// dropIslands takes away small groups of samples that only support each other.
func (f *faultFinder) dropIslands() {
	var group, near []int
	for i := range f.states {
		if f.states[i] != soundSample {
			continue
		}
		// All of the group is gone through, so that none of it is begun again; only
		// the first of it are kept.
		size, steep := 0, false
		stack := []int{i}
		group = group[:0]
		f.states[i] = seenSample
		for len(stack) > 0 {
			k := stack[len(stack)-1]
			stack = stack[:len(stack)-1]
			if size++; size <= maxIsland {
				group = append(group, k)
			}
			var known int
			near, known = f.joined(k, near[:0])
			steep = steep || len(near) < known
			for _, n := range near {
				if f.states[n] == soundSample {
					f.states[n] = seenSample
					stack = append(stack, n)
				}
			}
		}
		if size > maxIsland || !steep {
			continue
		}
		for _, k := range group {
			f.states[k] = faultySample
		}
	}
}

// dropPits takes away ground far below the sea in the midst of ground that is
// not.
func (f *faultFinder) dropPits(cols, rows int) {
	r := f.r
	for i, h := range r.heights {
		if h == void || h >= 10*pitM || f.states[i] == faultySample {
			continue
		}
		col, row := i%r.cols, i/r.cols
		sides := 0
		for _, d := range [...][2]int{{1, 0}, {1, 1}, {0, 1}, {-1, 1}, {-1, 0}, {-1, -1}, {0, -1}, {1, -1}} {
			x, y := min(max(col+d[0]*cols, 0), r.cols-1), min(max(row+d[1]*rows, 0), r.rows-1)
			if r.heights[y*r.cols+x] > 10*shoreM {
				sides++
			}
		}
		if sides >= pitSides {
			f.states[i] = faultySample
		}
	}
}

// mend finds the faults of a raster, fills them and its voids from their
// neighbours, and tells of both.
func (r *raster) mend() (repairs []Repair, faults, voids int, err error) {
	found := r.faults()
	for _, i := range found {
		if len(repairs) < MaxRepairs {
			at := r.plane.to(orb.Point{r.origin[0] + float64(i%r.cols)*r.stepLon, r.origin[1] + float64(i/r.cols)*r.stepLat})
			for k := range at {
				at[k] = math.Round(at[k]*coordScale) / coordScale
			}
			repairs = append(repairs, Repair{At: at, WasM: float64(r.heights[i]) / 10})
		}
	}
	for _, i := range found {
		r.heights[i] = void
	}
	for i, h := range r.heights {
		if h != void && (h < 10*lowestLandM || h > 10*highestLandM) {
			r.heights[i] = void
		}
	}
	filled, err := fillVoids(r)
	for k := range repairs {
		repairs[k].BecameM = float64(r.heights[found[k]]) / 10
	}
	return repairs, len(found), filled - len(found), err
}

// fillVoids gives each void the mean of those of its eight neighbours that are
// known, from the rims of each hole inwards, and returns how many there were.
func fillVoids(r *raster) (count int, err error) {
	var rim, next []int
	for i, h := range r.heights {
		if h == void {
			count++
			if r.meanAround(i) != void {
				rim = append(rim, i)
			}
		}
	}
	if count == len(r.heights) {
		return count, errors.New("it has no height within the chart")
	}
	means := []int32{}
	for len(rim) > 0 {
		// A whole rim at once, so that the order of samples does not show.
		means = means[:0]
		for _, i := range rim {
			means = append(means, r.meanAround(i))
		}
		for k, i := range rim {
			r.heights[i] = means[k]
		}
		next = next[:0]
		for _, i := range rim {
			for _, k := range r.around(i) {
				if k >= 0 && r.heights[k] == void {
					next = append(next, k)
				}
			}
		}
		slices.Sort(next)
		rim, next = slices.Compact(next), rim
	}
	return count, nil
}

// around returns the neighbours of a sample, -1 beyond the edge.
func (r *raster) around(i int) (list [eightNeighbours]int) {
	col, row := i%r.cols, i/r.cols
	n := 0
	for dy := -1; dy <= 1; dy++ {
		for dx := -1; dx <= 1; dx++ {
			if dx == 0 && dy == 0 {
				continue
			}
			list[n] = -1
			if x, y := col+dx, row+dy; x >= 0 && x < r.cols && y >= 0 && y < r.rows {
				list[n] = y*r.cols + x
			}
			n++
		}
	}
	return list
}

// meanAround returns the mean of the known neighbours, void when there is none.
func (r *raster) meanAround(i int) int32 {
	sum, known := 0, 0
	for _, k := range r.around(i) {
		if k >= 0 && r.heights[k] != void {
			sum += int(r.heights[k])
			known++
		}
	}
	if known == 0 {
		return void
	}
	return int32(math.Round(float64(sum) / float64(known)))
}
