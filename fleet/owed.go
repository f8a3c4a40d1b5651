package fleet

import (
	"slices"
	"time"

	"github.com/kapok-fleet/kapok/fleet/mutant"
	"github.com/kapok-fleet/kapok/planner/space"
	"github.com/kapok-fleet/kapok/protocol"
)

// owedTo is what the vehicle must be told. What it is follows from the durable
// state; only when a revision may go depends on the session too. A vehicle that
// has seen a higher epoch is told nothing that it would have to refuse.
func owedTo(s *State, id VehicleID, config Config) Owed {
	d := &s.Durable
	v, ok := d.Vehicles[id]
	if !ok {
		return Owed{}
	}
	var owed Owed
	if log, ok := v.Log(); ok {
		owed.LogID, owed.Seq = log.ID, log.Seq
	}
	if v.EpochAbove > d.Epoch {
		return owed
	}
	for _, cid := range v.Commands {
		if c, ok := d.Commands[cid]; ok && c.State != CommandAccepted {
			owed.Commands = append(owed.Commands, wireCommand(c, d.Epoch))
		}
	}
	if m, ok := d.Missions[v.Mission]; ok && m.Open() && mayHave(s, m) && !takenFromWork(owed.Commands) {
		owed.Mission = wireMission(m, d.Epoch, config.TaskAuthority)
	}
	if v.Mission == "" && v.LastMission != "" {
		owed.Ended = append(owed.Ended, endedMission(v.LastMission, d))
	}
	return owed
}

// takenFromWork tells whether a command among those not yet answered takes the
// vehicle from its work. The vehicle may have obeyed already and be on its way
// home: a revision that came behind the command, whichever was decided first,
// would replace it. The answer to the command ends or suspends the mission; a
// refusal lets the revision go.
func takenFromWork(open []protocol.Command) bool {
	return slices.ContainsFunc(open, func(c protocol.Command) bool { return c.Kind != protocol.CommandResume })
}

// mayHave tells whether a revision may go to its vehicle: it holds it already,
// or its position in this session is known, so that the plan starts there.
func mayHave(s *State, m *Mission) bool {
	p, ok := s.Volatile.Presences[m.Vehicle]
	if mutant.On(mutant.ResendForgotten) && ok && m.IssuedAt.Before(p.Since) {
		return false
	}
	return ok && (p.Fresh || p.Holds == holding(&protocol.MissionRef{ID: string(m.ID), Revision: m.Revision}))
}

// endedMission tells a vehicle that a mission is over, known to Kapok or not. Of
// one that is not, or no longer, the revision is the first: it ends with any.
func endedMission(id MissionID, d *Durable) protocol.Mission {
	ended := protocol.Mission{ID: string(id), Revision: 1, State: protocol.MissionEnded, Epoch: d.Epoch, Reason: "not a mission of this vehicle"}
	if m, ok := d.Missions[id]; ok {
		ended.Revision, ended.Reason = m.Latest, wireText(m.Reason.Text)
	}
	return ended
}

func wireMission(m *Mission, epoch uint64, authority time.Duration) *protocol.Mission {
	w := &protocol.Mission{
		ID: string(m.ID), Revision: m.Revision, State: m.State, Epoch: epoch,
		TaskAuthorityS: authority.Seconds(), Reason: wireText(m.Reason.Text),
	}
	legs := m.Legs
	if m.Window > 0 && m.Window < len(legs) {
		legs = legs[:m.Window]
	}
	for i := range legs {
		w.Legs = append(w.Legs, wireLeg(&legs[i]))
	}
	if m.SafeEnd != nil {
		w.Legs = append(w.Legs, wireLeg(m.SafeEnd))
	}
	return w
}

// wireText fits a text into a message; it may quote people and vehicles.
func wireText(text string) string { return protocol.CleanText(text, protocol.MaxTextBytes) }

func wireLeg(l *Leg) protocol.Leg {
	w := protocol.Leg{
		ID: string(l.ID), Task: string(l.Task), Site: string(l.Site), Action: l.Action, State: l.State,
		Path: wirePath(l.Path), SpeedMPS: l.SpeedMPS, SpeedsMPS: l.SpeedsMPS, WorkS: l.WorkS,
		NotBefore: l.NotBefore, ETA: l.ETA, LoadKg: l.LoadKg, ChargeToRatio: l.ChargeToRatio,
	}
	if l.Task != "" {
		w.Stop = l.Stop + 1
	}
	return w
}

func wireCommand(c *Command, epoch uint64) protocol.Command {
	return protocol.Command{
		ID: string(c.ID), Kind: c.Kind, Epoch: epoch, ExpiresAt: c.ExpiresAt,
		Path: wirePath(c.Path), SpeedMPS: c.SpeedMPS, Reason: wireText(c.Reason),
	}
}

func wirePath(path []space.Position) []protocol.Position {
	wire := make([]protocol.Position, len(path))
	for i, p := range path {
		wire[i] = protocol.Position(p)
		// Levels come from maps and orders; a message with one that is too long or
		// steers what shows it could not be sent at all.
		wire[i].Level = protocol.CleanText(p.Level, protocol.MaxIDBytes)
	}
	return wire
}
