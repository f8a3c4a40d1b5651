package indoor_test

import (
	"strings"
	"testing"

	"github.com/kapok-fleet/kapok/planner/chart/indoor"
	"github.com/kapok-fleet/kapok/planner/space"
)

// depot is a hall on two levels, in the first version of the format: three nodes
// below, two above, a lift between, and a station that charges.
const depot = `{
  "metaInformation": {"projectIdentification": "depot", "creator": "x", "exportTimestamp": "2026-01-01T00:00:00Z", "lifVersion": "1.0.0"},
  "layouts": [
    {"layoutId": "low", "layoutLevelId": "0", "nodes": [
      {"nodeId": "n1", "mapId": "m", "nodePosition": {"x": 0, "y": 0}, "vehicleTypeNodeProperties": [{"vehicleTypeId": "carrier", "theta": 0}]},
      {"nodeId": "n2", "mapId": "m", "nodePosition": {"x": 10, "y": 0}, "vehicleTypeNodeProperties": [{"vehicleTypeId": "carrier", "actions": [{"actionType": "startCharging"}]}]},
      {"nodeId": "n3", "mapId": "m", "nodePosition": {"x": 10, "y": 5}, "vehicleTypeNodeProperties": [{"vehicleTypeId": "carrier"}]}
    ], "edges": [
      {"edgeId": "e1", "startNodeId": "n1", "endNodeId": "n2", "vehicleTypeEdgeProperties": [{"vehicleTypeId": "carrier", "maxSpeed": 1.5}, {"vehicleTypeId": "tugger", "maxHeight": 2}]},
      {"edgeId": "e2", "startNodeId": "n2", "endNodeId": "n1", "vehicleTypeEdgeProperties": [{"vehicleTypeId": "carrier"}]},
      {"edgeId": "e3", "startNodeId": "n2", "endNodeId": "n3", "vehicleTypeEdgeProperties": [{"vehicleTypeId": "carrier"}]},
      {"edgeId": "up", "startNodeId": "n3", "endNodeId": "n4", "vehicleTypeEdgeProperties": [{"vehicleTypeId": "carrier"}]}
    ], "stations": [{"stationId": "s1", "stationName": "plug", "interactionNodeIds": ["n2"]}]},
    {"layoutId": "high", "layoutLevelId": "1", "nodes": [
      {"nodeId": "n4", "mapId": "m", "nodePosition": {"x": 10, "y": 5}, "vehicleTypeNodeProperties": [{"vehicleTypeId": "carrier"}]},
      {"nodeId": "n5", "mapId": "m", "nodePosition": {"x": 0, "y": 5}, "vehicleTypeNodeProperties": [{"vehicleTypeId": "carrier"}]}
    ], "edges": [
      {"edgeId": "e4", "startNodeId": "n4", "endNodeId": "n5", "vehicleTypeEdgeProperties": [{"vehicleTypeId": "carrier"}]},
      {"edgeId": "down", "startNodeId": "n4", "endNodeId": "n3", "vehicleTypeEdgeProperties": [{"vehicleTypeId": "carrier"}]}
    ]}
  ]
}`

// inVersion2 says the same in the second version of the format.
func inVersion2(file string) string {
	file = strings.NewReplacer(
		`"vehicleTypeNodeProperties"`, `"mobileRobotTypeNodeProperties"`, `"vehicleTypeEdgeProperties"`, `"mobileRobotTypeEdgeProperties"`,
		`"vehicleTypeId": "carrier"`, `"mobileRobotTypes": [{"manufacturer": "", "seriesName": "carrier"}]`,
		`"vehicleTypeId": "tugger"`, `"mobileRobotTypes": [{"manufacturer": "", "seriesName": "tugger"}]`,
		`"maxSpeed"`, `"maximumSpeed"`, `"projectIdentification"`, `"lifId"`, `"actions"`, `"feasibleActions"`,
		`"layouts": [`, `"origins": [{"originId": "hall", "layouts": [`,
	).Replace(file)
	return strings.TrimSuffix(file, "  ]\n}") + "  ]}]\n}"
}

func TestTheSameDepotInEachFormOfTheFormat(t *testing.T) {
	for name, file := range map[string]string{
		"vehicleTypeId":     depot,
		"vehicleTypeIds":    strings.NewReplacer(`"vehicleTypeId": "carrier"`, `"vehicleTypeIds": ["carrier"]`).Replace(depot),
		"a list as the id":  strings.NewReplacer(`"vehicleTypeId": "carrier"`, `"vehicleTypeId": ["carrier"]`).Replace(depot),
		"version 2":         inVersion2(depot),
		"a byte order mark": "\xef\xbb\xbf" + depot,
	} {
		m, err := indoor.ReadLIF(strings.NewReader(file))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		checkWhole(t, m)
		if m.Name != "depot" || len(m.Nodes) != 5 || len(m.Lanes) != 5 || len(m.Levels) != 2 || m.Levels[1].Name != "1" {
			t.Errorf("%s: %d nodes, %d lanes, levels %v", name, len(m.Nodes), len(m.Lanes), m.Levels)
			continue
		}
		first, tugger := m.Lanes[0], m.Lanes[1]
		if first.SpeedLimitMPS != 1.5 || first.Both || first.Classes[0] != "carrier" || tugger.Classes[0] != "tugger" || m.Nodes[first.To].XY != (space.XY{X: 10}) {
			t.Errorf("%s: the first edge is %+v and %+v", name, first, tugger)
		}
		lift := m.Lifts[0]
		if len(m.Lifts) != 1 || len(lift.Stops) != 2 || m.Nodes[lift.Stops[0].Node].ID != "n3" || m.Nodes[lift.Stops[1].Node].ID != "n4" {
			t.Errorf("%s: the lift is %+v", name, lift)
		}
		if s := m.Stations[0]; s.ID != "s1" || len(s.Nodes) != 1 || !m.Nodes[s.Nodes[0]].Charger {
			t.Errorf("%s: the station is %+v", name, s)
		}
		told := ""
		for _, f := range m.Findings {
			told += f.At + ": " + f.Text + "\n"
		}
		if !strings.Contains(told, "maxHeight: 1 edges") || !strings.Contains(told, "4 m above each other") || len(m.Findings) != 2 {
			t.Errorf("%s: it is told %q", name, told)
		}
	}
}

func TestBadLayoutsGetOneSentence(t *testing.T) {
	change := func(from, to string) string {
		if !strings.Contains(depot, from) {
			t.Fatalf("%q is not in the file", from)
		}
		return strings.Replace(depot, from, to, 1)
	}
	for name, c := range map[string]struct{ file, want string }{
		"empty":                {"", "line 1"},
		"no JSON":              {strings.TrimSuffix(depot, "}"), "line 22"},
		"another JSON":         {`{"features": []}`, "no layouts"},
		"a word for a number":  {change(`"x": 10, "y": 0`, `"x": "far", "y": 0`), "line 6"},
		"no position":          {change(`"nodePosition": {"x": 10, "y": 0}, `, ``), `node 2 ("n2"): it has no nodePosition`},
		"half a position":      {change(`{"x": 10, "y": 0}`, `{"x": 10}`), "no nodePosition with x and y"},
		"an id twice":          {change(`"nodeId": "n2"`, `"nodeId": "n1"`), "that of another node"},
		"an edge to nowhere":   {change(`"endNodeId": "n3"`, `"endNodeId": "n9"`), `edge 3 ("e3"): there is no node "n9"`},
		"an edge to itself":    {change(`"startNodeId": "n2", "endNodeId": "n3"`, `"startNodeId": "n3", "endNodeId": "n3"`), "ends where it starts"},
		"no type":              {change(`[{"vehicleTypeId": "carrier", "maxSpeed": 1.5}`, `[{"maxSpeed": 1.5}`), "vehicleTypeId"},
		"a negative speed":     {change(`"maxSpeed": 1.5`, `"maxSpeed": -1.5`), "maxSpeed is -1.5"},
		"a station at nothing": {change(`"interactionNodeIds": ["n2"]`, `"interactionNodeIds": ["n8"]`), `station 1 ("s1"): there is no node "n8"`},
		"millimetres":          {change(`"x": 10, "y": 5`, `"x": 100000, "y": 5`), "in metres"},
		"a lift that stops twice at a level": {
			change(`{"edgeId": "down", "startNodeId": "n4", "endNodeId": "n3"`, `{"edgeId": "down", "startNodeId": "n4", "endNodeId": "n1"`), "stops once at each",
		},
		"two origins": {strings.Replace(inVersion2(depot), `"origins": [`, `"origins": [{"originId": "a", "layouts": []}, `, 1), `origin "hall"`},
	} {
		_, err := indoor.ReadLIF(strings.NewReader(c.file))
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v, want one line with %q", name, err, c.want)
		}
	}
}

func FuzzReadLIF(f *testing.F) {
	f.Add([]byte(depot))
	f.Add([]byte(inVersion2(depot)))
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := indoor.ReadLIF(strings.NewReader(string(data)))
		if err == nil {
			checkWhole(t, m)
		}
	})
}
