package engine

import (
	"slices"

	"github.com/kapok-fleet/kapok/fleet"
)

// Filter selects events. An empty field selects all; several fields must all
// match. An event matches an id when any of its fields names it, or when it is
// about a mission, leg, command or alert of that vehicle or task; the latter is
// known for as long as mission, command or alert are in memory.
type Filter struct {
	Vehicle fleet.VehicleID
	Task    fleet.TaskID
	Mission fleet.MissionID
	Command fleet.CommandID
	Alert   fleet.AlertID
	// Type is an event's name.
	Type string
}

// match judges an event with what is known of the things that it names.
func (f Filter) match(e fleet.Event, known *fleet.Durable) bool {
	if f == (Filter{}) {
		return true
	}
	if f.Type != "" && f.Type != e.EventName() {
		return false
	}
	if f == (Filter{Type: f.Type}) {
		return true
	}
	s := Concerns(e)
	f.complete(&s, e, known)
	return names(s.Vehicles, f.Vehicle) && names(s.Tasks, f.Task) && names(s.Missions, f.Mission) &&
		names(s.Commands, f.Command) && names(s.Alerts, f.Alert)
}

// complete adds whose the mission, command or alert of the event is, where the
// event itself does not say.
func (f Filter) complete(s *Subjects, e fleet.Event, known *fleet.Durable) {
	leg := fleet.LegID("")
	switch e := e.(type) { //nolint:gochecksumtype // The others need nothing more than Concerns.
	case fleet.LegChanged:
		leg = e.Leg
	case fleet.ReportTaken:
		leg = fleet.LegID(e.Leg)
	case fleet.CommandChanged:
		if c, ok := known.Commands[e.Command]; ok {
			s.Vehicles = ids(c.Vehicle)
		}
	case fleet.AlertCleared, fleet.AlertAcknowledged:
		for _, id := range s.Alerts {
			if a, ok := known.Alerts[id]; ok {
				s.Vehicles, s.Tasks = ids(a.Vehicle), ids(a.Task)
			}
		}
	case fleet.MissionAnswered, fleet.MissionChanged:
	default:
		return
	}
	for _, id := range s.Missions {
		m, ok := known.Missions[id]
		if !ok {
			continue
		}
		s.Vehicles = append(s.Vehicles, m.Vehicle)
		if i, ok := m.LegIndex(leg); ok {
			s.Tasks = append(s.Tasks, ids(m.Legs[i].Task)...)
			continue
		}
		// The mission as a whole, or a leg that has left it: what it holds, and
		// what it did.
		s.Tasks = append(s.Tasks, tasksOf(m.Legs)...)
		if t, ok := known.Tasks[f.Task]; ok && t.Mission == id {
			s.Tasks = append(s.Tasks, t.ID)
		}
	}
}

func names[T ~string](list []T, id T) bool { return id == "" || slices.Contains(list, id) }

// Subjects are the ids that an event names, without empty ones.
type Subjects struct {
	Vehicles []fleet.VehicleID
	Tasks    []fleet.TaskID
	Missions []fleet.MissionID
	Commands []fleet.CommandID
	Alerts   []fleet.AlertID
}

func ids[T ~string](all ...T) []T {
	return slices.DeleteFunc(all, func(id T) bool { return id == "" })
}

// Concerns lists whom and what an event is about. A mission's revision concerns
// the tasks of its legs.
func Concerns(e fleet.Event) Subjects {
	switch e := e.(type) {
	case fleet.TaskOrdered:
		return Subjects{Tasks: ids(e.Task.ID), Vehicles: ids(e.Task.Vehicle), Missions: ids(e.Task.Mission)}
	case fleet.TaskChanged:
		return Subjects{Tasks: ids(e.Task), Vehicles: ids(e.Vehicle), Missions: ids(e.Mission)}
	case fleet.TaskCancelWanted:
		return Subjects{Tasks: ids(e.Task)}
	case fleet.StopChanged:
		return Subjects{Tasks: ids(e.Task), Vehicles: ids(e.Vehicle)}
	case fleet.LoadChanged:
		return Subjects{Tasks: ids(e.Task), Vehicles: ids(e.Vehicle)}
	case fleet.MissionIssued:
		return Subjects{Missions: ids(e.Mission), Vehicles: ids(e.Vehicle), Tasks: tasksOf(e.Legs)}
	case fleet.MissionAnswered:
		return Subjects{Missions: ids(e.Mission)}
	case fleet.MissionChanged:
		return Subjects{Missions: ids(e.Mission)}
	case fleet.LegChanged:
		return Subjects{Missions: ids(e.Mission)}
	case fleet.CommandOrdered:
		return Subjects{Commands: ids(e.Command.ID), Vehicles: ids(e.Command.Vehicle)}
	case fleet.CommandChanged:
		return Subjects{Commands: ids(e.Command)}
	case fleet.AlertRaised:
		return Subjects{Alerts: ids(e.Alert.ID), Vehicles: ids(e.Alert.Vehicle), Tasks: ids(e.Alert.Task)}
	case fleet.AlertCleared:
		return Subjects{Alerts: ids(e.Alert)}
	case fleet.AlertAcknowledged:
		return Subjects{Alerts: ids(e.Alert)}
	case fleet.PlanWanted:
		return Subjects{Tasks: ids(e.Question.Task), Vehicles: e.Question.Vehicles}
	case fleet.PlanDropped:
		return Subjects{Tasks: ids(e.Task)}
	case fleet.Archived:
		return Subjects{Tasks: e.Tasks, Missions: e.Missions, Commands: e.Commands, Alerts: e.Alerts}
	case fleet.TaskRanked:
		return Subjects{Tasks: ids(e.Task)}
	case fleet.TaskWanted:
		return Subjects{Tasks: ids(e.Task), Vehicles: ids(e.Vehicle)}
	case fleet.VehicleTakenOver:
		return Subjects{Vehicles: ids(e.Vehicle)}
	case fleet.FleetStopped:
		return Subjects{Commands: e.Commands}
	case fleet.FleetRecovered, fleet.AnswerGiven, fleet.VolatileCleared, fleet.FleetReleased,
		fleet.IncidentReported, fleet.IncidentChanged, fleet.ZoneChanged, fleet.ZoneRemoved, fleet.ConditionsChanged:
		return Subjects{}
	case fleet.VehicleRegistered, fleet.VehicleServiceChanged, fleet.VehicleBlocked, fleet.VehicleRefused,
		fleet.VehicleFaulted, fleet.EpochSeen, fleet.LogOpened, fleet.ReportTaken, fleet.QueueChanged,
		fleet.LinkChanged, fleet.Moved, fleet.ZonesChanged:
		return ofVehicle(e)
	}
	return Subjects{}
}

// ofVehicle is Concerns for the events that are about a vehicle first.
func ofVehicle(e fleet.Event) Subjects {
	switch e := e.(type) { //nolint:gochecksumtype // Concerns is complete.
	case fleet.VehicleRegistered:
		return Subjects{Vehicles: ids(e.Vehicle.ID), Missions: ids(e.Vehicle.Mission)}
	case fleet.VehicleServiceChanged:
		return Subjects{Vehicles: ids(e.Vehicle)}
	case fleet.VehicleBlocked:
		return Subjects{Vehicles: ids(e.Vehicle), Commands: ids(e.Command)}
	case fleet.VehicleRefused:
		return Subjects{Vehicles: ids(e.Vehicle), Tasks: ids(e.Task)}
	case fleet.VehicleFaulted:
		return Subjects{Vehicles: ids(e.Vehicle)}
	case fleet.EpochSeen:
		return Subjects{Vehicles: ids(e.Vehicle)}
	case fleet.LogOpened:
		return Subjects{Vehicles: ids(e.Vehicle)}
	case fleet.ReportTaken:
		return Subjects{Vehicles: ids(e.Vehicle), Missions: ids(fleet.MissionID(e.Mission)), Commands: ids(fleet.CommandID(e.Command))}
	case fleet.QueueChanged:
		return Subjects{Vehicles: ids(slices.Concat([]fleet.VehicleID{e.Vehicle}, e.Using, e.Waiting)...)}
	case fleet.LinkChanged:
		return Subjects{Vehicles: ids(e.Vehicle)}
	case fleet.Moved:
		return Subjects{Vehicles: ids(e.Vehicle)}
	case fleet.ZonesChanged:
		return Subjects{Vehicles: ids(e.Vehicle)}
	default:
		return Subjects{}
	}
}

func tasksOf(legs []fleet.Leg) []fleet.TaskID {
	var tasks []fleet.TaskID
	for i := range legs {
		if id := legs[i].Task; id != "" && !slices.Contains(tasks, id) {
			tasks = append(tasks, id)
		}
	}
	return tasks
}
