package hostile

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/kapok-fleet/kapok/fleet"
	"github.com/kapok-fleet/kapok/protocol"
)

// errNoToken is an attack that needs a token that the target does not have.
var errNoToken = errors.New("the target has no token for this")

// small bounds the memory of what leaves nothing behind: buffers of one request
// or link, and what the collector has not swept yet.
const small = 8

func refused(code string) string { return `kapok_refusals_total{code="` + code + `"}` }

func linkError(code string) string { return `kapok_link_errors_total{code="` + code + `"}` }

func linkClosed(why string) string { return `kapok_link_closed_total{why="` + why + `"}` }

func alertRaised(kind fleet.AlertKind) string {
	return `kapok_alerts_raised_total{kind="` + string(kind) + `"}`
}

// linkHeaders are what an upgrade to a link needs beside its token.
func linkHeaders(more ...string) []string {
	return append([]string{
		"Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: aG9zdGlsZS1hdHRhY2tlcg==",
		"Sec-WebSocket-Protocol: " + protocol.SubprotocolJSON,
	}, more...)
}

func strangers() []Attack {
	all := append(unknown(), overreaching()...)
	for i := range all {
		all[i].Group, all[i].MemoryMiB = Strangers, small
		if all[i].Metric == "" {
			all[i].Metric = refused(all[i].Want.Code)
		}
	}
	return all
}

// unknown are those without a good token.
func unknown() []Attack {
	unauthenticated := Answer{Status: http.StatusUnauthorized, Code: "unauthenticated"}
	return []Attack{
		{
			Name: "no-token", Does: "asks for the vehicles without a token", Want: unauthenticated,
			Run: asks(func(*Raid) Request { return Request{Path: "/v1/vehicles"} }),
		},
		{
			Name: "wrong-token", Does: "asks with a token that was never given out", Want: unauthenticated,
			Run: asks(func(*Raid) Request { return Request{Path: "/v1/vehicles", Token: "kapok_AAAAAAAAAAAAAAAAAAAAAAAAAA"} }),
		},
		{
			Name: "endless-token", Does: "asks with a token of 8,000 bytes", Want: unauthenticated,
			Run: asks(func(*Raid) Request { return Request{Path: "/v1/vehicles", Token: strings.Repeat("A", 8_000)} }),
		},
		{
			Name: "token-in-address", Does: "passes a good token in the address, where logs would keep it", Want: unauthenticated,
			Run: asks(func(r *Raid) Request { return Request{Path: "/v1/vehicles?token=" + r.Tokens.Viewer} }),
		},
		{
			Name: "basic-authorization", Does: "passes a good token as the password of Basic authorization", Want: unauthenticated,
			Run: asks(func(*Raid) Request {
				return Request{Path: "/v1/vehicles", Headers: []string{"Authorization: Basic a2Fwb2s6a2Fwb2s="}}
			}),
		},
		{
			Name: "revoked-token", Does: "asks with a token that was withdrawn", Want: unauthenticated,
			Run: asks(func(r *Raid) Request { return Request{Path: "/v1/vehicles", Token: r.Tokens.Revoked} }),
		},
	}
}

// overreaching are those whose token is good for something else.
func overreaching() []Attack {
	forbidden := Answer{Status: http.StatusForbidden, Code: "forbidden"}
	return []Attack{
		{
			Name: "viewer-orders", Does: "orders a task with a viewer's token", Want: forbidden,
			Run: asks(func(r *Raid) Request { return posted("/v1/tasks", r.Tokens.Viewer, `{"kind":"visit","stops":[{}]}`) }),
		},
		{
			Name: "vehicle-reads", Does: "reads the tasks with a vehicle's token", Want: forbidden,
			Run: asks(func(r *Raid) Request { return Request{Path: "/v1/tasks", Token: r.Tokens.Vehicle} }),
		},
		{
			Name: "dispatcher-links", Does: "opens a vehicle's link with a dispatcher's token", Want: forbidden,
			Run: asks(func(r *Raid) Request {
				return Request{Path: "/v1/link?vehicle=" + r.Vehicles(), Token: r.Tokens.Dispatcher, Headers: linkHeaders()}
			}),
		},
		{
			Name: "simulator-watches", Does: "opens a dispatcher's stream with a simulator's token", Want: forbidden,
			Run: asks(func(r *Raid) Request {
				return Request{Path: "/v1/stream", Token: r.Tokens.Simulator, Headers: linkHeaders()}
			}),
		},
		{
			Name: "another-vehicle", Does: "logs in as another vehicle than the one that its token is bound to", Want: forbidden,
			Run: asks(func(r *Raid) Request {
				return Request{Path: "/v1/link?vehicle=" + r.Vehicles(), Token: r.Tokens.Vehicle, Headers: linkHeaders()}
			}),
		},
		{
			Name: "another-fleet", Does: "asks with a token for another fleet", Want: forbidden,
			Run: asks(func(r *Raid) Request { return Request{Path: "/v1/vehicles", Token: r.Tokens.Elsewhere} }),
		},
		{
			Name: "cross-origin-link", Does: "opens a link from a web page of another host",
			Want: Answer{Status: http.StatusForbidden, Code: "origin_refused"},
			Run: asks(func(r *Raid) Request {
				return Request{Path: "/v1/link?vehicle=" + r.Vehicles(), Token: r.Tokens.Simulator, Headers: linkHeaders("Origin: https://evil.example")}
			}),
		},
		{
			Name: "cross-origin-stream", Does: "opens a stream from a web page of another host",
			Want: Answer{Status: http.StatusForbidden, Code: "origin_refused"},
			Run: asks(func(r *Raid) Request {
				return Request{Path: "/v1/stream", Token: r.Tokens.Viewer, Headers: linkHeaders("Origin: https://evil.example")}
			}),
		},
		{
			Name: "withdrawn-while-linked", Does: "goes on with a link whose token is withdrawn", Within: withdrawnWithin,
			Want: Answer{Close: 1008}, Metric: linkClosed("token"), Run: withdrawn, Once: true,
		},
	}
}

// withdrawn opens a link with a good token, has the token withdrawn and waits.
func withdrawn(r *Raid) (Answer, error) {
	if r.Tokens.Revoke == nil {
		return Answer{}, errNoToken
	}
	s, err := r.open("/v1/link", r.Tokens.Shortly, "Sec-WebSocket-Protocol: "+protocol.SubprotocolJSON)
	if err != nil {
		return Answer{}, err
	}
	if err := s.greet(r.hello()); err != nil {
		return Answer{}, err
	}
	if err := r.Tokens.Revoke(); err != nil {
		return Answer{}, fmt.Errorf("withdrawing the token: %w", err)
	}
	r.standing()
	return s.end()
}
