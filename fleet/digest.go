package fleet

import (
	"cmp"
	"reflect"
	"slices"
	"time"
)

// entityKind tells the entities of a digest apart.
type entityKind byte

const (
	kindScalars entityKind = iota
	kindVehicle
	kindTask
	kindMission
	kindCommand
	kindAlert
	kindQueue
	kindAnswer
	kindIncident
	kindZone
	kindPresence
	kindQuestion
)

type entityKey struct {
	kind entityKind
	id   string
}

// Digest keeps a checksum of a state up to date at the price of what changed.
// Two states with equal contents have equal sums within one process.
type Digest struct {
	state   *State
	sums    map[entityKey]uint64
	touched []entityKey
	// entries are those of presences, which change more often than all else
	// together; moved are those that were touched.
	entries map[VehicleID]*entry
	moved   []*entry
	// scalars are those of the newest sum, once there is one.
	scalars       scalars
	looked        bool
	durable, rest uint64
	shapes        shapes
}

// entry is a presence in a digest: what it is now, nil when it is not there, and
// the sum of what it was.
type entry struct {
	digest  *Digest
	seed    mixed
	now     *Presence
	sum     uint64
	touched bool
}

// Track starts a digest of the state. It replaces an earlier one.
func (s *State) Track() *Digest {
	d := &Digest{state: s, sums: map[entityKey]uint64{}, entries: map[VehicleID]*entry{}, shapes: shapes{}}
	s.Durable.digest, s.Volatile.digest = d, d
	d.touched = s.entities()
	for id, p := range s.Volatile.Presences {
		d.entryOf(id).now = p
	}
	return d
}

func (d *Digest) entryOf(id VehicleID) *entry {
	e, ok := d.entries[id]
	if !ok {
		e = &entry{digest: d, seed: entityKey{kindPresence, string(id)}.seed()}
		d.entries[id] = e
	}
	return e
}

// touchPresence notes that a presence was changed, or put there, or with nil taken
// away. One that was found once is not looked up again.
func (d *Digest) touchPresence(id VehicleID, p *Presence) {
	var e *entry
	if p != nil && p.entry != nil && p.entry.digest == d {
		e = p.entry
	} else {
		e = d.entryOf(id)
	}
	if e.now = p; p != nil {
		p.entry = e
	}
	if !e.touched {
		e.touched = true
		d.moved = append(d.moved, e)
	}
}

// Sum returns the checksums of the durable part and of the whole.
func (d *Digest) Sum() (durable, all uint64) {
	for i, k := range d.touched {
		if k.kind == kindScalars && (i > 0 || !d.newScalars()) {
			// Every durable event touches them; once is enough.
			continue
		}
		if k.kind == kindPresence {
			d.place(d.entryOf(VehicleID(k.id)))
			continue
		}
		sum := d.state.hash(d.shapes, k)
		delta := d.sums[k] ^ sum
		if sum == 0 {
			delete(d.sums, k)
		} else {
			d.sums[k] = sum
		}
		if k.kind >= kindPresence {
			d.rest ^= delta
		} else {
			d.durable ^= delta
		}
	}
	if len(d.touched) > 0 {
		// The scalars stand first, so that they are looked at each time.
		d.touched = append(d.touched[:0], entityKey{kindScalars, ""})
	}
	for _, e := range d.moved {
		d.place(e)
	}
	d.moved = d.moved[:0]
	return d.durable, d.durable ^ d.rest
}

// place takes in a presence as it is now.
func (d *Digest) place(e *entry) {
	sum := sumPresence(e.seed, e.now)
	d.rest ^= e.sum ^ sum
	e.sum, e.touched = sum, false
}

// newScalars takes note of the scalars, and tells whether they have changed.
func (d *Digest) newScalars() bool {
	now := d.state.Durable.scalars()
	same := d.looked && now == d.scalars
	d.scalars, d.looked = now, true
	return !same
}

// DeepSum computes the same sums from scratch, so that changes made behind the
// digest's back show.
func (s *State) DeepSum() (durable, whole uint64) {
	all, rest := shapes{}, uint64(0)
	for _, k := range s.unsorted() {
		if sum := s.hash(all, k); k.kind >= kindPresence {
			rest ^= sum
		} else {
			durable ^= sum
		}
	}
	return durable, durable ^ rest
}

// Differs names the first entity in which two states differ, empty for none.
// With durableOnly, volatile ones are left out.
func Differs(a, b *State, durableOnly bool) string {
	names := [...]string{"scalars", "vehicle", "task", "mission", "command", "alert", "queue", "answer", "incident", "zone", "presence", "question"}
	all := shapes{}
	for _, k := range append(a.entities(), b.entities()...) {
		if durableOnly && k.kind >= kindPresence {
			continue
		}
		if a.hash(all, k) != b.hash(all, k) {
			return names[k.kind] + " " + k.id
		}
	}
	return ""
}

// entities lists all there are, by kind and id.
func (s *State) entities() []entityKey {
	keys := s.unsorted()
	slices.SortFunc(keys, func(a, b entityKey) int {
		return cmp.Or(cmp.Compare(a.kind, b.kind), cmp.Compare(a.id, b.id))
	})
	return keys
}

func (s *State) unsorted() []entityKey {
	d, v := &s.Durable, &s.Volatile
	keys := make([]entityKey, 1, 1+len(d.Vehicles)+len(d.Tasks)+len(d.Missions)+len(d.Commands)+len(d.Alerts)+
		len(d.Queues)+len(d.Answers)+len(d.Incidents)+len(d.Zones)+len(v.Presences)+len(v.Questions))
	keys = appendKeys(keys, kindVehicle, d.Vehicles)
	keys = appendKeys(keys, kindTask, d.Tasks)
	keys = appendKeys(keys, kindMission, d.Missions)
	keys = appendKeys(keys, kindCommand, d.Commands)
	keys = appendKeys(keys, kindAlert, d.Alerts)
	keys = appendKeys(keys, kindQueue, d.Queues)
	keys = appendKeys(keys, kindAnswer, d.Answers)
	keys = appendKeys(keys, kindIncident, d.Incidents)
	keys = appendKeys(keys, kindZone, d.Zones)
	keys = appendKeys(keys, kindPresence, v.Presences)
	return appendKeys(keys, kindQuestion, v.Questions)
}

func appendKeys[K ~string, V any](keys []entityKey, kind entityKind, m map[K]*V) []entityKey {
	for id := range m {
		keys = append(keys, entityKey{kind, string(id)})
	}
	return keys
}

// scalars are what of the durable state is in no map.
type scalars struct {
	Index, Epoch uint64
	Time         time.Time
	Chart        string
	Counters     Counters
	Freeze       *Freeze
	Conditions   *Conditions
}

func (d *Durable) scalars() scalars {
	return scalars{d.Index, d.Epoch, d.Time, d.Chart, d.Counters, d.Freeze, d.Conditions}
}

// hash is 0 for an entity that is not there.
func (s *State) hash(all shapes, k entityKey) uint64 {
	d := &s.Durable
	switch k.kind {
	case kindScalars:
		now := d.scalars()
		return sum(all, k, &now)
	case kindVehicle:
		return sum(all, k, d.Vehicles[VehicleID(k.id)])
	case kindTask:
		return sum(all, k, d.Tasks[TaskID(k.id)])
	case kindMission:
		return sum(all, k, d.Missions[MissionID(k.id)])
	case kindCommand:
		return sum(all, k, d.Commands[CommandID(k.id)])
	case kindAlert:
		return sum(all, k, d.Alerts[AlertID(k.id)])
	case kindQueue:
		return sum(all, k, d.Queues[SiteID(k.id)])
	case kindAnswer:
		return sum(all, k, d.Answers[k.id])
	case kindIncident:
		return sum(all, k, d.Incidents[IncidentID(k.id)])
	case kindZone:
		return sum(all, k, d.Zones[ZoneID(k.id)])
	case kindPresence:
		return sumPresence(k.seed(), s.Volatile.Presences[VehicleID(k.id)])
	case kindQuestion:
		return sum(all, k, s.Volatile.Questions[TaskID(k.id)])
	}
	return 0
}

func (k entityKey) seed() mixed { return mixed(mixStart).word(uint64(k.kind)).text(k.id) }

// sum mixes an entity by its shape.
func sum[T any](all shapes, k entityKey, entity *T) uint64 {
	if entity == nil {
		return 0
	}
	return uint64(all.mix(k.seed(), all.of(reflect.TypeFor[T]()), reflect.ValueOf(entity).Elem()))
}

// sumPresence writes the fields by hand: it runs for every sample.
func sumPresence(seed mixed, p *Presence) uint64 {
	if p == nil {
		return 0
	}
	s := &p.Sample
	h := seed.time(p.LastHeard).time(p.LinkEnd).time(p.Since).time(s.Time)
	h = h.float(s.Position.Lon).float(s.Position.Lat).float(s.Position.AltitudeM)
	h = h.float(s.SpeedMPS).float(s.ClimbMPS).float(s.HeadingDeg).float(s.BatteryRatio)
	h = h.text(string(p.Link)).text(string(p.Session)).text(string(s.Mode)).text(s.Position.Level).text(p.Holds)
	flags := uint64(0)
	if p.Fresh {
		flags |= 1
	}
	if p.Known {
		flags |= 2
	}
	h = h.word(flags).word(uint64(len(p.Zones)))
	for _, z := range p.Zones {
		h = h.text(z)
	}
	return uint64(h)
}
