package main

import (
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/paulmach/orb"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/kapok-fleet/kapok/planner/chart"
	"github.com/kapok-fleet/kapok/planner/space"
)

// chartAirspace are the flags of chart build about airspace.
type chartAirspace struct {
	files, runways, airports []string
	shape                    string
	authorised               bool
	// grounded says that the altitude of the ground is known: by terrain, or by a
	// flag.
	grounded bool
	// datum is stated for files of Kapok's own zones that do not say theirs.
	datum space.Datum
	// placed are the files and where their zones are.
	placed []placedFile
}

// airspaceNotes is how many notes of a kind are told one by one.
const airspaceNotes = 20

func (a *chartAirspace) flags(f *pflag.FlagSet) {
	f.StringArrayVar(&a.files, "airspace", nil, "file with airspace: ED-269, ED-318, FAA UAS Facility Map, QGroundControl plan, GeoJSON; may be given several times")
	f.StringArrayVar(&a.runways, "runways", nil, "table of runways (runways.csv of OurAirports) to make clearance zones of")
	f.StringSliceVar(&a.airports, "airports", nil, "airports of which the runways are taken, such as ZGSZ,ZGGG")
	f.StringVar(&a.shape, "runway-shape", string(chart.Annex14), "what is kept clear about runways: annex14, china")
	f.BoolVar(&a.authorised, "authorised", false, "flights have the authorisations that zones ask for and keep their conditions: these zones become advice")
}

// check refuses flags that do not fit each other.
func (a *chartAirspace) check() error {
	switch {
	case len(a.runways) > 0 && len(a.airports) == 0:
		return errors.New("--runways needs --airports: the table has those of all the world")
	case len(a.airports) > 0 && len(a.runways) == 0:
		return errors.New("--airports names the airports in a --runways file, and there is none")
	case !slices.Contains([]chart.RunwayShape{chart.Annex14, chart.China}, chart.RunwayShape(a.shape)):
		return fmt.Errorf("--runway-shape %q is not annex14 or china", a.shape)
	}
	return nil
}

// chartHeights are the heights of a chart for the conversion of limits; it knows no
// undulation where the chart has none.
type chartHeights struct{ chart.Heights }

func (h chartHeights) UndulationM(p orb.Point) float64 {
	if h.Geoid == nil {
		return math.NaN()
	}
	return h.Heights.UndulationM(p)
}

// add adds the zones of all files to a chart that has its ground.
func (a *chartAirspace) add(c console, built *chart.Chart) (*chart.Chart, error) {
	if len(a.files)+len(a.runways) == 0 {
		return built, nil
	}
	opts := chart.AirspaceOptions{HeightLimitM: built.HeightLimitM, Authorised: a.authorised, Within: built.Extent, Taken: map[string]bool{}, Datum: a.datum}
	if a.grounded {
		opts.Heights = chartHeights{built.Heights()}
	}
	draft := built.Draft()
	for i := range draft.Zones {
		opts.Taken[draft.Zones[i].ID] = true
	}
	take := func(name string, read func(io.Reader) ([]chart.Zone, chart.AirspaceReport, error)) error {
		file, err := os.Open(name)
		if err != nil {
			return fmt.Errorf("opening the airspace: %w", err)
		}
		zones, report, err := read(file)
		if err = errors.Join(err, file.Close()); err != nil {
			return unusable(fmt.Errorf("reading the airspace of %s: %w", name, err))
		}
		for i := range zones {
			opts.Taken[zones[i].ID] = true
		}
		draft.Zones = append(draft.Zones, zones...)
		if report.Format != "runways" {
			a.placed = append(a.placed, placedFile{name, cornersOf(zones)})
		}
		c.airspace(name, &report)
		return nil
	}
	for _, name := range a.files {
		opts.Name = strings.TrimSuffix(filepath.Base(name), filepath.Ext(name))
		if err := take(name, func(r io.Reader) ([]chart.Zone, chart.AirspaceReport, error) {
			return chart.ImportAirspace(r, opts)
		}); err != nil {
			return nil, err
		}
	}
	for _, name := range a.runways {
		if err := take(name, func(r io.Reader) ([]chart.Zone, chart.AirspaceReport, error) {
			return chart.ImportRunways(r, chart.RunwayOptions{
				Airports: a.airports, Shape: chart.RunwayShape(a.shape), Heights: opts.Heights, Within: opts.Within, Taken: opts.Taken,
			})
		}); err != nil {
			return nil, err
		}
	}
	with, err := chart.New(draft)
	if err != nil {
		return nil, unusable(fmt.Errorf("adding airspace to the chart: %w", err))
	}
	return with, nil
}

// airspace tells what became of a file.
func (c console) airspace(name string, r *chart.AirspaceReport) {
	var rules []string
	for _, rule := range [...]chart.Rule{chart.KeepOut, chart.KeepIn, chart.AltitudeLimit, chart.SpeedLimit, chart.Advise} {
		if n := r.Rules[rule]; n > 0 {
			rules = append(rules, fmt.Sprintf("%d %s", n, rule))
		}
	}
	zones := "no zone"
	if len(rules) > 0 {
		zones = strings.Join(rules, ", ")
	}
	c.say("%s: %s, features: %d; zones: %s; elsewhere and left out: %d", name, r.Format, r.Features, zones, r.Elsewhere)
	for _, list := range [...]struct {
		what  string
		notes []chart.AirspaceNote
	}{{"widened", r.Widened}, {"taken as advice", r.Advised}, {"note", r.Notes}} {
		for i, n := range list.notes {
			if i == airspaceNotes {
				c.say("%s: and %d more", list.what, len(list.notes)-i)
				break
			}
			by := ""
			if n.ByM > 0 {
				by = fmt.Sprintf(", up to %.1f m", n.ByM)
			}
			c.say("%s: zone %s: %s%s", list.what, n.Zone, n.Text, by)
		}
	}
	if r.Dropped > 0 {
		c.say("%d more notes are not told", r.Dropped)
	}
}

func newChartZones(c console) *cobra.Command {
	var o output
	cmd := &cobra.Command{
		Use: "zones FILE", Short: "List the zones of a chart, or write them as GeoJSON", Args: exactly(1, "one chart"),
		Long: "Lists the zones of a chart. With -o geojson they are written as a file that chart build reads again with\n" +
			"--zones or --airspace.",
		RunE: func(_ *cobra.Command, args []string) error {
			form, err := o.choose(c.out)
			if err != nil {
				return err
			}
			from, err := openChart(c, args[0])
			if err != nil {
				return unusable(err)
			}
			if form == asGeoJSON {
				return chart.WriteZones(c.out, from.Zones)
			}
			zones := from.Zones
			if zones == nil {
				zones = []chart.Zone{}
			}
			return printList(c.out, form, zones, []string{"ZONE", "NAME", "RULE", "FROM M", "TO M", "TIMES", "SOURCE"}, chartZoneRow)
		},
	}
	o.flag(cmd, asTable, asJSON, asNDJSON, asGeoJSON)
	return cmd
}

func chartZoneRow(z *chart.Zone) []string {
	metres := func(m float64) string {
		if m == 0 {
			return ""
		}
		return fmt.Sprintf("%.1f", m)
	}
	return []string{z.ID, z.Name, string(z.Rule), metres(z.FloorM), metres(z.CeilingM), zoneTimes(z), z.Source}
}

// zoneTimes writes when a zone is in force, nothing for always.
func zoneTimes(z *chart.Zone) string {
	var parts []string
	if !z.From.IsZero() {
		parts = append(parts, "from "+stamp(z.From))
	}
	if !z.Until.IsZero() {
		parts = append(parts, "until "+stamp(z.Until))
	}
	for _, p := range z.Schedule {
		start, _ := p.Start.MarshalText()
		end, _ := p.End.MarshalText()
		parts = append(parts, strings.TrimSpace(p.Days.String()+" "+string(start)+" to "+string(end)))
	}
	return strings.Join(parts, ", ")
}
