package chart

import (
	"encoding/json"
	"fmt"
	"io"

	"github.com/kapok-fleet/kapok/planner/space"
)

// MaxGeoJSONBuildingsBytes is the longest file that ImportGeoJSONBuildings reads.
const MaxGeoJSONBuildingsBytes = 128 << 20

// ImportGeoJSONBuildings reads buildings from a GeoJSON FeatureCollection of
// Polygons and MultiPolygons. The property "height_m" (or "height", metres too)
// is the height above ground; without either, the building has MaximumHeightM
// and the source HeightMaximum. "id" and "name" are taken over, and other
// properties are not read. The file says its datum or has it stated, as for
// ImportZones. The first fault ends the import with an error of kind
// ErrBuildings that names the feature.
func ImportGeoJSONBuildings(r io.Reader, stated space.Datum) ([]Building, error) {
	list, err := importGeoJSONBuildings(r, stated)
	if err != nil {
		return nil, fmt.Errorf("import buildings: %w: %w", ErrBuildings, err)
	}
	return list, nil
}

func importGeoJSONBuildings(r io.Reader, stated space.Datum) ([]Building, error) {
	features, datum, err := readCollection(r, MaxGeoJSONBuildingsBytes, stated)
	if err != nil {
		return nil, err
	}
	var list []Building
	err = eachItem(features, func(i int, raw json.RawMessage) error {
		more, err := geoJSONBuildings(raw, datum)
		if err != nil {
			return fmt.Errorf("feature %d: %w", i+1, err)
		}
		if list = append(list, more...); len(list) > MaxBuildings {
			return fmt.Errorf("feature %d: more than the %d buildings that a chart may have", i+1, MaxBuildings)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return list, nil
}

// geoJSONBuildings reads one feature.
func geoJSONBuildings(raw json.RawMessage, datum space.Datum) ([]Building, error) {
	var feature struct {
		ID         json.RawMessage `json:"id"`
		Geometry   geometry        `json:"geometry"`
		Properties struct {
			ID      json.RawMessage `json:"id"`
			Name    string          `json:"name"`
			HeightM *float64        `json:"height_m"`
			Height  *float64        `json:"height"`
		} `json:"properties"`
	}
	if err := json.Unmarshal(raw, &feature); err != nil {
		return nil, err
	}
	id, err := featureID(feature.Properties.ID)
	if err == nil && id == "" {
		id, err = featureID(feature.ID)
	}
	if err != nil {
		return nil, err
	}
	polygons, err := feature.Geometry.polygons()
	if err != nil {
		return nil, fmt.Errorf("geometry: %w", err)
	}
	b := Building{ID: id, Name: feature.Properties.Name, HeightM: MaximumHeightM, Source: HeightMaximum}
	for _, stated := range [...]*float64{feature.Properties.Height, feature.Properties.HeightM} {
		if stated != nil {
			b.HeightM, b.Source = *stated, HeightTag
		}
	}
	if !(b.HeightM > 0) || !height(b.HeightM) {
		return nil, fmt.Errorf("it is %g m high", b.HeightM)
	}
	var list []Building
	for i, polygon := range polygons {
		for _, ring := range polygon {
			for k := range ring {
				ring[k] = datum.ToWGS84(ring[k])
			}
		}
		if err := snapPolygon(polygon); err != nil {
			return nil, err
		}
		b.Footprint = polygon
		if len(polygons) > 1 {
			b.ID = fmt.Sprintf("%s/%d", id, i+1)
		}
		list = append(list, b)
	}
	return list, nil
}
