package server

import (
	"context"
	"net/http"

	"github.com/kapok-fleet/kapok/fleet"
	"github.com/kapok-fleet/kapok/protocol/api"
)

type reportInput struct {
	Body api.IncidentReport
}

type incidentsInput struct {
	Page
	State []string `query:"state" enum:"open,closed" doc:"Any of these, separated by commas."`
	Kind  string   `query:"kind" maxLength:"64"`
}

type escalationInput struct {
	ID      string `path:"id" maxLength:"64"`
	IfMatch string `header:"If-Match"`
	Body    api.IncidentEscalation
}

type closureInput struct {
	ID      string `path:"id" maxLength:"64"`
	IfMatch string `header:"If-Match"`
	Body    api.IncidentClosure
}

func (s *Server) registerIncidents() {
	register(s, operation{
		id: "report-incident", method: http.MethodPost, path: "/v1/incidents", tag: "incidents", needs: toOperate, asks: true,
		summary:     "Report an incident",
		description: "The response of its kind becomes tasks at once; the answer says who goes, when, and what waits for what.",
		answers:     []shape{{http.StatusCreated, api.Incident{}}},
		codes:       reportCodes(),
	}, s.reportIncident)
	register(s, operation{
		id: "list-incidents", method: http.MethodGet, path: "/v1/incidents", tag: "incidents", needs: toRead, geoJSON: true,
		summary: "List incidents, oldest first; closed ones for 24 h",
		answers: []shape{{http.StatusOK, api.List[api.Incident]{}}},
		codes:   []string{codeMalformedCursor},
	}, s.listIncidents)
	register(s, operation{
		id: "get-incident", method: http.MethodGet, path: "/v1/incidents/{id}", tag: "incidents", needs: toRead, geoJSON: true,
		summary: "Read an incident with its tasks; its ETag names its revision",
		answers: []shape{{http.StatusOK, api.Incident{}}},
		codes:   []string{codeIncidentNotFound},
	}, s.getIncident)
	register(s, operation{
		id: "escalate-incident", method: http.MethodPost, path: "/v1/incidents/{id}/escalate", tag: "incidents", needs: toOperate, asks: true,
		summary: "Make an incident graver, or call for the response's reinforcement",
		answers: []shape{{http.StatusOK, api.Incident{}}},
		codes:   incidentCodes(),
	}, s.escalateIncident)
	register(s, operation{
		id: "close-incident", method: http.MethodPost, path: "/v1/incidents/{id}/close", tag: "incidents", needs: toOperate, asks: true,
		summary:     "Close an incident",
		description: "Its tasks that are not over are cancelled; those with a load on board or a stop that is begun end by their own rules.",
		answers:     []shape{{http.StatusOK, api.Incident{}}},
		codes:       incidentCodes(),
	}, s.closeIncident)
	register(s, operation{
		id: "list-responses", method: http.MethodGet, path: "/v1/responses", tag: "incidents", needs: toRead,
		summary: "List the kinds of incident that the fleet has a response for",
		answers: []shape{{http.StatusOK, api.List[api.Response]{}}},
	}, s.listResponses)
}

func (s *Server) reportIncident(ctx context.Context, in *reportInput) (*reply, error) {
	answer, err := s.ask(ctx, fleet.ReportIncident{Report: in.Body})
	if err == nil {
		answer.Location = location("/v1/incidents/", answer.Body)
	}
	return answer, err
}

func (s *Server) listIncidents(ctx context.Context, in *incidentsInput) (*reply, error) {
	state := s.backend.View().State
	var ids []string
	for id, i := range state.Durable.Incidents {
		if oneOf(in.State, i.State) && (in.Kind == "" || i.Kind == in.Kind) {
			ids = append(ids, string(id))
		}
	}
	return listEntities(requestOf(ctx), ids, in.Page, func(id string) (api.Incident, bool) {
		return state.IncidentView(fleet.IncidentID(id))
	}, incidentFeature)
}

func (s *Server) getIncident(ctx context.Context, in *idInput) (*reply, error) {
	incident, ok := s.backend.View().State.IncidentView(fleet.IncidentID(in.ID))
	if !ok {
		return nil, newProblem(codeIncidentNotFound, "there is no incident %q", in.ID)
	}
	r := requestOf(ctx)
	answer, err := oneThing(r, incident, incidentFeature)
	if err == nil && !r.geoJSON {
		answer.ETag = entityTag(incident.Revision)
	}
	return answer, err
}

func incidentFeature(i api.Incident) feature {
	return feature{"Feature", i.ID, pointGeometry(&i.Position), i}
}

// incidentRevision is the revision that If-Match demands of an incident.
func (s *Server) incidentRevision(id, ifMatch string) (uint64, *problem) {
	var current uint64
	if i, ok := s.backend.View().State.Durable.Incidents[fleet.IncidentID(id)]; ok {
		current = i.Revision
	}
	return wantedRevision(ifMatch, current)
}

func (s *Server) escalateIncident(ctx context.Context, in *escalationInput) (*reply, error) {
	revision, p := s.incidentRevision(in.ID, in.IfMatch)
	if p != nil {
		return nil, p
	}
	return s.ask(ctx, fleet.EscalateIncident{Incident: fleet.IncidentID(in.ID), Revision: revision, Escalation: in.Body})
}

func (s *Server) closeIncident(ctx context.Context, in *closureInput) (*reply, error) {
	revision, p := s.incidentRevision(in.ID, in.IfMatch)
	if p != nil {
		return nil, p
	}
	return s.ask(ctx, fleet.CloseIncident{Incident: fleet.IncidentID(in.ID), Revision: revision, Closure: in.Body})
}

func (s *Server) listResponses(ctx context.Context, _ *struct{}) (*reply, error) {
	return listOf[api.Response](requestOf(ctx), s.options.Responses, "", nil)
}
