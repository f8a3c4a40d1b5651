package main

import (
	"context"
	"net/url"
	"strings"
	"time"

	"github.com/kapok-fleet/kapok/cmd/kapok/internal/client"
	"github.com/kapok-fleet/kapok/cmd/kapok/internal/rig"
	"github.com/kapok-fleet/kapok/planner/chart/harbour"
	"github.com/kapok-fleet/kapok/protocol"
	"github.com/kapok-fleet/kapok/protocol/api"
	"github.com/kapok-fleet/kapok/sim/scenario"
)

const (
	// benchFault is the fault that a vehicle reports.
	benchFault = "bench_fault"
	// orderEvery is how often an order is placed.
	orderEvery = 500 * time.Millisecond
)

// orders places orders and remembers what was answered.
type orders struct {
	client *client.Client
	every  time.Duration
	asked  int
	tasks  []string
	delays rig.Delays
	failed map[string]int
}

func newOrders(c *client.Client, quick bool) *orders {
	o := &orders{client: c, every: orderEvery, failed: map[string]int{}}
	if quick {
		o.every = 100 * time.Millisecond
	}
	return o
}

// run places orders until ctx ends: visits to places that rovers reach.
func (o *orders) run(ctx context.Context) {
	stops, err := visited()
	if err != nil {
		o.failed[err.Error()]++
		return
	}
	ticker := time.NewTicker(o.every)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		at := stops[o.asked%len(stops)]
		o.asked++
		begun := time.Now()
		// An order that was begun is waited for: it counts.
		task, err := o.client.Order(context.WithoutCancel(ctx), newKey(), api.Order{
			Kind: "visit", Priority: "routine", Stops: []api.OrderStop{{Position: &at, WorkS: 10}},
		})
		o.delays.Add(time.Since(begun))
		if err != nil {
			o.failed[oneLine(err)]++
			continue
		}
		o.tasks = append(o.tasks, task.ID)
	}
}

// visited are places on the ways of the embedded chart.
func visited() ([]api.Position, error) {
	on, err := harbour.Chart()
	if err != nil {
		return nil, err
	}
	place, err := scenario.Place(on, []scenario.Group{{Kind: protocol.Rover, Count: 40}}, 2)
	if err != nil {
		return nil, err
	}
	var all []api.Position
	for _, home := range place.Homes[0] {
		all = append(all, api.Position{Lon: home.Position.Lon, Lat: home.Position.Lat})
	}
	return all, nil
}

// judge asks for all tasks, and for the alert of the vehicle's fault.
func (o *orders) judge(ctx context.Context, r *rig.Report) error {
	tasks, err := o.client.Tasks(ctx, nil)
	if err != nil {
		return err
	}
	known := map[string]bool{}
	for i := range tasks {
		known[tasks[i].ID] = true
	}
	lost := 0
	for _, id := range o.tasks {
		if !known[id] {
			lost++
		}
	}
	alerts, err := o.client.Alerts(ctx, url.Values{"open": {"true"}})
	if err != nil {
		return err
	}
	raised := 0.0
	for i := range alerts {
		if strings.Contains(alerts[i].Text, benchFault) {
			raised = 1
		}
	}
	answered := o.delays.Quantiles()
	r.Row("orders placed", float64(o.asked), "orders")
	r.Row("an order, from the request to its durable answer, p99", answered.P99MS, "ms")
	r.AtMost("orders without a good answer", float64(o.asked-len(o.tasks)), 0, "orders")
	r.AtMost("tasks lost of those that were answered", float64(lost), 0, "tasks")
	r.AtLeast("the alert of the fault in the middle is there", raised, 1, "alert")
	for why, n := range o.failed {
		r.Note("%d orders were answered: %s", n, why)
	}
	return nil
}
