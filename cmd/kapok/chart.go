package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/kapok-fleet/kapok/planner/chart"
	"github.com/kapok-fleet/kapok/planner/chart/harbour"
	"github.com/kapok-fleet/kapok/sim/scenario"
)

func newChart(c console) *cobra.Command {
	cmd := &cobra.Command{Use: "chart", Short: "Build charts, and look at them", Args: cobra.ArbitraryArgs, RunE: needsCommand}
	cmd.AddCommand(newChartBuild(c), newChartInfo(c))
	return cmd
}

// openChart reads what a --chart flag names: harbour, data:PATH, or a .chart or
// .osm file.
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

// shownChart is what chart build and chart info tell.
type shownChart struct {
	Name         string     `json:"name"`
	Checksum     string     `json:"checksum"`
	Attribution  string     `json:"attribution"`
	Illustrative bool       `json:"illustrative"`
	Extent       [4]float64 `json:"extent"`
	GroundM      float64    `json:"ground_altitude_m"`
	LimitM       float64    `json:"height_limit_m"`
	Nodes        int        `json:"nodes"`
	MainNodes    int        `json:"main_nodes"`
	Arcs         int        `json:"arcs"`
	Buildings    int        `json:"buildings"`
	Zones        int        `json:"zones"`
	Places       int        `json:"places"`
	// Sites are counted by their kinds.
	Sites map[chart.SiteKind]int `json:"sites"`
}

func shown(c *chart.Chart) shownChart {
	s := shownChart{
		Name: c.Name, Checksum: c.Checksum, Attribution: c.Attribution, Illustrative: c.Illustrative,
		Extent:  [4]float64{c.Extent.Min[0], c.Extent.Min[1], c.Extent.Max[0], c.Extent.Max[1]},
		GroundM: c.GroundAltitudeM, LimitM: c.HeightLimitM, Nodes: len(c.Ground.Nodes), Arcs: len(c.Ground.Arcs),
		Buildings: len(c.Buildings), Zones: len(c.Zones), Places: len(c.Places), Sites: map[chart.SiteKind]int{},
	}
	for n := range c.Ground.Nodes {
		if c.Ground.InMain(int32(n)) {
			s.MainNodes++
		}
	}
	for i := range c.Sites {
		s.Sites[c.Sites[i].Kind]++
	}
	return s
}

func printChart(c console, form string, from *chart.Chart) error {
	s := shown(from)
	if form == asJSON {
		return printJSON(c.out, s)
	}
	rows := [][]string{
		{"name", s.Name},
		{"checksum", s.Checksum},
		{"attribution", s.Attribution},
		{"illustrative", strconv.FormatBool(s.Illustrative)},
		{"extent", fmt.Sprintf("%.5f,%.5f to %.5f,%.5f", s.Extent[0], s.Extent[1], s.Extent[2], s.Extent[3])},
		{"ground altitude", fmt.Sprintf("%g m", s.GroundM)},
		{"height limit", fmt.Sprintf("%g m above ground", s.LimitM)},
		{"street nodes", fmt.Sprintf("%d (%d in the main network)", s.Nodes, s.MainNodes)},
		{"street arcs", strconv.Itoa(s.Arcs)},
		{"buildings", strconv.Itoa(s.Buildings)},
		{"zones", strconv.Itoa(s.Zones)},
		{"places", strconv.Itoa(s.Places)},
	}
	for _, kind := range []chart.SiteKind{chart.Dock, chart.Charger, chart.Pad, chart.Locker, chart.Hospital, chart.FireStation, chart.Station} {
		if s.Sites[kind] > 0 {
			rows = append(rows, []string{"sites: " + string(kind), strconv.Itoa(s.Sites[kind])})
		}
	}
	return printTable(c.out, []string{"WHAT", "VALUE"}, rows)
}

func newChartInfo(c console) *cobra.Command {
	var o output
	cmd := &cobra.Command{
		Use: "info FILE", Short: "Say what is in a chart: a .chart or .osm file, or harbour", Args: exactly(1, "one chart"),
		RunE: func(_ *cobra.Command, args []string) error {
			form, err := o.choose(c.out)
			if err != nil {
				return err
			}
			from, err := openChart(c, args[0])
			if err != nil {
				return err
			}
			return printChart(c, form, from)
		},
	}
	o.flag(cmd, asTable, asJSON)
	return cmd
}

// chartBuild are the flags of chart build. Its -o names the file, as the form of
// what it tells is --format.
type chartBuild struct {
	osm, zones, out, form string
	options               chart.OSMOptions
}

func newChartBuild(c console) *cobra.Command {
	var b chartBuild
	cmd := &cobra.Command{
		Use: "build", Short: "Build a chart from OpenStreetMap", Args: cobra.NoArgs,
		Example: "  kapok chart build --osm campus.osm -o campus.chart",
		RunE:    func(*cobra.Command, []string) error { return b.build(c) },
	}
	f := cmd.Flags()
	f.StringVar(&b.osm, "osm", "", "OpenStreetMap XML file (WGS-84)")
	f.StringVarP(&b.out, "out", "o", "", "the chart file to write")
	f.StringVar(&b.zones, "zones", "", "GeoJSON file with zones to take in")
	f.StringVar(&b.options.Name, "name", "", "name of the chart (default: that of the file)")
	f.StringVar(&b.options.Attribution, "attribution", "", "source and licence (default: OpenStreetMap's)")
	f.Float64Var(&b.options.GroundAltitudeM, "ground-altitude-m", 0, "altitude of the ground above mean sea level (EGM96)")
	f.Float64Var(&b.options.HeightLimitM, "height-limit-m", chart.DefaultHeightLimitM, "how high above ground aircraft may fly")
	f.StringVar(&b.form, "format", "", "form of what is told: table, json (default: table on a terminal, json otherwise)")
	return cmd
}

func (b *chartBuild) build(c console) error {
	if b.osm == "" || b.out == "" {
		return errors.New("chart build needs --osm FILE and -o FILE")
	}
	form, err := (&output{forms: []string{asTable, asJSON}, form: b.form}).choose(c.out)
	if err != nil {
		return err
	}
	if b.options.Name == "" {
		b.options.Name = strings.TrimSuffix(filepath.Base(b.osm), filepath.Ext(b.osm))
	}
	if b.zones != "" {
		if b.options.Zones, err = readZones(b.zones); err != nil {
			return err
		}
	}
	file, err := os.Open(b.osm)
	if err != nil {
		return fmt.Errorf("opening the map: %w", err)
	}
	defer func() { _ = file.Close() }()
	built, report, err := chart.ImportOSM(file, b.options)
	if err != nil {
		return fmt.Errorf("building a chart from %s: %w", b.osm, err)
	}
	if err := writeChart(b.out, built); err != nil {
		return err
	}
	for _, w := range report.Warnings {
		c.say("warning: %s: %d times, first %s", w.Text, w.Count, w.First)
	}
	c.say("%d nodes, %d ways and %d relations read; heights of buildings: %d given, %d from storeys, %d assumed",
		report.Nodes, report.Ways, report.Relations, report.HeightFromTag, report.HeightFromLevels, report.HeightFromDefault)
	c.say("%s written", b.out)
	return printChart(c, form, built)
}

func readZones(name string) ([]chart.Zone, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("opening the zones: %w", err)
	}
	defer func() { _ = file.Close() }()
	zones, err := chart.ImportZones(file)
	if err != nil {
		return nil, fmt.Errorf("reading the zones of %s: %w", name, err)
	}
	return zones, nil
}

// writeChart writes a chart beside its place and then moves it there, so that a
// full disk leaves no half chart.
func writeChart(name string, c *chart.Chart) error {
	file, err := os.CreateTemp(filepath.Dir(name), filepath.Base(name)+".*.tmp")
	if err != nil {
		return fmt.Errorf("writing the chart: %w", err)
	}
	err = errors.Join(c.Write(file), file.Chmod(0o644), file.Sync(), file.Close())
	if err == nil {
		err = os.Rename(file.Name(), name)
	}
	if err != nil {
		return fmt.Errorf("writing the chart %s: %w", name, errors.Join(err, os.Remove(file.Name())))
	}
	return nil
}
