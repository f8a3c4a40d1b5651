package server

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/kapok-fleet/kapok/fleet/access"
	"github.com/kapok-fleet/kapok/protocol/api"
	"github.com/kapok-fleet/kapok/protocol/ws"
)

// watcher is a client of /v1/stream.
type watcher struct {
	t    *testing.T
	conn *ws.Conn
}

func (w *world) watch(who, query string, headers ...string) *watcher {
	w.t.Helper()
	conn, err := w.dialStream(who, query, headers...)
	w.must(err)
	w.t.Cleanup(func() { conn.Close(ws.CloseNormal, "") })
	return &watcher{w.t, conn}
}

func (w *world) dialStream(who, query string, headers ...string) (*ws.Conn, error) {
	ctx, cancel := context.WithTimeout(w.t.Context(), patience)
	defer cancel()
	header := http.Header{}
	if secret, ok := w.secrets[who]; ok {
		header.Set("Authorization", "Bearer "+secret)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		header.Set(headers[i], headers[i+1])
	}
	return ws.Dial(ctx, "ws://"+w.address+"/v1/stream"+query, header, ws.Options{
		ReadLimit: 4 << 20, ReadTimeout: patience, PingInterval: time.Second,
	})
}

// frame is any frame of the stream.
type frame struct {
	Type     string        `json:"type"`
	Index    uint64        `json:"index"`
	More     bool          `json:"more"`
	Vehicles []api.Vehicle `json:"vehicles"`
	Tasks    []api.Task    `json:"tasks"`
	Alerts   []api.Alert   `json:"alerts"`
	Events   []struct {
		Event api.Event `json:"event"`
		Task  *api.Task `json:"task"`
	} `json:"events"`
}

// next returns the next frame of one of the types, passing over others.
func (w *watcher) next(types ...string) frame {
	w.t.Helper()
	for {
		raw, err := w.conn.Receive()
		if err != nil {
			w.t.Fatalf("waiting for a frame of %v: %v", types, err)
		}
		var f frame
		if err := json.Unmarshal(raw, &f); err != nil {
			w.t.Fatalf("frame %s: %v", raw, err)
		}
		for _, wanted := range types {
			if f.Type == wanted {
				return f
			}
		}
	}
}

// untilTask waits until the stream shows a task in a state.
func (w *watcher) untilTask(id, state string) {
	w.t.Helper()
	for {
		for _, e := range w.next(api.StreamEventsType).Events {
			if e.Task != nil && e.Task.ID == id && e.Task.State == state {
				return
			}
		}
	}
}

// TestAStreamIsFollowedAndResumed takes a snapshot, follows events without a
// gap, is cut, and goes on where it was.
func TestAStreamIsFollowedAndResumed(t *testing.T) {
	w := newWorld(t, nil)
	var before api.Task
	w.want(http.StatusCreated, &before, "dispatcher", "POST", "/v1/tasks", w.visit())
	var over api.Task
	w.want(http.StatusCreated, &over, "dispatcher", "POST", "/v1/tasks", w.visit())
	w.want(http.StatusOK, nil, "dispatcher", "POST", "/v1/tasks/"+over.ID+"/cancel", "")

	stream := w.watch("viewer", "")
	snapshot := stream.next(api.StreamSnapshotType)
	if snapshot.More || len(snapshot.Tasks) != 1 || snapshot.Tasks[0].ID != before.ID || snapshot.Index == 0 {
		t.Fatalf("the snapshot must hold the task that is not over: %+v", snapshot)
	}

	at := snapshot.Index
	follow := func(stream *watcher, id string) api.Task {
		t.Helper()
		for {
			f := stream.next(api.StreamEventsType)
			var found *api.Task
			for _, e := range f.Events {
				if at++; e.Event.Index != at {
					t.Fatalf("event %d comes where %d is due", e.Event.Index, at)
				}
				if e.Task != nil && e.Task.ID == id {
					found = e.Task
				}
			}
			if f.Index != at {
				t.Fatalf("the frame says %d, its last event is %d", f.Index, at)
			}
			if found != nil {
				return *found
			}
		}
	}
	var ordered api.Task
	w.want(http.StatusCreated, &ordered, "dispatcher", "POST", "/v1/tasks", w.visit())
	if seen := follow(stream, ordered.ID); seen.State != ordered.State || seen.Revision < ordered.Revision {
		t.Errorf("the stream shows %+v, the order was answered %+v", seen, ordered)
	}
	stream.conn.Close(ws.CloseNormal, "")

	var missed api.Task
	w.want(http.StatusCreated, &missed, "dispatcher", "POST", "/v1/tasks", w.visit())
	again := w.watch("viewer", "?after="+strconv.FormatUint(at, 10))
	if f := again.next(api.StreamResumedType, api.StreamSnapshotType, api.StreamEventsType); f.Type != api.StreamResumedType || f.Index != at {
		t.Fatalf("a resumed stream opens with %+v", f)
	}
	follow(again, missed.ID)
}

// TestTickets opens a stream as a browser does.
func TestTickets(t *testing.T) {
	w := newWorld(t, func(o *Options) { o.AllowedOrigins = []string{"https://console.example"} })
	var ticket api.StreamTicket
	w.want(http.StatusCreated, &ticket, "viewer", "POST", "/v1/stream-tickets", "")
	if left := time.Until(ticket.ExpiresAt); left <= 0 || left > ticketLife {
		t.Errorf("the ticket expires in %v", left)
	}
	w.watch("", "?ticket="+ticket.Ticket, "Origin", "https://console.example").next(api.StreamSnapshotType)
	_, err := w.dialStream("", "?ticket="+ticket.Ticket)
	refused, ok := errors.AsType[*ws.RefusedError](err)
	if !ok || refused.Status != http.StatusUnauthorized || !strings.Contains(refused.Body, codeTicketInvalid) {
		t.Errorf("a used ticket gave %v", err)
	}

	var kept tickets
	now := time.Now()
	name, expires, _ := kept.issue(caller{secret: "s"}, now)
	if _, ok := kept.useAt(name, expires); ok {
		t.Error("a ticket must not be good when it has expired")
	}
	for i := range maxTickets {
		who := caller{token: access.Token{Name: strconv.Itoa(i / maxTicketsOfToken)}}
		if _, _, ok := kept.issue(who, now); !ok {
			t.Fatal("tickets ran out too soon")
		}
		if i == maxTicketsOfToken-1 {
			if _, _, ok := kept.issue(who, now); ok {
				t.Error("the tickets of one token must run out")
			}
		}
	}
	if _, _, ok := kept.issue(caller{token: access.Token{Name: "another"}}, now); ok {
		t.Error("tickets must run out")
	}
	if _, _, ok := kept.issue(caller{}, now.Add(ticketLife)); !ok {
		t.Error("expired tickets must make room")
	}
}

// TestAWithdrawnTokenEndsTheStream revokes the token of an open stream.
func TestAWithdrawnTokenEndsTheStream(t *testing.T) {
	w := newWorld(t, nil)
	stream := w.watch("second", "?rate_hz=0")
	stream.next(api.StreamSnapshotType)
	w.must(w.tokens.Revoke("second"))
	w.server.checkCallers()
	for {
		_, err := stream.conn.Receive()
		if err == nil {
			continue
		}
		closed, ok := errors.AsType[*ws.PeerClosedError](err)
		if !ok || closed.Code != ws.ClosePolicy || !strings.HasPrefix(closed.Reason, codeUnauthenticated) {
			t.Errorf("the stream ended with %v", err)
		}
		return
	}
}

// TestAStreamThatDoesNotReadIsCutOff floods a subscriber that never reads.
func TestAStreamThatDoesNotReadIsCutOff(t *testing.T) {
	w := newWorld(t, nil)
	idle := w.watch("viewer", "?rate_hz=0")
	idle.next(api.StreamSnapshotType)
	h := w.server.hub
	deadline := time.Now().Add(patience)
	// Large events, so that the socket's own buffers are soon full.
	large := []byte(`{"event":{},"filler":"` + strings.Repeat("x", frameBytes) + `"}`)
	for h.count() > 0 {
		if time.Now().After(deadline) {
			t.Fatal("the subscriber was not cut off")
		}
		h.mu.Lock()
		for s := range h.subscribers {
			h.send(s, large, w.server.metrics.streamed.events)
		}
		h.mu.Unlock()
	}
	for {
		_, err := idle.conn.Receive()
		if err == nil || errors.Is(err, ws.ErrFrameTooLarge) {
			continue
		}
		closed, ok := errors.AsType[*ws.PeerClosedError](err)
		if !ok || closed.Code != ws.CloseTryAgain || !strings.Contains(closed.Reason, "resume with after=") {
			t.Errorf("the stream ended with %v", err)
		}
		return
	}
}

// TestAStreamThatTakesNothing has less waiting for it than would cut it off, and
// takes none of it: the connection ends with the time for a frame, and counts.
func TestAStreamThatTakesNothing(t *testing.T) {
	w := newWorld(t, nil)
	h := w.server.hub
	h.mu.Lock()
	h.socket.WriteTimeout = 300 * time.Millisecond
	h.mu.Unlock()
	idle := w.watch("viewer", "?rate_hz=0")
	idle.next(api.StreamSnapshotType)
	large := []byte(`{"event":{},"filler":"` + strings.Repeat("x", streamQueueBytes/2) + `"}`)
	var conn outlet
	h.mu.Lock()
	for s := range h.subscribers {
		conn = s.conn
		h.send(s, large, w.server.metrics.streamed.events)
	}
	h.mu.Unlock()
	select {
	case <-conn.Done():
	case <-time.After(patience):
		t.Fatal("the connection did not end")
	}
	deadline := time.Now().Add(patience)
	for !strings.Contains(string(w.want(http.StatusOK, nil, "", "GET", "/metrics", "").body), `kapok_cut_off_total{what="stream"} 1`) {
		if time.Now().After(deadline) {
			t.Fatal("a stream that took nothing is not counted as cut off")
		}
	}
}

// TestSnapshotParts cuts a large state into parts.
func TestSnapshotParts(t *testing.T) {
	w := newWorld(t, nil)
	for i := range snapshotPart + 5 {
		path := "/v1/vehicles/v" + strconv.Itoa(i)
		w.want(http.StatusCreated, nil, "admin", "PUT", path, `{"kind":"rover","model":"courier"}`)
	}
	stream := w.watch("viewer", "")
	first := stream.next(api.StreamSnapshotType)
	second := stream.next(api.StreamSnapshotType)
	if !first.More || second.More || len(first.Vehicles) != snapshotPart || len(second.Vehicles) != 5 || first.Index != second.Index {
		t.Errorf("parts of %d and %d vehicles, more %v and %v", len(first.Vehicles), len(second.Vehicles), first.More, second.More)
	}
}
