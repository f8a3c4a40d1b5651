package chart

import (
	"encoding/json"
	"fmt"
	"io"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/geojson"
)

// WriteZones writes zones as a GeoJSON FeatureCollection that ImportZones reads:
// the same zones, places to a centimetre, in WGS-84, one feature a line.
func WriteZones(w io.Writer, zones []Zone) error {
	if _, err := io.WriteString(w, `{"type":"FeatureCollection","datum":"wgs84","features":[`); err != nil {
		return fmt.Errorf("writing zones: %w", err)
	}
	for i := range zones {
		feature, err := zoneFeature(&zones[i])
		if err != nil {
			return fmt.Errorf("writing zone %q: %w", zones[i].ID, err)
		}
		separator := "\n"
		if i > 0 {
			separator = ",\n"
		}
		if _, err := w.Write(append([]byte(separator), feature...)); err != nil {
			return fmt.Errorf("writing zones: %w", err)
		}
	}
	if _, err := io.WriteString(w, "\n]}\n"); err != nil {
		return fmt.Errorf("writing zones: %w", err)
	}
	return nil
}

func zoneFeature(z *Zone) ([]byte, error) {
	// The polygon has its place in the geometry.
	type properties struct {
		Zone

		Polygon *orb.Polygon `json:"polygon,omitempty"`
	}
	return json.Marshal(struct {
		Type       string            `json:"type"`
		ID         string            `json:"id"`
		Properties properties        `json:"properties"`
		Geometry   *geojson.Geometry `json:"geometry"`
	}{"Feature", z.ID, properties{Zone: *z}, geojson.NewGeometry(z.Polygon)})
}
