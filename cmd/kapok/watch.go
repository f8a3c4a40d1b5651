package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/kapok-fleet/kapok/cmd/kapok/internal/client"
	"github.com/kapok-fleet/kapok/protocol/api"
)

// reconnectEvery is the pause before a broken stream is opened again.
const reconnectEvery = time.Second

func newWatch(c console) *cobra.Command {
	var r remote
	var o output
	var after int64
	var span time.Duration
	var area string
	var kinds []string
	cmd := &cobra.Command{
		Use: "watch", Short: "Follow what happens, a line for each event",
		Long: "Follow the stream of events until Ctrl-C. When the connection breaks it is opened again and goes on\n" +
			"where it was, so that no event is missed.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			k, form, err := r.openFor(c, &o)
			if err != nil {
				return err
			}
			defer k.Close()
			ctx := cmd.Context()
			if span > 0 {
				var cancel context.CancelFunc
				ctx, cancel = context.WithTimeout(ctx, span)
				defer cancel()
			}
			w := watcher{console: c, client: k, form: form, resume: after >= 0, after: uint64(max(after, 0)), area: area, kinds: kinds}
			return w.watch(ctx)
		},
	}
	cmd.Flags().Int64Var(&after, "after", -1, "begin behind the event with this index; -1 for now")
	cmd.Flags().DurationVar(&span, "for", 0, "stop after so long; 0 for never")
	cmd.Flags().StringVar(&area, "area", "", "west,south,east,north in degrees: only vehicles, tasks and incidents in it")
	cmd.Flags().StringSliceVar(&kinds, "kinds", nil, "only these: vehicles, tasks, alerts, zones, incidents, commands")
	r.flags(cmd)
	o.flag(cmd, asTable, asNDJSON)
	return cmd
}

// watcher follows the stream and remembers how far it has come.
type watcher struct {
	console
	client *client.Client
	form   string
	resume bool
	after  uint64
	area   string
	kinds  []string
	// began says that the stream was open once: from then on it is opened again.
	began bool
}

// watch follows the stream until ctx ends.
func (w *watcher) watch(ctx context.Context) error {
	for {
		err := w.follow(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if problem, ok := errors.AsType[*client.ProblemError](err); ok {
			switch {
			case problem.Code == "index_too_old" && w.began:
				w.say("events were missed: they are no longer kept")
				w.resume = false
			case problem.Status < 500 || !w.began:
				return err
			}
		}
		if !w.began {
			return err
		}
		w.say("%s; trying again", oneLine(err))
		pause := time.NewTimer(reconnectEvery)
		select {
		case <-ctx.Done():
			pause.Stop()
			return nil
		case <-pause.C:
		}
	}
}

// follow opens the stream once and prints what comes.
func (w *watcher) follow(ctx context.Context) error {
	stream, err := w.client.Stream(ctx, client.StreamOptions{Resume: w.resume, After: w.after, Area: w.area, Kinds: w.kinds})
	if err != nil {
		return err
	}
	defer stream.Close()
	stop := context.AfterFunc(ctx, stream.Close)
	defer stop()
	w.began = true
	for {
		frame, err := stream.Next()
		if err != nil {
			return err
		}
		switch {
		case frame.Snapshot != nil:
			w.resume, w.after = true, frame.Snapshot.Index
			if !frame.Snapshot.More {
				w.say("watching from event %d on", w.after)
			}
		case frame.Events != nil:
			for _, e := range frame.Events.Events {
				if err := w.print(e); err != nil {
					return err
				}
			}
			w.after = frame.Events.Index
		}
	}
}

// print writes one event, as it came or as a line for people.
func (w *watcher) print(e api.StreamEvent) error {
	if w.form == asNDJSON {
		return printLine(w.out, e)
	}
	var event api.Event
	if err := json.Unmarshal(e.Event, &event); err != nil {
		return fmt.Errorf("reading an event: %w", err)
	}
	_, err := fmt.Fprintln(w.out, eventLine(event, e))
	if err != nil {
		return fmt.Errorf("writing the output: %w", err)
	}
	return nil
}

// eventLine tells an event in one line.
func eventLine(event api.Event, e api.StreamEvent) string {
	about := ""
	switch {
	case e.Task != nil:
		about = taskLine(e.Task)
	case e.Alert != nil:
		about = fmt.Sprintf("alert %s (%s): %s", e.Alert.ID, e.Alert.Severity, e.Alert.Text)
	case e.Command != nil:
		about = fmt.Sprintf("command %s (%s %s) %s", e.Command.ID, e.Command.Kind, e.Command.Vehicle, e.Command.State)
	case e.Incident != nil:
		about = fmt.Sprintf("incident %s (%s, %s) %s", e.Incident.ID, e.Incident.Severity, e.Incident.Kind, e.Incident.State)
	case e.Zone != nil:
		about = fmt.Sprintf("zone %s (%s) %s", e.Zone.ID, e.Zone.Rule, e.Zone.Name)
	default:
		about = details(event.Data)
	}
	return clean(fmt.Sprintf("%s %6d %-22s %s", clock(event.Time), event.Index, event.Type, about))
}

// details are the plain fields of an event's data, and the ids of what it holds.
func details(data any) string {
	fields, ok := data.(map[string]any)
	if !ok {
		return ""
	}
	var parts []string
	for _, name := range []string{
		"incident", "zone", "task", "vehicle", "mission", "command", "alert", "revision", "leg", "stop", "state", "verdict", "kind",
		"site", "charger", "epoch", "seq", "status", "text",
	} {
		switch v := fields[name].(type) {
		case map[string]any:
			parts = append(parts, fmt.Sprintf("%s %v", name, v["id"]))
		case string:
			if v != "" {
				parts = append(parts, name+" "+v)
			}
		case float64:
			parts = append(parts, name+" "+strconv.FormatFloat(v, 'f', -1, 64))
		}
	}
	return strings.Join(parts, ", ")
}
