package server

import (
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"strconv"

	"github.com/danielgtaylor/huma/v2"

	"github.com/kapok-fleet/kapok/protocol/api"
)

// describeAPI is the head of the OpenAPI document.
func describeAPI(version string) *huma.OpenAPI {
	return &huma.OpenAPI{
		OpenAPI: "3.1.0",
		Info: &huma.Info{
			Title: "Kapok", Version: version,
			Description: "The fleet's HTTP API. Every address under /v1/ is also there under /v1/fleets/{fleet}/. " +
				"Units stand in the names; positions are WGS-84, altitudes above mean sea level (EGM96), times RFC 3339 UTC. " +
				"Every error is a problem (RFC 9457) with a stable code.",
			License: &huma.License{Name: "Apache-2.0", Identifier: "Apache-2.0"},
		},
		Components: &huma.Components{
			Schemas: huma.NewMapRegistry("#/components/schemas/", huma.DefaultSchemaNamer),
			SecuritySchemes: map[string]*huma.SecurityScheme{
				"bearer": {Type: "http", Scheme: "bearer", Description: "A token made by kapok token."},
			},
		},
		Tags: []*huma.Tag{
			{Name: "tasks", Description: "Work, ordered and watched."},
			{Name: "vehicles", Description: "Robots, aircraft and boats."},
			{Name: "incidents", Description: "What happened somewhere, and what is done about it."},
			{Name: "zones", Description: "Where vehicles may be, and how."},
			{Name: "conditions", Description: "The wind, and which streets are closed."},
			{Name: "commands", Description: "Orders to a vehicle that act at once."},
			{Name: "missions", Description: "What one vehicle is told to do."},
			{Name: "alerts", Description: "What a person should know."},
			{Name: "events", Description: "What the fleet concluded, in order."},
			{Name: "chart", Description: "The map that the fleet plans on."},
			{Name: "tracks", Description: "Where vehicles were."},
			{Name: "stream", Description: "The feed of what changes."},
			{Name: "link", Description: "Vehicles' connections."},
			{Name: "service", Description: "The server itself."},
		},
	}
}

// raw describes an address that huma does not serve.
type raw struct {
	path, id, tag, summary, description string
	needs                               permission
	answer                              *huma.Response
	status                              int
	query                               []*huma.Param
	codes                               []string
	serve                               http.HandlerFunc
}

func (s *Server) registerRaw() {
	text := func(v string) *huma.Response {
		return &huma.Response{Description: "OK", Content: map[string]*huma.MediaType{v: {Schema: &huma.Schema{Type: huma.TypeString}}}}
	}
	health := &huma.Response{Description: "OK", Content: map[string]*huma.MediaType{
		"application/json": {Schema: s.api.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[api.Health](), true, "")},
	}}
	metricsNeed := openToAll
	if s.options.GuardMetrics {
		metricsNeed = toRead
	}
	upgraded := &huma.Response{Description: "The connection is a WebSocket from here on."}
	for _, r := range []raw{
		{path: "/healthz", id: "healthz", tag: "service", summary: "Ask whether the process answers", answer: health, serve: s.healthz},
		{path: "/readyz", id: "readyz", tag: "service", summary: "Ask whether the fleet serves", answer: health, codes: []string{codeUnavailable}, serve: s.readyz},
		{path: "/metrics", id: "metrics", tag: "service", summary: "Read counts and gauges in Prometheus' text format", answer: text("text/plain"), needs: metricsNeed, serve: s.metrics.handler().ServeHTTP},
		{path: "/openapi.json", id: "openapi", tag: "service", summary: "Read this document", answer: text("application/openapi+json"), serve: s.openAPI},
		{
			path: "/v1/link", id: "link", tag: "link", needs: toLink, status: http.StatusSwitchingProtocols, answer: upgraded, serve: s.acceptLink,
			summary:     "Connect a vehicle",
			description: "A WebSocket with the sub-protocol kapok.v1.json or kapok.v1.cbor; docs/protocol.md describes the messages.",
			query:       []*huma.Param{queryParam("vehicle", "Which vehicle a simulator's token speaks for.", huma.TypeString)},
			codes:       []string{codeMalformedRequest, codeInvalid, codeUpgradeRequired, codeSubprotocol, codeOriginRefused, codeUnavailable},
		},
		{
			path: "/v1/stream", id: "stream", tag: "stream", needs: toStream, status: http.StatusSwitchingProtocols, answer: upgraded, serve: s.acceptStream,
			summary: "Follow what changes",
			description: "A WebSocket of JSON text frames: first a snapshot (with its index), or resumed; then events, in order and never dropped, " +
				"and the newest positions, of what the subscription wants. A frame of the type subscribe changes it. A subscriber that cannot " +
				"keep up is cut off, with 1013 where that can still be said; it resumes with the index of its last frame.",
			query: []*huma.Param{
				queryParam("after", "Go on behind this event instead of taking a snapshot.", huma.TypeInteger),
				queryParam("area", "west,south,east,north in degrees: only vehicles, positions, tasks and incidents in it.", huma.TypeString),
				queryParam("kinds", "Only these, separated by commas: vehicles, tasks, alerts, zones, incidents, commands, positions.", huma.TypeString),
				queryParam("vehicle_kinds", "Only vehicles, positions and commands of these, separated by commas: rover, multirotor, vtol, vessel.", huma.TypeString),
				queryParam("rate_hz", "Most frames of positions a second, 0 to 10; 2 when left out.", huma.TypeNumber),
				queryParam("ticket", "From POST /v1/stream-tickets, instead of the Authorization header.", huma.TypeString),
			},
			codes: []string{codeMalformedRequest, codeInvalid, codeTicketInvalid, codeUpgradeRequired, codeOriginRefused, codeTooOld, codeTooManyStreams, codeUnavailable},
		},
	} {
		s.registerOne(r)
	}
}

func queryParam(name, doc, kind string) *huma.Param {
	return &huma.Param{Name: name, In: "query", Description: doc, Schema: &huma.Schema{Type: kind}}
}

func (s *Server) registerOne(r raw) {
	pattern := http.MethodGet + " " + r.path
	s.rules[pattern] = r.needs
	s.mux.HandleFunc(pattern, r.serve)
	status := r.status
	if status == 0 {
		status = http.StatusOK
	}
	o := huma.Operation{
		OperationID: r.id, Method: http.MethodGet, Path: r.path, Summary: r.summary, Description: r.description, Tags: []string{r.tag},
		Parameters: r.query, Responses: map[string]*huma.Response{strconv.Itoa(status): r.answer},
	}
	if r.needs != openToAll {
		o.Security = []map[string][]string{{"bearer": {}}}
	}
	operation{needs: r.needs, path: r.path, codes: r.codes}.describeProblems(o.Responses, s.api.OpenAPI().Components.Schemas)
	s.api.OpenAPI().AddOperation(&o)
}

// sealAPI writes the document once, when all operations are registered.
func (s *Server) sealAPI() error {
	if err := s.illustrate(); err != nil {
		return err
	}
	document, err := json.Marshal(s.api.OpenAPI())
	if err != nil {
		return fmt.Errorf("server: writing the OpenAPI document: %w", err)
	}
	s.document = document
	return nil
}

func (s *Server) openAPI(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/openapi+json")
	_, _ = w.Write(s.document)
}
