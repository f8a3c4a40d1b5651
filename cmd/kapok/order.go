package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/kapok-fleet/kapok/cmd/kapok/internal/client"
	"github.com/kapok-fleet/kapok/protocol/api"
)

// orderFlags are what all orders have.
type orderFlags struct {
	remote
	output
	priority     string
	rank         int
	workS        time.Duration
	capabilities []string
	kinds        []string
	note, key    string
	wait         bool
	waitFor      time.Duration
}

// orderUse is what the commands do with the order that their flags describe:
// order it, or ask what would become of it.
type orderUse struct {
	verb string
	do   func(ctx context.Context, c console, f *orderFlags, order api.Order, places []string) error
}

func newOrder(c console) *cobra.Command {
	cmd := &cobra.Command{
		Use: "order", Short: "Order a visit, a delivery or a patrol",
		Long: "Order work. A place is the id of a site or place of the chart, LON,LAT, or LON,LAT,ALTITUDE_M.\n" +
			"The answer is given once the order is durable: from then on it is never forgotten.",
		Args: cobra.ArbitraryArgs, RunE: needsCommand,
	}
	use := orderUse{"order", placeOrder}
	for _, kind := range []*cobra.Command{newOrderVisit(c, use), newOrderDelivery(c, use), newOrderPatrol(c, use)} {
		cmd.AddCommand(kind)
	}
	return cmd
}

func newOrderVisit(c console, use orderUse) *cobra.Command {
	var f orderFlags
	var at []string
	cmd := &cobra.Command{
		Use: "visit", Short: "Send a vehicle to a place", Args: cobra.NoArgs,
		Example: "  kapok " + use.verb + " visit --at 113.931,22.511 --work 20s --priority urgent",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return use.do(cmd.Context(), c, &f, api.Order{Kind: "visit"}, at)
		},
	}
	cmd.Flags().StringArrayVar(&at, "at", nil, "the place; may be repeated")
	f.flags(cmd, use)
	return cmd
}

func newOrderDelivery(c console, use orderUse) *cobra.Command {
	var f orderFlags
	var from string
	var to []string
	var kg float64
	cmd := &cobra.Command{
		Use: "delivery", Short: "Have something brought from one place to another", Args: cobra.NoArgs,
		Example: "  kapok " + use.verb + " delivery --from node/1201 --to 113.931,22.511 --kg 1.5",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if from == "" || len(to) == 0 {
				return errors.New("a delivery needs --from and --to")
			}
			return use.do(cmd.Context(), c, &f, api.Order{Kind: "delivery", LoadKg: kg}, append([]string{from}, to...))
		},
	}
	cmd.Flags().StringVar(&from, "from", "", "where it is picked up")
	cmd.Flags().StringArrayVar(&to, "to", nil, "where it is dropped; may be repeated")
	cmd.Flags().Float64Var(&kg, "kg", 1, "its weight, kg")
	f.flags(cmd, use)
	return cmd
}

func newOrderPatrol(c console, use orderUse) *cobra.Command {
	var f orderFlags
	var at []string
	var laps int
	cmd := &cobra.Command{
		Use: "patrol", Short: "Send a vehicle past several places", Args: cobra.NoArgs,
		Example: "  kapok " + use.verb + " patrol --at 113.931,22.511 --at 113.933,22.512 --laps 2",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return use.do(cmd.Context(), c, &f, api.Order{Kind: "patrol", Laps: laps}, at)
		},
	}
	cmd.Flags().StringArrayVar(&at, "at", nil, "a place; may be repeated, in order")
	cmd.Flags().IntVar(&laps, "laps", 1, "how often")
	f.flags(cmd, use)
	return cmd
}

func (f *orderFlags) flags(cmd *cobra.Command, use orderUse) {
	f.remote.flags(cmd)
	f.flag(cmd, asTable, asJSON)
	cmd.Flags().StringVar(&f.priority, "priority", "routine", "emergency, urgent or routine")
	cmd.Flags().IntVar(&f.rank, "rank", 0, "order within the priority, greater first, -100 to 100")
	cmd.Flags().DurationVar(&f.workS, "work", 10*time.Second, "how long the work at each stop takes")
	cmd.Flags().StringSliceVar(&f.capabilities, "capability", nil, "what the vehicle must be able to do")
	cmd.Flags().StringSliceVar(&f.kinds, "kind", nil, "kinds of vehicle that may go: rover, multirotor, vtol, vessel")
	cmd.Flags().StringVar(&f.note, "note", "", "a note for the record")
	if use.verb != "order" {
		return
	}
	cmd.Flags().StringVar(&f.key, "key", "", "idempotency key: repeated, it gets the same answer and never a second task")
	cmd.Flags().BoolVar(&f.wait, "wait", false, "follow the task to its end; exit status 1 if it is not done")
	cmd.Flags().DurationVar(&f.waitFor, "wait-for", 0, "give up waiting after so long, with exit status 1; 0 for never")
}

// placeOrder orders and, if asked, follows the task to its end.
func placeOrder(ctx context.Context, c console, f *orderFlags, order api.Order, places []string) error {
	form, err := f.choose(c.out)
	if err != nil {
		return err
	}
	if len(places) == 0 {
		return errNoPlace
	}
	k, err := f.open(c)
	if err != nil {
		return err
	}
	defer k.Close()
	if err := f.fill(ctx, k, &order, places); err != nil {
		return err
	}
	key := f.key
	if key == "" {
		key = newKey()
	}
	task, err := k.Order(ctx, key, order)
	if err != nil {
		return err
	}
	if f.wait {
		if task, err = follow(ctx, c, k, task, f.waitFor); err != nil {
			return err
		}
	}
	if form == asJSON {
		err = printJSON(c.out, task)
	} else {
		err = printTable(c.out, taskHeads(), [][]string{taskRow(&task)})
	}
	if err == nil && f.wait && task.State != "done" {
		return no("task %s is %s: %s", task.ID, task.State, task.Reason)
	}
	return err
}

// errNoPlace refuses an order, or a question about one, that goes nowhere.
var errNoPlace = errors.New("the order has no place: pass --at")

// fill puts what the flags say into an order.
func (f *orderFlags) fill(ctx context.Context, k *client.Client, order *api.Order, places []string) error {
	order.Priority, order.Rank, order.Capabilities = f.priority, f.rank, f.capabilities
	order.VehicleKinds, order.Note = f.kinds, f.note
	for _, text := range places {
		stop, err := findStop(ctx, k, text)
		if err != nil {
			return err
		}
		stop.WorkS = f.workS.Seconds()
		order.Stops = append(order.Stops, stop)
	}
	return nil
}

// findStop reads a place: coordinates, or the id of a site or place.
func findStop(ctx context.Context, k *client.Client, text string) (api.OrderStop, error) {
	if p, ok, err := coordinates(text); ok {
		return api.OrderStop{Position: p}, err
	}
	places, err := k.Places(ctx, text)
	if err != nil {
		return api.OrderStop{}, err
	}
	for _, p := range places {
		if p.ID == text {
			return api.OrderStop{Place: text}, nil
		}
	}
	// What is no place is a site, or the server says that there is none.
	return api.OrderStop{Site: text}, nil
}

// coordinates reads LON,LAT or LON,LAT,ALTITUDE_M; ok says that the text means
// to be that.
func coordinates(text string) (p *api.Position, ok bool, err error) {
	parts := strings.Split(text, ",")
	if len(parts) != 2 && len(parts) != 3 {
		return nil, false, nil
	}
	var numbers [3]float64
	for i, part := range parts {
		if numbers[i], err = strconv.ParseFloat(strings.TrimSpace(part), 64); err != nil {
			return nil, true, fmt.Errorf("%q is not LON,LAT in degrees", text)
		}
	}
	p = &api.Position{Lon: numbers[0], Lat: numbers[1]}
	if len(parts) == 3 {
		p.AltitudeM = &numbers[2]
	}
	return p, true, nil
}

// followEvery is the pace at which a task is looked at.
const followEvery = 500 * time.Millisecond

// follow tells what happens to a task until it is final. A server that is away
// for a while is waited for.
func follow(ctx context.Context, c console, k *client.Client, task api.Task, within time.Duration) (api.Task, error) {
	if within > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, within)
		defer cancel()
	}
	told := ""
	ticker := time.NewTicker(followEvery)
	defer ticker.Stop()
	for {
		if now := task.State + task.Vehicle + task.Reason; now != told {
			told = now
			c.say("%s", taskLine(&task))
		}
		if final(task.State) {
			return task, nil
		}
		select {
		case <-ctx.Done():
			return task, no("task %s is still %s", task.ID, task.State)
		case <-ticker.C:
		}
		newer, err := k.Task(ctx, task.ID)
		if _, away := errors.AsType[*client.UnreachableError](err); away {
			continue
		}
		if problem, ok := errors.AsType[*client.ProblemError](err); ok && problem.Status >= 500 {
			continue
		}
		if err != nil {
			return task, err
		}
		task = newer
	}
}

func final(state string) bool { return state == "done" || state == "failed" || state == "cancelled" }

// taskLine tells in one line how a task stands.
func taskLine(t *api.Task) string {
	line := fmt.Sprintf("task %s (%s, %s) %s", t.ID, t.Priority, t.Kind, t.State)
	if t.Vehicle != "" {
		word := " by "
		if t.State == "assigned" {
			word = " to "
		}
		line += word + t.Vehicle
	}
	if t.Reason != "" {
		line += ": " + t.Reason
	}
	if !t.ETA.IsZero() && !final(t.State) {
		line += ", arrives " + clock(t.ETA)
	}
	return clean(line)
}
