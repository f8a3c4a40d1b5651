package hostile

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"

	"github.com/kapok-fleet/kapok/protocol"
)

func storms() []Attack {
	all := []Attack{
		{
			Name: "connection-storm", Does: "opens 600 connections and says nothing on them", Want: Answer{Cut: true},
			Note: "of one address 512 may wait, what comes beyond is reset at once", Metric: `kapok_connections_refused_total{limit="address"}`,
			MemoryMiB: 16, Run: connectionStorm, Flood: keepsOpening,
		},
		{
			Name: "connection-churn", Does: "opens 300 connections and closes each at once", Note: "they leave nothing behind",
			Metric: unasked, MemoryMiB: small, Run: connectionChurn,
		},
		{
			Name: "token-guessing", Does: "tries 80 tokens at once", Want: Answer{Status: http.StatusTooManyRequests, Code: "too_many_failures"},
			Note: "`Retry-After` says when to come again; a good token of the same address still passes", Metric: refused("too_many_failures"),
			MemoryMiB: small, Run: tokenGuessing, Flood: guesses,
		},
		{
			Name: "requests-of-a-token", Does: "asks 1,200 times at once with one token", Want: Answer{Status: http.StatusTooManyRequests, Code: "too_many_requests"},
			Note: "`Retry-After` says when to come again", Metric: refused("too_many_requests"), MemoryMiB: small,
			Run:   pipelined(1_200, func(r *Raid) Request { return Request{Path: "/v1/responses", Token: r.Tokens.Elsewhere} }),
			Flood: fives(func(r *Raid) Request { return Request{Path: "/v1/responses", Token: r.Tokens.Elsewhere} }),
		},
		{
			Name: "requests-of-an-address", Does: "asks 20,000 times at once without a token", Want: Answer{Status: http.StatusTooManyRequests, Code: "too_many_requests"},
			Note: "`Retry-After` says when to come again", Metric: refused("too_many_requests"), MemoryMiB: small,
			Run:   pipelined(20_000, func(*Raid) Request { return Request{Path: "/nowhere"} }),
			Flood: fives(func(*Raid) Request { return Request{Path: "/nowhere"} }),
		},
		{
			Name: "login-storm", Does: "logs in as one vehicle 15 times at once", Want: Answer{Status: http.StatusTooManyRequests, Code: "too_many_logins"},
			Note: "each log-in replaces the one before; other vehicles of the same token log in as ever", Metric: refused("too_many_logins"),
			MemoryMiB: small, Run: loginStorm, Flood: logins,
		},
	}
	for i := range all {
		all[i].Group = Storms
	}
	return all
}

// connectionStorm returns what becomes of the last connection.
func connectionStorm(r *Raid) (Answer, error) {
	const connections = 600
	var last net.Conn
	for range connections {
		conn, err := r.Conn()
		if err != nil && last != nil {
			// The reset can come as early as that.
			return Answer{Cut: true}, nil
		}
		if err != nil {
			return Answer{}, err
		}
		last = conn
	}
	if n, err := last.Read(make([]byte, 1)); n > 0 || isTimeout(err) {
		return Answer{}, fmt.Errorf("the server let %d connections of one address wait", connections)
	}
	return Answer{Cut: true}, nil
}

// keepsOpening opens connections and keeps the newest 1,000 of them.
func keepsOpening(r *Raid) error {
	var open []net.Conn
	return r.paced(func() error {
		conn, err := r.Conn()
		if err != nil {
			return nil
		}
		if open = append(open, conn); len(open) > 1_000 {
			r.drop(open[0])
			open = open[1:]
		}
		return nil
	})
}

func connectionChurn(r *Raid) (Answer, error) {
	for range 300 {
		conn, err := r.Conn()
		if err != nil {
			return Answer{}, err
		}
		r.drop(conn)
	}
	reply, err := r.Ask(Request{Path: "/healthz"})
	if err == nil && reply.Status == http.StatusOK {
		return Answer{}, nil
	}
	return reply.Answer, err
}

// pipelined sends a request many times on one connection, without waiting for
// answers, until one is another than the first. It wants to be told when to come
// again.
func pipelined(count int, q func(*Raid) Request) func(*Raid) (Answer, error) {
	return func(r *Raid) (Answer, error) {
		conn, err := r.Conn()
		if err != nil {
			return Answer{}, err
		}
		text := q(r).head(r.Address)
		wrote := make(chan struct{})
		go func() {
			defer close(wrote)
			_, _ = io.WriteString(conn, strings.Repeat(text, count))
		}()
		defer func() { r.drop(conn); <-wrote }()
		from := bufio.NewReader(conn)
		var first, reply Reply
		for i := range count {
			if reply, err = readReply(from); err != nil {
				return reply.Answer, err
			}
			if i == 0 {
				first = reply
			}
			if reply.Answer != first.Answer {
				break
			}
		}
		return retried(reply)
	}
}

// fives asks five times on each connection.
func fives(q func(*Raid) Request) func(*Raid) error {
	return func(r *Raid) error { return r.Storm(Attack{Run: pipelined(5, q)}) }
}

// retried demands that a refusal says when to come again.
func retried(reply Reply) (Answer, error) {
	if reply.Status == http.StatusTooManyRequests && reply.Header.Get("Retry-After") == "" {
		return reply.Answer, fmt.Errorf("429 %s comes without Retry-After", reply.Code)
	}
	return reply.Answer, nil
}

func tokenGuessing(r *Raid) (Answer, error) {
	var reply Reply
	for i := range 80 {
		var err error
		if reply, err = r.Ask(Request{Path: "/v1/vehicles", Token: fmt.Sprintf("kapok_guess%020d", i)}); err != nil {
			return reply.Answer, err
		}
		if reply.Status == http.StatusTooManyRequests {
			break
		}
	}
	good, err := r.Ask(Request{Path: "/v1/responses", Token: r.Tokens.Viewer})
	if err != nil || good.Status != http.StatusOK {
		return good.Answer, fmt.Errorf("a good token of the same address gets %v: %w", good.Answer, err)
	}
	return retried(reply)
}

// guesses tries one token a connection.
func guesses(r *Raid) error {
	return r.Storm(Attack{Run: asks(func(*Raid) Request { return Request{Path: "/v1/vehicles", Token: "kapok_guess"} })})
}

func loginStorm(r *Raid) (Answer, error) {
	vehicle := r.Vehicles()
	for range 15 {
		s, reply, err := r.upgrade("/v1/link?vehicle="+vehicle, r.Tokens.Simulator, "Sec-WebSocket-Protocol: "+protocol.SubprotocolCBOR)
		if err != nil {
			return reply.Answer, err
		}
		if s == nil {
			if other, err := r.login(protocol.JSON); err != nil {
				return reply.Answer, fmt.Errorf("another vehicle cannot log in: %w", err)
			} else if answer, err := other.verdict(); err != nil || answer != (Answer{}) {
				return answer, err
			}
			return retried(reply)
		}
		s.encoding = protocol.CBOR
		if err := s.greet(r.hello()); err != nil {
			return Answer{}, err
		}
	}
	return Answer{}, nil
}

// logins logs in as one vehicle on and on.
func logins(r *Raid) error {
	vehicle := r.Vehicles()
	return r.Storm(Attack{Run: func(one *Raid) (Answer, error) {
		s, err := one.loginAs(vehicle, protocol.JSON, one.hello())
		if err != nil {
			return Answer{}, err
		}
		return s.end()
	}})
}
