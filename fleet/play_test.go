package fleet_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/kapok-fleet/kapok/fleet"
	"github.com/kapok-fleet/kapok/planner/chart/harbour"
	"github.com/kapok-fleet/kapok/protocol"
	"github.com/kapok-fleet/kapok/protocol/api"
)

var update = flag.Bool("update", false, "write the expected output of the plays anew")

// TestPlays runs each play in testdata/plays: lines that start with ">" are
// stage directions, the lines below each are the events and effects that they
// must bring about. Run with -update to write them anew, then read the diff.
func TestPlays(t *testing.T) {
	files, err := filepath.Glob("testdata/plays/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no plays found: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			script, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got := newStage(t).play(string(script))
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if got != string(script) {
				t.Errorf("the play went otherwise; got:\n%s\n\nrepeat with: go test ./fleet -run 'TestPlays/%s'",
					diff(string(script), got), filepath.Base(file))
			}
		})
	}
}

// stage is a fleet with the means to direct it, and the two folds that it is
// checked against at every step.
type stage struct {
	t         *testing.T
	fleet     *fleet.Fleet
	now       time.Time
	durable   *fleet.State
	all       *fleet.State
	seqs      map[string]uint64
	logs      map[string]string
	request   fleet.RequestID
	questions []fleet.Question
	config    fleet.Config
	out       strings.Builder
	// journal, when not nil, takes the durable events.
	journal *bytes.Buffer
	verbose bool
}

func newStage(t *testing.T) *stage {
	s := &stage{
		t: t, now: time.Date(2027, 3, 1, 8, 0, 0, 0, time.UTC),
		seqs: map[string]uint64{}, logs: map[string]string{}, config: fleet.DefaultConfig(),
		durable: fleet.NewState(), all: fleet.NewState(),
	}
	// Most stories move their vehicles from place to place at once.
	s.config.TrustSamples = true
	s.open(fleet.NewState())
	s.step(fleet.Recovered{UnixEpoch: 1000})
	s.out.Reset()
	return s
}

func (s *stage) open(state *fleet.State) {
	s.t.Helper()
	c, err := harbour.Chart()
	if err != nil {
		s.t.Fatal(err)
	}
	if s.fleet, err = fleet.New(s.config, c, state); err != nil {
		s.t.Fatal(err)
	}
}

// play runs a script and returns it with the output that it brought about.
func (s *stage) play(script string) string {
	var written strings.Builder
	lines := bufio.NewScanner(strings.NewReader(script))
	for lines.Scan() {
		line := lines.Text()
		switch {
		case strings.HasPrefix(line, ">"):
			s.out.Reset()
			s.direct(strings.Fields(strings.TrimPrefix(line, ">")))
			written.WriteString(line + "\n" + s.out.String())
		case strings.HasPrefix(line, "#"), line == "":
			written.WriteString(line + "\n")
		}
	}
	return written.String()
}

// step decides inputs, prints what came of it, and checks the folds.
func (s *stage) step(inputs ...fleet.Input) fleet.Output {
	s.t.Helper()
	out := s.fleet.Step(s.now, inputs)
	for _, r := range out.Events {
		s.fold(r)
		s.show(r)
	}
	for _, e := range out.Effects {
		s.showEffect(e)
	}
	live := s.fleet.State()
	if what := fleet.Differs(live, s.durable, true); what != "" {
		s.t.Fatalf("the fold of the durable events differs from the durable state in %s", what)
	}
	if what := fleet.Differs(live, s.all, false); what != "" {
		s.t.Fatalf("the fold of all events differs from the state in %s", what)
	}
	return out
}

// fold evolves both shadows; durable events pass through their encoding.
func (s *stage) fold(r fleet.Recorded) {
	s.t.Helper()
	if r.Event.Lasting() {
		frame, err := fleet.EncodeEvent(r)
		if err != nil {
			s.t.Fatal(err)
		}
		decoded, err := fleet.DecodeEvent(frame)
		if err != nil {
			s.t.Fatal(err)
		}
		fleet.Evolve(s.durable, decoded)
		if s.journal != nil {
			s.journal.Write(append(frame, '\n'))
		}
	}
	fleet.Evolve(s.all, r)
}

// direct carries out one stage direction.
func (s *stage) direct(words []string) {
	s.t.Helper()
	if len(words) == 0 {
		return
	}
	who := ""
	if len(words) > 1 {
		who = words[1]
	}
	switch words[0] {
	case "wait": // wait 10s: time passes with a tick each second
		d, err := time.ParseDuration(who)
		s.must(err)
		for end := s.now.Add(d); s.now.Before(end); {
			s.now = s.now.Add(time.Second)
			s.step(fleet.Tick{})
		}
	case "join": // join v1 rover [log=L] [mission=M1/1] [epoch=N] [legs=N] [skill=x]
		s.join(who, words[2:])
	case "sample": // sample v1 113.93,22.51[,alt] battery=0.9
		s.sample(who, words[2:])
	case "leave":
		s.step(fleet.Left{Vehicle: fleet.VehicleID(who), Session: session(who), Why: "closed"})
	case "accept", "refuse": // accept v1 M1/1 [reason]
		s.ack(who, words[0], words[2:])
	case "started", "begun", "done", "failed", "abandoned": // begun v1 M1 L1
		s.progress(who, words[0], words[2:])
	case "fault":
		s.seqs[who]++
		s.report(who, protocol.Fault{Seq: s.seqs[who], Code: words[2], Text: "a fault", Cleared: slices.Contains(words, "cleared"), LoadLost: slices.Contains(words, "load_lost"), Time: s.now})
	case "repeat": // the last report comes again
		s.report(who, protocol.Ack{Seq: s.seqs[who], Command: "again", Verdict: protocol.Accepted})
	case "order": // order visit at=site:x … [priority] [key=k]
		s.ask(words, fleet.OrderTask{Order: s.orderOf(words[1:])})
	case "cancel":
		s.ask(words, fleet.CancelTask{Task: fleet.TaskID(who)})
	case "resolve": // resolve T1 1 done
		n, err := strconv.Atoi(words[2])
		s.must(err)
		s.ask(words, fleet.ResolveStop{Task: fleet.TaskID(who), Decision: api.Resolution{Stop: n, Outcome: words[3], Reason: "looked at it"}})
	case "command": // command v1 hold
		s.ask(words, fleet.OrderCommand{Vehicle: fleet.VehicleID(who), Order: api.CommandOrder{Kind: words[2]}})
	case "service": // service v1 out|in [keep]
		s.ask(words, fleet.ChangeService{Vehicle: fleet.VehicleID(who), Change: api.ServiceChange{InService: words[2] == "in", KeepTasks: slices.Contains(words, "keep")}})
	case "home": // home v1 SITE kind model
		s.ask(words, fleet.RegisterVehicle{Vehicle: fleet.VehicleID(who), Registration: api.VehicleRegistration{Kind: words[3], Model: words[4], HomeSite: words[2]}})
	case "think":
		s.think()
	case "crash":
		s.crash()
	case "doubting": // from now on leaps are doubted, as they are by default
		s.config.TrustSamples = false
		s.crash()
	case "verbose":
		s.verbose = true
	default:
		if !s.directIncident(words) && !s.directZone(words) && !s.directPeople(words) && !s.directConditions(words) {
			s.t.Fatalf("no stage direction %q", words[0])
		}
	}
}

func (s *stage) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

// show prints an event in a line.
func (s *stage) show(r fleet.Recorded) {
	if _, moved := r.Event.(fleet.Moved); moved && !s.verbose {
		return
	}
	data, err := json.Marshal(r.Event)
	s.must(err)
	var fields map[string]any
	s.must(json.Unmarshal(data, &fields))
	fmt.Fprintf(&s.out, "  %s%s\n", r.Event.EventName(), shorten(r, fields))
}

func (s *stage) showEffect(e fleet.Effect) {
	switch e := e.(type) {
	case fleet.Welcome:
		fmt.Fprintf(&s.out, "  -> %s: welcome log=%s seq=%d\n", e.Vehicle, e.Message.LogID, e.Message.Seq)
	case fleet.Owe:
		fmt.Fprintf(&s.out, "  -> %s: %s\n", e.Vehicle, owedText(e.Owed))
	case fleet.CloseLink:
		fmt.Fprintf(&s.out, "  -> %s: close %s\n", e.Vehicle, e.Code)
	case fleet.Reply:
		if e.Answer.Problem != nil {
			fmt.Fprintf(&s.out, "  -> reply %d %s: %s\n", e.Answer.Status, e.Answer.Problem.Code, e.Answer.Problem.Detail)
		} else {
			fmt.Fprintf(&s.out, "  -> reply %d%s\n", e.Answer.Status, map[bool]string{true: " (repeated)"}[e.Answer.Repeated])
			s.showAnswer(e.Answer.Body)
		}
	case fleet.Think:
		s.questions = append(s.questions, e.Question)
		fmt.Fprintf(&s.out, "  -> think about %s\n", e.Question.Task)
	}
}

func owedText(o fleet.Owed) string {
	var parts []string
	if m := o.Mission; m != nil {
		var legs []string
		for _, l := range m.Legs {
			legs = append(legs, fmt.Sprintf("%s:%s%s(%s)", l.ID, l.Action, l.Task, l.State))
		}
		parts = append(parts, fmt.Sprintf("%s/%d %s [%s]", m.ID, m.Revision, m.State, strings.Join(legs, " ")))
	}
	for _, m := range o.Ended {
		parts = append(parts, m.ID+" ended")
	}
	for _, c := range o.Commands {
		parts = append(parts, c.ID+" "+string(c.Kind))
	}
	return strings.Join(append(parts, fmt.Sprintf("received %d", o.Seq)), ", ")
}

// shorten writes the fields that tell the story.
func shorten(r fleet.Recorded, fields map[string]any) string {
	var b strings.Builder
	if r.Cause != 0 {
		fmt.Fprintf(&b, " <-%d", r.Cause)
	}
	if r.Index != 0 {
		b.Reset()
		fmt.Fprintf(&b, " #%d", r.Index)
		if r.Cause != 0 {
			fmt.Fprintf(&b, "<-#%d", r.Cause)
		}
	}
	for _, name := range []string{"task", "stop", "mission", "revision", "leg", "command", "alert", "vehicle", "site", "kind", "state", "verdict", "outcome", "ignored", "log_id", "seq", "out_of_service", "using", "waiting", "by", "suspended", "load_on"} {
		v, ok := fields[name]
		if !ok {
			continue
		}
		if m, is := v.(map[string]any); is {
			v = fmt.Sprint(m["id"], " ", m["kind"])
		}
		fmt.Fprintf(&b, " %s=%v", name, v)
	}
	if reason, ok := fields["reason"].(map[string]any); ok {
		fmt.Fprintf(&b, " (%v: %v)", reason["code"], reason["text"])
	}
	if doubt, ok := fields["doubt"].(bool); ok && doubt {
		b.WriteString(" in doubt")
	}
	return b.String()
}

// diff shows the lines that are not in both.
func diff(want, got string) string {
	w, g := strings.Split(want, "\n"), strings.Split(got, "\n")
	var b strings.Builder
	for i := range max(len(w), len(g)) {
		var x, y string
		if i < len(w) {
			x = w[i]
		}
		if i < len(g) {
			y = g[i]
		}
		if x != y {
			fmt.Fprintf(&b, "line %d\n- %s\n+ %s\n", i+1, x, y)
		}
	}
	return b.String()
}
