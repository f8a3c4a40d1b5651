package fleet

import (
	_ "embed"
	"errors"
	"fmt"
	"math"
	"regexp"
	"slices"

	"github.com/kapok-fleet/kapok/planner/strictyaml"
	"github.com/kapok-fleet/kapok/protocol"
	"github.com/kapok-fleet/kapok/protocol/api"
)

//go:embed responses.yaml
var defaultResponses []byte

// Response is what is done about one kind of incident.
type Response struct {
	Kind  string `yaml:"kind"`
	Title string `yaml:"title"`
	// RadiusM is searched where a report names no radius; 0 takes
	// DefaultRadiusM.
	RadiusM float64 `yaml:"radius_m"`
	// EscalateAfterS is after how many seconds an alert tells that nobody has
	// reached the place; 0 for never.
	EscalateAfterS float64 `yaml:"escalate_after_s"`
	// Tasks are sent at once, by severity; Reinforcement at each escalation.
	Tasks         []Part `yaml:"tasks"`
	Reinforcement []Part `yaml:"reinforcement"`
}

// PartAction is what a part of a response does at its place.
type PartAction string

// The actions of parts.
const (
	// PartVisit goes to one place and works there.
	PartVisit PartAction = "visit"
	// PartSearch sweeps the area of the incident.
	PartSearch PartAction = "search"
)

// PartPlace is where a part goes, seen from the place of the incident.
type PartPlace string

// The places of parts.
const (
	// PlaceAt is the place of the incident itself.
	PlaceAt PartPlace = "at"
	// PlaceNear is the nearest open ground where an aircraft can come down, or
	// the nearest point of the network for a rover.
	PlaceNear PartPlace = "near"
	// PlaceAbove is in the air above it.
	PlaceAbove PartPlace = "above"
)

// Part is one part of a response; it becomes a task, or several for a search.
type Part struct {
	Role   string     `yaml:"role"`
	Action PartAction `yaml:"action"`
	// Place is PlaceAt when empty; a search has none.
	Place PartPlace `yaml:"place"`
	// Kinds and Capabilities are what a vehicle must be and have.
	Kinds        []protocol.Kind `yaml:"vehicle_kinds"`
	Capabilities []string        `yaml:"capabilities"`
	// From is the least severity at which the part is sent, Minor when empty.
	From Gravity `yaml:"from"`
	// WorkS is how long it works there.
	WorkS float64 `yaml:"work_s"`
	// HeightM is the height of aircraft above the highest ground and roof around
	// the place (above) or below them (search).
	HeightM float64 `yaml:"height_m"`
	// StandoffM is the least distance from the place, near or above it.
	StandoffM float64 `yaml:"standoff_m"`
	// SpacingM is the distance between the tracks of a search.
	SpacingM float64 `yaml:"spacing_m"`
	// Sectors are how many tasks share a search, by severity; 1 where absent.
	Sectors map[Gravity]int `yaml:"sectors"`
	// SortieM is the longest track of one task of a search; a longer one is
	// shared by more tasks. 0 for no bound.
	SortieM float64 `yaml:"sortie_m"`
}

// Limits of responses.
const (
	// MaxResponsesBytes is the longest file that ParseResponses takes.
	MaxResponsesBytes = 1 << 20
	// MaxResponses is how many kinds of incident there may be, MaxParts how many
	// parts a list of tasks may have.
	MaxResponses = 64
	MaxParts     = 16
	// DefaultRadiusM is searched where nothing else is said, MaxRadiusM at most.
	DefaultRadiusM = 200
	MaxRadiusM     = 5000
	// MaxSectors is how many tasks one search may become.
	MaxSectors = 8
)

// ErrResponses is the kind of error for responses that cannot be used.
var ErrResponses = errors.New("unusable responses")

// DefaultResponses are those that come with Kapok: fire, medical, flood,
// gas_leak and lost_person. The list belongs to the caller.
func DefaultResponses() []Response {
	// The file is part of the program, and a test holds that it can be read.
	list, err := ParseResponses(defaultResponses)
	if err != nil {
		return nil
	}
	return list
}

// ParseResponses reads a file of responses: YAML with one key, responses, which
// holds a list. Unknown keys are refused. An error is of kind ErrResponses and
// begins with line and column, "12:3: …".
func ParseResponses(data []byte) ([]Response, error) {
	if len(data) > MaxResponsesBytes {
		return nil, fmt.Errorf("fleet: %w: the file is longer than %d bytes", ErrResponses, MaxResponsesBytes)
	}
	var file struct {
		Responses []Response `yaml:"responses"`
	}
	if err := strictyaml.Unmarshal(data, &file); err != nil {
		var at strictyaml.Place
		if e, ok := errors.AsType[*strictyaml.Error](err); ok {
			at = e.Place
		}
		return nil, fmt.Errorf("%s%w: %w", place(at), ErrResponses, err)
	}
	bad := checkResponses(file.Responses)
	if len(file.Responses) == 0 {
		bad = fault("responses", "there is no response")
	}
	if bad != nil {
		return nil, fmt.Errorf("%s%w: %s: %s", place(strictyaml.Locate(data, bad.path)), ErrResponses, bad.path, bad.text)
	}
	for i := range file.Responses {
		file.Responses[i].fill()
	}
	return file.Responses, nil
}

// place is "line:column: " of a fault in the file, empty for nowhere.
func place(at strictyaml.Place) string {
	if at == (strictyaml.Place{}) {
		return ""
	}
	return fmt.Sprintf("%d:%d: ", at.Line, at.Column)
}

// searches tells whether some part of the response searches the area.
func (r *Response) searches() bool {
	search := func(p Part) bool { return p.Action == PartSearch }
	return slices.ContainsFunc(r.Tasks, search) || slices.ContainsFunc(r.Reinforcement, search)
}

// fill puts in what may be left out.
func (r *Response) fill() {
	if r.RadiusM == 0 {
		r.RadiusM = DefaultRadiusM
	}
	for _, parts := range [][]Part{r.Tasks, r.Reinforcement} {
		for i := range parts {
			p := &parts[i]
			if p.From == "" {
				p.From = Minor
			}
			if p.Place == "" {
				p.Place = PlaceAt
			}
		}
	}
}

// responseFault is what is wrong with a list of responses, and where.
type responseFault struct{ path, text string }

func fault(path, format string, args ...any) *responseFault {
	return &responseFault{path, fmt.Sprintf(format, args...)}
}

// checkResponses finds the first fault, nil for none.
func checkResponses(list []Response) *responseFault {
	if len(list) > MaxResponses {
		return fault("responses", "there are %d responses, more than %d", len(list), MaxResponses)
	}
	word := regexp.MustCompile(`^[a-z][a-z0-9_]{0,63}$`)
	kinds := map[string]bool{}
	for i := range list {
		r := &list[i]
		at := fmt.Sprintf("responses[%d]", i)
		switch {
		case !word.MatchString(r.Kind):
			return fault(at+".kind", "kind %q must be 1 to 64 small letters, digits and underscores, a letter first", r.Kind)
		case kinds[r.Kind]:
			return fault(at+".kind", "kind %q stands twice", r.Kind)
		case r.Title == "" || len(r.Title) > 200:
			return fault(at+".title", "title must have 1 to 200 characters")
		case !within(r.RadiusM, 0, MaxRadiusM):
			return fault(at+".radius_m", "radius_m is %v: it must be 0 to %d", r.RadiusM, MaxRadiusM)
		case !within(r.EscalateAfterS, 0, 86_400):
			return fault(at+".escalate_after_s", "escalate_after_s is %v: it must be 0 to 86400", r.EscalateAfterS)
		case len(r.Tasks) == 0:
			return fault(at+".tasks", "a response needs at least one task")
		case len(r.Tasks) > MaxParts || len(r.Reinforcement) > MaxParts:
			return fault(at+".tasks", "a response has at most %d tasks, and as many for reinforcement", MaxParts)
		}
		kinds[r.Kind] = true
		if bad := checkParts(at+".tasks", r.Tasks); bad != nil {
			return bad
		}
		if !slices.ContainsFunc(r.Tasks, func(p Part) bool { return p.From == Minor || p.From == "" }) {
			return fault(at+".tasks", "at least one task must be sent from severity minor on: an incident is never left without any")
		}
		if bad := checkParts(at+".reinforcement", r.Reinforcement); bad != nil {
			return bad
		}
	}
	return nil
}

func within(x, low, high float64) bool { return !math.IsNaN(x) && low <= x && x <= high }

func checkParts(list string, parts []Part) *responseFault {
	for i := range parts {
		if bad := parts[i].check(fmt.Sprintf("%s[%d]", list, i)); bad != nil {
			return bad
		}
	}
	return nil
}

// check finds the first fault of a part.
func (p *Part) check(at string) *responseFault {
	if p.Role == "" || len(p.Role) > 64 {
		return fault(at+".role", "role must have 1 to 64 characters")
	}
	if p.From != "" && p.From.rank() < 0 {
		return fault(at+".from", "from is %q: it must be minor, serious or critical", p.From)
	}
	for i, k := range p.Kinds {
		if !slices.Contains([]protocol.Kind{protocol.Rover, protocol.Multirotor, protocol.VTOL, protocol.Vessel}, k) {
			return fault(fmt.Sprintf("%s.vehicle_kinds[%d]", at, i), "there is no kind of vehicle %q", k)
		}
	}
	if len(p.Capabilities) > 16 || slices.ContainsFunc(p.Capabilities, func(c string) bool { return c == "" || len(c) > 64 }) {
		return fault(at+".capabilities", "at most 16 capabilities of 1 to 64 characters")
	}
	for _, x := range []struct {
		name      string
		value     float64
		low, high float64
	}{
		{"work_s", p.WorkS, 0, 86_400},
		{"height_m", p.HeightM, 0, 500},
		{"standoff_m", p.StandoffM, 0, 1000},
		{"spacing_m", p.SpacingM, 0, 1000},
		{"sortie_m", p.SortieM, 0, 1e6},
	} {
		if !within(x.value, x.low, x.high) {
			return fault(at+"."+x.name, "%s is %v: it must be %v to %v", x.name, x.value, x.low, x.high)
		}
	}
	switch p.Action {
	case PartVisit:
		return p.checkVisit(at)
	case PartSearch:
		return p.checkSearch(at)
	}
	return fault(at+".action", "action is %q: it must be visit or search", p.Action)
}

func (p *Part) checkVisit(at string) *responseFault {
	switch p.Place {
	case "", PlaceAt:
		if p.StandoffM != 0 {
			return fault(at+".standoff_m", "only near and above keep a distance")
		}
	case PlaceNear:
		if !p.airborne() && !p.driven() {
			return fault(at+".vehicle_kinds", "near needs vehicle_kinds that all fly or all drive, as they come to different ground")
		}
	case PlaceAbove:
		if !p.airborne() {
			return fault(at+".vehicle_kinds", "above needs vehicle_kinds, all of aircraft")
		}
		if p.HeightM == 0 {
			return fault(at+".height_m", "above needs height_m")
		}
	default:
		return fault(at+".place", "place is %q: it must be at, near or above", p.Place)
	}
	if p.SpacingM != 0 || len(p.Sectors) != 0 || p.SortieM != 0 {
		return fault(at+".action", "spacing_m, sectors and sortie_m belong to a search")
	}
	return nil
}

func (p *Part) checkSearch(at string) *responseFault {
	switch {
	case p.Place != "" && p.Place != PlaceAt || p.StandoffM != 0:
		return fault(at+".place", "a search has no place and no standoff_m: it covers the area")
	case !within(p.SpacingM, 5, 1000):
		return fault(at+".spacing_m", "a search needs spacing_m from 5 to 1000")
	case !p.airborne():
		return fault(at+".vehicle_kinds", "a search needs vehicle_kinds, all of aircraft")
	case p.HeightM == 0:
		return fault(at+".height_m", "a search needs height_m")
	case p.SortieM != 0 && p.SortieM < 100:
		return fault(at+".sortie_m", "sortie_m must be at least 100")
	case p.WorkS != 0:
		return fault(at+".work_s", "a search does not stop to work")
	}
	for g, n := range p.Sectors {
		if g.rank() < 0 || n < 1 || n > MaxSectors {
			return fault(at+".sectors", "sectors give each severity a number from 1 to %d", MaxSectors)
		}
	}
	return nil
}

// airborne tells whether the part is for aircraft alone, driven for rovers.
func (p *Part) airborne() bool {
	return len(p.Kinds) > 0 && !slices.ContainsFunc(p.Kinds, func(k protocol.Kind) bool { return !MotionKind(k).Airborne() })
}

func (p *Part) driven() bool {
	return len(p.Kinds) > 0 && !slices.ContainsFunc(p.Kinds, func(k protocol.Kind) bool { return k != protocol.Rover })
}

// rank orders gravities, -1 for what is none.
func (g Gravity) rank() int { return slices.Index([]Gravity{Minor, Serious, Grave}, g) }

// ResponseViews are the responses as the HTTP API lists them.
func (c Config) ResponseViews() []api.Response {
	views := make([]api.Response, 0, len(c.Responses))
	for i := range c.Responses {
		r := &c.Responses[i]
		view := api.Response{
			Kind: r.Kind, Title: r.Title, RadiusM: r.RadiusM, EscalateAfterS: r.EscalateAfterS,
			Tasks: partViews(r.Tasks), Reinforcement: partViews(r.Reinforcement),
		}
		views = append(views, view)
	}
	return views
}

func partViews(parts []Part) []api.ResponseTask {
	views := make([]api.ResponseTask, 0, len(parts))
	for i := range parts {
		p := &parts[i]
		views = append(views, api.ResponseTask{
			Role: p.Role, Action: string(p.Action), Place: string(p.Place), VehicleKinds: words(p.Kinds),
			Capabilities: p.Capabilities, From: string(p.From), WorkS: p.WorkS, HeightM: p.HeightM,
		})
	}
	return views
}

// response finds the response to a kind of incident.
func (c *Config) response(kind string) (*Response, bool) {
	for i := range c.Responses {
		if c.Responses[i].Kind == kind {
			return &c.Responses[i], true
		}
	}
	return nil, false
}
