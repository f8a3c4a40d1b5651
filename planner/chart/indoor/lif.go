package indoor

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/kapok-fleet/kapok/planner/space"
)

// ReadLIF reads layouts in the Layout Interchange Format of VDMA: version 1, which
// names a vehicleTypeId (or a list of vehicleTypeIds) for each property of nodes and
// edges, and version 2, which has origins and mobileRobotTypes. Edges to a layout of
// another level become lifts. What a file says of edges and nodes and is not
// respected is told in the findings. Errors say at which line no JSON is, or at which
// layout, node, edge or station what is wrong.
func ReadLIF(r io.Reader) (*Map, error) {
	data, err := io.ReadAll(io.LimitReader(r, MaxBytes+1))
	if err != nil {
		return nil, err
	}
	if len(data) > MaxBytes {
		return nil, fmt.Errorf("it is longer than %d bytes", MaxBytes)
	}
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	var file lifFile
	if err := json.Unmarshal(data, &file); err != nil {
		return nil, locate(data, err)
	}
	l := &lifReader{m: &Map{Format: "LIF"}, node: map[string]int{}, level: map[string]int{}, unread: map[string]int{}}
	for _, step := range []func(*lifFile) error{l.header, l.levels, l.nodes, l.edges, l.stations} {
		if err := step(&file); err != nil {
			return nil, err
		}
	}
	l.tellUnread()
	l.m.close()
	return l.m, nil
}

// locate says at which line JSON is wrong.
func locate(data []byte, err error) error {
	at := int64(-1)
	if e, ok := errors.AsType[*json.SyntaxError](err); ok {
		at = e.Offset
	} else if e, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return fmt.Errorf("line %d: %s is a %s, not what belongs there", 1+bytes.Count(data[:min(e.Offset, int64(len(data)))], []byte("\n")), cmp.Or(e.Field, "it"), e.Value)
	}
	if at < 0 {
		return err
	}
	return fmt.Errorf("line %d: %w", 1+bytes.Count(data[:min(at, int64(len(data)))], []byte("\n")), err)
}

type lifFile struct {
	Meta struct {
		Project string `json:"projectIdentification"`
		ID      string `json:"lifId"`
		Version string `json:"lifVersion"`
	} `json:"metaInformation"`
	Layouts []lifLayout `json:"layouts"`
	Origins []struct {
		ID      string      `json:"originId"`
		Layouts []lifLayout `json:"layouts"`
	} `json:"origins"`
}

type lifLayout struct {
	ID       string       `json:"layoutId"`
	Name     string       `json:"layoutName"`
	Level    string       `json:"layoutLevelId"`
	Nodes    []lifNode    `json:"nodes"`
	Edges    []lifEdge    `json:"edges"`
	Stations []lifStation `json:"stations"`
}

type lifNode struct {
	ID       string `json:"nodeId"`
	Name     string `json:"nodeName"`
	Position *struct {
		X *float64 `json:"x"`
		Y *float64 `json:"y"`
	} `json:"nodePosition"`
	Version1 []lifProperty `json:"vehicleTypeNodeProperties"`
	Version2 []lifProperty `json:"mobileRobotTypeNodeProperties"`
}

type lifEdge struct {
	ID       string        `json:"edgeId"`
	Start    string        `json:"startNodeId"`
	End      string        `json:"endNodeId"`
	Version1 []lifProperty `json:"vehicleTypeEdgeProperties"`
	Version2 []lifProperty `json:"mobileRobotTypeEdgeProperties"`
}

type lifStation struct {
	ID    string   `json:"stationId"`
	Name  string   `json:"stationName"`
	Nodes []string `json:"interactionNodeIds"`
}

// lifProperty is what holds for some types of vehicle at a node or edge, key by key.
type lifProperty map[string]json.RawMessage

// classes are the types that it holds for, in any of the format's forms.
func (p lifProperty) classes() ([]string, error) {
	if raw, ok := p["vehicleTypeId"]; ok {
		var one string
		if json.Unmarshal(raw, &one) == nil && one != "" {
			return []string{one}, nil
		}
		var many []string // Some writers give the list under the name of the single one.
		if json.Unmarshal(raw, &many) == nil && len(many) > 0 {
			return many, nil
		}
		return nil, errors.New("vehicleTypeId is no text")
	}
	if raw, ok := p["vehicleTypeIds"]; ok {
		var many []string
		if json.Unmarshal(raw, &many) != nil || len(many) == 0 {
			return nil, errors.New("vehicleTypeIds is no list of texts")
		}
		return many, nil
	}
	raw, ok := p["mobileRobotTypes"]
	if !ok {
		return nil, errors.New("it names no vehicleTypeId, vehicleTypeIds or mobileRobotTypes")
	}
	var robots []struct {
		Manufacturer string `json:"manufacturer"`
		Series       string `json:"seriesName"`
	}
	if json.Unmarshal(raw, &robots) != nil || len(robots) == 0 {
		return nil, errors.New("mobileRobotTypes is no list of manufacturers and series")
	}
	var names []string
	for _, r := range robots {
		names = append(names, strings.Trim(r.Manufacturer+"/"+r.Series, "/"))
	}
	return names, nil
}

// speed is the limit of an edge, 0 for none.
func (p lifProperty) speed() (float64, error) {
	for _, key := range []string{"maximumSpeed", "maxSpeed"} {
		raw, ok := p[key]
		if !ok || string(raw) == "null" {
			continue
		}
		var limit float64
		if json.Unmarshal(raw, &limit) != nil || limit < 0 {
			return 0, fmt.Errorf("%s is %.40s, not metres a second", key, raw)
		}
		return limit, nil
	}
	return 0, nil
}

// charging tells whether the actions of a node begin to charge.
func (p lifProperty) charging() bool {
	for _, key := range []string{"actions", "requiredActions", "feasibleActions"} {
		var actions []struct {
			Type string `json:"actionType"`
		}
		if json.Unmarshal(p[key], &actions) != nil {
			continue
		}
		for _, a := range actions {
			if strings.EqualFold(a.Type, "startCharging") {
				return true
			}
		}
	}
	return false
}

// lifReader is the reading of one file.
type lifReader struct {
	m       *Map
	layouts []*lifLayout
	level   map[string]int
	node    map[string]int
	// unread counts the properties that are not respected, by name.
	unread map[string]int
}

func (l *lifReader) header(file *lifFile) error {
	l.m.Name = cmp.Or(file.Meta.Project, file.Meta.ID)
	for i := range file.Layouts {
		l.layouts = append(l.layouts, &file.Layouts[i])
	}
	for o := range file.Origins {
		if o > 0 {
			return fmt.Errorf("origin %q: a second origin is not read, since nothing says how the two lie: give each a file of its own", file.Origins[o].ID)
		}
		for i := range file.Origins[o].Layouts {
			l.layouts = append(l.layouts, &file.Origins[o].Layouts[i])
		}
	}
	if len(l.layouts) == 0 {
		return errors.New("it has no layouts: it is no LIF file")
	}
	return nil
}

// levels puts the levels of the layouts in order: by number where all are numbers,
// else in the order of the file. A layout without one is a level of its own only if
// no other names one.
func (l *lifReader) levels(*lifFile) error {
	numbers := true
	names := []string{}
	for _, layout := range l.layouts {
		if !slices.Contains(names, layout.Level) {
			names = append(names, layout.Level)
		}
		if _, err := strconv.ParseFloat(layout.Level, 64); err != nil {
			numbers = false
		}
	}
	if len(names) > MaxLevels {
		return fmt.Errorf("it has %d levels; at most %d are read", len(names), MaxLevels)
	}
	if numbers {
		slices.SortStableFunc(names, func(a, b string) int {
			x, _ := strconv.ParseFloat(a, 64)
			y, _ := strconv.ParseFloat(b, 64)
			return cmp.Compare(x, y)
		})
	}
	for i, name := range names {
		l.level[name] = i
		l.m.Levels = append(l.m.Levels, Level{name, float64(i) * StoreyM})
	}
	if len(names) > 1 {
		l.m.note("layouts", "the format has no heights of levels: they are taken to lie %g m above each other, in the order %q", StoreyM, names)
	}
	return nil
}

func (l *lifReader) nodes(*lifFile) error {
	for _, layout := range l.layouts {
		for i := range layout.Nodes {
			n := &layout.Nodes[i]
			at := fmt.Sprintf("layout %q, node %d (%q)", layout.ID, i+1, n.ID)
			if _, twice := l.node[n.ID]; twice || n.ID == "" {
				return fmt.Errorf("%s: its nodeId is missing or that of another node", at)
			}
			if n.Position == nil || n.Position.X == nil || n.Position.Y == nil {
				return fmt.Errorf("%s: it has no nodePosition with x and y", at)
			}
			node := Node{ID: n.ID, Name: n.Name, Level: l.level[layout.Level], XY: space.XY{X: *n.Position.X, Y: *n.Position.Y}, Lift: -1}
			if far := math.Hypot(node.XY.X, node.XY.Y); far > MaxSpanM {
				return fmt.Errorf("%s: it lies %.0f m from the origin; at most %d m are read (positions are in metres)", at, far, MaxSpanM)
			}
			if len(l.m.Nodes) >= MaxNodes {
				return fmt.Errorf("%s: there are more than %d nodes", at, MaxNodes)
			}
			for _, p := range slices.Concat(n.Version1, n.Version2) {
				if _, err := p.classes(); err != nil {
					return fmt.Errorf("%s: %w", at, err)
				}
				node.Charger = node.Charger || p.charging()
				l.count("node", p, "theta", "actions", "requiredActions", "feasibleActions")
			}
			l.node[n.ID] = len(l.m.Nodes)
			l.m.Nodes = append(l.m.Nodes, node)
		}
	}
	return nil
}

func (l *lifReader) edges(*lifFile) error {
	between := []Lane{}
	for _, layout := range l.layouts {
		for i := range layout.Edges {
			e := &layout.Edges[i]
			at := fmt.Sprintf("layout %q, edge %d (%q)", layout.ID, i+1, e.ID)
			from, ok := l.node[e.Start]
			if !ok {
				return fmt.Errorf("%s: there is no node %q to start at", at, e.Start)
			}
			to, ok := l.node[e.End]
			if !ok {
				return fmt.Errorf("%s: there is no node %q to end at", at, e.End)
			}
			if from == to {
				return fmt.Errorf("%s: it ends where it starts", at)
			}
			lanes, err := l.lanesOf(e, from, to)
			if err != nil {
				return fmt.Errorf("%s: %w", at, err)
			}
			if len(lanes) == 0 {
				l.m.note(at, "the edge is for no type of vehicle: nobody may use it")
			}
			if l.m.Nodes[from].Level != l.m.Nodes[to].Level {
				between = append(between, lanes...)
				continue
			}
			if l.m.Lanes = append(l.m.Lanes, lanes...); len(l.m.Lanes) > MaxLanes {
				return fmt.Errorf("%s: there are more than %d lanes", at, MaxLanes)
			}
		}
	}
	return l.lifts(between)
}

// lanesOf makes a lane of each property of an edge.
func (l *lifReader) lanesOf(e *lifEdge, from, to int) (lanes []Lane, err error) {
	for _, p := range slices.Concat(e.Version1, e.Version2) {
		lane := Lane{From: from, To: to, Door: -1}
		if lane.Classes, err = p.classes(); err != nil {
			return nil, err
		}
		if lane.SpeedLimitMPS, err = p.speed(); err != nil {
			return nil, err
		}
		l.count("edge", p, "maxSpeed", "maximumSpeed")
		lanes = append(lanes, lane)
	}
	return lanes, nil
}

// lifts makes a lift of nodes that edges join across levels.
func (l *lifReader) lifts(between []Lane) error {
	of := newUnion(len(l.m.Nodes))
	for _, lane := range between {
		of.join(lane.From, lane.To)
	}
	lifts := map[int]int{}
	for _, lane := range between {
		for _, n := range [...]int{lane.From, lane.To} {
			node := &l.m.Nodes[n]
			root := of.root(n)
			number, ok := lifts[root]
			if !ok {
				number = len(l.m.Lifts)
				lifts[root] = number
				l.m.Lifts = append(l.m.Lifts, Lift{
					Name: "lift/" + strconv.Itoa(number+1), XY: node.XY, SpeedMPS: LiftSpeedMPS, DoorS: DoorS, Capacity: LiftCapacity,
				})
			}
			lift := &l.m.Lifts[number]
			if node.Lift == number {
				continue
			}
			if slices.ContainsFunc(lift.Stops, func(s Stop) bool { return s.Level == node.Level }) {
				return fmt.Errorf("node %q: a second node of level %q is joined with lift %q across levels; a lift stops once at each",
					node.ID, l.m.Levels[node.Level].Name, lift.Name)
			}
			node.Lift = number
			lift.Stops = append(lift.Stops, Stop{node.Level, n})
		}
	}
	if len(l.m.Lifts) > MaxLifts {
		return fmt.Errorf("it has %d lifts; at most %d are read", len(l.m.Lifts), MaxLifts)
	}
	for i := range l.m.Lifts {
		slices.SortFunc(l.m.Lifts[i].Stops, func(a, b Stop) int { return cmp.Compare(a.Level, b.Level) })
	}
	return nil
}

func (l *lifReader) stations(*lifFile) error {
	known := map[string]bool{}
	for _, layout := range l.layouts {
		for i := range layout.Stations {
			s := &layout.Stations[i]
			at := fmt.Sprintf("layout %q, station %d (%q)", layout.ID, i+1, s.ID)
			if s.ID == "" || known[s.ID] {
				return fmt.Errorf("%s: its stationId is missing or that of another station", at)
			}
			known[s.ID] = true
			station := Station{ID: s.ID, Name: s.Name}
			for _, id := range s.Nodes {
				n, ok := l.node[id]
				if !ok {
					return fmt.Errorf("%s: there is no node %q to work at", at, id)
				}
				station.Nodes = append(station.Nodes, n)
			}
			if len(station.Nodes) == 0 {
				l.m.note(at, "the station has no interactionNodeIds: nobody can work there")
			}
			l.m.Stations = append(l.m.Stations, station)
		}
	}
	return nil
}

// count counts the properties that are not respected.
func (l *lifReader) count(what string, p lifProperty, respected ...string) {
	for key, raw := range p {
		switch {
		case key == "vehicleTypeId", key == "vehicleTypeIds", key == "mobileRobotTypes", string(raw) == "null":
		case !slices.Contains(respected, key):
			l.unread[what+" "+key]++
		}
	}
}

func (l *lifReader) tellUnread() {
	names := []string{}
	for name := range l.unread {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		what, key, _ := strings.Cut(name, " ")
		l.m.note(key, "%d %ss say it, and it is not respected", l.unread[name], what)
	}
}
