package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/kapok-fleet/kapok/protocol/api"
)

const (
	// The pace of the live table, and of plain lines where there is no terminal.
	tableEvery = 500 * time.Millisecond
	linesEvery = 10 * time.Second
	// shownTasks is how many of the newest tasks the live table has.
	shownTasks = 12
	clearAll   = "\x1b[H\x1b[2J"
)

// show shows how the run goes until ctx ends: a live table on a terminal, a
// line now and then otherwise.
func (d *demo) show(ctx context.Context, began time.Time) {
	live := terminal(d.out) && d.form == asTable
	every := linesEvery
	if live {
		every = tableEvery
	}
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			if live {
				fmt.Fprint(d.out, clearAll)
			}
			return
		case <-ticker.C:
		}
		if live {
			d.showTable(ctx, began)
		} else {
			d.showLine(ctx, began)
		}
	}
}

func (d *demo) showLine(ctx context.Context, began time.Time) {
	now := time.Now()
	s, err := d.summarize(ctx, d.backend.clock.at(now))
	if err != nil {
		return
	}
	d.say("%4.0f s: %s", now.Sub(began).Seconds(), s.line())
}

// line is the summary so far on one line.
func (s *demoSummary) line() string {
	return fmt.Sprintf("ordered %d, done %d, under way %d, waiting %d, due %d, of them done %d, late %d, lost %d, zone violations %d, alerts %d",
		s.Ordered, s.Done, s.Underway, s.Waiting, s.Due, s.DueDone, s.Late, s.Lost, s.ZoneViolations, s.Alerts)
}

// showTable draws the live table, all at once so that it does not flicker.
func (d *demo) showTable(ctx context.Context, began time.Time) {
	wall := time.Now()
	now := d.backend.clock.at(wall)
	s, err := d.summarize(ctx, now)
	if err != nil {
		return
	}
	vehicles, err := d.client.Vehicles(ctx, nil)
	if err != nil {
		return
	}
	tasks, err := d.client.Tasks(ctx, nil)
	if err != nil {
		return
	}
	var b strings.Builder
	b.WriteString(clearAll)
	fmt.Fprintf(&b, "kapok demo  %s  %s  fleet time %s  (%.0f s at speed %g)\n", d.backend.url, s.Chart, clock(now), wall.Sub(began).Seconds(), d.flags.speed)
	fmt.Fprintf(&b, "%s\n\n", s.line())
	rows := make([][]string, len(vehicles))
	for i := range vehicles {
		rows[i] = vehicleRow(&vehicles[i])
	}
	_ = printTable(&b, vehicleHeads(), rows)
	b.WriteString("\n")
	_ = printTable(&b, []string{"TASK", "STATE", "VEHICLE", "PROMISED", "ETA", "WHAT", "REASON"}, newest(tasks))
	fmt.Fprint(d.out, b.String())
}

// newest are rows of the newest tasks, the newest last.
func newest(tasks []api.Task) [][]string {
	tasks = tasks[max(0, len(tasks)-shownTasks):]
	rows := make([][]string, len(tasks))
	for i := range tasks {
		t := &tasks[i]
		rows[i] = []string{t.ID, t.State, t.Vehicle, clock(t.PromisedAt), clock(t.ETA), t.Priority + " " + t.Kind + ": " + t.Note, t.Reason}
	}
	return rows
}
