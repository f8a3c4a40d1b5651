package fleet

import (
	"encoding/json"
	"reflect"
	"testing"
	"time"
)

// fillIn puts something into every part of a value that can be written, lists and
// maps included, and returns how many places were filled.
func fillIn(v reflect.Value, depth int) int {
	if _, ok := v.Interface().(time.Time); ok {
		v.Set(reflect.ValueOf(time.Unix(1_700_000_000, 5).UTC()))
		return 1
	}
	switch v.Kind() {
	case reflect.Struct:
		n := 0
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.IsExported() && f.Tag.Get("json") != "-" {
				n += fillIn(v.Field(i), depth)
			}
		}
		return n
	case reflect.String:
		v.SetString("x")
	case reflect.Float64:
		v.SetFloat(1.5)
	case reflect.Int, reflect.Int64:
		v.SetInt(7)
	case reflect.Uint, reflect.Uint64, reflect.Uint8:
		v.SetUint(7)
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Slice:
		if depth == 0 {
			return 0
		}
		if v.Type() == reflect.TypeFor[json.RawMessage]() {
			v.SetBytes([]byte(`{"a":1}`))
			return 1
		}
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		return fillIn(v.Index(0), depth-1)
	case reflect.Array:
		for i := range v.Len() {
			fillIn(v.Index(i), depth)
		}
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		return fillIn(v.Elem(), depth)
	case reflect.Map:
		key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		fillIn(key, depth)
		n := fillIn(value, depth)
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(key, value)
		return n
	default:
		return 0
	}
	return 1
}

// leaves calls do for each part of a value that is a number, a text, a truth or a
// time, with what changes it and changes it back.
func leaves(path string, v reflect.Value, do func(path string, flip func())) {
	if at, ok := v.Interface().(time.Time); ok {
		do(path, func() {
			if v.Interface() == at {
				v.Set(reflect.ValueOf(at.Add(time.Nanosecond)))
			} else {
				v.Set(reflect.ValueOf(at))
			}
		})
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.IsExported() && f.Tag.Get("json") != "-" {
				leaves(path+"."+f.Name, v.Field(i), do)
			}
		}
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			leaves(path+"[]", v.Index(i), do)
		}
	case reflect.Pointer:
		if !v.IsNil() {
			leaves(path, v.Elem(), do)
		}
	case reflect.String:
		do(path, func() {
			if v.String() == "x" {
				v.SetString("y")
			} else {
				v.SetString("x")
			}
		})
	case reflect.Float64:
		do(path, func() { v.SetFloat(-v.Float()) })
	case reflect.Int, reflect.Int64:
		do(path, func() { v.SetInt(-v.Int()) })
	case reflect.Uint, reflect.Uint64, reflect.Uint8:
		do(path, func() { v.SetUint(^v.Uint()) })
	case reflect.Bool:
		do(path, func() { v.SetBool(!v.Bool()) })
	default:
	}
}

// entityOf is one of a kind with every part filled.
func entityOf[T any](kind entityKind) (entityKey, reflect.Value, func(all shapes, k entityKey) uint64) {
	e := new(T)
	v := reflect.ValueOf(e).Elem()
	fillIn(v, 3)
	return entityKey{kind, "E"}, v, func(all shapes, k entityKey) uint64 { return sum(all, k, e) }
}

func TestEveryPartOfAnEntityCounts(t *testing.T) {
	all := shapes{}
	check := func(k entityKey, v reflect.Value, sum func(shapes, entityKey) uint64) {
		t.Helper()
		before, n := sum(all, k), 0
		leaves(v.Type().Name(), v, func(path string, flip func()) {
			n++
			flip()
			if sum(all, k) == before {
				t.Errorf("a change of %s does not show", path)
			}
			flip()
			if sum(all, k) != before {
				t.Fatalf("%s was not put back", path)
			}
		})
		if n < 2 || sum(shapes{}, k) != before {
			t.Errorf("%s: %d parts, or another sum by other shapes", v.Type().Name(), n)
		}
		if other := (entityKey{k.kind, "F"}); sum(all, other) == before {
			t.Errorf("%s: another id has the same sum", v.Type().Name())
		}
	}
	check(entityOf[Vehicle](kindVehicle))
	check(entityOf[Task](kindTask))
	check(entityOf[Mission](kindMission))
	check(entityOf[Command](kindCommand))
	check(entityOf[Alert](kindAlert))
	check(entityOf[Queue](kindQueue))
	check(entityOf[GivenAnswer](kindAnswer))
	check(entityOf[Incident](kindIncident))
	check(entityOf[ZoneRecord](kindZone))
	check(entityOf[Question](kindQuestion))
	k, v, _ := entityOf[Presence](kindPresence)
	p, _ := v.Addr().Interface().(*Presence)
	check(k, v, func(_ shapes, k entityKey) uint64 { return sumPresence(k.seed(), p) })
}

func TestAnEntityThatWasWrittenAndReadHasTheSameSum(t *testing.T) {
	for _, depth := range []int{0, 3} {
		var m, read Mission
		fillIn(reflect.ValueOf(&m).Elem(), depth)
		data, err := json.Marshal(&m)
		if err == nil {
			err = json.Unmarshal(data, &read)
		}
		if err != nil {
			t.Fatal(err)
		}
		k := entityKey{kindMission, "M"}
		if sum(shapes{}, k, &m) != sum(shapes{}, k, &read) {
			t.Errorf("mission with %d legs: written and read it differs", len(m.Legs))
		}
	}
	var v Vehicle
	v.Refusals = map[TaskID]Refusal{"T1": {Times: 1}, "T2": {Times: 2}}
	w := v
	w.Refusals = map[TaskID]Refusal{"T1": {Times: 2}, "T2": {Times: 1}}
	k := entityKey{kindVehicle, "V"}
	if sum(shapes{}, k, &v) == sum(shapes{}, k, &w) {
		t.Error("exchanged values of a map do not show")
	}
}
