package chart

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/paulmach/orb"

	"github.com/kapok-fleet/kapok/planner/space"
)

const (
	// MaxAirspaceBytes is the longest file that ImportAirspace reads. What is no
	// JSON is refused at the first byte that shows it; a file of that length takes
	// up to 600 MB of memory while it is read.
	MaxAirspaceBytes = 64 << 20
	// MaxAirspaceFeatures is how many zones a file may have, those included that do
	// not touch the chart.
	MaxAirspaceFeatures = 1_000_000
	// MaxAirspaceNotes is how many notes of each kind a report keeps; the rest is
	// counted.
	MaxAirspaceNotes = 1000
)

// ErrAirspace is the kind of error for a file that ImportAirspace or ImportRunways
// cannot use.
var ErrAirspace = errors.New("unusable airspace file")

// HeightModel is what heights above ground and above the ellipsoid are converted
// with to altitudes above mean sea level.
type HeightModel interface {
	// GroundRange is the lowest and the highest ground within a bound.
	GroundRange(b orb.Bound) (lowM, highM float64)
	// UndulationM is how high mean sea level lies above the ellipsoid of WGS-84 at
	// a place; NaN where that is not known.
	UndulationM(p orb.Point) float64
}

// AirspaceOptions say how a file is taken.
type AirspaceOptions struct {
	// Name is the file's, without its ending: it begins the ids of zones that the
	// file gives none.
	Name string
	// Datum is stated for files of Kapok's own zones that do not say theirs. All
	// other formats are in WGS-84 by definition.
	Datum space.Datum
	// Heights may be nil; then heights that need it are refused.
	Heights HeightModel
	// HeightLimitM is how high above ground aircraft may fly: a ceiling above
	// ground that is no lower may be taken as none. 0 means DefaultHeightLimitM.
	HeightLimitM float64
	// Authorised says that the flights have the authorisations that zones ask for,
	// and keep their conditions: such zones become advice.
	Authorised bool
	// Within leaves out zones that do not touch it; zero takes all.
	Within orb.Bound
	// Taken are ids that are in use; a zone of such an id gets another. May be nil.
	Taken map[string]bool
}

// AirspaceReport tells what an import did.
type AirspaceReport struct {
	// Format is ed269, ed318, uasfm, qgroundcontrol, kapok or runways.
	Format string
	// Features is how many the file has, and Elsewhere how many zones of them were
	// left out as they do not touch the chart or begin above MaxHeightM.
	Features, Elsewhere int
	// Rules counts the zones by their rule, Kinds by what the file calls them.
	Rules map[Rule]int
	Kinds map[string]int
	// Widened are zones that are larger than in the file, to be on the safe side,
	// and Advised those that are advice although the file restricts flight there.
	// Notes are other things that a person should know.
	Widened, Advised, Notes []AirspaceNote
	// Dropped is how many notes are not there as MaxAirspaceNotes were.
	Dropped int
}

// AirspaceNote is something to be known about a zone.
type AirspaceNote struct {
	Zone string
	Text string
	// ByM is by how many metres it was widened, 0 where that is no figure.
	ByM float64
}

func (r *AirspaceReport) note(list *[]AirspaceNote, zone string, byM float64, format string, args ...any) {
	if len(*list) >= MaxAirspaceNotes {
		r.Dropped++
		return
	}
	*list = append(*list, AirspaceNote{zone, fmt.Sprintf(format, args...), byM})
}

// ImportAirspace reads the zones of a file. The format is known by the content:
//
//   - ED-269 (EUROCAE, UAS geographical zones, 2020) and what countries make of it;
//   - ED-318 (EUROCAE, 2024), GeoJSON with layers of heights;
//   - UAS Facility Map of the US Federal Aviation Administration, as GeoJSON;
//   - the plan file of QGroundControl, of which the geofence is taken;
//   - Kapok's own GeoJSON, as ImportZones reads it.
//
// All places are in WGS-84 but in the last, see ImportZones. Zones bind aircraft
// only, but for Kapok's own. docs/charts.md tells how restrictions become rules.
// Circles become polygons that enclose them, by at most a metre; those that must
// not be left, polygons enclosed by them. Heights above ground and above the
// ellipsoid become altitudes such that the zone grows.
//
// The first fault ends the import with an error of kind ErrAirspace that names the
// place in the file, as a line or a path such as features[3].geometry[0].
func ImportAirspace(r io.Reader, opts AirspaceOptions) ([]Zone, AirspaceReport, error) {
	im := newAirspaceImport(opts)
	if err := im.read(r); err != nil {
		return nil, im.report, fmt.Errorf("import airspace: %w: %w", ErrAirspace, err)
	}
	return im.zones, im.report, nil
}

// airspaceImport is an import under way.
type airspaceImport struct {
	opts   AirspaceOptions
	report AirspaceReport
	zones  []Zone
	taken  map[string]bool
	// again is the last number that an id in use got.
	again map[string]int
}

func newAirspaceImport(opts AirspaceOptions) *airspaceImport {
	if opts.HeightLimitM <= 0 {
		opts.HeightLimitM = DefaultHeightLimitM
	}
	im := &airspaceImport{opts: opts, taken: maps.Clone(opts.Taken), again: map[string]int{}}
	im.report.Rules, im.report.Kinds = map[Rule]int{}, map[string]int{}
	if im.taken == nil {
		im.taken = map[string]bool{}
	}
	return im
}

func (im *airspaceImport) read(r io.Reader) error {
	buffered := withoutMark(bufio.NewReader(r))
	start, _ := buffered.Peek(512)
	if err := checkText(start); err != nil {
		return err
	}
	if !bytes.HasPrefix(bytes.TrimSpace(start), []byte("{")) {
		if bytes.Contains(start, []byte("airport_ident")) {
			return errors.New("line 1: it is a table of runways, of which ImportRunways (kapok chart build --runways) makes zones")
		}
		return fmt.Errorf("line 1: it begins with %.20q and is no JSON object", bytes.TrimSpace(start))
	}
	counted := &lines{r: buffered, left: MaxAirspaceBytes}
	decoder := json.NewDecoder(counted)
	var file map[string]json.RawMessage
	if err := decoder.Decode(&file); err != nil {
		var wrong *json.UnmarshalTypeError
		if errors.As(err, &wrong) {
			return fmt.Errorf("line 1: it is JSON, but %s and not an object", wrong.Value)
		}
		return counted.place(err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) || counted.long {
		if err == nil {
			err = errors.New("more follows the end of the document")
		}
		return counted.place(err)
	}
	return im.document(file, true)
}

// lists are the names that files give the list of their zones.
func featureLists() []string {
	return []string{"features", "UASZoneList", "uasZoneList", "UASZoneVersion", "zones"}
}

// document takes a file whose members are known to be JSON; one that is outer may
// have all of it in one member.
func (im *airspaceImport) document(file map[string]json.RawMessage, outer bool) error {
	root := &jnode{value: map[string]any{}}
	if _, ok := file["geoFence"]; ok {
		im.report.Format = "qgroundcontrol"
		return im.plan(root, file)
	}
	for _, name := range featureLists() {
		raw, ok := file[name]
		if !ok {
			continue
		}
		return im.features(file, root, raw, &jnode{parent: root, key: name})
	}
	if name, ok := wrapping(file); ok && outer {
		var inner map[string]json.RawMessage
		if json.Unmarshal(file[name], &inner) == nil {
			return im.document(inner, false)
		}
	}
	return fmt.Errorf("it is none of ED-269, ED-318, a UAS Facility Map, a QGroundControl plan and GeoJSON: it has %s, and neither features nor a geoFence", names(file))
}

// wrapping is the one member of a document that holds all of it.
func wrapping(file map[string]json.RawMessage) (string, bool) {
	for name, raw := range file {
		if len(file) == 1 && bytes.HasPrefix(raw, []byte("{")) {
			return name, true
		}
	}
	return "", false
}

// names lists the members of a file, the first few.
func names(file map[string]json.RawMessage) string {
	sorted := slices.Sorted(maps.Keys(file))
	if len(sorted) == 0 {
		return "no members"
	}
	return fmt.Sprintf("the members %.60q", sorted[:min(len(sorted), 5)])
}

// airspaceFeature decodes an item of the file's list.
func airspaceFeature(raw json.RawMessage, at *jnode, i int) (*jnode, error) {
	n := &jnode{parent: at, index: i}
	if err := json.Unmarshal(raw, &n.value); err != nil {
		return nil, n.fault("%w", err)
	}
	if _, ok := n.value.(map[string]any); !ok {
		return nil, n.fault("it is %s, not an object", n.what())
	}
	return n, nil
}

// features takes the features of a file, whose format the first shows.
func (im *airspaceImport) features(file map[string]json.RawMessage, root *jnode, list json.RawMessage, at *jnode) error {
	im.report.Format = "ed269"
	if _, ok := file["type"]; ok {
		im.report.Format = "kapok"
	}
	datum := space.WGS84
	err := eachItem(list, func(i int, raw json.RawMessage) error {
		n, err := airspaceFeature(raw, at, i)
		if err != nil {
			return err
		}
		kind := formatOf(n)
		if i == 0 {
			im.report.Format = kind
			if datum, err = im.head(file, root); err != nil {
				return err
			}
		}
		if im.report.Features = i + 1; i >= MaxAirspaceFeatures {
			return n.fault("more than %d zones", MaxAirspaceFeatures)
		}
		if kind != im.report.Format {
			return n.fault("it looks like %s, and what comes before like %s", kind, im.report.Format)
		}
		switch kind {
		case "ed269":
			return im.ed269(n)
		case "ed318":
			return im.ed318(n)
		case "uasfm":
			return im.uasfm(n)
		}
		return im.own(n, raw, datum)
	})
	var fault itemFault
	if errors.As(err, &fault) {
		return at.fault("%s", fault)
	}
	return err
}

// formatOf tells what a feature looks like.
func formatOf(n *jnode) string {
	if _, ok := n.get("restriction"); ok {
		return "ed269"
	}
	if g, ok := n.get("geometry"); ok {
		if _, list := g.value.([]any); list {
			return "ed269"
		}
	}
	p, ok := n.get("properties")
	if !ok {
		return "kapok"
	}
	if _, ok := p.get("restriction"); ok {
		return "ed269"
	}
	if _, ok := p.get("CEILING"); ok {
		return "uasfm"
	}
	for _, name := range [...]string{"identifier", "variant", "limitedApplicability", "zoneAuthority"} {
		if _, ok := p.get(name); ok {
			return "ed318"
		}
	}
	return "kapok"
}

// head reads what a file says of itself as a whole: its datum, which only Kapok's
// own zones may choose, and the metadata of ED-318.
func (im *airspaceImport) head(file map[string]json.RawMessage, root *jnode) (space.Datum, error) {
	var head struct {
		Datum *string `json:"datum"`
		CRS   *crs    `json:"crs"`
	}
	for name, into := range map[string]any{"datum": &head.Datum, "crs": &head.CRS} {
		if raw, ok := file[name]; ok {
			if err := json.Unmarshal(raw, into); err != nil {
				return "", fmt.Errorf("%s: %w", name, err)
			}
		}
	}
	if im.report.Format == "kapok" {
		return chooseDatum(head.Datum, head.CRS, im.opts.Datum)
	}
	// These formats are in WGS-84 by definition; a file that says otherwise is none
	// of them.
	if _, err := chooseDatum(head.Datum, head.CRS, space.WGS84); err != nil {
		return "", fmt.Errorf("%s is in WGS-84 by definition, but %w", im.report.Format, err)
	}
	if im.report.Format == "ed318" {
		return space.WGS84, checkMetadata(root, file["metadata"])
	}
	return space.WGS84, nil
}

// own takes a feature of Kapok's own GeoJSON.
func (im *airspaceImport) own(n *jnode, raw json.RawMessage, datum space.Datum) error {
	zones, err := zonesOf(raw, datum)
	if err != nil {
		return n.fault("%w", err)
	}
	for i := range zones {
		if im.taken[zones[i].ID] {
			return n.fault("the id %q is in use", zones[i].ID)
		}
		if err := im.add(n, zones[i], "zone"); err != nil {
			return err
		}
	}
	return nil
}

// add takes a zone, under another id if its own is in use.
func (im *airspaceImport) add(at *jnode, z Zone, kind string) error {
	for id := z.ID; im.taken[z.ID]; {
		// The numbers that others of this id have got need not be tried again.
		im.again[id] = max(im.again[id]+1, 2)
		z.ID = fmt.Sprintf("%s#%d", id, im.again[id])
	}
	if err := z.Validate(); err != nil {
		return at.fault("%w", err)
	}
	if err := snapPolygon(z.Polygon); err != nil {
		return at.fault("zone %q: %w", z.ID, err)
	}
	if im.opts.Within != (orb.Bound{}) && !z.Polygon.Bound().Intersects(im.opts.Within) {
		im.report.Elsewhere++
		return nil
	}
	if len(im.zones) >= MaxZones {
		return at.fault("more than the %d zones that a chart may have", MaxZones)
	}
	im.taken[z.ID] = true
	im.zones = append(im.zones, z)
	im.report.Rules[z.Rule]++
	im.report.Kinds[kind]++
	return nil
}
