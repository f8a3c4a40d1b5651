package main

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/kapok-fleet/kapok/planner/chart"
	"github.com/kapok-fleet/kapok/planner/chart/geoid"
	"github.com/kapok-fleet/kapok/planner/chart/harbour"
	"github.com/kapok-fleet/kapok/sim/scenario"
)

func newChart(c console) *cobra.Command {
	cmd := &cobra.Command{Use: "chart", Short: "Build charts, and look at them", Args: cobra.ArbitraryArgs, RunE: needsCommand}
	cmd.AddCommand(newChartBuild(c), newChartInfo(c), newChartCheck(c), newChartZones(c))
	return cmd
}

// openChart reads what a --chart flag names: harbour, data:PATH, or a file, which
// is a chart or a map by its ending .chart, .osm, .osm.pbf or .pbf, and by its
// first bytes where it has another.
func openChart(c console, name string) (*chart.Chart, error) {
	_, isMap := scenario.MapName(name)
	if info, err := os.Stat(name); err == nil && info.Mode().IsRegular() && !isMap && filepath.Ext(name) != ".chart" {
		return sniffChart(name)
	}
	return scenario.Charts{Dir: ".", Data: dataFolder(c), Harbour: harbour.Chart}.Open(name)
}

// sniffChart reads a chart or map by its first bytes.
func sniffChart(name string) (*chart.Chart, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("opening the chart: %w", err)
	}
	defer func() { _ = file.Close() }()
	buffered := bufio.NewReader(file)
	var read *chart.Chart
	// A file too short for them is no chart.
	if start, _ := buffered.Peek(len(chart.Magic)); string(start) == chart.Magic {
		read, err = chart.Read(buffered)
	} else {
		read, _, err = chart.ImportOSM(buffered, chart.OSMOptions{Name: filepath.Base(name)})
	}
	if err != nil {
		return nil, fmt.Errorf("reading the chart %s: %w", name, err)
	}
	return read, nil
}

// dataFolder is where charts named data:PATH are.
func dataFolder(c console) string {
	if data := c.env("KAPOK_DATA"); data != "" {
		return data
	}
	return filepath.Join("..", "shared", "data")
}

// unusable makes an error about what is in a file a negative result; one about
// reaching the file stays wrong set-up.
func unusable(err error) error {
	for _, kind := range [...]error{chart.ErrOSM, chart.ErrFile, chart.ErrTerrain, chart.ErrZones, chart.ErrAirspace, chart.ErrBuildings, chart.ErrInvalid, geoid.ErrFile} {
		if errors.Is(err, kind) {
			return &negativeError{text: err.Error()}
		}
	}
	return err
}
