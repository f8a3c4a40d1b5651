// Package client speaks Kapok's HTTP API for the command line and for tests. A
// request that failed on its way may be repeated with the same idempotency key;
// the client itself repeats nothing.
package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/kapok-fleet/kapok/protocol/api"
)

const (
	// answerWithin bounds a whole request, longer than the server's own limit.
	answerWithin = 40 * time.Second
	// maxAnswerBytes is the longest answer that is read; a longer one is an error.
	maxAnswerBytes = 64 << 20
	// pageSize is how many items are asked for at once.
	pageSize = "1000"
	// maxPages bounds a list that would never end, maxListBytes one that would not
	// fit into the memory.
	maxPages     = 10_000
	maxListBytes = 1 << 30
)

// Client speaks to one server with one token. It may be used by several
// goroutines.
type Client struct {
	base  *url.URL
	token string
	http  *http.Client
}

// New returns a client for the server at an http or https address. A path in
// the address comes before /v1, for instance that of one fleet of many. An
// address with a user, a password or a query is refused: addresses are printed
// and logged, and a secret belongs into the token. Redirections are not
// followed, so that the token goes nowhere but to the address.
func New(address, token string) (*Client, error) {
	if strings.ContainsAny(address, "@?#") {
		return nil, errors.New("the address of the backend must have no user, password, query or fragment; pass a secret as the token")
	}
	base, err := url.Parse(strings.TrimSuffix(address, "/"))
	if err != nil || base.Host == "" || base.Scheme != "http" && base.Scheme != "https" {
		return nil, fmt.Errorf("%q is not an address such as http://127.0.0.1:8080", address)
	}
	if strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return nil, errors.New("the token must be visible ASCII characters; look for a space or a line end in it")
	}
	transport := &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		DialContext:         (&net.Dialer{Timeout: 10 * time.Second}).DialContext,
		MaxIdleConnsPerHost: 8, IdleConnTimeout: time.Minute, ForceAttemptHTTP2: true,
	}
	return &Client{base: base, token: token, http: &http.Client{
		Transport: transport, Timeout: answerWithin, CheckRedirect: stay,
	}}, nil
}

// stay follows no redirection.
func stay(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// Close gives up idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// ProblemError is a server's refusal.
type ProblemError struct {
	api.Problem
}

// Error gives the detail, the field at fault and the code.
func (e *ProblemError) Error() string {
	text := e.Detail
	if text == "" {
		text = e.Title
	}
	if len(e.Errors) > 0 {
		var all []string
		for _, f := range e.Errors {
			all = append(all, f.Field+": "+f.Detail)
		}
		text += ": " + strings.Join(all, "; ")
	} else if e.Field != "" && !strings.HasPrefix(text, e.Field) {
		text = e.Field + ": " + text
	}
	return fmt.Sprintf("%s (%d %s)", text, e.Status, e.Code)
}

// UnreachableError says that no answer came. Whether the request was carried
// out is unknown.
type UnreachableError struct {
	Address string
	Cause   error
}

// Error names the address and the cause.
func (e *UnreachableError) Error() string {
	return fmt.Sprintf("no answer from %s: %v", e.Address, e.Cause)
}

// Unwrap returns the cause.
func (e *UnreachableError) Unwrap() error { return e.Cause }

// call makes one request. Body and answer may be nil.
func (c *Client) call(ctx context.Context, method, path string, query url.Values, header http.Header, body, answer any) error {
	var content io.Reader
	if body != nil {
		encoded, err := json.Marshal(body)
		if err != nil {
			return fmt.Errorf("encoding the request to %s: %w", path, err)
		}
		content = bytes.NewReader(encoded)
	}
	to := *c.base
	to.Path += path
	to.RawQuery = query.Encode()
	request, err := http.NewRequestWithContext(ctx, method, to.String(), content)
	if err != nil {
		return fmt.Errorf("making the request to %s: %w", path, err)
	}
	for name, values := range header {
		request.Header[name] = values
	}
	request.Header.Set("Authorization", "Bearer "+c.token)
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	response, err := c.http.Do(request)
	if err != nil {
		if cause, ok := errors.AsType[*url.Error](err); ok {
			err = cause.Err
		}
		return &UnreachableError{Address: c.base.String(), Cause: err}
	}
	defer func() { _ = response.Body.Close() }()
	data, err := io.ReadAll(io.LimitReader(response.Body, maxAnswerBytes+1))
	if err != nil {
		return &UnreachableError{Address: c.base.String(), Cause: err}
	}
	return read(response, data, path, answer)
}

// read turns an answer into a value or an error.
func read(response *http.Response, data []byte, path string, answer any) error {
	if len(data) > maxAnswerBytes {
		return fmt.Errorf("the answer from %s is longer than %d bytes", path, maxAnswerBytes)
	}
	if response.StatusCode >= 300 {
		problem := &ProblemError{}
		if err := json.Unmarshal(data, &problem.Problem); err != nil || problem.Code == "" {
			problem.Problem = api.Problem{
				Title: http.StatusText(response.StatusCode), Code: "not_kapok",
				Detail: "the answer does not come from Kapok",
			}
			if to := response.Header.Get("Location"); response.StatusCode < 400 && to != "" {
				problem.Detail = fmt.Sprintf("the address redirects to %q, which is not followed; pass the address that is meant", to)
			}
		}
		problem.Status = response.StatusCode
		return problem
	}
	if answer == nil {
		return nil
	}
	if err := json.Unmarshal(data, answer); err != nil {
		return fmt.Errorf("reading the answer from %s: %w", path, err)
	}
	return nil
}

func get[T any](ctx context.Context, c *Client, path string, query url.Values) (T, error) {
	var answer T
	err := c.call(ctx, http.MethodGet, path, query, nil, nil, &answer)
	return answer, err
}

func post[T any](ctx context.Context, c *Client, path, key string, body any) (T, error) {
	var answer T
	header := http.Header{}
	if key != "" {
		header.Set("Idempotency-Key", key)
	}
	err := c.call(ctx, http.MethodPost, path, nil, header, body, &answer)
	return answer, err
}

// list reads all pages of a list.
func list[T any](ctx context.Context, c *Client, path string, query url.Values) ([]T, error) {
	all := []T{}
	query = cloned(query)
	query.Set("limit", pageSize)
	length := 0
	for range maxPages {
		raw, err := get[json.RawMessage](ctx, c, path, query)
		if err != nil {
			return nil, err
		}
		if length += len(raw); length > maxListBytes {
			return nil, fmt.Errorf("the list %s has more than %d bytes; ask for a part of it", path, maxListBytes)
		}
		var page api.List[T]
		if err := json.Unmarshal(raw, &page); err != nil {
			return nil, fmt.Errorf("reading the answer from %s: %w", path, err)
		}
		all = append(all, page.Items...)
		if page.NextCursor == "" {
			return all, nil
		}
		if page.NextCursor == query.Get("cursor") {
			return nil, fmt.Errorf("the list %s comes back to where it was", path)
		}
		query.Set("cursor", page.NextCursor)
	}
	return nil, fmt.Errorf("the list %s has more than %d pages", path, maxPages)
}

func cloned(query url.Values) url.Values {
	out := url.Values{}
	for name, values := range query {
		out[name] = append([]string(nil), values...)
	}
	return out
}
