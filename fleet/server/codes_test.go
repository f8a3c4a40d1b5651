package server

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// refusal is a place in the sources of the fleet where a request is refused.
type refusal struct {
	at, code string
	// status is 0 where the place does not say it.
	status int
}

// refusals reads them out of the sources: calls of problem(status, code, …) and
// bad(code, …), and of functions that are given a code named codeXxx.
func refusals(t *testing.T) []refusal {
	t.Helper()
	statuses := map[string]int{
		"statusNotFound": 404, "statusConflict": 409, "statusPrecondition": 412, "statusUnprocessable": 422, "statusUnavailable": 503,
	}
	files, err := filepath.Glob("../*.go")
	if err != nil || len(files) == 0 {
		t.Fatalf("no sources found: %v", err)
	}
	var all []refusal
	set := token.NewFileSet()
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(set, name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			called, ok := call.Fun.(*ast.Ident)
			if !ok || len(call.Args) == 0 {
				return true
			}
			r := refusal{at: set.Position(call.Pos()).String()}
			var code ast.Expr
			switch called.Name {
			case "problem":
				status, named := call.Args[0].(*ast.Ident)
				if named {
					r.status = statuses[status.Name]
				}
				code = call.Args[1]
			case "bad":
				code = call.Args[0]
			default:
				return true
			}
			literal, ok := code.(*ast.BasicLit)
			if !ok {
				// The code of a refusal that is passed on was read where it was made.
				return true
			}
			r.code, err = strconv.Unquote(literal.Value)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, r)
			return true
		})
	}
	if len(all) < 40 {
		t.Errorf("only %d refusals found: has their form changed?", len(all))
	}
	return all
}

// TestTheFleetsCodesAreInTheTable: a new refusal of the fleet cannot be
// forgotten, neither in the table nor in the lists of the operations.
func TestTheFleetsCodesAreInTheTable(t *testing.T) {
	w := newWorld(t, nil)
	listed := map[string]bool{}
	for _, o := range w.operations() {
		for status, r := range o.Responses {
			if status >= "400" {
				for code := range strings.SplitSeq(r.Description, ", ") {
					listed[code] = true
				}
			}
		}
	}
	for _, r := range refusals(t) {
		k, ok := kinds()[r.code]
		switch {
		case r.code == codeInternal, r.code == "unknown_request":
			// The edge asks nothing that the fleet of the same build does not know.
		case !ok:
			t.Errorf("%s: the code %s is not in the table", r.at, r.code)
		case r.status != 0 && r.status != k.status:
			t.Errorf("%s: the code %s has status %d in the table, %d here", r.at, r.code, k.status, r.status)
		case !listed[r.code]:
			t.Errorf("%s: no operation lists the code %s", r.at, r.code)
		}
	}
}
