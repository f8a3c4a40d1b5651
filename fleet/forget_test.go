package fleet_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/kapok-fleet/kapok/fleet"
	"github.com/kapok-fleet/kapok/protocol"
	"github.com/kapok-fleet/kapok/protocol/api"
)

// asker asks one request after the other, a second apart.
type asker struct {
	*squad
	requests fleet.RequestID
	events   []fleet.Recorded
}

func (a *asker) ask(key string, ask fleet.Ask) fleet.Answer {
	a.t.Helper()
	a.requests++
	a.now = a.now.Add(time.Second)
	out := a.step(fleet.Asked{Request: a.requests, Actor: "alice", Key: key, BodyHash: "h", Ask: ask}, fleet.Tick{})
	a.events = append(a.events, out.Events...)
	for _, e := range out.Effects {
		if r, ok := e.(fleet.Reply); ok && r.Request == a.requests {
			return r.Answer
		}
	}
	a.t.Fatalf("no answer to %T", ask)
	return fleet.Answer{}
}

func (a *asker) visit(stops int) fleet.OrderTask {
	o := api.Order{Kind: "visit", Priority: "routine"}
	for range stops {
		o.Stops = append(o.Stops, api.OrderStop{Place: a.chart.Places[0].ID})
	}
	return fleet.OrderTask{Order: o}
}

// orderAndCancel leaves a final task behind.
func (a *asker) orderAndCancel(key string) fleet.TaskID {
	a.t.Helper()
	answer := a.ask(key, a.visit(1))
	id := fleet.TaskID(fmt.Sprintf("T%d", a.fleet.State().Durable.Counters.Task))
	if answer.Status != 201 {
		a.t.Fatalf("ordering %s: %d %+v", id, answer.Status, answer.Problem)
	}
	if answer := a.ask("", fleet.CancelTask{Task: id}); answer.Status != 200 {
		a.t.Fatalf("cancelling %s: %d %+v", id, answer.Status, answer.Problem)
	}
	return id
}

// TestWhatIsOverIsForgottenInTheOrderOfItsEnd has more tasks and answers end than
// may stay: the oldest go, and a replay comes to the same state.
func TestWhatIsOverIsForgottenInTheOrderOfItsEnd(t *testing.T) {
	a := &asker{squad: newSquadWith(t, func(c *fleet.Config) { c.MaxFinal, c.MaxAnswers = 5, 3 })}
	for n := range 20 {
		a.orderAndCancel(fmt.Sprintf("key%d", n))
	}
	d := &a.fleet.State().Durable
	if len(d.Tasks) != 5 || d.Tasks["T16"] == nil || d.Tasks["T20"] == nil {
		t.Errorf("%d tasks stay of 20, want T16 to T20", len(d.Tasks))
	}
	if len(d.Answers) != 3 || d.Answers["key17"] == nil || d.Answers["key19"] == nil {
		t.Errorf("%d answers stay of 20, want the last 3", len(d.Answers))
	}
	if again := a.ask("key19", a.visit(1)); !again.Repeated {
		t.Error("an answer that is kept is not repeated")
	}
	if again := a.ask("key1", a.visit(1)); again.Repeated {
		t.Error("an answer that was forgotten is repeated")
	}
	replay := fleet.NewState()
	fleet.Evolve(replay, fleet.Recorded{Index: 1, Time: a.now, Event: fleet.FleetRecovered{}})
	for _, r := range a.events {
		fleet.Evolve(replay, r)
	}
	if len(replay.Durable.Tasks) != len(d.Tasks) || len(replay.Durable.Answers) != len(d.Answers) {
		t.Errorf("a replay has %d tasks and %d answers", len(replay.Durable.Tasks), len(replay.Durable.Answers))
	}
}

// TestARestartForgetsTheSame goes on from a state read from disk, where maps
// have another order: what is forgotten next is the same.
func TestARestartForgetsTheSame(t *testing.T) {
	change := func(c *fleet.Config) { c.MaxFinal, c.MaxAnswers, c.MaxAnswerBytes = 1000, 1000, 1<<20 }
	a := &asker{squad: newSquadWith(t, change)}
	for n := range 12 {
		a.orderAndCancel(fmt.Sprintf("key%d", 11-n))
	}
	data, err := fleet.EncodeDurable(&a.fleet.State().Durable)
	if err != nil {
		t.Fatal(err)
	}
	config := fleet.DefaultConfig()
	config.MaxFinal, config.MaxAnswers, config.MaxAnswerBytes = 4, 100, 4000
	state := fleet.NewState()
	if state.Durable, err = fleet.DecodeDurable(data); err != nil {
		t.Fatal(err)
	}
	if a.fleet, err = fleet.New(config, a.chart, state); err != nil {
		t.Fatal(err)
	}
	a.step(fleet.Recovered{UnixEpoch: 2})
	var gone fleet.Archived
	for _, r := range a.step(fleet.Tick{}).Events {
		if e, ok := r.Event.(fleet.Archived); ok {
			gone = e
		}
	}
	want := []fleet.TaskID{"T1", "T2", "T3", "T4", "T5", "T6", "T7", "T8"}
	if !slices.Equal(gone.Tasks, want) {
		t.Errorf("the tasks %v are forgotten, want %v", gone.Tasks, want)
	}
	size := 0
	for _, kept := range state.Durable.Answers {
		size += len(kept.Body)
	}
	if size > 4000 || state.Durable.Answers["key0"] == nil || state.Durable.Answers["key11"] != nil {
		t.Errorf("answers of %d bytes are kept, of at most 4000: %d", size, len(state.Durable.Answers))
	}
}

// TestTheStopsOfOpenTasksAreBounded refuses what would not fit.
func TestTheStopsOfOpenTasksAreBounded(t *testing.T) {
	a := &asker{squad: newSquadWith(t, func(c *fleet.Config) { c.MaxOpenStops = 10 })}
	for n, c := range []struct{ stops, status int }{{6, 201}, {5, 503}, {4, 201}, {1, 503}} {
		if got := a.ask("", a.visit(c.stops)); got.Status != c.status {
			t.Errorf("order %d with %d stops: %d %+v", n, c.stops, got.Status, got.Problem)
		}
	}
	a.ask("", fleet.CancelTask{Task: "T1"})
	if got := a.ask("", a.visit(6)); got.Status != 201 {
		t.Errorf("after a task ended: %d %+v", got.Status, got.Problem)
	}
}

// TestNamesAreBounded refuses capabilities and models that are no names.
func TestNamesAreBounded(t *testing.T) {
	a := &asker{squad: newSquad(t)}
	long := string(make([]byte, protocol.MaxIDBytes+1))
	for _, r := range []api.VehicleRegistration{
		{Kind: "rover", Model: long},
		{Kind: "rover", Model: "kapok-rover", Capabilities: []string{"a", long}},
		{Kind: "rover", Model: "kapok-rover", Capabilities: make([]string, protocol.MaxCapabilities+1)},
	} {
		if got := a.ask("", fleet.RegisterVehicle{Vehicle: "v1", Registration: r}); got.Status != 422 {
			t.Errorf("a registration with %d capabilities: %d", len(r.Capabilities), got.Status)
		}
	}
	if got := a.ask("", fleet.OrderTask{Order: api.Order{Kind: "visit", VehicleKinds: slices.Repeat([]string{"rover"}, 1000)}}); got.Status != 422 {
		t.Errorf("an order for a thousand kinds: %d", got.Status)
	}
}

// TestRefusalsAreBounded remembers the newest only.
func TestRefusalsAreBounded(t *testing.T) {
	s := fleet.NewState()
	at := time.Date(2027, 3, 1, 8, 0, 0, 0, time.UTC)
	record := func(e fleet.Event) {
		fleet.Evolve(s, fleet.Recorded{Index: s.Durable.Index + 1, Time: at, Event: e})
	}
	record(fleet.VehicleRegistered{Vehicle: fleet.Vehicle{ID: "r1"}})
	for n := range 3 * fleet.MaxRefusals {
		record(fleet.VehicleRefused{Vehicle: "r1", Task: fleet.TaskID(fmt.Sprint("T", n)), Until: at.Add(time.Duration(n) * time.Second)})
	}
	got := s.Durable.Vehicles["r1"].Refusals
	if _, newest := got[fleet.TaskID(fmt.Sprint("T", 3*fleet.MaxRefusals-1))]; len(got) != fleet.MaxRefusals || !newest {
		t.Errorf("%d refusals are remembered, the newest: %v", len(got), newest)
	}
}
