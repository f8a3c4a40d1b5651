package fleet

import (
	"fmt"
	"slices"

	"github.com/kapok-fleet/kapok/protocol"
	"github.com/kapok-fleet/kapok/protocol/api"
)

// MaxGroupReturns is how many vehicles one group command can send home, as a way
// is planned for each; those beyond it are skipped.
const MaxGroupReturns = 100

// commandGroup commands all vehicles that match, in the order of their ids.
func (f *Fleet) commandGroup(a CommandGroup) Answer {
	o := &a.Order
	kind := protocol.CommandKind(o.Kind)
	if !slices.Contains(commandKinds(), kind) {
		return problem(statusUnprocessable, "bad_command", "kind", "kind must be hold, resume, return, land or stop")
	}
	for _, k := range o.VehicleKinds {
		if _, ok := f.config.Spec(protocol.Kind(k), ""); !ok {
			return problem(statusUnprocessable, "bad_vehicle_kind", "vehicle_kinds", fmt.Sprintf("there is no kind of vehicle %q", k))
		}
	}
	if b := o.Area; b != nil && !(b[0] < b[2] && b[1] < b[3]) {
		return problem(statusUnprocessable, "bad_area", "area", "area must be west, south, east, north, in this order")
	}
	result := api.GroupResult{Commands: []api.Command{}, Skipped: f.unknownVehicles(o.Vehicles)}
	named := make(map[string]bool, len(o.Vehicles))
	for _, id := range o.Vehicles {
		named[id] = true
	}
	returns := 0
	for _, id := range f.index.vehicles {
		v, _ := f.vehicle(id)
		if len(named) > 0 && !named[string(id)] || !f.inGroup(v, o) {
			continue
		}
		skip := f.notCommanded(v, kind)
		if skip.Code == "" && kind == protocol.CommandReturn {
			if returns++; returns > MaxGroupReturns {
				skip = api.SkippedVehicle{Code: "too_many_returns", Reason: fmt.Sprintf("one request sends at most %d vehicles home: repeat it for the others", MaxGroupReturns)}
			}
		}
		if skip.Code != "" {
			skip.Vehicle = string(id)
			result.Skipped = append(result.Skipped, skip)
			continue
		}
		view, _ := f.state.CommandView(f.command(id, kind, Reason{"group", o.Reason}))
		result.Commands = append(result.Commands, view)
	}
	return answerWith(statusCreated, result)
}

// unknownVehicles lists those of a group that are not there, each once.
func (f *Fleet) unknownVehicles(ids []string) []api.SkippedVehicle {
	skipped := []api.SkippedVehicle{}
	said := map[string]bool{}
	for _, id := range ids {
		if _, ok := f.vehicle(VehicleID(id)); !ok && !said[id] {
			said[id] = true
			skipped = append(skipped, api.SkippedVehicle{Vehicle: id, Code: "vehicle_not_found", Reason: fmt.Sprintf("there is no vehicle %s here", id)})
		}
	}
	return skipped
}

// inGroup tells whether a vehicle is of the kinds and in the area of a group. One
// whose position is not known is in no area.
func (f *Fleet) inGroup(v *Vehicle, o *api.GroupCommand) bool {
	if len(o.VehicleKinds) > 0 && !slices.Contains(o.VehicleKinds, string(v.Kind)) {
		return false
	}
	if o.Area == nil {
		return true
	}
	p, b := f.presence(v.ID), o.Area
	at := p.Sample.Position
	return p.Known && b[0] <= at.Lon && at.Lon <= b[2] && b[1] <= at.Lat && at.Lat <= b[3]
}

// notCommanded says why a vehicle is left out of a command to many; the zero
// value when it is not.
func (f *Fleet) notCommanded(v *Vehicle, kind protocol.CommandKind) api.SkippedVehicle {
	switch why := commandFits(v, kind); {
	case why != "":
		return api.SkippedVehicle{Code: "command_does_not_fit", Reason: why}
	case v.EpochAbove > f.state.Durable.Epoch:
		return api.SkippedVehicle{Code: staleEpoch, Reason: fmt.Sprintf("it has been commanded with epoch %d, above ours of %d, and hears nothing from here", v.EpochAbove, f.state.Durable.Epoch)}
	case v.TakenOver != nil && kind == protocol.CommandResume:
		return api.SkippedVehicle{Code: takenOver, Reason: v.TakenOver.By + " has it in hand: hand it back first"}
	}
	if why := f.unsafeLanding(v, kind); why != "" {
		return api.SkippedVehicle{Code: unsafeLanding, Reason: why + "; command it alone with force to land all the same"}
	}
	return api.SkippedVehicle{}
}
