package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kapok-fleet/kapok/cmd/kapok/internal/drive"
	"github.com/kapok-fleet/kapok/protocol"
	"github.com/kapok-fleet/kapok/sim/scenario"
)

// TestScripts plays the sessions in testdata/script. Each line is one of:
//
//	# a comment
//	$ kapok ARGS           a command; $NAME stands for a variable
//	$ NAME=$(kapok ARGS)   the same, and its output becomes a variable
//	? N                    its exit status; 0 when this line is absent
//	> REGEXP               its stdout matches
//	! REGEXP               its stderr matches; a failed command has one line there
//	& kapok ARGS           starts a server, waits until it is ready and sets $URL
//	vehicle SEED           connects a rover to the server, with the token $SIM
//	stop                   ends the server, and its vehicles, in order
//	file NAME TEXT         writes a file in $DIR
//
// Variables are part of the environment of the commands.
func TestScripts(t *testing.T) {
	files, err := filepath.Glob("testdata/script/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	for _, name := range files {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txt"), func(t *testing.T) {
			t.Parallel()
			text, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			p := &player{t: t, name: name, vars: map[string]string{"DIR": t.TempDir()}}
			p.vars["KAPOK_DATA_DIR"] = filepath.Join(p.vars["DIR"], "data")
			defer p.stop()
			for n, line := range strings.Split(string(text), "\n") {
				p.line = n + 1
				p.play(strings.TrimSpace(line))
			}
			p.settle()
		})
	}
}

// player plays one script.
type player struct {
	t    *testing.T
	name string
	line int
	vars map[string]string

	// The last command, whose status is still to be judged while open is set.
	open          bool
	command       string
	status        int
	out, err      string
	server        context.CancelFunc
	serverStatus  chan int
	serverSpeed   float64
	serverData    string
	serverVehicle []*drive.Fleet
}

func (p *player) fail(format string, args ...any) {
	p.t.Helper()
	p.t.Fatalf("%s:%d: %s\ncommand: %s\nstatus %d\nstdout:\n%s\nstderr:\n%s", p.name, p.line, fmt.Sprintf(format, args...), p.command, p.status, p.out, p.err)
}

func (p *player) play(line string) {
	p.t.Helper()
	verb, rest, _ := strings.Cut(line, " ")
	rest = strings.TrimSpace(rest)
	switch verb {
	case "", "#":
	case "$":
		p.settle()
		p.run(rest)
	case "?":
		want, err := strconv.Atoi(rest)
		if err != nil || want != p.status {
			p.fail("status is %d, want %s", p.status, rest)
		}
		if want != 0 && strings.Count(p.err, "kapok: ") != 1 {
			p.fail("want one clear line on stderr")
		}
		p.open = false
	case ">", "!":
		text := p.out
		if verb == "!" {
			text = p.err
		}
		if !regexp.MustCompile("(?m)" + p.expand(rest)).MatchString(text) {
			p.fail("nothing matches %s %s", verb, rest)
		}
	case "&":
		p.settle()
		p.serve(rest)
	case "vehicle":
		p.vehicle(rest)
	case "stop":
		p.settle()
		if status := p.stop(); status != 0 {
			p.fail("the server ended with status %d", status)
		}
	case "file":
		name, text, _ := strings.Cut(rest, " ")
		text = strings.ReplaceAll(text, `\n`, "\n")
		if err := os.WriteFile(filepath.Join(p.vars["DIR"], name), []byte(text), 0o600); err != nil {
			p.fail("%v", err)
		}
	default:
		p.fail("unknown line %q", line)
	}
}

// settle demands that the last command was a success unless its status was
// looked at.
func (p *player) settle() {
	p.t.Helper()
	if p.open && p.status != 0 {
		p.fail("the command failed")
	}
	p.open = false
}

func (p *player) expand(text string) string {
	return os.Expand(text, func(name string) string {
		if v, ok := p.vars[name]; ok {
			return v
		}
		return "$" + name
	})
}

func (p *player) env(name string) string { return p.vars[name] }

// words are the arguments behind "kapok", without any quoting.
func (p *player) words(text string) []string {
	words := strings.Fields(p.expand(text))
	if len(words) == 0 || words[0] != "kapok" {
		p.fail("%q is not a kapok command", text)
	}
	return words[1:]
}

func (p *player) run(text string) {
	p.t.Helper()
	variable, inner, captures := strings.Cut(text, "=$(")
	if captures {
		text = strings.TrimSuffix(inner, ")")
	}
	var out, talk bytes.Buffer
	p.command, p.open = text, true
	p.status = runContext(p.t.Context(), p.words(text), console{in: strings.NewReader(""), out: &out, err: &talk, env: p.env})
	p.out, p.err = out.String(), talk.String()
	if captures {
		p.vars[variable] = strings.TrimSpace(p.out)
	}
}

// talk collects what a server says.
type talk struct {
	mu   sync.Mutex
	text strings.Builder
}

func (t *talk) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.text.Write(b)
}

func (t *talk) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.text.String()
}

func (p *player) serve(text string) {
	p.t.Helper()
	args := p.words(text)
	ctx, cancel := context.WithCancel(p.t.Context())
	var said talk
	status := make(chan int, 1)
	p.command, p.status = text, 0
	go func() {
		status <- runContext(ctx, args, console{in: strings.NewReader(""), out: &said, err: &said, env: p.env})
	}()
	p.server, p.serverStatus = cancel, status
	ready := regexp.MustCompile(`serving fleet \S+ on (\S+) `)
	for range time.NewTicker(5 * time.Millisecond).C {
		p.err = said.String()
		if found := ready.FindStringSubmatch(p.err); found != nil && strings.Contains(p.err, "kapok: ready\n") {
			p.vars["URL"] = found[1]
			p.vars["KAPOK_URL"] = found[1]
			break
		}
		select {
		case p.status = <-status:
			p.server = nil
			p.fail("the server ended")
		default:
		}
	}
	p.serverSpeed, p.serverData = 1, p.vars["KAPOK_DATA_DIR"]
	for i, word := range args[:len(args)-1] {
		if word == "--speed" {
			p.serverSpeed, _ = strconv.ParseFloat(args[i+1], 64)
		}
	}
}

func (p *player) vehicle(seed string) {
	p.t.Helper()
	n, err := strconv.ParseUint(seed, 10, 64)
	if err != nil {
		p.fail("vehicle takes a seed: %v", err)
	}
	on, err := openChart(console{env: p.env}, "harbour")
	if err != nil {
		p.fail("%v", err)
	}
	groups := []scenario.Group{{Kind: protocol.Rover, Count: 1}}
	place, err := scenario.Place(on, groups, n)
	if err != nil {
		p.fail("%v", err)
	}
	clock, err := openClock(p.serverData, p.serverSpeed)
	if err != nil {
		p.fail("%v", err)
	}
	f, err := drive.Start(p.t.Context(), drive.Options{
		URL: p.vars["URL"], Token: p.vars["SIM"], Clock: clock.now, Step: stepAt(p.serverSpeed), Encoding: protocol.JSON,
	}, newAgents(place, groups, n))
	if err != nil {
		p.fail("%v", err)
	}
	p.serverVehicle = append(p.serverVehicle, f)
}

// stop ends the server and its vehicles.
func (p *player) stop() int {
	if p.server == nil {
		return 0
	}
	for _, f := range p.serverVehicle {
		f.Stop()
	}
	p.serverVehicle = nil
	p.server()
	p.server = nil
	return <-p.serverStatus
}
