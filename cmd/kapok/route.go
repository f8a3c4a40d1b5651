package main

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/kapok-fleet/kapok/planner/motion"
	"github.com/kapok-fleet/kapok/planner/route"
)

// maxRouteExpansions bounds the search of one route: a minute or so.
const maxRouteExpansions = 40_000_000

// routeFlags are what the user asks for.
type routeFlags struct {
	chart, from, to, kind, airframe string
	loadKg, battery                 float64
	depart, wind, objective         string
	zones, suspend                  []string
	datum                           string
	closed                          []int64
	explain                         bool
}

func newRoute(c console) *cobra.Command {
	var f routeFlags
	var o output
	cmd := &cobra.Command{
		Use: "route", Short: "Plan one vehicle's way across a chart, and check it", Args: cobra.NoArgs,
		Long: "Plans the way of one vehicle from one place to another, around buildings and zones, over the terrain, in the wind,\n" +
			"with the time and energy of each leg and where an aircraft can come down on the way. No backend is asked. Each way\n" +
			"that is printed was walked along in steps of a metre by an independent checker.\n\n" +
			"A place is LON,LAT; with a third number so many metres above the bare ground (LON,LAT,30); with alt: at an altitude\n" +
			"above mean sea level (LON,LAT,alt:45); or the id of a site of the chart. Wind is SPEED@FROM or SPEED@FROM+GUST in\n" +
			"m/s, FROM in degrees clockwise from north from where it blows: 8@270+3 is 8 m/s from the west with gusts of 3 more.\n" +
			"Exit status 0 with a way; 1 without, with the rule, the object, the place and the number that are against it.",
		Example: "  kapok route --chart harbour --from 113.9262,22.5072 --to 113.9391,22.5143 --kind multirotor -o table\n" +
			"  kapok route --chart city.chart --from 7.42,43.73 --to 7.43,43.74 --wind 8@270+3 --depart 2026-05-04T09:00:00Z --explain -o geojson",
		RunE: func(*cobra.Command, []string) error {
			form, err := o.choose(c.out)
			if err != nil {
				return err
			}
			return planRoute(c, form, &f)
		},
	}
	f.flags(cmd)
	o.flag(cmd, asTable, asJSON, asGeoJSON)
	return cmd
}

func (f *routeFlags) flags(cmd *cobra.Command) {
	fl := cmd.Flags()
	fl.StringVar(&f.chart, "chart", "", "the chart: a .chart, .osm or .osm.pbf file, data:PATH, or harbour (required)")
	fl.StringVar(&f.from, "from", "", "where it starts (required)")
	fl.StringVar(&f.to, "to", "", "where it goes (required)")
	fl.StringVar(&f.kind, "kind", "", "multirotor, rover, vessel or vtol; that of the --airframe if left out, else multirotor")
	fl.StringVar(&f.airframe, "airframe", "", "the vehicle: a name ("+strings.Join(modelNames(), ", ")+") or a JSON file, either\n"+
		"an airframe (docs/airframes.md) or a table of figures with its kind (docs/route.md);\nif left out, Kapok's own model of the kind")
	fl.Float64Var(&f.loadKg, "load", 0, "what it carries, kg")
	fl.Float64Var(&f.battery, "battery", 1, "how full its battery is at the start, 0 to 1")
	fl.StringVar(&f.depart, "depart", "", "when it leaves, e.g. 2026-05-04T09:00:00Z; now if left out")
	fl.StringVar(&f.wind, "wind", "", "SPEED@FROM or SPEED@FROM+GUST, e.g. 8@270+3; still air if left out")
	fl.StringVar(&f.objective, "objective", "time", "what the way is to take least of: time or energy")
	fl.StringArrayVar(&f.zones, "zones", nil, "GeoJSON file of zones on top of the chart's; one with the id of the chart's takes its place; may be repeated")
	fl.StringVar(&f.datum, "datum", "", "datum of zone files that do not say theirs: wgs84, gcj02 or bd09")
	fl.StringSliceVar(&f.suspend, "suspend", nil, "ids of zones of the chart that do not apply")
	fl.Int64SliceVar(&f.closed, "close", nil, "numbers of ways of OpenStreetMap that are closed to robots")
	fl.BoolVar(&f.explain, "explain", false, "tell which zones, buildings, heights and limits bind the way, and what each zone costs")
}

// planRoute plans, checks and prints a way.
func planRoute(c console, form string, f *routeFlags) error {
	t, err := f.trip(c)
	if err != nil {
		return err
	}
	way, err := t.plan()
	refusal, refused := errors.AsType[*refusedError](err)
	switch {
	case refused:
		return printRefusal(c, form, t, refusal)
	case err != nil:
		return err
	}
	if f.explain {
		way.Binding = t.explain(way)
	}
	return printRoute(c, form, way)
}

// plan finds the way, holds it against the battery and the landings, and has it
// checked.
func (t *trip) plan() (*plannedRoute, error) {
	if t.loadKg > t.spec.MaxLoadKg {
		return nil, &refusedError{Rule: "too_heavy", Number: t.loadKg, Limit: t.spec.MaxLoadKg, Unit: "kg", At: t.viewOf(t.from)}
	}
	if r := t.planner.CanStop(t.spec.Kind, t.to); r != nil {
		return nil, t.refusal(r)
	}
	found, err := t.planner.Find(t.query())
	if refused, ok := errors.AsType[*route.Refusal](err); ok {
		return nil, t.refusal(refused)
	}
	if err != nil {
		return nil, fmt.Errorf("planning the way: %w", err)
	}
	way := t.view(&found)
	if err := t.check(&found, way); err != nil {
		return nil, err
	}
	if left := way.BatteryWh - way.EnergyWh; left < way.ReserveWh {
		return nil, &refusedError{Rule: "no_energy", Number: way.EnergyWh + way.ReserveWh, Limit: way.BatteryWh, Unit: "Wh", At: t.viewOf(t.to)}
	}
	return way, t.land(&found, way)
}

// query is the question that the planner is asked.
func (t *trip) query() route.Query {
	return route.Query{
		From: t.from, To: t.to, Spec: t.spec, LoadKg: t.loadKg, Depart: t.depart,
		Objective: t.objective, MaxExpansions: maxRouteExpansions,
	}
}

// modelNames are the vehicles that are known by name.
func modelNames() []string {
	names := motion.Models()
	for _, name := range motion.Airframes() {
		if !strings.HasPrefix(name, "kapok-") {
			names = append(names, name)
		}
	}
	return names
}

// seconds is a span of planned time.
func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }
