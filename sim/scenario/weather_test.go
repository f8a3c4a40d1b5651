package scenario

import (
	"errors"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/kapok-fleet/kapok/planner/chart/harbour"
)

func TestWeatherChangesWhatItNames(t *testing.T) {
	s, err := Parse("s.yaml", []byte(small+`
conditions:
  wind_mps: 4
  wind_from_deg: 90
  closed_ways: [7, 5]
  changes:
    - {at: 10s, gust_mps: 3}
    - {at: 20s, wind_mps: 0, close_ways: [6, 7], open_ways: [5]}
`))
	if err != nil {
		t.Fatal(err)
	}
	want := []Weather{
		{0, 4, 90, 0, []int64{5, 7}},
		{Duration(10 * time.Second), 4, 90, 3, []int64{5, 7}},
		{Duration(20 * time.Second), 0, 90, 3, []int64{6, 7}},
	}
	if got := s.Conditions.Over(); !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
	for at, want := range map[time.Duration]float64{0: 4, 19 * time.Second: 4, 20 * time.Second: 0, time.Minute: 0} {
		if got := s.Conditions.At(Duration(at)); got.WindMPS != want {
			t.Errorf("at %v the wind is %g m/s, want %g", at, got.WindMPS, want)
		}
	}
	if !s.Conditions.Any() || (&Conditions{WindFromDeg: 90}).Any() {
		t.Error("a direction alone is no weather")
	}
}

// TestClosedWaysAreOfTheChart: a way that is not on the chart is told with its place.
func TestClosedWaysAreOfTheChart(t *testing.T) {
	on := func(more string) error {
		s, err := Parse("s.yaml", []byte(small+more))
		if err != nil {
			t.Fatal(err)
		}
		_, err = Charts{Harbour: harbour.Chart}.Prepare(&s)
		return err
	}
	c, err := harbour.Chart()
	if err != nil {
		t.Fatal(err)
	}
	way := c.Ground.Arcs[0].WayID
	if err := on("conditions: {closed_ways: [" + strconv.FormatInt(way, 10) + "]}\n"); err != nil {
		t.Error(err)
	}
	err = on("conditions: {closed_ways: [" + strconv.FormatInt(way, 10) + ", 999999]}\n")
	if !errors.Is(err, ErrInvalid) || !strings.HasPrefix(err.Error(), "s.yaml:6:") || !strings.Contains(err.Error(), "999999") {
		t.Errorf("%v", err)
	}
	err = on("conditions:\n  changes:\n    - {at: 5s, close_ways: [999999]}\n")
	if !errors.Is(err, ErrInvalid) || !strings.HasPrefix(err.Error(), "s.yaml:8:") {
		t.Errorf("%v", err)
	}
}

func TestFleetsSayWhatTheyDoWithoutALink(t *testing.T) {
	for text, ok := range map[string]bool{
		"lost_link: return": true, "lost_link: land, lost_link_after: 20s": true, "lost_link: dance": false,
		"lost_link_after: 20s": false, "lost_link: continue, lost_link_after: 20s": false,
	} {
		_, err := Parse("s.yaml", []byte(small+"  - {kind: multirotor, count: 1, prefix: D, "+text+"}\n"))
		if (err == nil) != ok {
			t.Errorf("%s: %v", text, err)
		}
	}
}
