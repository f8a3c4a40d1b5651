package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/kapok-fleet/kapok/cmd/kapok/internal/rig"
	"github.com/kapok-fleet/kapok/planner/mesh"
	"github.com/kapok-fleet/kapok/planner/space"
)

// gridMap is a map of the MovingAI benchmark (Sturtevant, "Benchmarks for
// grid-based pathfinding", 2012) with what Polyanya's authors' program takes for
// its questions on the machine that the bounds were set on, and what the lengths of
// all answers are together as a part of the lengths on the grid.
type gridMap struct {
	name         string
	p50US, p95US float64
	mostP50US    float64
	part         float64
}

// lengthSlackM is by how much a length may differ from the exact one.
const lengthSlackM = 1e-6

// gridMaps are the maps that are measured, and the bounds.
func gridMaps() []gridMap {
	return []gridMap{
		{"arena", 1.9, 3.0, 8, 0.9556},
		{"ost003d", 47, 83, 190, 0.9353},
		{"brc202d", 205, 414, 820, 0.9546},
		{"Aurora", 426, 2783, 1700, 0.9392},
	}
}

// routesFlags say where the maps are and how much is asked.
type routesFlags struct {
	benchFlags
	data   string
	maps   []string
	rounds int
	check  int
	seed   uint64
}

func newBenchRoutes(c console) *cobra.Command {
	var f routesFlags
	cmd := &cobra.Command{
		Use: "routes", Short: "Measure shortest ways among static obstacles on the maps of the MovingAI benchmark", Args: cobra.NoArgs,
		Long: "Measure the search that finds ways among buildings on grid maps of the MovingAI benchmark, and compare every length\n" +
			"with that of an exact search that shares nothing with it. Blocked squares become obstacles, places are the corners of\n" +
			"squares, and ways may touch corners but not squeeze through between two that touch. Without the maps there is nothing\n" +
			"to measure, and the command says so.",
		RunE: measuring(c, &f),
	}
	f.flags(cmd)
	fl := cmd.Flags()
	fl.StringVar(&f.data, "data", "", "folder with maps/NAME.map and scen/NAME.map.scen (default $KAPOK_DATA/grid, else ../shared/data/grid)")
	fl.StringSliceVar(&f.maps, "maps", nil, "names of the maps (default all four)")
	fl.IntVar(&f.rounds, "rounds", 5, "how often each question is asked; its time is the median")
	fl.IntVar(&f.check, "check", -1, "how many questions of each map are compared with the exact search, drawn by the seed; -1 for all")
	fl.Uint64Var(&f.seed, "seed", 1, "seed of the choice")
	return cmd
}

func (f *routesFlags) shorten(cmd *cobra.Command) {
	if !f.quick {
		return
	}
	if given := cmd.Flags().Changed; !given("maps") {
		f.maps = []string{"arena", "ost003d"}
	}
	f.rounds = 1
}

func (f *routesFlags) validate() error {
	known := gridMaps()
	for _, name := range f.maps {
		if !slices.ContainsFunc(known, func(g gridMap) bool { return g.name == name }) {
			return fmt.Errorf("--maps %s is none of arena, ost003d, brc202d, Aurora", name)
		}
	}
	if f.rounds < 1 || f.rounds > 1000 {
		return fmt.Errorf("--rounds %d is not 1 to 1000", f.rounds)
	}
	if f.data == "" {
		f.data = filepath.Join("..", "shared", "data", "grid")
		if data := os.Getenv("KAPOK_DATA"); data != "" {
			f.data = filepath.Join(data, "grid")
		}
	}
	return nil
}

func (f *routesFlags) run(ctx context.Context, c console, r *rig.Report) error {
	for _, g := range gridMaps() {
		if len(f.maps) > 0 && !slices.Contains(f.maps, g.name) {
			continue
		}
		file := filepath.Join(f.data, "maps", g.name+".map")
		w, h, open, err := readGrid(file)
		if errors.Is(err, fs.ErrNotExist) {
			r.Note("%s was left out: there is no %s; the maps are those of the MovingAI benchmark, and --data says where they are", g.name, file)
			continue
		}
		if err != nil {
			return err
		}
		asks, err := readScenario(filepath.Join(f.data, "scen", g.name+".map.scen"), w, h)
		if err != nil {
			return err
		}
		if err := f.measure(ctx, c, r, &g, w, h, open, asks); err != nil {
			return err
		}
	}
	r.Note("rows say beside them what Polyanya in C++ takes, measured once on the machine that the bounds are for")
	return nil
}

// measure asks all questions of one map.
func (f *routesFlags) measure(ctx context.Context, c console, r *rig.Report, g *gridMap, w, h int, open []bool, asks []gridAsk) error {
	began := time.Now()
	m, err := mesh.New(space.Box{Max: space.XY{X: float64(w), Y: float64(h)}}, gridObstacles(w, h, open))
	if err != nil {
		return fmt.Errorf("bench routes: %s: %w", g.name, err)
	}
	built := time.Since(began)
	c.say("%s: %d questions", g.name, len(asks))
	var s mesh.Search
	each := make([][]float64, len(asks))
	lengths := make([]float64, len(asks))
	spent := stopwatch(r)
	for range f.rounds {
		for i, a := range asks {
			began := time.Now()
			way, outcome := s.Find(m, a.from.place(), a.to.place(), mesh.Limits{})
			each[i] = append(each[i], float64(time.Since(began))/float64(time.Microsecond))
			if lengths[i] = way.LengthM; outcome != mesh.Found {
				lengths[i] = math.Inf(1)
			}
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	mean := float64(spent()) / float64(time.Microsecond) / float64(f.rounds*len(asks))
	times := make([]float64, len(asks))
	sum, octile := 0.0, 0.0
	for i := range asks {
		times[i] = rig.Median(each[i])
		if !math.IsInf(lengths[i], 1) {
			sum += lengths[i]
			octile += asks[i].octileM
		}
	}
	slices.Sort(times)
	p50, p95 := times[len(times)/2], times[len(times)*95/100]
	note := func(name string, value float64, unit, text string) {
		r.Rows = append(r.Rows, rig.Row{Name: g.name + ": " + name, Value: value, Unit: unit, Note: text})
	}
	note("questions", float64(len(asks)), "", "")
	note("cells of the mesh", float64(m.Cells()), "", fmt.Sprintf("%d corners, built in %v", m.Corners(), built.Round(100*time.Microsecond)))
	note("time of an answer, p50", p50, "µs", fmt.Sprintf("C++: %g", g.p50US))
	note("time of an answer, p95", p95, "µs", fmt.Sprintf("C++: %g", g.p95US))
	note("processor time of an answer, mean", mean, "µs", "")
	note("lengths by those on the grid", sum/octile, "", fmt.Sprintf("%.6f, exact: %.4f", sum/octile, g.part))
	r.AtMost(g.name+": p50", p50, g.mostP50US, "µs")
	r.AtMost(g.name+": lengths by those on the grid, off by", math.Abs(sum/octile-g.part), 0.00005, "")
	return f.compare(ctx, c, r, g, newSightGrid(w, h, open), asks, lengths)
}

// compare holds the lengths to the exact ones.
func (f *routesFlags) compare(ctx context.Context, c console, r *rig.Report, g *gridMap, exact *sightGrid, asks []gridAsk, lengths []float64) error {
	order := rand.New(rand.NewPCG(f.seed, 6)).Perm(len(asks))
	if f.check >= 0 {
		order = order[:min(f.check, len(order))]
	}
	if len(order) == 0 {
		return nil
	}
	c.say("%s: comparing %d lengths with the exact ones", g.name, len(order))
	exact.connect()
	wrong, worst := 0, 0.0
	for n, i := range order {
		if n%64 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		want := exact.shortest(asks[i].from, asks[i].to)
		off := math.Abs(want - lengths[i])
		if math.IsInf(want, 1) && math.IsInf(lengths[i], 1) {
			// Both say that there is no way.
			off = 0
		}
		worst = max(worst, off)
		if !(off <= lengthSlackM) {
			wrong++
			c.say("%s: from %v to %v: %.9f, off by %g", g.name, asks[i].from, asks[i].to, lengths[i], off)
		}
	}
	r.Rows = append(r.Rows, rig.Row{Name: g.name + ": lengths compared", Value: float64(len(order)), Note: fmt.Sprintf("the worst off by %.1g", worst)})
	r.AtMost(g.name+": lengths that are not exact", float64(wrong), 0, "")
	return nil
}

// gridAsk is a question of a scenario: two places, and how long the way between
// them is on the grid.
type gridAsk struct {
	from, to spotXY
	octileM  float64
}

func (s spotXY) place() space.XY { return space.XY{X: float64(s.x), Y: float64(s.y)} }

// readGrid reads a map: which squares are free, row by row.
func readGrid(name string) (w, h int, open []bool, err error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return 0, 0, nil, fmt.Errorf("reading a grid map: %w", err)
	}
	lines := bufio.NewScanner(bytes.NewReader(text))
	for lines.Scan() {
		word, value, _ := strings.Cut(strings.TrimSpace(lines.Text()), " ")
		if word == "map" {
			break
		}
		n, _ := strconv.Atoi(value)
		switch word {
		case "width":
			w = n
		case "height":
			h = n
		}
	}
	if w < 1 || h < 1 || w > 1<<14 || h > 1<<14 {
		return 0, 0, nil, fmt.Errorf("reading %s: %d x %d is no size of a map", name, w, h)
	}
	for lines.Scan() && len(open) < w*h {
		row := strings.TrimRight(lines.Text(), "\r")
		if len(row) < w {
			return 0, 0, nil, fmt.Errorf("reading %s: row %d has %d squares of %d", name, len(open)/w, len(row), w)
		}
		for _, square := range []byte(row[:w]) {
			open = append(open, square == '.' || square == 'G')
		}
	}
	if len(open) < w*h {
		return 0, 0, nil, fmt.Errorf("reading %s: it ends after %d rows of %d", name, len(open)/w, h)
	}
	return w, h, open, nil
}

// readScenario reads the questions on a map.
func readScenario(name string, w, h int) ([]gridAsk, error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("reading the questions on a grid map: %w", err)
	}
	var asks []gridAsk
	for i, line := range strings.Split(string(text), "\n") {
		fields := strings.Fields(line)
		if len(fields) < 9 {
			continue
		}
		var n [4]int
		octile, err := strconv.ParseFloat(fields[8], 64)
		for k := range n {
			var wrong error
			n[k], wrong = strconv.Atoi(fields[4+k])
			err = errors.Join(err, wrong)
		}
		if err == nil && (min(n[0], n[1], n[2], n[3]) < 0 || max(n[0], n[2]) >= w || max(n[1], n[3]) >= h) {
			err = errors.New("a place beyond the map")
		}
		if err != nil {
			return nil, fmt.Errorf("reading %s: line %d: %w", name, i+1, err)
		}
		asks = append(asks, gridAsk{spotXY{n[0], n[1]}, spotXY{n[2], n[3]}, octile})
	}
	if len(asks) == 0 {
		return nil, fmt.Errorf("reading %s: it has no questions", name)
	}
	return asks, nil
}

// gridObstacles makes an obstacle of each row of blocked squares.
func gridObstacles(w, h int, open []bool) []mesh.Obstacle {
	var all []mesh.Obstacle
	for y := range h {
		for x := 0; x < w; x++ {
			from := x
			for x < w && !open[y*w+x] {
				x++
			}
			if x > from {
				a, b := space.XY{X: float64(from), Y: float64(y)}, space.XY{X: float64(x), Y: float64(y + 1)}
				all = append(all, mesh.Obstacle{{a, {X: b.X, Y: a.Y}, b, {X: a.X, Y: b.Y}}})
			}
		}
	}
	return all
}
