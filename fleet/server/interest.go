package server

import (
	"encoding/json"
	"errors"
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/kapok-fleet/kapok/planner/space"
	"github.com/kapok-fleet/kapok/protocol"
	"github.com/kapok-fleet/kapok/protocol/api"
)

// topics are kinds of things that a stream carries, as bits.
type topics uint8

const (
	aboutVehicles topics = 1 << iota
	aboutTasks
	aboutAlerts
	aboutZones
	aboutIncidents
	aboutCommands
	aboutPositions
	everything = 1<<iota - 1
)

// topicNames are the names of the bits, from the lowest on.
func topicNames() []string {
	return []string{"vehicles", "tasks", "alerts", "zones", "incidents", "commands", "positions"}
}

// vehicleKinds are kinds of vehicles, as bits; none stands for all.
type vehicleKinds uint8

func vehicleKindNames() []string {
	return []string{string(protocol.Rover), string(protocol.Multirotor), string(protocol.VTOL), string(protocol.Vessel)}
}

func bitOf(name string, names []string) uint8 { return 1 << max(0, slices.Index(names, name)) }

// box is a part of the earth in degrees. West may be greater than east: then it
// crosses the antimeridian.
type box struct{ west, south, east, north float64 }

func boxOf(p space.Position) box { return box{p.Lon, p.Lat, p.Lon, p.Lat} }

// add widens a box that does not cross the antimeridian.
func (b box) add(p space.Position) box {
	return box{min(b.west, p.Lon), min(b.south, p.Lat), max(b.east, p.Lon), max(b.north, p.Lat)}
}

// touches tells whether the box has a point in common with one that does not
// cross the antimeridian.
func (b box) touches(o box) bool {
	if o.south > b.north || o.north < b.south {
		return false
	}
	if b.west > b.east {
		return o.east >= b.west || o.west <= b.east
	}
	return o.west <= b.east && o.east >= b.west
}

// matter is one thing that an event or a position is about, as far as
// subscriptions tell things apart.
type matter struct {
	topic topics
	// kind is that of the vehicle that it is about, none for no vehicle.
	kind vehicleKinds
	// placed says that it lies in the box. What is not placed is in every area.
	placed bool
	box    box
}

// interest is what a subscriber wants to be told. It is comparable: subscribers
// with the same interest share their frames.
type interest struct {
	topics  topics
	kinds   vehicleKinds
	bounded bool
	area    box
}

// wants tells whether the subscriber is told of a matter.
func (i interest) wants(m matter) bool {
	return i.topics&m.topic != 0 && (i.kinds == 0 || m.kind == 0 || i.kinds&m.kind != 0) &&
		(!i.bounded || !m.placed || i.area.touches(m.box))
}

// wantsAny tells whether an event that is about these matters goes out. One that
// is about none of them concerns everybody.
func (i interest) wantsAny(about []matter) bool {
	return len(about) == 0 || slices.ContainsFunc(about, i.wants)
}

// selective tells whether vehicles may come into the subscription and leave it.
func (i interest) selective() bool { return i.bounded || i.kinds != 0 }

// wish is what a subscriber asks for.
type wish struct {
	interest
	// every is the number of pulses between frames of positions, 0 for none.
	every uint64
	// resume asks for the events after an index instead of a snapshot.
	resume bool
	after  uint64
}

// rateHz is how often positions are sent, as the pulses allow.
func (w wish) rateHz() float64 {
	if w.every == 0 {
		return 0
	}
	return 1 / (float64(w.every) * pulse.Seconds())
}

// subscribed repeats the wish to the subscriber.
func (w wish) subscribed() api.StreamSubscribed {
	s := api.StreamSubscribed{Type: api.StreamSubscribedType, RateHz: w.rateHz(), Kinds: named(uint8(w.topics), topicNames())}
	if w.bounded {
		s.Area = []float64{w.area.west, w.area.south, w.area.east, w.area.north}
	}
	s.VehicleKinds = named(uint8(w.kinds), vehicleKindNames())
	return s
}

func named(bits uint8, names []string) []string {
	var all []string
	for i, name := range names {
		if bits&(1<<i) != 0 {
			all = append(all, name)
		}
	}
	return all
}

// newWish checks what a subscriber asks for. The faults are named under prefix.
func newWish(s api.StreamSubscribe, prefix string) (wish, *problem) {
	w := wish{interest: interest{topics: everything}}
	rate := defaultRateHz
	if s.RateHz != nil {
		rate = *s.RateHz
	}
	if !(rate >= 0 && rate <= maxRateHz) {
		return w, newProblem(codeInvalid, "rate_hz must be a number from 0 (no positions) to %g", maxRateHz).about(prefix + "rate_hz")
	}
	if s.Kinds != nil {
		bits, ok := bitsOf(s.Kinds, topicNames())
		if !ok {
			return w, newProblem(codeInvalid, "kinds must be some of %s", strings.Join(topicNames(), ", ")).about(prefix + "kinds")
		}
		w.topics = topics(bits)
	}
	if s.VehicleKinds != nil {
		bits, ok := bitsOf(s.VehicleKinds, vehicleKindNames())
		if !ok {
			return w, newProblem(codeInvalid, "vehicle_kinds must be some of %s", strings.Join(vehicleKindNames(), ", ")).about(prefix + "vehicle_kinds")
		}
		w.kinds = vehicleKinds(bits)
	}
	if s.Area != nil {
		if !validArea(s.Area) {
			return w, newProblem(codeInvalid, "area must be west,south,east,north in degrees, with south at most north; west above east crosses the antimeridian").about(prefix + "area")
		}
		w.bounded, w.area = true, box{s.Area[0], s.Area[1], s.Area[2], s.Area[3]}
	}
	if rate > 0 && w.topics&aboutPositions != 0 {
		// At least a frame an hour, so that no rate overflows.
		w.every = uint64(math.Ceil(min(1/(rate*pulse.Seconds()), time.Hour.Seconds()/pulse.Seconds())))
	}
	return w, nil
}

func validArea(a []float64) bool {
	if len(a) != 4 {
		return false
	}
	for i, limit := range []float64{180, 90, 180, 90} {
		if !(a[i] >= -limit && a[i] <= limit) {
			return false
		}
	}
	return a[1] <= a[3]
}

// bitsOf are the bits of names; false for none, or one that there is not.
func bitsOf(wanted, names []string) (bits uint8, ok bool) {
	for _, name := range wanted {
		if !slices.Contains(names, name) {
			return 0, false
		}
		bits |= bitOf(name, names)
	}
	return bits, bits != 0
}

// parseWish reads the query of /v1/stream.
func parseWish(query url.Values) (wish, *problem) {
	known := []string{"after", "area", "kinds", "rate_hz", "ticket", "vehicle_kinds"}
	for name := range query {
		if !slices.Contains(known, name) {
			return wish{}, newProblem(codeInvalid, "the stream has no parameter of this name; it has %s", strings.Join(known, ", ")).about("query." + name)
		}
	}
	s := api.StreamSubscribe{Kinds: listed(query, "kinds"), VehicleKinds: listed(query, "vehicle_kinds")}
	if text := query.Get("rate_hz"); text != "" {
		s.RateHz = new(numberIn(text))
	}
	for _, text := range listed(query, "area") {
		s.Area = append(s.Area, numberIn(text))
	}
	w, p := newWish(s, "query.")
	if p == nil && query.Has("after") {
		var err error
		if w.after, err = strconv.ParseUint(query.Get("after"), 10, 64); err != nil || w.after == 1<<64-1 {
			return w, newProblem(codeInvalid, "after must be the index of an event").about("query.after")
		}
		w.resume = true
	}
	return w, p
}

// numberIn reads a number; what is none fails every check of a range.
func numberIn(text string) float64 {
	v, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
	if err != nil {
		return math.NaN()
	}
	return v
}

// listed splits a parameter at its commas; nil for one that is absent.
func listed(query url.Values, name string) []string {
	if !query.Has(name) {
		return nil
	}
	return strings.Split(query.Get(name), ",")
}

// parseSubscribe reads a frame of a subscriber.
func parseSubscribe(frame []byte) (wish, *problem) {
	var head struct {
		Type string `json:"type"`
	}
	if err := json.Unmarshal(frame, &head); err != nil {
		if _, ok := errors.AsType[*json.UnmarshalTypeError](err); !ok {
			return wish{}, newProblem(codeMalformedJSON, "a frame must be one JSON object")
		}
		return wish{}, newProblem(codeInvalid, "a frame must be a JSON object with a type").about("type")
	}
	if head.Type != api.StreamSubscribeType {
		return wish{}, newProblem(codeInvalid, "a subscriber sends frames of the type %s only", api.StreamSubscribeType).about("type")
	}
	var s api.StreamSubscribe
	decoder := json.NewDecoder(strings.NewReader(string(frame)))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&s); err != nil {
		if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
			return wish{}, newProblem(codeInvalid, "a value of another type is wanted here").about(wrong.Field)
		}
		return wish{}, newProblem(codeInvalid, "a subscribe frame has only type, area, kinds, vehicle_kinds and rate_hz")
	}
	return newWish(s, "")
}
