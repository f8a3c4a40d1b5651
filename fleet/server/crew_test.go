package server

import (
	"bytes"
	"net/http"
	"sync"
	"time"

	"github.com/kapok-fleet/kapok/protocol"
	"github.com/kapok-fleet/kapok/protocol/api"
)

// crew are vehicles on real links that accept everything and stay where they
// are, so that the story of the examples has somebody to speak of.
type crew struct {
	w       *world
	members map[string]*member
}

// member is a vehicle of the crew.
type member struct {
	*robot
	at protocol.Position

	mu  sync.Mutex // guards the rest
	seq uint64
	// missions are the newest revisions.
	missions map[string]protocol.Mission
}

// newCrew connects the crew and waits until all are where they are.
func (w *world) newCrew() *crew {
	w.t.Helper()
	c := &crew{w: w, members: map[string]*member{}}
	for _, one := range []struct {
		id, site, model string
		kind            protocol.Kind
		abilities       []string
	}{
		{"rover-1", "node/6004", "kapok-rover", protocol.Rover, []string{"extinguisher"}},
		{"rover-2", "node/6002", "kapok-rover", protocol.Rover, nil},
		{"drone-1", "node/6017", "kapok-quad", protocol.Multirotor, []string{"camera"}},
		{"drone-2", "node/6015", "kapok-quad", protocol.Multirotor, []string{"aed"}},
	} {
		m := &member{missions: map[string]protocol.Mission{}}
		for i := range w.chart.Sites {
			if s := &w.chart.Sites[i]; s.ID == one.site {
				m.at = protocol.Position{Lon: s.Position.Lon, Lat: s.Position.Lat, AltitudeM: s.Position.AltitudeM}
			}
		}
		m.robot = w.connect("sim", "?vehicle="+one.id, protocol.SubprotocolJSON)
		m.say(protocol.Hello{
			Kind: one.kind, Model: one.model, Capabilities: one.abilities, LogID: "log1", Time: time.Now().UTC(),
			Limits: protocol.Limits{MaxLoadKg: 5},
		})
		hear[protocol.Welcome](m.robot, nil)
		done := make(chan struct{})
		go func() { m.obey(); close(done) }()
		w.t.Cleanup(func() { m.conn.Close(1000, ""); <-done })
		c.members[one.id] = m
	}
	c.report()
	for id := range c.members {
		w.await("the position of "+id, func() bool {
			a := w.do("viewer", "GET", "/v1/vehicles/"+id, "")
			return a.status == http.StatusOK && bytes.Contains(a.body, []byte(`"position":`))
		})
	}
	return c
}

// await looks a hundred times a second until something is so.
func (w *world) await(what string, so func() bool) {
	w.t.Helper()
	late := time.After(patience)
	ticker := time.NewTicker(10 * time.Millisecond)
	defer ticker.Stop()
	for !so() {
		select {
		case <-late:
			w.t.Fatalf("%s did not come", what)
		case <-ticker.C:
		}
	}
}

func (c *crew) report() {
	for _, m := range c.members {
		m.report(m.at)
	}
}

// numbered gives the next number to a report.
func (m *member) numbered(report func(seq uint64) protocol.FromVehicle) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.seq++
	frame, err := m.encoding.EncodeFrom(nil, report(m.seq))
	if err == nil {
		err = m.conn.Send(frame)
	}
	if err != nil {
		// The link is at its end, or the test sees that an answer is missing.
		m.t.Logf("a vehicle's report was not sent: %v", err)
	}
}

// obey accepts everything until the link ends.
func (m *member) obey() {
	for {
		frame, err := m.conn.Receive()
		if err != nil {
			return
		}
		message, err := m.encoding.DecodeTo(frame)
		if err != nil {
			continue
		}
		switch message := message.(type) {
		case protocol.Mission:
			m.mu.Lock()
			m.missions[message.ID] = message
			m.mu.Unlock()
			if message.State != protocol.MissionEnded {
				m.numbered(func(seq uint64) protocol.FromVehicle {
					return protocol.Ack{Seq: seq, Mission: &protocol.MissionRef{ID: message.ID, Revision: message.Revision}, Verdict: protocol.Accepted}
				})
			}
		case protocol.Command:
			m.numbered(func(seq uint64) protocol.FromVehicle {
				return protocol.Ack{Seq: seq, Command: message.ID, Verdict: protocol.Accepted}
			})
			m.numbered(func(seq uint64) protocol.FromVehicle {
				return protocol.Progress{Seq: seq, Command: message.ID, State: protocol.Done, Time: time.Now().UTC()}
			})
		case protocol.Welcome, protocol.Alive, protocol.Received, protocol.Error:
		}
	}
}

// leg finds the leg that serves a task.
func (m *member) leg(task string) (mission, leg string, ok bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for id, mission := range m.missions {
		for i := range mission.Legs {
			if mission.Legs[i].Task == task {
				return id, mission.Legs[i].ID, true
			}
		}
	}
	return "", "", false
}

// before brings about what the next example speaks of.
func (c *crew) before(operation string) {
	c.w.t.Helper()
	c.report()
	switch operation {
	case "resolve-stop":
		c.breakDown()
	case "cancel-task":
		c.order("T3", `{"kind":"visit","capabilities":["crane"],"stops":[{"place":"node/6024"}]}`)
	case "report-incident":
		c.members["rover-1"].numbered(func(seq uint64) protocol.FromVehicle {
			return protocol.Fault{Seq: seq, Code: "arm_stuck", Text: "the arm moves again", Cleared: true, Time: time.Now().UTC()}
		})
		c.w.want(http.StatusCreated, nil, "dispatcher", "POST", "/v1/group-commands", `{"kind":"resume","vehicle_kinds":["multirotor"],"reason":"the helicopter is gone"}`)
		c.w.await("the end of the commands", func() bool {
			var open api.List[api.Command]
			c.w.want(http.StatusOK, &open, "viewer", "GET", "/v1/commands?state=issued,delivered,accepted", "")
			return len(open.Items) == 0
		})
		c.w.await("the repair", func() bool {
			var v api.Vehicle
			c.w.want(http.StatusOK, &v, "viewer", "GET", "/v1/vehicles/rover-1", "")
			return v.Reason == ""
		})
	case "list-alerts":
		c.w.await("an alert", func() bool {
			var alerts api.List[api.Alert]
			c.w.want(http.StatusOK, &alerts, "viewer", "GET", "/v1/alerts?open=true", "")
			return len(alerts.Items) > 0
		})
	}
}

func (c *crew) order(id, order string) {
	c.w.t.Helper()
	var task api.Task
	c.w.want(http.StatusCreated, &task, "dispatcher", "POST", "/v1/tasks", order)
	if task.ID != id {
		c.w.t.Fatalf("the task is %s, want %s", task.ID, id)
	}
}

// breakDown lets rover-1 break down while it works at the stop of T2.
func (c *crew) breakDown() {
	c.w.t.Helper()
	rover := c.members["rover-1"]
	c.order("T2", `{"kind":"visit","capabilities":["extinguisher"],"stops":[{"position":{"lon":113.931235,"lat":22.511197},"work_s":60}]}`)
	var mission, leg string
	c.w.await("the mission of rover-1", func() bool {
		var ok bool
		mission, leg, ok = rover.leg("T2")
		return ok
	})
	for _, state := range []protocol.ProgressState{protocol.Started, protocol.Begun} {
		rover.numbered(func(seq uint64) protocol.FromVehicle {
			return protocol.Progress{Seq: seq, Mission: mission, Leg: leg, State: state, Time: time.Now().UTC()}
		})
	}
	rover.numbered(func(seq uint64) protocol.FromVehicle {
		return protocol.Fault{Seq: seq, Code: "arm_stuck", Text: "the arm does not move", Time: time.Now().UTC()}
	})
	c.w.await("the fault", func() bool {
		var v api.Vehicle
		c.w.want(http.StatusOK, &v, "viewer", "GET", "/v1/vehicles/rover-1", "")
		var task api.Task
		c.w.want(http.StatusOK, &task, "viewer", "GET", "/v1/tasks/T2", "")
		return v.Reason != "" && task.Stops[0].State == "begun"
	})
}
