package fleet

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/kapok-fleet/kapok/planner/space"
	"github.com/kapok-fleet/kapok/protocol"
	"github.com/kapok-fleet/kapok/protocol/api"
)

// MaxOpenIncidents is how many incidents may be open at once; beyond it a report
// is refused.
const MaxOpenIncidents = 1000

// IncidentState is whether an incident is still going on.
type IncidentState string

// The states of an incident.
const (
	IncidentOpen   IncidentState = "open"
	IncidentClosed IncidentState = "closed"
)

// Gravity is how bad an incident is.
type Gravity string

// The gravities, from least to greatest.
const (
	Minor   Gravity = "minor"
	Serious Gravity = "serious"
	Grave   Gravity = "critical"
)

// Incident is something that happened somewhere. Its tasks name it.
type Incident struct {
	ID         IncidentID     `json:"id"`
	Kind       string         `json:"kind"`
	Severity   Gravity        `json:"severity"`
	State      IncidentState  `json:"state"`
	Drill      bool           `json:"drill,omitempty"`
	At         space.Position `json:"at"`
	Name       string         `json:"name,omitempty"`
	RadiusM    float64        `json:"radius_m,omitempty"`
	Note       string         `json:"note,omitempty"`
	ReportedBy string         `json:"reported_by"`
	ReportedAt time.Time      `json:"reported_at"`
	// ReachedAt is when the first vehicle began its work there.
	ReachedAt time.Time `json:"reached_at,omitzero"`
	ClosedAt  time.Time `json:"closed_at,omitzero"`
	ClosedBy  string    `json:"closed_by,omitempty"`
	Outcome   string    `json:"outcome,omitempty"`
	// Escalated counts escalations.
	Escalated int `json:"escalated,omitempty"`
	// UnreachedAfterS is after how many seconds an alert tells that nobody has
	// reached it, 0 for never.
	UnreachedAfterS float64 `json:"unreached_after_s,omitempty"`
	// Tasks are those of the response, in its order.
	Tasks []TaskID `json:"tasks"`
	// Revision is the index of the last event that changed it.
	Revision  uint64    `json:"revision"`
	ChangedAt time.Time `json:"changed_at"`
}

// Open tells whether the incident still goes on.
func (i *Incident) Open() bool { return i.State == IncidentOpen }

// priority is that of the tasks of an incident: a drill never goes before real
// work.
func (i *Incident) priority() Priority {
	if i.Drill || i.Severity == Minor {
		return Urgent
	}
	return Emergency
}

// reportIncident takes an incident in and sends the response of its kind. It is
// taken in whole or not at all; a part that nobody can do waits with the reason.
func (f *Fleet) reportIncident(a ReportIncident) Answer {
	i, r, bad := f.newIncident(&a.Report)
	if bad != nil {
		return Answer{Status: statusUnprocessable, Problem: bad}
	}
	if f.index.incidents >= MaxOpenIncidents {
		return problem(statusUnavailable, "too_many_incidents", "", fmt.Sprintf("this fleet holds its limit of %d open incidents: close one first", MaxOpenIncidents))
	}
	tasks := f.respond(i, r.Tasks, func(p *Part) bool { return p.From.rank() <= i.Severity.rank() })
	if full, is := f.noRoom(len(tasks)); is {
		return full
	}
	f.emit(IncidentReported{*i})
	f.amply(i.priority(), func() { f.send(tasks) })
	view, _ := f.state.IncidentView(i.ID)
	return answerWith(statusCreated, view)
}

// noRoom refuses what would be more tasks than the fleet holds.
func (f *Fleet) noRoom(tasks int) (Answer, bool) {
	if f.index.open+tasks <= f.config.MaxOpenTasks {
		return Answer{}, false
	}
	return problem(statusUnavailable, "too_many_tasks", "", fmt.Sprintf("its response has %d tasks, and this fleet holds %d of at most %d open ones: try again later", tasks, f.index.open, f.config.MaxOpenTasks)), true
}

// newIncident checks a report.
func (f *Fleet) newIncident(in *api.IncidentReport) (*Incident, *Response, *Problem) {
	r, ok := f.config.response(in.Kind)
	if !ok {
		kinds := make([]string, len(f.config.Responses))
		for k := range f.config.Responses {
			kinds[k] = f.config.Responses[k].Kind
		}
		return nil, nil, bad("no_such_response", "kind", "there is no response to %q; there is one to each of: %s", in.Kind, strings.Join(kinds, ", "))
	}
	i := &Incident{
		ID: IncidentID(fmt.Sprintf("I%d", f.state.Durable.Counters.Incident+1)), Kind: r.Kind, Severity: Gravity(in.Severity),
		State: IncidentOpen, Drill: in.Drill, RadiusM: in.RadiusM, Note: in.Note, ReportedBy: f.actor, ReportedAt: f.now,
		UnreachedAfterS: r.EscalateAfterS,
	}
	if i.Severity == "" {
		i.Severity = Serious
	}
	if i.Severity.rank() < 0 {
		return nil, nil, bad("bad_severity", "severity", "severity must be minor, serious or critical, not %q", in.Severity)
	}
	if !within(i.RadiusM, 0, MaxRadiusM) {
		return nil, nil, bad("bad_radius", "radius_m", "radius_m must be from 0 to %d", MaxRadiusM)
	}
	if i.RadiusM != 0 && !r.searches() {
		return nil, nil, bad("bad_radius", "radius_m", "nothing is searched for a %s: its response has no part that searches", r.Kind)
	}
	if i.RadiusM == 0 {
		i.RadiusM = r.RadiusM
	}
	s := Stop{}
	if p := f.stopPlace(&s, &api.OrderStop{Position: in.Position, Site: in.Site, Place: in.Place}, ""); p != nil {
		p.Field = strings.TrimPrefix(p.Field, ".")
		if p.Field == "" {
			p.Field, p.Detail = "position", "an incident needs exactly one of position, site and place"
		}
		return nil, nil, p
	}
	if !f.chart.Extent.Contains(s.At.Point()) {
		return nil, nil, bad("outside_chart", "position", "%.6f,%.6f lies outside of chart %s", s.At.Lon, s.At.Lat, f.chart.Name)
	}
	i.At, i.Name = s.At, s.Name
	return i, r, nil
}

// respond turns those parts of a response that are due into tasks.
func (f *Fleet) respond(i *Incident, parts []Part, due func(*Part) bool) []*Task {
	var tasks []*Task
	for k := range parts {
		p := &parts[k]
		switch {
		case !due(p):
		case p.Action == PartSearch:
			tasks = append(tasks, f.searchTasks(i, p)...)
		default:
			t := f.partTask(i, p)
			t.Stops = []Stop{visitAt(f.partPlace(i.At, p), i.Name, p.WorkS)}
			tasks = append(tasks, t)
		}
	}
	return tasks
}

// partTask is a task of a part of a response, without stops.
func (f *Fleet) partTask(i *Incident, p *Part) *Task {
	return &Task{
		Kind: Visit, Priority: i.priority(), Capabilities: p.Capabilities, Kinds: p.Kinds, Note: i.Note,
		Incident: i.ID, Role: p.Role, Drill: i.Drill, OrderedBy: f.actor, OrderedAt: f.now,
		State: TaskWaiting, Reason: Reason{"new", "just ordered"},
	}
}

func visitAt(at space.Position, name string, workS float64) Stop {
	return Stop{Action: protocol.ActionVisit, At: at, Name: name, WorkS: workS, State: StopOpen}
}

// send orders the tasks of a response and looks for a vehicle for each, in
// order. A vehicle that was given one is not free for the next before it has
// answered.
func (f *Fleet) send(tasks []*Task) {
	actor := f.actor
	causes := make([]uint64, len(tasks))
	for k, t := range tasks {
		t.ID = TaskID(fmt.Sprintf("T%d", f.state.Durable.Counters.Task+1))
		causes[k] = f.emit(TaskOrdered{*t})
	}
	f.actor = "kapok"
	for k, t := range tasks {
		done := f.because(causes[k])
		f.dispatch(t.ID)
		done()
	}
	f.actor = actor
}

// openIncident finds an incident that a request is about and refuses one that is
// not there, closed, or not as the asker saw it.
func (f *Fleet) openIncident(id IncidentID, revision uint64) (*Incident, *Answer) {
	i, ok := f.state.Durable.Incidents[id]
	var a Answer
	switch {
	case !ok:
		a = problem(statusNotFound, "incident_not_found", "", fmt.Sprintf("there is no incident %s here", id))
	case revision != 0 && revision != i.Revision:
		a = problem(statusPrecondition, "revision_mismatch", "", fmt.Sprintf("incident %s is at revision %d, not %d: read it again", id, i.Revision, revision))
	case !i.Open():
		a = problem(statusConflict, "incident_closed", "", fmt.Sprintf("incident %s was closed at %s by %s", id, i.ClosedAt.Format(time.RFC3339), i.ClosedBy))
	default:
		return i, nil
	}
	return nil, &a
}

// MaxEscalations is how often one incident may be escalated.
const MaxEscalations = 8

// escalateIncident makes an incident graver and sends what that adds: the parts
// that the greater severity asks for, and the reinforcement each time.
func (f *Fleet) escalateIncident(a EscalateIncident) Answer {
	i, refused := f.openIncident(a.Incident, a.Revision)
	if refused != nil {
		return *refused
	}
	severity := Gravity(a.Escalation.Severity)
	if severity == "" {
		severity = i.Severity
	}
	switch {
	case severity.rank() < 0:
		return problem(statusUnprocessable, "bad_severity", "severity", fmt.Sprintf("severity must be minor, serious or critical, not %q", severity))
	case severity.rank() < i.Severity.rank():
		return problem(statusUnprocessable, "severity_lower", "severity", fmt.Sprintf("%s is %s already: an escalation cannot make it %s", i.ID, i.Severity, severity))
	case i.Escalated >= MaxEscalations:
		return problem(statusConflict, "too_many_escalations", "", fmt.Sprintf("%s was escalated %d times, the limit: report another incident", i.ID, i.Escalated))
	}
	graver := *i
	graver.Severity = severity
	before := i.Severity.rank()
	var tasks []*Task
	if r, ok := f.config.response(i.Kind); ok {
		tasks = f.respond(&graver, r.Tasks, func(p *Part) bool { return before < p.From.rank() && p.From.rank() <= severity.rank() })
		tasks = append(tasks, f.respond(&graver, r.Reinforcement, func(p *Part) bool { return p.From.rank() <= severity.rank() })...)
	}
	if full, is := f.noRoom(len(tasks)); is {
		return full
	}
	f.emit(IncidentChanged{
		Incident: i.ID, State: IncidentOpen, Severity: severity, ReachedAt: i.ReachedAt, Escalated: i.Escalated + 1, Reason: a.Escalation.Reason,
	})
	f.hurry(i.Tasks, graver.priority(), fmt.Sprintf("%s is %s now", i.ID, severity))
	f.amply(graver.priority(), func() { f.send(tasks) })
	view, _ := f.state.IncidentView(i.ID)
	return answerWith(statusOK, view)
}

// hurry makes tasks more pressing, where they are less; those that a vehicle has
// already go before its other work.
func (f *Fleet) hurry(tasks []TaskID, p Priority, why string) {
	for _, id := range tasks {
		t, ok := f.task(id)
		if !ok || t.State.Final() || t.Priority == p || t.Priority == Emergency {
			continue
		}
		f.emit(TaskRanked{Task: id, Priority: p, Rank: t.Rank, Reason: why})
		if v, held := f.vehicle(t.Vehicle); held && t.State != TaskWaiting {
			f.planForward(v)
		}
	}
	f.lookAgain = true
}

// closeIncident ends an incident. Its tasks are cancelled where that is
// possible: a waiting one at once, one that a vehicle holds when that has given
// it up. A load on board is delivered, and a stop that is begun is finished.
func (f *Fleet) closeIncident(a CloseIncident) Answer {
	i, refused := f.openIncident(a.Incident, a.Revision)
	if refused != nil {
		return *refused
	}
	f.emit(IncidentChanged{
		Incident: i.ID, State: IncidentClosed, Severity: i.Severity, ReachedAt: i.ReachedAt, Escalated: i.Escalated, Reason: a.Closure.Outcome,
	})
	why := fmt.Sprintf("incident %s was closed by %s", i.ID, f.actor)
	for _, id := range i.Tasks {
		t, ok := f.task(id)
		switch {
		case !ok || t.State.Final() || t.LoadOn != "":
		case t.State == TaskWaiting:
			f.emit(TaskChanged{Task: id, State: TaskCancelled, Reason: Reason{"cancelled", why}, Attempts: t.Attempts})
			f.taskOver(id, "the task was cancelled")
		default:
			f.emit(TaskCancelWanted{id, why})
			f.pursue(t.Vehicle)
		}
	}
	f.clearAlert(alertAbout{kind: AlertIncidentUnreached, object: string(i.ID)}, "the incident was closed")
	f.lookAgain = true
	view, _ := f.state.IncidentView(i.ID)
	return answerWith(statusOK, view)
}

// reached notes that the work on an incident has begun, with the first stop of
// one of its tasks.
func (f *Fleet) reached(t *Task, at time.Time) {
	i, ok := f.state.Durable.Incidents[t.Incident]
	if !ok || !i.Open() || !i.ReachedAt.IsZero() {
		return
	}
	f.emit(IncidentChanged{
		Incident: i.ID, State: i.State, Severity: i.Severity, ReachedAt: later(i.ReportedAt, at), Escalated: i.Escalated,
	})
	f.clearAlert(alertAbout{kind: AlertIncidentUnreached, object: string(i.ID)}, fmt.Sprintf("%s has begun %s", t.Vehicle, t.ID))
}

// watchIncidents raises the alerts for incidents that nobody reaches.
func (f *Fleet) watchIncidents() {
	for _, id := range sortedKeys(f.index.unreached) {
		i := f.state.Durable.Incidents[id]
		after := time.Duration(i.UnreachedAfterS * float64(time.Second))
		if after == 0 || f.now.Sub(i.ReportedAt) < after {
			continue
		}
		about := alertAbout{kind: AlertIncidentUnreached, object: string(id)}
		if _, open := f.index.alerts[alertKey(about)]; open {
			continue
		}
		f.raise(about, Critical, fmt.Sprintf("nobody has reached %s (%s) within %v: %s", id, i.Kind, after, f.standing(i)))
	}
}

// standing says in words how far the tasks of an incident are.
func (f *Fleet) standing(i *Incident) string {
	var parts []string
	for _, id := range i.Tasks {
		t, ok := f.task(id)
		switch {
		case !ok:
		case t.State == TaskAssigned || t.State == TaskUnderway:
			parts = append(parts, fmt.Sprintf("%s (%s) is %s, %s arrives at %s", id, t.Role, t.State, t.Vehicle, t.ETA.Format(time.TimeOnly)))
		default:
			parts = append(parts, fmt.Sprintf("%s (%s) is %s: %s", id, t.Role, t.State, t.Reason.Text))
		}
		if len(parts) == 4 {
			break
		}
	}
	return strings.Join(slices.Clip(parts), "; ")
}

// answersOpen tells whether a task answers an incident that is open: it stays in
// memory as long.
func (f *Fleet) answersOpen(t *Task) bool {
	i, ok := f.state.Durable.Incidents[t.Incident]
	return ok && i.Open()
}
