package server

import (
	"net/http"
	"strings"
	"testing"

	"github.com/kapok-fleet/kapok/protocol/api"
)

// TestIncidentsAndZonesAreChangedAsSeen: what has changed meanwhile is not
// changed under If-Match, and a created thing says where it is.
func TestIncidentsAndZonesAreChangedAsSeen(t *testing.T) {
	w := newWorld(t, nil)
	made := w.want(http.StatusCreated, nil, "dispatcher", "POST", "/v1/incidents", `{"kind":"fire","position":{"lon":113.9312,"lat":22.5112}}`)
	at, tag := made.header.Get("Location"), made.header.Get("ETag")
	read := w.want(http.StatusOK, nil, "viewer", "GET", at, "")
	if tag == "" || read.header.Get("ETag") != tag {
		t.Errorf("the incident at %s has the tag %s, and was made with %s", at, read.header.Get("ETag"), tag)
	}
	graver := `{"severity":"critical","reason":"people are inside"}`
	next := w.want(http.StatusOK, nil, "dispatcher", "POST", at+"/escalate", graver, "If-Match", tag)
	w.problem(http.StatusPreconditionFailed, codeRevisionMismatch, "dispatcher", "POST", at+"/escalate", graver, "If-Match", tag)
	w.problem(http.StatusPreconditionFailed, codeRevisionMismatch, "dispatcher", "POST", at+"/close", `{"outcome":"out"}`, "If-Match", tag)
	w.want(http.StatusOK, nil, "dispatcher", "POST", at+"/close", `{"outcome":"out"}`, "If-Match", next.header.Get("ETag"))
	w.problem(http.StatusConflict, "incident_closed", "dispatcher", "POST", at+"/close", `{"outcome":"out"}`)
	w.problem(http.StatusBadRequest, codeMalformedETag, "dispatcher", "POST", at+"/close", `{"outcome":"out"}`, "If-Match", "7")

	zone := `{"rule":"keep_out","polygon":[[[113.930,22.509],[113.931,22.509],[113.931,22.510],[113.930,22.509]]]}`
	made = w.want(http.StatusCreated, nil, "dispatcher", "POST", "/v1/zones", zone)
	at, tag = made.header.Get("Location"), made.header.Get("ETag")
	if read = w.want(http.StatusOK, nil, "viewer", "GET", at, ""); tag == "" || read.header.Get("ETag") != tag {
		t.Errorf("the zone at %s has the tag %s, and was made with %s", at, read.header.Get("ETag"), tag)
	}
	w.want(http.StatusOK, nil, "dispatcher", "PUT", at, zone, "If-Match", tag)
	w.problem(http.StatusPreconditionFailed, codeRevisionMismatch, "dispatcher", "PUT", at, zone, "If-Match", tag)
	w.problem(http.StatusPreconditionFailed, codeRevisionMismatch, "dispatcher", "DELETE", at, "", "If-Match", tag)
	w.want(http.StatusOK, nil, "dispatcher", "DELETE", at, "")
	w.problem(http.StatusNotFound, codeZoneNotFound, "viewer", "GET", at, "")
}

// TestQuotesAreRefusedLikeOrders: a quote refuses what the order would be refused
// for, names the field within the quote, and only so many are made at once.
func TestQuotesAreRefusedLikeOrders(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(o *Options) { o.MaxQuotes = 1 })
	for _, c := range []struct{ body, code, field string }{
		{`{}`, "bad_quote", ""},
		{`{"task":"T1","order":{"kind":"visit","stops":[{"site":"node/6004"}]}}`, "bad_quote", ""},
		{`{"order":{"kind":"visit","stops":[{"site":"nowhere"}]}}`, "no_such_site", "body.order.stops[0].site"},
		{`{"incident":{"kind":"earthquake","site":"node/6004"}}`, "no_such_response", "body.incident.kind"},
		{`{"incident":{"kind":"fire"}}`, "bad_place", "body.incident.position"},
		{`{"order":{"kind":"visit","stops":[]}}`, codeInvalid, "body.order.stops"},
	} {
		p := w.problem(http.StatusUnprocessableEntity, c.code, "dispatcher", "POST", "/v1/quotes", c.body)
		if c.field != "" && p.Field != c.field {
			t.Errorf("%s: the field is %q, want %q", c.body, p.Field, c.field)
		}
	}
	w.problem(http.StatusNotFound, codeTaskNotFound, "dispatcher", "POST", "/v1/quotes", `{"task":"T1"}`)
	w.problem(http.StatusForbidden, codeForbidden, "viewer", "POST", "/v1/quotes", `{"task":"T1"}`)
	before := w.engine.View().Index
	for range 2 {
		var quote api.Quote
		a := w.want(http.StatusOK, &quote, "dispatcher", "POST", "/v1/quotes", `{"order":`+w.visit()+`}`, "Idempotency-Key", "again")
		if len(quote.Tasks) != 1 || quote.Tasks[0].WaitsForCode == "" || a.header.Get("Idempotency-Replayed") != "" {
			t.Errorf("with no vehicle there is nobody to go: %s", a.body)
		}
	}
	if after := w.engine.View().Index; after != before {
		t.Errorf("quotes made the events %d to %d", before+1, after)
	}
	w.server.quotes <- struct{}{}
	p := w.problem(http.StatusTooManyRequests, codeTooManyQuotes, "dispatcher", "POST", "/v1/quotes", `{"task":"T1"}`)
	<-w.server.quotes
	if !strings.Contains(p.Detail, "1 quotes") {
		t.Errorf("the detail is %q", p.Detail)
	}
}
