package client

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"

	"github.com/kapok-fleet/kapok/protocol/api"
)

// Order orders a task. With a key it may be repeated until an answer comes.
func (c *Client) Order(ctx context.Context, key string, order api.Order) (api.Task, error) {
	return post[api.Task](ctx, c, "/v1/tasks", key, order)
}

// Task reads one task.
func (c *Client) Task(ctx context.Context, id string) (api.Task, error) {
	return get[api.Task](ctx, c, "/v1/tasks/"+url.PathEscape(id), nil)
}

// Tasks lists tasks; the query holds filters.
func (c *Client) Tasks(ctx context.Context, query url.Values) ([]api.Task, error) {
	return list[api.Task](ctx, c, "/v1/tasks", query)
}

// Cancel cancels a task.
func (c *Client) Cancel(ctx context.Context, key, id, reason string) (api.Task, error) {
	return post[api.Task](ctx, c, "/v1/tasks/"+url.PathEscape(id)+"/cancel", key, api.Cancellation{Reason: reason})
}

// Resolve decides on a stop in doubt.
func (c *Client) Resolve(ctx context.Context, key, id string, decision api.Resolution) (api.Task, error) {
	return post[api.Task](ctx, c, "/v1/tasks/"+url.PathEscape(id)+"/resolve", key, decision)
}

// Vehicle reads one vehicle.
func (c *Client) Vehicle(ctx context.Context, id string) (api.Vehicle, error) {
	return get[api.Vehicle](ctx, c, "/v1/vehicles/"+url.PathEscape(id), nil)
}

// Vehicles lists vehicles; the query holds filters.
func (c *Client) Vehicles(ctx context.Context, query url.Values) ([]api.Vehicle, error) {
	return list[api.Vehicle](ctx, c, "/v1/vehicles", query)
}

// Register registers a vehicle or changes what is registered.
func (c *Client) Register(ctx context.Context, id string, registration api.VehicleRegistration) (api.Vehicle, error) {
	var answer api.Vehicle
	err := c.call(ctx, http.MethodPut, "/v1/vehicles/"+url.PathEscape(id), nil, nil, registration, &answer)
	return answer, err
}

// SetService takes a vehicle out of service or back.
func (c *Client) SetService(ctx context.Context, key, id string, change api.ServiceChange) (api.Vehicle, error) {
	return post[api.Vehicle](ctx, c, "/v1/vehicles/"+url.PathEscape(id)+"/service", key, change)
}

// Command commands a vehicle.
func (c *Client) Command(ctx context.Context, key, vehicle string, order api.CommandOrder) (api.Command, error) {
	return post[api.Command](ctx, c, "/v1/vehicles/"+url.PathEscape(vehicle)+"/commands", key, order)
}

// CommandByID reads one command.
func (c *Client) CommandByID(ctx context.Context, id string) (api.Command, error) {
	return get[api.Command](ctx, c, "/v1/commands/"+url.PathEscape(id), nil)
}

// Alerts lists alerts; the query holds filters.
func (c *Client) Alerts(ctx context.Context, query url.Values) ([]api.Alert, error) {
	return list[api.Alert](ctx, c, "/v1/alerts", query)
}

// Acknowledge notes that a person has seen an alert.
func (c *Client) Acknowledge(ctx context.Context, key, id string) (api.Alert, error) {
	return post[api.Alert](ctx, c, "/v1/alerts/"+url.PathEscape(id)+"/acknowledge", key, struct{}{})
}

// Events reads all durable events that a filter admits, in order.
func (c *Client) Events(ctx context.Context, query url.Values) ([]api.Event, error) {
	return list[api.Event](ctx, c, "/v1/events", query)
}

// Places lists the chart's places whose name or id contains a text.
func (c *Client) Places(ctx context.Context, text string) ([]api.Place, error) {
	query := url.Values{}
	if text != "" {
		query.Set("text", text)
	}
	return list[api.Place](ctx, c, "/v1/places", query)
}

// Ready returns nil when the server serves.
func (c *Client) Ready(ctx context.Context) error {
	return c.call(ctx, http.MethodGet, "/readyz", nil, nil, nil, nil)
}

// FeatureCollection is a list as GeoJSON.
type FeatureCollection struct {
	Type       string            `json:"type"`
	Features   []json.RawMessage `json:"features"`
	NextCursor string            `json:"next_cursor,omitempty"`
}

// GeoJSON reads all pages of a list as one feature collection.
func (c *Client) GeoJSON(ctx context.Context, path string, query url.Values) (FeatureCollection, error) {
	all := FeatureCollection{Type: "FeatureCollection", Features: []json.RawMessage{}}
	query = cloned(query)
	query.Set("limit", pageSize)
	header := http.Header{"Accept": {"application/geo+json"}}
	for range maxPages {
		var page FeatureCollection
		if err := c.call(ctx, http.MethodGet, path, query, header, nil, &page); err != nil {
			return FeatureCollection{}, err
		}
		all.Features = append(all.Features, page.Features...)
		if page.NextCursor == "" {
			return all, nil
		}
		if page.NextCursor == query.Get("cursor") {
			return FeatureCollection{}, fmt.Errorf("the list %s comes back to where it was", path)
		}
		query.Set("cursor", page.NextCursor)
	}
	return FeatureCollection{}, fmt.Errorf("the list %s has more than %d pages", path, maxPages)
}
