package client

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/kapok-fleet/kapok/protocol/api"
)

// Now is the fleet's time, which may run ahead of the wall clock.
func (c *Client) Now(ctx context.Context) (time.Time, error) {
	health, err := get[api.Health](ctx, c, "/readyz", nil)
	return health.Time, err
}

// Quote asks who would go, when, and why not the others. Nothing changes.
func (c *Client) Quote(ctx context.Context, about api.QuoteRequest) (api.Quote, error) {
	return post[api.Quote](ctx, c, "/v1/quotes", "", about)
}

// Report reports an incident. With a key it may be repeated until an answer
// comes.
func (c *Client) Report(ctx context.Context, key string, report api.IncidentReport) (api.Incident, error) {
	return post[api.Incident](ctx, c, "/v1/incidents", key, report)
}

// Incident reads one incident.
func (c *Client) Incident(ctx context.Context, id string) (api.Incident, error) {
	return get[api.Incident](ctx, c, "/v1/incidents/"+url.PathEscape(id), nil)
}

// Incidents lists incidents; the query holds filters.
func (c *Client) Incidents(ctx context.Context, query url.Values) ([]api.Incident, error) {
	return list[api.Incident](ctx, c, "/v1/incidents", query)
}

// Escalate makes an incident graver, or calls for reinforcement.
func (c *Client) Escalate(ctx context.Context, key, id string, how api.IncidentEscalation) (api.Incident, error) {
	return post[api.Incident](ctx, c, "/v1/incidents/"+url.PathEscape(id)+"/escalate", key, how)
}

// CloseIncident ends an incident.
func (c *Client) CloseIncident(ctx context.Context, key, id string, how api.IncidentClosure) (api.Incident, error) {
	return post[api.Incident](ctx, c, "/v1/incidents/"+url.PathEscape(id)+"/close", key, how)
}

// Responses lists the kinds of incident that the fleet has a response for.
func (c *Client) Responses(ctx context.Context) ([]api.Response, error) {
	answer, err := get[api.List[api.Response]](ctx, c, "/v1/responses", nil)
	return answer.Items, err
}

// Zone reads one zone.
func (c *Client) Zone(ctx context.Context, id string) (api.Zone, error) {
	return get[api.Zone](ctx, c, "/v1/zones/"+url.PathEscape(id), nil)
}

// Zones lists zones; the query holds filters.
func (c *Client) Zones(ctx context.Context, query url.Values) ([]api.Zone, error) {
	return list[api.Zone](ctx, c, "/v1/zones", query)
}

// CreateZone makes a zone.
func (c *Client) CreateZone(ctx context.Context, key string, order api.ZoneOrder) (api.ZoneChange, error) {
	return post[api.ZoneChange](ctx, c, "/v1/zones", key, order)
}

// ChangeZone puts another zone in the place of one that is at the revision; 0
// is that of a zone of the chart that nobody has touched.
func (c *Client) ChangeZone(ctx context.Context, id string, revision uint64, order api.ZoneOrder) (api.ZoneChange, error) {
	header := http.Header{}
	if revision != 0 {
		header.Set("If-Match", `"`+strconv.FormatUint(revision, 10)+`"`)
	}
	var answer api.ZoneChange
	err := c.call(ctx, http.MethodPut, "/v1/zones/"+url.PathEscape(id), nil, header, order, &answer)
	return answer, err
}

// SuspendZone suspends a zone, or ends its suspension.
func (c *Client) SuspendZone(ctx context.Context, key, id string, how api.ZoneSuspension) (api.ZoneChange, error) {
	return post[api.ZoneChange](ctx, c, "/v1/zones/"+url.PathEscape(id)+"/suspension", key, how)
}

// RemoveZone takes a zone away.
func (c *Client) RemoveZone(ctx context.Context, id, reason string) (api.ZoneChange, error) {
	query := url.Values{}
	if reason != "" {
		query.Set("reason", reason)
	}
	var answer api.ZoneChange
	err := c.call(ctx, http.MethodDelete, "/v1/zones/"+url.PathEscape(id), query, nil, nil, &answer)
	return answer, err
}

// Conditions are the wind and the closed streets.
func (c *Client) Conditions(ctx context.Context) (api.Conditions, error) {
	var now api.Conditions
	err := c.call(ctx, http.MethodGet, "/v1/conditions", nil, nil, nil, &now)
	return now, err
}

// SetConditions puts others in the place of the conditions that are at the revision;
// 0 is that of conditions that nobody ever gave.
func (c *Client) SetConditions(ctx context.Context, revision uint64, order api.ConditionsOrder) (api.ConditionsChange, error) {
	header := http.Header{}
	if revision != 0 {
		header.Set("If-Match", `"`+strconv.FormatUint(revision, 10)+`"`)
	}
	var answer api.ConditionsChange
	err := c.call(ctx, http.MethodPut, "/v1/conditions", nil, header, order, &answer)
	return answer, err
}

// TakeOver takes a vehicle out of Kapok's hands.
func (c *Client) TakeOver(ctx context.Context, key, vehicle string, how api.Takeover) (api.Vehicle, error) {
	return post[api.Vehicle](ctx, c, "/v1/vehicles/"+url.PathEscape(vehicle)+"/take-over", key, how)
}

// HandBack gives a vehicle back to Kapok.
func (c *Client) HandBack(ctx context.Context, key, vehicle string, how api.Takeover) (api.Vehicle, error) {
	return post[api.Vehicle](ctx, c, "/v1/vehicles/"+url.PathEscape(vehicle)+"/hand-back", key, how)
}

// Reassign gives a task to a vehicle by hand.
func (c *Client) Reassign(ctx context.Context, key, task string, how api.Reassignment) (api.Task, error) {
	return post[api.Task](ctx, c, "/v1/tasks/"+url.PathEscape(task)+"/reassign", key, how)
}

// Rank changes a task's priority or rank.
func (c *Client) Rank(ctx context.Context, key, task string, how api.Ranking) (api.Task, error) {
	return post[api.Task](ctx, c, "/v1/tasks/"+url.PathEscape(task)+"/rank", key, how)
}

// CommandGroup commands several vehicles at once.
func (c *Client) CommandGroup(ctx context.Context, key string, order api.GroupCommand) (api.GroupResult, error) {
	return post[api.GroupResult](ctx, c, "/v1/group-commands", key, order)
}

// Emergency tells whether the fleet is stopped.
func (c *Client) Emergency(ctx context.Context) (api.EmergencyState, error) {
	return get[api.EmergencyState](ctx, c, "/v1/emergency-stop", nil)
}

// StopFleet stops the whole fleet.
func (c *Client) StopFleet(ctx context.Context, key string, how api.EmergencyStop) (api.EmergencyState, error) {
	return post[api.EmergencyState](ctx, c, "/v1/emergency-stop", key, how)
}

// ReleaseFleet ends an emergency stop.
func (c *Client) ReleaseFleet(ctx context.Context, key string, how api.EmergencyRelease) (api.EmergencyState, error) {
	return post[api.EmergencyState](ctx, c, "/v1/emergency-stop/release", key, how)
}
