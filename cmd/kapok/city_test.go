package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"github.com/kapok-fleet/kapok/cmd/kapok/internal/client"
	"github.com/kapok-fleet/kapok/fleet/access"
	"github.com/kapok-fleet/kapok/planner/chart"
	"github.com/kapok-fleet/kapok/planner/motion"
	"github.com/kapok-fleet/kapok/planner/route"
	"github.com/kapok-fleet/kapok/planner/space"
	"github.com/kapok-fleet/kapok/protocol/api"
)

// cityFleet is fifty vehicles, some of which could go to a fire.
const cityFleet = `name: city
seed: 7
duration: 2h
chart: monaco.chart
fleets:
  - {kind: multirotor, count: 14, prefix: DF, capabilities: [camera]}
  - {kind: multirotor, count: 10, prefix: DM, capabilities: [aed]}
  - {kind: rover, count: 14, prefix: RF, capabilities: [extinguisher]}
  - {kind: rover, count: 12, prefix: RM, capabilities: [first_aid_kit]}
`

// TestFromAnIncidentToTheRightVehicles: fifty vehicles in Monaco over real
// sockets. A quote names who would go to a fire; one plain HTTP request reports
// it, and the very same vehicles are sent and arrive. Every reason that the
// quote gives for one of the others is held against the vehicle, its distance
// and a way of the test's own.
func TestFromAnIncidentToTheRightVehicles(t *testing.T) {
	t.Parallel()
	c := newCity(t)
	c.out("RF1", "DF2")
	at := c.chart.Places[len(c.chart.Places)/2].Position
	report := api.IncidentReport{Kind: "fire", Position: &api.Position{Lon: at.Lon, Lat: at.Lat}}
	vehicles, err := c.client.Vehicles(t.Context(), nil)
	c.must(err)
	quote, err := c.client.Quote(t.Context(), api.QuoteRequest{Incident: &report})
	c.must(err)
	incident := c.report(report)
	if len(quote.Tasks) != 2 || len(incident.Tasks) != 2 {
		t.Fatalf("a fire takes two: the quote has %d parts, the incident %d", len(quote.Tasks), len(incident.Tasks))
	}
	tally := map[string]int{}
	for i := range quote.Tasks {
		part, sent := &quote.Tasks[i], incident.Tasks[i]
		if part.Vehicle == "" || part.Vehicle != sent.Vehicle || part.Role != sent.Role {
			t.Errorf("%s: the quote named %q, the answer to the report %q: %s", part.Role, part.Vehicle, sent.Vehicle, sent.Reason)
		}
		task, err := c.client.Task(t.Context(), sent.Task)
		c.must(err)
		c.judge(part, &task, vehicles, quote, tally)
	}
	t.Logf("reasons by their rules: %v", tally)
	for _, rule := range []string{"wrong_kind", "no_capability", "out_of_service", "taken_over", "slower"} {
		if tally[rule] == 0 {
			t.Errorf("no vehicle was excluded by %s: the story is not what it is meant to be", rule)
		}
	}
	await(t, "the arrival of both", func() bool {
		i, err := c.client.Incident(t.Context(), incident.ID)
		c.must(err)
		return !slices.ContainsFunc(i.Tasks, func(p api.IncidentTask) bool { return p.ReachedAt.IsZero() })
	})
}

// city is kapok serve with the chart of Monaco, and kapok sim run --connect.
type city struct {
	t       *testing.T
	url     string
	secrets map[access.Role]string
	client  *client.Client
	chart   *chart.Chart
	planner *route.Planner
}

func newCity(t *testing.T) *city {
	t.Helper()
	data := testData(t)
	osm, terrain := filepath.Join(data, "osm", "monaco.osm.pbf"), filepath.Join(data, "terrain", "N43E007.hgt.zip")
	dir := t.TempDir()
	file := filepath.Join(dir, "monaco.chart")
	c := &city{t: t, secrets: map[access.Role]string{}}
	var talk bytes.Buffer
	env := func(string) string { return "" }
	if status := runContext(t.Context(), []string{"chart", "build", "--osm", osm, "--terrain", terrain, "-o", file}, console{in: &talk, out: &talk, err: &talk, env: env}); status != 0 {
		t.Fatalf("chart build ended with status %d: %s", status, talk.String())
	}
	var err error
	c.chart, err = openChart(console{env: env}, file)
	c.must(err)
	c.planner, err = route.NewPlanner(&route.World{Chart: c.chart})
	c.must(err)
	store, err := openTokens(dir)
	c.must(err)
	for _, role := range []access.Role{access.Admin, access.Simulator} {
		c.secrets[role], err = createToken(store, access.Token{Name: string(role), Role: role, Fleet: defaultFleet})
		c.must(err)
	}
	addr := freeAddress(t)
	c.url = "http://" + addr
	c.client, err = client.New(c.url, c.secrets[access.Admin])
	c.must(err)
	binary := buildKapok(t)
	startUntilEnd(t, exec.CommandContext(t.Context(), binary, "serve", "--chart", file, "--data", dir, "--listen", addr, "--speed", "15"))
	await(t, "the server", func() bool { return c.client.Ready(t.Context()) == nil })
	fleet := filepath.Join(dir, "city.yaml")
	c.must(os.WriteFile(fleet, []byte(cityFleet), 0o600))
	vehicles := exec.CommandContext(t.Context(), binary, "sim", "run", fleet, "--connect", c.url, "--token", c.secrets[access.Simulator], "--speed", "15", "--vehicles-only")
	vehicles.Env = append(vehicles.Environ(), "KAPOK_TOKEN="+c.secrets[access.Admin])
	vehicles.Stderr = t.Output()
	startUntilEnd(t, vehicles)
	await(t, "fifty vehicles", func() bool {
		list, err := c.client.Vehicles(t.Context(), nil)
		return err == nil && len(list) == 50 && !slices.ContainsFunc(list, func(v api.Vehicle) bool { return v.Position == nil })
	})
	return c
}

// testData is the folder of the sample data; the test is skipped without it.
func testData(t *testing.T) string {
	t.Helper()
	data := os.Getenv("KAPOK_DATA")
	if data == "" {
		data = filepath.Join("..", "..", "..", "shared", "data")
	}
	if _, err := os.Stat(filepath.Join(data, "osm", "monaco.osm.pbf")); err != nil {
		t.Skipf("test data is absent; set KAPOK_DATA to its folder: %v", err)
	}
	data, err := filepath.Abs(data)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func (c *city) must(err error) {
	c.t.Helper()
	if err != nil {
		c.t.Fatal(err)
	}
}

// out takes one vehicle out of service, and another over by hand.
func (c *city) out(service, hand string) {
	c.t.Helper()
	_, err := c.client.SetService(c.t.Context(), newKey(), service, api.ServiceChange{Reason: "a flat tyre"})
	c.must(err)
	_, err = c.client.TakeOver(c.t.Context(), newKey(), hand, api.Takeover{Reason: "a flight by hand"})
	c.must(err)
}

// report reports an incident with one request, as curl would.
func (c *city) report(r api.IncidentReport) api.Incident {
	c.t.Helper()
	body, err := json.Marshal(r)
	c.must(err)
	request, err := http.NewRequestWithContext(c.t.Context(), http.MethodPost, c.url+"/v1/incidents", bytes.NewReader(body))
	c.must(err)
	request.Header.Set("Authorization", "Bearer "+c.secrets[access.Admin])
	request.Header.Set("Content-Type", "application/json")
	answer, err := http.DefaultClient.Do(request)
	c.must(err)
	defer func() { _ = answer.Body.Close() }()
	var incident api.Incident
	c.must(json.NewDecoder(answer.Body).Decode(&incident))
	if answer.StatusCode != http.StatusCreated {
		c.t.Fatalf("the report got status %d", answer.StatusCode)
	}
	return incident
}

// judge holds the reasons given for all other vehicles against what is so.
func (c *city) judge(part *api.TaskQuote, task *api.Task, vehicles []api.Vehicle, quote api.Quote, tally map[string]int) {
	c.t.Helper()
	byID := map[string]*api.Vehicle{}
	for i := range vehicles {
		byID[vehicles[i].ID] = &vehicles[i]
	}
	if len(part.Others) != len(vehicles)-1 {
		c.t.Errorf("%s: reasons are given for %d vehicles of %d", part.Role, len(part.Others), len(vehicles)-1)
	}
	finish := part.ETA.Sub(quote.At).Seconds() + task.Stops[0].WorkS
	for i := range part.Others {
		x := &part.Others[i]
		tally[x.Rule]++
		v := byID[x.Vehicle]
		if v == nil || x.Vehicle == part.Vehicle || x.Text == "" {
			c.t.Errorf("%s: a reason is given for %q: %+v", part.Role, x.Vehicle, x)
			continue
		}
		if x.Rule == "same_incident" {
			// The task that it names is one of this quote, which has no ids.
			if !slices.ContainsFunc(quote.Tasks, func(other api.TaskQuote) bool { return other.Role != part.Role && other.Vehicle == x.Vehicle }) {
				c.t.Errorf("%s: %s is said to serve another part, which it does not: %s", part.Role, x.Vehicle, x.Text)
			}
			continue
		}
		if lie := c.lie(x, v, task, finish); lie != "" {
			c.t.Errorf("%s: %s is said not to go by the rule %s (%s), but %s", part.Role, x.Vehicle, x.Rule, x.Text, lie)
		}
	}
}

// lie says why a reason is not true, empty for one that is.
func (c *city) lie(x *api.QuoteExclusion, v *api.Vehicle, task *api.Task, finish float64) string {
	switch x.Rule {
	case "wrong_kind":
		if slices.Contains(task.VehicleKinds, v.Kind) {
			return fmt.Sprintf("it is a %s, and the task is for %v", v.Kind, task.VehicleKinds)
		}
	case "no_capability":
		if !slices.Contains(task.Capabilities, x.Object) || slices.Contains(v.Capabilities, x.Object) {
			return fmt.Sprintf("it can %v, and the task needs %v", v.Capabilities, task.Capabilities)
		}
	case "out_of_service":
		if v.InService {
			return "it is in service"
		}
	case "taken_over":
		if v.TakenOver == "" {
			return "nobody has it in hand"
		}
	case "no_energy":
		spec, _ := motion.Preset(v.Model)
		if x.Number == nil || x.Limit == nil || *x.Number <= *x.Limit || *x.Limit > v.BatteryRatio*spec.BatteryWh+1 {
			return fmt.Sprintf("its battery holds %.1f Wh", v.BatteryRatio*spec.BatteryWh)
		}
	case "slower", "not_tried":
		return c.faster(x, v, task, finish)
	default:
		return "the test has no way to see that"
	}
	return ""
}

// faster says why a vehicle that is said to be slower is not: by the straight
// line at its greatest speed, or where that is not conclusive by a way of the
// test's own.
func (c *city) faster(x *api.QuoteExclusion, v *api.Vehicle, task *api.Task, finish float64) string {
	const slack = 3 // Seconds: it moves a little, and thinks.
	spec, ok := motion.Preset(v.Model)
	if !ok || x.Number == nil || x.Unit != "s" {
		return "it has no figure in seconds"
	}
	stop := &task.Stops[0]
	from, to := positionOf(v.Position), positionOf(&stop.Position)
	straight := space.Distance(from, to)/spec.MaxMPS + stop.WorkS
	if x.Rule == "slower" && (x.Limit == nil || *x.Number < *x.Limit || *x.Limit < finish-slack || *x.Limit > finish+slack) {
		return fmt.Sprintf("the chosen one finishes in %.0f s", finish)
	}
	if x.Rule == "slower" && straight >= *x.Limit {
		return ""
	}
	way, err := c.planner.Find(route.Query{From: from, To: to, Spec: spec, Depart: task.OrderedAt})
	if err != nil {
		return ""
	}
	takes := way.Cost.Seconds + stop.WorkS
	if x.AtLeast && takes < *x.Number-slack || x.Rule == "slower" && takes < *x.Limit-slack || takes < straight-slack {
		return fmt.Sprintf("a way takes it %.0f s, the straight line %.0f s", takes, straight)
	}
	return ""
}

func positionOf(p *api.Position) space.Position {
	at := space.Position{Lon: p.Lon, Lat: p.Lat, Level: p.Level}
	if p.AltitudeM != nil {
		at.AltitudeM = *p.AltitudeM
	}
	return at
}
