package engine

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"github.com/kapok-fleet/kapok/fleet"
	"github.com/kapok-fleet/kapok/fleet/session"
	"github.com/kapok-fleet/kapok/planner/chart"
	"github.com/kapok-fleet/kapok/protocol"
	"github.com/kapok-fleet/kapok/protocol/api"
)

// fuzzedLink is a vehicle that says anything over its link to a fleet in virtual
// time.
type fuzzedLink struct {
	t       *testing.T
	chart   *chart.Chart
	core    *Core
	now     time.Time
	opened  int
	session *session.Session
}

// FuzzLink plays a script as a vehicle. A line is a frame of JSON, or one of:
//
//   - a second passes
//     order  a dispatcher orders a visit
//     hold   and commands the vehicle
//     again  the link breaks and is opened again
//
// Whatever the vehicle says, the fleet and its folds agree, every message to the
// vehicle can be sent, and the session ends rather than answers without end.
func FuzzLink(f *testing.F) {
	c := harbourChart(f)
	frame := func(m protocol.FromVehicle) string {
		data, err := protocol.JSON.EncodeFrom(nil, m)
		if err != nil {
			f.Fatal(err)
		}
		return string(data) + "\n"
	}
	greeting := frame(protocol.Hello{Kind: protocol.Multirotor, Model: "kapok-quad", LogID: "log-1", Time: dawn()})
	here := frame(protocol.Telemetry{Samples: []protocol.Sample{{
		Time: dawn().Add(time.Second), Position: place(c, 3), BatteryRatio: 0.9, Mode: protocol.ModeIdle,
	}}})
	mission := protocol.MissionRef{ID: "M1", Revision: 1}
	accepted := frame(protocol.Ack{Seq: 1, Mission: &mission, Verdict: protocol.Accepted})
	progress := func(seq uint64, leg string, state protocol.ProgressState) string {
		return frame(protocol.Progress{Seq: seq, Mission: "M1", Leg: leg, State: state, Time: dawn().Add(time.Second)})
	}
	f.Add([]byte(greeting + "+\n" + here + "order\n+\n" + accepted + progress(2, "L1", protocol.Started) + progress(3, "L1", protocol.Begun) +
		progress(4, "L1", protocol.Done) + "+\n+\n"))
	f.Add([]byte(greeting + "+\n" + here + "order\n" + accepted + "hold\n+\nagain\n" + greeting + here + progress(9, "L2", protocol.Begun) +
		frame(protocol.Ack{Seq: 2, Command: "C1", Verdict: protocol.Accepted}) + "+\n"))
	f.Add([]byte(greeting + greeting + accepted + accepted + here + here + frame(protocol.Fault{Seq: 2, Code: "motor", Text: "hot", LoadLost: true, Time: dawn()}) +
		"order\n+\n+\n" + frame(protocol.Ack{Seq: 3, Mission: &mission, Verdict: protocol.Refused, Reason: "no"})))
	f.Add([]byte(here + "again\n{}\n{\"type\":\"hello\"}\n\n[\norder\nagain\n+\n+\n"))
	f.Fuzz(func(t *testing.T, script []byte) {
		l := &fuzzedLink{t: t, chart: c, now: dawn()}
		l.core = newCore(t, Options{Chart: c, Config: leaping(), CheckFolds: true}, fleet.NewState())
		l.step(fleet.Recovered{UnixEpoch: 1})
		l.open()
		for n, line := range bytes.Split(script, []byte("\n")) {
			if n == 200 {
				break // What is longer tells nothing new.
			}
			l.play(string(line))
		}
		if err := l.core.DeepCheck(); err != nil {
			t.Error(err)
		}
	})
}

func (l *fuzzedLink) open() {
	l.opened++
	l.session = session.New("v1", fleet.SessionID(fmt.Sprint("s", l.opened)), session.Config{}, l.now)
}

func (l *fuzzedLink) play(line string) {
	switch line {
	case "+":
		l.now = l.now.Add(time.Second)
		l.answer(l.session.Tick(l.now))
		l.step(fleet.Tick{})
	case "order":
		order := visit(l.chart, 5)
		l.step(fleet.Asked{Request: 1, Actor: "me", Ask: order})
	case "hold":
		l.step(fleet.Asked{Request: 1, Actor: "me", Ask: fleet.OrderCommand{Vehicle: "v1", Order: api.CommandOrder{Kind: "hold"}}})
	case "again":
		l.step(l.session.Lost("the network")...)
		l.open()
	default:
		reaction, ok := l.session.Admit(l.now)
		l.answer(reaction)
		if !ok {
			return
		}
		if m, err := protocol.JSON.DecodeFrom([]byte(line)); err != nil {
			l.answer(l.session.ReceiveError(l.now, err))
		} else {
			l.answer(l.session.Receive(l.now, m))
		}
	}
}

// answer carries out what the session wants, whose messages must all be sendable.
func (l *fuzzedLink) answer(r session.Reaction) {
	l.t.Helper()
	if len(r.Send) > 64 || len(r.Inputs) > 2 {
		l.t.Fatalf("one frame brings about %d messages and %d inputs", len(r.Send), len(r.Inputs))
	}
	for _, m := range r.Send {
		if _, err := protocol.JSON.EncodeTo(nil, m); err != nil {
			l.t.Errorf("the vehicle cannot be sent %#v: %v", m, err)
		}
	}
	if r.Close != nil && (!l.session.Closed() || r.Close.Code == "") {
		l.t.Errorf("the link ends with %+v, and the session is closed: %v", r.Close, l.session.Closed())
	}
	l.step(r.Inputs...)
}

// step lets the fleet decide, commits at once and delivers.
func (l *fuzzedLink) step(inputs ...fleet.Input) {
	l.t.Helper()
	if len(inputs) == 0 {
		return
	}
	b := mustStep(l.t, l.core, l.now, inputs...)
	for _, effect := range l.core.Committed(b.After).Effects {
		switch effect.(type) { //nolint:gochecksumtype // The others are not for the link.
		case fleet.Welcome, fleet.Owe, fleet.CloseLink:
			l.answer(l.session.Apply(l.now, effect))
		default:
		}
	}
}
