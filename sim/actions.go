package sim

import (
	"fmt"

	"github.com/kapok-fleet/kapok/fleet"
	"github.com/kapok-fleet/kapok/protocol/api"
	"github.com/kapok-fleet/kapok/sim/scenario"
)

// byScenario is the reason that people give.
const byScenario = "by the scenario"

// act puts what a person does into the queue.
func (p *people) act(number int, a scenario.Action) {
	p.w.after(a.At.D(), func() {
		ask, ok := p.askOf(&a)
		if !ok {
			return
		}
		p.post("operator", fmt.Sprintf("operator action-%d", number), ask, func(answer fleet.Answer) {
			if answer.Problem != nil {
				p.refused = append(p.refused, fmt.Sprintf("action %d (%s): %s: %s", number, a.Do, answer.Problem.Code, answer.Problem.Detail))
			}
		})
	})
}

// askOf is the request for an action; false when its zone was never made.
func (p *people) askOf(a *scenario.Action) (fleet.Ask, bool) {
	vehicle := fleet.VehicleID(a.Vehicle)
	switch a.Do {
	case scenario.TakeOver, scenario.HandBack:
		return fleet.TakeOver{Vehicle: vehicle, HandBack: a.Do == scenario.HandBack, Order: api.Takeover{Reason: byScenario}}, true
	case scenario.OutOfService, scenario.InService:
		return fleet.ChangeService{Vehicle: vehicle, Change: api.ServiceChange{InService: a.Do == scenario.InService, Reason: byScenario}}, true
	case scenario.EmergencyStop:
		return fleet.StopFleet{Order: api.EmergencyStop{Reason: byScenario}}, true
	case scenario.Release:
		return fleet.ReleaseFleet{Order: api.EmergencyRelease{Resume: true, Reason: byScenario}}, true
	}
	id, ok := fleet.ZoneID(a.Zone), true
	for i := range p.w.scenario.Zones {
		if p.w.scenario.Zones[i].Name == a.Zone {
			id = p.zones[i].id
			ok = id != ""
		}
	}
	if a.Do == scenario.RemoveZone {
		return fleet.RemoveZone{Zone: id, Reason: byScenario}, ok
	}
	return fleet.SuspendZone{Zone: id, Suspension: api.ZoneSuspension{Suspended: a.Do == scenario.SuspendZone, Reason: byScenario}}, ok
}
