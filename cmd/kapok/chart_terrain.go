package main

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/paulmach/orb"
	"github.com/spf13/pflag"

	"github.com/kapok-fleet/kapok/planner/chart"
	"github.com/kapok-fleet/kapok/planner/chart/geoid"
	"github.com/kapok-fleet/kapok/planner/space"
)

// heightFlags are the flags of chart build about buildings, the ground's
// uncertainty and the geoid.
type heightFlags struct {
	buildings    []string
	geoid        string
	undulationM  float64
	uncertaintyM float64
	set          *pflag.FlagSet
	// warnings are those of the files of buildings, and placed where these are.
	warnings []chart.Warning
	placed   []placedFile
}

func (h *heightFlags) flags(f *pflag.FlagSet) {
	h.set = f
	f.StringArrayVar(&h.buildings, "buildings", nil, "file with buildings: CityJSON (.json) or GeoJSON (.geojson); may be given several times")
	f.StringVar(&h.geoid, "geoid", "", "EGM96 grid of the whole earth, .gtx or .grd (default: the one in the program, at half a degree)")
	f.Float64Var(&h.undulationM, "undulation-m", 0, "how high mean sea level lies above the WGS-84 ellipsoid, instead of EGM96")
	f.Float64Var(&h.uncertaintyM, "terrain-uncertainty-m", 0, "how far the ground may be above the heights of --terrain (default: what is known of the kind of file)")
}

// fill sets what the flags say in the options of an import.
func (h *heightFlags) fill(o *chart.OSMOptions, datum space.Datum) error {
	if h.set.Changed("terrain-uncertainty-m") {
		if !(h.uncertaintyM >= 0 && h.uncertaintyM <= chart.MaxTerrainUncertaintyM) {
			return fmt.Errorf("--terrain-uncertainty-m %g is not within 0 to %d", h.uncertaintyM, chart.MaxTerrainUncertaintyM)
		}
		o.TerrainUncertaintyM = &h.uncertaintyM
	}
	var err error
	if o.Undulation, err = h.undulation(); err != nil {
		return err
	}
	for _, name := range h.buildings {
		list, report, err := readBuildings(name, datum)
		if err != nil {
			return unusable(fmt.Errorf("reading the buildings of %s: %w", name, err))
		}
		o.Buildings = append(o.Buildings, list...)
		h.warnings = append(h.warnings, report.Warnings...)
		var corners []orb.Point
		for i := range list {
			corners = append(corners, list[i].Footprint[0]...)
		}
		h.placed = append(h.placed, placedFile{name, corners})
	}
	return nil
}

// undulation is the geoid that the flags ask for.
func (h *heightFlags) undulation() (chart.Undulation, error) {
	constant := h.set.Changed("undulation-m")
	switch {
	case constant && h.geoid != "":
		return nil, errors.New("--geoid and --undulation-m both say how high the sea lies")
	case constant && !(h.undulationM >= -200 && h.undulationM <= 200):
		return nil, fmt.Errorf("--undulation-m %g is not within -200 to 200", h.undulationM)
	case constant:
		return chart.Constant(h.undulationM), nil
	case h.geoid == "":
		return geoid.EGM96()
	}
	file, err := os.Open(h.geoid)
	if err != nil {
		return nil, fmt.Errorf("opening the geoid: %w", err)
	}
	grid, err := geoid.Read(h.geoid, file)
	if err = errors.Join(err, file.Close()); err != nil {
		return nil, unusable(fmt.Errorf("reading the geoid: %w", err))
	}
	return grid, nil
}

// readBuildings reads a file of buildings by the ending of its name.
func readBuildings(name string, datum space.Datum) ([]chart.Building, chart.BuildingsReport, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, chart.BuildingsReport{}, err
	}
	defer func() { _ = file.Close() }()
	if strings.HasSuffix(strings.ToLower(name), ".geojson") {
		list, err := chart.ImportGeoJSONBuildings(file, datum)
		return list, chart.BuildingsReport{Objects: len(list), Buildings: len(list)}, err
	}
	return chart.ImportCityJSON(file)
}

// cornersOf are the corners of zones.
func cornersOf(zones []chart.Zone) []orb.Point {
	var list []orb.Point
	for i := range zones {
		list = append(list, zones[i].Polygon[0]...)
	}
	return list
}

// placedFile is a file of zones or buildings and where its corners are now.
type placedFile struct {
	name   string
	places []orb.Point
}

// guard warns of each file of zones or buildings that looks shifted against the map
// or against the other files of zones, which are often of the same borders.
func guard(c console, built *chart.Chart, files []placedFile, added []chart.Building) {
	own := map[string]bool{}
	for i := range added {
		own[added[i].ID] = true
	}
	landmarks := built.Landmarks(own)
	for i, file := range files {
		references := landmarks[:len(landmarks):len(landmarks)]
		for k, other := range files {
			if k != i {
				references = append(references, other.places...)
			}
		}
		if w, found := shifted(file.places, references); found {
			c.say("warning: %s looks shifted against the map and the other files: %s", file.name, w)
		}
	}
}

// shifted tells whether places that were converted to WGS-84 would fit better if
// they had been taken for another datum. Which it was does not matter: a file that
// was taken for one that it is not lies elsewhere by the difference of the two.
func shifted(places, references []orb.Point) (chart.DatumWarning, bool) {
	for _, taken := range [...]space.Datum{space.WGS84, space.GCJ02, space.BD09} {
		stood := make([]orb.Point, len(places))
		for i, p := range places {
			stood[i] = taken.FromWGS84(p)
		}
		if w, found := chart.GuardDatum(stood, taken, references); found {
			return w, true
		}
	}
	return chart.DatumWarning{}, false
}

// terrainDoubt tells of faults and uncertainty where there is any.
func terrainDoubt(t *chart.TerrainSummary) string {
	text := ""
	if t.Faults > 0 {
		text = fmt.Sprintf(", %d spikes and pits mended", t.Faults)
	}
	if t.UncertaintyM > 0 {
		text += fmt.Sprintf(", uncertain by %g m", t.UncertaintyM)
	}
	return text
}

// geoidText tells where the sea lies against the ellipsoid.
func geoidText(g *chart.GeoidSummary) string {
	if g == nil {
		return "its height above the WGS-84 ellipsoid is not known"
	}
	return fmt.Sprintf("%.2f to %.2f m above the WGS-84 ellipsoid (%s)", g.LowestM, g.HighestM, g.Source)
}
