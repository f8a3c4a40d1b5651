package server

import (
	"context"
	"net/http"

	"github.com/kapok-fleet/kapok/fleet"
	"github.com/kapok-fleet/kapok/protocol/api"
)

type conditionsInput struct {
	IfMatch string `header:"If-Match"`
	Body    api.ConditionsOrder
}

func (s *Server) registerConditions() {
	register(s, operation{
		id: "get-conditions", method: http.MethodGet, path: "/v1/conditions", tag: "conditions", needs: toRead,
		summary: "Read the wind and the closed streets that ways are planned in; the ETag names the revision",
		answers: []shape{{http.StatusOK, api.Conditions{}}},
	}, s.getConditions)
	register(s, operation{
		id: "put-conditions", method: http.MethodPut, path: "/v1/conditions", tag: "conditions", needs: toOperate, asks: true,
		summary: "Put other conditions in force",
		description: "What is given is all of it: a street that is not named is open. Every mission is held against them: the answer lists the\n" +
			"vehicles that cannot go on as planned, and what they are told.",
		answers: []shape{{http.StatusOK, api.ConditionsChange{}}},
		codes:   conditionsCodes(),
	}, s.putConditions)
}

func (s *Server) getConditions(ctx context.Context, _ *struct{}) (*reply, error) {
	c := s.backend.View().State.ConditionsView()
	answer, err := oneThing(requestOf(ctx), c, nil)
	if err == nil {
		answer.ETag = entityTag(c.Revision)
	}
	return answer, err
}

func (s *Server) putConditions(ctx context.Context, in *conditionsInput) (*reply, error) {
	revision, p := wantedRevision(in.IfMatch, s.backend.View().State.ConditionsView().Revision)
	if p != nil {
		return nil, p
	}
	return s.ask(ctx, fleet.SetConditions{Revision: revision, Order: in.Body})
}
