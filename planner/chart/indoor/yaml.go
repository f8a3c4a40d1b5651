package indoor

import (
	"fmt"
	"math"
	"strconv"

	"github.com/kapok-fleet/kapok/planner/strictyaml"
)

// fault is what is wrong at a place of a YAML file.
func fault(v *strictyaml.Value, text string, args ...any) error {
	return fmt.Errorf("line %d, column %d: %s", v.Line, v.Column, fmt.Sprintf(text, args...))
}

func lineOf(v *strictyaml.Value) string { return fmt.Sprintf("line %d", v.Line) }

// want is a key of a mapping that must be there, of a kind.
func want(v *strictyaml.Value, key string, kind strictyaml.Kind) (*strictyaml.Value, error) {
	one := v.Get(key)
	if one == nil {
		return nil, fault(v, "%s is missing", key)
	}
	return one, demand(one, key, kind)
}

// may is a key of a mapping that may be there, of a kind; nil where it is not.
func may(v *strictyaml.Value, key string, kind strictyaml.Kind) (*strictyaml.Value, error) {
	one := v.Get(key)
	if one == nil {
		return nil, nil //nolint:nilnil // What is not there is no error.
	}
	return one, demand(one, key, kind)
}

func demand(v *strictyaml.Value, what string, kind strictyaml.Kind) error {
	if v.Kind == kind || v.Kind == strictyaml.Map && len(v.Pairs) == 0 && kind == strictyaml.List {
		return nil // The editor writes an empty list as {}.
	}
	return fault(v, "%s is %v, not %v", what, v.Kind, kind)
}

func number(v *strictyaml.Value, what string) (float64, error) {
	if v.Kind == strictyaml.Scalar {
		if f, err := strconv.ParseFloat(v.Text, 64); err == nil && !math.IsNaN(f) && !math.IsInf(f, 0) {
			return f, nil
		}
	}
	return 0, fault(v, "%s is %s, not a number", what, told(v))
}

// index is the number of one of so many things.
func index(v *strictyaml.Value, what string, count int) (int, error) {
	if v.Kind == strictyaml.Scalar {
		if n, err := strconv.Atoi(v.Text); err == nil {
			if n < 0 || n >= count {
				return 0, fault(v, "%s is %d, and there are %d, from 0 on", what, n, count)
			}
			return n, nil
		}
	}
	return 0, fault(v, "%s is %s, not a whole number", what, told(v))
}

func told(v *strictyaml.Value) string {
	if v.Kind == strictyaml.Scalar {
		const most = 40
		if len(v.Text) > most {
			return strconv.Quote(v.Text[:most]) + "…"
		}
		return strconv.Quote(v.Text)
	}
	return v.Kind.String()
}

// params are the typed properties that an Open-RMF file gives its parts: a list of a
// number for the type and the value. Older files have the value alone.
type params struct{ of *strictyaml.Value }

func paramsOf(item *strictyaml.Value, at int) (params, error) {
	if len(item.Items) <= at || item.Items[at].Kind == strictyaml.Null {
		return params{}, nil
	}
	return params{item.Items[at]}, demand(item.Items[at], "the properties", strictyaml.Map)
}

// value is that of a property; nil where there is none.
func (p params) value(key string) (*strictyaml.Value, error) {
	v := p.of.Get(key)
	if v == nil || v.Kind == strictyaml.Scalar {
		return v, nil
	}
	if v.Kind != strictyaml.List || len(v.Items) != 2 {
		return nil, fault(v, "%s is not a type and a value, as in [3, 1.5]", key)
	}
	return v.Items[1], nil
}

func (p params) text(key string) (string, error) {
	v, err := p.value(key)
	if v == nil || err != nil || v.Kind == strictyaml.Null {
		return "", err
	}
	if v.Kind != strictyaml.Scalar {
		return "", fault(v, "%s is %v, not a text", key, v.Kind)
	}
	return v.Text, nil
}

func (p params) flag(key string) (bool, error) {
	v, err := p.value(key)
	if v == nil || err != nil {
		return false, err
	}
	switch v.Text {
	case "true", "True", "1":
		return true, nil
	case "false", "False", "0":
		return false, nil
	}
	return false, fault(v, "%s is %s, neither true nor false", key, told(v))
}

func (p params) number(key string) (float64, error) {
	v, err := p.value(key)
	if v == nil || err != nil {
		return 0, err
	}
	return number(v, key)
}
