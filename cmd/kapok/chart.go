package main

import (
	"errors"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/kapok-fleet/kapok/planner/chart"
	"github.com/kapok-fleet/kapok/planner/chart/harbour"
	"github.com/kapok-fleet/kapok/sim/scenario"
)

func newChart(c console) *cobra.Command {
	cmd := &cobra.Command{Use: "chart", Short: "Build charts, and look at them", Args: cobra.ArbitraryArgs, RunE: needsCommand}
	cmd.AddCommand(newChartBuild(c), newChartInfo(c), newChartCheck(c))
	return cmd
}

// openChart reads what a --chart flag names: harbour, data:PATH, or a .chart,
// .osm or .osm.pbf file.
func openChart(c console, name string) (*chart.Chart, error) {
	return scenario.Charts{Dir: ".", Data: dataFolder(c), Harbour: harbour.Chart}.Open(name)
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
	for _, kind := range [...]error{chart.ErrOSM, chart.ErrFile, chart.ErrTerrain, chart.ErrZones, chart.ErrInvalid} {
		if errors.Is(err, kind) {
			return &negativeError{text: err.Error()}
		}
	}
	return err
}
