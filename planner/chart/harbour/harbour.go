// Package harbour is the chart of the demonstration: a made-up harbour district
// of two by two kilometres near 113.93° E 22.51° N. It is illustrative and not
// for navigation.
package harbour

import (
	_ "embed"
	"fmt"
	"strings"

	"github.com/kapok-fleet/kapok/planner/chart"
)

// Name is the chart's name.
const Name = "harbour"

// The district's ground is level, a little above the sea.
const groundAltitudeM = 4

//go:embed harbour.osm
var drawing string

//go:embed harbour.zones.geojson
var zones string

// Chart builds the chart; it takes some tens of milliseconds. Each call returns
// a chart of its own, all with the same checksum.
func Chart() (*chart.Chart, error) {
	list, err := chart.ImportZones(strings.NewReader(zones), "")
	if err != nil {
		return nil, fmt.Errorf("harbour: %w", err)
	}
	c, _, err := chart.ImportOSM(strings.NewReader(drawing), chart.OSMOptions{
		Name:            Name,
		Attribution:     "Made up for the demonstration of Kapok; not for navigation",
		Illustrative:    true,
		GroundAltitudeM: groundAltitudeM,
		Zones:           list,
	})
	if err != nil {
		return nil, fmt.Errorf("harbour: %w", err)
	}
	return c, nil
}
