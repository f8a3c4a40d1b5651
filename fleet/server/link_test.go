package server

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/kapok-fleet/kapok/fleet/engine"
	"github.com/kapok-fleet/kapok/fleet/session"
	"github.com/kapok-fleet/kapok/protocol"
	"github.com/kapok-fleet/kapok/protocol/api"
	"github.com/kapok-fleet/kapok/protocol/ws"
)

// robot is a vehicle that speaks the protocol by hand.
type robot struct {
	t        *testing.T
	conn     *ws.Conn
	encoding protocol.Encoding
}

func (w *world) connect(who, query, subprotocol string) *robot {
	w.t.Helper()
	conn, err := w.dialLink(who, query, subprotocol)
	w.must(err)
	w.t.Cleanup(func() { conn.Close(ws.CloseNormal, "") })
	encoding, _ := protocol.EncodingOf(conn.Subprotocol())
	return &robot{t: w.t, conn: conn, encoding: encoding}
}

func (w *world) dialLink(who, query, subprotocol string) (*ws.Conn, error) {
	ctx, cancel := context.WithTimeout(w.t.Context(), patience)
	defer cancel()
	return ws.Dial(ctx, "ws://"+w.address+"/v1/link"+query, http.Header{"Authorization": {"Bearer " + w.secrets[who]}}, ws.Options{
		Subprotocols: []string{subprotocol}, ReadLimit: protocol.MaxFrameToVehicle, ReadTimeout: patience, PingInterval: time.Second,
	})
}

func (r *robot) say(m protocol.FromVehicle) {
	r.t.Helper()
	frame, err := r.encoding.EncodeFrom(nil, m)
	if err == nil {
		err = r.conn.Send(frame)
	}
	if err != nil {
		r.t.Fatalf("sending %T: %v", m, err)
	}
}

// hear waits for a message of type M that satisfies the condition.
func hear[M protocol.ToVehicle](r *robot, is func(M) bool) M {
	r.t.Helper()
	for {
		frame, err := r.conn.Receive()
		if err != nil {
			var none M
			r.t.Fatalf("waiting for %T: %v", none, err)
		}
		m, err := r.encoding.DecodeTo(frame)
		if err != nil {
			r.t.Fatalf("frame %q: %v", frame, err)
		}
		if wanted, ok := m.(M); ok && (is == nil || is(wanted)) {
			return wanted
		}
	}
}

func (r *robot) login() protocol.Welcome {
	r.t.Helper()
	r.say(protocol.Hello{Kind: protocol.Rover, Model: "courier", LogID: "log1", Time: time.Now().UTC()})
	return hear[protocol.Welcome](r, nil)
}

func (r *robot) report(at protocol.Position) {
	r.t.Helper()
	r.say(protocol.Telemetry{Samples: []protocol.Sample{{
		Time: time.Now().UTC(), Position: at, BatteryRatio: 0.9, Mode: protocol.ModeIdle,
	}}})
}

// ends waits for the end of the link and holds it against a close code and the
// start of the reason.
func (r *robot) ends(code int, reason string) {
	r.t.Helper()
	for {
		_, err := r.conn.Receive()
		if err == nil {
			continue
		}
		closed, ok := errors.AsType[*ws.PeerClosedError](err)
		if !ok || closed.Code != code || !strings.HasPrefix(closed.Reason, reason) {
			r.t.Fatalf("the link ended with %v, want %d %s", err, code, reason)
		}
		return
	}
}

// TestAnOrderReachesAVehicle is the whole way: log in, order, mission, accept,
// carry out, done; the stream and the API see it.
func TestAnOrderReachesAVehicle(t *testing.T) {
	for _, subprotocol := range []string{protocol.SubprotocolJSON, protocol.SubprotocolCBOR} {
		t.Run(subprotocol, func(t *testing.T) {
			w := newWorld(t, nil)
			stream := w.watch("viewer", "?rate_hz=10")
			r := w.connect("r1", "", subprotocol)
			welcome := r.login()
			if welcome.Vehicle != "r1" || welcome.Session == "" || welcome.Epoch == 0 {
				t.Fatalf("the welcome is %+v", welcome)
			}
			node := w.chart.Ground.Nodes[0].Point
			r.report(protocol.Position{Lon: node[0], Lat: node[1], AltitudeM: w.chart.GroundAltitudeM})
			for {
				if f := stream.next(api.StreamPositionsType); f.Vehicles[0].ID == "r1" && f.Vehicles[0].Position != nil {
					break
				}
			}
			var task api.Task
			goal := w.chart.Ground.Nodes[1].Point
			w.want(http.StatusCreated, &task, "dispatcher", "POST", "/v1/tasks",
				`{"kind":"visit","vehicle_kinds":["rover"],"stops":[{"position":{"lon":`+number(goal[0])+`,"lat":`+number(goal[1])+`}}]}`)

			m := hear(r, func(m protocol.Mission) bool { return m.State == protocol.MissionActive && len(m.Legs) > 0 })
			r.say(protocol.Ack{Seq: 1, Mission: &protocol.MissionRef{ID: m.ID, Revision: m.Revision}, Verdict: protocol.Accepted})
			hear(r, func(m protocol.Received) bool { return m.Seq == 1 })
			leg := m.Legs[0]
			for i, state := range []protocol.ProgressState{protocol.Started, protocol.Begun, protocol.Done} {
				r.say(protocol.Progress{Seq: uint64(i) + 2, Mission: m.ID, Leg: leg.ID, State: state, Time: time.Now().UTC()})
			}
			hear(r, func(m protocol.Received) bool { return m.Seq == 4 })
			stream.untilTask(task.ID, "done")

			w.want(http.StatusOK, &task, "viewer", "GET", "/v1/tasks/"+task.ID, "")
			if task.State != "done" || task.Vehicle != "r1" {
				t.Errorf("the task is %+v", task)
			}
			var mission api.Mission
			w.want(http.StatusOK, &mission, "viewer", "GET", "/v1/missions/"+m.ID, "")
			if mission.Vehicle != "r1" || mission.Accepted != m.Revision {
				t.Errorf("the mission is %+v", mission)
			}
			metrics := string(w.want(http.StatusOK, nil, "", "GET", "/metrics", "").body)
			for _, line := range []string{
				"kapok_links 1", `kapok_link_frames_total{direction="in",type="hello"} 1`, `kapok_tasks{state="done"} 1`,
				`kapok_vehicles{link="live"} 1`, `kapok_telemetry_samples_total{outcome="taken"} 1`, "kapok_commit_duration_seconds_count",
				`kapok_http_requests_total{method="POST",route="POST /v1/tasks",status="201"} 1`,
			} {
				if !strings.Contains(metrics, line) {
					t.Errorf("the metrics lack %s", line)
				}
			}
		})
	}
}

// TestLinksEnd ends links in the ways that they end.
func TestLinksEnd(t *testing.T) {
	w := newWorld(t, nil)
	t.Run("without hello", func(t *testing.T) {
		r := w.connect("sim", "?vehicle=v1", protocol.SubprotocolJSON)
		r.report(protocol.Position{Lon: 113.93, Lat: 22.51})
		if e := hear[protocol.Error](r, nil); e.Code != session.CodeHelloExpected || !e.Fatal {
			t.Errorf("the error is %+v", e)
		}
		r.ends(ws.CloseProtocol, session.CodeHelloExpected)
	})
	t.Run("a bad frame is answered", func(t *testing.T) {
		r := w.connect("sim", "?vehicle=v2", protocol.SubprotocolJSON)
		r.login()
		w.must(r.conn.Send([]byte(`{"type":"telemetry","samples":7}`)))
		if e := hear[protocol.Error](r, nil); e.Code != protocol.CodeBadMessage || e.Fatal {
			t.Errorf("the error is %+v", e)
		}
		w.must(r.conn.Send([]byte(`{"type":"hello","x":"` + strings.Repeat("x", protocol.MaxFrameFromVehicle) + `"}`)))
		if e := hear[protocol.Error](r, nil); e.Code != protocol.CodeFrameTooLarge || e.Fatal {
			t.Errorf("the error is %+v", e)
		}
	})
	t.Run("a second link ends the first", func(t *testing.T) {
		first := w.connect("r1", "", protocol.SubprotocolJSON)
		first.login()
		second := w.connect("r1", "", protocol.SubprotocolCBOR)
		second.login()
		first.ends(ws.ClosePolicy, "")
	})
	t.Run("a withdrawn token", func(t *testing.T) {
		r := w.connect("r1", "", protocol.SubprotocolJSON)
		r.login()
		w.must(w.tokens.Revoke("r1"))
		w.server.checkCallers()
		r.ends(ws.ClosePolicy, codeUnauthenticated)
		_, err := w.dialLink("r1", "", protocol.SubprotocolJSON)
		if refused, ok := errors.AsType[*ws.RefusedError](err); !ok || refused.Status != http.StatusUnauthorized {
			t.Errorf("dialling again gave %v", err)
		}
	})
	t.Run("shutdown", func(t *testing.T) {
		r := w.connect("sim", "?vehicle=v3", protocol.SubprotocolJSON)
		r.login()
		go func() { _ = w.server.Shutdown(context.WithoutCancel(t.Context())) }()
		r.ends(ws.CloseGoingAway, "")
	})
}

// TestAShutdownWithPeersThatAreGone: those that no longer read are cut, the
// others are told, at once, and the end is an orderly one.
func TestAShutdownWithPeersThatAreGone(t *testing.T) {
	w := newWorld(t, nil)
	r := w.connect("sim", "?vehicle=v1", protocol.SubprotocolJSON)
	r.login()
	raw, err := net.Dial("tcp", w.address)
	w.must(err)
	defer func() { _ = raw.Close() }()
	_, err = io.WriteString(raw, "GET /v1/link?vehicle=v2 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer "+w.secrets["sim"]+
		"\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"+
		"Sec-WebSocket-Protocol: kapok.v1.json\r\n\r\n")
	w.must(err)
	if line, err := bufio.NewReader(raw).ReadString('\n'); err != nil || !strings.Contains(line, "101") {
		t.Fatalf("the silent vehicle got %q, %v", line, err)
	}
	stream := w.watch("viewer", "")
	stream.next(api.StreamSnapshotType)

	began := time.Now()
	w.stop()
	r.ends(ws.CloseGoingAway, "")
	for err = nil; err == nil; {
		_, err = stream.conn.Receive()
	}
	if closed, ok := errors.AsType[*ws.PeerClosedError](err); !ok || closed.Code != ws.CloseGoingAway || time.Since(began) > closeWithin {
		t.Errorf("after %v the stream ended with %v", time.Since(began), err)
	}
	for w.server.links.count() > 0 {
		if time.Since(began) > 2*closeWithin {
			t.Fatal("the silent vehicle's link is still there")
		}
	}
}

// TestAVehicleThatLeavesIsMissed: the end of a link reaches the fleet.
func TestAVehicleThatLeavesIsMissed(t *testing.T) {
	w := newWorld(t, nil)
	stream := w.watch("viewer", "?rate_hz=10")
	r := w.connect("sim", "?vehicle=v1", protocol.SubprotocolJSON)
	r.login()
	node := w.chart.Ground.Nodes[0].Point
	r.report(protocol.Position{Lon: node[0], Lat: node[1]})
	live := func(want bool) {
		t.Helper()
		for {
			f := stream.next(api.StreamPositionsType)
			for _, v := range f.Vehicles {
				if v.ID == "v1" && (v.Link == "live") == want {
					return
				}
			}
		}
	}
	live(true)
	r.conn.Close(ws.CloseNormal, "")
	live(false)
	if n := w.server.links.count(); n != 0 {
		t.Errorf("%d links are open", n)
	}
}

// TestAFullDisk: what is not on disk is not answered, links end, and all goes
// on when the disk has room again.
func TestAFullDisk(t *testing.T) {
	w := newWorld(t, nil)
	var kept api.Task
	w.want(http.StatusCreated, &kept, "dispatcher", "POST", "/v1/tasks", w.visit())
	stream := w.watch("viewer", "?rate_hz=0")
	stream.next(api.StreamSnapshotType)
	r := w.connect("r1", "", protocol.SubprotocolJSON)
	r.login()

	w.diskFull.Store(true)
	p := w.problem(http.StatusServiceUnavailable, codeUnavailable, "dispatcher", "POST", "/v1/tasks", w.visit(), "Idempotency-Key", "again")
	if p.Detail == "" {
		t.Error("the problem must say what to do")
	}
	r.ends(ws.CloseTryAgain, engine.CodeRestarting)
	w.diskFull.Store(false)

	deadline := time.Now().Add(patience)
	for w.do("", "GET", "/readyz", "").status != http.StatusOK {
		if time.Now().After(deadline) {
			t.Fatal("the fleet did not come back")
		}
	}
	var ordered api.Task
	w.want(http.StatusCreated, &ordered, "dispatcher", "POST", "/v1/tasks", w.visit(), "Idempotency-Key", "again")
	var list api.List[api.Task]
	w.want(http.StatusOK, &list, "viewer", "GET", "/v1/tasks", "")
	if len(list.Items) != 2 || list.Items[0].ID != kept.ID || list.Items[1].ID != ordered.ID {
		t.Errorf("after the full disk the tasks are %+v", list.Items)
	}
	stream.untilTask(ordered.ID, ordered.State)
	w.connect("r1", "", protocol.SubprotocolJSON).login()
}
