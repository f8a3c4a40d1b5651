package hostile

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// head is an attack of one request whose text is written as it stands.
func head(name, does string, want Answer, metric string, text func(*Raid) string) Attack {
	if metric == "" {
		metric = refused(want.Code)
	}
	return Attack{
		Name: name, Group: Heads, Does: does, Want: want, Metric: metric, MemoryMiB: small,
		Run: func(r *Raid) (Answer, error) {
			reply, err := r.Raw(text(r))
			return reply.Answer, err
		},
	}
}

// hidden is a request that has all rights to be answered.
func (r *Raid) hidden() string {
	return Request{Path: "/v1/vehicles", Token: r.Tokens.Viewer}.head(r.Address)
}

// alone is a head whose answer, a refusal with 400, must be the only one: the
// connection ends with it.
func alone(name, does, code string, text func(*Raid) string) Attack {
	a := head(name, does, Answer{Status: http.StatusBadRequest, Code: code}, "", text)
	a.Note = "the connection ends, and the hidden request is not carried out"
	a.Run = func(r *Raid) (Answer, error) {
		conn, err := r.Conn()
		if err != nil {
			return Answer{}, err
		}
		defer r.drop(conn)
		if _, err := io.WriteString(conn, text(r)); err != nil {
			return Answer{}, fmt.Errorf("writing to the server: %w", err)
		}
		from := bufio.NewReader(conn)
		first, err := readReply(from)
		if err != nil {
			return first.Answer, err
		}
		second, err := readReply(from)
		if err == nil && !second.Cut {
			err = fmt.Errorf("the hidden request is answered with %v", second.Answer)
		}
		return first.Answer, err
	}
	return a
}

// address is an attack by the path of a GET of a viewer.
func address(name, does, path string, want Answer) Attack {
	return head(name, does, want, "", func(r *Raid) string {
		return Request{Path: strings.ReplaceAll(path, "{fleet}", r.Fleet), Token: r.Tokens.Viewer}.head(r.Address)
	})
}

func heads() []Attack {
	notFound := Answer{Status: http.StatusNotFound, Code: "not_found"}
	bad := Answer{Status: http.StatusBadRequest}
	malformed := Answer{Status: http.StatusBadRequest, Code: "malformed_request"}
	unread := func(name, does string, text func(*Raid) string) Attack { return head(name, does, bad, unasked, text) }
	with := func(lines ...string) func(*Raid) string {
		return func(r *Raid) string {
			return Request{Path: "/v1/responses", Token: r.Tokens.Viewer, Headers: lines}.head(r.Address)
		}
	}
	return []Attack{
		head("many-headers", "sends 10,000 headers", Answer{Status: http.StatusRequestHeaderFieldsTooLarge}, unasked, func(r *Raid) string {
			return with(numbered(10_000)...)(r)
		}),
		head("long-header", "sends a header of 200 KiB", Answer{Status: http.StatusRequestHeaderFieldsTooLarge}, unasked, with("X-Long: "+strings.Repeat("a", 200<<10))),
		address("many-parameters", "sends 3,000 query parameters", "/v1/vehicles?"+strings.Repeat("a=&", 3_000), Answer{Status: http.StatusRequestURITooLong, Code: "url_too_long"}),
		address("hundred-parameters", "sends 100 query parameters", "/v1/vehicles?"+strings.Repeat("a=&", 100), malformed),
		address("long-address", "asks for an address of 10 KiB", "/v1/"+strings.Repeat("a", 10<<10), Answer{Status: http.StatusRequestURITooLong, Code: "url_too_long"}),
		address("unknown-parameter", "filters by what cannot be filtered", "/v1/vehicles?password=1", Answer{Status: http.StatusUnprocessableEntity, Code: "invalid"}),
		unread("two-lengths", "announces a body of two lengths", with("Content-Length: 4", "Content-Length: 40")),
		unread("negative-length", "announces a body of negative length", with("Content-Length: -1")),
		unread("odd-encoding", "announces a body in an encoding of transfer that there is not", with("Transfer-Encoding: xchunked")).statused(http.StatusNotImplemented),
		alone("length-and-chunks", "announces both a length and chunks, and hides a request behind them", "malformed_json", func(r *Raid) string {
			return Request{Method: "POST", Path: "/v1/tasks", Token: r.Tokens.Dispatcher, Headers: []string{"Content-Type: application/json", "Content-Length: 4", "Transfer-Encoding: chunked"}}.head(r.Address) +
				"0\r\n\r\n" + r.hidden()
		}),
		alone("body-on-get", "sends a body with a GET, with a request hidden in it", "malformed_request", func(r *Raid) string {
			q := Request{Path: "/v1/responses", Token: r.Tokens.Viewer, Body: r.hidden()}
			return q.head(r.Address) + q.Body
		}),
		head("folded-header", "goes on with a header in a second line", Answer{Status: http.StatusOK}, `kapok_http_requests_total{method="GET",route="GET /v1/responses",status="200"}`,
			with("X-Folded: a\r\n Transfer-Encoding: chunked")).noting("the second line is part of the first header's value"),
		unread("space-before-colon", "puts a space before the colon of a header", with("Transfer-Encoding : chunked")),
		unread("zero-in-header", "puts a zero byte in a header", with("X-Zero: a\x00b")),
		unread("no-host", "names no host", func(*Raid) string { return "GET /healthz HTTP/1.1\r\n\r\n" }),
		unread("two-hosts", "names two hosts", with("Host: evil.example")),
		{
			Name: "not-http", Group: Heads, Does: "speaks TLS to the port of HTTP", Want: bad, Within: headWithin, Metric: unasked, MemoryMiB: small,
			Run: says("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + strings.Repeat("\x00", 512)),
		},
		head("http-2", "speaks HTTP/2 without being asked", malformed, "", func(*Raid) string { return "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" }),
		head("two-authorizations", "sends two tokens, a good one and a bad one", malformed, "", with("Authorization: Bearer other")),
		head("trace", "asks the server to repeat the request with its token", Answer{Status: http.StatusMethodNotAllowed, Code: "method_not_allowed"}, "",
			func(r *Raid) string {
				return Request{Method: "TRACE", Path: "/v1/responses", Token: r.Tokens.Viewer}.head(r.Address)
			}),
		head("connect", "uses the server as a proxy", notFound, "", func(*Raid) string { return "CONNECT 169.254.169.254:80 HTTP/1.1\r\nHost: 169.254.169.254:80\r\n\r\n" }),
		head("proxy-request", "asks for an address of another host", notFound, "", func(*Raid) string {
			return "GET http://169.254.169.254/latest/meta-data HTTP/1.1\r\nHost: 169.254.169.254\r\n\r\n"
		}),
		address("dots", "climbs out of the API with %2e%2e", "/v1/%2e%2e/%2e%2e/etc/passwd", notFound),
		address("encoded-slash", "hides slashes in the id of a task", "/v1/tasks/..%2f..%2fmetrics", Answer{Status: http.StatusNotFound, Code: "task_not_found"}),
		address("backslash", "climbs out of the API with backslashes", `/v1/..\..\metrics`, notFound),
		address("zero-in-path", "puts a zero byte in the id of a vehicle", "/v1/vehicles/r1%00", Answer{Status: http.StatusNotFound, Code: "vehicle_not_found"}),
		address("other-fleet", "asks for a fleet that another server runs", "/v1/fleets/other/tasks", Answer{Status: http.StatusNotFound, Code: "fleet_not_found"}),
		address("fleet-in-fleet", "asks for a fleet within the fleet", "/v1/fleets/{fleet}/fleets/other/tasks", notFound),
		{
			Name: "double-slash", Group: Heads, Does: "asks for addresses with double slashes and dots that would pass by a rule for the right ones",
			Note: "no answer tells more than those of the right addresses do", Want: Answer{}, Metric: `kapok_refusals_total{code="unauthenticated"}`, MemoryMiB: small, Run: doubleSlashes,
		},
	}
}

// noting is the attack with a promise beside the answer.
func (a Attack) noting(note string) Attack {
	a.Note = note
	return a
}

// statused is the attack with another status of the answer.
func (a Attack) statused(status int) Attack {
	a.Want.Status = status
	return a
}

// numbered are so many different headers.
func numbered(count int) []string {
	all := make([]string, count)
	for i := range all {
		all[i] = fmt.Sprintf("X-Header-%d: %d", i, i)
	}
	return all
}

// doubleSlashes asks for what needs a token, without one, in many spellings.
func doubleSlashes(r *Raid) (Answer, error) {
	for _, path := range []string{"//v1/vehicles", "/v1//vehicles", "/v1/./vehicles", "/v1/vehicles/", "/V1/vehicles", "/v1/tasks/../vehicles", "/%76%31/vehicles", "/v1/vehicles;a=b", "/v1/vehicles%20"} {
		reply, err := r.Ask(Request{Path: path})
		if err != nil {
			return reply.Answer, err
		}
		if reply.Status < 300 || reply.Status >= 500 {
			return reply.Answer, fmt.Errorf("GET %s without a token is answered with %v", path, reply.Answer)
		}
	}
	reply, err := r.Ask(Request{Path: "/v1/vehicles"})
	if reply.Status == http.StatusUnauthorized {
		return Answer{}, err
	}
	return reply.Answer, err
}
