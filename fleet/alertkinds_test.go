package fleet_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strconv"
	"testing"

	"github.com/kapok-fleet/kapok/fleet"
)

// TestAlertKindsAreAll holds the list against the constants of the source: what
// is not in it, nobody counts.
func TestAlertKindsAreAll(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "command.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	listed := fleet.AlertKinds()
	constants := 0
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		if kind, ok := spec.Type.(*ast.Ident); !ok || kind.Name != "AlertKind" {
			return true
		}
		for _, v := range spec.Values {
			literal, ok := v.(*ast.BasicLit)
			if !ok {
				t.Fatalf("a kind of alert is %T, no text", v)
			}
			constants++
			text, err := strconv.Unquote(literal.Value)
			if err != nil || !slices.Contains(listed, fleet.AlertKind(text)) {
				t.Errorf("the alert kind %s is not listed: %v", literal.Value, err)
			}
		}
		return true
	})
	if constants == 0 || constants != len(listed) {
		t.Errorf("%d kinds are listed, of %d", len(listed), constants)
	}
}
