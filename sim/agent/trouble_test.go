package agent

import (
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/kapok-fleet/kapok/protocol"
)

// suffer begins a trouble that exists.
func (p *play) suffer(kind string, amount float64) {
	p.t.Helper()
	if err := p.a.Suffer(p.now, Trouble{Kind: kind, Amount: amount}); err != nil {
		p.t.Fatal(err)
	}
}

// last is the newest sample, in metres of the frame.
func (p *play) last() (x, y float64, s protocol.Sample) {
	p.t.Helper()
	for i := len(p.said) - 1; i >= 0; i-- {
		if m, ok := p.said[i].(protocol.Telemetry); ok {
			s = m.Samples[0]
			at := p.a.xyz([]protocol.Position{s.Position})[0]
			return at.X, at.Y, s
		}
	}
	p.t.Fatal("nothing was measured")
	return 0, 0, s
}

// far is a mission with one visit so many metres to the east, and back.
func (p *play) far(metres, mps float64) protocol.Mission {
	m := p.delivery(1)
	m.TaskAuthorityS = 600
	m.Legs = []protocol.Leg{p.leg("L1", "T1", 1, protocol.ActionVisit, 0, metres, 0), {
		ID: "L2", Site: "dock", Action: protocol.ActionPark, SpeedMPS: mps,
		Path: []protocol.Position{p.position(metres, 0, 0), p.position(0, 0, 0)},
	}}
	m.Legs[0].SpeedMPS = mps
	return m
}

// flight is a visit by air, at 60 m.
func (p *play) flight(metres, mps float64) protocol.Mission {
	m := p.far(metres, mps)
	m.Legs[0].Path = []protocol.Position{p.position(0, 0, 0), p.position(0, 0, 60), p.position(metres, 0, 60), p.position(metres, 0, 0)}
	m.Legs[1].Path = []protocol.Position{p.position(metres, 0, 0), p.position(metres, 0, 60), p.position(0, 0, 60), p.position(0, 0, 0)}
	return m
}

func TestAnUnknownTroubleIsAnError(t *testing.T) {
	p := newPlay(t, protocol.Rover, 0)
	if err := p.a.Suffer(p.now, Trouble{Kind: "disk_full"}); !errors.Is(err, ErrTrouble) {
		t.Errorf("error %v", err)
	}
	for _, kind := range Troubles() {
		p.suffer(kind, 0.5)
		if kind != CellDrop && !p.a.Suffers(kind) {
			t.Errorf("%s was begun and is not there", kind)
		}
		p.a.Recover(p.now, kind)
		if p.a.Suffers(kind) {
			t.Errorf("%s was recovered from and is there", kind)
		}
	}
}

// A clock that jumps back by an hour stamps other times, and gives no longer
// authority.
func TestAClockThatJumpsDoesNotProlongAuthority(t *testing.T) {
	p := newPlay(t, protocol.Rover, 0)
	p.join()
	m := p.far(100, 2)
	m.TaskAuthorityS = 20
	p.tell(m)
	p.reports()
	p.suffer(ClockJump, -3600)
	p.pass(2, false)
	if _, _, s := p.last(); p.now.Sub(s.Time) < 59*time.Minute {
		t.Errorf("a sample at %v is stamped %v", p.now, s.Time)
	}
	p.tell(protocol.Received{LogID: "log-1", Seq: 2, Time: p.now})
	p.pass(20, false)
	p.expect()
	p.pass(1, false)
	p.expect("3 L1 abandoned authority_ended")
	p.a.Recover(p.now, ClockJump)
	p.pass(1, false)
	if _, _, s := p.last(); s.Time != p.now {
		t.Errorf("a sample at %v is stamped %v after the clock was set right", p.now, s.Time)
	}
}

// A jump between the greeting and its answer must not be taken for a difference
// of the clocks.
func TestAJumpWhileGreetingIsNoDifference(t *testing.T) {
	p := newPlay(t, protocol.Rover, 0)
	p.said = p.a.Connected(p.now, p.said)
	hello, _ := p.said[len(p.said)-1].(protocol.Hello)
	p.suffer(ClockJump, 90)
	p.tell(protocol.Welcome{Epoch: 7, TelemetryIntervalS: 1, AliveIntervalS: 5, HelloTime: hello.Time, Time: p.now, LogID: "log-1"})
	if got := p.a.kapokTime(p.now); got != p.now {
		t.Errorf("it takes Kapok's clock for %v, it is %v", got, p.now)
	}
}

func TestASlowClockIsSetForwardByFrames(t *testing.T) {
	p := newPlay(t, protocol.Rover, 0)
	p.join()
	p.suffer(ClockDrift, -100_000)
	p.pass(100, true)
	p.tell(protocol.Alive{Time: p.now})
	if behind := p.now.Sub(p.a.kapokTime(p.now)); behind != 0 {
		t.Errorf("Kapok's clock is taken to be %v behind", behind)
	}
	if late := p.now.Sub(p.a.clock(p.now)); late != 10*time.Second {
		t.Errorf("its clock is %v late, want 10 s", late)
	}
	p.a.Recover(p.now, ClockDrift)
	p.pass(50, true)
	if late := p.now.Sub(p.a.clock(p.now)); late != 10*time.Second {
		t.Errorf("its clock is %v late after the recovery, want 10 s", late)
	}
}

func TestNoiseAndTeleportAreOfReportsAlone(t *testing.T) {
	p := newPlay(t, protocol.Rover, 0)
	p.join()
	p.tell(p.far(200, 2))
	p.suffer(GNSSNoise, 5)
	sum, n := 0.0, 0
	for range 60 {
		p.pass(1, true)
		x, y, _ := p.last()
		at := p.a.Body().At
		sum += (x-at.X)*(x-at.X) + (y-at.Y)*(y-at.Y)
		n += 2
	}
	if sd := math.Sqrt(sum / float64(n)); sd < 3.5 || sd > 6.5 {
		t.Errorf("positions scatter with %.1f m, want 5", sd)
	}
	p.a.Recover(p.now, GNSSNoise)
	p.suffer(GNSSTeleport, 3000)
	p.pass(1, true)
	if x, y, _ := p.last(); math.Abs(y-3000) > 0.1 || math.Abs(x-122) > 0.1 || p.a.Body().At.Y != 0 {
		t.Errorf("teleported to %.1f, %.1f, in truth at %v", x, y, p.a.Body().At)
	}
}

func TestABiasedVehicleGoesBesideItsPath(t *testing.T) {
	p := newPlay(t, protocol.Rover, 0)
	p.join()
	p.tell(p.far(200, 2))
	p.pass(10, true)
	p.suffer(GNSSBias, 15)
	p.pass(5, true)
	if got := p.a.Body().Bias.X; math.Abs(got-5) > 1e-9 {
		t.Errorf("after 5 s it errs by %g m, want 5", got)
	}
	p.pass(85, true)
	if x, _, _ := p.last(); math.Abs(x-200) > 0.1 || math.Abs(p.a.Body().At.X-185) > 0.1 {
		t.Errorf("says %.1f m, is at %v, want 200 and 185", x, p.a.Body().At)
	}
	if p.a.Truth().Begun.Len() != 1 {
		t.Error("it did not begin its work where it took itself to be")
	}
}

func TestWithoutPositionsAVehicleHolds(t *testing.T) {
	p := newPlay(t, protocol.Multirotor, 0)
	p.join()
	p.tell(p.flight(1000, 10))
	p.pass(40, true)
	at := p.a.Body().At
	p.suffer(GNSSLoss, 0)
	p.pass(20, true)
	x, _, s := p.last()
	if p.a.Body().At != at || math.Abs(x-at.X) > 0.1 || s.SpeedMPS != 0 {
		t.Errorf("at %v, was at %v, says %.1f m at %g m/s", p.a.Body().At, at, x, s.SpeedMPS)
	}
	p.a.Recover(p.now, GNSSLoss)
	p.pass(10, true)
	if p.a.Body().At.X < at.X+90 {
		t.Errorf("did not go on: %v", p.a.Body().At)
	}
}

func TestLostCellsEndTheChargingEarly(t *testing.T) {
	p := newPlay(t, protocol.Rover, 0)
	p.suffer(CellDrop, 0.5)
	if r := p.a.Body().BatteryRatio(); math.Abs(r-0.4) > 0.01 {
		t.Errorf("the ratio is %.2f, want 0.4", r)
	}
	p.join()
	m := p.far(10, 2)
	m.Legs = []protocol.Leg{{ID: "L1", Site: "C", Action: protocol.ActionCharge, SpeedMPS: 2, ChargeToRatio: 0.9, Path: []protocol.Position{p.position(0, 0, 0), p.position(4, 0, 0)}}}
	p.tell(m)
	p.pass(1200, true)
	if own := p.a.Store().Mission.Own[0]; own.State != protocol.LegDone || math.Abs(p.a.Body().BatteryRatio()-0.5) > 0.01 {
		t.Errorf("leg %s with a charge of %.2f", own.State, p.a.Body().BatteryRatio())
	}
}

func TestAFailingDriveIsSlow(t *testing.T) {
	p := newPlay(t, protocol.Rover, 0)
	p.join()
	p.tell(p.far(200, 3))
	p.suffer(DriveFailure, 0.5)
	p.expectAt("half the speed", 20, 30)
	p.suffer(DriveFailure, 0)
	p.expectAt("no speed", 20, 30)
	p.a.Recover(p.now, DriveFailure)
	p.expectAt("one of two recovered", 10, 30)
	p.a.Recover(p.now, DriveFailure)
	p.expectAt("well again", 10, 60)
}

func TestAFrozenMindTalksAndDoesNothing(t *testing.T) {
	p := newPlay(t, protocol.Rover, 0)
	p.join()
	p.tell(p.far(200, 2))
	p.pass(10, true)
	p.tell(protocol.Received{LogID: "log-1", Seq: 2, Time: p.now})
	p.reports()
	p.suffer(Frozen, 0)
	p.pass(10, true)
	if _, _, s := p.last(); s.SpeedMPS != 2 || s.Mode != protocol.ModeTravel || p.a.Body().At.X != 20 {
		t.Errorf("says %g m/s and %s at %v", s.SpeedMPS, s.Mode, p.a.Body().At)
	}
	p.tell(protocol.Command{ID: "C1", Kind: protocol.CommandHold, Epoch: 7, Time: p.now})
	p.pass(1, true)
	p.expect()
	p.a.Recover(p.now, Frozen)
	p.pass(1, true)
	p.expect("3 C1 accepted", "4 C1 done")
	if p.a.LinkDead(p.now) {
		t.Error("the link is dead")
	}
	p.suffer(Frozen, 0)
	for range MaxWaiting + 1 {
		p.tell(protocol.Alive{Time: p.now})
	}
	if !p.a.LinkDead(p.now) {
		t.Error("the link takes any number of messages")
	}
}

func TestALiarStandsStill(t *testing.T) {
	p := newPlay(t, protocol.Rover, 0)
	p.join()
	p.tell(p.far(60, 2))
	p.pass(10, true)
	p.reports()
	p.suffer(Liar, 0)
	p.pass(40, true)
	if x, _, _ := p.last(); math.Abs(x-60) > 0.1 || p.a.Body().At.X != 20 {
		t.Errorf("says %.1f m, is at %v", x, p.a.Body().At)
	}
	if n := p.a.Truth().Begun.Len(); n != 0 {
		t.Errorf("%d stops begun", n)
	}
	p.a.Recover(p.now, Liar)
	p.pass(22, true)
	p.pass(1, true)
	if x, _, _ := p.last(); math.Abs(x-60) > 0.1 || p.a.Truth().Done[StopKey{"T1", 1}] != 1 {
		t.Errorf("says %.1f m, is at %v", x, p.a.Body().At)
	}
}

func TestASlowMindAnswersLate(t *testing.T) {
	p := newPlay(t, protocol.Rover, 0)
	p.join()
	p.suffer(Slow, 5)
	p.tell(p.far(60, 2))
	p.tell(protocol.Command{ID: "C1", Kind: protocol.CommandHold, Epoch: 7, Time: p.now, ExpiresAt: p.now.Add(3 * time.Second)})
	p.pass(4, false)
	p.expect()
	p.pass(1, false)
	p.expect("1 M1/1 accepted", "2 L1 started", "3 C1 refused expired")
}

func TestSomeRefuseAndSomeForget(t *testing.T) {
	p := newPlay(t, protocol.Rover, 0)
	p.join()
	p.suffer(Refusing, 0)
	p.tell(p.far(60, 2))
	p.expect("1 M1/1 refused busy")
	p.a.Recover(p.now, Refusing)
	p.tell(p.far(60, 2))
	p.pass(5, true)
	p.suffer(Forgetful, 0)
	p.tell(protocol.Received{LogID: "log-1", Seq: 3, Time: p.now})
	p.reports()
	p.pass(5, true)
	if p.a.Store().Mission != nil || p.a.Body().At.X != 10 {
		t.Errorf("holds %v at %v", p.a.Store().Mission, p.a.Body().At)
	}
	for _, r := range p.reports() {
		if !strings.Contains(r, "accepted") && !strings.Contains(r, "started") {
			t.Errorf("it says %q", r)
		}
	}
	again := p.far(60, 2)
	again.Revision = 2
	p.tell(again)
	p.pass(30, true)
	if p.a.Store().Mission == nil {
		t.Error("forgot at once")
	}
	p.pass(31, true)
	if p.a.Store().Mission != nil {
		t.Error("did not forget")
	}
}
