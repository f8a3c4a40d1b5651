package hostile

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
)

// maxReply bounds what is kept of an answer.
const maxReply = 4 << 20

// Reply is the server's answer to a request.
type Reply struct {
	Answer
	Header http.Header
	Body   []byte
}

// Request is the text of a request; every part is sent as it stands.
type Request struct {
	Method, Path, Token string
	// Headers are lines without their end, beside Host, Authorization, and
	// Content-Length for a body.
	Headers []string
	Body    string
}

// head is the text up to the empty line. A body is announced.
func (q Request) head(host string) string {
	var b strings.Builder
	method := q.Method
	if method == "" {
		method = "GET"
	}
	b.WriteString(method + " " + q.Path + " HTTP/1.1\r\nHost: " + host + "\r\n")
	if q.Token != "" {
		b.WriteString("Authorization: Bearer " + q.Token + "\r\n")
	}
	for _, h := range q.Headers {
		b.WriteString(h + "\r\n")
	}
	if q.Body != "" {
		fmt.Fprintf(&b, "Content-Length: %d\r\n", len(q.Body))
	}
	b.WriteString("\r\n")
	return b.String()
}

// posted is a POST of JSON.
func posted(path, token, body string, headers ...string) Request {
	return Request{Method: "POST", Path: path, Token: token, Headers: append([]string{"Content-Type: application/json"}, headers...), Body: body}
}

// Ask sends a request on a connection of its own and reads the answer.
func (r *Raid) Ask(q Request) (Reply, error) {
	return r.Raw(q.head(r.Address) + q.Body)
}

// Raw sends bytes on a connection of their own and reads one answer.
func (r *Raid) Raw(text string) (Reply, error) {
	conn, err := r.Conn()
	if err != nil {
		return Reply{}, err
	}
	defer r.drop(conn)
	// A server that has heard enough answers and closes; what it did not read makes
	// the rest of the writing fail.
	wrote := make(chan struct{})
	go func() {
		defer close(wrote)
		_, _ = io.WriteString(conn, text)
	}()
	reply, err := readReply(bufio.NewReader(conn))
	_ = conn.Close()
	<-wrote
	return reply, err
}

// readReply reads one answer; a connection that ended instead is an answer too.
func readReply(from *bufio.Reader) (Reply, error) {
	response, err := http.ReadResponse(from, nil)
	if err != nil {
		if isTimeout(err) {
			return Reply{}, fmt.Errorf("the server neither answered nor ended the connection: %w", err)
		}
		return Reply{Answer: Answer{Cut: true}}, nil
	}
	defer func() { _ = response.Body.Close() }()
	reply := Reply{Answer: Answer{Status: response.StatusCode}, Header: response.Header}
	if response.StatusCode == http.StatusSwitchingProtocols {
		return reply, nil
	}
	// An answer that is cut off has been given all the same.
	reply.Body, _ = io.ReadAll(io.LimitReader(response.Body, maxReply))
	var problem struct {
		Code string `json:"code"`
	}
	if response.StatusCode >= 400 && json.Unmarshal(reply.Body, &problem) == nil {
		reply.Code = problem.Code
	}
	return reply, nil
}

// asks is an attack of one request.
func asks(q func(*Raid) Request) func(*Raid) (Answer, error) {
	return func(r *Raid) (Answer, error) {
		reply, err := r.Ask(q(r))
		return reply.Answer, err
	}
}

// trickle writes the text a byte at a time until the connection ends.
func trickle(conn net.Conn, text string, pause func() bool) {
	for i := range len(text) {
		if _, err := conn.Write([]byte{text[i]}); err != nil || !pause() {
			return
		}
	}
}
