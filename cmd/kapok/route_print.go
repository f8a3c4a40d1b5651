package main

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/kapok-fleet/kapok/planner/motion"
)

// feature is one GeoJSON feature of a way.
type feature struct {
	Type       string          `json:"type"`
	Geometry   featureGeometry `json:"geometry"`
	Properties any             `json:"properties"`
}

type featureGeometry struct {
	Type        string `json:"type"`
	Coordinates any    `json:"coordinates"`
}

// printRefusal prints what is against a way, and makes it the negative result.
func printRefusal(c console, form string, t *trip, r *refusedError) error {
	r.Text = refusalTexts()[r.Rule]
	var err error
	switch form {
	case asJSON:
		err = printJSON(c.out, map[string]any{"refusal": r})
	case asGeoJSON:
		err = printJSON(c.out, collection([]feature{{
			"Feature",
			featureGeometry{"Point", []float64{r.At.Lon, r.At.Lat}},
			struct {
				Role string `json:"role"`
				*refusedError
			}{"refusal", r},
		}}))
	}
	if err != nil {
		return err
	}
	return &negativeError{text: r.Error()}
}

func collection(features []feature) map[string]any {
	return map[string]any{"type": "FeatureCollection", "features": features}
}

// printRoute prints a way that was checked.
func printRoute(c console, form string, w *plannedRoute) error {
	switch form {
	case asJSON:
		return printJSON(c.out, w)
	case asGeoJSON:
		return printJSON(c.out, collection(w.features()))
	}
	air := w.Kind == motion.Multirotor || w.Kind == motion.VTOL
	heads := []string{"LEG", "WHAT", "LENGTH M", "ALTITUDE M", "HEIGHT M", "HEADING", "SPEED M/S", "TIME S", "ENERGY WH", "BATTERY"}
	rows := make([][]string, 0, len(w.Legs)+1)
	for i := range w.Legs {
		rows = append(rows, w.Legs[i].row(i+1))
	}
	rows = append(rows, []string{
		"all", "", fmt.Sprintf("%.1f", w.LengthM), "", "", "", "", fmt.Sprintf("%.1f", w.DurationS),
		fmt.Sprintf("%.2f", w.EnergyWh), tenths(w.BatteryRatio),
	})
	if err := printTable(c.out, heads, rows); err != nil {
		return err
	}
	if air {
		if err := w.printLandings(c); err != nil {
			return err
		}
	}
	if w.Binding != nil {
		if err := w.printBinding(c); err != nil {
			return err
		}
	}
	c.say("%s (%s) leaves %s, arrives %s; checked by %s: no violation", w.Airframe, w.Kind, stamp(w.Depart), stamp(w.Arrive), w.CheckedBy)
	return nil
}

// tenths writes a ratio as percent with a decimal.
func tenths(ratio float64) string { return fmt.Sprintf("%.1f%%", ratio*100) }

func (l *legView) row(n int) []string {
	heading, speed := "", ""
	if l.GroundSpeedMPS > 0 {
		heading, speed = fmt.Sprintf("%.0f°", l.HeadingDeg), fmt.Sprintf("%.1f", l.GroundSpeedMPS)
	}
	return []string{
		strconv.Itoa(n), l.Phase, fmt.Sprintf("%.1f", l.LengthM), fmt.Sprintf("%.1f", l.To.AltitudeM), fmt.Sprintf("%.1f", l.To.HeightM),
		heading, speed, fmt.Sprintf("%.1f", l.DurationS), fmt.Sprintf("%.2f", l.EnergyWh), tenths(l.BatteryRatio),
	}
}

func (w *plannedRoute) printLandings(c console) error {
	fmt.Fprintln(c.out)
	rows := make([][]string, len(w.Landings))
	for i, l := range w.Landings {
		site := l.Site
		if site == "" {
			site = strings.ReplaceAll(l.Where, "_", " ")
		}
		rows[i] = []string{strconv.Itoa(l.Point), fmt.Sprintf("%.6f,%.6f", l.At.Lon, l.At.Lat), fmt.Sprintf("%.1f", l.At.AltitudeM), fmt.Sprintf("%.1f", l.DurationS), fmt.Sprintf("%.2f", l.EnergyWh), site}
	}
	return printTable(c.out, []string{"LANDING FROM", "AT", "ALTITUDE M", "TIME S", "ENERGY WH", "WHERE"}, rows)
}

func (w *plannedRoute) printBinding(c console) error {
	if len(w.Binding) == 0 {
		c.say("no zone, wall, height, limit or closure makes the way another")
		return nil
	}
	fmt.Fprintln(c.out)
	rows := make([][]string, len(w.Binding))
	for i := range w.Binding {
		b := &w.Binding[i]
		leg := ""
		if b.Leg > 0 {
			leg = strconv.Itoa(b.Leg)
		}
		rows[i] = []string{b.Rule, b.Object, leg, fmt.Sprintf("%.1f %s", b.Number, b.Unit), fmt.Sprintf("%.1f %s", b.Limit, b.Unit), b.Text}
	}
	return printTable(c.out, []string{"BINDS", "OBJECT", "LEG", "NUMBER", "LIMIT", "HOW"}, rows)
}

// features are the way as a whole, each of its legs, and the landings. Heights in
// the geometry are above the ellipsoid where the chart has a geoid, as RFC 7946
// has it, else above mean sea level; the properties say which.
func (w *plannedRoute) features() []feature {
	heights := "amsl"
	if w.geoid {
		heights = "wgs84"
	}
	points := make([][]float64, len(w.path))
	for i, p := range w.path {
		z := p.AltitudeM
		if w.geoid {
			z += w.raises[i]
		}
		points[i] = []float64{rounded(p.Lon, 7), rounded(p.Lat, 7), rounded(z, 2)}
	}
	whole := *w
	whole.Legs, whole.Landings = nil, nil
	list := []feature{{"Feature", featureGeometry{"LineString", points}, struct {
		Role    string `json:"role"`
		Heights string `json:"coordinates_ref"`
		*plannedRoute
		// The legs are features of their own.
		Legs bool `json:"legs,omitempty"`
	}{Role: "route", Heights: heights, plannedRoute: &whole}}}
	for i := range w.Legs {
		list = append(list, feature{"Feature", featureGeometry{"LineString", points[i : i+2]}, struct {
			Role string `json:"role"`
			Leg  int    `json:"leg"`
			*legView
		}{"leg", i + 1, &w.Legs[i]}})
	}
	for i := range w.Landings {
		l := &w.Landings[i]
		list = append(list, feature{"Feature", featureGeometry{"Point", []float64{rounded(l.At.Lon, 7), rounded(l.At.Lat, 7)}}, struct {
			Role string `json:"role"`
			*landingView
		}{"landing", l}})
	}
	return list
}
