package server

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/kapok-fleet/kapok/fleet"
	"github.com/kapok-fleet/kapok/protocol/api"
)

const (
	// DefaultMaxQuotes is how many quotes are made at once.
	DefaultMaxQuotes = 2
	// quoteWithin is how long a quote waits for its turn before it is refused with
	// too_many_quotes.
	quoteWithin = 5 * time.Second
)

type quoteInput struct {
	Body api.QuoteRequest
}

func (s *Server) registerQuotes() {
	register(s, operation{
		id: "quote", method: http.MethodPost, path: "/v1/quotes", tag: "tasks", needs: toOperate,
		summary: "Ask who would go, when, and why not the others",
		description: "About an order, an incident, or a task that is there. The fleet's own rules decide on a copy of its present state; " +
			"nothing changes. Every other vehicle is listed with the rule that excludes it; docs/errors.md lists the rules.",
		answers: []shape{{http.StatusOK, api.Quote{}}},
		codes: slices.Concat(orderCodes(), reportCodes(), []string{
			"bad_quote", codeTaskNotFound, "task_over", codeTooManyQuotes, codeMalformedJSON, codeMalformedKey, codeBodyTooLarge,
			codeRequestTimeout, codeUnsupportedMedia, codeUnavailable,
		}),
	}, s.quote)
}

// quote rehearses a decision. It takes a processor as long as the decision would
// take with all its background planning, so only some are made at once.
func (s *Server) quote(ctx context.Context, in *quoteInput) (*reply, error) {
	if err := s.backend.Ready(); err != nil {
		return nil, newProblem(codeUnavailable, "the fleet is being reopened from its record; try again shortly").with("Retry-After", "1")
	}
	turn, cancel := context.WithTimeout(ctx, quoteWithin)
	defer cancel()
	select {
	case s.quotes <- struct{}{}:
		defer func() { <-s.quotes }()
	case <-turn.Done():
		return nil, newProblem(codeTooManyQuotes, "%d quotes are being made; try again shortly", cap(s.quotes)).with("Retry-After", "1")
	}
	view := s.backend.View()
	quote, refused := fleet.Quote(s.backend.Premises(), view.State, view.World, s.options.Clock(), in.Body)
	if refused != nil {
		p := newProblem(refused.Code, "%s", refused.Detail)
		if refused.Field != "" {
			p.Field = "body." + within(in.Body) + refused.Field
		}
		return nil, p
	}
	return oneThing(requestOf(ctx), quote, nil)
}

// within is the part of a quote's body that a refusal is about.
func within(r api.QuoteRequest) string {
	switch {
	case r.Order != nil && r.Incident == nil && r.Task == "":
		return "order."
	case r.Incident != nil && r.Order == nil && r.Task == "":
		return "incident."
	}
	return ""
}
