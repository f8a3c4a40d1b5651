package chart

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/paulmach/orb"

	"github.com/kapok-fleet/kapok/planner/space"
)

// MaxZonesBytes is the longest file that ImportZones reads.
const MaxZonesBytes = 64 << 20

// ErrZones is the kind of error for a file that ImportZones cannot use.
var ErrZones = errors.New("unusable zones file")

// ImportZones reads zones from a GeoJSON FeatureCollection (RFC 7946). The file
// says its datum by a member "datum" or, as older ones do, by a "crs" that is
// CRS84 or EPSG:4326; one that does not needs the datum stated, and the two must
// not disagree. Places are converted to WGS-84.
//
// Each feature is a Polygon or MultiPolygon; its properties are Zone's JSON
// names but for the polygon, and nothing else. The id may stand in the feature
// instead. A MultiPolygon makes a zone of each of its polygons, the ids ending
// in "/1", "/2" and so on. The first fault ends the import with an error of
// kind ErrZones that names the feature.
func ImportZones(r io.Reader, stated space.Datum) ([]Zone, error) {
	zones, err := importZones(r, stated)
	if err != nil {
		return nil, fmt.Errorf("import zones: %w: %w", ErrZones, err)
	}
	return zones, nil
}

func importZones(r io.Reader, stated space.Datum) ([]Zone, error) {
	features, datum, err := readCollection(r, MaxZonesBytes, stated)
	if err != nil {
		return nil, err
	}
	var zones []Zone
	seen := map[string]int{}
	err = eachItem(features, func(i int, raw json.RawMessage) error {
		more, err := zonesOf(raw, datum)
		if err != nil {
			return fmt.Errorf("feature %d: %w", i+1, err)
		}
		for _, z := range more {
			if before, twice := seen[z.ID]; twice {
				return fmt.Errorf("feature %d: the id %q is that of feature %d", i+1, z.ID, before)
			}
			seen[z.ID] = i + 1
		}
		if zones = append(zones, more...); len(zones) > MaxZones {
			return fmt.Errorf("feature %d: more than the %d zones that a chart may have", i+1, MaxZones)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return zones, nil
}

// crs is the coordinate reference system of GeoJSON before RFC 7946.
type crs struct {
	Properties struct {
		Name string `json:"name"`
	} `json:"properties"`
}

// chooseDatum returns the datum that a file says, or else the one stated for it.
func chooseDatum(said *string, system *crs, stated space.Datum) (space.Datum, error) {
	datum := space.Datum("")
	if system != nil {
		name := strings.ToUpper(system.Properties.Name)
		if !strings.HasSuffix(name, "CRS84") && name != "EPSG:4326" && !strings.HasSuffix(name, ":EPSG::4326") {
			return "", fmt.Errorf("its crs is %q; only CRS84 and EPSG:4326 are read", system.Properties.Name)
		}
		datum = space.WGS84
	}
	if said != nil {
		d, err := space.ParseDatum(*said)
		if err != nil {
			return "", err
		}
		if datum != "" && d != datum {
			return "", fmt.Errorf("it says both %s and %s", d, datum)
		}
		datum = d
	}
	switch {
	case datum == "" && stated == "":
		return "", errors.New(`it does not say its datum: give it a member "datum" of "wgs84", "gcj02" or "bd09", or state the datum when importing it`)
	case datum == "":
		return space.ParseDatum(string(stated))
	case stated != "" && stated != datum:
		return "", fmt.Errorf("it says that it is in %s, not in %s as stated", datum, stated)
	}
	return datum, nil
}

// zonesOf reads one feature.
func zonesOf(raw json.RawMessage, datum space.Datum) ([]Zone, error) {
	var feature struct {
		Type       string          `json:"type"`
		ID         json.RawMessage `json:"id"`
		Geometry   geometry        `json:"geometry"`
		Properties json.RawMessage `json:"properties"`
	}
	if err := json.Unmarshal(raw, &feature); err != nil {
		return nil, err
	}
	if feature.Type != "Feature" {
		return nil, fmt.Errorf("its type is %q, not Feature", feature.Type)
	}
	if len(feature.Properties) == 0 || string(feature.Properties) == "null" {
		return nil, errors.New("it has no properties")
	}
	var zone Zone
	decoder := json.NewDecoder(bytes.NewReader(feature.Properties))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&zone); err != nil {
		return nil, fmt.Errorf("properties: %w", err)
	}
	if zone.Polygon != nil {
		return nil, errors.New("properties: the polygon belongs into the geometry")
	}
	if zone.ID == "" {
		var err error
		if zone.ID, err = featureID(feature.ID); err != nil {
			return nil, err
		}
	}
	polygons, err := feature.Geometry.polygons()
	if err != nil {
		return nil, fmt.Errorf("geometry: %w", err)
	}
	zones := make([]Zone, len(polygons))
	for i, polygon := range polygons {
		zones[i] = zone
		zones[i].Polygon = polygon
		if len(polygons) > 1 {
			zones[i].ID = fmt.Sprintf("%s/%d", zone.ID, i+1)
		}
		if err := zones[i].Validate(); err != nil {
			return nil, err
		}
		for _, ring := range polygon {
			for k := range ring {
				ring[k] = datum.ToWGS84(ring[k])
			}
		}
		if err := snapPolygon(polygon); err != nil {
			return nil, fmt.Errorf("zone %q: %w", zones[i].ID, err)
		}
	}
	return zones, nil
}

// featureID returns the id of a feature, empty for none. A number stands as it is
// written.
func featureID(raw json.RawMessage) (string, error) {
	if len(raw) == 0 || string(raw) == "null" {
		return "", nil
	}
	switch raw[0] {
	case '"':
		var id string
		err := json.Unmarshal(raw, &id)
		return id, err
	case '{', '[', 't', 'f':
		return "", errors.New("its id is neither text nor a number")
	}
	return string(raw), nil
}

// geometry is a GeoJSON geometry whose coordinates are not yet read.
type geometry struct {
	Type        string          `json:"type"`
	Coordinates json.RawMessage `json:"coordinates"`
}

// polygons returns the polygons of the geometry, at least one.
func (g geometry) polygons() ([]orb.Polygon, error) {
	// Lists rather than points, to notice places of one number. A third is an
	// altitude, which zones have in properties; it is not read.
	var list [][][][]float64
	var err error
	switch g.Type {
	case "Polygon":
		list = make([][][][]float64, 1)
		err = json.Unmarshal(g.Coordinates, &list[0])
	case "MultiPolygon":
		err = json.Unmarshal(g.Coordinates, &list)
	case "":
		return nil, errors.New("it is missing; a zone needs a Polygon or MultiPolygon")
	default:
		return nil, fmt.Errorf("its type is %q, not Polygon or MultiPolygon", g.Type)
	}
	if err != nil {
		return nil, fmt.Errorf("coordinates: %w", err)
	}
	if len(list) == 0 {
		return nil, errors.New("it has no polygon")
	}
	polygons := make([]orb.Polygon, len(list))
	for i, rings := range list {
		polygons[i] = make(orb.Polygon, len(rings))
		for r, places := range rings {
			ring := make(orb.Ring, len(places))
			for k, p := range places {
				if len(p) < 2 || len(p) > 3 {
					return nil, fmt.Errorf("ring %d, place %d has %d numbers, not longitude and latitude", r, k+1, len(p))
				}
				ring[k] = orb.Point{p[0], p[1]}
			}
			polygons[i][r] = ring
		}
	}
	return polygons, nil
}

// place adds the line and column to a JSON syntax error.
func place(data []byte, err error) error {
	var syntax *json.SyntaxError
	if !errors.As(err, &syntax) {
		return err
	}
	before := data[:min(int(syntax.Offset), len(data))]
	line := 1 + bytes.Count(before, []byte("\n"))
	column := len(before) - bytes.LastIndexByte(before, '\n') - 1
	return fmt.Errorf("line %d, column %d: %w", line, max(column, 1), err)
}
