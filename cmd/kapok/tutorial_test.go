package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// lesson is a block of commands of the tutorial, and the output that it shows.
type lesson struct {
	line            int
	commands, shown string
}

// lessons reads the fenced blocks of the page.
func lessons(t *testing.T, page string) []lesson {
	t.Helper()
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	var all []lesson
	fence := ""
	for n, line := range strings.Split(string(text), "\n") {
		switch {
		case fence == "" && strings.HasPrefix(line, "```"):
			fence = line
			if fence == "```sh" {
				all = append(all, lesson{line: n + 1})
			}
		case line == "```":
			fence = ""
		case fence == "```sh":
			all[len(all)-1].commands += line + "\n"
		case fence == "```" && len(all) > 0:
			all[len(all)-1].shown += line + "\n"
		}
	}
	return all
}

// TestTutorial does what docs/tutorial.md tells a new user to do, in order, with
// Monaco as the city. Of the outputs that the page shows, every word without a
// digit must come; numbers, names and times differ.
func TestTutorial(t *testing.T) {
	t.Parallel()
	data := testData(t)
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("bash is not installed: the tutorial is not tried")
	}
	if _, err := exec.LookPath("curl"); err != nil {
		t.Skip("curl is not installed: the tutorial is not tried")
	}
	all := lessons(t, "../../docs/tutorial.md")
	if len(all) < 8 {
		t.Fatalf("the tutorial has %d blocks of commands", len(all))
	}
	const mark = "=== lesson "
	var script strings.Builder
	script.WriteString("set -euo pipefail\n")
	for i, l := range all {
		fmt.Fprintf(&script, "echo '%s%d'\n%s", mark, i, l.commands)
	}
	run := exec.Command(bash, "-c", script.String())
	run.Dir = t.TempDir()
	run.Env = []string{
		"PATH=" + filepath.Dir(buildKapok(t)) + string(os.PathListSeparator) + os.Getenv("PATH"), "HOME=" + run.Dir,
		"CITY=" + filepath.Join(data, "osm", "monaco.osm.pbf"), "TERRAIN=" + filepath.Join(data, "terrain", "N43E007.hgt.zip"),
		"LISTEN=" + freeAddress(t),
	}
	var out bytes.Buffer
	run.Stdout, run.Stderr = &out, &out
	// Whatever it starts in the background ends with it.
	run.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := run.Start(); err != nil {
		t.Fatal(err)
	}
	end := func() { _ = syscall.Kill(-run.Process.Pid, syscall.SIGKILL) }
	late := time.AfterFunc(4*time.Minute, end)
	err = run.Wait()
	late.Stop()
	end()
	parts := strings.Split(out.String(), mark)
	if err != nil {
		logs := ""
		for _, name := range []string{"serve.log", "vehicles.log"} {
			text, _ := os.ReadFile(filepath.Join(run.Dir, name))
			logs += name + ":\n" + string(text)
		}
		at := all[max(0, min(len(parts)-2, len(all)-1))]
		t.Fatalf("docs/tutorial.md:%d: %v\n%s\n%s", at.line, err, parts[len(parts)-1], logs)
	}
	word := regexp.MustCompile(`(^|[ "])([A-Za-z_]{3,})($|[ ":])`)
	for i, l := range all {
		for line := range strings.Lines(l.shown) {
			for _, found := range word.FindAllStringSubmatch(line, -1) {
				if !strings.Contains(parts[i+1], found[2]) {
					t.Errorf("docs/tutorial.md:%d: the output shows %q, which did not come:\n%s", l.line, found[2], parts[i+1])
				}
			}
		}
	}
}
