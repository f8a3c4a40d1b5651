package fleet

import (
	"encoding/binary"
	"encoding/json"
	"math"
	"time"

	"github.com/kapok-fleet/kapok/planner/space"
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
	state         *State
	sums          map[entityKey]uint64
	touched       []entityKey
	durable, rest uint64
}

// Track starts a digest of the state. It replaces an earlier one.
func (s *State) Track() *Digest {
	d := &Digest{state: s, sums: map[entityKey]uint64{}}
	s.Durable.digest, s.Volatile.digest = d, d
	d.touched = s.entities()
	return d
}

// Sum returns the checksums of the durable part and of the whole.
func (d *Digest) Sum() (durable, all uint64) {
	for _, k := range d.touched {
		sum := d.state.hash(k)
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
	d.touched = d.touched[:0]
	return d.durable, d.durable ^ d.rest
}

// DeepSum computes the same sums from scratch, so that changes made behind the
// digest's back show.
func (s *State) DeepSum() (durable, all uint64) {
	d := &Digest{state: s, sums: map[entityKey]uint64{}, touched: s.entities()}
	return d.Sum()
}

// Differs names the first entity in which two states differ, empty for none.
// With durableOnly, volatile ones are left out.
func Differs(a, b *State, durableOnly bool) string {
	names := [...]string{"scalars", "vehicle", "task", "mission", "command", "alert", "queue", "answer", "incident", "zone", "presence", "question"}
	for _, k := range append(a.entities(), b.entities()...) {
		if durableOnly && k.kind >= kindPresence {
			continue
		}
		if a.hash(k) != b.hash(k) {
			return names[k.kind] + " " + k.id
		}
	}
	return ""
}

func (s *State) entities() []entityKey {
	keys := []entityKey{{kindScalars, ""}}
	d := &s.Durable
	keys = appendKeys(keys, kindVehicle, d.Vehicles)
	keys = appendKeys(keys, kindTask, d.Tasks)
	keys = appendKeys(keys, kindMission, d.Missions)
	keys = appendKeys(keys, kindCommand, d.Commands)
	keys = appendKeys(keys, kindAlert, d.Alerts)
	keys = appendKeys(keys, kindQueue, d.Queues)
	keys = appendKeys(keys, kindAnswer, d.Answers)
	keys = appendKeys(keys, kindIncident, d.Incidents)
	keys = appendKeys(keys, kindZone, d.Zones)
	keys = appendKeys(keys, kindPresence, s.Volatile.Presences)
	return appendKeys(keys, kindQuestion, s.Volatile.Questions)
}

func appendKeys[K ~string, V any](keys []entityKey, kind entityKind, m map[K]*V) []entityKey {
	for _, id := range sortedKeys(m) {
		keys = append(keys, entityKey{kind, string(id)})
	}
	return keys
}

// hash is 0 for an entity that is not there.
func (s *State) hash(k entityKey) uint64 {
	d := &s.Durable
	switch k.kind {
	case kindScalars:
		return hashJSON(k, &struct {
			Index, Epoch uint64
			Time         time.Time
			Chart        string
			Counters     Counters
			Freeze       *Freeze
		}{d.Index, d.Epoch, d.Time, d.Chart, d.Counters, d.Freeze})
	case kindVehicle:
		return hashJSON(k, d.Vehicles[VehicleID(k.id)])
	case kindTask:
		return hashJSON(k, d.Tasks[TaskID(k.id)])
	case kindMission:
		return hashMission(k, d.Missions[MissionID(k.id)])
	case kindCommand:
		return hashJSON(k, d.Commands[CommandID(k.id)])
	case kindAlert:
		return hashJSON(k, d.Alerts[AlertID(k.id)])
	case kindQueue:
		return hashJSON(k, d.Queues[SiteID(k.id)])
	case kindAnswer:
		return hashJSON(k, d.Answers[k.id])
	case kindIncident:
		return hashJSON(k, d.Incidents[IncidentID(k.id)])
	case kindZone:
		return hashJSON(k, d.Zones[ZoneID(k.id)])
	case kindPresence:
		return hashPresence(k, s.Volatile.Presences[VehicleID(k.id)])
	case kindQuestion:
		return hashJSON(k, s.Volatile.Questions[TaskID(k.id)])
	}
	return 0
}

// fnv1a is the 64-bit FNV-1a hash (Fowler, Noll, Vo), continued from h.
func fnv1a(h uint64, data []byte) uint64 {
	for _, b := range data {
		h = (h ^ uint64(b)) * 1099511628211
	}
	return h
}

func (k entityKey) seed() uint64 {
	return fnv1a(fnv1a(14695981039346656037, []byte{byte(k.kind)}), []byte(k.id))
}

func hashJSON[T any](k entityKey, entity *T) uint64 {
	if entity == nil {
		return 0
	}
	data, err := json.Marshal(entity)
	if err != nil {
		// Entities are built of finite numbers and strings; if one is not, the
		// error text still makes two differing states differ.
		data = []byte(err.Error())
	}
	return fnv1a(k.seed(), data)
}

// hashMission takes the paths as numbers: they are most of a mission, and
// writing them as JSON for each finished leg would be most of the work.
func hashMission(k entityKey, m *Mission) uint64 {
	if m == nil {
		return 0
	}
	h := k.seed()
	c := *m
	c.Legs, h = stripPaths(m.Legs, h)
	c.Previous, h = stripPaths(m.Previous, h)
	return hashJSON(k, &c) ^ h
}

func stripPaths(legs []Leg, h uint64) ([]Leg, uint64) {
	bare := append([]Leg(nil), legs...)
	for i := range bare {
		h = hashPath(h, bare[i].Path)
		bare[i].Path = nil
	}
	return bare, h
}

func hashPath(h uint64, path []space.Position) uint64 {
	var b [24]byte
	for _, p := range path {
		binary.LittleEndian.PutUint64(b[0:], math.Float64bits(p.Lon))
		binary.LittleEndian.PutUint64(b[8:], math.Float64bits(p.Lat))
		binary.LittleEndian.PutUint64(b[16:], math.Float64bits(p.AltitudeM))
		h = fnv1a(fnv1a(h, b[:]), []byte(p.Level))
	}
	return h
}

// hashPresence writes the fields by hand: it runs for every sample.
func hashPresence(k entityKey, p *Presence) uint64 {
	if p == nil {
		return 0
	}
	var b [8 * 12]byte
	s := &p.Sample
	for i, x := range [...]uint64{
		uint64(p.LastHeard.UnixNano()), uint64(p.LinkEnd.UnixNano()), uint64(p.Since.UnixNano()),
		uint64(s.Time.UnixNano()),
		math.Float64bits(s.Position.Lon), math.Float64bits(s.Position.Lat),
		math.Float64bits(s.Position.AltitudeM), math.Float64bits(s.SpeedMPS),
		math.Float64bits(s.ClimbMPS), math.Float64bits(s.HeadingDeg),
		math.Float64bits(s.BatteryRatio), uint64(len(p.Zones)),
	} {
		binary.LittleEndian.PutUint64(b[8*i:], x)
	}
	h := fnv1a(k.seed(), b[:])
	for _, text := range [...]string{string(p.Link), string(p.Session), string(s.Mode), s.Position.Level, p.Holds} {
		h = fnv1a(fnv1a(h, []byte(text)), []byte{0})
	}
	if p.Fresh {
		h = fnv1a(h, []byte{1})
	}
	for _, z := range p.Zones {
		h = fnv1a(fnv1a(h, []byte(z)), []byte{0})
	}
	return h
}
