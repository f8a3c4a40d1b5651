package api

import (
	"reflect"
	"testing"
	"time"
)

// TestAVehicleIsItsTwoParts: no field of a vehicle is in neither part or in
// both, and the parts put together are the vehicle.
func TestAVehicleIsItsTwoParts(t *testing.T) {
	fields := map[string]int{}
	for _, part := range []any{VehicleRecord{}, VehiclePosition{}} {
		kind := reflect.TypeOf(part)
		for i := range kind.NumField() {
			fields[kind.Field(i).Name]++
		}
	}
	whole := reflect.TypeFor[Vehicle]()
	for i := range whole.NumField() {
		name, want := whole.Field(i).Name, 1
		if name == "ID" {
			want = 2
		}
		if fields[name] != want {
			t.Errorf("field %s of a vehicle is in %d of its parts, want %d", name, fields[name], want)
		}
		delete(fields, name)
	}
	for name := range fields {
		t.Errorf("field %s of a part is not one of a vehicle", name)
	}

	v := Vehicle{}
	filled := reflect.ValueOf(&v).Elem()
	for i := range filled.NumField() {
		field := filled.Field(i)
		switch field.Interface().(type) {
		case time.Time:
			field.Set(reflect.ValueOf(time.Unix(int64(i+1), 0)))
		case *Position:
			field.Set(reflect.ValueOf(&Position{Lon: float64(i + 1)}))
		case []string:
			field.Set(reflect.ValueOf([]string{whole.Field(i).Name}))
		case string:
			field.SetString(whole.Field(i).Name)
		case bool:
			field.SetBool(true)
		case float64:
			field.SetFloat(float64(i + 1))
		case uint64:
			field.SetUint(uint64(i + 1))
		default:
			t.Fatalf("the test knows no value for field %s", whole.Field(i).Name)
		}
	}
	var again Vehicle
	again.Take(v.Record())
	again.Move(v.Moving())
	if !reflect.DeepEqual(v, again) {
		t.Errorf("the parts make\n%+v\nof\n%+v", again, v)
	}
}
