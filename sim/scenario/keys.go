package scenario

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/kapok-fleet/kapok/planner/strictyaml"
)

// unknownKey makes the error about a key that does not exist one that names those
// that do, for the key at a place of a file; false when there is none there.
func unknownKey(data []byte, e *strictyaml.Error) (string, bool) {
	if !strings.HasPrefix(e.Message, "unknown field") {
		return "", false
	}
	path, ok := strictyaml.KeyAt(data, e.Place)
	if !ok {
		return "", false
	}
	parent, key := "", path
	if cut := strings.LastIndex(path, "."); cut >= 0 {
		parent, key = path[:cut], path[cut+1:]
	}
	known := keysOf(typeAt(reflect.TypeFor[Scenario](), parent))
	if len(known) == 0 {
		return "", false
	}
	return fmt.Sprintf("unknown key %q%s; known here are %s", key, nearest(key, known), strings.Join(known, ", ")), true
}

// typeAt is the type of the value at a path such as "fleets[2]", nil for none.
func typeAt(t reflect.Type, path string) reflect.Type {
	for part := range strings.SplitSeq(path, ".") {
		name, _, _ := strings.Cut(part, "[")
		if name != "" {
			f, ok := fieldOf(t, name)
			if !ok {
				return nil
			}
			t = f.Type
		}
		for range strings.Count(part, "[") {
			if t.Kind() != reflect.Slice {
				return nil
			}
			t = t.Elem()
		}
		if t.Kind() == reflect.Pointer {
			t = t.Elem()
		}
	}
	return t
}

// fieldOf finds the field of a key.
func fieldOf(t reflect.Type, key string) (reflect.StructField, bool) {
	if t.Kind() != reflect.Struct {
		return reflect.StructField{}, false
	}
	for f := range t.Fields() {
		if name, _, _ := strings.Cut(f.Tag.Get("yaml"), ","); name == key && f.IsExported() {
			return f, true
		}
	}
	return reflect.StructField{}, false
}

// keysOf lists the keys of a type.
func keysOf(t reflect.Type) []string {
	if t == nil || t.Kind() != reflect.Struct {
		return nil
	}
	var keys []string
	for f := range t.Fields() {
		if name, _, _ := strings.Cut(f.Tag.Get("yaml"), ","); f.IsExported() && name != "-" && name != "" {
			keys = append(keys, name)
		}
	}
	return keys
}

// nearest proposes the known word that an unknown one was perhaps meant to be.
func nearest(word string, known []string) string {
	best, bestD := "", len(word)/3+1
	for _, k := range known {
		if d := distance(word, k); d < bestD || d == bestD && best == "" {
			best, bestD = k, d
		}
	}
	if best == "" || best == word {
		return ""
	}
	return fmt.Sprintf(" (did you mean %s?)", best)
}

// distance counts the insertions, deletions and replacements of bytes between two
// words (Levenshtein 1966).
func distance(a, b string) int {
	if len(a) > 100 || len(b) > 100 {
		return max(len(a), len(b))
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		last := slices.Clone(row)
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			row[j+1] = min(last[j+1]+1, row[j]+1, last[j]+cost)
		}
	}
	return row[len(b)]
}
