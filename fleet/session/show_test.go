package session

import (
	"fmt"
	"time"

	"github.com/kapok-fleet/kapok/fleet"
	"github.com/kapok-fleet/kapok/protocol"
)

func (p *player) show(r Reaction) {
	for _, in := range r.Inputs {
		fmt.Fprintf(&p.out, "  < %s\n", p.input(in))
	}
	for _, m := range r.Send {
		fmt.Fprintf(&p.out, "  > %s\n", p.sent(m))
	}
	if r.Close != nil {
		fmt.Fprintf(&p.out, "  x %s: %s\n", r.Close.Code, r.Close.Text)
	}
}

func (p *player) at(t time.Time) string { return t.Sub(p.start).String() }

func (p *player) input(in fleet.Input) string {
	switch in := in.(type) {
	case fleet.Joined:
		return fmt.Sprintf("joined %s %s log=%s clock=%v", in.Vehicle, in.Session, in.Hello.LogID, in.ClockError)
	case fleet.Left:
		return fmt.Sprintf("left %s %s %s", in.Vehicle, in.Session, in.Why)
	case fleet.Telemetry:
		s := fmt.Sprintf("telemetry %s", in.Session)
		for _, sample := range in.Samples {
			s += " " + p.at(sample.Time)
		}
		if in.Skewed {
			s += " skewed"
		}
		return s
	case fleet.Report:
		s := fmt.Sprintf("report %s %s ", in.Session, in.LogID)
		switch m := in.Message.(type) {
		case protocol.Ack:
			return s + fmt.Sprintf("ack %d", m.Seq)
		case protocol.Progress:
			return s + fmt.Sprintf("progress %d %s %s %s", m.Seq, m.Mission, m.Leg, m.State)
		case protocol.Fault:
			return s + fmt.Sprintf("fault %d %s", m.Seq, m.Code)
		case protocol.Hello, protocol.Telemetry:
			// Not numbered; the line below shows it if one comes.
		}
		return s + fmt.Sprintf("%T", in.Message)
	case fleet.Delivered:
		return fmt.Sprintf("delivered %s %s", in.Vehicle, in.Command)
	case fleet.Asked, fleet.PlanReady, fleet.Recovered, fleet.Tick:
		// Not of sessions; the line below shows it if one comes.
	}
	return fmt.Sprintf("%T", in)
}

func (p *player) sent(m protocol.ToVehicle) string {
	switch m := m.(type) {
	case protocol.Welcome:
		return fmt.Sprintf("%s welcome %s epoch=%d log=%s seq=%d alive=%gs", p.at(m.Time), m.Session, m.Epoch, m.LogID, m.Seq, m.AliveIntervalS)
	case protocol.Alive:
		return p.at(m.Time) + " alive"
	case protocol.Mission:
		return fmt.Sprintf("%s mission %s/%d %s", p.at(m.Time), m.ID, m.Revision, m.State)
	case protocol.Command:
		return fmt.Sprintf("%s command %s until %s", p.at(m.Time), m.ID, p.at(m.ExpiresAt))
	case protocol.Received:
		return fmt.Sprintf("%s received %s %d", p.at(m.Time), m.LogID, m.Seq)
	case protocol.Error:
		fatal := ""
		if m.Fatal {
			fatal = " fatal"
		}
		return fmt.Sprintf("%s error%s %s: %s", p.at(m.Time), fatal, m.Code, m.Text)
	}
	return fmt.Sprintf("%T", m)
}
