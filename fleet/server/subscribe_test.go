package server

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kapok-fleet/kapok/protocol"
	"github.com/kapok-fleet/kapok/protocol/api"
	"github.com/kapok-fleet/kapok/protocol/ws"
)

// until reads frames until one satisfies the condition.
func until[T any](w *watcher, kind string, is func(T) bool) T {
	w.t.Helper()
	for {
		raw, err := w.conn.Receive()
		if err != nil {
			w.t.Fatalf("waiting for %s: %v", kind, err)
		}
		var head struct {
			Type string `json:"type"`
		}
		var frame T
		if json.Unmarshal(raw, &head) == nil && head.Type == kind && json.Unmarshal(raw, &frame) == nil && is(frame) {
			return frame
		}
	}
}

// TestAVehicleCrossesAnArea: a ticket's stream with an area is told once when
// the vehicle comes in, and once when it leaves; the index goes on meanwhile.
func TestAVehicleCrossesAnArea(t *testing.T) {
	w := newWorld(t, nil)
	r := w.connect("r1", "", protocol.SubprotocolJSON)
	r.login()
	node := w.chart.Ground.Nodes[0].Point
	at := func(lon float64) protocol.Position {
		return protocol.Position{Lon: lon, Lat: node[1], AltitudeM: w.chart.GroundAltitudeM}
	}
	r.report(at(node[0] + 0.01))
	var ticket api.StreamTicket
	w.want(http.StatusCreated, &ticket, "viewer", "POST", "/v1/stream-tickets", "")
	all := w.watch("viewer", "?rate_hz=10")
	until(all, api.StreamPositionsType, func(f api.StreamPositions) bool { return f.Vehicles[0].Position != nil })
	area := fmt.Sprintf("%v,%v,%v,%v", node[0]-0.001, node[1]-0.001, node[0]+0.001, node[1]+0.001)
	stream := w.watch("", "?rate_hz=10&ticket="+ticket.Ticket+"&area="+area)
	if s := stream.next(api.StreamSnapshotType); len(s.Vehicles) != 0 {
		t.Fatalf("the vehicle is not in the area, yet the snapshot has %+v", s.Vehicles)
	}
	w.want(http.StatusOK, nil, "admin", "PUT", "/v1/vehicles/r1", `{"kind":"rover","model":"courier","max_load_kg":7}`)
	last := w.engine.View().Index
	until(stream, api.StreamEventsType, func(f api.StreamEvents) bool {
		for _, e := range f.Events {
			if e.Vehicle != nil {
				t.Errorf("an event outside of the area was sent: %s", e.Event)
			}
		}
		return f.Index >= last
	})
	r.report(at(node[0]))
	came := until(stream, api.StreamPositionsType, func(f api.StreamPositions) bool { return true })
	if len(came.Entered) != 1 || came.Entered[0].MaxLoadKg != 7 || len(came.Vehicles) != 1 || len(came.LeftArea) != 0 {
		t.Errorf("coming in is told as %+v", came)
	}
	r.report(at(node[0] + 0.01))
	left := until(stream, api.StreamPositionsType, func(f api.StreamPositions) bool { return len(f.LeftArea) > 0 })
	if !slices.Equal(left.LeftArea, []string{"r1"}) || len(left.Vehicles) != 0 {
		t.Errorf("leaving is told as %+v", left)
	}
}

// TestASubscriptionIsChanged on the open stream, and bad frames are answered and
// then not suffered any more.
func TestASubscriptionIsChanged(t *testing.T) {
	w := newWorld(t, nil)
	w.want(http.StatusCreated, nil, "admin", "PUT", "/v1/vehicles/v1", `{"kind":"rover","model":"courier"}`)
	var task api.Task
	w.want(http.StatusCreated, &task, "dispatcher", "POST", "/v1/tasks", w.visit())
	stream := w.watch("viewer", "?kinds=alerts")
	if s := stream.next(api.StreamSnapshotType); len(s.Vehicles)+len(s.Tasks) != 0 {
		t.Errorf("a stream of alerts opens with %+v", s)
	}
	say := func(frame string) { t.Helper(); w.must(stream.conn.Send([]byte(frame))) }
	say(`{"type":"subscribe","kinds":["tasks","vehicles"],"vehicle_kinds":["vtol"]}`)
	now := until(stream, api.StreamSubscribedType, func(api.StreamSubscribed) bool { return true })
	if !slices.Equal(now.Kinds, []string{"vehicles", "tasks"}) || !slices.Equal(now.VehicleKinds, []string{"vtol"}) || now.RateHz != 0 {
		t.Errorf("subscribed to %+v", now)
	}
	if s := stream.next(api.StreamSnapshotType); len(s.Vehicles) != 0 || len(s.Tasks) != 1 || s.Tasks[0].ID != task.ID {
		t.Errorf("the new snapshot is %+v", s)
	}
	w.want(http.StatusOK, nil, "dispatcher", "POST", "/v1/tasks/"+task.ID+"/cancel", "")
	stream.untilTask(task.ID, "cancelled")

	for _, bad := range []string{"what?", `{"type":"subscribe","kinds":["trams"]}`} {
		say(bad)
		if e := until(stream, api.StreamErrorType, func(api.StreamError) bool { return true }); e.Code == "" || e.Detail == "" {
			t.Errorf("%s is answered with %+v", bad, e)
		}
	}
	say(`{"type":"subscribe"}`) // A good one in between.
	until(stream, api.StreamSubscribedType, func(api.StreamSubscribed) bool { return true })
	for range maxBadFrames {
		say(strings.Repeat("x", maxStreamFrame+1))
	}
	for {
		_, err := stream.conn.Receive()
		if err == nil {
			continue
		}
		closed, ok := errors.AsType[*ws.PeerClosedError](err)
		if !ok || closed.Code != ws.ClosePolicy || !strings.HasPrefix(closed.Reason, codeBodyTooLarge) {
			t.Errorf("the stream ended with %v", err)
		}
		break
	}

	m := manners{changes: changesAtOnce, since: time.Unix(0, 0)}
	for n := range changesAtOnce + 1 {
		if m.mayChange(time.Unix(0, 0)) != (n < changesAtOnce) {
			t.Errorf("change %d at once", n+1)
		}
	}
	if !m.mayChange(time.Unix(1, 0)) || m.mayChange(time.Unix(1, 0)) {
		t.Error("one change comes back each second")
	}
}
