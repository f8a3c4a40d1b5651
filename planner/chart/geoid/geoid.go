// Package geoid tells how high mean sea level lies above the ellipsoid of
// WGS-84, by the Earth Gravitational Model 1996 (EGM96) of NIMA and NASA. A
// reduced grid of the model is part of the package; the model's own grid of 15
// minutes is read from its usual files.
package geoid

import (
	"bufio"
	"bytes"
	"compress/flate"
	_ "embed"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"path"
	"strconv"
	"strings"

	"github.com/paulmach/orb"
)

// ReducedErrorM is the error of the reduced grid against the model's own: in
// the root of the mean square, at 99 % of places, and at most.
const (
	ReducedErrorM        = 0.08
	ReducedError99M      = 0.3
	ReducedErrorAtMostM  = 2.0
	reducedStep          = 0.5
	reducedPerM          = 10
	maxFileBytes         = 32 << 20
	maxSide              = 10_000
	greatestUndulationM  = 200
	reducedRows          = 361
	reducedCols          = 720
	gtxHeadBytes         = 40
	bytesOfReducedAtMost = 4 * reducedRows * reducedCols
)

// ErrFile is the kind of error for a file that Read cannot use.
var ErrFile = errors.New("unusable geoid file")

// reduced is EGM96 at every half degree in decimetres: the differences to what
// the three neighbours to the south and west foretell, as zigzag varints, packed
// with deflate. The work of the United States Government from which it was
// computed is in the public domain.
//
//go:embed egm96-30min.bin
var reduced []byte

// Grid is a geoid on a grid of the whole earth. It is read-only; any number of
// goroutines may use it.
type Grid struct {
	name string
	// step is degrees from one point to the next, in rows from the south pole and
	// columns from west.
	step, west float64
	rows, cols int
	m          []float32
}

// EGM96 returns the reduced grid of the model, a point at every half degree, as
// good as ReducedErrorM and the others say.
func EGM96() (*Grid, error) {
	g := &Grid{name: "EGM96, reduced to 30 minutes", step: reducedStep, west: -180, rows: reducedRows, cols: reducedCols}
	unpacked, err := io.ReadAll(io.LimitReader(flate.NewReader(bytes.NewReader(reduced)), bytesOfReducedAtMost))
	if err != nil {
		return nil, fmt.Errorf("unpack the embedded geoid: %w", err)
	}
	values := make([]int64, g.rows*g.cols)
	for i := range values {
		step, n := binary.Varint(unpacked)
		if n <= 0 {
			return nil, fmt.Errorf("unpack the embedded geoid: it ends at point %d", i)
		}
		unpacked = unpacked[n:]
		values[i] = foretold(values, i, g.cols) + step
	}
	g.m = make([]float32, len(values))
	for i, v := range values {
		g.m[i] = float32(v) / reducedPerM
	}
	return g, nil
}

// foretold is the value of a plane through the points west, south and south-west
// of one.
func foretold(values []int64, i, cols int) int64 {
	switch col, row := i%cols, i/cols; {
	case col > 0 && row > 0:
		return values[i-1] + values[i-cols] - values[i-cols-1]
	case col > 0:
		return values[i-1]
	case row > 0:
		return values[i-cols]
	}
	return 0
}

// Read reads a grid of the whole earth: ".gtx" of PROJ, such as egm96_15.gtx, or
// ".grd" of NGA, such as WW15MGH.GRD.
func Read(name string, r io.Reader) (*Grid, error) {
	var g *Grid
	var err error
	switch strings.ToLower(path.Ext(name)) {
	case ".gtx":
		g, err = readGTX(r)
	case ".grd":
		g, err = readGRD(r)
	default:
		err = errors.New("only .gtx and .grd are read")
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrFile, name, err)
	}
	for i, m := range g.m {
		if !(math.Abs(float64(m)) <= greatestUndulationM) {
			return nil, fmt.Errorf("%w: %s: point %d has an undulation of %g m", ErrFile, name, i, m)
		}
	}
	g.name = path.Base(strings.ReplaceAll(name, `\`, "/"))
	return g, nil
}

// whole checks that a grid covers the earth: rows from pole to pole, and columns
// round it once; one more at the end may repeat the first.
func (g *Grid) whole(south float64) error {
	round := 360 / g.step
	if !(g.step > 0.01 && g.step <= 10) || math.Abs(south+90) > 1e-6 || math.Abs(g.step*float64(g.rows-1)-180) > 1e-3 ||
		math.Abs(float64(g.cols)-round) > 1.001 || math.Abs(round-math.Round(round)) > 1e-6 || g.cols < int(math.Round(round)) {
		return fmt.Errorf("its %d by %d points at %g degrees do not cover the earth from pole to pole", g.cols, g.rows, g.step)
	}
	return nil
}

// readGTX reads the corner, the steps and the size as numbers of fixed length,
// the most significant byte first, and the points from the south-west.
func readGTX(r io.Reader) (*Grid, error) {
	var head [gtxHeadBytes]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return nil, fmt.Errorf("it is cut off within its first %d bytes", gtxHeadBytes)
	}
	number := func(i int) float64 { return math.Float64frombits(binary.BigEndian.Uint64(head[8*i:])) }
	g := &Grid{step: number(2), west: number(1)}
	rows, cols := binary.BigEndian.Uint32(head[32:]), binary.BigEndian.Uint32(head[36:])
	if rows > maxSide || cols > maxSide || number(2) != number(3) || !(math.Abs(g.west) <= 360) {
		return nil, fmt.Errorf("it claims %d by %d points at %g and %g degrees", cols, rows, number(3), number(2))
	}
	g.rows, g.cols = int(rows), int(cols)
	if err := g.whole(number(0)); err != nil {
		return nil, err
	}
	data, err := io.ReadAll(io.LimitReader(r, maxFileBytes))
	if err != nil {
		return nil, err
	}
	if len(data) != 4*g.rows*g.cols {
		return nil, fmt.Errorf("it has %d bytes of points, not %d", len(data), 4*g.rows*g.cols)
	}
	for ; len(data) > 0; data = data[4:] {
		g.m = append(g.m, math.Float32frombits(binary.BigEndian.Uint32(data)))
	}
	return g, nil
}

// readGRD reads numbers as text: south, north, west, east and the two steps, and
// then the points from the north-west.
func readGRD(r io.Reader) (*Grid, error) {
	words := bufio.NewScanner(io.LimitReader(r, maxFileBytes))
	words.Split(bufio.ScanWords)
	next := func() (float64, error) {
		if !words.Scan() {
			return 0, errors.Join(errors.New("it ends early"), words.Err())
		}
		return strconv.ParseFloat(words.Text(), 64)
	}
	var head [6]float64
	for i := range head {
		var err error
		if head[i], err = next(); err != nil {
			return nil, fmt.Errorf("its first numbers: %w", err)
		}
	}
	south, north, west, east, step := head[0], head[1], head[2], head[3], head[4]
	if step != head[5] || !(step > 0.01 && step <= 10) || north != 90 || !(math.Abs(west) <= 360) || !(east-west > 359 && east-west <= 360) {
		return nil, fmt.Errorf("it begins with %v, which is no grid of the earth", head)
	}
	g := &Grid{step: step, west: west, rows: int(math.Round((north-south)/step)) + 1, cols: int(math.Round((east-west)/step)) + 1}
	if err := g.whole(south); err != nil {
		return nil, err
	}
	g.m = make([]float32, g.rows*g.cols)
	for i := range g.m {
		v, err := next()
		if err != nil {
			return nil, fmt.Errorf("point %d: %w", i+1, err)
		}
		g.m[(g.rows-1-i/g.cols)*g.cols+i%g.cols] = float32(v)
	}
	return g, nil
}

// String names the grid.
func (g *Grid) String() string { return g.name }

// UndulationM returns how high mean sea level lies above the ellipsoid at a
// point, in metres: by cubic convolution of sixteen points (Keys, "Cubic
// convolution interpolation for digital image processing", 1981).
func (g *Grid) UndulationM(p orb.Point) float64 {
	if !(math.Abs(p[0]) <= 1000 && math.Abs(p[1]) <= 90) {
		return 0
	}
	round := int(math.Round(360 / g.step))
	u, v := math.Mod(p[0]-g.west+720, 360)/g.step, (p[1]+90)/g.step
	col, row := int(u), min(int(v), g.rows-2)
	across, up := cubic(u-float64(col)), cubic(v-float64(row))
	sum := 0.0
	for j, y := range up {
		line := min(max(row-1+j, 0), g.rows-1) * g.cols
		for i, x := range across {
			sum += x * y * float64(g.m[line+(col-1+i+round)%round])
		}
	}
	return sum
}

// cubic is the weights of four points in a row, t of the way from the second to
// the third.
func cubic(t float64) [4]float64 {
	return [4]float64{((2-t)*t - 1) * t / 2, ((3*t-5)*t*t + 2) / 2, ((4-3*t)*t + 1) * t / 2, (t - 1) * t * t / 2}
}
