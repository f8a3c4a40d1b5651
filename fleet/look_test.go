package fleet_test

import (
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/kapok-fleet/kapok/fleet"
	"github.com/kapok-fleet/kapok/protocol"
	"github.com/kapok-fleet/kapok/protocol/api"
)

// same tells whether two maps are one.
func same(a, b any) bool { return reflect.ValueOf(a).Pointer() == reflect.ValueOf(b).Pointer() }

// TestALookStaysAsItWas takes looks between steps: each shows the state of its
// time and goes on doing so, and shares with the one before what did not change.
func TestALookStaysAsItWas(t *testing.T) {
	a := &asker{squad: newSquad(t)}
	for n := range 3 {
		a.join(fleet.VehicleID(fmt.Sprint("r", n)), protocol.Rover, a.clear(float64(50*n), 0, 0))
		a.sample(fleet.VehicleID(fmt.Sprint("r", n)), a.clear(float64(50*n), 0, 0), protocol.ModeIdle)
	}
	live := a.fleet.State()
	type taken struct {
		look *fleet.State
		sum  uint64
	}
	var all []taken
	for n := range 30 {
		switch n % 6 {
		case 0:
			a.ask("", a.visit(1))
		case 1:
			a.sample("r1", a.clear(float64(n), 10, 0), protocol.ModeIdle)
		case 2:
			a.ask("", fleet.OrderCommand{Vehicle: "r2", Order: api.CommandOrder{Kind: "hold", Reason: "look"}})
		case 3:
			a.ask("", fleet.PutZone{Order: api.ZoneOrder{Rule: "advise", Polygon: a.rectangle(-20, -20, 20, 20)}})
		case 4:
			a.ask("", fleet.CancelTask{Task: "T1"})
		case 5:
			a.now = a.now.Add(25 * time.Hour)
			a.step(fleet.Tick{})
		}
		look := live.Look(n%4 != 0 || n%6 == 1)
		if first := fleet.Differs(look, live, false); first != "" {
			t.Fatalf("look %d differs from the state in %s", n, first)
		}
		_, sum := look.DeepSum()
		all = append(all, taken{look, sum})
	}
	for n, was := range all {
		if _, sum := was.look.DeepSum(); sum != was.sum {
			t.Errorf("look %d has changed since", n)
		}
	}
}

// TestALookCostsWhatChanged shares what it may.
func TestALookCostsWhatChanged(t *testing.T) {
	a := &asker{squad: newSquad(t)}
	home := a.clear(0, 0, 0)
	a.join("r1", protocol.Rover, home)
	a.sample("r1", home, protocol.ModeIdle)
	live := a.fleet.State()
	first := live.Look(true)
	a.sample("r1", home, protocol.ModeIdle)
	moved := live.Look(true)
	if same(first.Volatile.Presences, moved.Volatile.Presences) || !same(first.Durable.Tasks, moved.Durable.Tasks) {
		t.Error("after a sample the positions are another map, and the tasks the same")
	}
	a.sample("r1", home, protocol.ModeIdle)
	order := a.visit(1)
	order.Order.VehicleKinds = []string{"vessel"} // Nobody can take it.
	if got := a.ask("key", order); got.Status != 201 {
		t.Fatalf("%+v", got.Problem)
	}
	ordered := live.Look(false)
	if same(moved.Durable.Tasks, ordered.Durable.Tasks) || !same(moved.Durable.Vehicles, ordered.Durable.Vehicles) ||
		!same(moved.Volatile.Presences, ordered.Volatile.Presences) {
		t.Error("after an order the tasks are another map, and vehicles and positions the same")
	}
	if ordered.Durable.Answers != nil || len(live.Durable.Answers) != 1 {
		t.Error("answers are kept, and not shown")
	}
	a.step(fleet.Left{Vehicle: "r1", Session: live.Volatile.Presences["r1"].Session})
	if gone := live.Look(false); gone.Volatile.Presences["r1"].Session != "" {
		t.Error("the end of a link shows at once")
	}
	// A copy may be evolved by itself, and what it is of stays.
	own := ordered.View()
	fleet.Evolve(own, fleet.Recorded{Index: own.Durable.Index + 1, Event: fleet.AnswerGiven{Key: "k"}})
	fleet.Evolve(own, fleet.Recorded{Index: own.Durable.Index + 1, Event: fleet.VehicleBlocked{Vehicle: "r1", Command: "C9"}})
	if ordered.Durable.Vehicles["r1"].Blocked != "" || own.Durable.Vehicles["r1"].Blocked != "C9" {
		t.Error("evolving a copy changed what it was taken of")
	}
}

// BenchmarkLook takes what is published of a large fleet after one thing has
// changed. All is what it costs to copy everything.
func BenchmarkLook(b *testing.B) {
	s := fleet.NewState()
	at := time.Date(2027, 3, 1, 8, 0, 0, 0, time.UTC)
	record := func(input string, e fleet.Event) {
		r := fleet.Recorded{Time: at, Input: input, Event: e}
		if e.Lasting() {
			r.Index = s.Durable.Index + 1
		}
		fleet.Evolve(s, r)
	}
	const vehicles, tasks, answers = 10_000, 20_000, 200_000
	vehicle := func(n int) fleet.VehicleID { return fleet.VehicleID(fmt.Sprintf("v%05d", n%vehicles)) }
	for n := range vehicles {
		record("asked", fleet.VehicleRegistered{Vehicle: fleet.Vehicle{ID: vehicle(n), Kind: protocol.Rover}})
		record("telemetry", fleet.Moved{Vehicle: vehicle(n)})
	}
	for n := range tasks {
		record("asked", fleet.TaskOrdered{Task: fleet.Task{ID: fleet.TaskID(fmt.Sprintf("T%d", n+1)), State: fleet.TaskWaiting}})
	}
	for n := range answers {
		record("asked", fleet.AnswerGiven{Key: fmt.Sprintf("key%d", n)})
	}
	for _, c := range []struct {
		name string
		take func(n int)
	}{
		{"all", func(int) { s.View() }},
		{"nothing", func(int) { s.Look(true) }},
		{"moved", func(n int) {
			record("telemetry", fleet.Moved{Vehicle: vehicle(n)})
			s.Look(true)
		}},
		{"answer", func(n int) {
			record("telemetry", fleet.Moved{Vehicle: vehicle(n)})
			record("asked", fleet.AnswerGiven{Key: fmt.Sprintf("key%d", n)})
			s.Look(false)
		}},
		{"alert", func(n int) {
			record("tick", fleet.AlertRaised{Alert: fleet.Alert{ID: fleet.AlertID(fmt.Sprintf("A%d", n%100))}})
			s.Look(false)
		}},
		{"order", func(n int) {
			record("asked", fleet.TaskCancelWanted{Task: fleet.TaskID(fmt.Sprintf("T%d", n%tasks+1)), Reason: "bench"})
			s.Look(false)
		}},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for n := 0; b.Loop(); n++ {
				c.take(n)
			}
		})
	}
}
