package session

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/kapok-fleet/kapok/fleet"
	"github.com/kapok-fleet/kapok/protocol"
)

// TestScripts plays each story in testdata. A line is what happens, the indented
// lines below it what the session must do:
//
//	<  an input to the fleet
//	>  a message to the vehicle
//	x  the end of the link
//
// Every story begins at 12:00:00 with a connection. KAPOK_UPDATE=1 writes down
// what the session does now, for a person to judge.
func TestScripts(t *testing.T) {
	names, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(names) == 0 {
		t.Fatalf("no stories in testdata: %v", err)
	}
	for _, name := range names {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txt"), func(t *testing.T) {
			want, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			got := play(t, string(want))
			if os.Getenv("KAPOK_UPDATE") != "" {
				if err := os.WriteFile(name, []byte(got), 0o600); err != nil {
					t.Fatal(err)
				}
				return
			}
			if got != string(want) {
				t.Errorf("%s tells another story:\n%s", name, firstDifference(got, string(want)))
			}
		})
	}
}

func firstDifference(got, want string) string {
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range g {
		if i >= len(w) || g[i] != w[i] {
			from := max(0, i-3)
			return fmt.Sprintf("line %d\ngot:\n%s\nwant:\n%s", i+1,
				strings.Join(g[from:min(i+4, len(g))], "\n"), strings.Join(w[min(from, len(w)):min(i+4, len(w))], "\n"))
		}
	}
	return "it is shorter than expected"
}

// player holds a session and the clocks of a story.
type player struct {
	start, now time.Time
	skew       time.Duration
	s          *Session
	out        strings.Builder
}

func play(t *testing.T, script string) string {
	t.Helper()
	start := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	p := &player{start: start, now: start, s: New("V1", "s1", Config{}, start)}
	lines := bufio.NewScanner(strings.NewReader(script))
	for n := 1; lines.Scan(); n++ {
		line := lines.Text()
		if strings.HasPrefix(line, "  ") {
			continue
		}
		fmt.Fprintln(&p.out, line)
		if line == "" || line[0] == '#' {
			continue
		}
		if err := p.do(strings.Fields(line)); err != nil {
			t.Fatalf("line %d, %q: %v", n, line, err)
		}
	}
	return p.out.String()
}

// do plays one line, for instance "progress 3 mission=M1 leg=L1 begun".
func (p *player) do(words []string) error {
	a := readArgs(words[1:])
	switch words[0] {
	case "at":
		d, err := time.ParseDuration(words[1])
		p.now = p.start.Add(d)
		return err
	case "connect":
		p.skew = 0
		p.s = New("V1", fleet.SessionID(words[1]), Config{}, p.now)
	case "repeat":
		return p.repeat(words[1:])
	case "tick":
		p.show(p.s.Tick(p.now))
	case "lost":
		p.show(Reaction{Inputs: p.s.Lost(strings.Join(words[1:], " "))})
	case "unreadable":
		p.unreadable(&protocol.MessageError{Code: protocol.CodeBadMessage, Type: "ack", Field: "seq", Problem: "is missing"})
	case "garbage":
		p.unreadable(errors.New("invalid character"))
	case "unknown":
		p.unreadable(&protocol.UnknownTypeError{Type: words[1]})
	case "welcome", "owe", "close", "reply":
		p.show(p.s.Apply(p.now, p.effect(words[0], a)))
	default:
		m, err := p.message(words[0], a)
		if err != nil {
			return err
		}
		p.readable(m)
	}
	return nil
}

// readable and unreadable are frames that come.
func (p *player) readable(m protocol.FromVehicle) {
	r, ok := p.s.Admit(p.now)
	if ok {
		r = p.s.Receive(p.now, m)
	}
	p.show(r)
}

func (p *player) unreadable(err error) {
	r, ok := p.s.Admit(p.now)
	if ok {
		r = p.s.ReceiveError(p.now, err)
	}
	p.show(r)
}

// repeat plays "repeat N every DURATION what…" and sums up what came of it.
func (p *player) repeat(words []string) error {
	n, err := strconv.Atoi(words[0])
	if err != nil {
		return err
	}
	pause, err := time.ParseDuration(words[2])
	if err != nil {
		return err
	}
	before := p.out.String()
	var kinds []string
	counts, first, last := map[string]int{}, map[string]string{}, map[string]string{}
	for range n {
		p.out.Reset()
		if err := p.do(words[3:]); err != nil {
			return err
		}
		for line := range strings.Lines(p.out.String()) {
			kind := kindOf(line)
			if counts[kind] == 0 {
				kinds, first[kind] = append(kinds, kind), p.at(p.now)
			}
			counts[kind]++
			last[kind] = p.at(p.now)
		}
		p.now = p.now.Add(pause)
	}
	p.out.Reset()
	p.out.WriteString(before)
	for _, k := range kinds {
		fmt.Fprintf(&p.out, "  %s, %d times from %s to %s\n", k, counts[k], first[k], last[k])
	}
	return nil
}

// kindOf is what a line of output says, without times and details.
func kindOf(line string) string {
	words := strings.Fields(line)
	switch {
	case words[0] == ">" && words[2] == "error":
		what, _, _ := strings.Cut(strings.Join(words[2:], " "), ":")
		return "> " + what
	case words[0] == ">":
		return "> " + words[2]
	}
	return strings.Join(words[:2], " ")
}

// args are the words of a line: plain ones in order, others by name.
type args struct {
	plain []string
	named map[string]string
}

func readArgs(words []string) args {
	a := args{named: map[string]string{}}
	for _, w := range words {
		if name, value, ok := strings.Cut(w, "="); ok {
			a.named[name] = value
		} else {
			a.plain = append(a.plain, w)
		}
	}
	return a
}

func (a args) seq() uint64 {
	n, _ := strconv.ParseUint(a.plain[0], 10, 64)
	return n
}

func (p *player) message(kind string, a args) (protocol.FromVehicle, error) {
	switch kind {
	case "hello":
		p.skew, _ = time.ParseDuration(a.named["skew"])
		h := protocol.Hello{Kind: protocol.Rover, Model: "m", LogID: a.named["log"], Time: p.now.Add(p.skew)}
		if id := a.named["mission"]; id != "" {
			h.Mission = &protocol.MissionRef{ID: id, Revision: 1}
		}
		return h, nil
	case "telemetry":
		var m protocol.Telemetry
		for _, w := range a.plain {
			d, err := time.ParseDuration(w)
			if err != nil {
				return nil, err
			}
			m.Samples = append(m.Samples, protocol.Sample{Time: p.now.Add(p.skew + d), Mode: protocol.ModeIdle})
		}
		return m, nil
	case "ack":
		return protocol.Ack{Seq: a.seq(), Command: a.named["command"], Verdict: protocol.Accepted}, nil
	case "progress":
		return protocol.Progress{Seq: a.seq(), Mission: a.named["mission"], Leg: a.named["leg"], State: protocol.ProgressState(a.plain[1]), Time: p.now}, nil
	case "fault":
		return protocol.Fault{Seq: a.seq(), Code: a.plain[1]}, nil
	}
	return nil, fmt.Errorf("unknown line")
}

func (p *player) effect(kind string, a args) fleet.Effect {
	session := p.s.ID()
	if other, ok := a.named["session"]; ok {
		session = fleet.SessionID(other)
	}
	seq, _ := strconv.ParseUint(a.named["seq"], 10, 64)
	switch kind {
	case "welcome":
		return fleet.Welcome{Vehicle: "V1", Session: session, Message: protocol.Welcome{
			Session: string(session), Vehicle: "V1", Epoch: 7, LogID: a.named["log"], Seq: seq, HelloTime: p.start,
		}}
	case "close":
		return fleet.CloseLink{Vehicle: "V1", Session: session, Code: a.plain[0], Text: "because"}
	case "reply":
		return fleet.Reply{Request: 1}
	}
	owed := fleet.Owed{LogID: a.named["log"], Seq: seq}
	if m := a.named["mission"]; m != "" {
		parts := strings.Split(m, "/")
		revision, _ := strconv.Atoi(parts[1])
		owed.Mission = &protocol.Mission{ID: parts[0], Revision: revision, State: protocol.MissionState(parts[2])}
	}
	for _, id := range strings.FieldsFunc(a.named["ended"], isComma) {
		owed.Ended = append(owed.Ended, protocol.Mission{ID: id, State: protocol.MissionEnded})
	}
	for _, c := range strings.FieldsFunc(a.named["commands"], isComma) {
		id, until, _ := strings.Cut(c, "@")
		d, _ := time.ParseDuration(until)
		owed.Commands = append(owed.Commands, protocol.Command{ID: id, Kind: protocol.CommandHold, ExpiresAt: p.start.Add(d)})
	}
	return fleet.Owe{Vehicle: "V1", Session: session, Owed: owed}
}

func isComma(r rune) bool { return r == ',' }
