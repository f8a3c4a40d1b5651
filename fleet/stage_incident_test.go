package fleet_test

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/kapok-fleet/kapok/fleet"
	"github.com/kapok-fleet/kapok/protocol/api"
)

// directIncident carries out a stage direction about incidents, if it is one.
func (s *stage) directIncident(words []string) bool {
	s.t.Helper()
	switch words[0] {
	case "incident": // incident fire at=site:x [minor|serious|critical] [drill] [radius=N]
		s.ask(words, fleet.ReportIncident{Report: s.reportOf(words[1:])})
	case "escalate": // escalate I1 [critical]
		e := api.IncidentEscalation{Reason: "it grows"}
		if len(words) > 2 {
			e.Severity = words[2]
		}
		s.ask(words, fleet.EscalateIncident{Incident: fleet.IncidentID(words[1]), Escalation: e})
	case "close": // close I1
		s.ask(words, fleet.CloseIncident{Incident: fleet.IncidentID(words[1]), Closure: api.IncidentClosure{Outcome: "it is over"}})
	case "look": // look I1: what the API shows of it
		view, ok := s.fleet.State().IncidentView(fleet.IncidentID(words[1]))
		if !ok {
			fmt.Fprintf(&s.out, "  (no %s)\n", words[1])
			return true
		}
		s.showIncident(&view)
	case "stops": // stops T1: how its stops are
		view, _ := s.fleet.State().TaskView(fleet.TaskID(words[1]))
		for _, stop := range view.Stops {
			fmt.Fprintf(&s.out, "  %d %.6f,%.6f,%.0f %s\n", stop.Stop, stop.Position.Lon, stop.Position.Lat, *stop.Position.AltitudeM, stop.State)
		}
	case "pass": // pass 5m r1=site:x …: time passes, and every 4 s these vehicles tell where they are
		d, err := time.ParseDuration(words[1])
		s.must(err)
		for end := s.now.Add(d); s.now.Before(end); {
			s.now = s.now.Add(min(4*time.Second, end.Sub(s.now)))
			for _, w := range words[2:] {
				who, at, _ := strings.Cut(w, "=")
				s.sample(who, []string{at})
			}
			s.step(fleet.Tick{})
		}
	case "skip": // skip 24h: time leaps, with one tick at its end
		d, err := time.ParseDuration(words[1])
		s.must(err)
		s.now = s.now.Add(d)
		s.step(fleet.Tick{})
	case "policy": // policy nearest_idle
		s.config.Policy = fleet.Policy(words[1])
		s.open(s.fleet.State())
	default:
		return false
	}
	return true
}

func (s *stage) reportOf(words []string) api.IncidentReport {
	r := api.IncidentReport{Kind: words[0]}
	for _, w := range words[1:] {
		switch w {
		case "minor", "serious", "critical":
			r.Severity = w
		case "drill":
			r.Drill = true
		}
	}
	if radius := option(words, "radius"); radius != "" {
		n, err := strconv.ParseFloat(radius, 64)
		s.must(err)
		r.RadiusM = n
	}
	stop := s.orderOf(append([]string{"visit"}, words[1:]...)).Stops
	if len(stop) > 0 {
		r.Position, r.Site, r.Place = stop[0].Position, stop[0].Site, stop[0].Place
	}
	return r
}

// showAnswer prints what an answer says about an incident, nothing for others.
func (s *stage) showAnswer(body json.RawMessage) {
	var view api.Incident
	if json.Unmarshal(body, &view) == nil && strings.HasPrefix(view.ID, "I") {
		s.showIncident(&view)
	}
}

func (s *stage) showIncident(view *api.Incident) {
	reached := ""
	if !view.ReachedAt.IsZero() {
		reached = " reached " + view.ReachedAt.Format("15:04:05")
	}
	fmt.Fprintf(&s.out, "     %s %s %s %s%s\n", view.ID, view.Kind, view.Severity, view.State, reached)
	for _, t := range view.Tasks {
		fmt.Fprintf(&s.out, "     %s %s: %s %s (%s: %s)\n", t.Task, t.Role, t.State, t.Vehicle, t.ReasonCode, t.Reason)
	}
}
