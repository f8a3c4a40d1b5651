package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/kapok-fleet/kapok/fleet"
	"github.com/kapok-fleet/kapok/fleet/journal"
	"github.com/kapok-fleet/kapok/fleet/journal/journaltest"
	"github.com/kapok-fleet/kapok/planner/chart"
	"github.com/kapok-fleet/kapok/planner/chart/harbour"
	"github.com/kapok-fleet/kapok/protocol"
	"github.com/kapok-fleet/kapok/protocol/api"
)

// dawn is when the tests without a clock begin.
func dawn() time.Time { return time.Date(2027, 3, 1, 8, 0, 0, 0, time.UTC) }

func harbourChart(t testing.TB) *chart.Chart {
	t.Helper()
	c, err := harbour.Chart()
	if err != nil {
		t.Fatalf("building the chart: %v", err)
	}
	return c
}

// leaping lets vehicles move from place to place at once.
func leaping() fleet.Config {
	c := fleet.DefaultConfig()
	c.TrustSamples = true
	return c
}

func coreOptions(t testing.TB) Options {
	return Options{Chart: harbourChart(t), Config: leaping(), CheckFolds: true, Hash: true}
}

func newCore(t testing.TB, o Options, state *fleet.State) *Core {
	t.Helper()
	c, err := NewCore(o, state)
	if err != nil {
		t.Fatalf("starting a core: %v", err)
	}
	return c
}

// mustStep decides inputs and fails the test where the core finds fault.
func mustStep(t testing.TB, c *Core, now time.Time, inputs ...fleet.Input) Batch {
	t.Helper()
	b, err := c.Step(now, inputs)
	if err != nil {
		t.Fatalf("step of %T at %s: %v", inputs, now, err)
	}
	return b
}

func openJournal(t testing.TB, fsys journal.FS) journal.Journal {
	t.Helper()
	j, err := journal.Open("j", journal.Options{FS: fsys})
	if err != nil {
		t.Fatalf("opening the journal: %v", err)
	}
	return j
}

// place is a point of the chart that vehicles reach: its n-th place.
func place(c *chart.Chart, n int) protocol.Position {
	return protocol.Position(c.Places[n%len(c.Places)].Position)
}

func visit(c *chart.Chart, n int) fleet.OrderTask {
	return fleet.OrderTask{Order: api.Order{
		Kind: "visit", Priority: "routine",
		Stops: []api.OrderStop{{Place: c.Places[n%len(c.Places)].ID, WorkS: 10}},
	}}
}

func hello(id fleet.VehicleID, session fleet.SessionID, now time.Time) fleet.Joined {
	return fleet.Joined{Vehicle: id, Session: session, Hello: protocol.Hello{
		Kind: protocol.Multirotor, Model: "kapok-quad", LogID: "log-" + string(id), Time: now,
	}}
}

func sampleAt(c *chart.Chart, id fleet.VehicleID, session fleet.SessionID, n int, now time.Time) fleet.Telemetry {
	return fleet.Telemetry{Vehicle: id, Session: session, Samples: []protocol.Sample{{
		Time: now, Position: place(c, n), BatteryRatio: 0.9, Mode: protocol.ModeIdle,
	}}}
}

// idOf reads the id of an answer.
func idOf(a fleet.Answer) (string, error) {
	var shape struct {
		ID string `json:"id"`
	}
	if a.Problem != nil {
		return "", fmt.Errorf("refused with %d %s: %s", a.Status, a.Problem.Code, a.Problem.Detail)
	}
	if err := json.Unmarshal(a.Body, &shape); err != nil {
		return "", err
	}
	if shape.ID == "" {
		return "", errors.New("the answer has no id")
	}
	return shape.ID, nil
}

// slowJournal is a journal whose Append takes a while and counts groups.
type slowJournal struct {
	journal.Journal
	takes  time.Duration
	groups chan int
}

func (s *slowJournal) Append(records []journal.Record) error {
	<-time.After(s.takes)
	if s.groups != nil {
		s.groups <- len(records)
	}
	return s.Journal.Append(records)
}

// engineOn opens an engine over a file system in memory.
func engineOn(t testing.TB, fsys *journaltest.MemFS, change func(*EngineOptions)) *Engine {
	t.Helper()
	o := EngineOptions{
		Options: Options{Chart: harbourChart(t), Config: leaping()},
		Journal: func() (journal.Journal, error) { return journal.Open("j", journal.Options{FS: fsys}) },
	}
	if change != nil {
		change(&o)
	}
	e, err := Open(t.Context(), o)
	if err != nil {
		t.Fatalf("opening the engine: %v", err)
	}
	return e
}

func shutDown(t testing.TB, e *Engine) {
	t.Helper()
	if err := e.Shutdown(context.WithoutCancel(t.Context())); err != nil {
		t.Errorf("shutting down: %v", err)
	}
}

// order asks for a visit and returns the task's id.
func order(t testing.TB, e *Engine, n int) fleet.TaskID {
	t.Helper()
	a, err := e.Ask(t.Context(), "tester", "", "", visit(e.o.Chart, n))
	if err != nil {
		t.Fatalf("ordering: %v", err)
	}
	id, err := idOf(a)
	if err != nil {
		t.Fatalf("ordering: %v", err)
	}
	return fleet.TaskID(id)
}

// sink collects what a session is sent.
type sink struct{ got chan fleet.Effect }

func newSink() *sink { return &sink{got: make(chan fleet.Effect, 1024)} }

func (s *sink) Deliver(e fleet.Effect) { s.got <- e }

// drain returns what was delivered, in order, without waiting.
func (s *sink) drain() []fleet.Effect {
	var all []fleet.Effect
	for {
		select {
		case e := <-s.got:
			all = append(all, e)
		default:
			return all
		}
	}
}
