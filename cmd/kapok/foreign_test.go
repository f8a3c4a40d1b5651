package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/kapok-fleet/kapok/protocol"
	"github.com/kapok-fleet/kapok/protocol/ws"
)

// nasty is a text of everything that a terminal obeys: it clears the screen,
// retitles the window, colours, turns the line round, ends it, and hides.
const nasty = "=cmd|' /C calc'!A0 \x1b[2J\x1b]0;pwned\x07\x1b[31m \u009b2J \u202egnp.exe\u202c \u2066x\u2069 a\rb\nc\td\x7f \u2028 \u200b \ufeff \U000e0041 </name> \" \\"

// sly hides without control characters; a vehicle's text may not even do that.
const sly = "=1+1 \u202egnp.exe\u202c \u2066x\u2069 \u2028 \u200b \ufeff \U000e0041 </name> \" \\ <b>"

// steering finds what steers in an output; line ends and tabs are its own.
func steering(output string) (found rune, at int) {
	for i, r := range output {
		if steersJSON(r) || r == '\r' {
			return r, i
		}
	}
	return 0, -1
}

// TestForeignTexts is the table of what is shown of a text.
func TestForeignTexts(t *testing.T) {
	for text, want := range map[string]string{
		"plain":               "plain",
		"机器人 Ünïcode 🚁":       "机器人 Ünïcode 🚁",
		"two\nlines\ttab":     "two lines tab",
		"\x1b[2Jgone":         " [2Jgone",
		"\u009b2J":            " 2J",
		"del\x7f":             "del ",
		"abc\u202egnp":        "abc\ufffdgnp",
		"a\u200bb\u2028c":     "a\ufffdb\ufffdc",
		"می\u200cخواهم":       "می\u200cخواهم",
		"👩\u200d🚒":            "👩\u200d🚒",
		"broken \xff\xfe":     "broken \ufffd\ufffd",
		"tag \U000e0041 here": "tag \ufffd here",
	} {
		if got := clean(text); got != want {
			t.Errorf("clean(%q) = %q, want %q", text, got, want)
		}
	}
}

// FuzzForeignText: whatever a text is, nothing of it steers in a line, in JSON or
// on a screen, and JSON still means the same.
func FuzzForeignText(f *testing.F) {
	f.Add(nasty, 3)
	f.Add(sly, 1)
	f.Add("\xe2\x80", 2)
	f.Add("\U0010ffff\xf4\x90\x80\x80", 5)
	f.Fuzz(func(t *testing.T, text string, chunk int) {
		if r, at := steering(clean(text)); at >= 0 || strings.ContainsAny(clean(text), "\n\t") {
			t.Errorf("clean(%q) has %U at %d", text, r, at)
		}
		var indented bytes.Buffer
		if err := printJSON(&indented, map[string]string{text: text}); err != nil {
			t.Fatal(err)
		}
		if r, at := steering(indented.String()); at >= 0 {
			t.Errorf("JSON of %q has %U at %d", text, r, at)
		}
		var back map[string]string
		want := strings.ToValidUTF8(text, "\ufffd")
		plain, err := json.Marshal(text)
		if err == nil {
			err = json.Unmarshal(plain, &want)
		}
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(indented.Bytes(), &back); err != nil || back[want] != want {
			t.Errorf("JSON of %q reads as %q, %v", text, back, err)
		}
		chunk = 1 + (chunk&0xff)%16
		var shown bytes.Buffer
		s := &screen{w: &shown}
		for rest := []byte(text); len(rest) > 0; rest = rest[min(chunk, len(rest)):] {
			if n, err := s.Write(rest[:min(chunk, len(rest))]); err != nil || n != min(chunk, len(rest)) {
				t.Fatalf("writing: %d, %v", n, err)
			}
		}
		if r, at := steering(shown.String()); at >= 0 || !utf8.Valid(shown.Bytes()) {
			t.Errorf("the screen shows %q, with %U at %d", shown.String(), r, at)
		}
		if _, at := steering(text); at < 0 && utf8.ValidString(text) && shown.String() != text {
			t.Errorf("the screen shows %q of %q", shown.String(), text)
		}
	})
}

// TestNothingSteersTheTerminal plays a dispatcher and a vehicle who put control
// characters into every text they can, against a real backend, and looks at what
// every command prints of it in every form.
func TestNothingSteersTheTerminal(t *testing.T) {
	p := &player{t: t, name: "foreign", vars: map[string]string{"DIR": t.TempDir()}}
	p.vars["KAPOK_DATA_DIR"] = filepath.Join(p.vars["DIR"], "data")
	defer p.stop()
	p.play("$ SIM=$(kapok token create sim --role simulator)")
	p.play("$ KAPOK_TOKEN=$(kapok token create me --role admin)")
	p.play("& kapok serve --listen 127.0.0.1:0")
	sayFault(t, p)

	outputs := 0
	kapok := func(args ...string) string {
		t.Helper()
		var out, talk bytes.Buffer
		status := runContext(t.Context(), args, console{in: strings.NewReader(""), out: &out, err: &talk, env: p.env})
		if status == exitUsage {
			t.Errorf("kapok %q: status %d, %s", args, status, talk.String())
		}
		for _, text := range []string{out.String(), talk.String()} {
			if r, at := steering(text); at >= 0 && args[0] != "export" {
				t.Errorf("kapok %q prints %U: %q", args, r, text[at:min(at+40, len(text))])
			}
		}
		if secret := p.vars["KAPOK_TOKEN"]; strings.Contains(out.String()+talk.String(), secret) {
			t.Errorf("kapok %q prints the token", args)
		}
		outputs++
		return out.String()
	}
	note := strings.ReplaceAll(nasty, "\n", "\r\n")
	for _, args := range [][]string{
		{"order", "visit", "--at", "113.93513,22.51620", "--capability", "crane", "--note", note, "-o", "table"},
		{"incident", "report", "fire", "--at", "113.9312,22.5112", "--note", note, "-o", "table"},
		{"zones", "create", "--circle", "113.9305,22.5097,20", "--rule", "advise", "--name", note[:60], "--reason", note, "-o", "table"},
		{"incident", "escalate", "I1", "--reason", note, "-o", "table"},
		{"vehicles", "out-of-service", "robot-1", "--reason", note, "-o", "table"},
		{"vehicles", "take-over", "robot-1", "--reason", note, "-o", "table"},
		{"tasks", "rank", "T1", "--priority", "urgent", "--reason", note, "-o", "table"},
		{"emergency", "stop", "--reason", note, "-o", "table"},
		{"tasks", "reassign", "T1", note, "--reason", note, "-o", "table"},
		{"tasks", note, "-o", "table"},
		{"zones", "remove", note, "--reason", note},
		{"command", "hold", "robot-1", "--reason", note, "-o", "json"},
	} {
		kapok(args...)
	}
	told := ""
	for _, what := range [][]string{
		{"vehicles"},
		{"tasks"},
		{"alerts", "--all"},
		{"zones"},
		{"incident", "list"},
		{"incident", "show", "I1"},
		{"events"},
		{"emergency", "show"},
		{"quote", "task", "T1"},
		{"watch", "--after", "0", "--for", "1s"},
	} {
		for _, form := range []string{asTable, asJSON, asNDJSON, asGeoJSON} {
			var out, talk bytes.Buffer
			if runContext(t.Context(), append(what, "-o", form), console{out: &out, err: &talk, env: p.env}) == exitUsage {
				if !strings.Contains(talk.String(), "is not one of") {
					t.Errorf("kapok %q -o %s: %s", what, form, talk.String())
				}
				continue
			}
			told += kapok(append(what, "-o", form)...)
		}
	}
	for _, want := range []string{"[2J", "pwned", "gnp.exe", `\u202e`, `\u009b`} {
		if !strings.Contains(told, want) {
			t.Errorf("%q is told nowhere, so the test looks at nothing", want)
		}
	}
	if outputs < 30 {
		t.Errorf("only %d outputs were looked at", outputs)
	}
	privateFiles(t, p.vars["KAPOK_DATA_DIR"])
}

// sayFault logs a rover in, which reports a fault with a sly text, is refused,
// and reports it in words that all can see.
func sayFault(t *testing.T, p *player) {
	t.Helper()
	header := http.Header{"Authorization": {"Bearer " + p.vars["SIM"]}}
	conn, err := ws.Dial(t.Context(), "ws"+strings.TrimPrefix(p.vars["URL"], "http")+"/v1/link?vehicle=robot-1", header, ws.Options{
		Subprotocols: []string{protocol.SubprotocolJSON}, ReadLimit: protocol.MaxFrameToVehicle,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close(ws.CloseNormal, "") })
	say := func(m protocol.FromVehicle) {
		t.Helper()
		frame, err := protocol.JSON.EncodeFrom(nil, m)
		if err == nil {
			err = conn.Send(frame)
		}
		if err != nil {
			t.Fatalf("sending %T: %v", m, err)
		}
	}
	say(protocol.Hello{Kind: protocol.Rover, Model: "kapok-rover", LogID: "log1", Time: time.Now().UTC()})
	for {
		frame, err := conn.Receive()
		if err != nil {
			t.Fatalf("waiting for the fault to be durable: %v", err)
		}
		message, err := protocol.JSON.DecodeTo(frame)
		if err != nil {
			t.Fatal(err)
		}
		switch message := message.(type) { //nolint:gochecksumtype // The rest is no answer to this vehicle.
		case protocol.Welcome:
			say(protocol.Telemetry{Samples: []protocol.Sample{{
				Time: time.Now().UTC(), Position: protocol.Position{Lon: 113.93513, Lat: 22.5162, AltitudeM: 4}, BatteryRatio: 0.9, Mode: protocol.ModeIdle,
			}}})
			text, err := json.Marshal(sly)
			if err == nil {
				err = conn.Send(fmt.Appendf(nil, `{"type":"fault","seq":1,"code":"arm_stuck","text":%s,"time":"2026-03-01T06:00:00Z"}`, text))
			}
			if err != nil {
				t.Fatal(err)
			}
		case protocol.Error:
			if message.Code != protocol.CodeOutOfRange || strings.ContainsFunc(message.Text, steers) {
				t.Fatalf("the vehicle is answered %s: %s", message.Code, message.Text)
			}
			say(protocol.Fault{Seq: 1, Code: "arm_stuck", Text: `=1+1 </name> " \ <b>`, Time: time.Now().UTC()})
		case protocol.Received:
			return
		default:
		}
	}
}

// privateFiles demands that nobody else may read what a backend keeps.
func privateFiles(t *testing.T, dir string) {
	t.Helper()
	n := 0
	err := filepath.WalkDir(dir, func(path string, entry os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err == nil && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %04o", path, info.Mode().Perm())
		}
		n++
		return err
	})
	if err != nil || n < 4 {
		t.Errorf("%d files and folders in %s: %v", n, dir, err)
	}
}
