package hostile

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/kapok-fleet/kapok/protocol"
)

// unasked counts connections on which no request could be read.
const unasked = `kapok_connections_unasked_total`

// The server's own times, with a second for the machine.
const (
	headWithin   = 11 * time.Second
	bodyWithin   = 21 * time.Second
	helloWithin  = 11 * time.Second
	closeWithin  = 11 * time.Second
	lostWithin   = 17 * time.Second
	answerWithin = 15 * time.Second
	frameWithin  = 11 * time.Second
	silentWithin = 42 * time.Second
)

// slow are those that keep the server waiting. Each tells when its harm is done.
func slow() []Attack {
	all := []Attack{
		{
			Name: "half-open", Does: "opens a connection and says nothing", Want: Answer{Cut: true}, Within: headWithin, Metric: unasked,
			Run: says(""),
		},
		{
			Name: "slow-head", Does: "sends the head of a request a byte at a time", Want: Answer{Cut: true}, Within: headWithin, Metric: unasked,
			Run: drips("GET /v1/vehicles HTTP/1.1\r\nHost: kapok\r\n", "X-Slow: "+strings.Repeat("a", 2_000)),
		},
		{
			Name: "slow-body", Does: "sends the body of an order a byte at a time", Want: Answer{Status: http.StatusRequestTimeout, Code: "request_timeout"},
			Within: bodyWithin, Metric: refused("request_timeout"), Run: slowBody,
		},
		{
			Name: "cut-body", Does: "announces a body and ends the connection before it is complete", Want: Answer{Status: http.StatusRequestTimeout, Code: "request_timeout"},
			Metric: refused("request_timeout"), Run: cutBody,
		},
		{
			Name: "mute-link", Does: "opens a link and never says hello", Want: Answer{Code: "hello_timeout", Close: 1008}, Within: helloWithin,
			Metric: linkClosed("hello_timeout"), Run: muteLink,
		},
		{
			Name: "silent-link", Does: "says hello and then nothing, not even a pong", Want: Answer{Code: "silent", Close: 1008}, Within: lostWithin, Metric: linkClosed("silent"), Linked: true, Run: silentLink,
		},
		{
			Name: "slow-frame", Does: "sends a frame a byte at a time", Want: Answer{Close: 1008}, Within: frameWithin, Metric: linkClosed("unfinished"), Linked: true, Run: slowFrame,
		},
		{
			Name: "deaf-link", Does: "pings 200 times a second, says nothing and reads nothing", Want: Answer{Code: "silent", Close: 1008}, Within: lostWithin + closeWithin,
			Metric: `kapok_link_throttled_total{what="pings"}`, Linked: true, Run: deafLink,
		},
		{
			Name: "silent-stream", Does: "opens a stream and answers no ping", Want: Answer{Close: 1001}, Within: silentWithin,
			Metric: streamClosed("silent"), Run: silentStream,
		},
		{
			Name: "deaf-asker", Does: "asks for 100 MB on one connection and reads nothing", Want: Answer{Cut: true}, Within: answerWithin,
			Metric: `kapok_cut_off_total{what="request"}`, Run: deafAsker,
		},
	}
	for i := range all {
		all[i].Group, all[i].MemoryMiB = Slow, small
	}
	return all
}

// pausing waits between bytes, until the raid ends.
func (r *Raid) pausing(span time.Duration) func() bool {
	return func() bool {
		timer := time.NewTimer(span)
		defer timer.Stop()
		select {
		case <-r.ctx.Done():
			return false
		case <-timer.C:
			return true
		}
	}
}

// says opens a connection, says something and waits for the server.
func says(text string) func(*Raid) (Answer, error) {
	return func(r *Raid) (Answer, error) {
		conn, err := r.Conn()
		if err != nil {
			return Answer{}, err
		}
		if _, err := io.WriteString(conn, text); err != nil {
			return Answer{}, fmt.Errorf("writing to the server: %w", err)
		}
		r.standing()
		reply, err := readReply(bufio.NewReader(conn))
		return reply.Answer, err
	}
}

// drips says the first text at once and the second a byte at a time.
func drips(first, second string) func(*Raid) (Answer, error) {
	return func(r *Raid) (Answer, error) {
		conn, err := r.Conn()
		if err != nil {
			return Answer{}, err
		}
		return r.dripOn(conn, first, second)
	}
}

func (r *Raid) dripOn(conn net.Conn, first, second string) (Answer, error) {
	if _, err := io.WriteString(conn, first); err != nil {
		return Answer{}, fmt.Errorf("writing to the server: %w", err)
	}
	r.standing()
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		trickle(conn, second, r.pausing(100*time.Millisecond))
	}()
	reply, err := readReply(bufio.NewReader(conn))
	_ = conn.Close()
	<-stopped
	return reply.Answer, err
}

func slowBody(r *Raid) (Answer, error) {
	q := posted("/v1/tasks", r.Tokens.Dispatcher, strings.Repeat(" ", 2_000))
	return drips(q.head(r.Address), q.Body)(r)
}

// cutBody closes its own sending side in the middle of the body.
func cutBody(r *Raid) (Answer, error) {
	conn, err := r.Conn()
	if err != nil {
		return Answer{}, err
	}
	q := posted("/v1/tasks", r.Tokens.Dispatcher, `{"kind":"visit"}`)
	if _, err := io.WriteString(conn, q.head(r.Address)+q.Body[:5]); err != nil {
		return Answer{}, fmt.Errorf("writing to the server: %w", err)
	}
	if half, ok := conn.(*net.TCPConn); ok {
		_ = half.CloseWrite()
	}
	reply, err := readReply(bufio.NewReader(conn))
	return reply.Answer, err
}

func muteLink(r *Raid) (Answer, error) {
	s, err := r.connect(r.Vehicles(), protocol.JSON)
	if err != nil {
		return Answer{}, err
	}
	r.standing()
	return s.end()
}

// silence reads until the server's close frame and answers nothing.
func (s *Socket) silence() (Answer, error) {
	var code string
	for {
		first, payload, err := s.receive()
		switch {
		case errors.Is(err, io.EOF):
			return Answer{Code: code, Cut: true}, nil
		case err != nil:
			return Answer{Code: code}, err
		case first&0x0f == opClose && len(payload) >= 2:
			return Answer{Code: code, Close: int(payload[0])<<8 | int(payload[1])}, nil
		case first&0x0f == opText && bytes.Contains(payload, []byte(`"type":"error"`)):
			m, err := s.encoding.DecodeTo(payload)
			if e, ok := m.(protocol.Error); err == nil && ok {
				code = e.Code
			}
		}
	}
}

func silentLink(r *Raid) (Answer, error) {
	s, err := r.login(protocol.JSON)
	if err != nil {
		return Answer{}, err
	}
	r.standing()
	return s.silence()
}

func slowFrame(r *Raid) (Answer, error) {
	s, err := r.login(protocol.JSON)
	if err != nil {
		return Answer{}, err
	}
	r.standing()
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		trickle(s.conn, oversize(4<<10)(r), r.pausing(100*time.Millisecond))
	}()
	answer, err := s.silence()
	_ = s.conn.Close()
	<-stopped
	return answer, err
}

// deafLink writes until the server has had enough, and only then reads.
func deafLink(r *Raid) (Answer, error) {
	s, err := r.login(protocol.JSON)
	if err != nil {
		return Answer{}, err
	}
	r.standing()
	pause := r.pausing(5 * time.Millisecond)
	ping := frame(fin|opPing, strings.Repeat("p", 125))
	for s.write(ping) == nil && pause() {
	}
	return s.silence()
}

func silentStream(r *Raid) (Answer, error) {
	s, err := r.open("/v1/stream?rate_hz=10", r.Tokens.Viewer)
	if err != nil {
		return Answer{}, err
	}
	r.standing()
	return s.silence()
}

// deafAsker pipelines requests for the largest answer that there is.
func deafAsker(r *Raid) (Answer, error) {
	conn, err := r.Conn()
	if err != nil {
		return Answer{}, err
	}
	if c, ok := conn.(*net.TCPConn); ok {
		_ = c.SetReadBuffer(4 << 10)
	}
	one := Request{Path: "/openapi.json"}.head(r.Address)
	if _, err := io.WriteString(conn, strings.Repeat(one, 500)); err != nil {
		return Answer{}, fmt.Errorf("writing to the server: %w", err)
	}
	r.standing()
	// The end shows in writing: what is written to a closed connection is refused.
	pause := r.pausing(200 * time.Millisecond)
	for pause() {
		if _, err := io.WriteString(conn, "GET"); err != nil {
			return Answer{Cut: true}, nil
		}
	}
	return Answer{}, r.ctx.Err()
}
