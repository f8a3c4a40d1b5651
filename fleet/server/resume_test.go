package server

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kapok-fleet/kapok/fleet"
	"github.com/kapok-fleet/kapok/protocol"
	"github.com/kapok-fleet/kapok/protocol/api"
	"github.com/kapok-fleet/kapok/protocol/ws"
)

// folder is a dispatcher's client: it folds what the stream tells, as
// docs/api.md says, and complains about what must not happen.
type folder struct {
	t     *testing.T
	world *world
	query string
	conn  *ws.Conn
	// gaps says that events may be left out, since the subscription is narrow.
	gaps bool

	index     uint64
	vehicles  map[string]api.Vehicle
	tasks     map[string]api.Task
	alerts    map[string]api.Alert
	commands  map[string]api.Command
	part      bool // of a snapshot, and another part follows
	newest    map[string]time.Time
	snapshots int
	resumed   int
}

// everyFrame is any frame of the stream, whole.
type everyFrame struct {
	Type     string          `json:"type"`
	Index    uint64          `json:"index"`
	More     bool            `json:"more"`
	Tasks    []api.Task      `json:"tasks"`
	Alerts   []api.Alert     `json:"alerts"`
	Commands []api.Command   `json:"commands"`
	Vehicles json.RawMessage `json:"vehicles"`
	Events   []struct {
		Event   api.Event          `json:"event"`
		Task    *api.Task          `json:"task"`
		Vehicle *api.VehicleRecord `json:"vehicle"`
		Alert   *api.Alert         `json:"alert"`
		Command *api.Command       `json:"command"`
	} `json:"events"`
	Complete bool          `json:"complete"`
	Entered  []api.Vehicle `json:"entered"`
	LeftArea []string      `json:"left_area"`
}

// dial opens the stream where the client stands; with small buffers, so that it
// is soon felt when nobody reads.
func (f *folder) dial() {
	f.t.Helper()
	query := "?rate_hz=10" + f.query
	if f.index > 0 {
		query += "&after=" + strconv.FormatUint(f.index, 10)
	}
	ctx, cancel := context.WithTimeout(f.t.Context(), patience)
	defer cancel()
	var err error
	f.conn, err = ws.Dial(ctx, "ws://"+f.world.address+"/v1/stream"+query,
		http.Header{"Authorization": {"Bearer " + f.world.secrets["viewer"]}}, ws.Options{
			ReadLimit: 16 << 20, ReadTimeout: patience, PingInterval: time.Second,
			DialNet: func(ctx context.Context, network, address string) (net.Conn, error) {
				conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
				if tcp, ok := conn.(*net.TCPConn); ok {
					err = errors.Join(err, tcp.SetReadBuffer(64<<10))
				}
				return conn, err
			},
		})
	if refused, ok := errors.AsType[*ws.RefusedError](err); ok && refused.Status == http.StatusGone {
		f.index = 0
		f.dial()
		return
	}
	f.world.must(err)
}

// read takes one frame; false when the stream has ended.
func (f *folder) read() bool {
	f.t.Helper()
	raw, err := f.conn.Receive()
	if err != nil {
		return false
	}
	var frame everyFrame
	if err := json.Unmarshal(raw, &frame); err != nil {
		f.t.Fatalf("frame %.200s: %v", raw, err)
	}
	switch frame.Type {
	case api.StreamSnapshotType:
		f.snapshot(frame)
	case api.StreamResumedType:
		f.resumed++
		if frame.Index != f.index {
			f.t.Fatalf("resumed after %d, asked for %d", frame.Index, f.index)
		}
	case api.StreamEventsType:
		f.events(frame)
	case api.StreamPositionsType:
		f.positions(frame)
	default:
		f.t.Fatalf("unexpected frame %.200s", raw)
	}
	return true
}

func (f *folder) snapshot(frame everyFrame) {
	if !f.part {
		f.snapshots++
		f.vehicles, f.tasks, f.alerts, f.commands = map[string]api.Vehicle{}, map[string]api.Task{}, map[string]api.Alert{}, map[string]api.Command{}
	}
	f.part, f.index = frame.More, frame.Index
	var vehicles []api.Vehicle
	if frame.Vehicles != nil {
		f.world.must(json.Unmarshal(frame.Vehicles, &vehicles))
	}
	for _, v := range vehicles {
		f.seen(v.Moving())
		f.vehicles[v.ID] = v
	}
	for _, t := range frame.Tasks {
		f.tasks[t.ID] = t
	}
	for _, a := range frame.Alerts {
		f.alerts[a.ID] = a
	}
	for _, c := range frame.Commands {
		f.commands[c.ID] = c
	}
}

func (f *folder) events(frame everyFrame) {
	at := f.index
	for _, e := range frame.Events {
		if e.Event.Index <= at || !f.gaps && e.Event.Index != at+1 {
			f.t.Fatalf("event %d follows event %d", e.Event.Index, at)
		}
		at = e.Event.Index
		if v := e.Vehicle; v != nil {
			whole, known := f.vehicles[v.ID]
			if known || !f.gaps {
				whole.Take(*v)
				f.vehicles[v.ID] = whole
			}
		}
		if t := e.Task; t != nil {
			if t.Revision < f.tasks[t.ID].Revision {
				f.t.Errorf("task %s went back from revision %d to %d", t.ID, f.tasks[t.ID].Revision, t.Revision)
			}
			f.tasks[t.ID] = *t
		}
		if e.Alert != nil {
			f.alerts[e.Alert.ID] = *e.Alert
		}
		if e.Command != nil {
			f.commands[e.Command.ID] = *e.Command
		}
	}
	if frame.Index < at || !f.gaps && frame.Index != at {
		f.t.Fatalf("a frame that ends with event %d has the index %d", at, frame.Index)
	}
	f.index = frame.Index
}

func (f *folder) positions(frame everyFrame) {
	var moved []api.VehiclePosition
	f.world.must(json.Unmarshal(frame.Vehicles, &moved))
	named := map[string]bool{}
	for _, v := range frame.Entered {
		f.seen(v.Moving())
		f.vehicles[v.ID] = v
	}
	for _, p := range moved {
		f.seen(p)
		named[p.ID] = true
		whole := f.vehicles[p.ID]
		whole.Move(p)
		f.vehicles[p.ID] = whole
	}
	for _, id := range frame.LeftArea {
		if _, ok := f.vehicles[id]; !ok {
			f.t.Errorf("vehicle %s left and was never there", id)
		}
		delete(f.vehicles, id)
	}
	if frame.Complete {
		maps.DeleteFunc(f.vehicles, func(id string, _ api.Vehicle) bool { return !named[id] })
	}
}

// seen demands that a vehicle's position never goes back in time.
func (f *folder) seen(p api.VehiclePosition) {
	if p.PositionTime.Before(f.newest[p.ID]) {
		f.t.Errorf("vehicle %s was shown as of %v after %v", p.ID, p.PositionTime, f.newest[p.ID])
	}
	f.newest[p.ID] = p.PositionTime
}

// traffic moves vehicles and changes tasks until it is stopped.
type traffic struct {
	world    *world
	chance   *rand.Rand
	vehicles int
	seq      []uint64
	open     []string
}

func (l *traffic) submit(input fleet.Input) {
	if err := l.world.engine.Submit(l.world.t.Context(), input); err != nil {
		l.world.t.Errorf("submitting %T: %v", input, err)
	}
}

func (l *traffic) id(n int) fleet.VehicleID { return fleet.VehicleID(fmt.Sprintf("v%d", n)) }

func (l *traffic) login() {
	for n := range l.vehicles {
		l.submit(fleet.Joined{Vehicle: l.id(n), Session: fleet.SessionID(fmt.Sprintf("s%d", n)), Hello: protocol.Hello{
			Kind: protocol.Rover, Model: "courier", LogID: "log", Time: time.Now().UTC(),
		}})
	}
	l.seq = make([]uint64, l.vehicles)
}

// move sends each vehicle somewhere else.
func (l *traffic) move() {
	nodes := l.world.chart.Ground.Nodes
	for n := range l.vehicles {
		at := nodes[l.chance.IntN(len(nodes))].Point
		l.submit(fleet.Telemetry{Vehicle: l.id(n), Session: fleet.SessionID(fmt.Sprintf("s%d", n)), Samples: []protocol.Sample{{
			Time: time.Now().UTC(), Position: protocol.Position{Lon: at[0], Lat: at[1], AltitudeM: l.world.chart.GroundAltitudeM},
			BatteryRatio: 0.5 + 0.4*l.chance.Float64(), Mode: protocol.ModeIdle,
		}}})
	}
}

// change orders, cancels, raises and clears.
func (l *traffic) change() {
	ask := func(a fleet.Ask) string {
		answer, err := l.world.engine.Ask(l.world.t.Context(), "tester", "", "", a)
		if err != nil {
			l.world.t.Errorf("asking %T: %v", a, err)
		}
		var got struct {
			ID string `json:"id"`
		}
		_ = json.Unmarshal(answer.Body, &got) // A refusal has no id.
		return got.ID
	}
	vehicle := l.chance.IntN(l.vehicles)
	what := l.chance.IntN(5)
	if len(l.open) > 10 {
		what = 4
	}
	switch what {
	case 0:
		// Nobody can do it, and it is large: the queues fill.
		stops := make([]api.OrderStop, 150)
		for i := range stops {
			stops[i] = api.OrderStop{Site: l.world.site(i % len(l.world.chart.Sites)), WorkS: 1}
		}
		l.open = append(l.open, ask(fleet.OrderTask{Order: api.Order{Kind: "patrol", Stops: stops, Capabilities: []string{"wings"}}}))
	case 1:
		l.open = append(l.open, ask(fleet.OrderTask{Order: api.Order{Kind: "visit", Stops: []api.OrderStop{{Site: l.world.site(0), WorkS: 5}}}}))
	case 2:
		l.seq[vehicle]++
		l.submit(fleet.Report{
			Vehicle: l.id(vehicle), Session: fleet.SessionID(fmt.Sprintf("s%d", vehicle)), LogID: "log",
			Message: protocol.Fault{Seq: l.seq[vehicle], Code: "wheel", Text: "it squeaks", Cleared: l.chance.IntN(2) == 0, Time: time.Now().UTC()},
		})
	case 3:
		ask(fleet.OrderCommand{Vehicle: l.id(vehicle), Order: api.CommandOrder{Kind: []string{"hold", "resume"}[l.chance.IntN(2)]}})
	case 4:
		if n := len(l.open); n > 0 {
			at := l.chance.IntN(n)
			ask(fleet.CancelTask{Task: fleet.TaskID(l.open[at]), Reason: "enough"})
			l.open = slices.Delete(l.open, at, at+1)
		}
	}
}

// flow runs until ctx ends.
func (l *traffic) flow(ctx context.Context) {
	for ctx.Err() == nil {
		l.move()
		for range 4 {
			l.change()
		}
	}
}

// TestAClientThatStopsReading is cut off, reconnects and resumes, many times
// over, while vehicles move and tasks change. In the end it knows what the
// server knows, and it never saw a vehicle go back in time.
func TestAClientThatStopsReading(t *testing.T) {
	// The harbour's sites lie on both sides of its middle.
	for name, query := range map[string]string{
		"everything": "", "half of the map": "&area=-180,-90,%s,90", "rovers, by kinds": "&kinds=vehicles,tasks,alerts,commands,positions&vehicle_kinds=rover",
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, nil)
			h := w.server.hub
			h.mu.Lock()
			h.socket.QueueFrames, h.socket.WriteTimeout = 96, 2*time.Second
			h.mu.Unlock()
			seed := uint64(time.Now().UnixNano())
			t.Logf("seed %d", seed)
			load := &traffic{world: w, chance: rand.New(rand.NewPCG(seed, 1)), vehicles: 12}
			load.login()
			load.move()
			middle := w.chart.Extent.Center()[0]
			f := &folder{t: t, world: w, newest: map[string]time.Time{}, query: strings.ReplaceAll(query, "%s", number(middle)), gaps: query != ""}

			ctx, stop := context.WithCancel(t.Context())
			defer stop()
			var flowing sync.WaitGroup
			flowing.Go(func() { load.flow(ctx) })
			const rounds = 2
			for round := range rounds {
				f.dial()
				for range 20 + 10*round {
					if !f.read() {
						break
					}
				}
				w.untilCutOff()
				// In every other round the client still reads what was on its way.
				for round%2 == 0 && f.read() {
				}
				f.conn.Close(ws.CloseNormal, "")
			}
			stop()
			flowing.Wait()
			f.dial()
			f.settle(middle, strings.Contains(query, "area"))
			if f.resumed < rounds/2 {
				t.Errorf("of %d rounds only %d resumed: the test tests little", rounds, f.resumed)
			}
			t.Logf("%d events, %d times resumed, %d snapshots", f.index, f.resumed, f.snapshots)
		})
	}
}

// untilCutOff waits until the only subscriber is cut off.
func (w *world) untilCutOff() {
	w.t.Helper()
	deadline := time.Now().Add(patience)
	for w.server.hub.count() > 0 {
		if time.Now().After(deadline) {
			w.t.Fatal("a subscriber that does not read was not cut off")
		}
	}
}

// settle reads until the client knows what the server knows. It is slow, and may
// be cut off again meanwhile.
func (f *folder) settle(middle float64, bounded bool) {
	f.t.Helper()
	deadline := time.Now().Add(patience)
	for {
		if !f.read() {
			f.dial()
			continue
		}
		if f.part || f.index != f.world.engine.View().Index && time.Now().Before(deadline) {
			continue
		}
		differ := f.compare(middle, bounded)
		if len(differ) == 0 {
			break
		}
		if time.Now().After(deadline) {
			f.t.Fatalf("the client and the server differ:\n%s", strings.Join(differ[:min(5, len(differ))], "\n"))
		}
	}
	if len(f.vehicles) == 0 || len(f.tasks) == 0 {
		f.t.Errorf("%d vehicles and %d tasks: the comparison compares little", len(f.vehicles), len(f.tasks))
	}
}

// compare holds the fold against the server's own view.
func (f *folder) compare(middle float64, bounded bool) []string {
	view := f.world.engine.View()
	state, d := view.State, &view.State.Durable
	var differ []string
	if f.index != view.Index {
		differ = append(differ, fmt.Sprintf("the client is at event %d, the server at %d", f.index, view.Index))
	}
	vehicles, tasks, alerts, commands := map[string]api.Vehicle{}, map[string]api.Task{}, map[string]api.Alert{}, map[string]api.Command{}
	for id := range d.Vehicles {
		if v, _ := state.VehicleView(id); !bounded || v.Position == nil || v.Position.Lon <= middle {
			vehicles[v.ID] = v
		}
	}
	for id, task := range d.Tasks {
		west := slices.MinFunc(task.Stops, func(a, b fleet.Stop) int { return cmp.Compare(a.At.Lon, b.At.Lon) })
		if v, _ := state.TaskView(id); !task.State.Final() && (!bounded || west.At.Lon <= middle) {
			tasks[v.ID] = v
		}
	}
	for id, a := range d.Alerts {
		if v, _ := state.AlertView(id); a.Open() {
			alerts[v.ID] = v
		}
	}
	for id, c := range d.Commands {
		if v, _ := state.CommandView(id); !c.State.Final() {
			commands[v.ID] = v
		}
	}
	maps.DeleteFunc(f.tasks, func(_ string, t api.Task) bool { return fleet.TaskState(t.State).Final() })
	maps.DeleteFunc(f.alerts, func(_ string, a api.Alert) bool { return !a.ClearedAt.IsZero() })
	maps.DeleteFunc(f.commands, func(_ string, c api.Command) bool { return fleet.CommandState(c.State).Final() })
	differ = append(differ, same(f.vehicles, vehicles)...)
	differ = append(differ, same(f.tasks, tasks)...)
	differ = append(differ, same(f.alerts, alerts)...)
	return append(differ, same(f.commands, commands)...)
}

// same lists what differs, as JSON has it.
func same[T any](got, want map[string]T) []string {
	var differ []string
	for id := range want {
		have, _ := json.Marshal(got[id])
		wanted, _ := json.Marshal(want[id])
		if _, ok := got[id]; !ok || string(have) != string(wanted) {
			differ = append(differ, fmt.Sprintf("the client has %.1000s\nthe server has %.1000s", have, wanted))
		}
	}
	for id := range got {
		if _, ok := want[id]; !ok {
			differ = append(differ, "the client has "+id+", the server has not")
		}
	}
	return differ
}
