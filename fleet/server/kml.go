package server

import (
	"encoding/xml"
	"io"
	"strings"
	"time"

	"github.com/kapok-fleet/kapok/fleet/track"
)

// kml writes a KML document, placemark by placemark. Its altitudes are above sea
// level, as Kapok's are.
type kml struct {
	w     io.Writer
	begun bool
}

const (
	kmlHead = `<?xml version="1.0" encoding="UTF-8"?>` + "\n" +
		`<kml xmlns="http://www.opengis.net/kml/2.2" xmlns:gx="http://www.google.com/kml/ext/2.2"><Document>` + "\n"
	kmlTail = "</Document></kml>\n"
)

func (k *kml) write(parts ...string) error {
	if !k.begun {
		parts = append([]string{kmlHead}, parts...)
		k.begun = true
	}
	_, err := io.WriteString(k.w, strings.Join(parts, ""))
	return err
}

// escaped is a text as XML has it.
func escaped(text string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(text)) // A builder takes everything.
	return b.String()
}

// line writes a piece of a track.
func (k *kml) line(points []track.Sample) error {
	parts := []string{"<Placemark><name>", escaped(points[0].Vehicle), "</name><gx:Track><altitudeMode>absolute</altitudeMode>\n"}
	for i := range points {
		parts = append(parts, "<when>", points[i].Time.Format(time.RFC3339Nano), "</when>")
	}
	for i := range points {
		p := &points[i]
		parts = append(parts, "\n<gx:coord>", decimal(p.Lon), " ", decimal(p.Lat), " ", decimal(p.AltitudeM), "</gx:coord>")
	}
	return k.write(append(parts, "</gx:Track></Placemark>\n")...)
}

// event writes an event at its place.
func (k *kml) event(title, details string, at time.Time, where *geometry) error {
	return k.write("<Placemark><name>", escaped(title), "</name><description>", escaped(details), "</description><TimeStamp><when>",
		at.Format(time.RFC3339Nano), "</when></TimeStamp>", kmlGeometry(where), "</Placemark>\n")
}

func kmlGeometry(g *geometry) string {
	coordinates := func(line []lonLat) string {
		var parts []string
		for _, p := range line {
			parts = append(parts, decimal(p[0])+","+decimal(p[1]))
		}
		return "<coordinates>" + strings.Join(parts, " ") + "</coordinates>"
	}
	var parts []string
	switch shape := g.Coordinates.(type) {
	case lonLat:
		return "<Point>" + coordinates([]lonLat{shape}) + "</Point>"
	case []lonLat: // A MultiPoint.
		for _, p := range shape {
			parts = append(parts, "<Point>"+coordinates([]lonLat{p})+"</Point>")
		}
	case [][]lonLat:
		for i, line := range shape {
			switch {
			case g.Type != "Polygon":
				parts = append(parts, "<LineString>"+coordinates(line)+"</LineString>")
			case i == 0:
				parts = append(parts, "<Polygon><outerBoundaryIs><LinearRing>"+coordinates(line)+"</LinearRing></outerBoundaryIs>")
			default:
				parts = append(parts, "<innerBoundaryIs><LinearRing>"+coordinates(line)+"</LinearRing></innerBoundaryIs>")
			}
		}
		if g.Type == "Polygon" && len(parts) > 0 {
			parts = append(parts, "</Polygon>")
		}
	}
	return "<MultiGeometry>" + strings.Join(parts, "") + "</MultiGeometry>"
}

func (k *kml) end(string) error { return k.write(kmlTail) }
