package fleet

import (
	"fmt"
	"slices"

	"github.com/kapok-fleet/kapok/fleet/mutant"
	"github.com/kapok-fleet/kapok/protocol"
)

// report takes in a numbered report: each number of a store exactly once and
// in order. A repeated one is only confirmed again; one above a gap is left for
// the vehicle to send again.
func (f *Fleet) report(in Report) {
	v, ok := f.vehicle(in.Vehicle)
	if !ok {
		return
	}
	log, ok := v.Log()
	if !ok || log.ID != in.LogID {
		return
	}
	if p := f.presence(v.ID); p.Session == in.Session && p.Session != "" && f.now.Sub(p.LastHeard) >= f.config.TelemetryInterval {
		f.heard(v, p)
	}
	seq := reportSeq(in.Message)
	if seq <= log.Seq && !mutant.On(mutant.DuplicateCounted) {
		f.owe(v.ID)
		return
	}
	if seq > log.Seq+1 {
		return
	}
	if !f.index.of(v.ID).mayReport(f.now) {
		if session := f.seen(v.ID).Session; session != "" {
			f.effect(CloseLink{v.ID, session, CodeTooManyReports, fmt.Sprintf(
				"more than %d reports a second, and %d at once: keep those that are not confirmed, and send them again later", ReportsPerSecond, ReportsAtOnce)})
		}
		return
	}
	f.owe(v.ID)
	switch m := in.Message.(type) {
	case protocol.Ack:
		f.takeAck(v, in.LogID, m)
	case protocol.Progress:
		f.takeProgress(v, in.LogID, m)
	case protocol.Fault:
		f.takeFault(v, in.LogID, m)
	case protocol.Hello, protocol.Telemetry:
		// Not numbered: reportSeq gave 0.
	}
}

// take notes a report as taken in: what follows names it as its cause.
func (f *Fleet) take(cause uint64, taken ReportTaken) {
	f.cause = cause
	f.cause = f.emit(taken)
}

func reportSeq(m protocol.FromVehicle) uint64 {
	switch m := m.(type) {
	case protocol.Ack:
		return m.Seq
	case protocol.Progress:
		return m.Seq
	case protocol.Fault:
		return m.Seq
	case protocol.Hello, protocol.Telemetry:
	}
	return 0
}

func (f *Fleet) takeAck(v *Vehicle, log string, a protocol.Ack) {
	taken := ReportTaken{
		Vehicle: v.ID, LogID: log, Seq: a.Seq, Kind: "ack", Command: a.Command,
		State: string(a.Verdict), Reason: a.Reason, Text: a.Text,
	}
	reason := Reason{a.Reason, a.Text}
	if a.Command != "" {
		c, ok := f.state.Durable.Commands[CommandID(a.Command)]
		switch {
		case !ok || c.Vehicle != v.ID:
			taken.Ignored = "not a command of this vehicle"
		case c.State.Final() && c.State != CommandExpired && c.State != CommandSuperseded || c.State == CommandAccepted:
			// An answer that comes late to an expired or superseded command still
			// tells what the vehicle does.
			taken.Ignored = "the command is " + string(c.State)
		}
		f.take(0, taken)
		if taken.Ignored == "" {
			f.commandAnswered(v, c, a.Verdict, reason)
		}
		return
	}
	taken.Mission = a.Mission.ID
	m, ok := f.openMission(v)
	switch {
	case !ok || string(m.ID) != a.Mission.ID:
		taken.Ignored = "not the vehicle's open mission"
	case a.Mission.Revision != m.Revision && mutant.On(mutant.OldAnswerCounts):
	case a.Mission.Revision != m.Revision && f.acceptedEarlier(v, m, a):
		return
	case a.Mission.Revision != m.Revision:
		taken.Ignored = fmt.Sprintf("revision %d is not the present one, %d", a.Mission.Revision, m.Revision)
	case m.Answered():
		taken.Ignored = "answered before"
	}
	f.take(issuedBy(m), taken)
	if taken.Ignored == "" {
		f.missionAnswered(v, m, a.Verdict, reason)
	}
}

// acceptedEarlier takes in that the vehicle accepted a revision that was
// replaced before its answer came: that one is in force until it answers the
// present one.
func (f *Fleet) acceptedEarlier(v *Vehicle, m *Mission, a protocol.Ack) bool {
	if _, ok := m.sent(a.Mission.Revision); !ok || a.Verdict != protocol.Accepted {
		return false
	}
	log, _ := v.Log()
	f.take(m.Issued, ReportTaken{
		Vehicle: v.ID, LogID: log.ID, Seq: a.Seq, Kind: "ack", Mission: a.Mission.ID, State: string(a.Verdict),
		Reason: a.Reason, Text: a.Text,
	})
	f.emit(MissionAnswered{m.ID, a.Mission.Revision, a.Verdict, Reason{a.Reason, a.Text}})
	return true
}

// issuedBy is the event that issued the present revision, 0 without a mission.
func issuedBy(m *Mission) uint64 {
	if m == nil {
		return 0
	}
	return m.Issued
}

// missionAnswered takes in the verdict on the present revision.
func (f *Fleet) missionAnswered(v *Vehicle, m *Mission, verdict protocol.Verdict, reason Reason) {
	f.lookAgain = true
	f.clearAlert(alertAbout{kind: AlertUnanswered, vehicle: v.ID}, "the vehicle answered")
	if verdict == protocol.Refused && mutant.On(mutant.RefusalCountsAsAcceptance) {
		verdict = protocol.Accepted
	}
	if verdict == protocol.Refused {
		f.missionRefused(v, m, reason)
		return
	}
	answered := f.emit(MissionAnswered{m.ID, m.Revision, verdict, reason})
	defer f.because(answered)()
	f.clearAlert(alertAbout{kind: AlertRefusing, vehicle: v.ID}, "the vehicle accepted a mission")
	if m = f.mission(m.ID); !toCharger(m) && slices.Contains(f.queue(v.Charger).Using, v.ID) || len(m.Tasks()) > 0 {
		f.leaveCharger(v.ID)
	}
	v, _ = f.vehicle(v.ID)
	f.planForward(v)
	f.pursue(v.ID)
}

// stopBegun is a vehicle's reason for refusing a revision without a stop that
// it has begun meanwhile.
const stopBegun = "stop_begun"

// staleRevision is a vehicle's reason for refusing a revision below the one it
// holds.
const staleRevision = "stale_revision"

// missionRefused puts the last accepted revision in force again; what the
// refused one added goes back to waiting.
func (f *Fleet) missionRefused(v *Vehicle, m *Mission, reason Reason) {
	added := addedTasks(m)
	answered := f.emit(MissionAnswered{m.ID, m.Revision, protocol.Refused, reason})
	defer f.because(answered)()
	if reason.Code != stopBegun {
		f.countRefusal(v, added, reason)
	}
	why := Reason{"refused", fmt.Sprintf("%s refused it: %s %s", v.ID, reason.Code, reason.Text)}
	m = f.mission(m.ID)
	if m.Accepted == 0 {
		f.endMission(m, Reason{"refused", "the vehicle refused it"}, why)
		f.leaveCharger(v.ID)
		return
	}
	for _, id := range added {
		if t, ok := f.task(id); ok && t.Mission == m.ID && !t.State.Final() {
			f.release(t, why)
		}
	}
	if reason.Code == staleRevision {
		f.rebuild(v, m, Reason{"stale_revision", "the vehicle holds another revision than was thought"})
		return
	}
	if v, _ = f.vehicle(v.ID); v.Charger != "" && !toCharger(f.mission(m.ID)) {
		f.leaveCharger(v.ID)
	}
	if reason.Code != stopBegun {
		f.recallUnlawful(v.ID, f.mission(m.ID))
	}
	f.pursue(v.ID)
}

// countRefusal keeps the refused tasks from being offered again too soon; after
// a second refusal in a row the vehicle gets no new work.
func (f *Fleet) countRefusal(v *Vehicle, added []TaskID, reason Reason) {
	suspend := v.RefusedInARow >= 1
	if len(added) == 0 {
		f.emit(VehicleRefused{v.ID, "", f.now.Add(f.config.RefusalPause), reason.Text, suspend})
	}
	for _, id := range added {
		pause := f.config.RefusalPause
		for range min(v.Refusals[id].Times, 10) {
			pause = min(2*pause, f.config.RefusalPauseMax)
		}
		f.emit(VehicleRefused{v.ID, id, f.now.Add(pause), reason.Text, suspend})
	}
	if suspend {
		f.raise(alertAbout{kind: AlertRefusing, vehicle: v.ID}, Warning,
			fmt.Sprintf("%s refused twice in a row (%s: %s): it gets no new work until it accepts a mission or is put back in service", v.ID, reason.Code, reason.Text))
	}
}

// addedTasks lists the tasks of the present revision that the one before it
// did not have.
func addedTasks(m *Mission) []TaskID {
	before := Mission{Legs: m.Previous}
	var added []TaskID
	for _, id := range m.Tasks() {
		if !contains(before.Tasks(), id) {
			added = append(added, id)
		}
	}
	return added
}

// MaxFaults is how many open faults of a vehicle are remembered; one beyond it
// is noted as taken in and changes nothing.
const MaxFaults = 32

func (f *Fleet) takeFault(v *Vehicle, log string, a protocol.Fault) {
	taken := ReportTaken{
		Vehicle: v.ID, LogID: log, Seq: a.Seq, Kind: "fault", State: faultState(a), Reason: a.Code, Text: a.Text,
	}
	if _, known := v.Faults[a.Code]; !known && len(v.Faults) >= MaxFaults && !a.LoadLost && !a.Cleared {
		taken.Ignored = fmt.Sprintf("it has %d open faults already", MaxFaults)
	}
	if f.take(0, taken); taken.Ignored != "" {
		return
	}
	about := alertAbout{kind: AlertFault, vehicle: v.ID, object: a.Code}
	text, known := v.Faults[a.Code]
	if a.Cleared {
		if known {
			f.emit(VehicleFaulted{v.ID, a.Code, a.Text, true})
		}
		f.clearAlert(about, "the vehicle reports the fault over")
		f.lookAgain = true
		return
	}
	if !known || text != a.Text {
		f.emit(VehicleFaulted{v.ID, a.Code, a.Text, false})
	}
	f.raise(about, Critical, fmt.Sprintf("%s reports a fault: %s: %s", v.ID, a.Code, a.Text))
	if !a.LoadLost {
		return
	}
	for _, id := range slices.Clone(f.index.tasks[v.ID]) {
		t, _ := f.task(id)
		if t.LoadOn != v.ID {
			continue
		}
		f.emit(LoadChanged{t.ID, ""})
		t, _ = f.task(t.ID)
		f.fail(t, Reason{"load_lost", fmt.Sprintf("%s reports that the load is gone", v.ID)})
	}
	f.pursue(v.ID)
}

func faultState(a protocol.Fault) string {
	if a.Cleared {
		return "cleared"
	}
	return "open"
}
