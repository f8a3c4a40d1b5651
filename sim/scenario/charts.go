package scenario

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/kapok-fleet/kapok/planner/chart"
)

// Charts finds the charts that scenarios name.
type Charts struct {
	// Dir is what relative paths start from: the folder of the scenario file.
	Dir string
	// Data is the folder that "data:PATH" starts from.
	Data string
	// Harbour gives the embedded chart.
	Harbour func() (*chart.Chart, error)
}

// ErrNoData is the kind of error for a chart under a data folder that is not
// there.
var ErrNoData = errors.New("the data folder is not there; set KAPOK_DATA")

// Open reads the chart that a scenario, or a --chart flag, names.
func (c Charts) Open(name string) (*chart.Chart, error) {
	if name == "harbour" {
		return c.Harbour()
	}
	file := name
	if path, ok := strings.CutPrefix(name, "data:"); ok {
		if info, err := os.Stat(c.Data); err != nil || !info.IsDir() {
			return nil, fmt.Errorf("scenario: chart %s: %w (it is %q now)", name, ErrNoData, c.Data)
		}
		file = filepath.Join(c.Data, filepath.FromSlash(path))
	} else if !filepath.IsAbs(file) {
		file = filepath.Join(c.Dir, filepath.FromSlash(file))
	}
	return read(file)
}

// read takes a compact chart or an OpenStreetMap file by its name's ending.
func read(file string) (*chart.Chart, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, fmt.Errorf("scenario: opening the chart: %w", err)
	}
	defer func() { _ = f.Close() }()
	var c *chart.Chart
	switch name, isMap := MapName(file); {
	case isMap:
		c, _, err = chart.ImportOSM(f, chart.OSMOptions{Name: name})
	case filepath.Ext(file) == ".chart":
		c, err = chart.Read(f)
	default:
		return nil, fmt.Errorf("scenario: chart %s: %w: only .chart, .osm and .osm.pbf files are read", file, ErrInvalid)
	}
	if err != nil {
		return nil, fmt.Errorf("scenario: reading the chart %s: %w", file, err)
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
