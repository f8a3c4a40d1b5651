package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/kapok-fleet/kapok/cmd/kapok/internal/client"
	"github.com/kapok-fleet/kapok/protocol/api"
)

func newZones(c console) *cobra.Command {
	cmd := newZoneList(c, "zones [ID...]")
	cmd.Args = cobra.ArbitraryArgs
	list, show := newZoneList(c, "list"), newZoneList(c, "show ID...")
	list.Args = cobra.NoArgs
	show.Args = cobra.MinimumNArgs(1)
	list.Short, show.Short = "List zones", "Show zones"
	cmd.AddCommand(list, show, newZoneCreate(c), newZoneChange(c), newZoneSuspend(c), newZoneResume(c), newZoneRemove(c))
	return cmd
}

func newZoneList(c console, use string) *cobra.Command {
	var r remote
	var o output
	var rules []string
	var live bool
	cmd := &cobra.Command{
		Use: use, Short: "List zones, and make, change, suspend and remove them",
		Long: "List zones: those of the chart, and those that people made or changed. With -o geojson the output can be changed\n" +
			"and given back: kapok zones change ID --geojson FILE.",
		RunE: func(cmd *cobra.Command, ids []string) error {
			query := url.Values{}
			filter(query, "rule", strings.Join(rules, ","))
			if cmd.Flags().Changed("live") {
				filter(query, "live", fmt.Sprint(live))
			}
			if len(ids) > 0 && o.form == asGeoJSON {
				return showZoneFeatures(cmd.Context(), c, &r, ids)
			}
			return showList(cmd.Context(), c, &r, &o, listing[api.Zone]{
				path: "/v1/zones", query: query, ids: ids,
				all: (*client.Client).Zones, one: (*client.Client).Zone, heads: zoneHeads(), row: zoneRow,
			})
		},
	}
	cmd.Flags().StringSliceVar(&rules, "rule", nil, "only these: keep_out, keep_in, altitude_limit, speed_limit, advise")
	cmd.Flags().BoolVar(&live, "live", false, "only those that people made or changed; --live=false: only those of the chart as it was drawn")
	r.flags(cmd)
	o.flag(cmd, asTable, asJSON, asNDJSON, asGeoJSON)
	return cmd
}

// showZoneFeatures prints named zones as GeoJSON: one as a Feature, several as
// a collection.
func showZoneFeatures(ctx context.Context, c console, r *remote, ids []string) error {
	k, err := r.open(c)
	if err != nil {
		return err
	}
	defer k.Close()
	features := []zoneFeature{}
	for _, id := range ids {
		zone, err := k.Zone(ctx, id)
		if err != nil {
			return err
		}
		features = append(features, zoneFeature{Type: "Feature", ID: id, Geometry: zoneGeometry{"Polygon", zone.Polygon}, Properties: zone})
	}
	if len(features) == 1 {
		return printJSON(c.out, features[0])
	}
	return printJSON(c.out, map[string]any{"type": "FeatureCollection", "features": features})
}

type zoneFeature struct {
	Type       string       `json:"type"`
	ID         string       `json:"id"`
	Geometry   zoneGeometry `json:"geometry"`
	Properties api.Zone     `json:"properties"`
}

type zoneGeometry struct {
	Type        string         `json:"type"`
	Coordinates [][][2]float64 `json:"coordinates"`
}

func newZoneCreate(c console) *cobra.Command {
	var f zoneFlags
	var r remote
	var o output
	var key string
	cmd := &cobra.Command{
		Use: "create", Short: "Make a zone, in force at once or in its time window", Args: cobra.NoArgs,
		Long: "Make a zone of a GeoJSON polygon or a circle, and print what it means for the vehicles whose way or place it\n" +
			"touches: they have been told already when the answer comes.",
		Example: "  kapok zones create --circle 113.9305,22.5097,150 --name Crane --for 2h --reason \"a crane is at work\"\n" +
			"  kapok zones create --geojson crane.geojson --rule altitude_limit --height-limit-m 30",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return showChange(c, &r, &o, func(k *client.Client) (api.ZoneChange, error) {
				order := api.ZoneOrder{Rule: "keep_out"}
				if err := f.fill(cmd, c, k, &order); err != nil {
					return api.ZoneChange{}, err
				}
				if len(order.Polygon) == 0 {
					return api.ZoneChange{}, errors.New("the zone has no place: pass --geojson or --circle")
				}
				if key == "" {
					key = newKey()
				}
				return k.CreateZone(cmd.Context(), key, order)
			})
		},
	}
	f.flags(cmd)
	cmd.Flags().StringVar(&key, "key", "", "idempotency key: repeated, it gets the same answer and never a second zone")
	r.flags(cmd)
	o.flag(cmd, asTable, asJSON)
	return cmd
}

func newZoneChange(c console) *cobra.Command {
	var f zoneFlags
	var r remote
	var o output
	cmd := &cobra.Command{
		Use: "change ID", Short: "Change a zone, one of the chart too; what is left out stays as it is", Args: exactly(1, "the zone's id"),
		Example: "  kapok zones change Z1 --ceiling-m 120 --reason \"the crane is taller\"",
		RunE: func(cmd *cobra.Command, args []string) error {
			return showChange(c, &r, &o, func(k *client.Client) (api.ZoneChange, error) {
				old, err := k.Zone(cmd.Context(), args[0])
				if err != nil {
					return api.ZoneChange{}, err
				}
				order := orderOf(&old)
				if err := f.fill(cmd, c, k, &order); err != nil {
					return api.ZoneChange{}, err
				}
				return k.ChangeZone(cmd.Context(), args[0], old.Revision, order)
			})
		},
	}
	f.flags(cmd)
	r.flags(cmd)
	o.flag(cmd, asTable, asJSON)
	return cmd
}

// orderOf is the order that would make a zone as it is.
func orderOf(z *api.Zone) api.ZoneOrder {
	return api.ZoneOrder{
		Name: z.Name, Rule: z.Rule, Polygon: z.Polygon, FloorM: z.FloorM, CeilingM: z.CeilingM, HeightLimitM: z.HeightLimitM,
		SpeedLimitMPS: z.SpeedLimitMPS, From: z.From, Until: z.Until, Schedule: z.Schedule,
		Airborne: z.Airborne, Ground: z.Ground,
	}
}

func newZoneSuspend(c console) *cobra.Command {
	return newZoneAct(c, "suspend ID", "Suspend a zone: it binds nobody until it is resumed",
		func(ctx context.Context, k *client.Client, id, reason string) (api.ZoneChange, error) {
			return k.SuspendZone(ctx, newKey(), id, api.ZoneSuspension{Suspended: true, Reason: reason})
		})
}

func newZoneResume(c console) *cobra.Command {
	return newZoneAct(c, "resume ID", "Put a suspended zone in force again",
		func(ctx context.Context, k *client.Client, id, reason string) (api.ZoneChange, error) {
			return k.SuspendZone(ctx, newKey(), id, api.ZoneSuspension{Reason: reason})
		})
}

func newZoneRemove(c console) *cobra.Command {
	return newZoneAct(c, "remove ID", "Take a zone away; one of the chart stays listed as suspended",
		func(ctx context.Context, k *client.Client, id, reason string) (api.ZoneChange, error) {
			return k.RemoveZone(ctx, id, reason)
		})
}

// newZoneAct makes a command that does something to one zone.
func newZoneAct(c console, use, short string, act func(ctx context.Context, k *client.Client, id, reason string) (api.ZoneChange, error)) *cobra.Command {
	var r remote
	var o output
	var reason string
	cmd := &cobra.Command{
		Use: use, Short: short, Args: exactly(1, "the zone's id"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return showChange(c, &r, &o, func(k *client.Client) (api.ZoneChange, error) { return act(cmd.Context(), k, args[0], reason) })
		},
	}
	cmd.Flags().StringVar(&reason, "reason", "", "why, for the record")
	r.flags(cmd)
	o.flag(cmd, asTable, asJSON)
	return cmd
}

// showChange makes a request about one zone and prints the zone and whom the
// change concerned.
func showChange(c console, r *remote, o *output, ask func(*client.Client) (api.ZoneChange, error)) error {
	k, form, err := r.openFor(c, o)
	if err != nil {
		return err
	}
	defer k.Close()
	change, err := ask(k)
	if err != nil {
		return err
	}
	if form == asJSON {
		return printJSON(c.out, change)
	}
	if err := printTable(c.out, zoneHeads(), [][]string{zoneRow(&change.Zone)}); err != nil {
		return err
	}
	if len(change.Affected) == 0 {
		c.say("it touches no vehicle's way or place")
		return nil
	}
	return printEffects(c, change.Affected)
}

// printEffects tells what a change means for the vehicles that it concerns.
func printEffects(c console, effects []api.ZoneEffect) error {
	rows := make([][]string, len(effects))
	for i := range effects {
		rows[i] = effectRow(&effects[i])
	}
	return printTable(c.out, []string{"VEHICLE", "MISSION", "ACTION", "INSIDE", "LATER", "LONGER", "TASKS", "RELEASED", "REASON"}, rows)
}

func effectRow(e *api.ZoneEffect) []string {
	inside := ""
	if e.CaughtInside {
		inside = "yes"
	}
	return []string{
		e.Vehicle, e.Mission, e.Action, inside,
		// Adding nothing turns a rounded -0 into 0.
		fmt.Sprintf("%.0f s", math.Round(e.DelayS)+0), fmt.Sprintf("%.0f m", math.Round(e.ExtraM)+0),
		strings.Join(e.Tasks, " "), strings.Join(e.Released, " "), e.Reason,
	}
}

func zoneHeads() []string {
	return []string{"ZONE", "NAME", "RULE", "STATE", "BINDS", "LIMIT", "FROM", "UNTIL", "BY", "REASON"}
}

func zoneRow(z *api.Zone) []string {
	state := "of the chart"
	switch {
	case z.Suspended:
		state = "suspended"
	case z.Live:
		state = "live"
	}
	binds := "all"
	switch {
	case z.Airborne && !z.Ground:
		binds = "aircraft"
	case z.Ground && !z.Airborne:
		binds = "ground"
	}
	return []string{z.ID, z.Name, z.Rule, state, binds, zoneLimit(z), stamp(z.From), stamp(z.Until), z.ChangedBy, z.Reason}
}

// scheduleText writes a schedule as --schedule takes it, one period after another.
func scheduleText(schedule []api.ZonePeriod) string {
	var parts []string
	for _, p := range schedule {
		parts = append(parts, strings.TrimSpace(strings.Join(p.Days, " ")+" "+p.Start+" to "+p.End))
	}
	return strings.Join(parts, ", ")
}

// zoneLimit writes a zone's heights, its limit and its schedule.
func zoneLimit(z *api.Zone) string {
	var parts []string
	if z.FloorM != 0 {
		parts = append(parts, fmt.Sprintf("from %g m", z.FloorM))
	}
	if z.CeilingM != nil {
		parts = append(parts, fmt.Sprintf("to %g m", *z.CeilingM))
	}
	if z.HeightLimitM != 0 {
		parts = append(parts, fmt.Sprintf("%g m above ground", z.HeightLimitM))
	}
	if z.SpeedLimitMPS != 0 {
		parts = append(parts, fmt.Sprintf("%g m/s", z.SpeedLimitMPS))
	}
	if len(z.Schedule) > 0 {
		parts = append(parts, scheduleText(z.Schedule))
	}
	return strings.Join(parts, " ")
}

// stamp shows a time with its day in UTC, nothing for none.
func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02 15:04:05")
}
