package server

import (
	"context"
	"net/http"

	"github.com/kapok-fleet/kapok/fleet"
	"github.com/kapok-fleet/kapok/protocol/api"
)

type takeoverInput struct {
	ID   string `path:"id" maxLength:"64"`
	Body api.Takeover
}

type reassignInput struct {
	ID      string `path:"id" maxLength:"64"`
	IfMatch string `header:"If-Match"`
	Body    api.Reassignment
}

type rankInput struct {
	ID      string `path:"id" maxLength:"64"`
	IfMatch string `header:"If-Match"`
	Body    api.Ranking
}

type groupInput struct {
	Body api.GroupCommand
}

type stopInput struct {
	Body api.EmergencyStop
}

type releaseInput struct {
	Body api.EmergencyRelease
}

// registerActions adds what people do by hand.
func (s *Server) registerActions() {
	register(s, operation{
		id: "take-over", method: http.MethodPost, path: "/v1/vehicles/{id}/take-over", tag: "vehicles", needs: toOperate, asks: true,
		summary:     "Take a vehicle over by hand",
		description: "Its mission is suspended, and Kapok leaves it alone: no commands, revisions or recalls until it is handed back.",
		answers:     []shape{{http.StatusOK, api.Vehicle{}}},
		codes:       vehicleCodes(),
	}, s.takeOver)
	register(s, operation{
		id: "hand-back", method: http.MethodPost, path: "/v1/vehicles/{id}/hand-back", tag: "vehicles", needs: toOperate, asks: true,
		summary:     "Hand a vehicle back to Kapok",
		description: "Its mission goes on, planned anew from where it is.",
		answers:     []shape{{http.StatusOK, api.Vehicle{}}},
		codes:       vehicleCodes(),
	}, s.handBack)
	register(s, operation{
		id: "reassign-task", method: http.MethodPost, path: "/v1/tasks/{id}/reassign", tag: "tasks", needs: toOperate, asks: true,
		summary:     "Give a task to a vehicle by hand",
		description: "202 says that its present vehicle has not yet given it up. 409 says why the vehicle cannot take it.",
		answers:     []shape{{http.StatusOK, api.Task{}}, {http.StatusAccepted, api.Task{}}},
		codes:       actionCodes(),
	}, s.reassign)
	register(s, operation{
		id: "rank-task", method: http.MethodPost, path: "/v1/tasks/{id}/rank", tag: "tasks", needs: toOperate, asks: true,
		summary: "Change a task's priority or rank",
		answers: []shape{{http.StatusOK, api.Task{}}},
		codes:   actionCodes(),
	}, s.rank)
	register(s, operation{
		id: "command-group", method: http.MethodPost, path: "/v1/group-commands", tag: "commands", needs: toOperate, asks: true,
		summary:     "Command several vehicles at once",
		description: "Those that match all that is given; nothing given means all. Vehicles that are left out are listed with the reason.",
		answers:     []shape{{http.StatusCreated, api.GroupResult{}}},
		codes:       groupCodes(),
	}, s.commandGroup)
	register(s, operation{
		id: "get-emergency-stop", method: http.MethodGet, path: "/v1/emergency-stop", tag: "commands", needs: toRead,
		summary: "Ask whether the fleet is stopped",
		answers: []shape{{http.StatusOK, api.EmergencyState{}}},
	}, s.emergencyState)
	register(s, operation{
		id: "stop-fleet", method: http.MethodPost, path: "/v1/emergency-stop", tag: "commands", needs: toOperate, asks: true,
		summary:     "Stop the whole fleet",
		description: "Every vehicle is held, and nothing that moves one is issued until the stop is released, over restarts too.",
		answers:     []shape{{http.StatusOK, api.EmergencyState{}}},
		codes:       groupCodes(),
	}, s.stopFleet)
	register(s, operation{
		id: "release-fleet", method: http.MethodPost, path: "/v1/emergency-stop/release", tag: "commands", needs: toOperate, asks: true,
		summary:     "End the emergency stop",
		description: "With resume, the vehicles that it held go on; otherwise each stays held until it is resumed.",
		answers:     []shape{{http.StatusOK, api.EmergencyState{}}},
		codes:       groupCodes(),
	}, s.releaseFleet)
}

func (s *Server) takeOver(ctx context.Context, in *takeoverInput) (*reply, error) {
	return s.ask(ctx, fleet.TakeOver{Vehicle: fleet.VehicleID(in.ID), Order: in.Body})
}

func (s *Server) handBack(ctx context.Context, in *takeoverInput) (*reply, error) {
	return s.ask(ctx, fleet.TakeOver{Vehicle: fleet.VehicleID(in.ID), HandBack: true, Order: in.Body})
}

func (s *Server) reassign(ctx context.Context, in *reassignInput) (*reply, error) {
	revision, p := s.taskRevision(in.ID, in.IfMatch)
	if p != nil {
		return nil, p
	}
	return s.ask(ctx, fleet.ReassignTask{Task: fleet.TaskID(in.ID), Revision: revision, Order: in.Body})
}

func (s *Server) rank(ctx context.Context, in *rankInput) (*reply, error) {
	revision, p := s.taskRevision(in.ID, in.IfMatch)
	if p != nil {
		return nil, p
	}
	return s.ask(ctx, fleet.RankTask{Task: fleet.TaskID(in.ID), Revision: revision, Order: in.Body})
}

func (s *Server) commandGroup(ctx context.Context, in *groupInput) (*reply, error) {
	return s.ask(ctx, fleet.CommandGroup{Order: in.Body})
}

func (s *Server) emergencyState(ctx context.Context, _ *struct{}) (*reply, error) {
	return oneThing(requestOf(ctx), s.backend.View().State.EmergencyView(), nil)
}

func (s *Server) stopFleet(ctx context.Context, in *stopInput) (*reply, error) {
	return s.ask(ctx, fleet.StopFleet{Order: in.Body})
}

func (s *Server) releaseFleet(ctx context.Context, in *releaseInput) (*reply, error) {
	return s.ask(ctx, fleet.ReleaseFleet{Order: in.Body})
}
