package fleet

import "maps"

// View copies the maps. The copy shares the entities, which never change, and
// may be evolved by itself. It costs as much as there is; see Look.
func (s *State) View() *State {
	c := s.bare()
	s.share()
	d := &c.Durable
	d.Vehicles, d.Tasks, d.Missions = maps.Clone(d.Vehicles), maps.Clone(d.Tasks), maps.Clone(d.Missions)
	d.Commands, d.Alerts = maps.Clone(d.Commands), maps.Clone(d.Alerts)
	d.Queues, d.Answers = maps.Clone(d.Queues), maps.Clone(d.Answers)
	d.Incidents, d.Zones = maps.Clone(d.Incidents), maps.Clone(d.Zones)
	c.Volatile.Presences = maps.Clone(c.Volatile.Presences)
	c.Volatile.Questions = maps.Clone(c.Volatile.Questions)
	if d.Answers == nil {
		d.Answers = map[string]*GivenAnswer{}
	}
	return c
}

// share says that a copy has the presences of the state, which then no longer
// change in place.
func (s *State) share() {
	if s.Volatile.era != 0 {
		s.Volatile.era++
	}
}

func (s *State) bare() *State {
	c := *s
	c.looked = nil
	c.Durable.digest, c.Durable.index, c.Durable.marks = nil, nil, nil
	c.Volatile.digest, c.Volatile.marks, c.Volatile.era = nil, nil, 0
	return &c
}

// marks say which maps were written since Look last copied them.
type marks struct {
	written [kindQuestion + 1]bool
	// placed says that presences changed otherwise than by telemetry.
	placed bool
}

// Look is a copy of the state that must not change, at the price of the maps
// that were written since the last Look: it shares the others with that one. It
// leaves Answers nil. Without positions it may show vehicles where the last Look
// showed them, as long as nothing but telemetry has changed that. It serves only
// a state that nothing but Evolve writes.
func (s *State) Look(positions bool) *State {
	c, last := s.bare(), s.looked
	if last == nil || s.Durable.marks == nil || s.Volatile.marks == nil {
		c.Durable.Answers = nil
		c = c.View()
		s.share()
		s.Durable.marks = &marks{}
		s.Volatile.marks = s.Durable.marks
	} else if c.takeOver(last, s.Durable.marks, positions) {
		s.share()
	}
	c.Durable.Answers = nil
	s.looked = c
	return c
}

// takeOver shares with an earlier look what was not written since, and copies
// the rest. It tells whether presences are among that.
func (s *State) takeOver(last *State, m *marks, positions bool) bool {
	d, l := &s.Durable, &last.Durable
	take(m, kindVehicle, &d.Vehicles, l.Vehicles)
	take(m, kindTask, &d.Tasks, l.Tasks)
	take(m, kindMission, &d.Missions, l.Missions)
	take(m, kindCommand, &d.Commands, l.Commands)
	take(m, kindAlert, &d.Alerts, l.Alerts)
	take(m, kindQueue, &d.Queues, l.Queues)
	take(m, kindIncident, &d.Incidents, l.Incidents)
	take(m, kindZone, &d.Zones, l.Zones)
	take(m, kindQuestion, &s.Volatile.Questions, last.Volatile.Questions)
	if !positions && !m.placed {
		s.Volatile.Presences = last.Volatile.Presences
		return false
	}
	take(m, kindPresence, &s.Volatile.Presences, last.Volatile.Presences)
	m.placed = false
	return true
}

func take[K comparable, V any](m *marks, kind entityKind, have *map[K]V, last map[K]V) {
	if m.written[kind] {
		*have = maps.Clone(*have)
		m.written[kind] = false
	} else {
		*have = last
	}
}
