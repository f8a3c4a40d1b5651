package hostile

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kapok-fleet/kapok/fleet"
	"github.com/kapok-fleet/kapok/planner/raced"
)

// outcome is what one attack came to.
type outcome struct {
	attack  Attack
	answer  Answer
	err     error
	took    time.Duration
	grownMB float64
	// before is what its metric said before it.
	before float64
}

// TestEachAttackIsAnsweredAsStated runs every attack of the table once against
// one server: the answer, the metric and the memory are as stated, and a good
// vehicle and a good dispatcher are served after each as before. Attacks that
// wait for a time of the server are begun first, one after another, and go on
// while the others are run.
func TestEachAttackIsAnsweredAsStated(t *testing.T) {
	if testing.Short() {
		t.Skip("it waits 42 s for silent peers to be given up")
	}
	if !raced.On {
		tightCollector(t)
	}
	w := newWorld(t)
	good := w.target
	good.Vehicles = NamePool("good-", 1000)
	witness, err := NewWitness(t.Context(), good, "good-vehicle")
	w.must(err)
	defer witness.Close()
	if _, err := witness.Check(t.Context()); err != nil {
		t.Fatalf("before any attack: %v", err)
	}
	var slow []*pending
	for _, a := range All() {
		if a.Within > 0 {
			slow = append(slow, w.begin(a))
		}
	}
	served(t, witness, "while the slow attacks stand")
	for _, a := range All() {
		if a.Within == 0 {
			t.Run(a.Name, func(t *testing.T) {
				o := w.begin(a).wait()
				w.judge(t, o)
				served(t, witness, "after "+a.Name)
			})
		}
	}
	for _, p := range slow {
		t.Run(p.attack.Name, func(t *testing.T) { w.judge(t, p.wait()) })
	}
	served(t, witness, "after all attacks")
	w.readLog()
}

// pending is an attack that may still be under way.
type pending struct {
	outcome
	done chan struct{}
}

// begin runs an attack until its harm is done, and measures that.
func (w *world) begin(a Attack) *pending {
	w.t.Helper()
	p := &pending{outcome: outcome{attack: a, before: w.gauge(a.Metric)}, done: make(chan struct{})}
	standing := make(chan struct{})
	once := sync.OnceFunc(func() { close(standing) })
	raid := NewRaid(w.t.Context(), w.against(a.Name), 0, once)
	h := watchHeap()
	started := time.Now()
	go func() {
		defer close(p.done)
		defer once()
		p.answer, p.err = a.Run(raid)
		p.took = time.Since(started)
		raid.Close()
	}()
	<-standing
	if a.Within == 0 {
		<-p.done
	}
	p.grownMB = h.grown()
	return p
}

func (p *pending) wait() outcome {
	<-p.done
	return p.outcome
}

// judge holds an outcome against what is stated of the attack.
func (w *world) judge(t *testing.T, o outcome) {
	t.Helper()
	a := o.attack
	t.Logf("%-24s %-40v %6.2f MiB of %d, %v", a.Name, o.answer, o.grownMB, a.MemoryMiB, o.took.Round(time.Millisecond))
	if o.err != nil {
		t.Errorf("the attack itself failed: %s", short(o.err))
	}
	if o.answer != a.Want {
		t.Errorf("an attacker who %s is answered with %v; stated is %v", a.Does, o.answer, a.Want)
	}
	limit := a.Within + 5*time.Second
	if raced.On {
		limit += 20 * time.Second
	}
	if o.took > limit {
		t.Errorf("the answer took %v, more than %v", o.took, limit)
	}
	// The race detector's memory is not the server's.
	if !raced.On && o.grownMB > float64(a.MemoryMiB) {
		t.Errorf("it cost %.1f MiB, more than the %d that are stated", o.grownMB, a.MemoryMiB)
	}
	if !w.moved(a.Metric, o.before) {
		t.Errorf("%s did not grow from %v", a.Metric, o.before)
	}
	if a.Alert != "" && !eventually(func() bool { return w.alerted(t, a) }) {
		t.Errorf("no alert %s was raised for the attacker's vehicle", a.Alert)
	}
}

// alerted tells whether the stated alert was raised for the attack's vehicle. It
// demands that no other was, but that its link was lost.
func (w *world) alerted(t *testing.T, a Attack) (raised bool) {
	t.Helper()
	raid := NewRaid(t.Context(), w.target, 0, nil)
	defer raid.Close()
	reply, err := raid.Ask(Request{Path: "/v1/alerts?limit=1000", Token: w.target.Tokens.Viewer, Headers: []string{"Connection: close"}})
	w.must(err)
	var page struct {
		Items []struct{ Kind, Vehicle string }
	}
	if err := json.Unmarshal(reply.Body, &page); err != nil {
		t.Fatalf("the alerts are answered with %v: %v", reply.Answer, err)
	}
	for _, alert := range page.Items {
		if !strings.HasPrefix(alert.Vehicle, a.Name+"-") {
			continue
		}
		switch fleet.AlertKind(alert.Kind) {
		case a.Alert:
			raised = true
		case fleet.AlertLinkLost:
		default:
			t.Errorf("an alert %s was raised for %s; stated is %s", alert.Kind, alert.Vehicle, a.Alert)
		}
	}
	return raised
}

// served demands that good peers are served. How soon is measured by kapok bench
// hostile: here it depends on what else the machine does.
func served(t *testing.T, witness *Witness, when string) {
	t.Helper()
	s, err := witness.Check(context.WithoutCancel(t.Context()))
	if err != nil {
		t.Fatalf("%s good peers are not served: %v", when, err)
	}
	if s.Position > time.Second || s.Command > time.Second {
		t.Logf("%s a good dispatcher waits %v for a position, and a good vehicle %v for a command", when, s.Position, s.Command)
	}
}

// readLog demands that nothing that attackers sent forged a line of the log,
// steers a terminal that shows it, or gave a secret away.
func (w *world) readLog() {
	w.t.Helper()
	text := w.log.String()
	tokens := w.target.Tokens
	for _, secret := range []string{tokens.Admin, tokens.Dispatcher, tokens.Viewer, tokens.Simulator, tokens.Vehicle, tokens.Elsewhere, tokens.Revoked, tokens.Shortly} {
		if strings.Contains(text, secret) {
			w.t.Errorf("the log has a token in it")
		}
	}
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		if !strings.HasPrefix(line, "time=") || strings.Contains(line, "level=ERROR") || strings.Contains(line, "panic") {
			w.t.Errorf("the log has the line %.300q", line)
		}
		if strings.ContainsFunc(line, func(c rune) bool {
			return c < ' ' || c == 0x7f || c >= 0x202a && c <= 0x202e || c >= 0x2066 && c <= 0x2069
		}) {
			w.t.Errorf("the log has characters that steer a terminal: %.300q", line)
		}
	}
	w.t.Logf("the log has %d bytes", len(text))
}

// TestTheTableIsSound checks what a reader of the table relies on.
func TestTheTableIsSound(t *testing.T) {
	names := map[string]bool{}
	groups := map[Group]int{}
	all := All()
	for _, a := range all {
		where := fmt.Sprintf("attack %q", a.Name)
		switch {
		case names[a.Name]:
			t.Errorf("%s is there twice", where)
		case a.Name == "" || strings.Trim(a.Name, "abcdefghijklmnopqrstuvwxyz0123456789-") != "":
			t.Errorf("%s has another name than lower case words with dashes", where)
		case a.Does == "" || strings.HasSuffix(a.Does, ".") || strings.Contains(a.Does+a.Note, "|"):
			t.Errorf("%s says %q of itself", where, a.Does)
		case a.Run == nil || a.Metric == "" || a.MemoryMiB <= 0:
			t.Errorf("%s has no run, no metric or no bound of memory", where)
		case a.Alert != "" && (a.Metric != alertRaised(a.Alert) || !strings.Contains(a.Note, "`"+string(a.Alert)+"`")):
			t.Errorf("%s raises %s, and says otherwise", where, a.Alert)
		case a.Want == (Answer{}) && a.Note == "":
			t.Errorf("%s is harmless, and does not say why", where)
		}
		names[a.Name] = true
		groups[a.Group]++
	}
	last := all[len(all)-1]
	if found, ok := Find(last.Name); !ok || found.Does != last.Does {
		t.Errorf("%s is not found by its name", last.Name)
	}
	if found, ok := Find("no-such-attack"); ok {
		t.Errorf("an attack that there is not is found: %s", found.Name)
	}
	for _, g := range Groups() {
		if groups[g] == 0 {
			t.Errorf("no attack belongs to %q", g)
		}
		delete(groups, g)
	}
	if len(groups) > 0 {
		t.Errorf("attacks belong to groups that the table does not have: %v", groups)
	}
}
