// Package kapok_test holds the rules of the code as a whole: which package may
// import which, where goroutines may start, and how long functions and files
// may be. docs/architecture.md explains the layers.
package kapok_test

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/kapok-fleet/kapok"

// layers is the order of the packages, lowest first. A package imports only
// from lines above its own, and a sub-package also from its own parent.
var layers = [][]string{
	{"docs/example-client", "console", "fleet/mutant", "planner/raced", "planner/strictyaml"},
	{"planner/space", "planner/chart/osmpbf", "planner/chart/geoid"},
	{"planner/chart/indoor"},
	{"planner/motion", "planner/chart", "planner/chart/harbour", "planner/mesh", "planner/cch", "planner/cch/streets", "protocol", "protocol/api"},
	{"planner/route"},
	{"planner/traffic", "planner/cover"},
	{"planner/assign/match"},
	{"planner/assign"},
	{"planner/verify", "fleet/fence"},
	{"fleet"},
	{"fleet/session", "fleet/journal", "fleet/track", "fleet/journal/memfs", "fleet/redisstore", "fleet/access"},
	{"fleet/engine", "fleet/journal/journaltest", "protocol/ws", "protocol/ws/yardstick"},
	{"sim/body", "sim/fault", "sim/check", "sim/city"},
	{"sim/agent", "sim/scenario", "fleet/server", "protocol/mavlink", "protocol/vda5050"},
	{"sim"},
	{"cmd/kapok/internal/client", "cmd/kapok/internal/drive", "cmd/kapok/internal/rig", "cmd/kapok/internal/mcap"},
	{"cmd/kapok/internal/hostile", "cmd/kapok/internal/simout"},
	{"cmd/kapok"},
	{"."},
}

// forTests may be imported by the tests of every package: independent checkers,
// a chart to try things on, and the contract of all journals.
var forTests = []string{"planner/raced", "planner/verify", "planner/chart/harbour", "fleet/journal/journaltest"}

// independent lists packages that never import certain others, tests included,
// so that the simulated world does not share the planner's mistakes.
var independent = map[string][]string{
	"sim/body":  {"planner/motion", "planner/route", "planner/traffic", "planner/assign"},
	"sim/fault": {"planner/motion", "planner/route", "planner/traffic", "planner/assign"},
	"sim/check": {"planner/motion", "planner/route", "planner/traffic", "planner/assign"},
}

// concurrent lists the packages in which goroutines may be started. Those of
// planner/assign are joined before it returns.
var concurrent = []string{
	"planner/assign", "protocol/ws", "fleet/engine", "fleet/server", "fleet/redisstore",
	"cmd/kapok", "cmd/kapok/internal/drive", "cmd/kapok/internal/rig", "cmd/kapok/internal/hostile", "docs/example-client",
}

const (
	maxFileLines     = 500
	maxP90FuncLines  = 45
	maxTestFuncLines = 120
)

// source is one parsed Go file; dir and name are relative to the module, with
// slashes.
type source struct {
	dir, name string
	test      bool
	lines     int
	file      *ast.File
	fset      *token.FileSet
}

func TestImportsPointDown(t *testing.T) {
	for _, s := range sources(t) {
		own := layerOf(s.dir)
		if own < 0 {
			t.Errorf("%s: package %s is not in the table of layers; add it to imports_test.go and to the layout in docs/architecture.md", s.name, s.dir)
			continue
		}
		for _, spec := range s.file.Imports {
			if target, ok := inModule(spec); ok {
				if reason := whyForbidden(s, own, target); reason != "" {
					t.Errorf("%s imports %s: %s", s.name, target, reason)
				}
			}
		}
	}
}

// whyForbidden says why the file may not import the package, and nothing when
// it may.
func whyForbidden(s source, own int, target string) string {
	if slices.Contains(independent[s.dir], target) {
		return "the simulated world is independent of the planner"
	}
	// The hooks of mutation tests are compiled to nothing.
	if within(s.dir, "planner") && !within(target, "planner") && target != "fleet/mutant" {
		return "the planner is usable as a library without the rest"
	}
	layer := layerOf(target)
	switch {
	case layer < 0:
		return "it is not in the table of layers"
	case layer < own, target == s.dir, target == path.Dir(s.dir):
		return ""
	case s.test && (layer == own || slices.Contains(forTests, target)):
		return ""
	}
	return fmt.Sprintf("imports point down, and layer %d is not below layer %d", layer, own)
}

func TestGoroutinesStartInFewPackages(t *testing.T) {
	for _, s := range sources(t) {
		if s.test || slices.Contains(concurrent, s.dir) {
			continue
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			if g, ok := n.(*ast.GoStmt); ok {
				t.Errorf("%s: package %s starts a goroutine; only these do: %s",
					s.fset.Position(g.Pos()), s.dir, strings.Join(concurrent, ", "))
			}
			return true
		})
	}
}

func TestFilesFitASitting(t *testing.T) {
	for _, s := range sources(t) {
		if s.lines > maxFileLines {
			t.Errorf("%s has %d lines, more than %d: split it by concept", s.name, s.lines, maxFileLines)
		}
	}
}

func TestFunctionsFitAScreen(t *testing.T) {
	type function struct {
		where string
		lines int
	}
	var functions []function
	for _, s := range sources(t) {
		for _, decl := range s.file.Decls {
			f, ok := decl.(*ast.FuncDecl)
			if !ok {
				continue
			}
			start, end := s.fset.Position(f.Pos()), s.fset.Position(f.End())
			found := function{fmt.Sprintf("%s:%d %s", s.name, start.Line, f.Name.Name), end.Line - start.Line + 1}
			switch {
			case !s.test:
				functions = append(functions, found)
			case found.lines > maxTestFuncLines:
				t.Errorf("%s has %d lines, more than %d of a test", found.where, found.lines, maxTestFuncLines)
			}
		}
	}
	if len(functions) == 0 {
		t.Fatal("no functions were found: the test looks in the wrong place")
	}
	slices.SortFunc(functions, func(a, b function) int { return cmp.Compare(b.lines, a.lines) })
	p90 := functions[len(functions)/10]
	t.Logf("%d functions, p90 %d lines", len(functions), p90.lines)
	if p90.lines > maxP90FuncLines {
		t.Errorf("a tenth of all functions has %d lines or more; the p90 is to be at most %d; the longest:", p90.lines, maxP90FuncLines)
		for _, f := range functions[:min(20, len(functions))] {
			t.Logf("%4d lines  %s", f.lines, f.where)
		}
	}
}

// sources parses every Go file of the module that a person wrote.
func sources(t *testing.T) []source {
	t.Helper()
	var all []source
	fset := token.NewFileSet()
	err := filepath.WalkDir(".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			if name != "." && skipped(entry.Name()) {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(name, ".go") {
			return nil
		}
		file, err := parser.ParseFile(fset, name, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return fmt.Errorf("parsing %s: %w", name, err)
		}
		if ast.IsGenerated(file) {
			return nil
		}
		slashed := filepath.ToSlash(name)
		all = append(all, source{
			dir: path.Dir(slashed), name: slashed, test: strings.HasSuffix(name, "_test.go"),
			lines: fset.File(file.FileStart).LineCount(), file: file, fset: fset,
		})
		return nil
	})
	if err != nil {
		t.Fatalf("reading the module's sources: %v", err)
	}
	return all
}

// skipped tells whether the go command ignores a folder of the name, or whether
// it holds what others wrote.
func skipped(name string) bool {
	return strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_") ||
		name == "testdata" || name == "node_modules" || name == "bin" || name == "tmp"
}

// inModule returns the package's folder when it is one of ours.
func inModule(spec *ast.ImportSpec) (dir string, ok bool) {
	name, err := strconv.Unquote(spec.Path.Value)
	if err != nil {
		return "", false
	}
	return strings.CutPrefix(name, module+"/")
}

// layerOf returns the index of the package's layer, -1 for an unknown package.
func layerOf(dir string) int {
	return slices.IndexFunc(layers, func(layer []string) bool { return slices.Contains(layer, dir) })
}

func within(dir, parent string) bool { return dir == parent || strings.HasPrefix(dir, parent+"/") }
