package server

import (
	"math/rand/v2"
	"net/url"
	"strings"
	"testing"

	"github.com/kapok-fleet/kapok/fleet"
	"github.com/kapok-fleet/kapok/protocol/api"
)

// TestWishes reads the query of a stream.
func TestWishes(t *testing.T) {
	all := interest{topics: everything}
	for _, c := range []struct {
		query string
		want  wish
		field string // at fault, empty for none
	}{
		{"", wish{interest: all, every: 5}, ""},
		{"rate_hz=10", wish{interest: all, every: 1}, ""},
		{"rate_hz=3", wish{interest: all, every: 4}, ""},
		{"rate_hz=0", wish{interest: all}, ""},
		{"rate_hz=1e-300", wish{interest: all, every: 36000}, ""},
		{"rate_hz=10.1", wish{}, "query.rate_hz"},
		{"rate_hz=-1", wish{}, "query.rate_hz"},
		{"rate_hz=Inf", wish{}, "query.rate_hz"},
		{"rate_hz=NaN", wish{}, "query.rate_hz"},
		{"after=7&rate_hz=0", wish{interest: all, resume: true, after: 7}, ""},
		{"after=0&rate_hz=0", wish{interest: all, resume: true}, ""},
		{"after=-1", wish{}, "query.after"},
		{"after=", wish{}, "query.after"},
		{"after=18446744073709551615", wish{}, "query.after"},
		{"since=7", wish{}, "query.since"},
		{"kinds=tasks,alerts", wish{interest: interest{topics: aboutTasks | aboutAlerts}}, ""},
		{"kinds=positions", wish{interest: interest{topics: aboutPositions}, every: 5}, ""},
		{"kinds=", wish{}, "query.kinds"},
		{"kinds=tasks,robots", wish{}, "query.kinds"},
		{"vehicle_kinds=rover,vtol&rate_hz=0", wish{interest: interest{topics: everything, kinds: 1 | 4}}, ""},
		{"vehicle_kinds=tram", wish{}, "query.vehicle_kinds"},
		{"area=7.4,43.7,7.5,43.8&rate_hz=0", wish{interest: interest{topics: everything, bounded: true, area: box{7.4, 43.7, 7.5, 43.8}}}, ""},
		{"area=179,-10,-179,10&rate_hz=0", wish{interest: interest{topics: everything, bounded: true, area: box{179, -10, -179, 10}}}, ""},
		{"area=7.4,43.8,7.5,43.7", wish{}, "query.area"},
		{"area=7.4,43.7,7.5", wish{}, "query.area"},
		{"area=7.4,43.7,7.5,x", wish{}, "query.area"},
		{"area=-181,0,0,0", wish{}, "query.area"},
		{"area=0,0,0,91", wish{}, "query.area"},
		{"area=", wish{}, "query.area"},
	} {
		query, err := url.ParseQuery(c.query)
		if err != nil {
			t.Fatal(err)
		}
		got, p := parseWish(query)
		if (p == nil) != (c.field == "") || p != nil && p.Field != c.field || p == nil && got != c.want {
			t.Errorf("parseWish(%q) = %+v, %v", c.query, got, p)
		}
	}
}

// TestAnAreaTouches compares areas with a definition by points.
func TestAnAreaTouches(t *testing.T) {
	chance := rand.New(rand.NewPCG(1, 2))
	inside := func(a box, lon, lat float64) bool {
		if lat < a.south || lat > a.north {
			return false
		}
		if a.west <= a.east {
			return lon >= a.west && lon <= a.east
		}
		return lon >= a.west || lon <= a.east
	}
	touching := 0
	for range 20000 {
		degree := func(limit int) float64 { return float64(chance.IntN(2*limit+1) - limit) }
		area := box{degree(6), degree(3), degree(6), degree(3)}
		thing := box{degree(6), degree(3), degree(6), degree(3)}
		area.south, area.north = min(area.south, area.north), max(area.south, area.north)
		thing.south, thing.north = min(thing.south, thing.north), max(thing.south, thing.north)
		thing.west, thing.east = min(thing.west, thing.east), max(thing.west, thing.east)
		want := false
		// All corners are whole degrees, so a common point has whole degrees.
		for lon := thing.west; lon <= thing.east; lon++ {
			for lat := thing.south; lat <= thing.north; lat++ {
				want = want || inside(area, lon, lat)
			}
		}
		if want {
			touching++
		}
		if got := area.touches(thing); got != want {
			t.Fatalf("%+v touches %+v: %v, want %v", area, thing, got, want)
		}
	}
	if touching == 0 || touching == 20000 {
		t.Errorf("%d of 20000 touch: the test tells nothing apart", touching)
	}
}

// TestWhoIsTold is the table of what an interest means for each kind of thing.
func TestWhoIsTold(t *testing.T) {
	here, there := box{1, 1, 2, 2}, box{5, 5, 6, 6}
	bounded := interest{topics: everything, bounded: true, area: here}
	rovers := interest{topics: everything, kinds: kindBit("rover")}
	for _, c := range []struct {
		name string
		who  interest
		what []matter
		want bool
	}{
		{"an event about nothing concerns everybody", interest{topics: aboutZones}, nil, true},
		{"another topic", interest{topics: aboutTasks}, []matter{{topic: aboutAlerts}}, false},
		{"one of two topics", interest{topics: aboutTasks}, []matter{{topic: aboutAlerts}, {topic: aboutTasks}}, true},
		{"in the area", bounded, []matter{{topic: aboutTasks, placed: true, box: here}}, true},
		{"outside of the area", bounded, []matter{{topic: aboutTasks, placed: true, box: there}}, false},
		{"without a place", bounded, []matter{{topic: aboutIncidents}}, true},
		{"another kind of vehicle", rovers, []matter{{topic: aboutVehicles, kind: kindBit("vtol")}}, false},
		{"the kind of vehicle", rovers, []matter{{topic: aboutVehicles, kind: kindBit("rover")}}, true},
		{"no vehicle at all", rovers, []matter{{topic: aboutAlerts}}, true},
	} {
		if got := c.who.wantsAny(c.what); got != c.want {
			t.Errorf("%s: told is %v", c.name, got)
		}
	}
}

// TestEveryEventHasASubject: what is durable and about one of the kinds names
// it, so that no subscription misses it.
func TestEveryEventHasASubject(t *testing.T) {
	d := &fleet.NewState().Durable
	d.Missions["M1"] = &fleet.Mission{ID: "M1", Vehicle: "r1"}
	d.Commands["C1"] = &fleet.Command{ID: "C1", Vehicle: "r1"}
	d.Tasks["T1"] = &fleet.Task{ID: "T1", Incident: "I1"}
	for _, c := range []struct {
		event fleet.Event
		want  subject
	}{
		{fleet.VehicleRegistered{Vehicle: fleet.Vehicle{ID: "r1"}}, subject{vehicle: "r1"}},
		{fleet.VehicleTakenOver{Vehicle: "r1"}, subject{vehicle: "r1"}},
		{fleet.LogOpened{Vehicle: "r1"}, subject{vehicle: "r1"}},
		{fleet.ReportTaken{Vehicle: "r1"}, subject{vehicle: "r1"}},
		{fleet.MissionChanged{Mission: "M1"}, subject{vehicle: "r1"}},
		{fleet.LegChanged{Mission: "M1"}, subject{vehicle: "r1"}},
		{fleet.MissionAnswered{Mission: "M0"}, subject{}},
		{fleet.CommandChanged{Command: "C1"}, subject{command: "C1", vehicle: "r1"}},
		{fleet.TaskChanged{Task: "T1"}, subject{task: "T1", incident: "I1"}},
		{fleet.TaskRanked{Task: "T2"}, subject{task: "T2"}},
		{fleet.AlertCleared{Alert: "A1"}, subject{alert: "A1"}},
		{fleet.IncidentChanged{Incident: "I1"}, subject{incident: "I1"}},
		{fleet.ZoneRemoved{Zone: "Z1"}, subject{zone: "Z1"}},
		{fleet.FleetStopped{}, subject{}},
	} {
		if got := subjectOf(d, c.event); got != c.want {
			t.Errorf("%s is about %+v, want %+v", c.event.EventName(), got, c.want)
		}
	}
}

// FuzzSubscribe reads any frame without a panic; what it accepts can be repeated
// to the subscriber and means the same again.
func FuzzSubscribe(f *testing.F) {
	for _, seed := range []string{
		`{"type":"subscribe"}`, `{"type":"subscribe","area":[1,2,3,4],"kinds":["tasks"],"vehicle_kinds":["rover"],"rate_hz":0}`,
		`{"type":"subscribe","area":[1,2,3]}`, `{"type":"hello"}`, `[]`, `{"type":7}`, `{"type":"subscribe","limit":1}`, `{`, `null`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, frame []byte) {
		w, p := parseSubscribe(frame)
		if p != nil {
			if _, ok := kinds()[p.Code]; !ok || p.Detail == "" {
				t.Errorf("%q is refused with %+v", frame, p.Problem)
			}
			return
		}
		said := w.subscribed()
		again, p := newWish(api.StreamSubscribe{Area: said.Area, Kinds: said.Kinds, VehicleKinds: said.VehicleKinds, RateHz: &said.RateHz}, "")
		if p != nil || again != w {
			t.Errorf("%q is %+v, repeated as %+v, which is %+v, %v", frame, w, said, again, p)
		}
	})
}

// TestFramesThatAreRefused names the fault of a subscriber's frame.
func TestFramesThatAreRefused(t *testing.T) {
	for frame, want := range map[string]string{
		`{`:                                    codeMalformedJSON + " ",
		`hello`:                                codeMalformedJSON + " ",
		`[]`:                                   codeInvalid + " type",
		`{}`:                                   codeInvalid + " type",
		`{"type":"unsubscribe"}`:               codeInvalid + " type",
		`{"type":"subscribe","kinds":"tasks"}`: codeInvalid + " kinds",
		`{"type":"subscribe","kinds":[]}`:      codeInvalid + " kinds",
		`{"type":"subscribe","filter":1}`:      codeInvalid + " ",
		`{"type":"subscribe","rate_hz":99}`:    codeInvalid + " rate_hz",
		`{"type":"subscribe","area":[]}`:       codeInvalid + " area",
	} {
		_, p := parseSubscribe([]byte(frame))
		if p == nil || p.Code+" "+p.Field != want || strings.Contains(p.Detail, "{") {
			t.Errorf("%s is refused with %v, want %s", frame, p, want)
		}
	}
}
