package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"github.com/kapok-fleet/kapok/planner/chart"
	"github.com/kapok-fleet/kapok/planner/space"
	"github.com/kapok-fleet/kapok/sim/scenario"
)

// chartBuild are the flags of chart build. Its -o names the file, as the form of
// what it tells is --format.
type chartBuild struct {
	osm, datum, out, form string
	terrain, zones        []string
	placed                []placedFile
	options               chart.OSMOptions
	airspace              chartAirspace
	heights               heightFlags
}

func newChartBuild(c console) *cobra.Command {
	var b chartBuild
	cmd := &cobra.Command{
		Use: "build", Short: "Build a chart from OpenStreetMap, terrain and zones", Args: cobra.NoArgs,
		Long: "Builds a chart from an OpenStreetMap file (XML or PBF), with terrain and zones if there are any.\n\n" +
			"What is wrong in the files but does not matter is listed as warnings, with exit status 0; a file that\n" +
			"cannot be used ends the work with the reason and exit status 1.",
		Example: "  kapok chart build --osm monaco.osm.pbf --terrain N43E007.hgt.zip -o monaco.chart\n" +
			"  kapok chart build --osm nanshan.osm --zones airport.geojson --zones schools.geojson --datum gcj02 -o nanshan.chart\n" +
			"  kapok chart build --osm nanshan.osm --terrain N22E113.hgt --runways runways.csv --airports ZGSZ,VHHH -o nanshan.chart",
		RunE: func(cmd *cobra.Command, _ []string) error {
			b.airspace.grounded = len(b.terrain) > 0 || cmd.Flags().Changed("ground-altitude-m")
			return b.build(c)
		},
	}
	f := cmd.Flags()
	b.airspace.flags(f)
	f.StringVar(&b.osm, "osm", "", "OpenStreetMap file, .osm or .osm.pbf (WGS-84)")
	f.StringVarP(&b.out, "out", "o", "", "the chart file to write")
	f.StringArrayVar(&b.terrain, "terrain", nil, "file with heights: .hgt, .hgt.zip, .tif, terrarium tiles z/x/y.png, or .json of a grid and of its extent; may be given several times")
	b.heights.flags(f)
	f.StringArrayVar(&b.zones, "zones", nil, "GeoJSON file with zones to take in; may be given several times")
	f.StringVar(&b.datum, "datum", "", "datum of the files with zones and buildings that do not say it themselves: wgs84, gcj02, bd09")
	f.StringVar(&b.options.Name, "name", "", "name of the chart (default: that of the file)")
	f.StringVar(&b.options.Attribution, "attribution", "", "source and licence (default: OpenStreetMap's)")
	f.Float64Var(&b.options.GroundAltitudeM, "ground-altitude-m", 0, "altitude of the ground above mean sea level (EGM96) where there is no terrain")
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
		b.options.Name, _ = scenario.MapName(b.osm)
	}
	if err := b.airspace.check(); err != nil {
		return err
	}
	if err := b.readZones(); err != nil {
		return err
	}
	stated, _ := space.ParseDatum(b.datum)
	b.airspace.datum = stated
	if err := b.heights.fill(&b.options, stated); err != nil {
		return err
	}
	built, report, err := b.importFiles()
	report.Warnings = append(report.Warnings, b.heights.warnings...)
	if err != nil {
		c.warn(report)
		return unusable(fmt.Errorf("building a chart from %s: %w", b.osm, err))
	}
	if built, err = b.airspace.add(c, built); err != nil {
		return err
	}
	if err := writeChart(b.out, built); err != nil {
		return err
	}
	c.warn(report)
	guard(c, built, slices.Concat(b.placed, b.airspace.placed, b.heights.placed), b.options.Buildings)
	c.say("%d nodes, %d ways and %d relations read; heights of buildings: %d given, %d from storeys, %d by type, %d unknown and taken as %d m",
		report.Nodes, report.Ways, report.Relations,
		report.HeightFromTag, report.HeightFromLevels, report.HeightFromDefault, report.HeightFromMaximum, chart.MaximumHeightM)
	c.say("%s written", b.out)
	return printChart(c, form, built)
}

// warn tells each warning of an import once.
func (c console) warn(report chart.Report) {
	total := 0
	for _, w := range report.Warnings {
		c.say("warning: %s: %s, first %s", w.Text, times(w.Count), w.First)
		total += w.Count
	}
	if total > 0 {
		c.say("%d warnings of %d kinds", total, len(report.Warnings))
	}
}

func times(n int) string {
	if n == 1 {
		return "once"
	}
	return fmt.Sprintf("%d times", n)
}

func (b *chartBuild) readZones() error {
	if b.datum != "" && len(b.zones) == 0 && len(b.heights.buildings) == 0 && len(b.airspace.files) == 0 {
		return errors.New("--datum says what the degrees in --zones, --airspace and --buildings files are, and there is none")
	}
	stated := space.Datum("")
	if b.datum != "" {
		var err error
		if stated, err = space.ParseDatum(b.datum); err != nil {
			return fmt.Errorf("--datum: %w", err)
		}
	}
	for _, name := range b.zones {
		file, err := os.Open(name)
		if err != nil {
			return fmt.Errorf("opening the zones: %w", err)
		}
		zones, err := chart.ImportZones(file, stated)
		if err = errors.Join(err, file.Close()); err != nil {
			return unusable(fmt.Errorf("reading the zones of %s: %w", name, err))
		}
		b.options.Zones = append(b.options.Zones, zones...)
		b.placed = append(b.placed, placedFile{name, cornersOf(zones)})
	}
	return nil
}

func (b *chartBuild) importFiles() (*chart.Chart, chart.Report, error) {
	for _, name := range b.terrain {
		file, err := os.Open(name)
		if err != nil {
			return nil, chart.Report{}, fmt.Errorf("opening the terrain: %w", err)
		}
		defer func() { _ = file.Close() }()
		b.options.Terrain = append(b.options.Terrain, chart.TerrainFile{Name: name, Reader: file})
	}
	file, err := os.Open(b.osm)
	if err != nil {
		return nil, chart.Report{}, fmt.Errorf("opening the map: %w", err)
	}
	defer func() { _ = file.Close() }()
	return chart.ImportOSM(file, b.options)
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
