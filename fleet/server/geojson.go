package server

import (
	"fmt"
	"mime"
	"strconv"
	"strings"

	"github.com/kapok-fleet/kapok/protocol/api"
)

const geoJSONType = "application/geo+json"

// featureCollection is a list as GeoJSON (RFC 7946). NextCursor is a foreign
// member, as the RFC permits.
type featureCollection struct {
	Type       string    `json:"type" enum:"FeatureCollection"`
	Features   []feature `json:"features"`
	NextCursor string    `json:"next_cursor,omitempty"`
}

// feature is one thing on the map. Its properties are the thing's JSON shape,
// altitudes included: those of GeoJSON itself would be above the ellipsoid.
type feature struct {
	Type       string    `json:"type" enum:"Feature"`
	ID         string    `json:"id"`
	Geometry   *geometry `json:"geometry"`
	Properties any       `json:"properties"`
}

type geometry struct {
	Type        string `json:"type"`
	Coordinates any    `json:"coordinates"`
}

type lonLat [2]float64

// wantsGeoJSON tells whether a request prefers GeoJSON to plain JSON.
func wantsGeoJSON(accept []string) bool {
	geo, plain := 0.0, 0.0
	for _, header := range accept {
		for part := range strings.SplitSeq(header, ",") {
			name, params, err := mime.ParseMediaType(part)
			if err != nil {
				continue
			}
			quality := 1.0
			if q, ok := params["q"]; ok {
				if quality, err = strconv.ParseFloat(q, 64); err != nil {
					continue
				}
			}
			switch name {
			case geoJSONType:
				geo = max(geo, quality)
			case "application/json":
				plain = max(plain, quality)
			}
		}
	}
	return geo > 0 && geo >= plain
}

func point(p api.Position) lonLat { return lonLat{p.Lon, p.Lat} }

func pointGeometry(p *api.Position) *geometry {
	if p == nil {
		return nil
	}
	return &geometry{"Point", point(*p)}
}

func vehicleFeature(v api.Vehicle) feature {
	return feature{"Feature", v.ID, pointGeometry(v.Position), v}
}

func siteFeature(v api.Site) feature {
	return feature{"Feature", v.ID, pointGeometry(&v.Position), v}
}

func placeFeature(v api.Place) feature {
	return feature{"Feature", v.ID, pointGeometry(&v.Position), v}
}

func taskFeature(t api.Task) feature {
	stops := make([]lonLat, len(t.Stops))
	for i := range t.Stops {
		stops[i] = point(t.Stops[i].Position)
	}
	return feature{"Feature", t.ID, &geometry{"MultiPoint", stops}, t}
}

func zoneFeature(z api.Zone) feature {
	return feature{"Feature", z.ID, &geometry{"Polygon", z.Polygon}, z}
}

// missionFeature draws each leg as a line; a leg of a single point has none.
func missionFeature(m api.Mission) feature {
	lines := [][]lonLat{}
	for _, l := range m.Legs {
		if len(l.Path) < 2 {
			continue
		}
		line := make([]lonLat, len(l.Path))
		for i := range l.Path {
			line[i] = point(l.Path[i])
		}
		lines = append(lines, line)
	}
	return feature{"Feature", m.ID, &geometry{"MultiLineString", lines}, m}
}

// listOf answers with one page, in the form that the request prefers.
func listOf[T any](r *request, items []T, next string, draw func(T) feature) (*reply, error) {
	if !r.geoJSON || draw == nil {
		if items == nil {
			items = []T{}
		}
		answer, err := encode(200, api.List[T]{Items: items, NextCursor: next})
		if err == nil && draw != nil {
			answer.Vary = "Accept"
		}
		return answer, err
	}
	all := featureCollection{Type: "FeatureCollection", Features: make([]feature, len(items)), NextCursor: next}
	for i := range items {
		all.Features[i] = draw(items[i])
	}
	return encodeGeo(all)
}

// oneThing answers with one thing, in the form that the request prefers.
func oneThing[T any](r *request, item T, draw func(T) feature) (*reply, error) {
	if r.geoJSON && draw != nil {
		return encodeGeo(draw(item))
	}
	answer, err := encode(200, item)
	if err == nil && draw != nil {
		answer.Vary = "Accept"
	}
	return answer, err
}

func encodeGeo(v any) (*reply, error) {
	body, err := marshal(v)
	if err != nil {
		return nil, fmt.Errorf("server: encode GeoJSON: %w", err)
	}
	return &reply{Status: 200, ContentType: geoJSONType, Vary: "Accept", Body: body}, nil
}
