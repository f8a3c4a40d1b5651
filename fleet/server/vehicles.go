package server

import (
	"context"
	"net/http"

	"github.com/kapok-fleet/kapok/fleet"
	"github.com/kapok-fleet/kapok/protocol/api"
)

type vehiclesInput struct {
	Page
	Kind      []string `query:"kind" enum:"rover,multirotor,vtol,vessel" doc:"Any of these, separated by commas."`
	Link      []string `query:"link" enum:"unknown,live,late,lost" doc:"Any of these, separated by commas."`
	InService string   `query:"in_service" enum:"true,false"`
}

type vehicleInput struct {
	ID string `path:"id" maxLength:"64"`
}

type registrationInput struct {
	ID   string `path:"id" minLength:"1" maxLength:"64" pattern:"^[A-Za-z0-9][A-Za-z0-9._:-]*$"`
	Body api.VehicleRegistration
}

type serviceInput struct {
	ID   string `path:"id" maxLength:"64"`
	Body api.ServiceChange
}

type commandInput struct {
	ID   string `path:"id" maxLength:"64"`
	Body api.CommandOrder
}

func (s *Server) registerVehicles() {
	register(s, operation{
		id: "list-vehicles", method: http.MethodGet, path: "/v1/vehicles", tag: "vehicles", needs: toRead, geoJSON: true,
		summary: "List vehicles, shorter ids first",
		answers: []shape{{http.StatusOK, api.List[api.Vehicle]{}}},
		codes:   []string{codeMalformedCursor},
	}, s.listVehicles)
	register(s, operation{
		id: "get-vehicle", method: http.MethodGet, path: "/v1/vehicles/{id}", tag: "vehicles", needs: toRead, geoJSON: true,
		summary: "Read a vehicle",
		answers: []shape{{http.StatusOK, api.Vehicle{}}},
		codes:   []string{codeVehicleNotFound},
	}, s.getVehicle)
	register(s, operation{
		id: "register-vehicle", method: http.MethodPut, path: "/v1/vehicles/{id}", tag: "vehicles", needs: toAdminister, asks: true,
		summary: "Register a vehicle, or change what is registered",
		answers: []shape{{http.StatusOK, api.Vehicle{}}, {http.StatusCreated, api.Vehicle{}}},
		codes:   vehicleCodes(),
	}, s.registerVehicle)
	register(s, operation{
		id: "change-service", method: http.MethodPost, path: "/v1/vehicles/{id}/service", tag: "vehicles", needs: toAdminister, asks: true,
		summary: "Take a vehicle out of service, or back",
		answers: []shape{{http.StatusOK, api.Vehicle{}}},
		codes:   vehicleCodes(),
	}, s.changeService)
	register(s, operation{
		id: "order-command", method: http.MethodPost, path: "/v1/vehicles/{id}/commands", tag: "commands", needs: toOperate, asks: true,
		summary:     "Command a vehicle at once",
		description: "hold suspends the mission and resume takes it up again; return, land and stop end it.",
		answers:     []shape{{http.StatusCreated, api.Command{}}},
		codes:       vehicleCodes(),
	}, s.orderCommand)
}

func (s *Server) listVehicles(ctx context.Context, in *vehiclesInput) (*reply, error) {
	state := s.backend.View().State
	var ids []string
	for id, v := range state.Durable.Vehicles {
		link := fleet.LinkUnknown
		if p, ok := state.Volatile.Presences[id]; ok {
			link = p.Link
		}
		inService := "true"
		if v.OutOfService != "" {
			inService = "false"
		}
		if oneOf(in.Kind, v.Kind) && oneOf(in.Link, link) && (in.InService == "" || in.InService == inService) {
			ids = append(ids, string(id))
		}
	}
	return listEntities(requestOf(ctx), ids, in.Page, func(id string) (api.Vehicle, bool) {
		return state.VehicleView(fleet.VehicleID(id))
	}, vehicleFeature)
}

func (s *Server) getVehicle(ctx context.Context, in *vehicleInput) (*reply, error) {
	vehicle, ok := s.backend.View().State.VehicleView(fleet.VehicleID(in.ID))
	if !ok {
		return nil, newProblem(codeVehicleNotFound, "there is no vehicle %q", in.ID)
	}
	return oneThing(requestOf(ctx), vehicle, vehicleFeature)
}

func (s *Server) registerVehicle(ctx context.Context, in *registrationInput) (*reply, error) {
	return s.ask(ctx, fleet.RegisterVehicle{Vehicle: fleet.VehicleID(in.ID), Registration: in.Body})
}

func (s *Server) changeService(ctx context.Context, in *serviceInput) (*reply, error) {
	return s.ask(ctx, fleet.ChangeService{Vehicle: fleet.VehicleID(in.ID), Change: in.Body})
}

func (s *Server) orderCommand(ctx context.Context, in *commandInput) (*reply, error) {
	answer, err := s.ask(ctx, fleet.OrderCommand{Vehicle: fleet.VehicleID(in.ID), Order: in.Body})
	if err == nil {
		answer.Location = location("/v1/commands/", answer.Body)
	}
	return answer, err
}
