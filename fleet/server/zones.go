package server

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"

	"github.com/kapok-fleet/kapok/fleet"
	"github.com/kapok-fleet/kapok/protocol/api"
)

type zonesInput struct {
	Page
	Rule []string `query:"rule" enum:"keep_out,keep_in,altitude_limit,speed_limit,advise" doc:"Any of these, separated by commas."`
	Live string   `query:"live" enum:"true,false" doc:"Made or changed by people (true), or as the chart has them (false)."`
}

type newZoneInput struct {
	Body api.ZoneOrder
}

type zoneInput struct {
	ID      string `path:"id" maxLength:"128"`
	IfMatch string `header:"If-Match"`
	Body    api.ZoneOrder
}

type suspensionInput struct {
	ID      string `path:"id" maxLength:"128"`
	IfMatch string `header:"If-Match"`
	Body    api.ZoneSuspension
}

type removalInput struct {
	ID      string `path:"id" maxLength:"128"`
	IfMatch string `header:"If-Match"`
	Reason  string `query:"reason" maxLength:"1024"`
}

type zoneIDInput struct {
	ID string `path:"id" maxLength:"128"`
}

const affected = "The answer lists every vehicle whose way or place the change touches, and what it is told: the revisions are on their way when the answer is given."

func (s *Server) registerZones() {
	register(s, operation{
		id: "list-zones", method: http.MethodGet, path: "/v1/zones", tag: "zones", needs: toRead, geoJSON: true,
		summary: "List zones: those of the chart, and those that people made or changed",
		answers: []shape{{http.StatusOK, api.List[api.Zone]{}}},
		codes:   []string{codeMalformedCursor},
	}, s.listZones)
	register(s, operation{
		id: "get-zone", method: http.MethodGet, path: "/v1/zones/{id}", tag: "zones", needs: toRead, geoJSON: true,
		summary: "Read a zone; its ETag names its revision",
		answers: []shape{{http.StatusOK, api.Zone{}}},
		codes:   []string{codeZoneNotFound},
	}, s.getZone)
	register(s, operation{
		id: "create-zone", method: http.MethodPost, path: "/v1/zones", tag: "zones", needs: toOperate, asks: true,
		summary: "Make a zone, in force at once or in its time window", description: affected,
		answers: []shape{{http.StatusCreated, api.ZoneChange{}}},
		codes:   zoneCodes(),
	}, s.createZone)
	register(s, operation{
		id: "change-zone", method: http.MethodPut, path: "/v1/zones/{id}", tag: "zones", needs: toOperate, asks: true,
		summary: "Change a zone, of the chart too", description: affected,
		answers: []shape{{http.StatusOK, api.ZoneChange{}}},
		codes:   zoneCodes(),
	}, s.changeZone)
	register(s, operation{
		id: "suspend-zone", method: http.MethodPost, path: "/v1/zones/{id}/suspension", tag: "zones", needs: toOperate, asks: true,
		summary: "Suspend a zone, or end its suspension", description: affected,
		answers: []shape{{http.StatusOK, api.ZoneChange{}}},
		codes:   zoneCodes(),
	}, s.suspendZone)
	register(s, operation{
		id: "remove-zone", method: http.MethodDelete, path: "/v1/zones/{id}", tag: "zones", needs: toOperate, asks: true,
		summary: "Take a zone away", description: "A zone of the chart stays listed as suspended.",
		answers: []shape{{http.StatusOK, api.ZoneChange{}}},
		codes:   zoneCodes(),
	}, s.removeZone)
}

func (s *Server) listZones(ctx context.Context, in *zonesInput) (*reply, error) {
	state := s.backend.View().State
	var ids []string
	add := func(id string) {
		zone, ok := state.ZoneView(s.options.Chart, fleet.ZoneID(id))
		if ok && (len(in.Rule) == 0 || slices.Contains(in.Rule, zone.Rule)) && (in.Live == "" || zone.Live == (in.Live == "true")) {
			ids = append(ids, id)
		}
	}
	for i := range s.options.Chart.Zones {
		if id := s.options.Chart.Zones[i].ID; state.Durable.Zones[fleet.ZoneID(id)] == nil {
			add(id)
		}
	}
	for id := range state.Durable.Zones {
		add(string(id))
	}
	return listEntities(requestOf(ctx), ids, in.Page, func(id string) (api.Zone, bool) {
		return state.ZoneView(s.options.Chart, fleet.ZoneID(id))
	}, zoneFeature)
}

func (s *Server) getZone(ctx context.Context, in *zoneIDInput) (*reply, error) {
	zone, ok := s.backend.View().State.ZoneView(s.options.Chart, fleet.ZoneID(in.ID))
	if !ok {
		return nil, newProblem(codeZoneNotFound, "there is no zone %q", in.ID)
	}
	r := requestOf(ctx)
	answer, err := oneThing(r, zone, zoneFeature)
	if err == nil && !r.geoJSON {
		answer.ETag = entityTag(zone.Revision)
	}
	return answer, err
}

// zoneRevision is the revision that If-Match demands of a zone.
func (s *Server) zoneRevision(id, ifMatch string) (uint64, *problem) {
	var current uint64
	if z, ok := s.backend.View().State.Durable.Zones[fleet.ZoneID(id)]; ok {
		current = z.Revision
	}
	return wantedRevision(ifMatch, current)
}

func (s *Server) createZone(ctx context.Context, in *newZoneInput) (*reply, error) {
	answer, err := s.ask(ctx, fleet.PutZone{Order: in.Body})
	if err == nil {
		var change struct {
			Zone json.RawMessage `json:"zone"`
		}
		if json.Unmarshal(answer.Body, &change) == nil {
			answer.Location = location("/v1/zones/", change.Zone)
		}
	}
	return answer, err
}

func (s *Server) changeZone(ctx context.Context, in *zoneInput) (*reply, error) {
	revision, p := s.zoneRevision(in.ID, in.IfMatch)
	if p != nil {
		return nil, p
	}
	return s.ask(ctx, fleet.PutZone{Zone: fleet.ZoneID(in.ID), Revision: revision, Order: in.Body})
}

func (s *Server) suspendZone(ctx context.Context, in *suspensionInput) (*reply, error) {
	revision, p := s.zoneRevision(in.ID, in.IfMatch)
	if p != nil {
		return nil, p
	}
	return s.ask(ctx, fleet.SuspendZone{Zone: fleet.ZoneID(in.ID), Revision: revision, Suspension: in.Body})
}

func (s *Server) removeZone(ctx context.Context, in *removalInput) (*reply, error) {
	revision, p := s.zoneRevision(in.ID, in.IfMatch)
	if p != nil {
		return nil, p
	}
	return s.ask(ctx, fleet.RemoveZone{Zone: fleet.ZoneID(in.ID), Revision: revision, Reason: in.Reason})
}
