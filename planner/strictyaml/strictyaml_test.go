package strictyaml_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/kapok-fleet/kapok/planner/strictyaml"
)

type menu struct {
	Name  string `yaml:"name"`
	Items []struct {
		Count int `yaml:"count"`
	} `yaml:"items"`
}

func TestFaultsNameTheirPlace(t *testing.T) {
	for _, c := range []struct {
		name, file string
		at         strictyaml.Place
	}{
		{"an unknown key", "name: a\nitem: 3\n", strictyaml.Place{Line: 2, Column: 1}},
		{"a key twice", "name: a\nname: b\n", strictyaml.Place{Line: 2, Column: 1}},
		{"a word for a number", "items:\n  - count: many\n", strictyaml.Place{Line: 2, Column: 12}},
		{"a lone tag, on which the library panics", "items:\n  ! #0", strictyaml.Place{}},
	} {
		var m menu
		err := strictyaml.Unmarshal([]byte(c.file), &m)
		e, ok := errors.AsType[*strictyaml.Error](err)
		if !ok || e.Message == "" || e.Error() == "" {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if e.Place != c.at {
			t.Errorf("%s: at %v, want %v (%s)", c.name, e.Place, c.at, e.Message)
		}
	}
	var m menu
	if err := strictyaml.Unmarshal([]byte("name: a\nitems: [{count: 2}]\n"), &m); err != nil || m.Items[0].Count != 2 {
		t.Errorf("%v, %v", m, err)
	}
}

func TestValuesAreLocated(t *testing.T) {
	file := []byte("name: a\nitems:\n  - count: 1\n  - count: 2\n")
	for path, want := range map[string]string{
		"items[1].count": "f:4:12", "items[1].size": "f:4:10", "items[7]": "f:3:3", "nothing": "f",
	} {
		if got := strictyaml.Locate(file, path).Of("f"); got != want {
			t.Errorf("%s is at %s, want %s", path, got, want)
		}
	}
	if !strictyaml.Empty([]byte("# nothing\n")) || strictyaml.Empty(file) || strictyaml.Documents([]byte("a: 1\n---\nb: 2\n")) != 2 {
		t.Error("emptiness or documents are told wrong")
	}
}

// TestBombs are refused at once: what is nested without end, and aliases that
// stand for more than any memory holds.
func TestBombs(t *testing.T) {
	aliases := "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
	for i := range 12 {
		alias := fmt.Sprintf("*a%d", i)
		aliases += fmt.Sprintf("a%d: &a%d [%s]\n", i+1, i+1, strings.Join(slices.Repeat([]string{alias}, 10), ", "))
	}
	ladder := ""
	for i := range 200 {
		ladder += strings.Repeat(" ", i) + "a:\n"
	}
	for name, c := range map[string]struct{ file, want string }{
		"brackets":  {"items: " + strings.Repeat("[", 100_000), "nested"},
		"braces":    {"items: " + strings.Repeat("{a: ", 100_000), "nested"},
		"entries":   {"items: " + strings.Repeat("- ", 100_000), "nested"},
		"questions": {strings.Repeat("? ", 100_000), "nested"},
		"tags":      {"items: " + strings.Repeat("!!x ", 100_000), "nested"},
		"anchors":   {"items: " + strings.Repeat("&a ", 100_000), "nested"},
		"blocks":    {ladder, "nested"},
		"aliases":   {aliases, "aliases"},
		"long":      {"name: " + strings.Repeat("x", strictyaml.MaxBytes), "bytes"},
	} {
		var m menu
		err := strictyaml.Unmarshal([]byte(c.file), &m)
		if err == nil || !strings.Contains(err.Error(), c.want) || len(err.Error()) > 200 {
			t.Errorf("%s: %.200v, want %q", name, err, c.want)
		}
		if strictyaml.Empty([]byte(c.file)) || strictyaml.Documents([]byte(c.file)) != 0 || strictyaml.Locate([]byte(c.file), "items[0]") != (strictyaml.Place{}) {
			t.Errorf("%s: something of it was read", name)
		}
	}
	var list strings.Builder
	list.WriteString("one: &one {count: 1}\nitems:\n")
	for range 5000 {
		list.WriteString("  - {count: 1}\n  -\n    count: 2\n")
	}
	var m struct {
		One   struct{ Count int } `yaml:"one"`
		Items []struct{ Count int }
	}
	if err := strictyaml.Unmarshal([]byte(list.String()), &m); err != nil || len(m.Items) != 10_000 {
		t.Errorf("a long file that is not deep: %d items, %v", len(m.Items), err)
	}
}

func FuzzUnmarshal(f *testing.F) {
	for _, seed := range []string{"name: a", "items:\n  ! #0", "items: [{count: 1}]", "&a [*a]", "? :", "- -\n\t", "a: &x [1]\nb: *x", "[[[[{a: [", "!!x !!y &a z"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(_ *testing.T, data []byte) {
		var m menu
		_ = strictyaml.Unmarshal(data, &m)
		strictyaml.Empty(data)
		strictyaml.Locate(data, "items[0].count")
		strictyaml.Documents(data)
	})
}
