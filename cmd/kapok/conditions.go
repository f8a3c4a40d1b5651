package main

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/kapok-fleet/kapok/cmd/kapok/internal/client"
	"github.com/kapok-fleet/kapok/protocol/api"
)

func newConditions(c console) *cobra.Command {
	cmd := &cobra.Command{
		Use: "conditions", Short: "The wind, and which streets are closed to robots",
		Args: cobra.ArbitraryArgs, RunE: needsCommand,
	}
	cmd.AddCommand(newConditionsShow(c), newConditionsSet(c))
	return cmd
}

func newConditionsShow(c console) *cobra.Command {
	var r remote
	var o output
	cmd := &cobra.Command{
		Use: "show", Short: "Tell the wind and the closed streets", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			k, form, err := r.openFor(c, &o)
			if err != nil {
				return err
			}
			defer k.Close()
			now, err := k.Conditions(cmd.Context())
			if err != nil {
				return err
			}
			if form == asJSON {
				return printJSON(c.out, now)
			}
			return printConditions(c, &now)
		},
	}
	r.flags(cmd)
	o.flag(cmd, asTable, asJSON)
	return cmd
}

// conditionsFlags say what is to change.
type conditionsFlags struct {
	wind, until, reason string
	lasts               time.Duration
	closes, opens       []string
}

func newConditionsSet(c console) *cobra.Command {
	var r remote
	var o output
	var f conditionsFlags
	cmd := &cobra.Command{
		Use: "set", Short: "Change the wind, close streets or open them; what is not named stays", Args: cobra.NoArgs,
		Long: "Change the wind, close streets to robots or open them; what is not named stays as it is. Every mission is held against\n" +
			"the change at once: the answer tells which vehicles cannot go on as planned, and what they do.",
		Example: "  kapok conditions set --wind 8@270+3\n" +
			"  kapok conditions set --close 23456789 --for 2h --reason \"a burst pipe\"\n" +
			"  kapok conditions set --open 23456789",
		RunE: func(cmd *cobra.Command, _ []string) error { return f.run(cmd, c, &r, &o) },
	}
	fl := cmd.Flags()
	fl.StringVar(&f.wind, "wind", "", "wind as SPEED@FROM or SPEED@FROM+GUST: m/s, degrees clockwise from north that it blows from, m/s more for moments; 0@0 for still air")
	fl.StringSliceVar(&f.closes, "close", nil, "numbers of ways of OpenStreetMap to close, separated by commas")
	fl.StringSliceVar(&f.opens, "open", nil, "numbers of ways to open again, or all")
	fl.StringVar(&f.until, "until", "", "when the ways of --close are open again by themselves; never if left out")
	fl.DurationVar(&f.lasts, "for", 0, "how long the ways of --close stay closed from now, instead of --until")
	fl.StringVar(&f.reason, "reason", "", "why, for the record")
	r.flags(cmd)
	o.flag(cmd, asTable, asJSON)
	return cmd
}

func (f *conditionsFlags) run(cmd *cobra.Command, c console, r *remote, o *output) error {
	if f.wind == "" && len(f.closes)+len(f.opens) == 0 {
		return errors.New("nothing to change: give --wind, --close or --open")
	}
	if len(f.closes) == 0 && (f.until != "" || f.lasts != 0) || f.until != "" && f.lasts != 0 || f.lasts < 0 {
		return errors.New("--until or --for says when the ways of --close are open again: give one of them, with --close")
	}
	k, form, err := r.openFor(c, o)
	if err != nil {
		return err
	}
	defer k.Close()
	now, err := k.Conditions(cmd.Context())
	if err != nil {
		return err
	}
	order := api.ConditionsOrder{Wind: now.Wind, Closures: now.Closures, Reason: f.reason}
	if err := f.change(cmd, k, &order); err != nil {
		return err
	}
	change, err := k.SetConditions(cmd.Context(), now.Revision, order)
	if err != nil {
		return err
	}
	if form == asJSON {
		return printJSON(c.out, change)
	}
	if err := printConditions(c, &change.Conditions); err != nil {
		return err
	}
	if len(change.Affected) == 0 {
		c.say("every vehicle goes on as planned")
		return nil
	}
	return printEffects(c, change.Affected)
}

// change makes the order of what stands and what the flags say.
func (f *conditionsFlags) change(cmd *cobra.Command, k *client.Client, order *api.ConditionsOrder) error {
	if f.wind != "" {
		wind, err := routeWind(f.wind)
		if err != nil {
			return err
		}
		order.Wind = api.Wind{SpeedMPS: wind.SpeedMPS, FromDeg: wind.FromDeg, GustMPS: wind.GustMPS}
	}
	until, err := f.end(cmd, k)
	if err != nil {
		return err
	}
	for _, text := range f.opens {
		if text == "all" {
			order.Closures = nil
			continue
		}
		way, err := wayNumber(text)
		if err != nil {
			return fmt.Errorf("--open: %w", err)
		}
		left := slices.DeleteFunc(order.Closures, func(c api.Closure) bool { return c.Way == way })
		if len(left) == len(order.Closures) {
			return fmt.Errorf("--open: way %d is not closed", way)
		}
		order.Closures = left
	}
	for _, text := range f.closes {
		way, err := wayNumber(text)
		if err != nil {
			return fmt.Errorf("--close: %w", err)
		}
		order.Closures = slices.DeleteFunc(order.Closures, func(c api.Closure) bool { return c.Way == way })
		order.Closures = append(order.Closures, api.Closure{Way: way, Until: until, Reason: f.reason})
	}
	return nil
}

// end is when new closures end, zero for never.
func (f *conditionsFlags) end(cmd *cobra.Command, k *client.Client) (time.Time, error) {
	if f.until != "" {
		at, err := time.Parse(time.RFC3339, f.until)
		if err != nil {
			return at, fmt.Errorf("--until %q is not a time such as 2026-05-01T08:00:00Z", f.until)
		}
		return at, nil
	}
	if f.lasts == 0 {
		return time.Time{}, nil
	}
	now, err := k.Now(cmd.Context())
	return now.Add(f.lasts), err
}

func wayNumber(text string) (int64, error) {
	way, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("%q is not the number of a way", text)
	}
	return way, nil
}

func printConditions(c console, now *api.Conditions) error {
	rows := [][]string{{"wind", windText(now.Wind), "", now.ChangedBy, now.Reason}}
	for i := range now.Closures {
		one := &now.Closures[i]
		rows = append(rows, []string{"closed", "way " + strconv.FormatInt(one.Way, 10), stamp(one.Until), "", one.Reason})
	}
	return printTable(c.out, []string{"CONDITION", "WHAT", "UNTIL", "BY", "REASON"}, rows)
}

func windText(w api.Wind) string {
	if w.SpeedMPS == 0 && w.GustMPS == 0 {
		return "still air"
	}
	text := fmt.Sprintf("%.4g m/s from %.4g degrees", w.SpeedMPS, w.FromDeg)
	if w.GustMPS > 0 {
		text += fmt.Sprintf(", gusts of %.4g m/s more", w.GustMPS)
	}
	return text
}
