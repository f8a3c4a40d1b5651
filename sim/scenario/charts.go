package scenario

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/kapok-fleet/kapok/planner/chart"
	"github.com/kapok-fleet/kapok/sim/city"
)

// Charts finds the charts that scenarios name.
type Charts struct {
	// Dir is what relative paths start from: the folder of the scenario file.
	Dir string
	// Data is the folder that "data:PATH" starts from.
	Data string
	// Harbour gives the embedded chart.
	Harbour func() (*chart.Chart, error)
	// Kept, when not nil, are the charts that were opened, which are not read again.
	Kept map[string]*chart.Chart
}

// Generated begins the name of a chart that is made up from a seed, with the
// length of its sides or without: generated:SEED, generated:SEED,2km.
const Generated = "generated:"

// ErrNoData is the kind of error for a chart under a data folder that is not
// there.
var ErrNoData = errors.New("the data folder is not there; set KAPOK_DATA")

// Open reads the chart that a scenario, or a --chart flag, names. Terrain names,
// in the same way, the files that a chart made of an OpenStreetMap file gets its
// ground from; for any other chart there must be none.
func (c Charts) Open(name string, terrain ...string) (*chart.Chart, error) {
	key := strings.Join(append([]string{c.Dir, name}, terrain...), "\x00")
	if on := c.Kept[key]; on != nil {
		return on, nil
	}
	on, err := c.open(name, terrain)
	if err == nil && c.Kept != nil {
		c.Kept[key] = on
	}
	return on, err
}

func (c Charts) open(name string, terrain []string) (*chart.Chart, error) {
	if name == "harbour" && len(terrain) == 0 {
		return c.Harbour()
	}
	if words, ok := strings.CutPrefix(name, Generated); ok {
		if len(terrain) > 0 {
			return nil, fmt.Errorf("opening the chart %s: a made-up city has its own ground, no terrain: %w", name, ErrInvalid)
		}
		made, err := city.Open(words)
		if err != nil {
			return nil, fmt.Errorf("opening the chart %s: %w", name, err)
		}
		return made, nil
	}
	file, err := c.file(name)
	if err != nil {
		return nil, err
	}
	var grounds []chart.TerrainFile
	for _, ground := range terrain {
		path, err := c.file(ground)
		if err != nil {
			return nil, err
		}
		f, err := os.Open(path)
		if err != nil {
			return nil, fmt.Errorf("opening the terrain: %w", err)
		}
		defer func() { _ = f.Close() }()
		grounds = append(grounds, chart.TerrainFile{Name: filepath.Base(path), Reader: f})
	}
	return read(file, grounds)
}

// file is the path of a file that a scenario names.
func (c Charts) file(name string) (string, error) {
	file := name
	if path, ok := strings.CutPrefix(name, "data:"); ok {
		if info, err := os.Stat(c.Data); err != nil || !info.IsDir() {
			return "", fmt.Errorf("opening the chart %s: %w (it is %q now)", name, ErrNoData, c.Data)
		}
		file = filepath.Join(c.Data, filepath.FromSlash(path))
	} else if !filepath.IsAbs(file) {
		file = filepath.Join(c.Dir, filepath.FromSlash(file))
	}
	return file, nil
}

// read takes a compact chart or an OpenStreetMap file: one whose name says so, or
// else by its first bytes.
func read(file string, terrain []chart.TerrainFile) (*chart.Chart, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, fmt.Errorf("opening the chart: %w", err)
	}
	defer func() { _ = f.Close() }()
	if info, err := f.Stat(); err == nil && info.IsDir() {
		return nil, fmt.Errorf("opening the chart %s: it is a folder; only .chart, .osm and .osm.pbf files are read", file)
	}
	var c *chart.Chart
	in := bufio.NewReader(f)
	name, isMap := MapName(file)
	if !isMap {
		// A file too short for them is no chart.
		start, _ := in.Peek(len(chart.Magic))
		isMap = filepath.Ext(file) != ".chart" && string(start) != chart.Magic
	}
	switch {
	case isMap:
		c, _, err = chart.ImportOSM(in, chart.OSMOptions{Name: name, Terrain: terrain})
	case len(terrain) > 0:
		return nil, fmt.Errorf("reading the chart %s: only a chart made of an OpenStreetMap file gets terrain: %w", file, ErrInvalid)
	default:
		c, err = chart.Read(in)
	}
	if err != nil {
		return nil, fmt.Errorf("reading the chart %s: %w", file, err)
	}
	return c, nil
}

// MapName returns the name of a chart made of an OpenStreetMap file: that of the
// file without its ending, which is .osm, .osm.pbf or .pbf; others are no maps.
func MapName(file string) (name string, ok bool) {
	name = filepath.Base(file)
	for _, ending := range [...]string{".osm", ".osm.pbf", ".pbf"} {
		if rest, found := strings.CutSuffix(name, ending); found && rest != "" {
			return rest, true
		}
	}
	return name, false
}
