package main

import (
	"net/url"
	"strings"

	"github.com/spf13/cobra"

	"github.com/kapok-fleet/kapok/cmd/kapok/internal/client"
	"github.com/kapok-fleet/kapok/protocol/api"
)

func newVehicles(c console) *cobra.Command {
	var r remote
	var o output
	var kinds, links []string
	cmd := &cobra.Command{
		Use: "vehicles [ID...]", Short: "List vehicles, where they are and what they do",
		RunE: func(cmd *cobra.Command, ids []string) error {
			query := url.Values{}
			filter(query, "kind", strings.Join(kinds, ","))
			filter(query, "link", strings.Join(links, ","))
			return showList(cmd.Context(), c, &r, &o, listing[api.Vehicle]{
				path: "/v1/vehicles", query: query, ids: ids,
				all: (*client.Client).Vehicles, one: (*client.Client).Vehicle, heads: vehicleHeads(), row: vehicleRow,
			})
		},
	}
	cmd.Flags().StringSliceVar(&kinds, "kind", nil, "only these: rover, multirotor, vtol, vessel")
	cmd.Flags().StringSliceVar(&links, "link", nil, "only these: unknown, live, late, lost")
	r.flags(cmd)
	o.flag(cmd, asTable, asJSON, asNDJSON, asGeoJSON)
	cmd.AddCommand(newVehicleRegister(c), newVehicleService(c, true), newVehicleService(c, false),
		newVehicleTakeover(c, false), newVehicleTakeover(c, true))
	return cmd
}

func newVehicleRegister(c console) *cobra.Command {
	var r remote
	var o output
	var v api.VehicleRegistration
	cmd := &cobra.Command{
		Use: "register ID", Short: "Register a vehicle, or change what is registered", Args: exactly(1, "the vehicle's id"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return showAnswer(c, &r, &o, vehicleHeads(), vehicleRow, func(k *client.Client) (api.Vehicle, error) {
				return k.Register(cmd.Context(), args[0], v)
			})
		},
	}
	cmd.Flags().StringVar(&v.Kind, "kind", "rover", "rover, multirotor, vtol or vessel")
	cmd.Flags().StringVar(&v.Model, "model", "", "the model, which tells what it can do")
	cmd.Flags().StringSliceVar(&v.Capabilities, "capability", nil, "what it can do beside driving and flying")
	cmd.Flags().Float64Var(&v.MaxLoadKg, "max-load-kg", 0, "the greatest load, kg")
	cmd.Flags().StringVar(&v.HomeSite, "home-site", "", "id of the site where it belongs")
	r.flags(cmd)
	o.flag(cmd, asTable, asJSON)
	return cmd
}

// newVehicleService makes the two commands that take a vehicle out of service
// and back.
func newVehicleService(c console, in bool) *cobra.Command {
	var r remote
	var o output
	change := api.ServiceChange{InService: in}
	use, short := "out-of-service ID", "Take a vehicle out of service"
	if in {
		use, short = "in-service ID", "Take a vehicle back into service"
	}
	cmd := &cobra.Command{
		Use: use, Short: short, Args: exactly(1, "the vehicle's id"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return showAnswer(c, &r, &o, vehicleHeads(), vehicleRow, func(k *client.Client) (api.Vehicle, error) {
				return k.SetService(cmd.Context(), newKey(), args[0], change)
			})
		},
	}
	cmd.Flags().StringVar(&change.Reason, "reason", "", "why, for the record")
	if !in {
		cmd.Flags().BoolVar(&change.KeepTasks, "keep-tasks", false, "let it finish what it has; otherwise it gives up what it has not begun and goes home")
	}
	r.flags(cmd)
	o.flag(cmd, asTable, asJSON)
	return cmd
}

func vehicleHeads() []string {
	return []string{"ID", "KIND", "MODEL", "LINK", "MODE", "BATTERY", "POSITION", "TASKS", "NOTE"}
}

func vehicleRow(v *api.Vehicle) []string {
	note := v.Reason
	if !v.InService {
		note = "out of service: " + v.Reason
	}
	if v.TakenOver != "" {
		note = "taken over by " + v.TakenOver
	}
	if note == "" && v.Charger != "" {
		note = "charger " + v.Charger
	}
	battery := ""
	if v.Position != nil {
		battery = percent(v.BatteryRatio)
	}
	return []string{v.ID, v.Kind, v.Model, v.Link, v.Mode, battery, place(v.Position), strings.Join(v.Tasks, " "), note}
}
