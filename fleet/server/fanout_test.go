package server

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/kapok-fleet/kapok/fleet"
	"github.com/kapok-fleet/kapok/fleet/engine"
	"github.com/kapok-fleet/kapok/planner/chart/harbour"
	"github.com/kapok-fleet/kapok/protocol"
	"github.com/kapok-fleet/kapok/protocol/api"
	"github.com/kapok-fleet/kapok/protocol/ws"
)

// stage is a fleet that a test moves by hand, and the hub that shows it.
type stage struct {
	Backend
	t      *testing.T
	chance *rand.Rand
	state  *fleet.State
	now    *engine.View
	index  uint64
	hub    *hub
}

func newStage(t *testing.T) *stage {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	on, err := harbour.Chart()
	if err != nil {
		t.Fatal(err)
	}
	s := &stage{t: t, chance: rand.New(rand.NewPCG(seed, 4)), state: fleet.NewState()}
	server := &Server{backend: s, options: Options{Chart: on, Log: slog.New(slog.NewTextHandler(t.Output(), nil))}}
	server.hub = &hub{server: server}
	server.metrics = newMetrics(server)
	s.hub = server.hub
	s.show()
	return s
}

func (s *stage) View() *engine.View { return s.now }

// show makes a view of what is there.
func (s *stage) show() {
	at := time.Date(2026, 5, 4, 3, 2, 1, 0, time.UTC)
	s.now = &engine.View{State: s.state.View(), Index: s.index, At: at}
}

// cutOff is how many streams were cut off, as the metrics have it.
func (s *stage) cutOff() (sum int) {
	registry := prometheus.NewRegistry()
	registry.MustRegister(s.hub.server.metrics.cut)
	families, err := registry.Gather()
	if err != nil {
		s.t.Fatal(err)
	}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			sum += int(m.GetCounter().GetValue())
		}
	}
	return sum
}

func stageID(n int) fleet.VehicleID { return fleet.VehicleID(fmt.Sprintf("v%d", n)) }

// register gives a vehicle a kind, which is durable.
func (s *stage) register(n int) {
	kinds := []protocol.Kind{protocol.Rover, protocol.Multirotor, protocol.VTOL, protocol.Vessel}
	s.state.Durable.Vehicles[stageID(n)] = &fleet.Vehicle{ID: stageID(n), Kind: kinds[s.chance.IntN(4)], Model: "m"}
	s.index++
}

// move puts a vehicle somewhere within ten degrees; it may be lost from sight.
func (s *stage) move(n int) {
	if s.chance.IntN(20) == 0 {
		delete(s.state.Volatile.Presences, stageID(n))
		return
	}
	s.state.Volatile.Presences[stageID(n)] = &fleet.Presence{Link: fleet.LinkLive, Known: s.chance.IntN(10) > 0, Sample: protocol.Sample{
		Position: protocol.Position{Lon: 10 * s.chance.Float64(), Lat: 10 * s.chance.Float64()}, BatteryRatio: s.chance.Float64(),
	}}
}

// reader is a dispatcher's socket and the dispatcher behind it, who folds what
// comes as docs/api.md says.
type reader struct {
	t      *testing.T
	sub    *subscriber
	queue  [][]byte
	closed string
	done   chan struct{}
	// vehicles are their moving states, as they were told.
	vehicles  map[string]string
	positions int // frames of positions
	newest    []byte
}

func (r *reader) Send(frame []byte) error {
	if r.closed != "" {
		return ws.ErrClosed
	}
	r.queue = append(r.queue, frame)
	return nil
}

func (r *reader) Unwritten() (frames, bytes int) {
	for _, frame := range r.queue {
		bytes += len(frame)
	}
	return len(r.queue), bytes
}

func (r *reader) Close(_ int, reason string) { r.closed = reason }
func (r *reader) Done() <-chan struct{}      { return r.done }

// waiting counts frames of a type that are not read.
func (r *reader) waiting(kind string) (n int) {
	for _, raw := range r.queue {
		var head struct{ Type string }
		if err := json.Unmarshal(raw, &head); err != nil {
			r.t.Fatalf("frame %.300s: %v", raw, err)
		}
		if head.Type == kind {
			n++
		}
	}
	return n
}

// read takes in the first n frames.
func (r *reader) read(n int) {
	for ; n > 0 && len(r.queue) > 0; n-- {
		raw := r.queue[0]
		r.queue = r.queue[1:]
		var frame struct {
			Type     string
			Complete bool
			Entered  []api.Vehicle
			Vehicles []json.RawMessage
			LeftArea []string `json:"left_area"`
		}
		if err := json.Unmarshal(raw, &frame); err != nil {
			r.t.Fatalf("frame %.300s: %v", raw, err)
		}
		switch frame.Type {
		case api.StreamSnapshotType:
			r.snapshot(raw)
		case api.StreamPositionsType:
			r.positions++
			r.newest = raw
			for _, v := range frame.Entered {
				r.vehicles[v.ID] = r.moving(v)
			}
			named := map[string]bool{}
			for _, raw := range frame.Vehicles {
				var p api.VehiclePosition
				if err := json.Unmarshal(raw, &p); err != nil {
					r.t.Fatalf("vehicle %s: %v", raw, err)
				}
				r.vehicles[p.ID], named[p.ID] = string(raw), true
			}
			for _, id := range frame.LeftArea {
				if _, ok := r.vehicles[id]; !ok {
					r.t.Errorf("vehicle %s left and was never there", id)
				}
				delete(r.vehicles, id)
			}
			if frame.Complete {
				maps.DeleteFunc(r.vehicles, func(id string, _ string) bool { return !named[id] })
			}
		}
	}
}

func (r *reader) snapshot(raw []byte) {
	var part api.StreamSnapshot
	if err := json.Unmarshal(raw, &part); err != nil {
		r.t.Fatalf("snapshot %.300s: %v", raw, err)
	}
	for _, v := range part.Vehicles {
		r.vehicles[v.ID] = r.moving(v)
	}
}

func (r *reader) moving(v api.Vehicle) string {
	encoded, err := json.Marshal(v.Moving())
	if err != nil {
		r.t.Fatal(err)
	}
	return string(encoded)
}

// watch opens a stream, with a snapshot or by resuming.
func (s *stage) watch(i interest, every uint64, resume bool) *reader {
	r := &reader{t: s.t, done: make(chan struct{}), vehicles: map[string]string{}}
	r.sub = &subscriber{conn: r, interest: i, every: every}
	err := error(nil)
	if resume {
		err = s.hub.resume(r.sub, 0)
	} else {
		err = s.hub.start(r.sub)
	}
	if err != nil {
		s.t.Fatal(err)
	}
	return r
}

// areas are interests of many shapes.
func (s *stage) interest() interest {
	i := interest{topics: everything}
	if s.chance.IntN(2) == 0 {
		i.topics = aboutPositions | aboutVehicles*topics(s.chance.IntN(2))
	}
	if s.chance.IntN(3) == 0 {
		i.kinds = vehicleKinds(1 + s.chance.IntN(15))
	}
	if s.chance.IntN(2) == 0 {
		west, south := float64(s.chance.IntN(8)), float64(s.chance.IntN(8))
		i.bounded, i.area = true, box{west, south, west + 1 + float64(s.chance.IntN(4)), south + 3}
	}
	return i
}

// TestEveryDispatcherKnowsItsVehicles: vehicles come, move, change their kind and
// fall silent; dispatchers with all kinds of subscriptions come, read fast or
// slowly, change what they want and resume. In the end each knows exactly the
// vehicles of its subscription, as they are; no second frame of positions ever
// waits for one; and the frames that wait are counted right.
func TestEveryDispatcherKnowsItsVehicles(t *testing.T) {
	s := newStage(t)
	for n := range 40 {
		s.register(n)
		s.move(n)
	}
	s.show()
	var readers []*reader
	for step := range 3000 {
		switch s.chance.IntN(12) {
		case 0:
			s.register(s.chance.IntN(40 + step/100))
		case 1, 2, 3, 4:
			s.move(s.chance.IntN(len(s.state.Durable.Vehicles)))
		case 5, 6:
			s.show()
		case 7:
			if len(readers) < 60 {
				readers = append(readers, s.watch(s.interest(), uint64(1+s.chance.IntN(6)), s.chance.IntN(3) == 0))
			}
		case 8:
			if len(readers) > 0 {
				r := readers[s.chance.IntN(len(readers))]
				s.change(r)
			}
		default:
			s.hub.pulse()
			for _, r := range readers {
				if n := r.waiting(api.StreamPositionsType); n > 1 {
					t.Fatalf("%d frames of positions wait for one dispatcher", n)
				}
				r.read(s.chance.IntN(3))
			}
		}
		s.countsRight(readers)
	}
	s.show()
	for range 60 {
		for _, r := range readers {
			r.read(len(r.queue))
		}
		s.hub.pulse()
	}
	compared := 0
	for _, r := range readers {
		r.read(len(r.queue))
		want := map[string]string{}
		for id := range s.state.Durable.Vehicles {
			if v, _ := s.state.VehicleView(id); r.sub.wants(vehicleMatter(s.state, id, aboutPositions)) {
				want[string(id)] = r.moving(v)
			}
		}
		compared += len(want)
		if !maps.Equal(want, r.vehicles) {
			t.Errorf("a dispatcher of %+v knows\n%v\nnot\n%v", r.sub.interest, r.vehicles, want)
		}
	}
	if compared < 100 || s.hub.backlog.bytes != 0 {
		t.Errorf("%d vehicles were compared; %d bytes are said to wait", compared, s.hub.backlog.bytes)
	}
}

// change gives an open stream another subscription, as serveStream does.
func (s *stage) change(r *reader) {
	r.read(len(r.queue))
	s.hub.leave(r.sub)
	r.sub.interest, r.sub.every = s.interest(), uint64(1+s.chance.IntN(6))
	r.vehicles = map[string]string{}
	if err := s.hub.start(r.sub); err != nil {
		s.t.Fatal(err)
	}
}

// countsRight compares the backlog with what really waits, each frame once. What
// was read since the last pulse may still be counted.
func (s *stage) countsRight(readers []*reader) {
	s.t.Helper()
	s.hub.mu.Lock()
	defer s.hub.mu.Unlock()
	s.hub.relieve()
	seen, total := map[*byte]bool{}, 0
	for _, r := range readers {
		for _, frame := range r.queue {
			if !seen[&frame[0]] {
				seen[&frame[0]] = true
				total += len(frame)
			}
		}
	}
	if total != s.hub.backlog.bytes || len(seen) != len(s.hub.backlog.holders) {
		s.t.Fatalf("%d bytes in %d frames wait, counted are %d in %d", total, len(seen), s.hub.backlog.bytes, len(s.hub.backlog.holders))
	}
}

// TestStreamsShareFrames: whoever wants the same at the same pace is sent the
// very same frame, however and whenever it came.
func TestStreamsShareFrames(t *testing.T) {
	for name, i := range map[string]interest{
		"everything":   {topics: everything},
		"an area":      {topics: everything, bounded: true, area: box{2, 2, 8, 8}},
		"some vessels": {topics: everything, kinds: kindBit(protocol.Vessel) | kindBit(protocol.VTOL)},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t)
			var readers []*reader
			for n := range 100 {
				s.register(n)
				s.move(n)
				s.show()
				if n%20 == 0 {
					readers = append(readers, s.watch(i, 2, n%40 == 0))
					s.hub.pulse()
				}
			}
			for range 4 {
				for _, r := range readers {
					r.read(len(r.queue))
				}
				s.hub.pulse()
			}
			for n := range 100 {
				s.move(n)
			}
			s.show()
			for _, r := range readers {
				r.read(len(r.queue))
				r.positions = 0
			}
			s.hub.pulse()
			s.hub.pulse()
			for _, r := range readers {
				r.read(len(r.queue))
				if r.positions != 1 || &r.newest[0] != &readers[0].newest[0] {
					t.Errorf("a dispatcher has %d frames of positions, the newest of its own: %v", r.positions, &r.newest[0] != &readers[0].newest[0])
				}
			}
		})
	}
}

// TestSnapshotsAreShared by all who want the same within half a second, and forgotten
// then.
func TestSnapshotsAreShared(t *testing.T) {
	s := newStage(t)
	s.register(1)
	s.show()
	i := interest{topics: everything}
	first, second, other := s.hub.opening(i), s.hub.opening(i), s.hub.opening(interest{topics: aboutTasks})
	if first != second || first == other {
		t.Error("two streams that want the same at once must share a snapshot, others must not")
	}
	frames, err := first.frames(s.hub.server.options.Chart)
	again, _ := second.frames(s.hub.server.options.Chart)
	if err != nil || len(frames) == 0 || &frames[0] != &again[0] {
		t.Errorf("the snapshot has %d frames, and is made once: %v, %v", len(frames), len(again) > 0 && &frames[0] == &again[0], err)
	}
	for _, o := range []*opening{first, second, other} {
		s.hub.opened(o)
	}
	for range snapshotPulses {
		s.hub.pulse()
	}
	soon := s.hub.opening(i)
	if soon != first {
		t.Error("who comes half a second later must share the snapshot")
	}
	s.hub.pulse()
	late := s.hub.opening(i)
	if late == first {
		t.Error("who comes later than that must have another")
	}
	s.hub.opened(soon)
	s.hub.opened(late)
	for range snapshotPulses + 2 {
		s.hub.pulse()
	}
	if n := len(s.hub.snapshots); n != 0 {
		t.Errorf("%d snapshots are kept though nobody needs them", n)
	}
	// Nobody makes others keep much by wanting ever other things.
	for n := range 3 * snapshotsKept {
		s.hub.opened(s.hub.opening(interest{topics: everything, bounded: true, area: box{west: float64(n), east: float64(n + 1), north: 1}}))
	}
	if n := len(s.hub.snapshots); n > snapshotsKept {
		t.Errorf("%d snapshots are kept", n)
	}
}

// TestWhatWaitsForAllIsBounded: dispatchers who read nothing, each with an area of
// its own, fill the room for all streams. It is never exceeded; they are cut off,
// no stream is opened while there is no room, and a dispatcher who reads is sent
// everything throughout.
func TestWhatWaitsForAllIsBounded(t *testing.T) {
	s := newStage(t)
	for n := range 300 {
		s.register(n)
		s.move(n)
	}
	s.show()
	good := s.watch(interest{topics: everything}, 1, false)
	good.read(len(good.queue))
	s.hub.backlog.limit = 1 << 20
	var silent []*reader
	crowded := 0
	for round := range 400 {
		for n := range 300 {
			s.move(n)
		}
		s.show()
		r := &reader{t: t, done: make(chan struct{}), vehicles: map[string]string{}}
		r.sub = &subscriber{conn: r, every: 1, interest: interest{topics: everything, bounded: true, area: box{0, 0, 10, 10 + float64(round)/1000}}}
		err := s.hub.start(r.sub)
		switch {
		case err == nil:
			silent = append(silent, r)
		case errors.Is(err, errCrowded):
			crowded++
		default:
			t.Fatal(err)
		}
		s.hub.pulse()
		if got := s.hub.backlog.bytes; got > s.hub.backlog.limit {
			t.Fatalf("%d bytes wait, the bound is %d", got, s.hub.backlog.limit)
		}
		good.read(len(good.queue))
	}
	cut := 0
	for _, r := range silent {
		if r.closed != "" {
			cut++
		}
	}
	if cut == 0 || crowded == 0 || good.closed != "" || s.cutOff() != cut {
		t.Errorf("%d of %d silent dispatchers were cut off, %d found no room; the good one: %q", cut, len(silent), crowded, good.closed)
	}
	// While all the room is taken, positions are left out, even for who reads. Once
	// the sockets of those who were cut off are gone, there is room again.
	for _, r := range silent {
		s.hub.leave(r.sub)
		close(r.done)
	}
	s.hub.pulse()
	s.hub.pulse()
	good.read(len(good.queue))
	for id := range s.state.Durable.Vehicles {
		if v, _ := s.state.VehicleView(id); good.vehicles[v.ID] != good.moving(v) {
			t.Errorf("the good dispatcher knows %s as %s", id, good.vehicles[v.ID])
		}
	}
	s.hub.pulse()
	if s.hub.backlog.bytes != 0 {
		t.Errorf("%d bytes are said to wait, for nobody", s.hub.backlog.bytes)
	}
}
