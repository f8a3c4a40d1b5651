package server

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"

	"github.com/kapok-fleet/kapok/fleet"
	"github.com/kapok-fleet/kapok/protocol/api"
)

type commandsInput struct {
	Page
	Vehicle string   `query:"vehicle" maxLength:"64" doc:"Given to this vehicle."`
	State   []string `query:"state" enum:"issued,delivered,accepted,done,refused,expired,superseded,failed" doc:"Any of these, separated by commas."`
}

type idInput struct {
	ID string `path:"id" maxLength:"64"`
}

type alertsInput struct {
	Page
	Open    string `query:"open" enum:"true,false" doc:"Not yet cleared (true), or cleared (false)."`
	Vehicle string `query:"vehicle" maxLength:"64"`
	Task    string `query:"task" maxLength:"64"`
	Kind    string `query:"kind" maxLength:"64"`
}

type acknowledgeInput struct {
	ID   string `path:"id" maxLength:"64"`
	Body *struct{}
}

func (s *Server) registerExecution() {
	register(s, operation{
		id: "list-commands", method: http.MethodGet, path: "/v1/commands", tag: "commands", needs: toRead,
		summary: "List commands, oldest first",
		answers: []shape{{http.StatusOK, api.List[api.Command]{}}},
		codes:   []string{codeMalformedCursor, codeInvalid},
	}, s.listCommands)
	register(s, operation{
		id: "get-command", method: http.MethodGet, path: "/v1/commands/{id}", tag: "commands", needs: toRead,
		summary: "Read a command and how far it has come",
		answers: []shape{{http.StatusOK, api.Command{}}},
		codes:   []string{codeCommandNotFound},
	}, s.getCommand)
	register(s, operation{
		id: "get-mission", method: http.MethodGet, path: "/v1/missions/{id}", tag: "missions", needs: toRead, geoJSON: true,
		summary: "Read a mission with its legs",
		answers: []shape{{http.StatusOK, api.Mission{}}},
		codes:   []string{codeMissionNotFound},
	}, s.getMission)
	register(s, operation{
		id: "list-alerts", method: http.MethodGet, path: "/v1/alerts", tag: "alerts", needs: toRead,
		summary: "List alerts, oldest first",
		answers: []shape{{http.StatusOK, api.List[api.Alert]{}}},
		codes:   []string{codeMalformedCursor, codeInvalid},
	}, s.listAlerts)
	register(s, operation{
		id: "acknowledge-alert", method: http.MethodPost, path: "/v1/alerts/{id}/acknowledge", tag: "alerts", needs: toOperate, asks: true,
		summary:     "Note that a person has seen an alert",
		description: "It does not clear the alert; only evidence does.",
		answers:     []shape{{http.StatusOK, api.Alert{}}},
		codes:       alertCodes(),
	}, s.acknowledge)
}

func (s *Server) listCommands(ctx context.Context, in *commandsInput) (*reply, error) {
	state := s.backend.View().State
	var ids []string
	for id, c := range state.Durable.Commands {
		if oneOf(in.State, c.State) && (in.Vehicle == "" || string(c.Vehicle) == in.Vehicle) {
			ids = append(ids, string(id))
		}
	}
	return listEntities(requestOf(ctx), ids, in.Page, func(id string) (api.Command, bool) {
		return state.CommandView(fleet.CommandID(id))
	}, nil)
}

func (s *Server) getCommand(ctx context.Context, in *idInput) (*reply, error) {
	command, ok := s.backend.View().State.CommandView(fleet.CommandID(in.ID))
	if !ok {
		return nil, newProblem(codeCommandNotFound, "there is no command %q", in.ID)
	}
	return oneThing(requestOf(ctx), command, nil)
}

func (s *Server) getMission(ctx context.Context, in *idInput) (*reply, error) {
	mission, ok := s.backend.View().State.MissionView(fleet.MissionID(in.ID))
	if !ok {
		return nil, newProblem(codeMissionNotFound, "there is no mission %q", in.ID)
	}
	return oneThing(requestOf(ctx), mission, missionFeature)
}

func (s *Server) listAlerts(ctx context.Context, in *alertsInput) (*reply, error) {
	state := s.backend.View().State
	var ids []string
	for id, a := range state.Durable.Alerts {
		if (in.Open == "" || (in.Open == "true") == a.Open()) && (in.Vehicle == "" || string(a.Vehicle) == in.Vehicle) &&
			(in.Task == "" || string(a.Task) == in.Task) && (in.Kind == "" || string(a.Kind) == in.Kind) {
			ids = append(ids, string(id))
		}
	}
	return listEntities(requestOf(ctx), ids, in.Page, func(id string) (api.Alert, bool) {
		return state.AlertView(fleet.AlertID(id))
	}, nil)
}

func (s *Server) acknowledge(ctx context.Context, in *acknowledgeInput) (*reply, error) {
	return s.ask(ctx, fleet.AcknowledgeAlert{Alert: fleet.AlertID(in.ID)})
}

// listEntities answers with a page of things that are found by their ids.
func listEntities[T any](r *request, ids []string, p Page, view func(string) (T, bool), draw func(T) feature) (*reply, error) {
	picked, next, bad := page(ids, p)
	if bad != nil {
		return nil, bad
	}
	items := make([]T, 0, len(picked))
	for _, id := range picked {
		if item, ok := view(id); ok {
			items = append(items, item)
		}
	}
	return listOf(r, items, next, draw)
}

// location is the address of what an answer's id names, empty for none.
func location(prefix string, body []byte) string {
	var v struct {
		ID string `json:"id"`
	}
	if err := json.Unmarshal(body, &v); err != nil || v.ID == "" {
		return ""
	}
	return prefix + url.PathEscape(v.ID)
}
