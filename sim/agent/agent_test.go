package agent

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/paulmach/orb"

	"github.com/kapok-fleet/kapok/planner/space"
	"github.com/kapok-fleet/kapok/protocol"
	"github.com/kapok-fleet/kapok/sim/body"
)

// play is a vehicle under test, with the time and all that it has said.
type play struct {
	t     *testing.T
	now   time.Time
	a     *Agent
	frame space.Frame
	said  []protocol.FromVehicle
}

func newPlay(t *testing.T, kind protocol.Kind, clockError time.Duration) *play {
	t.Helper()
	f, ok := body.FiguresOf(kind)
	if !ok {
		t.Fatalf("no body for %s", kind)
	}
	frame := space.NewFrame(orb.Point{113.93, 22.51})
	b := body.New(f, space.XYZ{}, 0, 0.9)
	a := New(Options{
		ID: "V1", Kind: kind, Model: "test", MaxLoadKg: 5, MaxLegs: 6, Frame: frame, ClockError: clockError,
	}, b, NewStore("log-1"), NewTruth())
	p := &play{t: t, now: time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC), a: a, frame: frame}
	p.pass(1, false)
	return p
}

func (p *play) position(x, y, z float64) protocol.Position {
	return protocol.Position(p.frame.Position(space.XYZ{X: x, Y: y, Z: z}))
}

// join opens a link whose messages take no time.
func (p *play) join() {
	p.said = p.a.Connected(p.now, p.said)
	hello, ok := p.said[len(p.said)-1].(protocol.Hello)
	if !ok {
		p.t.Fatalf("the first message is %T, want a hello", p.said[len(p.said)-1])
	}
	p.tell(protocol.Welcome{
		Session: "S1", Vehicle: "V1", Epoch: 7, TelemetryIntervalS: 1, AliveIntervalS: 5,
		HelloTime: hello.Time, Time: p.now, LogID: hello.LogID,
	})
}

func (p *play) tell(m protocol.ToVehicle) { p.said = p.a.Receive(p.now, m, p.said) }

// pass lets seconds go by, with a frame from Kapok every five when alive.
func (p *play) pass(seconds int, alive bool) {
	for i := range seconds {
		p.now = p.now.Add(time.Second)
		if alive && i%5 == 0 {
			p.tell(protocol.Alive{Time: p.now})
		}
		p.said = p.a.Step(p.now, p.said)
	}
}

// reports lists acks, progress and faults in short words, in the order said,
// and forgets them.
func (p *play) reports() []string {
	var out []string
	for _, m := range p.said {
		switch m := m.(type) {
		case protocol.Ack:
			of := m.Command
			if m.Mission != nil {
				of = fmt.Sprintf("%s/%d", m.Mission.ID, m.Mission.Revision)
			}
			out = append(out, fmt.Sprintf("%d %s %s %s", m.Seq, of, m.Verdict, m.Reason))
		case protocol.Progress:
			out = append(out, fmt.Sprintf("%d %s%s %s %s", m.Seq, m.Leg, m.Command, m.State, m.Reason))
		case protocol.Fault:
			out = append(out, fmt.Sprintf("%d fault %s %v", m.Seq, m.Code, m.Cleared))
		case protocol.Hello, protocol.Telemetry:
		}
	}
	p.said = nil
	return out
}

func (p *play) expect(want ...string) {
	p.t.Helper()
	got := p.reports()
	for i := range max(len(got), len(want)) {
		g, w := "nothing", "nothing"
		if i < len(got) {
			g = got[i]
		}
		if i < len(want) {
			w = want[i]
		}
		if g != w && g != w+" " {
			p.t.Errorf("report %d is %q, want %q", i, g, w)
		}
	}
}

func (p *play) leg(id, task string, stop int, action protocol.Action, fromX, toX, kg float64) protocol.Leg {
	return protocol.Leg{
		ID: id, Task: task, Stop: stop, Action: action, State: protocol.LegPending,
		Path:     []protocol.Position{p.position(fromX, 0, 0), p.position(toX, 0, 0)},
		SpeedMPS: 2, WorkS: 3, LoadKg: kg,
	}
}

func (p *play) delivery(revision int) protocol.Mission {
	return protocol.Mission{
		ID: "M1", Revision: revision, State: protocol.MissionActive, Epoch: 7, TaskAuthorityS: 20, Time: p.now,
		Legs: []protocol.Leg{
			p.leg("L1", "T1", 1, protocol.ActionPickup, 0, 20, 2),
			p.leg("L2", "T1", 2, protocol.ActionDropoff, 20, 60, -2),
			{
				ID: "L3", Site: "dock", Action: protocol.ActionPark, SpeedMPS: 2,
				Path: []protocol.Position{p.position(60, 0, 0), p.position(0, 0, 0)},
			},
		},
	}
}

func TestDeliveryIsCarriedOutAndToldOnce(t *testing.T) {
	p := newPlay(t, protocol.Rover, 0)
	p.join()
	p.tell(p.delivery(1))
	p.expect("1 M1/1 accepted", "2 L1 started")
	p.tell(protocol.Received{LogID: "log-1", Seq: 2, Time: p.now})
	p.pass(11, true)
	p.expect("3 L1 begun")
	p.tell(p.delivery(1)) // The same revision again changes nothing.
	p.pass(2, true)
	p.expect("4 L1 done", "5 L2 started")
	if kg := p.a.Truth().LoadKg(); kg != 2 {
		t.Errorf("%g kg on board, want 2", kg)
	}
	p.tell(protocol.Received{LogID: "log-1", Seq: 5, Time: p.now})
	p.pass(25, true)
	p.tell(protocol.Received{LogID: "log-1", Seq: 8, Time: p.now})
	p.reports()
	p.pass(29, true)
	p.expect("9 L3 done")
	if n := p.a.Truth().Done[StopKey{"T1", 2}]; n != 1 || len(p.a.Truth().Loads) != 0 {
		t.Errorf("dropoff done %d times, loads %v", n, p.a.Truth().Loads)
	}
	p.tell(protocol.Mission{ID: "M1", Revision: 1, State: protocol.MissionEnded, Epoch: 7, Time: p.now})
	p.expect("10 M1/1 accepted")
	p.tell(protocol.Mission{ID: "M1", Revision: 1, State: protocol.MissionEnded, Epoch: 7, Time: p.now})
	p.expect()
}

func TestUnconfirmedReportsAreSentAgain(t *testing.T) {
	p := newPlay(t, protocol.Rover, 0)
	p.join()
	p.tell(p.delivery(1))
	p.expect("1 M1/1 accepted", "2 L1 started")
	p.pass(4, true)
	p.expect()
	p.pass(2, true)
	p.expect("1 M1/1 accepted", "2 L1 started")
	p.a.Disconnected(p.now)
	p.pass(5, false)
	p.expect()
	p.join()
	p.expect("1 M1/1 accepted", "2 L1 started", "3 L1 begun")
}

func TestAuthorityEndsByTheSendingTimeOfTheLastFrame(t *testing.T) {
	// The vehicle's clock is a minute fast: that must not matter.
	p := newPlay(t, protocol.Rover, time.Minute)
	p.join()
	m := p.delivery(1)
	m.Legs[0].Path[1] = p.position(100, 0, 0) // 50 s away; authority is 20 s.
	p.tell(m)
	p.reports()
	p.tell(protocol.Received{LogID: "log-1", Seq: 2, Time: p.now})
	p.pass(15, false)
	p.tell(protocol.Alive{Time: p.now.Add(-10 * time.Second)}) // Held up for ten seconds.
	p.pass(10, false)
	p.expect()
	p.pass(1, false)
	p.expect("3 L1 abandoned authority_ended", "4 L2 abandoned authority_ended")
	// It goes on to the safe end without working, then takes a newer revision.
	p.pass(110, false)
	if got := len(p.a.Truth().Done); got != 0 || p.a.Body().Moving() {
		t.Errorf("%d stops done without authority, moving %v", got, p.a.Body().Moving())
	}
	p.tell(protocol.Received{LogID: "log-1", Seq: 5, Time: p.now})
	p.reports()
	p.tell(p.delivery(1))
	p.expect()
	p.tell(p.delivery(2))
	p.expect("7 M1/2 accepted", "8 L1 started")
}

func TestRevisionsThatAreRefused(t *testing.T) {
	p := newPlay(t, protocol.Rover, 0)
	p.join()
	p.tell(p.delivery(2))
	p.reports()
	for _, c := range []struct {
		change func(*protocol.Mission)
		want   string
	}{
		{func(m *protocol.Mission) { m.Revision = 1 }, "stale_revision"},
		{func(m *protocol.Mission) { m.Epoch = 6 }, "stale_epoch"},
		{func(m *protocol.Mission) { m.Legs[0].LoadKg = 6 }, "too_heavy"},
		{func(m *protocol.Mission) { m.Legs = append(append(m.Legs, m.Legs...), m.Legs...) }, "too_many_legs"},
		{func(m *protocol.Mission) { m.Legs[1].Path = nil }, "bad_mission"},
	} {
		m := p.delivery(3)
		c.change(&m)
		p.tell(m)
		ack, ok := p.said[len(p.said)-1].(protocol.Ack)
		if !ok || ack.Verdict != protocol.Refused || ack.Reason != c.want {
			t.Errorf("answer %+v, want a refusal for %s", p.said[len(p.said)-1], c.want)
		}
		if p.a.Store().Mission.Revision != 2 {
			t.Fatalf("revision %d is in force, want 2", p.a.Store().Mission.Revision)
		}
	}
}

func TestABegunStopCannotBeTakenAway(t *testing.T) {
	p := newPlay(t, protocol.Rover, 0)
	p.join()
	p.tell(p.delivery(1))
	p.pass(11, true)
	p.reports()
	m := p.delivery(2)
	m.Legs = m.Legs[1:]
	p.tell(m)
	p.tell(protocol.Received{LogID: "log-1", Seq: 3, Time: p.now})
	p.expect("4 M1/2 refused stop_begun")
}

func TestACurrentLegNotBegunIsLeft(t *testing.T) {
	p := newPlay(t, protocol.Rover, 0)
	p.join()
	p.tell(p.delivery(1))
	p.pass(4, true)
	p.reports()
	m := p.delivery(2)
	m.Legs = []protocol.Leg{{
		ID: "L9", Action: protocol.ActionPark, SpeedMPS: 2,
		Path: []protocol.Position{p.position(8, 0, 0), p.position(0, 0, 0)},
	}}
	p.tell(m)
	p.pass(5, true)
	if at := p.a.Body().At; at.Dist(space.XYZ{}) > 0.1 {
		t.Errorf("at %v, want back at the dock", at)
	}
}

func TestWipedStoreKeepsTheTruth(t *testing.T) {
	p := newPlay(t, protocol.Rover, 0)
	p.join()
	p.tell(p.delivery(1))
	p.pass(15, true)
	p.a.Reboot(p.now, true, "log-2")
	p.pass(3, false)
	p.a.Boot()
	p.said = nil
	p.join()
	hello, _ := p.said[0].(protocol.Hello)
	if hello.Mission != nil || hello.LogID != "log-2" || hello.Epoch != 0 {
		t.Errorf("hello after the wipe: %+v", hello)
	}
	if p.a.Truth().Loads["T1"] != 2 || p.a.Body().LoadKg != 2 {
		t.Errorf("loads %v", p.a.Truth().Loads)
	}
	// A second pickup of the same load is impossible, and handing it out is not.
	p.said = nil
	m := p.delivery(2)
	m.Legs = m.Legs[1:]
	p.tell(m)
	p.pass(30, true)
	if p.a.Truth().Done[StopKey{"T1", 2}] != 1 || len(p.a.Truth().Breaches) != 0 {
		t.Errorf("truth %+v", p.a.Truth())
	}
}

func TestRebootWithItsStoreGoesOn(t *testing.T) {
	p := newPlay(t, protocol.Rover, 0)
	p.join()
	p.tell(p.delivery(1))
	p.pass(11, true)
	p.a.Reboot(p.now, false, "")
	p.pass(5, false)
	p.a.Boot()
	p.said = nil
	p.join()
	p.pass(10, true)
	if p.a.Truth().Done[StopKey{"T1", 1}] != 1 {
		t.Errorf("the begun pickup was done %d times, want once", p.a.Truth().Done[StopKey{"T1", 1}])
	}
}

func TestCommands(t *testing.T) {
	p := newPlay(t, protocol.Multirotor, 0)
	p.join()
	m := p.delivery(1)
	for i := range m.Legs {
		m.Legs[i].Path[0].AltitudeM, m.Legs[i].Path[1].AltitudeM = 30, 30
		m.Legs[i].SpeedMPS = 1
	}
	p.tell(m)
	p.pass(10, true)
	p.reports()
	later := p.now.Add(time.Minute)
	p.tell(protocol.Command{ID: "C1", Kind: protocol.CommandHold, Epoch: 7, Time: p.now, ExpiresAt: later})
	at := p.a.Body().At
	p.pass(5, true)
	if p.a.Body().At != at {
		t.Errorf("moved while held: %v, was %v", p.a.Body().At, at)
	}
	p.tell(protocol.Command{ID: "C1", Kind: protocol.CommandHold, Epoch: 7, Time: p.now, ExpiresAt: later})
	p.tell(protocol.Command{ID: "C2", Kind: protocol.CommandStop, Epoch: 7, Time: p.now, ExpiresAt: later})
	p.tell(protocol.Command{ID: "C3", Kind: protocol.CommandResume, Epoch: 7, Time: p.now, ExpiresAt: p.now.Add(-time.Second)})
	p.tell(protocol.Received{LogID: "log-1", Seq: 6, Time: p.now})
	p.said = nil
	p.tell(protocol.Command{ID: "C4", Kind: protocol.CommandLand, Epoch: 7, Time: p.now, ExpiresAt: later})
	p.pass(12, true)
	if !p.a.Body().Landed() || p.a.Store().Mission != nil {
		t.Errorf("at %v with mission %v, want landed without", p.a.Body().At, p.a.Store().Mission)
	}
	got := p.reports()
	if last := got[len(got)-1]; last != "8 C4 done " {
		t.Errorf("last report %q", last)
	}
}

func TestChargingWaitsForTheRatio(t *testing.T) {
	p := newPlay(t, protocol.Rover, 0)
	p.a.Body().EnergyWh = 0.5 * p.a.Body().Figures.BatteryWh
	p.join()
	m := p.delivery(1)
	m.Legs = []protocol.Leg{
		{ID: "L1", Site: "C", Action: protocol.ActionCharge, SpeedMPS: 2, ChargeToRatio: 0.6, Path: []protocol.Position{p.position(0, 0, 0), p.position(4, 0, 0)}},
		{ID: "L2", Site: "C", Action: protocol.ActionPark, SpeedMPS: 2, Path: []protocol.Position{p.position(4, 0, 0)}},
	}
	p.tell(m)
	p.pass(1500, true)
	if r := p.a.Body().BatteryRatio(); r < 0.59 || r > 0.61 {
		t.Errorf("charged to %.3f, want 0.6", r)
	}
	if p.a.Store().Mission.Own[1].State != protocol.LegDone {
		t.Errorf("legs %+v", p.a.Store().Mission.Own)
	}
}

func TestNotBeforeIsWaitedFor(t *testing.T) {
	p := newPlay(t, protocol.Rover, 0)
	p.join()
	m := p.delivery(1)
	m.Legs[0].NotBefore = p.now.Add(30 * time.Second)
	p.tell(m)
	p.pass(29, true)
	if s := p.a.Store().Mission.Own[0].State; s != protocol.LegStarted {
		t.Errorf("leg is %s before its time", s)
	}
	p.pass(1, true)
	if s := p.a.Store().Mission.Own[0].State; s != protocol.LegBegun {
		t.Errorf("leg is %s at its time", s)
	}
}

func TestDropoffWithoutTheLoadFails(t *testing.T) {
	p := newPlay(t, protocol.Rover, 0)
	p.join()
	m := p.delivery(1)
	m.Legs = m.Legs[1:]
	p.tell(m)
	p.pass(60, true)
	if len(p.a.Truth().Done) != 0 || len(p.a.Truth().Breaches) != 1 {
		t.Errorf("truth %+v", p.a.Truth())
	}
}

func TestAnAircraftBesideItsPathCrossesOverAtItsHeight(t *testing.T) {
	p := newPlay(t, protocol.Multirotor, 0)
	p.join()
	m := p.delivery(1)
	m.Legs = m.Legs[:1]
	m.Legs[0].SpeedMPS = 10
	m.Legs[0].Path = []protocol.Position{
		p.position(100, 0, 0), p.position(100, 0, 40), p.position(200, 0, 40), p.position(200, 0, 0),
	}
	p.tell(m)
	for range 60 {
		p.pass(1, true)
		if at := p.a.Body().At; at.Z < 39 && at.X > 1 && at.X < 199 {
			t.Fatalf("crosses over at %v, below the height of its path", at)
		}
	}
	if at := p.a.Body().At; at.Dist(space.XYZ{X: 200}) > 1 {
		t.Errorf("ended at %v", at)
	}
}

// The path climbs a hill later on; beside its begin the aircraft does not rise to
// the top of that, but above the ground between.
func TestAnAircraftJoinsAPathOverAHillWhereItIs(t *testing.T) {
	p := newPlay(t, protocol.Multirotor, 0)
	p.a.Body().Ground = func(at space.XY) float64 { return max(0, (at.X-300)/2) + max(0, 25-math.Abs(at.X-50)) }
	p.join()
	m := p.delivery(1)
	m.Legs = m.Legs[:1]
	m.Legs[0].SpeedMPS = 10
	m.Legs[0].Path = []protocol.Position{
		p.position(100, 0, 0), p.position(100, 0, 40), p.position(300, 0, 40), p.position(700, 0, 240), p.position(700, 0, 200),
	}
	p.tell(m)
	for range 120 {
		p.pass(1, true)
		at := p.a.Body().At
		if over := at.Z - p.a.Body().GroundBelowM(); at.X > 1 && at.X < 699 && over < 39 {
			t.Fatalf("at %v it is %.0f m above ground", at, over)
		}
		if at.X < 150 && at.Z > 66 {
			t.Fatalf("at %v it rises to the top of the hill", at)
		}
	}
	if at := p.a.Body().At; at.Dist(space.XYZ{X: 700, Z: 200}) > 1 || !p.a.Body().Landed() {
		t.Errorf("ended at %v", at)
	}
}

// What lies beyond an abandoned stop was planned for after its work, a zone that
// will have ended by then, say: the vehicle leaves it no sooner.
func TestAnAbandonedStopIsLeftNoSoonerThanPlanned(t *testing.T) {
	p := newPlay(t, protocol.Rover, 0)
	p.join()
	m := p.delivery(1)
	m.Legs[0].Path[1] = p.position(100, 0, 0) // 50 s away; authority is 20 s.
	m.Legs[0].WorkS = 30
	m.Legs[1].Path[0] = p.position(100, 0, 0)
	m.Legs[0].NotBefore = p.now.Add(80 * time.Second)
	p.tell(m)
	p.pass(105, false)
	if at := p.a.Body().At; math.Abs(at.X-100) > 0.1 || len(p.a.Truth().Done) > 0 {
		t.Errorf("at %v with %d stops done, want to wait at the abandoned stop", at, len(p.a.Truth().Done))
	}
	p.pass(10, false)
	if at := p.a.Body().At; at.X > 95 {
		t.Errorf("at %v, want to have left", at)
	}
}

// A frame that the network delivers again brings no mission back.
func TestAnEndedMissionIsNotTakenUpAgain(t *testing.T) {
	p := newPlay(t, protocol.Rover, 0)
	p.join()
	first := p.delivery(1)
	p.tell(first)
	p.tell(protocol.Mission{ID: "M1", Revision: 1, State: protocol.MissionEnded, Epoch: 7, Time: p.now})
	p.reports()
	p.a.Disconnected(p.now)
	p.join()
	p.tell(protocol.Received{LogID: "log-1", Seq: 9, Time: p.now})
	p.reports()
	p.tell(first)
	p.pass(30, true)
	p.expect()
	if p.a.Body().At.X != 0 {
		t.Errorf("it went to %v for a mission that is over", p.a.Body().At)
	}
}
