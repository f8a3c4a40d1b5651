package rig

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"github.com/kapok-fleet/kapok/planner/chart/harbour"
	"github.com/kapok-fleet/kapok/protocol"
	"github.com/kapok-fleet/kapok/sim/scenario"
)

const (
	// maxHomes is on how many places the vehicles stand; more vehicles share them.
	maxHomes = 400
	// swingM is how far a vehicle goes before it turns round.
	swingM = 3.0
	// reconnectPause is how long a vehicle waits after its link ended; it doubles
	// up to reconnectPauseMax.
	reconnectPause    = 250 * time.Millisecond
	reconnectPauseMax = 4 * time.Second
)

// vehicle is a good vehicle: it sends when it is told to, answers what it should,
// and connects again when its link ends.
type vehicle struct {
	load *Load
	id   string
	// lon and lat are its home, perM is how many degrees east a metre is.
	lon, lat, perM float64
	// socket is that of the open and welcomed link, nil for none.
	socket atomic.Pointer[socket]
	// last is the time of its newest sample; only the pacer uses it.
	last time.Time
	// log is its store of reports, which seq numbers.
	log string
	mu  sync.Mutex // guards seq, and that reports go out in its order
	seq uint64
}

// homes are lawful places for rovers: on the ways of the embedded chart, outside
// every zone that they may not be in.
func homes(n int) ([]protocol.Position, error) {
	on, err := harbour.Chart()
	if err != nil {
		return nil, fmt.Errorf("placing the vehicles: %w", err)
	}
	place, err := scenario.Place(on, []scenario.Group{{Kind: protocol.Rover, Count: min(n, maxHomes)}}, 1)
	if err != nil {
		return nil, fmt.Errorf("placing the vehicles: %w", err)
	}
	var all []protocol.Position
	for _, home := range place.Homes[0] {
		all = append(all, protocol.Position(home.Position))
	}
	return all, nil
}

// newFleet makes the vehicles of a load.
func newFleet(l *Load) ([]*vehicle, error) {
	if l.o.Vehicles == 0 {
		return nil, nil
	}
	places, err := homes(l.o.Vehicles)
	if err != nil {
		return nil, err
	}
	fleet := make([]*vehicle, l.o.Vehicles)
	for i := range fleet {
		home := places[i%len(places)]
		perM := 1 / (111_320 * math.Cos(home.Lat*math.Pi/180))
		fleet[i] = &vehicle{
			load: l, id: l.o.Vehicle(i), lon: home.Lon, lat: home.Lat, perM: perM,
			log: fmt.Sprintf("%x", time.Now().UnixNano()),
		}
	}
	return fleet, nil
}

// at is where the vehicle is at a time: it goes to and fro at its speed.
func (v *vehicle) at(now time.Time) (lon, lat float64) {
	const there = swingM / roverSpeedMPS
	along := math.Mod(float64(now.UnixMicro()%(1<<40))/1e6, 2*there)
	if along > there {
		along = 2*there - along
	}
	return v.lon + along*roverSpeedMPS*v.perM, v.lat
}

// run keeps the vehicle connected until ctx ends. The first link is announced.
func (v *vehicle) run(ctx context.Context, first func(error)) {
	pause, begun := reconnectPause, time.Now()
	for try := 1; ; try++ {
		s, err := v.connect(ctx)
		if err == nil {
			pause = reconnectPause
			err = v.serve(ctx, s, first)
			v.socket.Store(nil)
			s.close()
			if ctx.Err() == nil {
				v.load.note(err)
			}
		} else if ctx.Err() == nil {
			v.load.dialsFailed.Add(1)
			if outOfPatience(try, begun, err) {
				// It goes on trying; who waits for all to be there need not.
				first(err)
			}
		}
		if !wait(ctx, pause) {
			first(ctx.Err())
			return
		}
		pause = min(2*pause, reconnectPauseMax)
	}
}

// connect opens the link and says hello.
func (v *vehicle) connect(ctx context.Context) (*socket, error) {
	encoding, opcode := protocol.JSON, byte(opText)
	if v.load.o.CBOR {
		encoding, opcode = protocol.CBOR, opBinary
	}
	s, err := v.load.target.open(ctx, "/v1/link?vehicle="+v.id, v.load.o.Token, encoding.Subprotocol())
	if err != nil {
		return nil, err
	}
	hello, err := encoding.EncodeFrom(nil, protocol.Hello{Kind: protocol.Rover, Model: "bench", LogID: v.log, Time: time.Now()})
	if err != nil {
		s.close()
		return nil, err
	}
	s.must(AppendFrame(nil, opcode, hello))
	return s, nil
}

// serve reads until the link ends. From the welcome on the vehicle is there.
func (v *vehicle) serve(ctx context.Context, s *socket, first func(error)) error {
	stop := context.AfterFunc(ctx, s.close)
	defer stop()
	encoding := protocol.JSON
	if v.load.o.CBOR {
		encoding = protocol.CBOR
	}
	if v.load.o.Bare {
		v.socket.Store(s)
		first(nil)
	}
	for {
		frame, err := s.next()
		if err != nil {
			return err
		}
		at := time.Now()
		m, err := encoding.DecodeTo(frame)
		if err != nil {
			return fmt.Errorf("reading a frame for %s: %w", v.id, err)
		}
		if _, ok := m.(protocol.Welcome); ok {
			v.socket.Store(s)
			first(nil)
		}
		v.hear(s, m, at)
	}
}

// hear counts a message and does what a good vehicle does.
func (v *vehicle) hear(s *socket, m protocol.ToVehicle, at time.Time) {
	in := &v.load.pacer.in
	switch m := m.(type) {
	case protocol.Welcome:
		in.welcome.Add(1)
	case protocol.Alive:
		in.alive.Add(1)
	case protocol.Received:
		in.received.Add(1)
	case protocol.Error:
		in.failed.Add(1)
		v.load.noteError(m.Code)
	case protocol.Mission:
		in.mission.Add(1)
		v.load.noteTasks(m.Legs, at)
		if v.load.o.Answer && m.State != protocol.MissionEnded {
			v.answer(s, protocol.Ack{Mission: &protocol.MissionRef{ID: m.ID, Revision: m.Revision}, Verdict: protocol.Accepted})
		}
	case protocol.Command:
		in.command.Add(1)
		v.load.command.arrived(m.ID, at)
		if v.load.o.Answer {
			v.answer(s, protocol.Ack{Command: m.ID, Verdict: protocol.Accepted})
			v.answer(s, protocol.Progress{Command: m.ID, State: protocol.Done, Time: at})
		}
	}
}

// answer sends a report with the next number. The link is good: what cannot be
// encoded is a mistake of this load, which the server's silence shows.
func (v *vehicle) answer(s *socket, m protocol.FromVehicle) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.seq++
	encoding, opcode := protocol.JSON, byte(opText)
	if v.load.o.CBOR {
		encoding, opcode = protocol.CBOR, opBinary
	}
	switch report := m.(type) {
	case protocol.Ack:
		report.Seq = v.seq
		m = report
	case protocol.Progress:
		report.Seq = v.seq
		m = report
	case protocol.Fault:
		report.Seq = v.seq
		m = report
	case protocol.Hello, protocol.Telemetry:
	}
	payload, err := encoding.EncodeFrom(nil, m)
	if err != nil {
		v.load.note(err)
		return
	}
	s.must(AppendFrame(nil, opcode, payload))
}

// note counts why a link or stream ended.
func (l *Load) note(err error) {
	why := "the connection was cut"
	if closed, ok := errors.AsType[*closedError](err); ok {
		why = closed.Error()
	}
	l.count(l.closed, why)
}

// noteTasks notes what work a mission has brought.
func (l *Load) noteTasks(legs []protocol.Leg, at time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := range legs {
		if _, known := l.tasks[legs[i].Task]; legs[i].Task != "" && !known && len(l.tasks) < maxTasks {
			l.tasks[legs[i].Task] = at
		}
	}
}

func (l *Load) noteError(code string) { l.count(l.errors, code) }

// count counts in a map with at most 100 keys.
func (l *Load) count(counts map[string]int64, key string) {
	const most = 100
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, known := counts[key]; !known && len(counts) >= most {
		key = "others"
	}
	counts[key]++
}

// wait waits, and reports false when ctx ends first.
func wait(ctx context.Context, span time.Duration) bool {
	timer := time.NewTimer(span)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
