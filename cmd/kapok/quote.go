package main

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/spf13/cobra"

	"github.com/kapok-fleet/kapok/cmd/kapok/internal/client"
	"github.com/kapok-fleet/kapok/protocol/api"
)

func newQuote(c console) *cobra.Command {
	cmd := &cobra.Command{
		Use: "quote", Short: "Ask who would go, when, and why not the others",
		Long: "Ask what would become of an order or an incident if it were given now, or what a task waits for: who goes, when\n" +
			"it arrives, what its battery has left afterwards, and for every other vehicle the rule and the number that exclude\n" +
			"it (docs/errors.md lists the rules). Nothing changes. Exit status 1 when something would have to wait.",
		Args: cobra.ArbitraryArgs, RunE: needsCommand,
	}
	use := orderUse{"quote", quoteOrder}
	for _, kind := range []*cobra.Command{newOrderVisit(c, use), newOrderDelivery(c, use), newOrderPatrol(c, use)} {
		kind.Short = "Ask who would go: " + kind.Short
		cmd.AddCommand(kind)
	}
	cmd.AddCommand(newQuoteIncident(c), newQuoteTask(c))
	return cmd
}

func quoteOrder(ctx context.Context, c console, f *orderFlags, order api.Order, places []string) error {
	if len(places) == 0 {
		return errNoPlace
	}
	return showQuote(ctx, c, &f.remote, &f.output, func(k *client.Client) (api.QuoteRequest, error) {
		err := f.fill(ctx, k, &order, places)
		return api.QuoteRequest{Order: &order}, err
	})
}

func newQuoteIncident(c console) *cobra.Command {
	var f incidentFlags
	var r remote
	var o output
	cmd := &cobra.Command{
		Use: "incident KIND", Short: "Ask who would be sent to an incident", Args: exactly(1, "the kind of incident"),
		Example: "  kapok quote incident fire --at 113.9312,22.5112",
		RunE: func(cmd *cobra.Command, args []string) error {
			if f.at == "" {
				return errors.New("the incident has no place: pass --at")
			}
			return showQuote(cmd.Context(), c, &r, &o, func(k *client.Client) (api.QuoteRequest, error) {
				err := f.place(cmd.Context(), k, args[0])
				return api.QuoteRequest{Incident: &f.report}, err
			})
		},
	}
	f.flags(cmd)
	r.flags(cmd)
	o.flag(cmd, asTable, asJSON, asNDJSON)
	return cmd
}

func newQuoteTask(c console) *cobra.Command {
	var r remote
	var o output
	cmd := &cobra.Command{
		Use: "task ID", Short: "Ask what a task waits for, or why it has the vehicle that it has", Args: exactly(1, "the task's id"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return showQuote(cmd.Context(), c, &r, &o, func(*client.Client) (api.QuoteRequest, error) {
				return api.QuoteRequest{Task: args[0]}, nil
			})
		},
	}
	r.flags(cmd)
	o.flag(cmd, asTable, asJSON, asNDJSON)
	return cmd
}

// showQuote asks and prints what would happen. That something would wait is a
// negative result.
func showQuote(ctx context.Context, c console, r *remote, o *output, about func(*client.Client) (api.QuoteRequest, error)) error {
	k, form, err := r.openFor(c, o)
	if err != nil {
		return err
	}
	defer k.Close()
	request, err := about(k)
	if err != nil {
		return err
	}
	quote, err := k.Quote(ctx, request)
	if err != nil {
		return err
	}
	switch form {
	case asJSON:
		err = printJSON(c.out, quote)
	case asNDJSON:
		err = printList(c.out, form, quote.Tasks, nil, nil)
	default:
		err = printQuote(c, &quote)
	}
	if err != nil {
		return err
	}
	for i := range quote.Tasks {
		if t := &quote.Tasks[i]; t.Vehicle == "" {
			return no("%s would wait: %s", partName(t), t.WaitsFor)
		}
	}
	return nil
}

// partName names what a part of a quote is about.
func partName(t *api.TaskQuote) string {
	switch {
	case t.Role != "":
		return t.Role
	case t.Task != "":
		return "task " + t.Task
	}
	return "the " + t.Kind
}

func printQuote(c console, q *api.Quote) error {
	var rows [][]string
	for i := range q.Tasks {
		t := &q.Tasks[i]
		rows = append(rows, chosenRow(t))
		for n := range t.Others {
			rows = append(rows, otherRow(t, &t.Others[n]))
		}
	}
	return printTable(c.out, []string{"FOR", "VEHICLE", "GOES", "ETA", "BATTERY", "RULE", "NUMBER", "LIMIT", "REASON"}, rows)
}

// chosenRow says who goes, or what is waited for.
func chosenRow(t *api.TaskQuote) []string {
	row := []string{partName(t), t.Vehicle, "yes", clock(t.ETA), "", "", "", "", ""}
	if t.BatteryAfterRatio != nil {
		row[4] = percent(*t.BatteryAfterRatio) + " after"
	}
	if t.Vehicle == "" {
		row[1], row[2], row[5], row[8] = "nobody", "waits", t.WaitsForCode, t.WaitsFor
		if !t.WaitsSince.IsZero() {
			row[8] += ", since " + clock(t.WaitsSince)
		}
	}
	for _, d := range t.Delayed {
		if row[8] != "" {
			row[8] += "; "
		}
		row[8] += fmt.Sprintf("delays %s by %.0f s", d.Task, d.DelayS)
	}
	return row
}

// otherRow says why a vehicle does not go.
func otherRow(t *api.TaskQuote, x *api.QuoteExclusion) []string {
	return []string{partName(t), x.Vehicle, "no", "", "", x.Rule, figure(x.Number, x.Unit, x.AtLeast), figure(x.Limit, x.Unit, false), x.Text}
}

// figure writes a number with its unit; a lower bound begins with "≥".
func figure(x *float64, unit string, atLeast bool) string {
	if x == nil {
		return ""
	}
	// Three digits tell enough; whole numbers stay whole.
	text := fmt.Sprintf("%.3g", *x)
	if math.Abs(*x) >= 100 {
		text = fmt.Sprintf("%.0f", *x)
	}
	if unit != "" {
		text += " " + unit
	}
	if atLeast {
		text = "≥ " + text
	}
	return text
}
