package fleet_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kapok-fleet/kapok/fleet"
	"github.com/kapok-fleet/kapok/planner/chart"
	"github.com/kapok-fleet/kapok/planner/chart/harbour"
	"github.com/kapok-fleet/kapok/planner/raced"
	"github.com/kapok-fleet/kapok/protocol"
	"github.com/kapok-fleet/kapok/protocol/api"
)

var lifeSeed = flag.Uint64("life-seed", 0, "run TestLife with this seed alone")

// TestLife lets model vehicles, people and mishaps at a fleet for a while, then
// lets all mishaps stop and checks that everything comes to a good end.
func TestLife(t *testing.T) {
	first, last := uint64(1), uint64(40)
	if raced.On {
		last = 20
	}
	if os.Getenv("KAPOK_SOAK") != "" {
		last = 1000
	}
	if *lifeSeed != 0 {
		first, last = *lifeSeed, *lifeSeed
	}
	for seed := first; seed <= last; seed++ {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			l := newLife(t, seed)
			l.storm(600)
			l.calm(6 * 3600)
			l.idle(240)
		})
	}
}

// life is one run of the test.
type life struct {
	t      *testing.T
	seed   uint64
	chance *rand.Rand
	now    time.Time
	config fleet.Config
	fleet  *fleet.Fleet
	shadow *fleet.State
	folded *fleet.State
	// before is the durable state before the last step, pending the effects of it.
	before   *fleet.State
	pending  []fleet.Effect
	digests  [3]*fleet.Digest
	crafts   []*craft
	world    truth
	told     map[string]map[string]bool
	inputs   []fleet.Input
	thinking []fleet.Question
	sessions int
	wipes    int
	request  fleet.RequestID
	places   []string
	story    []string
	inStorm  bool
	chart    *chart.Chart
}

func newLife(t *testing.T, seed uint64) *life {
	l := &life{
		t: t, seed: seed, chance: rand.New(rand.NewPCG(seed, 7)), config: fleet.DefaultConfig(),
		now:   time.Date(2027, 3, 1, 8, 0, 0, 0, time.UTC),
		world: truth{done: map[stopKey]int{}, lost: map[string]bool{}}, told: map[string]map[string]bool{},
	}
	l.config.TrustSamples = true
	if seed%4 == 0 {
		l.config.ExpansionsPerStep = 3000
	}
	if seed%5 == 0 {
		l.config.MaxQueuedTasks, l.config.MaxAttempts = 1, 2
	}
	c, err := harbour.Chart()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range c.Sites {
		if s.Kind == "locker" {
			l.places = append(l.places, s.ID)
		}
	}
	docks := []string{"node/6001", "node/6002", "node/6003", "node/6004", "node/6014", "node/6015", "node/6016", "node/6017"}
	for i, kind := range []protocol.Kind{protocol.Rover, protocol.Multirotor, protocol.Rover, protocol.Multirotor, protocol.Multirotor}[:2+l.chance.IntN(4)] {
		dock := docks[i]
		if kind == protocol.Multirotor {
			dock = docks[4+i%4]
		}
		spec, _ := fleet.PresetSpec(kind, model(string(kind)))
		v := &craft{
			id: fmt.Sprintf("v%d", i+1), kind: kind, spec: spec, world: &l.world, trouble: 0.05, battery: 0.5 + l.chance.Float64()/2,
			chance: rand.New(rand.NewPCG(seed, uint64(100+i))), loads: map[string]float64{}, legs: []int{0, 4, 6}[l.chance.IntN(3)],
		}
		for _, s := range c.Sites {
			if s.ID == dock {
				v.at = s.Position
			}
		}
		v.skills = skills(kind, i)
		v.wipe("log-" + v.id)
		l.crafts = append(l.crafts, v)
	}
	l.shadow = fleet.NewState()
	l.open(fleet.NewState())
	l.step(fleet.Recovered{UnixEpoch: 1000})
	for i, v := range l.crafts {
		dock := docks[i]
		if v.kind == protocol.Multirotor {
			dock = docks[4+i%4]
		}
		l.ask(fleet.RegisterVehicle{Vehicle: fleet.VehicleID(v.id), Registration: api.VehicleRegistration{Kind: string(v.kind), Model: model(string(v.kind)), HomeSite: dock}})
	}
	l.second()
	l.second() // What the first did is committed now.
	return l
}

func (l *life) fail(format string, args ...any) {
	l.t.Helper()
	tail := l.story[max(0, len(l.story)-400):]
	if *lifeSeed != 0 {
		l.t.Log("\n" + strings.Join(tail, "\n"))
	}
	l.t.Fatalf("seed %d at %s: %s\nrepeat with: go test ./fleet -run TestLife -life-seed %d",
		l.seed, l.now.Format("15:04:05"), fmt.Sprintf(format, args...), l.seed)
}

func (l *life) open(state *fleet.State) {
	c, err := harbour.Chart()
	if err != nil {
		l.t.Fatal(err)
	}
	l.chart = c
	if l.fleet, err = fleet.New(l.config, c, state); err != nil {
		l.t.Fatal(err)
	}
	all := l.fleet.State().View()
	l.digests = [3]*fleet.Digest{state.Track(), l.shadow.Track(), all.Track()}
	l.told = map[string]map[string]bool{}
	l.thinking = nil
	l.folded = all
}

// step decides inputs and checks the folds. What came of the step before is
// committed by now: its effects are delivered.
func (l *life) step(inputs ...fleet.Input) fleet.Output {
	l.t.Helper()
	l.before = l.shadow.View()
	out := l.fleet.Step(l.now, inputs)
	l.checkActions(l.before, out.Events)
	for _, r := range out.Events {
		if r.Event.Lasting() {
			frame, err := fleet.EncodeEvent(r)
			if err != nil {
				l.fail("%v", err)
			}
			if *lifeSeed != 0 && len(frame) > 0 {
				l.story = append(l.story, l.now.Format("15:04:05 ")+short(frame))
			}
			decoded, err := fleet.DecodeEvent(frame)
			if err != nil {
				l.fail("%v", err)
			}
			fleet.Evolve(l.shadow, decoded)
		}
		fleet.Evolve(l.folded, r)
	}
	l.checkFolds()
	l.checkZones(out.Events)
	for _, e := range l.pending {
		l.deliver(e)
	}
	l.pending = out.Effects
	if len(l.world.broken) > 0 {
		l.fail("%s", l.world.broken[0])
	}
	return out
}

// checkFolds holds both folds against the state.
func (l *life) checkFolds() {
	l.t.Helper()
	live, all := l.digests[0].Sum()
	if shadow, _ := l.digests[1].Sum(); shadow != live {
		l.fail("the fold of the durable events differs in %s", fleet.Differs(l.fleet.State(), l.shadow, true))
	}
	if _, folded := l.digests[2].Sum(); folded != all {
		l.fail("the fold of all events differs in %s", fleet.Differs(l.fleet.State(), l.folded, false))
	}
}

func short(frame []byte) string {
	s := string(frame)
	for {
		i := strings.Index(s, `"path":[{`)
		if i < 0 {
			break
		}
		j := strings.Index(s[i:], "]")
		s = s[:i] + s[i+j+1:]
	}
	if i := strings.Index(s, `"type"`); i > 0 {
		s = s[:strings.Index(s, `,"time"`)] + " " + s[i:]
	}
	return s
}

func (l *life) craft(id fleet.VehicleID) *craft {
	for _, v := range l.crafts {
		if v.id == string(id) {
			return v
		}
	}
	return nil
}

// deliver is a session without bytes: what is owed is sent once.
func (l *life) deliver(e fleet.Effect) {
	l.t.Helper()
	switch e := e.(type) {
	case fleet.Welcome:
		m := e.Message
		m.Time = l.now
		l.send(e.Vehicle, e.Session, m)
	case fleet.CloseLink:
		if v := l.craft(e.Vehicle); v.session == string(e.Session) {
			l.cut(v, l.now.Add(2*time.Second))
		}
	case fleet.Owe:
		l.owe(e)
	case fleet.Think:
		l.thinking = append(l.thinking, e.Question)
	case fleet.Reply:
	}
}

func (l *life) owe(e fleet.Owe) {
	told := l.told[string(e.Session)]
	if told == nil {
		told = map[string]bool{}
		l.told[string(e.Session)] = told
	}
	once := func(key string, m protocol.ToVehicle) bool {
		if told[key] {
			return false
		}
		told[key] = true
		l.send(e.Vehicle, e.Session, m)
		return true
	}
	if e.Owed.LogID != "" {
		l.send(e.Vehicle, e.Session, protocol.Received{LogID: e.Owed.LogID, Seq: e.Owed.Seq, Time: l.now})
	}
	for _, m := range e.Owed.Ended {
		m.Time = l.now
		once("ended "+m.ID, m)
	}
	if e.Owed.Mission != nil {
		m := *e.Owed.Mission
		m.Time = l.now
		key := fmt.Sprintf("%s/%d ", m.ID, m.Revision)
		if once(key+string(m.State), m) {
			delete(told, key+string(map[protocol.MissionState]protocol.MissionState{
				protocol.MissionActive: protocol.MissionSuspended, protocol.MissionSuspended: protocol.MissionActive,
			}[m.State]))
		}
	}
	for _, c := range e.Owed.Commands {
		c.Time = l.now
		if once("command "+c.ID, c) {
			l.inputs = append(l.inputs, fleet.Delivered{Vehicle: e.Vehicle, Command: fleet.CommandID(c.ID)})
		}
	}
}

func (l *life) send(id fleet.VehicleID, session fleet.SessionID, m protocol.ToVehicle) {
	l.t.Helper()
	for _, e := range [...]protocol.Encoding{protocol.JSON, protocol.CBOR} {
		if _, err := e.EncodeTo(nil, m); err != nil {
			l.fail("what %s is owed cannot be written: %v", id, err)
		}
	}
	if v := l.craft(id); v != nil && v.session == string(session) {
		v.inbox = append(v.inbox, m)
	}
}

// cut breaks a link; the vehicle connects again later.
func (l *life) cut(v *craft, until time.Time) {
	v.session, v.welcomed, v.inbox, v.offUntil = "", false, nil, until
}

func (l *life) ask(ask fleet.Ask) {
	l.request++
	l.inputs = append(l.inputs, fleet.Asked{Request: l.request, Actor: "alice", Ask: ask})
}

// second lets a second pass for everyone.
func (l *life) second() fleet.Output {
	l.t.Helper()
	l.now = l.now.Add(time.Second)
	for _, v := range l.crafts {
		if v.session == "" && !l.now.Before(v.offUntil) {
			l.sessions++
			v.session = fmt.Sprintf("s%d", l.sessions)
			v.sentSeq = ^uint64(0)
			l.inputs = append(l.inputs, fleet.Joined{Vehicle: fleet.VehicleID(v.id), Session: fleet.SessionID(v.session), Hello: v.hello(l.now)})
		} else if v.session != "" && v.welcomed {
			v.inbox = append(v.inbox, protocol.Alive{Time: l.now})
		}
		v.live(l.now)
		if v.session != "" && v.welcomed {
			l.inputs = append(l.inputs, v.says(l.now)...)
		}
	}
	for _, q := range l.thinking {
		l.inputs = append(l.inputs, fleet.PlanReady{Question: q, Answer: fleet.AnswerQuestion(l.fleet.Planner().Clone(), q, l.now, l.config)})
	}
	l.thinking = nil
	inputs := append(l.inputs, fleet.Tick{})
	l.inputs = nil
	return l.step(inputs...)
}

// storm lets everything go wrong for so many seconds.
func (l *life) storm(seconds int) {
	l.inStorm = true
	for range seconds {
		if l.chance.IntN(25) == 0 {
			l.order()
		}
		if l.chance.IntN(2+int(l.seed%7)) == 0 {
			l.mishap(l.crafts[l.chance.IntN(len(l.crafts))])
		}
		l.incidents()
		l.zoning()
		l.weather()
		l.people()
		if l.chance.IntN(60) == 0 {
			l.quoting()
		}
		l.second()
	}
	l.inStorm = false
}

// order orders something.
func (l *life) order() { l.ask(fleet.OrderTask{Order: l.someOrder()}) }

func (l *life) someOrder() api.Order {
	o := api.Order{Kind: []string{"visit", "delivery", "patrol"}[l.chance.IntN(3)], Priority: []string{"routine", "routine", "urgent", "emergency"}[l.chance.IntN(4)]}
	stops := 1
	switch o.Kind {
	case "delivery":
		stops, o.LoadKg = 2+l.chance.IntN(2), 0.5
	case "patrol":
		stops, o.Laps = 2+l.chance.IntN(3), 1+l.chance.IntN(2)
	}
	for range stops {
		s := api.OrderStop{Site: l.places[l.chance.IntN(len(l.places))], WorkS: float64(l.chance.IntN(25))}
		if l.chance.IntN(6) == 0 {
			s.NotBefore = l.now.Add(time.Duration(l.chance.IntN(300)) * time.Second)
		}
		o.Stops = append(o.Stops, s)
	}
	if l.chance.IntN(30) == 0 {
		o.Capabilities = []string{"gold"}
	}
	return o
}

// mishap lets one thing happen to a vehicle, or to Kapok.
func (l *life) mishap(v *craft) {
	id := fleet.VehicleID(v.id)
	off := l.now.Add(time.Duration(3+l.chance.IntN(40)) * time.Second)
	switch n := l.chance.IntN(40); {
	case n < 9:
		if l.chance.IntN(3) == 0 {
			off = l.now.Add(time.Duration(60+l.chance.IntN(240)) * time.Second)
		}
		if l.chance.IntN(2) == 0 && v.session != "" {
			l.inputs = append(l.inputs, fleet.Left{Vehicle: id, Session: fleet.SessionID(v.session), Why: "broken"})
		}
		l.cut(v, off)
	case n < 11:
		l.cut(v, off)
		if l.chance.IntN(2) == 0 {
			l.wipes++
			v.wipe(fmt.Sprintf("log-%s-%d", v.id, l.wipes))
		}
	case n < 12:
		l.crash()
	case n < 18:
		tasks := l.openTasks()
		if len(tasks) > 0 {
			l.ask(fleet.CancelTask{Task: tasks[l.chance.IntN(len(tasks))]})
		}
	case n < 23:
		kinds := []string{"hold", "resume", "return", "stop", "resume"}
		l.ask(fleet.OrderCommand{Vehicle: id, Order: api.CommandOrder{Kind: kinds[l.chance.IntN(len(kinds))]}})
	case n < 25:
		l.ask(fleet.ChangeService{Vehicle: id, Change: api.ServiceChange{InService: l.chance.IntN(2) == 0}})
	case n < 27 && v.fault == "":
		v.fault = "drive"
		lost := len(v.loads) > 0 && l.chance.IntN(2) == 0
		if lost {
			for task := range v.loads {
				l.world.lost[task] = true
			}
			clear(v.loads)
		}
		v.report(protocol.Fault{Code: "drive", Text: "a fault", LoadLost: lost, Time: l.now})
	case n < 31 && v.fault != "":
		v.fault = ""
		v.report(protocol.Fault{Code: "drive", Text: "mended", Cleared: true, Time: l.now})
	case n == 31:
		v.battery = 0.3
	case n == 32:
		l.nonsense(v)
	}
}

// nonsense lets a vehicle report what makes no sense.
func (l *life) nonsense(v *craft) {
	leg := []string{"L1", "L2", "L3", "L99"}[l.chance.IntN(4)]
	mission := []string{"M1", "M2", "M77"}[l.chance.IntN(3)]
	switch l.chance.IntN(4) {
	case 0:
		v.report(protocol.Progress{Mission: "M77", Leg: leg, State: protocol.Done, Time: l.now})
	case 1:
		v.report(protocol.Progress{Mission: mission, Leg: "L99", State: protocol.Abandoned, Time: l.now.Add(-time.Hour)})
	case 2:
		v.report(protocol.Ack{Mission: &protocol.MissionRef{ID: mission, Revision: 1 << 30}, Verdict: protocol.Refused, Reason: "busy"})
	case 3:
		v.report(protocol.Progress{Command: "C1", State: protocol.Failed, Time: l.now, Reason: "no"})
	}
}

// crash restarts Kapok on what it has journaled, with or without the last step;
// all links break.
func (l *life) crash() {
	kept := l.shadow
	if l.chance.IntN(2) == 0 {
		kept = l.before
	}
	data, err := fleet.EncodeDurable(&kept.Durable)
	if err != nil {
		l.fail("%v", err)
	}
	state := fleet.NewState()
	l.shadow = fleet.NewState()
	for _, s := range [...]*fleet.State{state, l.shadow} {
		if s.Durable, err = fleet.DecodeDurable(data); err != nil {
			l.fail("%v", err)
		}
	}
	l.pending = nil
	for _, v := range l.crafts {
		l.cut(v, l.now.Add(time.Duration(1+l.chance.IntN(20))*time.Second))
	}
	l.inputs = nil
	l.open(state)
	l.story = append(l.story, "CRASH")
	l.step(fleet.Recovered{UnixEpoch: 1000})
}

// openTasks lists the tasks that are not final, in order.
func (l *life) openTasks() []fleet.TaskID {
	var ids []fleet.TaskID
	for id, t := range l.fleet.State().Durable.Tasks {
		if !t.State.Final() {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}
