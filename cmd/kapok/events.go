package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/kapok-fleet/kapok/cmd/kapok/internal/client"
	"github.com/kapok-fleet/kapok/protocol/api"
)

// pollEvents is how often new events are asked for.
const pollEvents = time.Second

// eventFilter are the flags that select events.
type eventFilter struct {
	from, until                  string
	task, vehicle, mission, kind string
	after                        uint64
}

func (f *eventFilter) flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.from, "from", "", "not before this time, such as 2026-03-01T06:00:00Z")
	cmd.Flags().StringVar(&f.until, "until", "", "before this time")
	cmd.Flags().StringVar(&f.task, "task", "", "only those that concern this task")
	cmd.Flags().StringVar(&f.mission, "mission", "", "only those that concern this mission")
	cmd.Flags().StringVar(&f.kind, "type", "", "only those of this type, e.g. task_ordered")
	cmd.Flags().Uint64Var(&f.after, "after", 0, "only those behind the event with this index")
}

func (f *eventFilter) query() (url.Values, error) {
	query, err := span(f.from, f.until)
	filter(query, "task", f.task)
	filter(query, "vehicle", f.vehicle)
	filter(query, "mission", f.mission)
	filter(query, "type", f.kind)
	if f.after > 0 {
		query.Set("after", strconv.FormatUint(f.after, 10))
	}
	return query, err
}

// span is a query for a span of time.
func span(from, until string) (url.Values, error) {
	query := url.Values{}
	for name, text := range map[string]string{"from": from, "until": until} {
		if _, err := time.Parse(time.RFC3339Nano, text); text != "" && err != nil {
			return query, fmt.Errorf("--%s %q is not a time such as 2026-03-01T06:00:00Z", name, text)
		}
		filter(query, name, text)
	}
	return query, nil
}

func newEvents(c console) *cobra.Command {
	var r remote
	var o output
	var f eventFilter
	var follow bool
	var last time.Duration
	cmd := &cobra.Command{
		Use: "events", Short: "List durable events: who decided what, when and why",
		Long: "List durable events, in order. With --follow, go on with new ones as they come.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			query, err := f.query()
			if err != nil {
				return err
			}
			k, form, err := r.openFor(c, &o)
			if err != nil {
				return err
			}
			defer k.Close()
			if !follow {
				events, err := k.Events(cmd.Context(), query)
				if err != nil {
					return err
				}
				return printList(c.out, form, events, eventHeads(), eventRow)
			}
			if form == asJSON {
				return errors.New("--follow never ends, and so would a JSON list: use -o table or -o ndjson")
			}
			ctx := cmd.Context()
			if last > 0 {
				var cancel context.CancelFunc
				ctx, cancel = context.WithTimeout(ctx, last)
				defer cancel()
			}
			return followEvents(ctx, c, k, query, form)
		},
	}
	f.flags(cmd)
	cmd.Flags().StringVar(&f.vehicle, "vehicle", "", "only those that concern this vehicle")
	cmd.Flags().BoolVar(&follow, "follow", false, "go on with new events until Ctrl-C")
	cmd.Flags().DurationVar(&last, "for", 0, "follow for so long; 0 for ever")
	r.flags(cmd)
	o.flag(cmd, asTable, asJSON, asNDJSON)
	return cmd
}

// followEvents prints events until ctx ends. A server that does not answer is
// asked again: nothing is missed by that.
func followEvents(ctx context.Context, c console, k *client.Client, query url.Values, form string) error {
	query.Set("limit", "1000")
	for {
		page, err := k.EventPage(ctx, query)
		if ctx.Err() != nil {
			return nil
		}
		if _, ok := errors.AsType[*client.ProblemError](err); ok {
			return err
		}
		if err != nil {
			c.say("%s; trying again", oneLine(err))
		}
		for i := range page.Items {
			if err := printEvent(c, &page.Items[i], form); err != nil {
				return err
			}
		}
		if n := len(page.Items); n > 0 {
			query.Set("after", strconv.FormatUint(page.Items[n-1].Index, 10))
		}
		if page.NextCursor != "" {
			query.Set("after", page.NextCursor)
			continue
		}
		pause := time.NewTimer(pollEvents)
		select {
		case <-ctx.Done():
			pause.Stop()
			return nil
		case <-pause.C:
		}
	}
}

func printEvent(c console, e *api.Event, form string) error {
	if form == asNDJSON {
		return printLine(c.out, e)
	}
	if _, err := fmt.Fprintln(c.out, eventLine(*e, api.StreamEvent{})); err != nil {
		return fmt.Errorf("writing the output: %w", err)
	}
	return nil
}

func eventHeads() []string { return []string{"INDEX", "TIME", "ACTOR", "CAUSE", "TYPE", "DETAILS"} }

func eventRow(e *api.Event) []string {
	cause := ""
	if e.Cause > 0 {
		cause = strconv.FormatUint(e.Cause, 10)
	}
	return []string{
		strconv.FormatUint(e.Index, 10), e.Time.UTC().Format(time.DateTime), e.Actor, cause, e.Type,
		strings.TrimSpace(details(e.Data)),
	}
}
