package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/kapok-fleet/kapok/cmd/kapok/internal/client"
	"github.com/kapok-fleet/kapok/planner/chart/harbour"
)

// TestTypeScriptClient generates types from the document of a real kapok serve,
// compiles the program in docs/clients/typescript with them, strictly, and lets
// it order a task, report an incident and read the stream's first frame.
func TestTypeScriptClient(t *testing.T) {
	t.Parallel()
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("node is not installed: the generated client is not tried (make test needs Node 20 or later)")
	}
	source, err := filepath.Abs("../../docs/clients/typescript")
	if err != nil {
		t.Fatal(err)
	}
	modules := filepath.Join(source, "node_modules")
	if _, err := os.Stat(filepath.Join(modules, "typescript")); err != nil {
		t.Fatalf("the generator is not installed: run make test, or npm ci in docs/clients/typescript (%v)", err)
	}
	dir := t.TempDir()
	for _, name := range []string{"package.json", "tsconfig.json", "main.ts"} {
		text, err := os.ReadFile(filepath.Join(source, name))
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, name), text, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(modules, filepath.Join(dir, "node_modules")); err != nil {
		t.Fatal(err)
	}
	data, addr := t.TempDir(), freeAddress(t)
	people, _ := exampleTokens(t, data)
	on, err := client.New("http://"+addr, people)
	if err != nil {
		t.Fatal(err)
	}
	startUntilEnd(t, exec.CommandContext(t.Context(), buildKapok(t), "serve", "--data", data, "--listen", addr))
	await(t, "the server", func() bool { return on.Ready(t.Context()) == nil })
	run := func(args ...string) string {
		t.Helper()
		c := exec.CommandContext(t.Context(), node, args...)
		c.Dir = dir
		c.Env = append(c.Environ(), "KAPOK_URL=http://"+addr, "KAPOK_TOKEN="+people)
		out, err := c.CombinedOutput()
		if err != nil {
			t.Fatalf("node %v: %v\n%s", args, err, out)
		}
		return string(out)
	}
	run(filepath.Join(modules, "openapi-typescript", "bin", "cli.js"), "http://"+addr+"/openapi.json", "-o", "kapok.d.ts")
	run(filepath.Join(modules, "typescript", "bin", "tsc"))
	chart, err := harbour.Chart()
	if err != nil {
		t.Fatal(err)
	}
	at := chart.Ground.Nodes[0].Point
	said := run("--experimental-websocket", "--no-warnings", "out/main.js", fmt.Sprintf("%g,%g", at[0], at[1]))
	for _, line := range []string{
		`^task T1 is waiting: `, `incident I1, overview: waits: `, `incident I1, extinguisher: waits: `,
		`the stream begins with a snapshot at event \d+`,
	} {
		if !regexp.MustCompile("(?m)" + line).MatchString(said) {
			t.Errorf("the client does not say %q:\n%s", line, said)
		}
	}
	tasks, err := on.Tasks(t.Context(), nil)
	if err != nil || len(tasks) != 3 || tasks[0].Priority != "urgent" {
		t.Errorf("the client ordered %+v, %v", tasks, err)
	}
}
