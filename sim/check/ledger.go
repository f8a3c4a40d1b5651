package check

import (
	"fmt"
	"slices"
	"time"

	"github.com/kapok-fleet/kapok/fleet"
	"github.com/kapok-fleet/kapok/planner/chart"
	"github.com/kapok-fleet/kapok/protocol"
)

// The names of the checkers that read the events alone.
const (
	// Reports: each numbered report is taken in once, in order.
	Reports = "reports"
	// Slots: no more vehicles use a charger than it has places.
	Slots = "slots"
	// Hands: work changes hands only after the vehicle that has it gave it up, or
	// can be certain not to begin it, or a person said what became of it.
	Hands = "hands"
)

// Ledger reads the events as they are released and finds those that break a rule
// by themselves, whatever the vehicles truly did. A restart may leave out events
// that were durable and never released: what the ledger knew is forgotten then,
// but for the epoch.
type Ledger struct {
	// Excuse says why a vehicle may have less energy than its plans count on, empty
	// when nothing does; nil when nobody asks.
	Excuse func(vehicle string) string

	log       *Log
	authority time.Duration
	obeyed    func(vehicle, order string) bool
	places    map[fleet.SiteID]int

	index    uint64
	epoch    uint64
	reports  map[fleet.VehicleID]store
	begun    map[fleet.TaskID]begun
	holders  map[fleet.TaskID]fleet.MissionID
	missions map[fleet.MissionID]plan
	// ends are when Kapok stopped sending to a vehicle, zero while it sends.
	ends map[fleet.VehicleID]time.Time
	// links are the states of the links that are not live.
	links map[fleet.VehicleID]fleet.LinkState
	// unsure are findings that rest on the links: of what a process decided and only
	// the next one tells, the news of the links is lost.
	unsure []Finding
}

// begun is the stop of a task at which somebody works.
type begun struct {
	stop int
	by   fleet.VehicleID
}

// store is how far the reports of a store have come.
type store struct {
	id  string
	seq uint64
}

// plan is a mission's newest revision and whether it was answered.
type plan struct {
	vehicle  fleet.VehicleID
	revision int
	answered bool
}

// NewLedger returns a ledger that adds what it finds to a log. authority is how
// long a vehicle may begin stops after Kapok's last frame; places come from the
// chart's chargers. obeyed tells whether a vehicle has truly taken up a revision,
// "MISSION/REVISION", lately.
func NewLedger(log *Log, c *chart.Chart, authority time.Duration, obeyed func(vehicle, order string) bool) *Ledger {
	l := &Ledger{
		log: log, authority: authority, obeyed: obeyed,
		places: map[fleet.SiteID]int{}, ends: map[fleet.VehicleID]time.Time{}, links: map[fleet.VehicleID]fleet.LinkState{},
	}
	for i := range c.Sites {
		l.places[fleet.SiteID(c.Sites[i].ID)] = max(c.Sites[i].Capacity, 1)
	}
	l.forget()
	return l
}

func (l *Ledger) forget() {
	l.reports, l.begun = map[fleet.VehicleID]store{}, map[fleet.TaskID]begun{}
	l.holders, l.missions = map[fleet.TaskID]fleet.MissionID{}, map[fleet.MissionID]plan{}
}

// Read takes one event in.
func (l *Ledger) Read(r fleet.Recorded) {
	switch e := any(r.Event).(type) {
	case fleet.Moved:
		if len(l.unsure) > 0 {
			l.sure()
		}
		return // It is most of all events.
	case fleet.VolatileCleared:
		l.unsure = nil
		clear(l.links)
		return
	case fleet.LinkChanged:
		l.sure()
		l.ends[e.Vehicle] = e.LinkEnd
		if delete(l.links, e.Vehicle); e.State != fleet.LinkLive {
			l.links[e.Vehicle] = e.State
		}
		return
	}
	if !r.Event.Lasting() {
		return
	}
	if r.Index != l.index+1 {
		l.forget()
	}
	l.index = r.Index
	switch e := any(r.Event).(type) {
	case fleet.FleetRecovered:
		if e.Epoch <= l.epoch {
			l.find(r, Epoch, "", "", fmt.Sprintf("a process began with epoch %d, after epoch %d", e.Epoch, l.epoch))
		}
		l.epoch = e.Epoch
	case fleet.LogOpened:
		l.reports[e.Vehicle] = store{id: e.LogID}
	case fleet.ReportTaken:
		l.report(r, e)
	case fleet.QueueChanged:
		if places, ok := l.places[e.Site]; ok && len(e.Using) > places {
			l.find(r, Slots, e.Vehicle, string(e.Site), fmt.Sprintf("makes %d vehicles use %s at once, which has room for %d", len(e.Using), e.Site, places))
		}
	case fleet.StopChanged:
		l.stop(r, e)
	case fleet.TaskOrdered:
		l.holders[e.Task.ID] = ""
	case fleet.TaskChanged:
		l.task(r, e)
	case fleet.MissionIssued:
		l.missions[e.Mission] = plan{vehicle: e.Vehicle, revision: e.Revision}
	case fleet.MissionAnswered:
		l.answer(r, e)
	}
}

// sure adds the findings that nothing has called into question.
func (l *Ledger) sure() {
	for _, f := range l.unsure {
		l.log.Add(f)
	}
	l.unsure = nil
}

func (l *Ledger) find(r fleet.Recorded, checker string, vehicle fleet.VehicleID, object, text string) {
	l.log.Add(Finding{Checker: checker, Time: r.Time, Vehicle: string(vehicle), Object: object, Text: text})
}

func (l *Ledger) report(r fleet.Recorded, e fleet.ReportTaken) {
	if s, ok := l.reports[e.Vehicle]; ok && s.id == e.LogID && e.Seq != s.seq+1 {
		l.find(r, Reports, e.Vehicle, e.LogID, fmt.Sprintf("report %d of store %s was taken in after report %d", e.Seq, e.LogID, s.seq))
	}
	l.reports[e.Vehicle] = store{e.LogID, e.Seq}
}

func (l *Ledger) stop(r fleet.Recorded, e fleet.StopChanged) {
	at, is := l.begun[e.Task]
	switch {
	case e.Vehicle == "" && e.State == fleet.StopBegun:
		// That it is in doubt, or no longer, is no news about who does it.
	case e.State == fleet.StopBegun && is && at.stop == e.Stop && at.by != e.Vehicle:
		l.find(r, Hands, e.Vehicle, string(e.Task), fmt.Sprintf("began stop %d of task %s, which %s has begun", e.Stop+1, e.Task, at.by))
	case e.State != fleet.StopBegun && at.stop == e.Stop:
		delete(l.begun, e.Task)
	case e.State == fleet.StopBegun:
		l.begun[e.Task] = begun{e.Stop, e.Vehicle}
	}
}

func (l *Ledger) answer(r fleet.Recorded, e fleet.MissionAnswered) {
	p, ok := l.missions[e.Mission]
	if !ok {
		return
	}
	order := fmt.Sprintf("%s/%d", e.Mission, e.Revision)
	if e.Verdict == protocol.Accepted && !l.obeyed(string(p.vehicle), order) {
		l.find(r, Hands, p.vehicle, string(e.Mission), fmt.Sprintf("counts as having accepted revision %d of mission %s, and never took it up", e.Revision, e.Mission))
	}
	if e.Verdict == protocol.Refused && e.Reason.Code == lowBattery && l.Excuse != nil && l.Excuse(string(p.vehicle)) == "" {
		l.find(r, Energy, p.vehicle, string(e.Mission), fmt.Sprintf("had to refuse revision %d of mission %s: %s", e.Revision, e.Mission, e.Reason.Text))
	}
	if p.revision == e.Revision {
		// A refusal puts the last accepted revision in force again.
		p.answered = true
		l.missions[e.Mission] = p
	}
}

// lowBattery is why a vehicle refuses what its energy does not allow.
const lowBattery = "low_battery"

// The reasons that say why a task has no vehicle any more, or a new one; they are
// the fleet's.
const (
	takenOff  = "taken_off"
	displaced = "displaced"
	silent    = "vehicle_silent"
	newWork   = "assigned"
)

func (l *Ledger) task(r fleet.Recorded, e fleet.TaskChanged) {
	held, known := l.holders[e.Task]
	if e.State.Final() {
		delete(l.holders, e.Task)
		delete(l.begun, e.Task)
		return
	}
	l.holders[e.Task] = e.Mission
	if e.State == fleet.TaskAssigned || e.State == fleet.TaskUnderway {
		if link, bad := l.links[e.Vehicle]; bad && known && held != e.Mission && e.Reason.Code == newWork {
			l.unsure = append(l.unsure, Finding{
				Checker: Hands, Time: r.Time, Vehicle: string(e.Vehicle), Object: string(e.Task),
				Text: fmt.Sprintf("was given task %s while its link was %s", e.Task, link),
			})
		}
		if at, is := l.begun[e.Task]; is && at.by != e.Vehicle {
			l.find(r, Hands, e.Vehicle, string(e.Task), fmt.Sprintf("was given task %s, of which %s has begun stop %d", e.Task, at.by, at.stop+1))
		}
	}
	if e.State != fleet.TaskWaiting || !known || held == "" || held == e.Mission {
		return
	}
	p, ok := l.missions[held]
	switch {
	case !ok:
	case e.Reason.Code == silent:
		if end := l.ends[p.vehicle]; end.IsZero() || r.Time.Before(end.Add(l.authority)) {
			l.find(r, Hands, p.vehicle, string(e.Task), fmt.Sprintf("lost task %s for its silence before its authority of %v had ended", e.Task, l.authority))
		}
	case slices.Contains([]string{takenOff, displaced}, e.Reason.Code) && !p.answered:
		l.find(r, Hands, p.vehicle, string(e.Task), fmt.Sprintf("lost task %s before it had answered revision %d of mission %s without it", e.Task, p.revision, held))
	}
}
