package fleet_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/kapok-fleet/kapok/fleet"
	"github.com/kapok-fleet/kapok/planner/space"
	"github.com/kapok-fleet/kapok/protocol"
)

// witness follows one vehicle's samples, whose places are metres east of the
// chart's centre.
type witness struct {
	*squad
	session fleet.SessionID
	charge  float64
	speed   float64
	mode    protocol.Mode
	beyond  int
}

func newWitness(t *testing.T, kind protocol.Kind, model string) *witness {
	w := &witness{squad: newSquadWith(t, func(c *fleet.Config) { c.TrustSamples = false }), charge: 0.8, mode: protocol.ModeIdle}
	w.join(kind, model, "s1")
	return w
}

func (w *witness) join(kind protocol.Kind, model string, session fleet.SessionID) {
	w.session = session
	w.step(fleet.Joined{Vehicle: "v", Session: session, Hello: protocol.Hello{Kind: kind, Model: model, LogID: "l", Time: w.now}})
}

// says has the vehicle send one sample for each place, a second apart.
func (w *witness) says(east ...float64) {
	for _, x := range east {
		w.now = w.now.Add(time.Second)
		p := w.at(x, 0, 0)
		out := w.step(fleet.Telemetry{Vehicle: "v", Session: w.session, Samples: []protocol.Sample{{
			Time: w.now, Position: protocol.Position(p), BatteryRatio: w.charge, SpeedMPS: w.speed, Mode: w.mode,
		}}}, fleet.Tick{})
		w.beyond += out.Implausible
	}
}

// is tells where the vehicle is known to be, and which alerts stand.
func (w *witness) is() string {
	p := w.fleet.State().Volatile.Presences["v"]
	at := w.chart.Frame.XYZ(space.Position(p.Sample.Position))
	s := fmt.Sprintf("at %.0f since %v", at.X, w.now.Sub(p.Sample.Time))
	for _, a := range w.fleet.State().Durable.Alerts {
		if a.Open() && strings.HasPrefix(string(a.Kind), "implausible") {
			s += " " + string(a.Kind)
		}
	}
	return s
}

func (w *witness) expect(want string) {
	w.t.Helper()
	if got := w.is(); got != want {
		w.t.Errorf("it is %s, want %s", got, want)
	}
}

// TestALeapIsNotBelieved has one sample far away: the last good place stays, with
// its time, people are told once, and the alert ends when the samples agree.
func TestALeapIsNotBelieved(t *testing.T) {
	w := newWitness(t, protocol.Rover, "kapok-rover")
	w.says(0, 1, 2)
	w.expect("at 2 since 0s")
	w.says(500)
	w.expect("at 2 since 1s implausible_position")
	if heard := w.fleet.State().Volatile.Presences["v"].LastHeard; !heard.Equal(w.now) {
		t.Errorf("it was heard at %v, now is %v", heard, w.now)
	}
	w.says(3, 4, 5, 6)
	w.expect("at 6 since 0s implausible_position")
	w.says(7)
	w.expect("at 7 since 0s")
	if w.beyond != 1 || w.fleet.State().Durable.Counters.Alert != 1 {
		t.Errorf("%d samples beyond belief, %d alerts", w.beyond, w.fleet.State().Durable.Counters.Alert)
	}
}

// TestAVehicleThatWasCarriedIsBelievedInTheEnd has it say the same for a while, and
// nothing is planned from there before.
func TestAVehicleThatWasCarriedIsBelievedInTheEnd(t *testing.T) {
	w := newWitness(t, protocol.Rover, "kapok-rover")
	w.says(0)
	for n := range 45 {
		w.says(500 + float64(n%3))
		if w.fleet.State().Volatile.Presences["v"].Fresh {
			t.Fatalf("after %d s its place counts as known", n)
		}
	}
	w.expect("at 0 since 45s implausible_position")
	w.says(500)
	w.expect("at 500 since 0s implausible_position")
	if !w.fleet.State().Volatile.Presences["v"].Fresh {
		t.Error("its place is not known")
	}
	w.says(501, 502, 503, 504, 505)
	w.expect("at 505 since 0s")
}

// TestALeapBackIsBelieved has the receiver of a drone on its way leap for a while:
// when it leaps back, the vehicle has gone on, further than it can in a moment.
func TestALeapBackIsBelieved(t *testing.T) {
	w := newWitness(t, protocol.Multirotor, "kapok-quad")
	w.says(0, 15)
	for n := range 30 {
		w.says(300 + 15*float64(n+2))
	}
	w.expect("at 15 since 30s implausible_position")
	w.says(15 * 32)
	w.expect("at 480 since 0s implausible_position")
	w.says(495, 510, 525, 540)
	w.expect("at 540 since 0s")
}

// TestSamplesThatDisagreeAreNeverBelieved has a receiver that knows nothing; that
// time passes does not help it.
func TestSamplesThatDisagreeAreNeverBelieved(t *testing.T) {
	w := newWitness(t, protocol.Rover, "kapok-rover")
	w.says(0)
	for n := range 50 {
		w.says(float64(1000 + 700*(n%3)))
	}
	w.expect("at 0 since 50s implausible_position")
	if w.beyond != 50 || w.fleet.State().Durable.Counters.Alert != 1 {
		t.Errorf("%d samples beyond belief, %d alerts", w.beyond, w.fleet.State().Durable.Counters.Alert)
	}
}

// TestAFrameDoesNotConvince has as many samples as are needed, in too short a time.
func TestAFrameDoesNotConvince(t *testing.T) {
	w := newWitness(t, protocol.Rover, "kapok-rover")
	w.says(0)
	var frame []protocol.Sample
	for range 10 {
		w.now = w.now.Add(50 * time.Millisecond)
		frame = append(frame, protocol.Sample{Time: w.now, Position: protocol.Position(w.at(800, 0, 0)), BatteryRatio: 0.8, Mode: protocol.ModeIdle})
	}
	w.step(fleet.Telemetry{Vehicle: "v", Session: w.session, Samples: frame})
	w.expect("at 0 since 500ms implausible_position")
}

// TestSilenceGivesTime compares the first sample after a log-in with the last one
// before it, over the silence.
func TestSilenceGivesTime(t *testing.T) {
	w := newWitness(t, protocol.Rover, "kapok-rover")
	w.says(0)
	w.step(fleet.Left{Vehicle: "v", Session: w.session})
	w.now = w.now.Add(30 * time.Second)
	w.join(protocol.Rover, "kapok-rover", "s2")
	w.says(170)
	w.expect("at 170 since 0s")
	w.step(fleet.Left{Vehicle: "v", Session: w.session})
	w.join(protocol.Rover, "kapok-rover", "s3")
	w.says(0)
	w.expect("at 170 since 1s implausible_position")
}

// TestAnAircraftMayBeFast has a speed that is none for a rover.
func TestAnAircraftMayBeFast(t *testing.T) {
	w := newWitness(t, protocol.Multirotor, "kapok-quad")
	w.says(100, 170, 240, 300)
	w.expect("at 300 since 0s")
	w.says(500)
	w.expect("at 300 since 1s implausible_position")
}

// TestAnAbsurdSpeedIsTold is believed in its place, and told once.
func TestAnAbsurdSpeedIsTold(t *testing.T) {
	w := newWitness(t, protocol.Rover, "kapok-rover")
	w.says(0)
	w.speed = 150
	w.says(1, 2, 3)
	w.expect("at 3 since 0s implausible_speed")
	w.speed = 1
	w.says(4, 5, 6, 7)
	w.expect("at 7 since 0s implausible_speed")
	w.says(8)
	w.expect("at 8 since 0s")
}

// TestAChargeFromNowhereGivesNoWork leaves the vehicle out until it has lasted.
func TestAChargeFromNowhereGivesNoWork(t *testing.T) {
	w := newWitness(t, protocol.Rover, "kapok-rover")
	w.charge = 0.4
	w.says(0)
	w.charge = 0.95
	w.says(1)
	w.expect("at 1 since 0s implausible_battery")
	w.step(fleet.Asked{Request: 1, Actor: "alice", Ask: (&asker{squad: w.squad}).visit(1)})
	if r := w.fleet.State().Durable.Tasks["T1"].Reason; !strings.Contains(r.Text, "charge rose at once") {
		t.Errorf("the task waits because %+v", r)
	}
	for range 60 {
		w.says(1)
	}
	w.expect("at 1 since 0s")
	// At a charger it may rise as it likes.
	w.charge = 0.3
	w.says(1)
	w.charge, w.mode = 0.9, protocol.ModeCharging
	w.says(1)
	w.expect("at 1 since 0s")
}

// TestAlertsThatFlapAreBounded has a vehicle that alternates between good and bad
// clocks at 50 frames/s for ten minutes.
func TestAlertsThatFlapAreBounded(t *testing.T) {
	w := newWitness(t, protocol.Rover, "kapok-rover")
	const minutes = 10
	for n := range minutes * 60 * 50 {
		w.now = w.now.Add(20 * time.Millisecond)
		w.step(fleet.Telemetry{Vehicle: "v", Session: w.session, Skewed: n%2 == 0, Samples: []protocol.Sample{{
			Time: w.now, Position: protocol.Position(w.at(0, 0, 0)), BatteryRatio: 0.9 * float64(n%2), Mode: protocol.ModeIdle,
		}}})
	}
	raised := w.fleet.State().Durable.Counters.Alert
	if most := uint64(fleet.FlapsAtOnce + minutes*fleet.FlapsPerMinute + 3); raised > most || raised < fleet.FlapsAtOnce {
		t.Errorf("%d alerts were raised, want at most %d", raised, most)
	}
}

// TestAFloodOfReportsIsStemmed has a vehicle that flaps a fault as fast as it may:
// beyond the rate nothing is taken in and the link is closed, and what was not
// confirmed is taken in later.
func TestAFloodOfReportsIsStemmed(t *testing.T) {
	w := newWitness(t, protocol.Rover, "kapok-rover")
	began := w.fleet.State().Durable.Index
	seq, closed := uint64(0), 0
	flap := func() {
		before, _ := w.fleet.State().Durable.Vehicles["v"].Log()
		seq = before.Seq + 1
		out := w.step(fleet.Report{Vehicle: "v", Session: w.session, LogID: "l", Message: protocol.Fault{Seq: seq, Code: "c", Text: "t", Cleared: seq%2 == 0}})
		for _, e := range out.Effects {
			if c, ok := e.(fleet.CloseLink); ok && c.Code == fleet.CodeTooManyReports {
				closed++
			}
		}
	}
	const seconds = 120
	for range seconds * 50 {
		w.now = w.now.Add(20 * time.Millisecond)
		flap()
	}
	log, _ := w.fleet.State().Durable.Vehicles["v"].Log()
	if most := uint64(fleet.ReportsAtOnce + seconds*fleet.ReportsPerSecond); log.Seq > most || log.Seq < most-5 {
		t.Errorf("%d reports were taken in, want %d", log.Seq, most)
	}
	if closed == 0 || closed != seconds*50-int(log.Seq) {
		t.Errorf("the link was closed %d times for %d reports too many", closed, seconds*50-int(log.Seq))
	}
	if events := w.fleet.State().Durable.Index - began; events > 3*log.Seq {
		t.Errorf("%d events for %d reports", events, log.Seq)
	}
	w.now = w.now.Add(time.Minute)
	flap()
	if after, _ := w.fleet.State().Durable.Vehicles["v"].Log(); after.Seq != log.Seq+1 {
		t.Errorf("a minute later report %d is not taken in", log.Seq+1)
	}
}

// TestAFaultToldAgainIsNoNews writes down that it was told, and no more.
func TestAFaultToldAgainIsNoNews(t *testing.T) {
	w := newWitness(t, protocol.Rover, "kapok-rover")
	for n, want := range []string{"report_taken vehicle_faulted alert_raised", "report_taken", "report_taken"} {
		out := w.step(fleet.Report{Vehicle: "v", Session: w.session, LogID: "l", Message: protocol.Fault{Seq: uint64(n + 1), Code: "c", Text: "t"}})
		var names []string
		for _, r := range out.Events {
			names = append(names, r.Event.EventName())
		}
		if got := strings.Join(names, " "); got != want {
			t.Errorf("report %d: %s", n+1, got)
		}
	}
}

// TestABatteryExchangedElsewhere has a vehicle log in anew, far away and with a
// full battery, and send several samples in a frame: the first ones are not
// believed yet, and the first that is says nothing of how the charge rose.
func TestABatteryExchangedElsewhere(t *testing.T) {
	w := newWitness(t, protocol.Rover, "kapok-rover")
	w.charge = 0.6
	w.says(0, 1, 2)
	w.charge = 0.95
	w.now = w.now.Add(time.Second)
	w.join(protocol.Rover, "kapok-rover", "s2")
	var samples []protocol.Sample
	for at := time.Duration(0); at <= fleet.AgreeingTime; at += fleet.AgreeingTime / fleet.AgreeingSamples {
		w.now = w.now.Add(fleet.AgreeingTime / fleet.AgreeingSamples)
		samples = append(samples, protocol.Sample{
			Time: w.now, Position: protocol.Position(w.at(900, 0, 0)), BatteryRatio: w.charge, Mode: protocol.ModeIdle,
		})
	}
	w.step(fleet.Telemetry{Vehicle: "v", Session: "s2", Samples: samples}, fleet.Tick{})
	w.expect("at 900 since 0s implausible_position")
}
