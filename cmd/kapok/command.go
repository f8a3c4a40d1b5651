package main

import (
	"context"
	"errors"
	"time"

	"github.com/spf13/cobra"

	"github.com/kapok-fleet/kapok/cmd/kapok/internal/client"
	"github.com/kapok-fleet/kapok/protocol/api"
)

func newCommand(c console) *cobra.Command {
	cmd := &cobra.Command{
		Use: "command", Short: "Command one vehicle or several at once: hold, resume, return, land or stop",
		Args: cobra.ArbitraryArgs, RunE: needsCommand,
	}
	for _, one := range []struct{ kind, short string }{
		{"hold", "Suspend the mission: wait where it is"},
		{"resume", "Take the mission, or new work, up again"},
		{"return", "End the mission and go home"},
		{"land", "End the mission and land where it is (aircraft)"},
		{"stop", "End the mission and stop where it is (rovers and boats)"},
	} {
		cmd.AddCommand(newCommandKind(c, one.kind, one.short))
	}
	return cmd
}

func newCommandKind(c console, kind, short string) *cobra.Command {
	var r remote
	var o output
	var group groupFlags
	var reason string
	var wait, force bool
	cmd := &cobra.Command{
		Use: kind + " VEHICLE...", Short: short,
		Example: "  kapok command " + kind + " robot-1\n  kapok command " + kind + " --kind rover --area 113.92,22.5,113.94,22.52 --reason \"a parade\"",
		RunE: func(cmd *cobra.Command, args []string) error {
			several, err := group.group(args)
			if err != nil {
				return err
			}
			if several && wait {
				return errors.New("--wait follows a command to one vehicle")
			}
			if several {
				return commandGroup(cmd.Context(), c, &r, &o, &group, api.GroupCommand{Kind: kind, Vehicles: args, Reason: reason})
			}
			var last api.Command
			err = showAnswer(c, &r, &o, commandHeads(), commandRow, func(k *client.Client) (api.Command, error) {
				answer, err := k.Command(cmd.Context(), newKey(), args[0], api.CommandOrder{Kind: kind, Reason: reason, Force: force})
				if err == nil && wait {
					answer, err = followCommand(cmd.Context(), c, k, answer)
				}
				last = answer
				return answer, err
			})
			if err == nil && wait && last.State != "done" {
				return no("command %s is %s: %s", last.ID, last.State, last.Answer)
			}
			return err
		},
	}
	group.flags(cmd)
	cmd.Flags().StringVar(&reason, "reason", "", "why, for the record; needed with several vehicles")
	cmd.Flags().BoolVar(&wait, "wait", false, "wait until it is done; exit status 1 if it is not")
	if kind == "land" {
		cmd.Flags().BoolVar(&force, "force", false, "land one vehicle although a building or water is below")
	}
	r.flags(cmd)
	o.flag(cmd, asTable, asJSON)
	return cmd
}

func commandHeads() []string {
	return []string{"ID", "VEHICLE", "KIND", "STATE", "BY", "ISSUED", "EXPIRES", "ANSWER"}
}

func commandRow(a *api.Command) []string {
	return []string{a.ID, a.Vehicle, a.Kind, a.State, a.IssuedBy, clock(a.IssuedAt), clock(a.ExpiresAt), a.Answer}
}

// followCommand tells what becomes of a command until nothing more will.
func followCommand(ctx context.Context, c console, k *client.Client, command api.Command) (api.Command, error) {
	told := ""
	ticker := time.NewTicker(followEvery)
	defer ticker.Stop()
	for {
		if command.State != told {
			told = command.State
			c.say("command %s (%s %s) %s", command.ID, command.Kind, command.Vehicle, command.State)
		}
		switch command.State {
		case "issued", "delivered", "accepted":
		default:
			return command, nil
		}
		select {
		case <-ctx.Done():
			return command, no("command %s is still %s", command.ID, command.State)
		case <-ticker.C:
		}
		newer, err := k.CommandByID(ctx, command.ID)
		if _, away := errors.AsType[*client.UnreachableError](err); away {
			continue
		}
		if err != nil {
			return command, err
		}
		command = newer
	}
}
