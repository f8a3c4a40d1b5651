package server

import (
	"net/http"
	"strings"
	"testing"

	"github.com/kapok-fleet/kapok/protocol/api"
)

// TestAnOrderIsReadBack orders a task and reads it, its list and its events.
func TestAnOrderIsReadBack(t *testing.T) {
	w := newWorld(t, nil)
	var task api.Task
	a := w.want(http.StatusCreated, &task, "dispatcher", "POST", "/v1/tasks", w.visit())
	if task.State != "waiting" || task.Reason == "" || task.OrderedBy != "dispatcher" {
		t.Errorf("without vehicles the task must wait with a reason: %+v", task)
	}
	if got := a.header.Get("Location"); got != "/v1/tasks/"+task.ID {
		t.Errorf("Location is %q", got)
	}

	var again api.Task
	read := w.want(http.StatusOK, &again, "viewer", "GET", "/v1/tasks/"+task.ID, "")
	if read.header.Get("ETag") != entityTag(again.Revision) || again.Revision != task.Revision || read.header.Get("ETag") != a.header.Get("ETag") {
		t.Errorf("ETag %q and %q, revision %d and %d", read.header.Get("ETag"), a.header.Get("ETag"), again.Revision, task.Revision)
	}
	w.want(http.StatusNotModified, nil, "viewer", "GET", "/v1/tasks/"+task.ID, "", "If-None-Match", `"999", `+entityTag(again.Revision))

	var list api.List[api.Task]
	w.want(http.StatusOK, &list, "viewer", "GET", "/v1/fleets/harbour/tasks?state=waiting,assigned", "")
	if len(list.Items) != 1 || list.Items[0].ID != task.ID || list.NextCursor != "" {
		t.Errorf("the list is %+v", list)
	}
	w.want(http.StatusOK, &list, "viewer", "GET", "/v1/tasks?state=done", "")
	if len(list.Items) != 0 {
		t.Errorf("nothing is done, yet the list is %+v", list)
	}

	var events api.List[api.Event]
	w.want(http.StatusOK, &events, "viewer", "GET", "/v1/events?task="+task.ID, "")
	var types []string
	for _, e := range events.Items {
		types = append(types, e.Type)
	}
	if len(types) == 0 || types[0] != "task_ordered" || events.Items[0].Actor != "dispatcher" {
		t.Errorf("the events of the task are %v", types)
	}
	last := events.Items[len(events.Items)-1]
	if len(types) > 1 && last.Cause != events.Items[0].Index {
		t.Errorf("%s must name the order %d as its cause, not %d", last.Type, events.Items[0].Index, last.Cause)
	}
}

// TestAnOrderIsRepeated repeats requests with their idempotency keys.
func TestAnOrderIsRepeated(t *testing.T) {
	w := newWorld(t, nil)
	first := w.want(http.StatusCreated, nil, "dispatcher", "POST", "/v1/tasks", w.visit(), "Idempotency-Key", "k1")
	if first.header.Get("Idempotency-Replayed") != "" {
		t.Error("the first answer must not say that it is repeated")
	}
	second := w.want(http.StatusCreated, nil, "dispatcher", "POST", "/v1/fleets/harbour/tasks", w.visit(), "Idempotency-Key", "k1")
	if string(first.body) != string(second.body) || second.header.Get("Idempotency-Replayed") != "true" {
		t.Errorf("the repeated answer is %s, the first was %s", second.body, first.body)
	}
	w.problem(http.StatusUnprocessableEntity, codeIdempotencyMismatch, "dispatcher", "POST", "/v1/tasks",
		strings.Replace(w.visit(), `"work_s":5`, `"work_s":6`, 1), "Idempotency-Key", "k1")
	other := w.want(http.StatusCreated, nil, "second", "POST", "/v1/tasks", w.visit(), "Idempotency-Key", "k1")
	if string(other.body) == string(first.body) {
		t.Error("another token's key must be another key")
	}
	for _, key := range []string{"with space", strings.Repeat("k", maxKeyBytes+1), "schlüssel"} {
		w.problem(http.StatusBadRequest, codeMalformedKey, "dispatcher", "POST", "/v1/tasks", w.visit(), "Idempotency-Key", key)
	}

	var task api.Task
	first.into(t, &task)
	cancel := "/v1/tasks/" + task.ID + "/cancel"
	done := w.want(http.StatusOK, nil, "dispatcher", "POST", cancel, "", "Idempotency-Key", "k1", "If-Match", first.header.Get("ETag"))
	repeated := w.want(http.StatusOK, nil, "dispatcher", "POST", cancel, "", "Idempotency-Key", "k1", "If-Match", first.header.Get("ETag"))
	if string(done.body) != string(repeated.body) {
		t.Error("a repeated cancellation must get the first answer although the revision has changed")
	}

	var events struct {
		Items []struct {
			Type string         `json:"type"`
			Data map[string]any `json:"data"`
		} `json:"items"`
	}
	w.want(http.StatusOK, &events, "viewer", "GET", "/v1/events?type=answer_given", "")
	for _, e := range events.Items {
		if e.Data["key"] != "" || e.Data["body"] != nil {
			t.Errorf("keys and answers of other tokens must not be shown: %v", e.Data)
		}
	}
	if len(events.Items) == 0 {
		t.Error("the answers must stand among the events")
	}
}

// TestATaskHasChangedMeanwhile holds If-Match against revisions.
func TestATaskHasChangedMeanwhile(t *testing.T) {
	w := newWorld(t, nil)
	var task api.Task
	w.want(http.StatusCreated, &task, "dispatcher", "POST", "/v1/tasks", w.visit())
	cancel := "/v1/tasks/" + task.ID + "/cancel"
	for _, stale := range []string{`"1"`, `W/` + entityTag(task.Revision), `"abc"`, `"1", "2"`, `"0"`} {
		w.problem(http.StatusPreconditionFailed, codeRevisionMismatch, "dispatcher", "POST", cancel, "", "If-Match", stale)
	}
	for _, malformed := range []string{"17", `"17`, `"1" "2"`, `*, "1"`} {
		w.problem(http.StatusBadRequest, codeMalformedETag, "dispatcher", "POST", cancel, "", "If-Match", malformed)
	}
	var cancelled api.Task
	w.want(http.StatusOK, &cancelled, "dispatcher", "POST", cancel, `{"reason":"no longer needed"}`, "If-Match", `"1", `+entityTag(task.Revision))
	if cancelled.State != "cancelled" {
		t.Errorf("the task is %s", cancelled.State)
	}
	w.problem(http.StatusConflict, "task_over", "dispatcher", "POST", cancel, "", "If-Match", "*")
	w.problem(http.StatusNotFound, codeTaskNotFound, "dispatcher", "POST", "/v1/tasks/T99/cancel", "")
}

// TestRoles tries each kind of request with each role.
func TestRoles(t *testing.T) {
	w := newWorld(t, nil)
	w.want(http.StatusCreated, nil, "admin", "PUT", "/v1/vehicles/r1", `{"kind":"rover","model":"courier"}`)
	all := []string{"viewer", "dispatcher", "admin", "elsewhere", "r1", "sim"}
	for _, c := range []struct {
		method, path, body string
		admitted           string
	}{
		{"GET", "/v1/tasks", "", "viewer dispatcher admin"},
		{"GET", "/v1/events", "", "viewer dispatcher admin"},
		{"GET", "/v1/stream", "", "viewer dispatcher admin"},
		{"POST", "/v1/stream-tickets", "", "viewer dispatcher admin"},
		{"POST", "/v1/tasks", w.visit(), "dispatcher admin"},
		{"POST", "/v1/vehicles/r1/commands", `{"kind":"hold"}`, "dispatcher admin"},
		{"PUT", "/v1/vehicles/r2", `{"kind":"rover","model":"courier"}`, "admin"},
		{"POST", "/v1/vehicles/r1/service", `{"in_service":true}`, "admin"},
		{"GET", "/v1/link?vehicle=r1", "", "r1 sim"},
	} {
		admitted := strings.Fields(c.admitted)
		for _, who := range all {
			a := w.do(who, c.method, c.path, c.body)
			may := false
			for _, name := range admitted {
				may = may || name == who
			}
			if may == (a.status == http.StatusForbidden) {
				t.Errorf("%s %s as %s: status %d", c.method, c.path, who, a.status)
			}
		}
		p := w.do("nobody", c.method, c.path, c.body)
		if p.status != http.StatusUnauthorized || !strings.HasPrefix(p.header.Get("WWW-Authenticate"), "Bearer") {
			t.Errorf("%s %s without a token: status %d, challenge %q", c.method, c.path, p.status, p.header.Get("WWW-Authenticate"))
		}
	}
	w.problem(http.StatusUnauthorized, codeUnauthenticated, "", "GET", "/v1/tasks", "", "Authorization", "Bearer kpk_wrong")
	w.problem(http.StatusUnauthorized, codeUnauthenticated, "", "GET", "/v1/tasks", "", "Authorization", "Basic YTpi")
	for _, open := range []string{"/healthz", "/readyz", "/metrics", "/openapi.json"} {
		w.want(http.StatusOK, nil, "nobody", "GET", open, "")
	}
}

// TestPagesAndMaps reads lists page by page and as GeoJSON.
func TestPagesAndMaps(t *testing.T) {
	w := newWorld(t, nil)
	seen := map[string]bool{}
	for i := range 11 {
		var task api.Task
		w.want(http.StatusCreated, &task, "dispatcher", "POST", "/v1/tasks", w.visit())
		seen[task.ID] = false
		_ = i
	}
	cursor, pages := "", 0
	var order []string
	for {
		var list api.List[api.Task]
		w.want(http.StatusOK, &list, "viewer", "GET", "/v1/tasks?limit=4&cursor="+cursor, "")
		pages++
		for _, task := range list.Items {
			order = append(order, task.ID)
			seen[task.ID] = true
		}
		if cursor = list.NextCursor; cursor == "" {
			break
		}
	}
	if pages != 3 || len(order) != 11 || order[0] != "T1" || order[10] != "T11" {
		t.Errorf("%d pages in the order %v", pages, order)
	}

	var sites api.List[api.Site]
	w.want(http.StatusOK, &sites, "viewer", "GET", "/v1/sites?limit=1000", "")
	if len(sites.Items) != len(w.chart.Sites) {
		t.Errorf("%d sites of %d", len(sites.Items), len(w.chart.Sites))
	}
	place := w.chart.Places[0].Name
	var places api.List[api.Place]
	w.want(http.StatusOK, &places, "viewer", "GET", "/v1/places?limit=1&text="+strings.ReplaceAll(strings.ToUpper(place), " ", "%20"), "")
	if len(places.Items) != 1 || !strings.EqualFold(places.Items[0].Name, place) {
		t.Errorf("searching for %q found %+v", place, places)
	}
	var about api.Chart
	w.want(http.StatusOK, &about, "viewer", "GET", "/v1/chart", "")
	if about.Checksum != w.chart.Checksum || about.Extent[0] >= about.Extent[2] || about.Attribution == "" {
		t.Errorf("the chart is %+v", about)
	}

	for path, kind := range map[string]string{"/v1/tasks": "MultiPoint", "/v1/sites": "Point", "/v1/zones": "Polygon", "/v1/places": "Point"} {
		var drawn featureCollection
		a := w.want(http.StatusOK, &drawn, "viewer", "GET", path+"?limit=3", "", "Accept", "application/geo+json, application/json;q=0.5")
		if a.header.Get("Content-Type") != geoJSONType || drawn.Type != "FeatureCollection" || len(drawn.Features) == 0 ||
			drawn.Features[0].Geometry.Type != kind || drawn.Features[0].ID == "" {
			t.Errorf("%s as GeoJSON: %s %s", path, a.header.Get("Content-Type"), a.body[:min(200, len(a.body))])
		}
	}
	w.problem(http.StatusBadRequest, codeMalformedCursor, "viewer", "GET", "/v1/tasks?cursor=%21", "")
	w.problem(http.StatusBadRequest, codeMalformedCursor, "viewer", "GET", "/v1/sites?cursor=abcd", "")
}
