package session

import (
	"time"

	"github.com/kapok-fleet/kapok/fleet"
	"github.com/kapok-fleet/kapok/fleet/mutant"
	"github.com/kapok-fleet/kapok/protocol"
)

// reports is how far the vehicle's numbered reports have come.
type reports struct {
	// logID is the store that they are in, from hello; empty before it.
	logID string
	// forwarded is the last number passed on to the fleet, confirmed the last one
	// known to be durable.
	forwarded, confirmed uint64
	// gap says that the vehicle was already told of the gap above forwarded.
	gap bool
}

// report passes on the report that follows the last one. One that is known to be
// durable is confirmed again; one on its way there is confirmed when it is. One
// above a gap is dropped, and the vehicle told once what it must go on from.
// Before Welcome it is not known what follows: the vehicle repeats what Welcome
// does not confirm.
func (s *Session) report(now time.Time, seq uint64, m protocol.FromVehicle, r *Reaction) {
	p := &s.reports
	switch {
	case s.phase != welcomed:
	case seq == p.forwarded+1, mutant.On(mutant.DuplicateCounted) && seq <= p.forwarded:
		p.forwarded, p.gap = max(p.forwarded, seq), false
		r.Inputs = append(r.Inputs, fleet.Report{Vehicle: s.vehicle, Session: s.id, LogID: p.logID, Message: m})
		if mutant.On(mutant.ReceivedTooEarly) {
			s.confirmUpTo(now, p.logID, seq, r)
		}
	case seq <= p.confirmed:
		s.confirm(now, r)
	case seq > p.forwarded && !p.gap:
		p.gap = true
		s.confirm(now, r)
	}
}

func (s *Session) confirm(now time.Time, r *Reaction) {
	s.send(now, r, protocol.Received{LogID: s.reports.logID, Seq: s.reports.confirmed, Time: now})
}

// confirmUpTo notes what has become durable.
func (s *Session) confirmUpTo(now time.Time, logID string, seq uint64, r *Reaction) {
	if logID != s.reports.logID || seq <= s.reports.confirmed {
		return
	}
	s.reports.confirmed = seq
	s.reports.forwarded = max(s.reports.forwarded, seq)
	s.confirm(now, r)
}
