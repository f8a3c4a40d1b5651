package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/spf13/cobra"

	"github.com/kapok-fleet/kapok/cmd/kapok/internal/client"
	"github.com/kapok-fleet/kapok/protocol/api"
)

func newTasks(c console) *cobra.Command {
	var r remote
	var o output
	var states []string
	var vehicle string
	cmd := &cobra.Command{
		Use: "tasks [ID...]", Short: "List tasks, each with its state, its vehicle and why it waits",
		RunE: func(cmd *cobra.Command, ids []string) error {
			query := url.Values{}
			filter(query, "state", strings.Join(states, ","))
			filter(query, "vehicle", vehicle)
			return showList(cmd.Context(), c, &r, &o, listing[api.Task]{
				path: "/v1/tasks", query: query, ids: ids,
				all: (*client.Client).Tasks, one: (*client.Client).Task, heads: taskHeads(), row: taskRow,
			})
		},
	}
	cmd.Flags().StringSliceVar(&states, "state", nil, "only these: waiting, assigned, underway, done, failed, cancelled")
	cmd.Flags().StringVar(&vehicle, "vehicle", "", "only those of this vehicle")
	r.flags(cmd)
	o.flag(cmd, asTable, asJSON, asNDJSON, asGeoJSON)
	cmd.AddCommand(newTaskCancel(c), newTaskResolve(c), newTaskReassign(c), newTaskRank(c))
	return cmd
}

func newTaskCancel(c console) *cobra.Command {
	var r remote
	var o output
	var reason string
	cmd := &cobra.Command{
		Use: "cancel ID", Short: "Cancel a task", Args: exactly(1, "the task's id"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return showAnswer(c, &r, &o, taskHeads(), taskRow, func(k *client.Client) (api.Task, error) {
				return k.Cancel(cmd.Context(), newKey(), args[0], reason)
			})
		},
	}
	cmd.Flags().StringVar(&reason, "reason", "", "why, for the record")
	r.flags(cmd)
	o.flag(cmd, asTable, asJSON)
	return cmd
}

func newTaskResolve(c console) *cobra.Command {
	var r remote
	var o output
	var decision api.Resolution
	cmd := &cobra.Command{
		Use: "resolve ID", Short: "Decide on a stop that Kapok cannot judge", Args: exactly(1, "the task's id"),
		Example: `  kapok tasks resolve T2 --outcome done --reason "the parcel is at the door"`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if decision.Outcome == "" || decision.Reason == "" {
				return errors.New("tasks resolve needs --outcome and --reason")
			}
			return showAnswer(c, &r, &o, taskHeads(), taskRow, func(k *client.Client) (api.Task, error) {
				return k.Resolve(cmd.Context(), newKey(), args[0], decision)
			})
		},
	}
	cmd.Flags().IntVar(&decision.Stop, "stop", 1, "which stop, counted from 1")
	cmd.Flags().StringVar(&decision.Outcome, "outcome", "", "done, not_done or failed")
	cmd.Flags().StringVar(&decision.Reason, "reason", "", "how it is known, for the record")
	r.flags(cmd)
	o.flag(cmd, asTable, asJSON)
	return cmd
}

func taskHeads() []string {
	return []string{"ID", "KIND", "PRIORITY", "STATE", "VEHICLE", "STOPS", "WHAT", "ORDERED", "PROMISED", "ETA", "REASON"}
}

func taskRow(t *api.Task) []string {
	done := 0
	var names []string
	for i := range t.Stops {
		s := &t.Stops[i]
		name := s.Name
		if name == "" {
			name = place(&s.Position)
		}
		if s.Doubt {
			name += " (done?)"
		}
		if s.State == "done" {
			done++
		}
		names = append(names, name)
	}
	if len(names) > 4 {
		names = append(names[:3], "…", names[len(names)-1])
	}
	what := strings.Join(names, " → ")
	if t.Note != "" {
		what = t.Note
	}
	return []string{
		t.ID, t.Kind, t.Priority, t.State, t.Vehicle, fmt.Sprintf("%d/%d", done, len(t.Stops)), what,
		clock(t.OrderedAt), clock(t.PromisedAt), clock(t.ETA), t.Reason,
	}
}

// newKey is an idempotency key for one request.
func newKey() string { return "cli-" + rand.Text() }

// listing is what showList needs to know about one kind of thing; one is only
// needed where there are ids.
type listing[T any] struct {
	path  string
	query url.Values
	ids   []string
	all   func(*client.Client, context.Context, url.Values) ([]T, error)
	one   func(*client.Client, context.Context, string) (T, error)
	heads []string
	row   func(*T) []string
}

// filter narrows a list to a value of a field; an empty value does not.
func filter(query url.Values, field, value string) {
	if value != "" {
		query.Set(field, value)
	}
}

// showList prints a list, or the things that are named.
func showList[T any](ctx context.Context, c console, r *remote, o *output, l listing[T]) error {
	k, form, err := r.openFor(c, o)
	if err != nil {
		return err
	}
	defer k.Close()
	if form == asGeoJSON && len(l.ids) == 0 {
		features, err := k.GeoJSON(ctx, l.path, l.query)
		if err != nil {
			return err
		}
		return printJSON(c.out, features)
	}
	items := []T{}
	for _, id := range l.ids {
		item, err := l.one(k, ctx, id)
		if err != nil {
			return err
		}
		items = append(items, item)
	}
	if len(l.ids) == 0 {
		if items, err = l.all(k, ctx, l.query); err != nil {
			return err
		}
	}
	return printList(c.out, form, items, l.heads, l.row)
}

// showAnswer makes one request and prints its answer.
func showAnswer[T any](c console, r *remote, o *output, heads []string, row func(*T) []string, ask func(*client.Client) (T, error)) error {
	k, form, err := r.openFor(c, o)
	if err != nil {
		return err
	}
	defer k.Close()
	answer, err := ask(k)
	if err != nil {
		return err
	}
	if form == asJSON {
		return printJSON(c.out, answer)
	}
	return printTable(c.out, heads, [][]string{row(&answer)})
}
