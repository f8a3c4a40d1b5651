package strictyaml_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/kapok-fleet/kapok/planner/strictyaml"
)

func TestAForeignFileIsReadAsItStands(t *testing.T) {
	root, err := strictyaml.Tree([]byte("b: [1, two, {deep: 'x y'}]\na:\n  - 0x1F\n  - true\n  - ~\nempty: {}\n"))
	if err != nil {
		t.Fatal(err)
	}
	if root.Kind != strictyaml.Map || len(root.Pairs) != 3 || root.Pairs[0].Key != "b" || root.Pairs[1].Key != "a" {
		t.Fatalf("the keys came as %+v", root.Pairs)
	}
	b, a := root.Get("b"), root.Get("a")
	if len(b.Items) != 3 || b.Items[1].Text != "two" || b.Items[2].Get("deep").Text != "x y" || b.Items[1].Place != (strictyaml.Place{Line: 1, Column: 8}) {
		t.Errorf("b is %+v", b)
	}
	if len(a.Items) != 3 || a.Items[0].Text != "0x1F" || a.Items[1].Text != "true" || a.Items[2].Kind != strictyaml.Null {
		t.Errorf("a is %+v", a)
	}
	if root.Get("empty").Kind != strictyaml.Map || root.Get("nothing") != nil || root.Get("nothing").Get("below") != nil {
		t.Error("what is not there is found")
	}
	if root, err := strictyaml.Tree([]byte("# nothing\n")); root != nil || err != nil {
		t.Errorf("an empty file is %v, %v", root, err)
	}
}

func TestWhatATreeDoesNotReadIsRefused(t *testing.T) {
	for name, file := range map[string]string{
		"an alias":        "a: &x 1\nb: *x\n",
		"a key twice":     "a: 1\na: 2\n",
		"a list as a key": "? [1, 2]\n: 3\n",
		"no YAML":         "a: [1, 2\n",
		"a deep nest":     strings.Repeat("[", 100) + strings.Repeat("]", 100),
	} {
		_, err := strictyaml.Tree([]byte(file))
		if _, ok := errors.AsType[*strictyaml.Error](err); !ok {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzTree(f *testing.F) {
	f.Add([]byte("levels:\n  L1:\n    vertices:\n      - [1, 2, 0, \"\"]\n"))
	f.Add([]byte("a: &x [1]\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		_, err := strictyaml.Tree(data)
		if _, ok := errors.AsType[*strictyaml.Error](err); err != nil && !ok {
			t.Errorf("%v is no *Error", err)
		}
	})
}
