package fleet_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/kapok-fleet/kapok/fleet"
	"github.com/kapok-fleet/kapok/protocol"
)

func TestTheResponsesThatComeWithKapok(t *testing.T) {
	kinds := map[string]fleet.Response{}
	for _, r := range fleet.DefaultResponses() {
		kinds[r.Kind] = r
	}
	for _, kind := range []string{"fire", "medical", "flood", "gas_leak", "lost_person"} {
		r, ok := kinds[kind]
		if !ok || len(r.Tasks) == 0 || r.EscalateAfterS == 0 || len(r.Reinforcement) == 0 {
			t.Errorf("%s: %+v", kind, r)
		}
	}
	fire := kinds["fire"].Tasks
	if fire[0].Kinds[0] != protocol.Multirotor || fire[0].Capabilities[0] != "camera" || fire[0].Place != fleet.PlaceAbove ||
		fire[1].Kinds[0] != protocol.Rover || fire[1].Capabilities[0] != "extinguisher" {
		t.Errorf("a fire is answered with %+v", fire)
	}
	if aed := kinds["medical"].Tasks[0]; aed.Capabilities[0] != "aed" || aed.Kinds[0] != protocol.Multirotor {
		t.Errorf("a medical emergency is answered with %+v", aed)
	}
	config := fleet.DefaultConfig()
	if err := config.Validate(); err != nil {
		t.Error(err)
	}
	views := config.ResponseViews()
	if len(views) != len(config.Responses) || views[0].Kind != "fire" || len(views[0].Tasks) != 3 || len(views[0].Reinforcement) != 1 {
		t.Errorf("the list for the API is %+v", views)
	}
}

// smallest is a file with one response, to which a test adds lines.
const smallest = `responses:
  - kind: storm
    title: Storm
    tasks:
      - role: look
        action: visit
`

func TestAFileOfResponsesIsReadStrictly(t *testing.T) {
	list, err := fleet.ParseResponses([]byte(smallest))
	if err != nil || len(list) != 1 || list[0].Tasks[0].From != fleet.Minor || list[0].Tasks[0].Place != fleet.PlaceAt || list[0].RadiusM != fleet.DefaultRadiusM {
		t.Fatalf("%+v, %v", list, err)
	}
	flying := "        vehicle_kinds: [multirotor]\n"
	for _, c := range []struct{ name, file, want string }{
		{"an unknown key", smallest + "        colour: red\n", `7:9: `},
		{"no YAML", "responses: [", "unusable responses"},
		{"a lone tag", "responses:\n  ! #0", "no YAML that can be read"},
		{"nothing", "", "there is no response"},
		{"a bad kind", strings.Replace(smallest, "storm", "Storm!", 1), `2:11: unusable responses: responses[0].kind: kind "Storm!"`},
		{"twice", smallest + strings.TrimPrefix(smallest, "responses:\n"), `7:11: unusable responses: responses[1].kind: kind "storm" stands twice`},
		{"no title", strings.Replace(smallest, "Storm", `""`, 1), "3:12: "},
		{"a bad action", strings.Replace(smallest, "visit", "dance", 1), `6:17: unusable responses: responses[0].tasks[0].action: action is "dance"`},
		{"a bad vehicle", smallest + "        vehicle_kinds: [submarine]\n", `7:25: unusable responses: responses[0].tasks[0].vehicle_kinds[0]: there is no kind of vehicle "submarine"`},
		{"a bad severity", smallest + "        from: terrible\n", `7:15: `},
		{"a number out of range", smallest + "        work_s: -1\n", "work_s is -1: it must be 0 to 86400"},
		{"no number", smallest + "        work_s: .nan\n", "work_s is NaN"},
		{"above without a height", smallest + flying + "        place: above\n", "above needs height_m"},
		{"above on the ground", smallest + "        place: above\n        height_m: 20\n", "all of aircraft"},
		{"near for all kinds", smallest + "        place: near\n", "all fly or all drive"},
		{"nothing for a minor one", smallest + "        from: serious\n", "at least one task must be sent from severity minor on"},
		{"a search on land", strings.Replace(smallest, "visit", "search", 1) + "        spacing_m: 20\n", "all of aircraft"},
		{"a search without tracks", strings.Replace(smallest, "visit", "search", 1) + flying, "spacing_m from 5 to 1000"},
		{"too many sectors", strings.Replace(smallest, "visit", "search", 1) + flying + "        spacing_m: 20\n        height_m: 40\n        sectors: {serious: 9}\n", "from 1 to 8"},
		{"too long", strings.Repeat("#", fleet.MaxResponsesBytes+1), "longer than"},
	} {
		_, err := fleet.ParseResponses([]byte(c.file))
		if !errors.Is(err, fleet.ErrResponses) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", c.name, err, c.want)
		}
	}
}

func TestAConfigurationWithBadResponsesIsRefused(t *testing.T) {
	config := fleet.DefaultConfig()
	config.Responses[0].Tasks[0].WorkS = -1
	if err := config.Validate(); !errors.Is(err, fleet.ErrResponses) {
		t.Errorf("got %v", err)
	}
	config = fleet.DefaultConfig()
	config.Policy = "astrology"
	if err := config.Validate(); err == nil || !strings.Contains(err.Error(), "astrology") {
		t.Errorf("got %v", err)
	}
}

// FuzzParseResponses holds that what is read can be used, and nothing panics.
func FuzzParseResponses(f *testing.F) {
	f.Add([]byte(smallest))
	f.Add([]byte("responses:\n  - {kind: a, title: b, tasks: [{role: c, action: search, height_m: 1e9}]}\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		list, err := fleet.ParseResponses(data)
		if err != nil {
			if !errors.Is(err, fleet.ErrResponses) {
				t.Errorf("the error %v is of another kind", err)
			}
			return
		}
		config := fleet.DefaultConfig()
		config.Responses = list
		if err := config.Validate(); err != nil {
			t.Errorf("it was read and cannot be used: %v", err)
		}
	})
}
