package server

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
)

// TestNothingIsHiddenBehindABody: where a proxy and Kapok might disagree on the
// end of a request, what follows is not taken for another one, not even with a
// good token. The connection ends with the first answer.
func TestNothingIsHiddenBehindABody(t *testing.T) {
	const hidden = "GET /v1/vehicles HTTP/1.1\r\nHost: kapok\r\nAuthorization: Bearer dispatcher\r\n\r\n"
	post := func(who, lines, body string) string {
		return "POST /v1/tasks HTTP/1.1\r\nHost: kapok\r\nAuthorization: Bearer " + who + "\r\nContent-Type: application/json\r\n" + lines + "\r\n" + body
	}
	for _, c := range []struct {
		name, request string
		status        int
	}{
		{"a length and chunks", post("dispatcher", "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"+hidden), 400},
		{"chunks and a length", post("dispatcher", "Transfer-Encoding: chunked\r\nContent-Length: 400\r\n", "2\r\n{}\r\n0\r\n\r\n"+hidden), 422},
		{"chunks alone", post("dispatcher", "Transfer-Encoding: chunked\r\n", "2\r\n{}\r\n0\r\n\r\n"+hidden), 422},
		{"chunks of a stranger", post("nobody", "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", "0\r\n\r\n"+hidden), 401},
		{"chunks twice", post("dispatcher", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"+hidden), 501},
		{"chunks in an odd spelling", post("dispatcher", "Transfer-Encoding: \x0bchunked\r\nContent-Length: 0\r\n", hidden), 400},
		{"two lengths", post("dispatcher", "Content-Length: 0\r\nContent-Length: 90\r\n", hidden), 400},
		{"a length with a sign", post("dispatcher", "Content-Length: +2\r\n", "{}"+hidden), 400},
		{"a body of a GET", "GET /v1/vehicles HTTP/1.1\r\nHost: kapok\r\nAuthorization: Bearer viewer\r\nContent-Length: " + fmt.Sprint(len(hidden)) + "\r\n\r\n" + hidden, 400},
		{"a body larger than any", post("dispatcher", "Content-Length: 1048577\r\n", hidden), 413},
	} {
		t.Run(c.name, func(t *testing.T) {
			serving(t, nil, func(t *testing.T, s *Server, dial func() net.Conn) {
				conn := dial()
				go func() { _, _ = io.WriteString(conn, c.request) }()
				said, _ := ends(t, conn)
				if !strings.HasPrefix(said, fmt.Sprintf("HTTP/1.1 %d ", c.status)) || strings.Count(said, "HTTP/1.") != 1 {
					t.Errorf("the answer is %q, want status %d, once", said, c.status)
				}
				if n := metric(t, s, `kapok_http_requests_total{method="GET",route="GET /v1/vehicles",status="200"}`); n != "" {
					t.Errorf("the hidden request was carried out %s times", n)
				}
			})
		})
	}
	// Two honest requests one behind the other are both answered.
	serving(t, nil, func(t *testing.T, _ *Server, dial func() net.Conn) {
		conn := dial()
		go func() {
			_, _ = io.WriteString(conn, post("dispatcher", "Content-Length: 2\r\n", "{}")+strings.Replace(hidden, "Host", "Connection: close\r\nHost", 1))
		}()
		said, _ := ends(t, conn)
		if !strings.HasPrefix(said, "HTTP/1.1 422 ") || !strings.Contains(said, fmt.Sprintf("HTTP/1.1 %d ", http.StatusOK)) {
			t.Errorf("two requests are answered with %q", said)
		}
	})
}
