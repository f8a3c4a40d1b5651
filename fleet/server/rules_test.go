package server

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"strconv"
	"strings"
	"testing"
)

// TestReasonsAreDocumented: every rule that excludes a vehicle from a task, in
// the fleet, in assign and in route, has its line in docs/errors.md, and every
// line there is about a rule.
func TestReasonsAreDocumented(t *testing.T) {
	text, err := os.ReadFile("../../docs/errors.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, ok := strings.Cut(string(text), "\n## Why a vehicle does not go\n")
	if !ok {
		t.Fatal("docs/errors.md has no table of reasons")
	}
	listed := map[string]bool{}
	for line := range strings.Lines(table) {
		if rest, ok := strings.CutPrefix(line, "| `"); ok {
			rule, _, _ := strings.Cut(rest, "`")
			listed[rule] = true
		}
	}
	rules := map[string]bool{}
	for _, source := range []struct{ file, first string }{
		{"../bar.go", "notTheCarrier"},
		{"../quote_others.go", "heldByAnother"},
		{"../../planner/assign/assign.go", "WrongKind"},
		{"../../planner/route/route.go", "NoWay"},
	} {
		for _, rule := range constants(t, source.file, source.first) {
			rules[rule] = true
		}
	}
	// A spent budget becomes not_tried; the two that end in _ take a state.
	delete(rules, "budget")
	for prefix, states := range map[string][]string{"link_": {"unknown", "late", "lost"}, "mode_": {"manual", "fault"}} {
		if !rules[prefix] {
			t.Errorf("there is no rule %q any more", prefix)
		}
		delete(rules, prefix)
		for _, state := range states {
			rules[prefix+state] = true
		}
	}
	for rule := range rules {
		if !listed[rule] {
			t.Errorf("docs/errors.md does not explain the rule %s", rule)
		}
	}
	for rule := range listed {
		if !rules[rule] {
			t.Errorf("docs/errors.md explains the rule %s, which excludes nobody", rule)
		}
	}
}

// constants reads the texts of the block of constants that holds a name.
func constants(t *testing.T, name, holds string) []string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range file.Decls {
		block, ok := d.(*ast.GenDecl)
		if !ok || block.Tok != token.CONST {
			continue
		}
		var texts []string
		found := false
		for _, s := range block.Specs {
			v, ok := s.(*ast.ValueSpec)
			if !ok || len(v.Values) != 1 {
				continue
			}
			found = found || v.Names[0].Name == holds
			if literal, ok := v.Values[0].(*ast.BasicLit); ok && literal.Kind == token.STRING {
				text, err := strconv.Unquote(literal.Value)
				if err != nil {
					t.Fatal(err)
				}
				texts = append(texts, text)
			}
		}
		if found {
			return texts
		}
	}
	t.Errorf("%s has no constant %s", name, holds)
	return nil
}
