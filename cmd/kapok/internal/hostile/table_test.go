package hostile

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the table into docs/hostile.md")

// TestTheDocumentHasTheTable keeps docs/hostile.md true; again with -update after
// a change of an attack.
func TestTheDocumentHasTheTable(t *testing.T) {
	path := filepath.Join("..", "..", "..", "..", "docs", "hostile.md")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(text), TableBegin+"\n")
	_, after, found := strings.Cut(rest, TableEnd)
	if !ok || !found {
		t.Fatalf("%s does not have the lines %q and %q", path, TableBegin, TableEnd)
	}
	want := before + TableBegin + "\n" + Table() + "\n" + TableEnd + after
	if want == string(text) {
		return
	}
	if !*update {
		t.Fatalf("the table in %s is not that of the attacks; write it with: go test ./cmd/kapok/internal/hostile -run TestTheDocument -update", path)
	}
	if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
		t.Fatal(err)
	}
}
