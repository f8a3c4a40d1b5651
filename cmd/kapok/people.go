package main

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"github.com/kapok-fleet/kapok/cmd/kapok/internal/client"
	"github.com/kapok-fleet/kapok/protocol/api"
)

// What people do by hand beside orders and commands to one vehicle.

func newTaskReassign(c console) *cobra.Command {
	var r remote
	var o output
	var reason string
	cmd := &cobra.Command{
		Use: "reassign ID VEHICLE", Short: "Give a task to a vehicle by hand", Args: exactly(2, "the task's id and the vehicle's"),
		Example: `  kapok tasks reassign T5 robot-2 --reason "robot-1 is needed elsewhere"`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if reason == "" {
				return errors.New("tasks reassign needs --reason")
			}
			return showAnswer(c, &r, &o, taskHeads(), taskRow, func(k *client.Client) (api.Task, error) {
				return k.Reassign(cmd.Context(), newKey(), args[0], api.Reassignment{Vehicle: args[1], Reason: reason})
			})
		},
	}
	cmd.Flags().StringVar(&reason, "reason", "", "why, for the record")
	r.flags(cmd)
	o.flag(cmd, asTable, asJSON)
	return cmd
}

func newTaskRank(c console) *cobra.Command {
	var r remote
	var o output
	var how api.Ranking
	var rank int
	cmd := &cobra.Command{
		Use: "rank ID", Short: "Change a task's priority, or its rank within it", Args: exactly(1, "the task's id"),
		Example: `  kapok tasks rank T5 --priority urgent --rank 10 --reason "the clinic calls"`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if cmd.Flags().Changed("rank") {
				how.Rank = &rank
			}
			if how.Reason == "" || how.Priority == "" && how.Rank == nil {
				return errors.New("tasks rank needs --reason, and --priority or --rank")
			}
			return showAnswer(c, &r, &o, taskHeads(), taskRow, func(k *client.Client) (api.Task, error) {
				return k.Rank(cmd.Context(), newKey(), args[0], how)
			})
		},
	}
	cmd.Flags().StringVar(&how.Priority, "priority", "", "emergency, urgent or routine; unchanged if left out")
	cmd.Flags().IntVar(&rank, "rank", 0, "order within the priority, greater first, -100 to 100; unchanged if left out")
	cmd.Flags().StringVar(&how.Reason, "reason", "", "why, for the record")
	r.flags(cmd)
	o.flag(cmd, asTable, asJSON)
	return cmd
}

// newVehicleTakeover makes the two commands that take a vehicle out of Kapok's
// hands and give it back.
func newVehicleTakeover(c console, back bool) *cobra.Command {
	var r remote
	var o output
	var how api.Takeover
	use, short, ask := "take-over ID", "Take a vehicle over by hand: Kapok leaves it alone until it is handed back", (*client.Client).TakeOver
	if back {
		use, short, ask = "hand-back ID", "Hand a vehicle back to Kapok", (*client.Client).HandBack
	}
	cmd := &cobra.Command{
		Use: use, Short: short, Args: exactly(1, "the vehicle's id"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if how.Reason == "" {
				return errors.New("vehicles " + cmd.Name() + " needs --reason")
			}
			return showAnswer(c, &r, &o, vehicleHeads(), vehicleRow, func(k *client.Client) (api.Vehicle, error) {
				return ask(k, cmd.Context(), newKey(), args[0], how)
			})
		},
	}
	cmd.Flags().StringVar(&how.Reason, "reason", "", "why, for the record")
	r.flags(cmd)
	o.flag(cmd, asTable, asJSON)
	return cmd
}

// newEmergency is a noun with verbs, and no short form: what stops every vehicle
// must not be typed by mistake for what stops one, or the server.
func newEmergency(c console) *cobra.Command {
	cmd := &cobra.Command{
		Use: "emergency", Short: "Stop the whole fleet at once, and release it again",
		Args: cobra.ArbitraryArgs, RunE: needsCommand,
	}
	cmd.AddCommand(newEmergencyStop(c), newEmergencyRelease(c), newEmergencyShow(c))
	return cmd
}

func newEmergencyStop(c console) *cobra.Command {
	var how api.EmergencyStop
	cmd := newEmergencyAct(c, &cobra.Command{
		Use: "stop", Short: "Hold every vehicle; nothing that moves one is issued until the release, over restarts too",
		Example: `  kapok emergency stop --reason "an earthquake"`,
	}, func(ctx context.Context, k *client.Client) (api.EmergencyState, error) {
		if how.Reason == "" {
			return api.EmergencyState{}, errors.New("emergency stop needs --reason")
		}
		return k.StopFleet(ctx, newKey(), how)
	})
	cmd.Flags().StringVar(&how.Reason, "reason", "", "why, for the record")
	return cmd
}

func newEmergencyRelease(c console) *cobra.Command {
	var how api.EmergencyRelease
	cmd := newEmergencyAct(c, &cobra.Command{
		Use: "release", Short: "End the emergency stop; each vehicle stays held until it is resumed, or --resume",
		Example: `  kapok emergency release --resume --reason "all streets were looked at"`,
	}, func(ctx context.Context, k *client.Client) (api.EmergencyState, error) {
		if how.Reason == "" {
			return api.EmergencyState{}, errors.New("emergency release needs --reason")
		}
		return k.ReleaseFleet(ctx, newKey(), how)
	})
	cmd.Flags().BoolVar(&how.Resume, "resume", false, "resume the vehicles that it held")
	cmd.Flags().StringVar(&how.Reason, "reason", "", "why, for the record")
	return cmd
}

func newEmergencyShow(c console) *cobra.Command {
	return newEmergencyAct(c, &cobra.Command{Use: "show", Short: "Say whether the fleet is stopped, by whom and since when"},
		func(ctx context.Context, k *client.Client) (api.EmergencyState, error) { return k.Emergency(ctx) })
}

// newEmergencyAct completes a command about the emergency stop.
func newEmergencyAct(c console, cmd *cobra.Command, ask func(context.Context, *client.Client) (api.EmergencyState, error)) *cobra.Command {
	var r remote
	var o output
	cmd.Args = cobra.NoArgs
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		k, form, err := r.openFor(c, &o)
		if err != nil {
			return err
		}
		defer k.Close()
		state, err := ask(cmd.Context(), k)
		if err != nil {
			return err
		}
		if form == asJSON {
			return printJSON(c.out, state)
		}
		row := []string{"released", "", "", ""}
		if state.Stopped {
			row = []string{"stopped", state.By, stamp(state.At), state.Reason}
		}
		if err := printTable(c.out, []string{"FLEET", "BY", "SINCE", "REASON"}, [][]string{row}); err != nil {
			return err
		}
		return printGroup(c, &api.GroupResult{Commands: state.Commands, Skipped: state.Skipped})
	}
	r.flags(cmd)
	o.flag(cmd, asTable, asJSON)
	return cmd
}

// groupFlags say which vehicles a command goes to, beside those that are named.
type groupFlags struct {
	all   bool
	kinds []string
	area  []float64
}

func (f *groupFlags) flags(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&f.all, "all", false, "every vehicle")
	cmd.Flags().StringSliceVar(&f.kinds, "kind", nil, "vehicles of these kinds: rover, multirotor, vtol, vessel")
	cmd.Flags().Float64SliceVar(&f.area, "area", nil, "vehicles that are in WEST,SOUTH,EAST,NORTH")
}

// group tells whether a command goes to a group, and refuses what says nothing,
// or two things.
func (f *groupFlags) group(ids []string) (bool, error) {
	narrow := len(ids) > 0 || len(f.kinds) > 0 || len(f.area) > 0
	switch {
	case f.all && narrow:
		return false, errors.New("--all is every vehicle: name none beside it")
	case !f.all && !narrow:
		return false, errors.New("the command goes to nobody: name vehicles, or pass --kind, --area or --all")
	case len(f.area) != 0 && len(f.area) != 4:
		return false, errors.New("--area is WEST,SOUTH,EAST,NORTH in degrees")
	}
	return len(ids) != 1 || len(f.kinds) > 0 || len(f.area) > 0, nil
}

// commandGroup commands a group and prints what it brought about.
func commandGroup(ctx context.Context, c console, r *remote, o *output, f *groupFlags, order api.GroupCommand) error {
	if order.Reason == "" {
		return errors.New("a command to several vehicles needs --reason")
	}
	if len(f.area) == 4 {
		order.Area = (*[4]float64)(f.area)
	}
	order.VehicleKinds = f.kinds
	k, form, err := r.openFor(c, o)
	if err != nil {
		return err
	}
	defer k.Close()
	result, err := k.CommandGroup(ctx, newKey(), order)
	if err != nil {
		return err
	}
	if form == asJSON {
		err = printJSON(c.out, result)
	} else {
		err = printGroup(c, &result)
	}
	if err == nil && len(result.Commands) == 0 {
		return no("no vehicle was commanded: %d matched", len(result.Skipped))
	}
	return err
}

// printGroup prints commands, and the vehicles that were left out.
func printGroup(c console, g *api.GroupResult) error {
	if len(g.Commands)+len(g.Skipped) == 0 {
		return nil
	}
	rows := make([][]string, 0, len(g.Commands)+len(g.Skipped))
	for i := range g.Commands {
		rows = append(rows, commandRow(&g.Commands[i]))
	}
	for _, s := range g.Skipped {
		rows = append(rows, []string{"", s.Vehicle, "", "left out", "", "", "", s.Reason})
	}
	return printTable(c.out, commandHeads(), rows)
}
