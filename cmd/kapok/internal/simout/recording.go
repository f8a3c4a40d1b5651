package simout

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"strconv"
	"time"

	"github.com/kapok-fleet/kapok/cmd/kapok/internal/mcap"
	"github.com/kapok-fleet/kapok/fleet"
	"github.com/kapok-fleet/kapok/planner/space"
	"github.com/kapok-fleet/kapok/protocol"
	"github.com/kapok-fleet/kapok/sim/scenario"
)

// ErrRecording is the kind of error for a recording that cannot be replayed.
var ErrRecording = errors.New("not a recording that can be replayed")

// MaxLineBytes is how long a line of a recording may be.
const MaxLineBytes = 16 << 20

// Sighting is one sample of a vehicle in a recording.
type Sighting struct {
	// At is when it was recorded; it never goes back within a recording.
	At      time.Time
	Vehicle string
	Sample  protocol.Sample
}

// Actor is a vehicle of a recording.
type Actor struct {
	ID           string
	Kind         protocol.Kind
	Model        string
	Capabilities []string
}

// Recording is what a recording holds as a whole.
type Recording struct {
	File string
	// Actors are its vehicles in the order in which they appear; at most
	// scenario.MaxVehicles.
	Actors      []Actor
	Sightings   int
	From, Until time.Time
}

// OpenRecording reads the whole of a recording, an events.ndjson or an MCAP file
// with foxglove.LocationFix messages in JSON, and says what it holds. An error of
// kind ErrRecording names the file and the line, or the byte.
func OpenRecording(file string) (Recording, error) {
	r := Recording{File: file}
	known := map[string]int{}
	at := func(id string) *Actor {
		n, ok := known[id]
		if !ok {
			n = len(r.Actors)
			known[id] = n
			r.Actors = append(r.Actors, Actor{ID: id})
		}
		return &r.Actors[n]
	}
	read := reading{
		file: file,
		actor: func(a Actor) {
			one := at(a.ID)
			*one = a
		},
		sighting: func(s Sighting) error {
			at(s.Vehicle)
			if len(r.Actors) > scenario.MaxVehicles {
				return fmt.Errorf("%w: it has more than %d vehicles", ErrRecording, scenario.MaxVehicles)
			}
			if r.Sightings == 0 {
				r.From = s.At
			}
			r.Sightings++
			r.Until = s.At
			return nil
		},
	}
	if err := read.all(); err != nil {
		return r, err
	}
	if r.Sightings == 0 {
		return r, fmt.Errorf("%s: %w: nothing in it says where a vehicle was", file, ErrRecording)
	}
	return r, nil
}

// Play calls do for each sighting of a recording, in order. Errors of do end it.
func (r *Recording) Play(do func(Sighting) error) error {
	read := reading{file: r.File, actor: func(Actor) {}, sighting: do}
	return read.all()
}

// reading goes through a recording once.
type reading struct {
	file     string
	actor    func(Actor)
	sighting func(Sighting) error
	last     time.Time
	// seen is where vehicles of an MCAP file were last.
	seen map[string]Sighting
}

func (r *reading) all() error {
	f, err := os.Open(r.file)
	if err != nil {
		return fmt.Errorf("opening the recording: %w", err)
	}
	defer func() { _ = f.Close() }()
	head := make([]byte, 5)
	n, err := io.ReadFull(f, head)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
		return fmt.Errorf("reading the recording %s: %w", r.file, err)
	}
	from := io.MultiReader(bytes.NewReader(head[:n]), f)
	if string(head[:n]) != "\x89MCAP" {
		return r.lines(from)
	}
	r.seen = map[string]Sighting{}
	err = mcap.Read(from, r.fix)
	if errors.Is(err, mcap.ErrMalformed) {
		return fmt.Errorf("%s: %w: %w", r.file, ErrRecording, err)
	}
	return err
}

// lines reads events, one a line.
func (r *reading) lines(from io.Reader) error {
	scanner := bufio.NewScanner(from)
	scanner.Buffer(make([]byte, 1<<16), MaxLineBytes)
	number := 0
	for scanner.Scan() {
		number++
		if len(bytes.TrimSpace(scanner.Bytes())) == 0 {
			continue
		}
		if err := r.line(scanner.Bytes()); err != nil {
			if errors.Is(err, ErrRecording) {
				return fmt.Errorf("%s:%d: %w", r.file, number, err)
			}
			return err
		}
	}
	if err := scanner.Err(); errors.Is(err, bufio.ErrTooLong) {
		return fmt.Errorf("%s:%d: %w: the line is longer than %d bytes", r.file, number+1, ErrRecording, MaxLineBytes)
	} else if err != nil {
		return fmt.Errorf("reading the recording %s: %w", r.file, err)
	}
	return nil
}

// line takes in one event.
func (r *reading) line(line []byte) error {
	var head struct {
		Time time.Time `json:"time"`
		Type string    `json:"type"`
	}
	if err := json.Unmarshal(line, &head); err != nil {
		return fmt.Errorf("%w: it is no event: %w", ErrRecording, err)
	}
	if head.Type == "" || head.Time.IsZero() {
		return fmt.Errorf("%w: an event has a time and a type", ErrRecording)
	}
	if head.Time.Before(r.last) {
		return fmt.Errorf("%w: the time goes back, from %s to %s", ErrRecording, r.last.Format(time.RFC3339Nano), head.Time.Format(time.RFC3339Nano))
	}
	r.last = head.Time
	var event struct {
		Moved      fleet.Moved
		Registered fleet.VehicleRegistered
	}
	switch head.Type {
	case event.Moved.EventName():
		if err := decodeData(line, &event.Moved); err != nil {
			return err
		}
		return r.see(Sighting{head.Time, string(event.Moved.Vehicle), event.Moved.Sample})
	case event.Registered.EventName():
		if err := decodeData(line, &event.Registered); err != nil {
			return err
		}
		v := &event.Registered.Vehicle
		r.actor(Actor{ID: string(v.ID), Kind: v.Kind, Model: v.Model, Capabilities: v.Capabilities})
	}
	return nil
}

// decodeData reads the data of an event.
func decodeData(line []byte, into any) error {
	whole := struct {
		Data any `json:"data"`
	}{into}
	if err := json.Unmarshal(line, &whole); err != nil {
		return fmt.Errorf("%w: its data are not those of its type: %w", ErrRecording, err)
	}
	return nil
}

// see hands a sighting on when a backend could take it.
func (r *reading) see(s Sighting) error {
	if s.Vehicle == "" {
		return fmt.Errorf("%w: a sample names no vehicle", ErrRecording)
	}
	if err := (protocol.Telemetry{Samples: []protocol.Sample{s.Sample}}).Validate(); err != nil {
		return fmt.Errorf("%w: a sample of %s: %w", ErrRecording, s.Vehicle, err)
	}
	return r.sighting(s)
}

// locationFix is what is read of a foxglove.LocationFix.
type locationFix struct {
	FrameID   string   `json:"frame_id"`
	Latitude  *float64 `json:"latitude"`
	Longitude *float64 `json:"longitude"`
	Altitude  float64  `json:"altitude"`
	Metadata  []struct {
		Key   string `json:"key"`
		Value string `json:"value"`
	} `json:"metadata"`
}

// fix takes in one message of an MCAP file; those that are no fix are passed over.
// Speed and heading follow from where the vehicle was before.
func (r *reading) fix(m *mcap.Message) error {
	if m.Schema != FixSchema || m.Encoding != "json" {
		return nil
	}
	wrong := func(format string, args ...any) error {
		return fmt.Errorf("%s: byte %d: %w: %s: %s", r.file, m.At, ErrRecording, m.Topic, fmt.Sprintf(format, args...))
	}
	var f locationFix
	if err := json.Unmarshal(m.Data, &f); err != nil {
		return wrong("%v", err)
	}
	if f.Latitude == nil || f.Longitude == nil {
		return wrong("a fix has a latitude and a longitude")
	}
	// Other writers may be a little out of order.
	at := time.Unix(0, int64(m.LogTime)).UTC()
	if at.Before(r.last) {
		at = r.last
	}
	r.last = at
	id := f.FrameID
	if id == "" {
		id = path.Base(m.Topic)
	}
	s := Sighting{At: at, Vehicle: id, Sample: protocol.Sample{
		Time: at, BatteryRatio: 1, Mode: protocol.ModeIdle,
		Position: protocol.Position{Lon: *f.Longitude, Lat: *f.Latitude, AltitudeM: f.Altitude},
	}}
	before, seen := r.seen[id]
	kind := protocol.Multirotor
	for _, pair := range f.Metadata {
		switch pair.Key {
		case "kind":
			kind = protocol.Kind(pair.Value)
		case "battery_ratio":
			ratio, err := strconv.ParseFloat(pair.Value, 64)
			if err != nil {
				return wrong("battery_ratio is %q", pair.Value)
			}
			s.Sample.BatteryRatio = ratio
		}
	}
	if !seen {
		r.actor(Actor{ID: id, Kind: kind})
	} else if passed := at.Sub(before.At).Seconds(); passed > 0 {
		from, to := placeOf(&before.Sample), placeOf(&s.Sample)
		s.Sample.SpeedMPS = space.Distance(from, to) / passed
		s.Sample.ClimbMPS = (to.AltitudeM - from.AltitudeM) / passed
		s.Sample.HeadingDeg = before.Sample.HeadingDeg
		if s.Sample.SpeedMPS > 0.1 {
			s.Sample.HeadingDeg, s.Sample.Mode = headingDeg(from, to), protocol.ModeTravel
		}
	}
	r.seen[id] = s
	err := r.see(s)
	if errors.Is(err, ErrRecording) {
		return wrong("%v", err)
	}
	return err
}

func placeOf(s *protocol.Sample) space.Position {
	return space.Position{Lon: s.Position.Lon, Lat: s.Position.Lat, AltitudeM: s.Position.AltitudeM}
}
