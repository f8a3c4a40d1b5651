package scenario

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml"

	"github.com/kapok-fleet/kapok/planner/strictyaml"
)

// MaxMatrix is how many runs a matrix makes at most; a file that asks for more is
// refused.
const MaxMatrix = 1000

// errNoScalar is the kind of error for a path that a matrix cannot set.
var errNoScalar = errors.New("only keys with a single value can be set")

// axis is a key of a matrix with its values.
type axis struct {
	path   string
	values []any
}

// axes are those of the matrix in the order of the file.
func (s *Scenario) axes() []axis {
	var all []axis
	for _, path := range slices.Sorted(maps.Keys(s.Matrix)) {
		all = append(all, axis{path, s.Matrix[path]})
	}
	slices.SortStableFunc(all, func(a, b axis) int {
		p := strictyaml.Locate(s.data, "matrix."+quoted(a.path))
		q := strictyaml.Locate(s.data, "matrix."+quoted(b.path))
		return cmp.Or(cmp.Compare(p.Line, q.Line), cmp.Compare(p.Column, q.Column))
	})
	return all
}

func (s *Scenario) validateMatrix() error {
	runs := 1
	for _, a := range s.axes() {
		path := "matrix." + quoted(a.path)
		if len(a.values) == 0 {
			return wrong(path, "has no value")
		}
		if runs *= len(a.values); runs > MaxMatrix {
			return wrong("matrix", "makes more than %d runs", MaxMatrix)
		}
	}
	return nil
}

// expand makes the scenarios of a matrix, one for each combination of the values of
// its keys, in order of the last key, then of the one before, and so on. What is
// not yet filled in is copied for each.
func (s *Scenario) expand() ([]Scenario, error) {
	axes := s.axes()
	runs := 1
	for _, a := range axes {
		runs *= len(a.values)
	}
	out := make([]Scenario, 0, runs)
	for n := range runs {
		one := s.copied()
		one.Matrix = nil
		rest, parts := n, make([]string, len(axes))
		for i, a := range slices.Backward(axes) {
			k := rest % len(a.values)
			rest /= len(a.values)
			if err := set(reflect.ValueOf(&one).Elem(), a.path, a.values[k]); err != nil {
				return nil, wrong(fmt.Sprintf("matrix.%s[%d]", quoted(a.path), k), "cannot be set: %v", err)
			}
			parts[i] = fmt.Sprintf("%s=%v", a.path, a.values[k])
		}
		one.Name += "[" + strings.Join(parts, ",") + "]"
		if err := one.complete(); err != nil {
			if bad, ok := errors.AsType[*fieldError](err); ok {
				return nil, wrong("matrix", "makes %s, where %v", one.Name, bad)
			}
			return nil, err
		}
		out = append(out, one)
	}
	return out, nil
}

// set gives the value at a path another value.
func set(at reflect.Value, path string, value any) error {
	rest := path
	for rest != "" {
		var part string
		part, rest, _ = strings.Cut(rest, ".")
		name, indexes, _ := strings.Cut(part, "[")
		if at.Kind() == reflect.Map {
			return setEntry(at, part, value)
		}
		f, ok := fieldOf(at.Type(), name)
		if !ok || name == "matrix" || name == "name" {
			known := slices.DeleteFunc(keysOf(at.Type()), func(k string) bool { return k == "matrix" || k == "name" })
			return fmt.Errorf("there is no key %q to set%s; known are %s", name, nearest(name, known), strings.Join(known, ", "))
		}
		at = at.FieldByIndex(f.Index)
		for index := range strings.SplitSeq(strings.TrimSuffix(indexes, "]"), "][") {
			if indexes == "" {
				break
			}
			i, err := strconv.Atoi(index)
			if err != nil || at.Kind() != reflect.Slice || i < 0 || i >= at.Len() {
				return fmt.Errorf("%q has no element %s", name, index)
			}
			at = at.Index(i)
		}
		if at.Kind() == reflect.Pointer && rest != "" {
			if at.IsNil() {
				at.Set(reflect.New(at.Type().Elem()))
			}
			at = at.Elem()
		}
		if at.Kind() == reflect.Map && at.IsNil() && rest != "" {
			at.Set(reflect.MakeMap(at.Type()))
		}
	}
	return setScalar(at, value)
}

// setEntry sets a share of a map.
func setEntry(at reflect.Value, key string, value any) error {
	one := reflect.New(at.Type().Elem()).Elem()
	if err := setScalar(one, value); err != nil {
		return err
	}
	at.SetMapIndex(reflect.ValueOf(key), one)
	return nil
}

// setScalar reads a value into a field as the file would.
func setScalar(at reflect.Value, value any) error {
	t := at.Type()
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch t.Kind() {
	case reflect.Struct, reflect.Slice, reflect.Map:
		if t != reflect.TypeFor[time.Time]() {
			return errNoScalar
		}
	}
	text, err := yaml.Marshal(value)
	if err != nil {
		return fmt.Errorf("%v is no value: %w", value, err)
	}
	if err := strictyaml.Unmarshal(text, at.Addr().Interface()); err != nil {
		if e, ok := errors.AsType[*strictyaml.Error](err); ok {
			return fmt.Errorf("%v does not fit: %s", value, firstLine(e.Message))
		}
		return fmt.Errorf("%v does not fit: %w", value, err)
	}
	return nil
}

// copied is a scenario that shares nothing with this one that either could change.
func (s *Scenario) copied() Scenario {
	var out Scenario
	reflect.ValueOf(&out).Elem().Set(clone(reflect.ValueOf(s).Elem()))
	out.file, out.data = s.file, s.data
	return out
}

// clone copies a value with all that it points to. Unexported fields stay zero.
func clone(v reflect.Value) reflect.Value {
	out := reflect.New(v.Type()).Elem()
	switch v.Kind() {
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			return v
		}
		for f := range v.Type().Fields() {
			if f.IsExported() {
				out.FieldByIndex(f.Index).Set(clone(v.FieldByIndex(f.Index)))
			}
		}
		return out
	case reflect.Pointer:
		if !v.IsNil() {
			out.Set(reflect.New(v.Type().Elem()))
			out.Elem().Set(clone(v.Elem()))
		}
		return out
	case reflect.Slice:
		if !v.IsNil() {
			out.Set(reflect.MakeSlice(v.Type(), v.Len(), v.Len()))
			for i := range v.Len() {
				out.Index(i).Set(clone(v.Index(i)))
			}
		}
		return out
	case reflect.Map:
		if !v.IsNil() {
			out.Set(reflect.MakeMapWithSize(v.Type(), v.Len()))
			for key, value := range v.Seq2() {
				out.SetMapIndex(key, clone(value))
			}
		}
		return out
	}
	return v
}

// firstLine is the beginning of a text.
func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return line
}
