package chart

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/kapok-fleet/kapok/planner/space"
)

const huts = `{"type":"FeatureCollection","datum":"gcj02","features":[
{"type":"Feature","id":7,"properties":{"name":"hut","height_m":12.5,"colour":"red"},"geometry":{"type":"Polygon","coordinates":[[[113.9171764808363,22.540796131694766],[113.918,22.5408],[113.918,22.5415],[113.9171764808363,22.540796131694766]]]}},
{"type":"Feature","properties":{"id":"two"},"geometry":{"type":"MultiPolygon","coordinates":[[[[114,22.5],[114.001,22.5],[114.001,22.501]]],[[[114.01,22.5],[114.011,22.5],[114.011,22.501]]]]}}]}`

func TestGeoJSONBuildings(t *testing.T) {
	list, err := ImportGeoJSONBuildings(strings.NewReader(huts), "")
	if err != nil {
		t.Fatal(err)
	}
	if len(list) != 3 || list[0].ID != "7" || list[0].HeightM != 12.5 || list[0].Source != HeightTag || list[2].ID != "two/2" || list[2].Source != HeightMaximum {
		t.Errorf("%+v", list)
	}
	// The first corner is a published pair of both datums.
	if got := list[0].Footprint[0][0]; space.Distance(space.Position{Lon: got[0], Lat: got[1]}, space.Position{Lon: 113.912316, Lat: 22.543847}) > 0.1 {
		t.Errorf("the corner is at %v", got)
	}
	for name, c := range map[string]struct{ old, with, want string }{
		"no datum": {`"datum":"gcj02",`, "", "does not say its datum"},
		"low":      {"12.5", "-3", "-3 m high"},
		"no area":  {"[114.001,22.5],", "", "3"},
		"garbage":  {huts, "\x00\x01", "no JSON object"},
		"half":     {huts[300:], "", "line"},
	} {
		if _, err := ImportGeoJSONBuildings(strings.NewReader(strings.Replace(huts, c.old, c.with, 1)), ""); !errors.Is(err, ErrBuildings) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

func FuzzImportGeoJSONBuildings(f *testing.F) {
	f.Add([]byte(huts))
	f.Fuzz(func(t *testing.T, file []byte) {
		list, err := ImportGeoJSONBuildings(bytes.NewReader(file), space.WGS84)
		if err != nil {
			if !errors.Is(err, ErrBuildings) {
				t.Fatal(err)
			}
			return
		}
		d := Draft{Buildings: list}
		if err := d.normaliseBuildings(); err != nil {
			t.Fatalf("imported buildings are not valid: %v", err)
		}
	})
}
