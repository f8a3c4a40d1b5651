package fleet_test

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/kapok-fleet/kapok/fleet"
	"github.com/kapok-fleet/kapok/protocol/api"
)

// directPeople carries out a stage direction about what people decide by hand, if
// it is one.
func (s *stage) directPeople(words []string) bool {
	s.t.Helper()
	who := ""
	if len(words) > 1 {
		who = words[1]
	}
	switch words[0] {
	case "take": // take v1
		s.ask(words, fleet.TakeOver{Vehicle: fleet.VehicleID(who), Order: api.Takeover{Reason: "by hand"}})
	case "hand_back": // hand_back v1
		s.ask(words, fleet.TakeOver{Vehicle: fleet.VehicleID(who), HandBack: true, Order: api.Takeover{Reason: "done"}})
	case "reassign": // reassign T1 v1
		s.ask(words, fleet.ReassignTask{Task: fleet.TaskID(who), Order: api.Reassignment{Vehicle: words[2], Reason: "it is near"}})
	case "rank": // rank T1 [emergency] [rank=N]
		o := api.Ranking{Reason: "it presses"}
		if n, err := strconv.Atoi(option(words, "rank")); err == nil {
			o.Rank = &n
		}
		for _, p := range words[2:] {
			if slices.Contains([]string{"emergency", "urgent", "routine"}, p) {
				o.Priority = p
			}
		}
		s.ask(words, fleet.RankTask{Task: fleet.TaskID(who), Order: o})
	case "group": // group hold [vehicle=v1] [kind=rover] [area=west,south,east,north]
		o := api.GroupCommand{Kind: who, Vehicles: options(words, "vehicle"), VehicleKinds: options(words, "kind"), Reason: "all of them"}
		if a := option(words, "area"); a != "" {
			o.Area = new([4]float64)
			_, err := fmt.Sscanf(a, "%g,%g,%g,%g", &o.Area[0], &o.Area[1], &o.Area[2], &o.Area[3])
			s.must(err)
		}
		s.ask(words, fleet.CommandGroup{Order: o})
	case "emergency_stop":
		s.ask(words, fleet.StopFleet{Order: api.EmergencyStop{Reason: "smoke"}})
	case "release": // release [resume]
		s.ask(words, fleet.ReleaseFleet{Order: api.EmergencyRelease{Resume: who == "resume", Reason: "all clear"}})
	default:
		return false
	}
	return true
}
