package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/kapok-fleet/kapok/planner/chart"
)

func newChartInfo(c console) *cobra.Command {
	var o output
	cmd := &cobra.Command{
		Use: "info FILE", Short: "Tell in numbers what is in a chart: a .chart, .osm or .osm.pbf file, or harbour", Args: exactly(1, "one chart"),
		RunE: func(_ *cobra.Command, args []string) error {
			form, err := o.choose(c.out)
			if err != nil {
				return err
			}
			from, err := openChart(c, args[0])
			if err != nil {
				return unusable(err)
			}
			return printChart(c, form, from)
		},
	}
	o.flag(cmd, asTable, asJSON)
	return cmd
}

func newChartCheck(c console) *cobra.Command {
	var o output
	cmd := &cobra.Command{
		Use: "check FILE", Short: "Look for what will trouble people in a chart", Args: exactly(1, "one chart"),
		Long: "Lists what will trouble people in a chart and what they must know before they fly or drive by it, with how often\n" +
			"it occurs and the first example: sites and places off the network, in buildings, water or forbidden zones; parts of\n" +
			"the network that are cut off or cannot be left; buildings as high as aircraft may fly or of assumed height; zones\n" +
			"that are over, or bind nowhere; gaps, repairs and uncertainty of the terrain; what looks to be in another datum.\n" +
			"docs/charts.md explains the findings. Exit status 0 with or without findings; 1 when the chart cannot be used.",
		RunE: func(_ *cobra.Command, args []string) error {
			form, err := o.choose(c.out)
			if err != nil {
				return err
			}
			from, err := openChart(c, args[0])
			if err != nil {
				return unusable(err)
			}
			found := from.Check(time.Now())
			if len(found) == 0 {
				c.say("nothing found")
			}
			if form == asJSON && found == nil {
				found = []chart.Finding{}
			}
			return printList(c.out, form, found, []string{"FINDING", "COUNT", "FIRST", "MEANING"}, func(f *chart.Finding) []string {
				return []string{f.Code, strconv.Itoa(f.Count), f.First, f.Text}
			})
		},
	}
	o.flag(cmd, asTable, asJSON, asNDJSON)
	return cmd
}

func printChart(c console, form string, from *chart.Chart) error {
	s := from.Summary()
	if form == asJSON {
		return printJSON(c.out, s)
	}
	rows := [][]string{
		{"name", s.Name},
		{"checksum", s.Checksum},
		{"attribution", s.Attribution},
		{"illustrative", strconv.FormatBool(s.Illustrative)},
		{"extent", fmt.Sprintf("%.5f,%.5f to %.5f,%.5f (%.1f by %.1f km)", s.Extent[0], s.Extent[1], s.Extent[2], s.Extent[3], s.EastWestM/1000, s.NorthSouthM/1000)},
		{"height limit", fmt.Sprintf("%g m above ground", s.HeightLimitM)},
		{"terrain", terrainText(s)},
		{"sea level", geoidText(s.Geoid)},
		{"nodes and arcs", fmt.Sprintf("%d and %d, for all profiles together", s.Nodes, s.Arcs)},
		{"network: sidewalk", networkText(s.Sidewalk)},
		{"network: road", networkText(s.Road)},
		{"buildings", strconv.Itoa(s.Buildings)},
	}
	rows = count(rows, "height by ", s.Heights, chart.HeightTag, chart.HeightLevels, chart.HeightDefault, chart.HeightMaximum)
	rows = count(rows, "sites: ", s.Sites,
		chart.Dock, chart.Charger, chart.Pad, chart.Locker, chart.Hospital, chart.FireStation, chart.Station)
	rows = append(rows,
		[]string{"places", strconv.Itoa(s.Places)},
		[]string{"water", fmt.Sprintf("%d areas of %.2f km² together", s.Water, s.WaterM2/1e6)},
		[]string{"zones", strconv.Itoa(s.Zones)})
	rows = count(rows, "zones: ", s.Rules, chart.KeepOut, chart.KeepIn, chart.AltitudeLimit, chart.SpeedLimit, chart.Advise)
	return printTable(c.out, []string{"WHAT", "VALUE"}, rows)
}

// count adds a row for each kind that there is.
func count[K ~string](rows [][]string, what string, counts map[K]int, kinds ...K) [][]string {
	for _, kind := range kinds {
		if counts[kind] > 0 {
			rows = append(rows, []string{what + strings.ReplaceAll(string(kind), "_", " "), strconv.Itoa(counts[kind])})
		}
	}
	return rows
}

func terrainText(s chart.Summary) string {
	if s.Terrain == nil {
		return fmt.Sprintf("none, the ground is taken as %g m high", s.GroundAltitudeM)
	}
	return fmt.Sprintf("%d by %d samples from %g to %g m, %d of them voids%s (%s)",
		s.Terrain.Cols, s.Terrain.Rows, s.Terrain.LowestM, s.Terrain.HighestM, s.Terrain.Voids, terrainDoubt(s.Terrain), s.Terrain.Source)
}

func networkText(n chart.NetworkSummary) string {
	return fmt.Sprintf("%d nodes, %d arcs of %.1f km, %d components with %d nodes in the main one",
		n.Nodes, n.Arcs, n.LengthM/1000, n.Components, n.MainNodes)
}
