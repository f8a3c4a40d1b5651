package sim

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/kapok-fleet/kapok/sim/city"
	"github.com/kapok-fleet/kapok/sim/scenario"
)

// fuzzReachM is how far apart the stops of an order are at most, so that the
// liveness phase need not be long.
const fuzzReachM = 900

// errand is what work is drawn from: the endpoints of the placing rule.
type errand struct {
	*fuzz
	rand *rand.Rand
	at   []scenario.Endpoint
	// ground and air number those that rovers and drones serve, from 1; buoys are
	// the places of boats.
	ground, air []int
	buoys       []string
}

// drawWork draws orders and incidents, as many as the fleet can do.
func (d *fuzz) drawWork() error {
	placed, err := scenario.Place(d.chart, d.scenario.Groups(), d.seed)
	if err != nil {
		return fmt.Errorf("sim: the scenario of seed %d: %w", d.seed, err)
	}
	d.survey(&placed)
	e := errand{fuzz: d, rand: d.part(fuzzWork), at: placed.Endpoints}
	for i := range e.at {
		if e.at[i].Ground {
			e.ground = append(e.ground, i+1)
		}
		if e.at[i].Air {
			e.air = append(e.air, i+1)
		}
	}
	for _, p := range d.chart.Places {
		if strings.HasPrefix(p.ID, city.Buoy) {
			e.buoys = append(e.buoys, p.ID)
		}
	}
	load := 0.3 + e.rand.Float64()
	for range min(int(float64(len(d.ids))*load*d.lasts.Minutes()/10)+2, 250) {
		d.scenario.Orders.Timed = append(d.scenario.Orders.Timed, e.order())
	}
	for range e.rand.IntN(3) {
		d.scenario.Orders.Timed = append(d.scenario.Orders.Timed, e.hopeless())
	}
	slices.SortStableFunc(d.scenario.Orders.Timed, func(a, b scenario.TimedOrder) int { return int(a.At - b.At) })
	if e.rand.IntN(3) > 0 {
		e.incidents()
	}
	return nil
}

// survey notes where things are.
func (d *fuzz) survey(placed *scenario.Placement) {
	for i, homes := range placed.Homes {
		for _, h := range homes {
			if d.scenario.Fleets[i].Kind == "rover" {
				d.homes = append(d.homes, d.chart.Frame.XY(h.Position.Point()))
			}
		}
	}
	for i := range placed.Endpoints {
		d.ends = append(d.ends, d.chart.Frame.XY(placed.Endpoints[i].Position.Point()))
	}
}

// order draws one that can be done.
func (e *errand) order() scenario.TimedOrder {
	r := e.rand
	o := scenario.TimedOrder{At: e.when(r, 0, 0.9), Kind: "delivery", WorkS: float64(5 + r.IntN(40))}
	switch p := r.Float64(); {
	case p < 0.08:
		o.Priority = "emergency"
	case p < 0.25:
		o.Priority = "urgent"
	default:
		o.Rank = r.IntN(4)
	}
	switch p := r.Float64(); {
	case p < 0.25:
		o.Kind = "visit"
	case p < 0.33:
		o.Kind, o.Laps = "patrol", 1+r.IntN(2)
	}
	kind := e.whose()
	o.VehicleKinds = []string{kind}
	if o.Kind == "delivery" {
		o.LoadKg = round(0.2 + r.Float64()*map[string]float64{"multirotor": 3.5, "rover": 20, "vessel": 80}[kind])
	}
	if can := e.abilities[kind]; len(can) > 0 && r.IntN(5) == 0 {
		o.Capabilities = []string{can[r.IntN(len(can))]}
	}
	switch kind {
	case "rover":
		o.Stops = e.stops(o.Kind, e.ground)
	case "multirotor":
		o.Stops = e.stops(o.Kind, e.air)
		// What both can do is left to the backend now and then.
		if e.kinds["rover"] > 0 && r.IntN(3) == 0 && len(o.Capabilities) == 0 {
			o.VehicleKinds = []string{"rover", "multirotor"}
		}
	case "vessel":
		first := r.IntN(len(e.buoys))
		for i := range stopsOf(o.Kind) {
			o.Stops = append(o.Stops, e.buoys[(first+i)%len(e.buoys)])
		}
	}
	if r.IntN(12) == 0 {
		after := scenario.Duration(time.Duration(r.IntN(int(e.lasts.Seconds()/2)+1)) * time.Second)
		o.CancelAfter = &after
	}
	return o
}

// whose draws the kind of vehicle that an order is for, by their numbers.
func (e *errand) whose() string {
	n := e.rand.IntN(len(e.ids))
	for _, kind := range []string{"vessel", "multirotor", "rover"} {
		if n -= e.kinds[kind]; n >= 0 || kind == "vessel" && len(e.buoys) == 0 || kind == "multirotor" && len(e.air) < 4 {
			continue
		}
		return kind
	}
	if e.kinds["rover"] > 0 {
		return "rover"
	}
	return "multirotor"
}

func stopsOf(kind string) int { return map[string]int{"visit": 1, "delivery": 2, "patrol": 3}[kind] }

// stops draws endpoints that are not too far from each other.
func (e *errand) stops(kind string, from []int) []string {
	r := e.rand
	first := from[r.IntN(len(from))]
	picked := []string{fmt.Sprintf("@%d", first)}
	for len(picked) < stopsOf(kind) {
		next, best := first, 1e9
		// The nearest of a few that is not the same place, or one within reach.
		for range 20 {
			n := from[r.IntN(len(from))]
			far := e.ends[n-1].Dist(e.ends[first-1])
			if far > 25 && far < best {
				next, best = n, far
			}
			if best < fuzzReachM {
				break
			}
		}
		picked = append(picked, fmt.Sprintf("@%d", next))
	}
	return picked
}

// hopeless draws an order that nobody can do: it waits, with a reason, until it is
// cancelled, or it is refused.
func (e *errand) hopeless() scenario.TimedOrder {
	r := e.rand
	at := e.when(r, 0, 0.8)
	after := e.lasting(r, at, 10*time.Second, e.lasts/4)
	o := scenario.TimedOrder{At: at, Kind: "visit", Stops: e.stops("visit", e.ground), CancelAfter: &after}
	switch r.IntN(4) {
	case 0:
		o.Capabilities = []string{"crane"}
	case 1:
		o.Kind, o.LoadKg = "delivery", 5000
		o.Stops = e.stops("delivery", e.ground)
	case 2:
		o.Stops = []string{"site/that/is/not/there"}
	case 3:
		bound := e.chart.Extent
		o.Stops = []string{fmt.Sprintf("%.5f,%.5f", bound.Max[0]+0.05, bound.Max[1]+0.05)}
	}
	return o
}

// incidents draws some of kinds whose first responders are there. All are closed
// within the safety phase, which cancels what nobody can do.
func (e *errand) incidents() {
	r := e.rand
	for _, kind := range []struct {
		name        string
		air, ground string
	}{
		{"fire", "camera", "extinguisher"},
		{"medical", "aed", ""},
		{"flood", "camera", ""},
		{"gas_leak", "gas_sensor", "gas_sensor"},
		{"lost_person", "camera", ""},
	} {
		if !slices.Contains(e.abilities["multirotor"], kind.air) && !slices.Contains(e.abilities["rover"], kind.ground) {
			continue
		}
		if r.IntN(2) == 0 {
			continue
		}
		for range 1 + r.IntN(1+len(e.ids)/40) {
			at := e.when(r, 0, 0.85)
			over := e.lasting(r, at, time.Minute, e.lasts)
			e.scenario.Incidents.Timed = append(e.scenario.Incidents.Timed, scenario.TimedIncident{
				Name: kind.name, At: at, Kind: kind.name, Where: e.stops("visit", e.ground)[0],
				Severity: []string{"minor", "serious", "critical"}[r.IntN(3)], Drill: r.IntN(10) == 0, CloseAfter: over,
			})
		}
	}
}
