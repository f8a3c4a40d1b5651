package agent

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/kapok-fleet/kapok/planner/space"
	"github.com/kapok-fleet/kapok/protocol"
	"github.com/kapok-fleet/kapok/sim/body"
)

// lose lets the link be lost for so many seconds.
func (p *play) lose(seconds int) {
	p.a.Disconnected(p.now)
	p.pass(seconds, false)
}

func TestALostLinkOverALongFlight(t *testing.T) {
	for _, c := range []struct {
		do     LinkAction
		after  int
		x, z   float64
		landed bool
	}{
		{LinkContinue, 60, 400, 60, false},
		{LinkHold, 60, 250, 60, false},
		{LinkReturn, 60, 0, 0, true},
		{LinkLand, 60, 250, 0, true},
	} {
		p := newPlay(t, protocol.Multirotor, 0)
		p.a.options.LostLink = LostLink{Do: c.do, After: 15 * time.Second}
		p.join()
		p.tell(p.flight(1000, 10))
		// 14 s of climbing, then 10 m/s; the failsafe comes after 15 s more.
		p.pass(23, true)
		p.tell(protocol.Alive{Time: p.now})
		p.lose(c.after - 30)
		p.lose(30)
		at := p.a.Body().At
		if c.do == LinkContinue {
			if at.X < 600 {
				t.Errorf("%s: at %v, want to go on", c.do, at)
			}
			continue
		}
		if math.Abs(at.X-c.x) > 20 || math.Abs(at.Z-c.z) > 0.1 || p.a.Body().Landed() != c.landed {
			t.Errorf("%s: at %v, want %g, %g", c.do, at, c.x, c.z)
		}
		// Authority has not ended: the mission is taken up again.
		p.join()
		p.pass(150, true)
		if at := p.a.Body().At; at.Dist(space.XYZ{X: 1000}) > 1 && p.a.Truth().Done[StopKey{"T1", 1}] != 1 {
			t.Errorf("%s: with the link back it is at %v", c.do, at)
		}
	}
}

// Whatever the failsafe does, the stops are abandoned with the authority, and a
// vehicle that has gone home waits there for a newer revision.
func TestAfterAReturnWithoutAuthorityANewRevisionIsNeeded(t *testing.T) {
	p := newPlay(t, protocol.Rover, 0)
	p.a.options.LostLink = LostLink{Do: LinkReturn, After: 10 * time.Second}
	p.join()
	m := p.far(100, 2)
	m.TaskAuthorityS = 20
	p.tell(m)
	p.pass(20, true)
	p.reports()
	p.lose(80)
	if at := p.a.Body().At; at.Dist(space.XYZ{}) > 0.1 {
		t.Errorf("at %v, want at home", at)
	}
	p.join()
	p.pass(20, true)
	if p.a.Body().Moving() || p.a.Truth().Begun.Len() != 0 {
		t.Error("it goes on without a revision")
	}
	var abandoned bool
	for _, r := range p.reports() {
		abandoned = abandoned || strings.Contains(r, "L1 abandoned authority_ended")
	}
	if !abandoned {
		t.Error("the stop was not abandoned")
	}
	m.Revision = 2
	p.tell(m)
	p.pass(60, true)
	if p.a.Truth().Done[StopKey{"T1", 1}] != 1 {
		t.Errorf("the new revision was not carried out: %v", p.a.Body().At)
	}
}

func TestBegunWorkIsFinishedWithoutALink(t *testing.T) {
	p := newPlay(t, protocol.Rover, 0)
	p.a.options.LostLink = LostLink{Do: LinkReturn, After: 5 * time.Second}
	p.join()
	m := p.far(20, 2)
	m.Legs[0].WorkS = 30
	p.tell(m)
	p.pass(11, true)
	p.lose(25)
	if p.a.Truth().Begun.Len() != 1 || math.Abs(p.a.Body().At.X-20) > 0.01 {
		t.Errorf("left its work, at %v", p.a.Body().At)
	}
	p.pass(30, false)
	if p.a.Truth().Done[StopKey{"T1", 1}] != 1 || p.a.Body().At.X > 0.1 {
		t.Errorf("at %v", p.a.Body().At)
	}
}

func TestAMissionBeyondTheReserveIsRefused(t *testing.T) {
	p := newPlay(t, protocol.Multirotor, 0)
	p.join()
	p.a.Body().EnergyWh = 400
	// At 10 m/s a kilometre takes about 37 Wh; 160 Wh are the reserve.
	p.tell(p.flight(3000, 10))
	p.expect("1 M1/1 refused low_battery")
	p.tell(p.flight(1500, 10))
	p.expect("2 M1/1 accepted", "3 L1 started")
	if p.a.Truth().Emergencies.Len() != 0 {
		t.Error("a refusal is no emergency")
	}
	// The wind makes the same way longer.
	q := newPlay(t, protocol.Multirotor, 0)
	q.a.options.Wind = body.NewWind(14, 90, 0, 1)
	q.a.body.Forecast = q.a.options.Wind.Mean(time.Time{})
	q.join()
	q.a.Body().EnergyWh = 400
	q.tell(q.flight(1500, 10))
	q.expect("1 M1/1 refused low_battery")
}

func TestAVehicleWithLittleMayGoToACharger(t *testing.T) {
	p := newPlay(t, protocol.Multirotor, 0)
	p.join()
	p.a.Body().EnergyWh = 150
	m := p.flight(400, 10)
	m.Legs = m.Legs[:1]
	m.Legs[0].Task, m.Legs[0].Stop, m.Legs[0].Site = "", 0, "C"
	m.Legs[0].Action, m.Legs[0].ChargeToRatio = protocol.ActionCharge, 0.5
	p.tell(m)
	p.pass(90, true)
	if at := p.a.Body().At; at.Dist(space.XYZ{X: 400}) > 0.1 {
		t.Errorf("at %v, want at the charger", at)
	}
	if !p.a.Truth().InEmergency() {
		t.Error("flew below its reserve without a word")
	}
	p.pass(1500, true)
	if p.a.Truth().InEmergency() || p.a.Truth().Emergencies.Len() != 1 {
		t.Errorf("emergencies %+v", p.a.Truth().Emergencies.Since(0))
	}
}

// Cells fail in flight: what is left does not last to the end, and the way back is
// shorter.
func TestCellsThatFailInFlight(t *testing.T) {
	for _, c := range []struct {
		name   string
		share  float64
		x      float64
		reason string
	}{
		{"back", 0.70, 0, "it goes back"},
		{"down", 0.86, 1000, "it comes down here"},
	} {
		p := newPlay(t, protocol.Multirotor, 0)
		p.join()
		p.tell(p.flight(8000, 10))
		p.pass(114, true)
		p.tell(protocol.Received{LogID: "log-1", Seq: 2, Time: p.now})
		p.reports()
		p.suffer(CellDrop, c.share)
		for range 260 {
			p.pass(1, true)
			if p.a.Body().EnergyWh < p.a.ReserveWh() && !p.a.Truth().InEmergency() {
				t.Fatalf("%s: below the reserve without an emergency", c.name)
			}
		}
		at := p.a.Body().At
		if math.Abs(at.X-c.x) > 60 || !p.a.Body().Landed() || p.a.Body().Dead() {
			t.Errorf("%s: at %v with %.0f Wh, want %g m", c.name, at, p.a.Body().EnergyWh, c.x)
		}
		if e := p.a.Truth().Emergencies.Since(0); len(e) != 1 || !strings.Contains(e[0].Reason, c.reason) {
			t.Errorf("%s: emergencies %+v", c.name, e)
		}
		got := strings.Join(p.reports(), ", ")
		if !strings.Contains(got, "fault low_battery false") || !strings.Contains(got, "L1 abandoned low_battery") {
			t.Errorf("%s: it says %s", c.name, got)
		}
		if strings.Contains(got, "fault low_battery true") != (c.name == "back") {
			t.Errorf("%s: help is needed or not: %s", c.name, got)
		}
		p.a.SwapBattery(p.now)
		if p.a.Body().EnergyWh >= 200 && p.a.Truth().InEmergency() || p.a.Store().LowBattery {
			t.Errorf("%s: after the battery was changed, %.0f Wh", c.name, p.a.Body().EnergyWh)
		}
	}
}

func TestAHeldAircraftComesHomeInTime(t *testing.T) {
	p := newPlay(t, protocol.Multirotor, 0)
	p.join()
	p.tell(p.flight(2000, 10))
	p.pass(100, true)
	p.tell(protocol.Command{ID: "C1", Kind: protocol.CommandHold, Epoch: 7, Time: p.now})
	p.pass(3600, true)
	if !p.a.Body().Landed() || p.a.Body().Dead() || p.a.Truth().Emergencies.Len() != 1 {
		t.Errorf("at %v with %.0f Wh, emergencies %+v", p.a.Body().At, p.a.Body().EnergyWh, p.a.Truth().Emergencies.Since(0))
	}
}

func TestAFrozenOrBrokenAircraftDoesNotFall(t *testing.T) {
	for _, kind := range []string{Frozen, Broken, GNSSLoss, Liar} {
		p := newPlay(t, protocol.Multirotor, 0)
		p.join()
		p.tell(p.flight(2000, 10))
		p.pass(100, true)
		p.suffer(kind, 0)
		p.pass(3600, true)
		if !p.a.Body().Landed() || p.a.Body().Dead() {
			t.Errorf("%s: at %v with %.0f Wh", kind, p.a.Body().At, p.a.Body().EnergyWh)
		}
	}
}

// Below is a house; to the east, 30 m away, is a yard.
func TestWhoMustComeDownLooksForFreeGround(t *testing.T) {
	p := newPlay(t, protocol.Multirotor, 0)
	p.a.options.LostLink = LostLink{Do: LinkLand, After: 5 * time.Second}
	p.a.options.Clear = func(at space.XYZ) bool { return at.Z > 20 || at.X > 130 && at.X < 400 }
	p.join()
	p.tell(p.flight(1000, 10))
	p.pass(20, true)
	p.lose(100)
	if at := p.a.Body().At; !p.a.Body().Landed() || at.X <= 130 {
		t.Errorf("came down at %v", at)
	}
}

func TestTheImpossibleIsRefusedWithAReason(t *testing.T) {
	nan := math.NaN()
	for _, c := range []struct {
		name   string
		change func(p *play, m *protocol.Mission)
		want   string
	}{
		{"far away", func(p *play, m *protocol.Mission) {
			m.Legs[0].Path = []protocol.Position{p.position(5000, 0, 0), p.position(5020, 0, 0)}
		}, "unreachable"},
		{"a gap", func(p *play, m *protocol.Mission) {
			m.Legs[1].Path = []protocol.Position{p.position(5000, 0, 0), p.position(5020, 0, 0)}
		}, "unreachable"},
		{"an action", func(_ *play, m *protocol.Mission) { m.Legs[0].Action = "dance" }, "unsupported"},
		{"a speed", func(_ *play, m *protocol.Mission) { m.Legs[0].SpeedMPS = -1 }, "bad_mission"},
		{"speeds", func(_ *play, m *protocol.Mission) { m.Legs[0].SpeedsMPS = []float64{nan} }, "bad_mission"},
		{"work", func(_ *play, m *protocol.Mission) { m.Legs[0].WorkS = math.Inf(1) }, "bad_mission"},
		{"a place", func(_ *play, m *protocol.Mission) { m.Legs[0].Path[1].Lat = nan }, "bad_mission"},
		{"authority", func(_ *play, m *protocol.Mission) { m.TaskAuthorityS = -5 }, "bad_mission"},
		{"a stop", func(_ *play, m *protocol.Mission) { m.Legs[0].Stop = 0 }, "bad_mission"},
		{"a load", func(_ *play, m *protocol.Mission) { m.Legs[0].LoadKg = nan }, "bad_mission"},
	} {
		p := newPlay(t, protocol.Rover, 0)
		p.join()
		m := p.delivery(1)
		c.change(p, &m)
		p.tell(m)
		if got := p.reports(); len(got) != 1 || got[0] != "1 M1/1 refused "+c.want {
			t.Errorf("%s: %q, want a refusal for %s", c.name, got, c.want)
		}
	}
}

func TestCommandsThatAreRefused(t *testing.T) {
	p := newPlay(t, protocol.Rover, 0)
	p.join()
	far := []protocol.Position{p.position(9000, 0, 0), p.position(8000, 0, 0)}
	home := []protocol.Position{p.position(0, 0, 0), p.position(100, 0, 0)}
	for _, c := range []struct {
		command protocol.Command
		want    string
	}{
		{protocol.Command{ID: "C1", Kind: protocol.CommandLand, Epoch: 7}, "1 C1 refused unsupported"},
		{protocol.Command{ID: "C2", Kind: "dance", Epoch: 7}, "2 C2 refused unsupported"},
		{protocol.Command{ID: "C3", Kind: protocol.CommandReturn, Epoch: 7, Path: far}, "3 C3 refused unreachable"},
		{protocol.Command{ID: "C4", Kind: protocol.CommandReturn, Epoch: 7, Path: home, SpeedMPS: -1}, "4 C4 refused bad_command"},
		{protocol.Command{ID: "C5", Kind: protocol.CommandReturn, Epoch: 6, Path: home}, "5 C5 refused stale_epoch"},
		{protocol.Command{ID: "C6", Kind: protocol.CommandReturn, Epoch: 7, Path: home}, "6 C6 accepted "},
	} {
		p.tell(c.command)
		if got := p.reports(); len(got) != 1 || got[0] != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
	if o := p.a.Truth().Obeyed.Since(0); len(o) != 1 || o[0].Command != "C6" || o[0].SeenEpoch != 7 || !o[0].At.Equal(p.now) {
		t.Errorf("obeyed %+v", o)
	}
}

func TestTheTruthOfADelivery(t *testing.T) {
	p := newPlay(t, protocol.Rover, 0)
	p.join()
	p.tell(p.delivery(1))
	p.pass(40, true)
	begun, handled := p.a.Truth().Begun.Since(0), p.a.Truth().Handled.Since(0)
	if len(begun) != 2 || begun[1].StopKey != (StopKey{"T1", 2}) || begun[1].At.After(begun[1].AuthorityEnds) {
		t.Errorf("begun %+v", begun)
	}
	if len(handled) != 2 || handled[0].Kg != 2 || !handled[0].OnBoard || handled[1].Kg != -2 || handled[1].OnBoard {
		t.Errorf("handled %+v", handled)
	}
	if o := p.a.Truth().Obeyed.Since(0); len(o) != 1 || o[0].Command != "M1/1" || o[0].Kind != "mission" {
		t.Errorf("obeyed %+v", o)
	}
}

func TestALogKeepsItsLastEntries(t *testing.T) {
	var l Log[int]
	for i := range 5*MaxRecords + 7 {
		l.add(i)
	}
	got := l.Since(l.Len() - 3)
	if len(got) != 3 || got[0] != l.Len()-3 || len(l.Since(0)) < MaxRecords || len(l.Since(l.Len())) != 0 {
		t.Errorf("of %d entries: %v, %d kept", l.Len(), got, len(l.Since(0)))
	}
}
