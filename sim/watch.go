package sim

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/kapok-fleet/kapok/fleet"
	"github.com/kapok-fleet/kapok/planner/space"
	"github.com/kapok-fleet/kapok/protocol"
	"github.com/kapok-fleet/kapok/sim/agent"
	"github.com/kapok-fleet/kapok/sim/check"
)

// chanceAgain is the source of which requests are asked again, and when.
const chanceAgain uint64 = 1000

const (
	// askedAgain is the share of requests that come again after they were answered,
	// within againWithin.
	askedAgain  = 0.3
	againWithin = 5 * time.Minute
	// keepEvery is how often all answers so far are looked after, in seconds.
	keepEvery = 60
	// recovering is how long after a trouble a vehicle may still be where the trouble
	// has brought it.
	recovering = 60 * time.Second
	// clockSlack is how far a vehicle may be wrong about Kapok's time, driftSlack
	// that of one whose clock has drifted.
	clockSlack = 50 * time.Millisecond
	driftSlack = time.Second
)

// Judge owns all checkers of a run. It is shown the bodies as they move, the events
// as they are released and the answers as they are given, and takes no part: but
// for the requests that it asks again, nothing depends on it.
type Judge struct {
	w   *world
	log check.Log

	geometry   *check.Geometry
	separation *check.Separation
	streets    *check.Streets
	reserves   *check.Reserves
	loads      *check.Loads
	promises   *check.Promises
	evidence   *check.Evidence
	ledger     *check.Ledger
	again      *rand.Rand
	// life is the process whose answers were looked after last.
	life int
	seen []sight
	// excepted is what liveness does not ask for, and why.
	excepted []string
}

// sight is what the judge has seen of a vehicle.
type sight struct {
	// reserve is the share of the battery that plans must leave.
	reserve float64
	// The entries of the truth's records that were read.
	obeyed, begun, handled int
	// ailing is when it last had a trouble, drifted whether its clock ever had one,
	// drained whether its battery or drive had.
	ailing           time.Time
	trouble          string
	drifted, drained bool
}

// newJudge makes the judge of a world whose vehicles and geometry are there.
func newJudge(w *world) *Judge {
	j := &Judge{w: w, geometry: w.geometry, separation: check.NewSeparation(), again: chance(w.scenario.Seed, chanceAgain)}
	j.reserves, j.loads = check.NewReserves(&j.log), check.NewLoads(&j.log)
	j.streets = check.NewStreets(&j.log, w.chart)
	j.streets.Forgive = j.forgive
	j.promises = check.NewPromises(&j.log, w.config.AnswersKept)
	j.evidence = check.NewEvidence(&j.log, w.config.ChargeBelow)
	j.evidence.Breaks = j.breaks
	j.ledger = check.NewLedger(&j.log, w.chart, w.config.TaskAuthority, j.obeyed)
	j.ledger.Excuse = func(vehicle string) string { return j.emergency(w.byID[vehicle]) }
	j.geometry.Report(&j.log)
	j.geometry.Forgive = j.forgive
	j.seen = make([]sight, len(w.vehicles))
	for n, v := range w.vehicles {
		j.geometry.Add(v.id, v.kind)
		if flies(v.kind) {
			j.separation.Add(n)
		}
		if spec, ok := w.config.Spec(v.kind, w.modelOf(v)); ok {
			j.seen[n].reserve = spec.ReserveRatio
		}
	}
	return j
}

func flies(kind protocol.Kind) bool { return kind == protocol.Multirotor || kind == protocol.VTOL }

// modelOf is the model that a vehicle says it is.
func (w *world) modelOf(v *vehicle) string {
	n := int(v.n)
	for i := range w.scenario.Fleets {
		f := &w.scenario.Fleets[i]
		if n < f.Count {
			return f.Model
		}
		n -= f.Count
	}
	return ""
}

// moved judges a vehicle after each of its steps; second says that a second has
// passed since the last time that it said so. Of a vehicle at rest, only the seconds
// need be told.
func (j *Judge) moved(now time.Time, v *vehicle, second bool) {
	b := v.agent.Body()
	moves := b.Moves()
	for i := range moves {
		j.geometry.Way(now, int(v.n), moves[i].From, moves[i].To, moves[i].SpeedMPS)
	}
	if v.seen != b.At && len(moves) == 0 {
		j.geometry.Look(now, v.id, v.kind, b.At, b.SpeedMPS)
	}
	v.seen = b.At
	s := &j.seen[v.n]
	if (second || len(moves) > 0) && flies(v.kind) {
		j.separation.At(j.w.now/int64(100*time.Millisecond), int(v.n), b.At, b.SpeedMPS > 1 || !b.Landed())
	}
	if v.agent.Thought() {
		if t := v.agent.Truth(); t.Obeyed.Len() > s.obeyed || t.Begun.Len() > s.begun || t.Handled.Len() > s.handled {
			j.readTruth(v, s, t)
		}
	}
	if second {
		j.watchTroubles(now, v, s)
		j.streets.Look(now, int(v.n), v.id, v.kind, b.At.XY())
		j.reserves.Look(now, v.id, b.BatteryRatio(), s.reserve, func() bool { return planned(v.agent) }, func() string { return j.emergency(v) })
	}
}

// readTruth judges what a vehicle has truly done since the last time.
func (j *Judge) readTruth(v *vehicle, s *sight, t *agent.Truth) {
	slack := clockSlack
	if s.drifted {
		slack = driftSlack
	}
	for _, o := range t.Obeyed.Since(s.obeyed) {
		check.JudgeObeyed(&j.log, check.Obeyed{
			At: o.At, Vehicle: v.id, Order: o.Command, Kind: string(o.Kind), Epoch: o.Epoch, Newest: o.SeenEpoch, ExpiresAt: o.ExpiresAt, Slack: slack,
		})
	}
	for _, b := range t.Begun.Since(s.begun) {
		check.JudgeBegun(&j.log, check.Begun{At: b.At, Vehicle: v.id, Task: b.Task, Stop: b.Stop, Ends: b.AuthorityEnds, Slack: slack})
	}
	for _, h := range t.Handled.Since(s.handled) {
		j.loads.Handle(check.Handled{At: h.At, Vehicle: v.id, Task: h.Task, Stop: h.Stop, Kg: h.Kg, Lost: h.Lost, OnBoard: h.OnBoard})
	}
	s.obeyed, s.begun, s.handled = t.Obeyed.Len(), t.Begun.Len(), t.Handled.Len()
}

// watchTroubles notes which troubles a vehicle has.
func (j *Judge) watchTroubles(now time.Time, v *vehicle, s *sight) {
	if len(j.w.scenario.Faults) == 0 {
		return
	}
	for _, kind := range agent.Troubles() {
		if !v.agent.Suffers(kind) {
			continue
		}
		switch kind {
		case agent.ClockDrift, agent.ClockJump:
			s.drifted = true
			continue
		case agent.GNSSNoise, agent.GNSSTeleport:
			continue
		case agent.CellDrop, agent.DriveFailure:
			s.drained = true
		}
		s.ailing, s.trouble = now, kind
	}
	if v.down {
		s.ailing, s.trouble = now, "reboot"
	}
}

// planned tells whether a vehicle carries out a mission that has tasks, and is not
// on its way to charge.
func planned(a *agent.Agent) bool {
	m := a.Store().Mission
	if m == nil || m.State != protocol.MissionActive || a.Store().Held || a.Store().Motion != nil {
		return false
	}
	tasks, current := false, true
	for i := range m.Legs {
		tasks = tasks || m.Legs[i].Task != ""
		own := &m.Own[i]
		if over := own.State == protocol.LegDone || own.State == protocol.LegFailed || own.Passed; over || !current {
			continue
		}
		if current = false; m.Legs[i].Action == protocol.ActionCharge {
			return false
		}
	}
	return tasks && !current
}

// emergency names what excuses a vehicle for having less charge than its reserve.
func (j *Judge) emergency(v *vehicle) string {
	switch s := &j.seen[v.n]; {
	case v.agent.Truth().InEmergency():
		return "it has declared an emergency"
	case s.drained:
		return "its battery or its drive has failed"
	case !s.ailing.IsZero():
		return "it had trouble: " + s.trouble
	}
	return ""
}

// obeyed tells whether a vehicle has taken up an order lately.
func (j *Judge) obeyed(vehicle, order string) bool {
	v := j.w.byID[vehicle]
	return v != nil && slices.ContainsFunc(v.agent.Truth().Obeyed.Since(0), func(o agent.Obeyed) bool { return o.Command == order })
}

// forgive says why a vehicle cannot be blamed for where it is.
func (j *Judge) forgive(n int, since time.Time) string {
	v, s := j.w.vehicles[n], &j.seen[n]
	now := j.w.time()
	switch heard := v.agent.Store().Heard; {
	case !s.ailing.IsZero() && now.Sub(s.ailing) < recovering:
		return "it had trouble: " + s.trouble
	case v.agent.Body().Bias != (space.XY{}):
		return "it does not know where it is"
	case v.agent.Truth().InEmergency():
		return "it has declared an emergency"
	case v.agent.Body().Dead():
		return "its battery is empty"
	case !since.IsZero() && heard.Before(since.Add(check.CaughtWithin)):
		return "nothing that came from Kapok since could tell it"
	}
	return ""
}

// breaks tells the checker of alerts whether a sample breaks a zone's rule.
func (j *Judge) breaks(now time.Time, zone string, s protocol.Sample, vehicle string) bool {
	v := j.w.byID[vehicle]
	if v == nil {
		return false
	}
	at := j.w.chart.Frame.XYZ(space.Position(s.Position))
	return j.geometry.Breaks(now, int(v.n), zone, at, s.SpeedMPS)
}

// read takes in events as they are released; none is left out.
func (j *Judge) read(events []fleet.Recorded) {
	for i := range events {
		j.evidence.Read(events[i])
		j.ledger.Read(events[i])
		j.promises.Read(events[i])
	}
	// What is told while there is no state was durable before the process ended.
	j.evidence.Flush(!j.w.backend.up())
}

// answered takes in an answer to a request, and may ask again.
func (j *Judge) answered(it *post, a fleet.Answer) {
	w := j.w
	j.promises.Given(w.time(), it.key, it.ask, a)
	if a.Problem != nil || it.key == "" || j.again.Float64() >= askedAgain {
		return
	}
	w.after(time.Duration(j.again.Int64N(int64(againWithin))), func() {
		if w.backend.up() {
			w.backend.ask(it.actor, it.key, it.hash, it.ask, func(a fleet.Answer) { j.promises.Given(w.time(), it.key, it.ask, a) })
		}
	})
}

// beat is the judge's turn in each second.
func (j *Judge) beat() {
	w := j.w
	j.geometry.Beat(w.time())
	j.separation.Second(w.now / int64(100*time.Millisecond))
	if b := &w.backend; b.up() && (b.life != j.life || w.now/int64(time.Second)%keepEvery == 0) {
		j.life = b.life
		j.promises.Keep(w.time(), &b.core.Fleet().State().Durable)
	}
}

// finish judges what is there in the end, and puts all that was found into the
// result; done is what others have found about the work.
func (j *Judge) finish(r *Result, state *fleet.State, done []check.Finding) {
	j.conclude(state)
	for _, f := range done {
		j.log.Add(f)
	}
	r.Violations, r.ViolationCounts = j.log.Findings(), j.log.Counts()
	r.Forgiven = j.geometry.Forgiven[:min(len(j.geometry.Forgiven), MaxFindings)]
	r.Unfinished = j.excepted[:min(len(j.excepted), MaxFindings)]
	r.SeparationSummary = j.apart()
}

// conclude judges the state in the end.
func (j *Judge) conclude(state *fleet.State) {
	w, d := j.w, &state.Durable
	j.promises.Keep(w.time(), d)
	for _, o := range w.people.orders {
		if t := d.Tasks[o.task]; t != nil && t.State == fleet.TaskWaiting && t.Reason.Text == "" {
			j.log.Add(check.Finding{Checker: check.LostTask, Object: string(o.task), Text: fmt.Sprintf("task %s waits and nobody says why", o.task)})
		}
	}
	j.loads.Finish(d, func(vehicle string) bool {
		v := w.byID[vehicle]
		return v != nil && v.logs == 1 && v.agent.Welcomed() && len(v.agent.Store().Reports) == 0
	})
	if w.scenario.Settle > 0 {
		j.excepted = check.JudgeLiveness(&j.log, d, w.scenario.Person.Away, j.ailing, j.busy, func(a *fleet.Alert) bool { return j.over(d, a) })
	}
}

// ailing says why nothing is expected of a vehicle in the end.
func (j *Judge) ailing(id fleet.VehicleID) string {
	v := j.w.byID[string(id)]
	d := &j.w.backend.core.Fleet().State().Durable
	record := d.Vehicles[id]
	switch {
	case v == nil || record == nil:
		return "it is none of the run's"
	case v.agent.Body().Dead():
		return "its battery is empty"
	case v.agent.Truth().InEmergency():
		return "it has declared an emergency"
	case record.TakenOver != nil:
		return "a person has it in hand"
	case record.OutOfService != "":
		return "it is out of service: " + record.OutOfService
	case len(record.Faults) > 0 && v.agent.Suffers(agent.Broken):
		return "it is broken"
	case j.stranded(d, id) && v.agent.Body().BatteryRatio() < 0.25:
		return "it is stranded, with too little charge to get away: a person must fetch it"
	case record.Blocked != "":
		return "it is held until a person lets it go"
	}
	if s := &j.seen[v.n]; s.drained && v.agent.Suffers(agent.DriveFailure) {
		return "its drive has failed"
	}
	return ""
}

// stranded tells whether people were told that a vehicle cannot get home.
func (j *Judge) stranded(d *fleet.Durable, id fleet.VehicleID) bool {
	for _, a := range d.Alerts {
		if a.Kind == fleet.AlertStranded && a.Vehicle == id && a.Open() {
			return true
		}
	}
	return false
}

// stillBusy is how long ago a stop may have been finished by a vehicle that counts as
// going on with its work.
const stillBusy = 20 * time.Minute

// busy tells whether a vehicle, or any for the empty id, has finished a stop lately.
func (j *Judge) busy(id fleet.VehicleID) bool {
	for _, v := range j.w.vehicles {
		if id == "" || string(id) == v.id {
			for _, at := range v.agent.Truth().DoneAt {
				if j.w.time().Sub(at) < stillBusy {
					return true
				}
			}
		}
	}
	return false
}

// over tells whether what an open alert is about is over, so that it should have
// been cleared.
func (j *Judge) over(d *fleet.Durable, a *fleet.Alert) bool {
	w := j.w
	v := w.byID[string(a.Vehicle)]
	if v != nil && !v.agent.Welcomed() || w.time().Sub(a.RaisedAt) < time.Minute {
		return false
	}
	switch a.Kind {
	case fleet.AlertLinkLost, fleet.AlertEpoch, fleet.AlertStoreLost:
		return v != nil
	case fleet.AlertLowToLand:
		return v != nil && v.agent.Body().Landed()
	case fleet.AlertBatteryLow:
		return v != nil && v.agent.Body().BatteryRatio() > j.seen[v.n].reserve+0.06
	case fleet.AlertFault:
		return v != nil && len(d.Vehicles[a.Vehicle].Faults) == 0
	case fleet.AlertZone, fleet.AlertCaughtInside:
		b := v.agent.Body()
		return !j.geometry.Breaks(w.time(), int(v.n), a.Object, b.At, b.SpeedMPS)
	case fleet.AlertUnanswered:
		m := d.Missions[d.Vehicles[a.Vehicle].Mission]
		return m == nil || m.Answered()
	case fleet.AlertStillHeld:
		return v != nil && d.Vehicles[a.Vehicle].Blocked == ""
	case fleet.AlertDecide:
		return d.Tasks[a.Task] == nil || d.Tasks[a.Task].State.Final()
	case fleet.AlertEmergencyWaits, fleet.AlertWanted:
		return d.Tasks[a.Task] == nil || d.Tasks[a.Task].State != fleet.TaskWaiting
	case fleet.AlertStopped:
		return d.Freeze == nil
	case fleet.AlertIncidentUnreached:
		in := d.Incidents[fleet.IncidentID(a.Object)]
		return in == nil || in.State == fleet.IncidentClosed || !in.ReachedAt.IsZero()
	case fleet.AlertTaskFailed, fleet.AlertRefusing, fleet.AlertStranded, fleet.AlertZoneUnfit, fleet.AlertClock,
		fleet.AlertImplausible, fleet.AlertImplausibleSpeed, fleet.AlertImplausibleBattery:
	}
	return false
}

// settleLeast is how long the run goes on after the scenario's Duration at least,
// when it is to settle: so long alerts and reports may take. settleEvery is how often
// it is asked whether it has.
const (
	settleLeast = 2 * time.Minute
	settleEvery = 10 * time.Second
)

// settle ends a run that goes on after its Duration as soon as nothing is open any
// more.
func (w *world) settle() {
	after := w.now - int64(w.scenario.Duration)
	if w.scenario.Settle == 0 || after < int64(settleLeast) || after%int64(settleEvery) != 0 || w.jury.unfinished() {
		return
	}
	w.end = w.now
}

// unfinished tells whether anything is still open that must be finished: with
// Settle, the run goes on for it.
func (j *Judge) unfinished() bool {
	w := j.w
	if !w.backend.up() {
		return true
	}
	var log check.Log
	d := &w.backend.core.Fleet().State().Durable
	check.JudgeLiveness(&log, d, w.scenario.Person.Away, j.ailing, func(fleet.VehicleID) bool { return false }, func(a *fleet.Alert) bool { return j.over(d, a) })
	return log.Len() > 0
}

// SeparationPair are two aircraft that came too near to each other.
type SeparationPair struct {
	A string `json:"a"`
	B string `json:"b"`
	// LeastM is the least distance through the air while they were too near,
	// Seconds how long they were.
	LeastM  float64 `json:"least_m"`
	Seconds float64 `json:"seconds"`
}

// SeparationSummary is how near aircraft came to each other while both flew. It is
// measured, and no violation.
type SeparationSummary struct {
	// LeastM is the least distance through the air, 0 when no two came within about
	// 100 m; Seconds how long pairs were nearer than 50 m horizontally and 15 m
	// vertically, added up over all of them; Pairs the worst, at most MaxPairs.
	LeastM  float64          `json:"separation_least_m"`
	Seconds float64          `json:"separation_lost_s"`
	Count   int              `json:"separation_lost_pairs"`
	Pairs   []SeparationPair `json:"separation_pairs,omitempty"`
}

// MaxPairs bounds SeparationSummary.Pairs.
const MaxPairs = 20

// apart sums up how near aircraft came.
func (j *Judge) apart() SeparationSummary {
	var s SeparationSummary
	if m, _, _, ok := j.separation.Least(); ok {
		s.LeastM = m
	}
	pairs := j.separation.Pairs()
	s.Seconds, s.Count = j.separation.Seconds(), len(pairs)
	for _, p := range pairs[:min(len(pairs), MaxPairs)] {
		s.Pairs = append(s.Pairs, SeparationPair{j.w.vehicles[p.A].id, j.w.vehicles[p.B].id, p.LeastM, p.Seconds})
	}
	return s
}
