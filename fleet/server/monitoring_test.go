package server

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"

	"github.com/kapok-fleet/kapok/protocol"
	"github.com/kapok-fleet/kapok/protocol/api"
	"github.com/kapok-fleet/kapok/protocol/ws"
)

// family is one metric as a scrape shows it.
type family struct {
	name, help, kind string
	// labels have the values that were seen, by their names.
	labels map[string]map[string]bool
	series int
}

// scraped is a scrape of a server, read as the text that Prometheus gets.
func (w *world) scraped() map[string]*family {
	w.t.Helper()
	all := map[string]*family{}
	at := func(name string) *family {
		if all[name] == nil {
			all[name] = &family{name: name, labels: map[string]map[string]bool{}}
		}
		return all[name]
	}
	sample := regexp.MustCompile(`^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$`)
	label := regexp.MustCompile(`([a-zA-Z_]+)="((?:[^"\\]|\\.)*)"`)
	for line := range strings.Lines(string(w.want(http.StatusOK, nil, "viewer", "GET", "/metrics", "").body)) {
		line = strings.TrimSuffix(line, "\n")
		if comment, ok := strings.CutPrefix(line, "# "); ok {
			word, rest, _ := strings.Cut(comment, " ")
			name, text, _ := strings.Cut(rest, " ")
			if word == "HELP" {
				at(name).help = text
			} else {
				at(name).kind = text
			}
			continue
		}
		parts := sample.FindStringSubmatch(line)
		if parts == nil {
			w.t.Fatalf("the scrape has the line %q", line)
		}
		f := at(baseName(parts[1], all))
		f.series++
		for _, l := range label.FindAllStringSubmatch(parts[2], -1) {
			if f.labels[l[1]] == nil {
				f.labels[l[1]] = map[string]bool{}
			}
			f.labels[l[1]][l[2]] = true
		}
	}
	return all
}

// baseName is the metric that a series belongs to: those of a histogram or a
// summary have a suffix.
func baseName(series string, all map[string]*family) string {
	for _, suffix := range []string{"_bucket", "_sum", "_count"} {
		base, ok := strings.CutSuffix(series, suffix)
		if f := all[base]; ok && f != nil && (f.kind == "histogram" || f.kind == "summary") {
			return base
		}
	}
	return series
}

// bustle lets much happen on a server, good and bad, by vehicles and people of
// the round: whatever has a metric, happens.
func (w *world) bustle(round int) {
	w.t.Helper()
	id := fmt.Sprintf("bustler-%d", round)
	stream := w.watch("viewer", "?rate_hz=10")
	for _, subprotocol := range []string{protocol.SubprotocolJSON, protocol.SubprotocolCBOR} {
		r := w.connect("sim", "?vehicle="+id, subprotocol)
		r.login()
		node := w.chart.Ground.Nodes[round].Point
		r.report(protocol.Position{Lon: node[0], Lat: node[1], AltitudeM: w.chart.GroundAltitudeM})
		stream.next(api.StreamPositionsType)
		r.say(protocol.Fault{Seq: 1, Code: "arm_stuck", Text: id, Time: time.Now().UTC()})
		hear[protocol.Received](r, nil)
		if subprotocol == protocol.SubprotocolJSON {
			for _, frame := range []string{`{`, `{"type":"` + id + `"}`, `{"type":"telemetry","samples":[{}]}`, `{"type":"fault","seq":2,"code":"\n"}`} {
				w.must(r.conn.Send([]byte(frame)))
				hear[protocol.Error](r, nil)
			}
		}
		r.conn.Close(ws.CloseNormal, id)
	}
	for _, method := range []string{"GET", "POST", "PUT", "DELETE", "PATCH", "BREW-" + strings.ToUpper(id)} {
		for _, path := range []string{"/v1/tasks", "/v1/tasks/" + id, "/v1/" + id, "/" + id, "/v1/fleets/" + id + "/tasks", "/v1/zones/" + id, "/v1/tracks?format=csv", "/v1/stream", "/v1/link"} {
			w.do("dispatcher", method, path, `{"kind":"`+id+`"}`)
			w.do("nobody", method, path, "", "Authorization", "Bearer "+id, "User-Agent", id)
		}
	}
	w.do("dispatcher", "POST", "/v1/tasks", w.visit(), "Idempotency-Key", id)
	w.do("dispatcher", "POST", "/v1/tasks", strings.Repeat(" ", maxBodyBytes+1))
}

// TestMetricsAreInOrder lets much happen twice, with other names, and looks at
// the metrics: names say their unit, all have a help, and no label takes what
// comes from outside, so that the second time adds no series.
func TestMetricsAreInOrder(t *testing.T) {
	w := newWorld(t, nil)
	w.bustle(1)
	w.scraped() // It is a request of its own.
	first := w.scraped()
	w.bustle(2)
	w.bustle(3)
	// What counts things without a unit of their own.
	things := []string{
		"kapok_ready", "kapok_build_info", "kapok_links", "kapok_stream_subscribers", "kapok_connections", "kapok_requests_under_way",
		"kapok_limited_keys", "kapok_vehicles", "kapok_tasks", "kapok_alerts_open", "kapok_alerts_unacknowledged", "kapok_inbox_inputs",
		"kapok_inbox_limit_inputs", "kapok_pending_requests", "kapok_waiting_records", "kapok_committed_index",
	}
	total := 0
	for name, f := range w.scraped() {
		if !strings.HasPrefix(name, "kapok_") {
			continue
		}
		total += f.series
		if f.help == "" || !strings.HasSuffix(f.help, ".") {
			t.Errorf("%s has the help %q, which is no sentence", name, f.help)
		}
		unit := strings.HasSuffix(name, "_seconds") || strings.HasSuffix(name, "_bytes") || slices.Contains(things, name)
		if counts := strings.HasSuffix(name, "_total"); counts != (f.kind == "counter") || !counts && !unit {
			t.Errorf("%s is a %s: a counter ends in _total, and others in their unit or are known things", name, f.kind)
		}
		if f.series > 400 {
			t.Errorf("%s has %d series", name, f.series)
		}
		if before := first[name]; before == nil || f.series > before.series+3 {
			t.Errorf("%s has grown to %d series by the second time", name, f.series)
		}
		for label, values := range f.labels {
			for value := range values {
				if strings.Contains(strings.ToLower(value), "bustler") || strings.Contains(value, "127.0.0.1") || len(value) > 80 {
					t.Errorf("%s has the label %s=%q, which comes from outside", name, label, value)
				}
			}
		}
	}
	if total > 1500 {
		t.Errorf("a scrape has %d series", total)
	}
	t.Logf("%d series", total)
}

// monitoring are the files for those who watch Kapok.
const monitoring = "../../docs/monitoring"

func readDoc(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// TestEveryMetricIsDocumented holds the table of docs/monitoring.md against a
// scrape, both ways: name, kind and labels.
func TestEveryMetricIsDocumented(t *testing.T) {
	w := newWorld(t, nil)
	w.bustle(1)
	scraped := w.scraped()
	documented := map[string]bool{}
	row := regexp.MustCompile("(?m)^\\| `(kapok_[a-z_]+)` \\| ([a-z]+) \\| (.*?) \\| (.+) \\| (.+) \\|$")
	for _, cells := range row.FindAllStringSubmatch(readDoc(t, monitoring+".md"), -1) {
		name, kind, labels := cells[1], cells[2], cells[3]
		documented[name] = true
		f := scraped[name]
		if f == nil {
			t.Errorf("%s is in the table, but not in a scrape", name)
			continue
		}
		var names []string
		for label := range f.labels {
			if label != "le" {
				names = append(names, "`"+label+"`")
			}
		}
		slices.Sort(names)
		if want := strings.Join(names, ", "); kind != f.kind || labels != want {
			t.Errorf("%s is a %s with the labels %q; the table says %s, %q", name, f.kind, want, kind, labels)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(scraped)) {
		if strings.HasPrefix(name, "kapok_") && !documented[name] {
			t.Errorf("%s is not in the table of docs/monitoring.md: | `%s` | %s | labels | %s | what to do |", name, name, scraped[name].kind, scraped[name].help)
		}
	}
}

// TestTheDashboardAsksForWhatThereIs holds every expression of the dashboard
// against a scrape.
func TestTheDashboardAsksForWhatThereIs(t *testing.T) {
	w := newWorld(t, nil)
	w.bustle(1)
	scraped := w.scraped()
	type panel struct {
		ID          int
		Type, Title string
		Description string
		Datasource  struct{ UID string }
		Targets     []struct {
			Expr       string
			Datasource struct{ UID string }
		}
		Panels []panel
	}
	var board struct {
		SchemaVersion int
		Title, UID    string
		Panels        []panel
		Annotations   struct{ List []struct{ Expr string } }
		Templating    struct {
			List []struct{ Name, Type, Definition string }
		}
	}
	text := readDoc(t, monitoring+"/grafana-dashboard.json")
	if err := json.Unmarshal([]byte(text), &board); err != nil {
		t.Fatal(err)
	}
	shown, ids := map[string]bool{}, map[int]bool{}
	ask := func(where, expr string) {
		for _, name := range checkExpression(t, where, expr, scraped) {
			shown[name] = true
		}
	}
	for _, p := range board.Panels {
		if ids[p.ID] || p.Title == "" || len(p.Panels) > 0 {
			t.Errorf("panel %d, %q: ids are given once, and rows are open", p.ID, p.Title)
		}
		ids[p.ID] = true
		if p.Type != "row" && (p.Datasource.UID != "${datasource}" || p.Description == "" || len(p.Targets) == 0) {
			t.Errorf("panel %q has no data source of the variable, no description or no target", p.Title)
		}
		for _, target := range p.Targets {
			ask("panel "+p.Title, target.Expr)
			if target.Datasource.UID != "${datasource}" {
				t.Errorf("panel %q has a fixed data source", p.Title)
			}
		}
	}
	for _, a := range board.Annotations.List {
		if a.Expr != "" {
			ask("annotation", a.Expr)
		}
	}
	if len(board.Templating.List) != 2 || board.Templating.List[0].Type != "datasource" || board.SchemaVersion < 39 {
		t.Errorf("schema %d, variables %+v", board.SchemaVersion, board.Templating.List)
	}
	for name := range scraped {
		if strings.HasPrefix(name, "kapok_") && name != "kapok_build_info" && !shown[name] {
			t.Errorf("%s is shown nowhere on the dashboard", name)
		}
	}
}

// TestAlertsAskForWhatThereIs holds every alert rule against a scrape, and its
// pointer against the page that says what to do.
func TestAlertsAskForWhatThereIs(t *testing.T) {
	w := newWorld(t, nil)
	w.bustle(1)
	scraped := w.scraped()
	var file struct {
		Groups []struct {
			Name  string `yaml:"name"`
			Rules []struct {
				Alert       string            `yaml:"alert"`
				Expr        string            `yaml:"expr"`
				For         string            `yaml:"for"`
				Labels      map[string]string `yaml:"labels"`
				Annotations map[string]string `yaml:"annotations"`
			} `yaml:"rules"`
		} `yaml:"groups"`
	}
	if err := yaml.UnmarshalWithOptions([]byte(readDoc(t, monitoring+"/alerts.yaml")), &file, yaml.Strict()); err != nil {
		t.Fatal(err)
	}
	page := readDoc(t, monitoring+".md")
	seen := map[string]bool{}
	for _, group := range file.Groups {
		for _, rule := range group.Rules {
			checkExpression(t, rule.Alert, rule.Expr, scraped)
			if _, err := time.ParseDuration(rule.For); err != nil || seen[rule.Alert] {
				t.Errorf("%s: %v, or it is there twice", rule.Alert, err)
			}
			seen[rule.Alert] = true
			if s := rule.Labels["severity"]; s != "critical" && s != "warning" && s != "info" {
				t.Errorf("%s has the severity %q", rule.Alert, s)
			}
			for _, name := range []string{"summary", "description"} {
				if rule.Annotations[name] == "" {
					t.Errorf("%s has no %s", rule.Alert, name)
				}
			}
			for _, used := range regexp.MustCompile(`\$labels\.([a-z]+)`).FindAllStringSubmatch(rule.Annotations["description"], -1) {
				if by := regexp.MustCompile(`by \(([^)]*)\)`).FindStringSubmatch(rule.Expr); by != nil && !strings.Contains(by[1], used[1]) {
					t.Errorf("%s tells the label %s, which %s has lost", rule.Alert, used[1], rule.Expr)
				}
			}
			if at := "docs/monitoring.md#" + strings.ToLower(rule.Alert); rule.Annotations["runbook"] != at || !strings.Contains(page, "\n### "+rule.Alert+"\n") {
				t.Errorf("%s does not lead to its section, %s", rule.Alert, at)
			}
		}
	}
	for _, heading := range regexp.MustCompile(`(?m)^### (Kapok\w+)$`).FindAllStringSubmatch(page, -1) {
		if !seen[heading[1]] {
			t.Errorf("docs/monitoring.md tells of %s, which is no rule", heading[1])
		}
	}
	if len(seen) < 15 || !bytes.Contains([]byte(readDoc(t, monitoring+"/prometheus.yaml")), []byte("alerts.yaml")) {
		t.Errorf("%d rules", len(seen))
	}
}
