package hostile

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"
)

func dispatches() []Attack {
	all := []Attack{
		{
			Name: "ticket-twice", Does: "opens a second stream with the same ticket", Want: Answer{Status: http.StatusUnauthorized, Code: "ticket_invalid"},
			Metric: refused("ticket_invalid"), Run: ticketTwice,
		},
		{
			Name: "old-ticket", Does: "opens a stream with a ticket of 31 s ago", Want: Answer{Status: http.StatusUnauthorized, Code: "ticket_invalid"},
			Within: 33 * time.Second, Metric: refused("ticket_invalid"), Run: oldTicket,
		},
		{
			Name: "guessed-ticket", Does: "opens a stream with a ticket that was never given out", Want: Answer{Status: http.StatusUnauthorized, Code: "ticket_invalid"},
			Metric: refused("ticket_invalid"), Run: asks(func(*Raid) Request {
				return Request{Path: "/v1/stream?ticket=AAAAAAAAAAAAAAAAAAAAAAAAAA", Headers: linkHeaders()}
			}),
		},
		{
			Name: "ticket-flood", Does: "asks for 110 tickets and uses none", Want: Answer{Status: http.StatusTooManyRequests, Code: "too_many_tickets"},
			Note: "one token may have 100", Metric: refused("too_many_tickets"), Run: ticketFlood,
		},
		{
			Name: "subscribe-flood", Does: "changes its subscription 20 times at once", Want: Answer{Code: "too_many_changes", Close: 1008},
			Metric: streamError, Run: onStream(strings.Repeat(frame(fin|opText, `{"type":"subscribe"}`), 20)),
		},
		{
			Name: "stream-garbage", Does: "sends frames on a stream that are no messages", Want: Answer{Code: "malformed_json", Close: 1008},
			Metric: streamError, Run: onStream(strings.Repeat(frame(fin|opText, `{"type":`), 20)),
		},
		{
			Name: "stream-nested", Does: "sends a subscription of 1,000 nested arrays", Want: Answer{Code: "invalid", Close: 1008},
			Metric: streamError, Run: onStream(strings.Repeat(frame(fin|opText, `{"type":"subscribe","area":`+strings.Repeat("[", 1000)+strings.Repeat("]", 1000)+`}`), 3)),
		},
		{
			Name: "stream-infinite-area", Does: "subscribes to an area beyond all numbers", Want: Answer{Code: "invalid", Close: 1008},
			Metric: streamError, Run: onStream(strings.Repeat(frame(fin|opText, `{"type":"subscribe","area":[-1e308,-1e308,1e308,1e308]}`), 3)),
		},
		{
			Name: "stream-5k", Does: "sends frames of 5 KiB on a stream", Want: Answer{Code: "body_too_large", Close: 1008},
			Metric: streamError, Run: onStream(strings.Repeat(frame(fin|opText, strings.Repeat(" ", 5<<10)), 3)),
		},
		{
			Name: "stream-17k", Does: "sends a frame of 17 KiB on a stream", Want: Answer{Close: 1009}, Metric: streamClosed("frame_refused"),
			Run: onStream(frame(fin|opText, strings.Repeat(" ", 17<<10))),
		},
		{
			Name: "stream-binary", Does: "sends a binary frame on a stream", Want: Answer{Close: 1003}, Metric: streamClosed("wrong_frame"), Run: onStream(frame(fin|opBinary, "{}")),
		},
		{
			Name: "stream-compressed", Does: "sends a compressed frame on a stream", Want: Answer{Close: 1002}, Metric: streamClosed("abnormal"),
			Run: onStream(frame(fin|rsv1|opText, "\xec\xc1\x01\x01\x00\x00\x00\x80\x90\xfe\xaf\xee\x08")),
		},
		{
			Name: "stream-future", Does: "resumes a stream after an event that is yet to come", Want: Answer{Status: http.StatusGone, Code: "index_too_old"},
			Metric: refused("index_too_old"),
			Run: asks(func(r *Raid) Request {
				return Request{Path: "/v1/stream?after=9007199254740991", Token: r.Tokens.Viewer, Headers: linkHeaders()}
			}),
		},
	}
	for i := range all {
		all[i].Group, all[i].MemoryMiB = Dispatches, small
	}
	return all
}

// streamError counts the refusals that subscribers were sent.
const streamError = `kapok_stream_frames_total{kind="error"}`

func streamClosed(why string) string { return `kapok_stream_closed_total{why="` + why + `"}` }

// onStream opens a stream, sends bytes and reads until the stream has ended.
func onStream(bytes string) func(*Raid) (Answer, error) {
	return func(r *Raid) (Answer, error) {
		s, err := r.open("/v1/stream", r.Tokens.Viewer)
		if err != nil {
			return Answer{}, err
		}
		_ = s.write(bytes)
		var code string
		for {
			f, answer, err := s.nextOfStream()
			if err != nil {
				return Answer{Code: code}, err
			}
			if f.Type == "" {
				answer.Code = code
				return answer, nil
			}
			if f.Type == "error" {
				code = f.Code
			}
		}
	}
}

// ticket gets a ticket for a stream.
func (r *Raid) ticket(token string) (string, Reply, error) {
	reply, err := r.Ask(Request{Method: "POST", Path: "/v1/stream-tickets", Token: token})
	if err != nil || reply.Status != http.StatusCreated {
		return "", reply, err
	}
	var got struct {
		Ticket string `json:"ticket"`
	}
	if err := json.Unmarshal(reply.Body, &got); err != nil || got.Ticket == "" {
		return "", reply, fmt.Errorf("a ticket was answered with %.200q", reply.Body)
	}
	return got.Ticket, reply, nil
}

func ticketTwice(r *Raid) (Answer, error) {
	ticket, reply, err := r.ticket(r.Tokens.Viewer)
	if err != nil || ticket == "" {
		return reply.Answer, err
	}
	if _, err := r.open("/v1/stream?ticket="+ticket, ""); err != nil {
		return Answer{}, err
	}
	_, reply, err = r.upgrade("/v1/stream?ticket="+ticket, "")
	return reply.Answer, err
}

func oldTicket(r *Raid) (Answer, error) {
	ticket, reply, err := r.ticket(r.Tokens.Viewer)
	if err != nil || ticket == "" {
		return reply.Answer, err
	}
	r.standing()
	r.pausing(31 * time.Second)()
	_, reply, err = r.upgrade("/v1/stream?ticket="+ticket, "")
	return reply.Answer, err
}

func ticketFlood(r *Raid) (Answer, error) {
	var reply Reply
	for range 110 {
		var err error
		if _, reply, err = r.ticket(r.Tokens.Dispatcher); err != nil || reply.Status != http.StatusCreated {
			break
		}
	}
	return retried(reply)
}
