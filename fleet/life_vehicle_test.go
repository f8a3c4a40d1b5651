package fleet_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/kapok-fleet/kapok/fleet"
	"github.com/kapok-fleet/kapok/planner/motion"
	"github.com/kapok-fleet/kapok/planner/space"
	"github.com/kapok-fleet/kapok/protocol"
)

// stopKey names a stop as the wire does: from 1.
type stopKey struct {
	task string
	stop int
}

// truth is what really happened, whoever knows of it.
type truth struct {
	// done counts how often the work of a stop was finished.
	done map[stopKey]int
	// lost holds the tasks whose load fell off a vehicle.
	lost   map[string]bool
	broken []string
}

func (w *truth) breach(format string, args ...any) {
	w.broken = append(w.broken, fmt.Sprintf(format, args...))
}

// craft is a model vehicle: the least that follows docs/protocol.md, in a world
// where the way is straight and it goes as fast as it can.
type craft struct {
	id     string
	kind   protocol.Kind
	spec   motion.Spec
	legs   int
	skills []string
	chance *rand.Rand
	world  *truth
	// trouble is how likely refusals and failing stops are; 0 in the calm.
	trouble float64

	// What survives a reboot with its store.
	log      string
	seq      uint64
	reports  []protocol.FromVehicle
	mission  *protocol.Mission
	own      map[string]protocol.LegState
	worked   float64
	answered map[string]bool
	epoch    uint64
	held     bool
	motion   *protocol.Command

	// The body.
	at      space.Position
	battery float64
	loads   map[string]float64
	path    []protocol.Position
	corner  int
	fault   string

	// The link.
	session  string
	welcomed bool
	inbox    []protocol.ToVehicle
	sentSeq  uint64
	// offUntil is when it connects again, authority when its own ends.
	offUntil, authority time.Time
}

func (c *craft) report(m protocol.FromVehicle) {
	c.seq++
	switch m := m.(type) {
	case protocol.Ack:
		m.Seq = c.seq
		c.reports = append(c.reports, m)
	case protocol.Progress:
		m.Seq = c.seq
		c.reports = append(c.reports, m)
	case protocol.Fault:
		m.Seq = c.seq
		c.reports = append(c.reports, m)
	case protocol.Hello, protocol.Telemetry:
	}
}

func seqOf(m protocol.FromVehicle) uint64 {
	switch m := m.(type) {
	case protocol.Ack:
		return m.Seq
	case protocol.Progress:
		return m.Seq
	case protocol.Fault:
		return m.Seq
	case protocol.Hello, protocol.Telemetry:
	}
	return 0
}

// wipe loses the store and what the vehicle was about; loads stay on board.
func (c *craft) wipe(log string) {
	c.log, c.seq, c.reports = log, 0, nil
	c.mission, c.own, c.answered = nil, map[string]protocol.LegState{}, map[string]bool{}
	c.held, c.motion, c.worked, c.fault = false, nil, 0, ""
}

func (c *craft) hello(now time.Time) protocol.Hello {
	h := protocol.Hello{Kind: c.kind, Model: model(string(c.kind)), LogID: c.log, Epoch: c.epoch, Time: now, Capabilities: c.skills}
	h.Limits.MaxLegs = c.legs
	if c.mission != nil {
		h.Mission = &protocol.MissionRef{ID: c.mission.ID, Revision: c.mission.Revision}
	}
	return h
}

// receive takes a frame; every frame renews the authority.
func (c *craft) receive(now time.Time, m protocol.ToVehicle) {
	sent := now
	switch m := m.(type) {
	case protocol.Welcome:
		c.welcomed, sent = true, m.Time
		c.epoch = max(c.epoch, m.Epoch)
		c.sentSeq = 0
		if m.LogID == c.log {
			c.confirm(m.Seq)
		}
	case protocol.Alive:
		sent = m.Time
	case protocol.Received:
		sent = m.Time
		if m.LogID == c.log {
			c.confirm(m.Seq)
		}
	case protocol.Mission:
		sent = m.Time
		c.take(m)
	case protocol.Command:
		sent = m.Time
		c.obey(now, m)
	case protocol.Error:
	}
	if end := sent.Add(60 * time.Second); end.After(c.authority) {
		c.authority = end
	}
}

func (c *craft) confirm(seq uint64) {
	for len(c.reports) > 0 && seqOf(c.reports[0]) <= seq {
		c.reports = c.reports[1:]
	}
	c.sentSeq = max(c.sentSeq, seq)
}

func (c *craft) take(m protocol.Mission) {
	if m.State == protocol.MissionEnded {
		if c.mission != nil && c.mission.ID == m.ID {
			c.mission, c.held, c.worked = nil, false, 0
		}
		return
	}
	if m.Epoch < c.epoch {
		c.world.breach("%s is sent epoch %d after %d", c.id, m.Epoch, c.epoch)
	}
	c.epoch = m.Epoch
	same := c.mission != nil && c.mission.ID == m.ID
	ack := protocol.Ack{Mission: &protocol.MissionRef{ID: m.ID, Revision: m.Revision}, Verdict: protocol.Accepted}
	switch {
	case same && m.Revision < c.mission.Revision:
		ack.Verdict, ack.Reason = protocol.Refused, "stale_revision"
	case same && m.Revision == c.mission.Revision:
		c.mission.State = m.State
		if m.State == protocol.MissionActive {
			c.held = false
		}
	case !c.keepsBegun(&m):
		ack.Verdict, ack.Reason = protocol.Refused, "stop_begun"
	case len(m.Legs) > c.legs && c.legs > 0:
		ack.Verdict, ack.Reason = protocol.Refused, "too_many_legs"
		c.world.breach("%s was sent %d legs", c.id, len(m.Legs))
	case c.chance.Float64() < c.trouble:
		ack.Verdict, ack.Reason = protocol.Refused, "low_battery"
	default:
		c.accept(m, same)
	}
	c.report(ack)
}

func (c *craft) accept(m protocol.Mission, same bool) {
	own := map[string]protocol.LegState{}
	for i := range m.Legs {
		l := &m.Legs[i]
		if s, ok := c.own[l.ID]; ok && same && s != protocol.LegAbandoned {
			own[l.ID] = s
		} else if l.State == protocol.LegDone || l.State == protocol.LegFailed {
			own[l.ID] = l.State
		}
	}
	if m.State == protocol.MissionActive && !same {
		c.held = false
	}
	c.mission, c.own, c.motion = &m, own, nil
}

// keepsBegun tells whether a revision has the leg that is begun.
func (c *craft) keepsBegun(m *protocol.Mission) bool {
	if c.mission == nil {
		return true
	}
	for i := range c.mission.Legs {
		l := &c.mission.Legs[i]
		if l.Task == "" || c.own[l.ID] != protocol.LegBegun {
			continue
		}
		kept := false
		for j := range m.Legs {
			kept = kept || m.ID == c.mission.ID && m.Legs[j].ID == l.ID
		}
		return kept
	}
	return true
}

func (c *craft) obey(now time.Time, m protocol.Command) {
	if c.answered[m.ID] {
		return
	}
	c.answered[m.ID] = true
	ack := protocol.Ack{Command: m.ID, Verdict: protocol.Accepted}
	switch {
	case now.After(m.ExpiresAt):
		ack.Verdict, ack.Reason = protocol.Refused, "expired"
	case c.fault != "" && m.Kind != protocol.CommandHold:
		ack.Verdict, ack.Reason = protocol.Refused, "fault"
	}
	c.report(ack)
	if ack.Verdict == protocol.Refused {
		return
	}
	c.motion = nil
	switch m.Kind {
	case protocol.CommandHold:
		c.held = true
	case protocol.CommandResume:
		c.held = false
		if c.mission != nil {
			c.mission.State = protocol.MissionActive
		}
	case protocol.CommandReturn, protocol.CommandLand, protocol.CommandStop:
		if l, ok := c.begun(); ok {
			c.progress(now, l, protocol.Failed)
		}
		c.mission, c.held, c.worked = nil, false, 0
		if m.Kind == protocol.CommandReturn && len(m.Path) > 0 {
			c.motion = &m
			return
		}
	}
	c.report(protocol.Progress{Command: m.ID, State: protocol.Done, Time: now})
}

func (c *craft) begun() (*protocol.Leg, bool) {
	if c.mission == nil {
		return nil, false
	}
	for i := range c.mission.Legs {
		if l := &c.mission.Legs[i]; c.own[l.ID] == protocol.LegBegun && l.Task != "" {
			return l, true
		}
	}
	return nil, false
}

func (c *craft) progress(now time.Time, l *protocol.Leg, s protocol.ProgressState) {
	c.own[l.ID] = protocol.LegState(s)
	p := protocol.Progress{Mission: c.mission.ID, Leg: l.ID, State: s, Time: now}
	if s == protocol.Failed {
		p.Reason = "blocked"
	}
	c.report(p)
}

// live lets a second pass for the vehicle.
func (c *craft) live(now time.Time) {
	for _, m := range c.inbox {
		c.receive(now, m)
	}
	c.inbox = nil
	if c.fault != "" {
		return
	}
	if c.motion != nil {
		if c.drive(c.motion.Path) {
			c.report(protocol.Progress{Command: c.motion.ID, State: protocol.Done, Time: now})
			c.motion = nil
		}
		return
	}
	if c.mission == nil {
		return
	}
	if now.After(c.authority) {
		for i := range c.mission.Legs {
			l := &c.mission.Legs[i]
			if s := c.own[l.ID]; l.Task != "" && (s == "" || s == protocol.LegStarted) {
				c.progress(now, l, protocol.Abandoned)
			}
		}
	}
	for i := range c.mission.Legs {
		l := &c.mission.Legs[i]
		s := c.own[l.ID]
		if s == protocol.LegDone || s == protocol.LegFailed || s == protocol.LegAbandoned {
			continue
		}
		if (c.held || c.mission.State != protocol.MissionActive) && s != protocol.LegBegun {
			return
		}
		c.follow(now, l, s)
		return
	}
}

// follow goes on with the current leg.
func (c *craft) follow(now time.Time, l *protocol.Leg, s protocol.LegState) {
	if s == "" {
		c.progress(now, l, protocol.Started)
	}
	if s != protocol.LegBegun {
		if !c.drive(l.Path) || now.Before(l.NotBefore) {
			return
		}
		if l.Action == protocol.ActionPark {
			c.progress(now, l, protocol.Done)
			return
		}
		if l.Task != "" && c.chance.Float64() < c.trouble/2 {
			c.progress(now, l, protocol.Failed)
			return
		}
		c.progress(now, l, protocol.Begun)
		c.worked = 0
		return
	}
	if l.Action == protocol.ActionCharge {
		if c.battery = min(c.battery+0.02, 1); c.battery >= l.ChargeToRatio {
			c.progress(now, l, protocol.Done)
		}
		return
	}
	if c.worked++; c.worked >= l.WorkS {
		c.finish(now, l)
	}
}

func (c *craft) finish(now time.Time, l *protocol.Leg) {
	_, on := c.loads[l.Task]
	switch {
	case l.Action == protocol.ActionPickup:
		if on {
			c.world.breach("%s takes up the load of %s twice", c.id, l.Task)
		}
		c.loads[l.Task] = l.LoadKg
	case l.Action == protocol.ActionDropoff && !on:
		if !c.world.lost[l.Task] && c.world.done[stopKey{l.Task, 1}] > 0 {
			c.world.breach("%s hands out the load of %s, which is not on board", c.id, l.Task)
		}
		c.progress(now, l, protocol.Failed)
		return
	case l.Action == protocol.ActionDropoff && l.LoadKg > 0:
		delete(c.loads, l.Task)
	}
	key := stopKey{l.Task, l.Stop}
	if c.world.done[key]++; c.world.done[key] > 1 {
		c.world.breach("stop %d of %s is done twice, the second time by %s at %s", l.Stop, l.Task, c.id, now.Format("15:04:05"))
	}
	c.progress(now, l, protocol.Done)
}

// drive moves for a second along a path, at the greatest speed; it joins a new
// path at its nearest corner.
func (c *craft) drive(path []protocol.Position) bool {
	if !slices.Equal(path, c.path) {
		c.path, c.corner = path, 0
		for i := range path {
			if space.Distance(c.at, space.Position(path[i])) < space.Distance(c.at, space.Position(path[c.corner])) {
				c.corner = i
			}
		}
	}
	c.battery = max(c.battery-0.0004, 0.25)
	for room := c.spec.MaxMPS; c.corner < len(path); c.corner++ {
		end := space.Position(path[c.corner])
		left := space.Distance(c.at, end)
		if left > room {
			part := room / left
			c.at.Lon += (end.Lon - c.at.Lon) * part
			c.at.Lat += (end.Lat - c.at.Lat) * part
			c.at.AltitudeM = max(end.AltitudeM, c.at.AltitudeM)
			return false
		}
		c.at = end
		room -= left
	}
	return true
}

// says is what the vehicle sends in this second.
func (c *craft) says(now time.Time) []fleet.Input {
	id, session := fleet.VehicleID(c.id), fleet.SessionID(c.session)
	mode := protocol.ModeIdle
	if c.fault != "" {
		mode = protocol.ModeFault
	}
	in := []fleet.Input{fleet.Telemetry{Vehicle: id, Session: session, Samples: []protocol.Sample{{
		Time: now, Position: protocol.Position(c.at), BatteryRatio: c.battery, Mode: mode,
	}}}}
	for _, m := range c.reports {
		if seqOf(m) > c.sentSeq {
			c.sentSeq = seqOf(m)
			in = append(in, fleet.Report{Vehicle: id, Session: session, LogID: c.log, Message: m})
		}
	}
	return in
}
