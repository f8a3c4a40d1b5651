package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"

	"github.com/kapok-fleet/kapok/protocol/api"
)

// EventPage reads one page of durable events.
func (c *Client) EventPage(ctx context.Context, query url.Values) (api.List[api.Event], error) {
	return get[api.List[api.Event]](ctx, c, "/v1/events", query)
}

// Download copies an answer of any length to w; only ctx bounds it. Next is
// where another download goes on when this one ended at the server's limit,
// empty when it has everything.
func (c *Client) Download(ctx context.Context, path string, query url.Values, w io.Writer) (next string, err error) {
	to := *c.base
	to.Path += path
	to.RawQuery = query.Encode()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, to.String(), nil)
	if err != nil {
		return "", fmt.Errorf("making the request to %s: %w", path, err)
	}
	request.Header.Set("Authorization", "Bearer "+c.token)
	unbounded := http.Client{Transport: c.http.Transport, CheckRedirect: stay}
	response, err := unbounded.Do(request)
	if err != nil {
		if cause, ok := errors.AsType[*url.Error](err); ok {
			err = cause.Err
		}
		return "", &UnreachableError{Address: c.base.String(), Cause: err}
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode >= 300 {
		data, err := io.ReadAll(io.LimitReader(response.Body, maxAnswerBytes))
		if err != nil {
			return "", &UnreachableError{Address: c.base.String(), Cause: err}
		}
		return "", read(response, data, path, nil)
	}
	if _, err := io.Copy(w, response.Body); err != nil {
		return "", fmt.Errorf("the download was cut off: %w", err)
	}
	return response.Trailer.Get("Next-Cursor"), nil
}
