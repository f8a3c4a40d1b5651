package client

import (
	"context"

	"github.com/kapok-fleet/kapok/protocol/api"
)

// Chart tells which chart the fleet plans on.
func (c *Client) Chart(ctx context.Context) (api.Chart, error) {
	return get[api.Chart](ctx, c, "/v1/chart", nil)
}
