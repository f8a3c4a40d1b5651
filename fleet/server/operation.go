package server

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strconv"

	"github.com/danielgtaylor/huma/v2"

	"github.com/kapok-fleet/kapok/fleet"
	"github.com/kapok-fleet/kapok/protocol/api"
)

// operation describes one method of one address: for routing, for admission and
// for the OpenAPI document.
type operation struct {
	id, method, path string
	tag              string
	summary          string
	description      string
	needs            permission
	// answers are the shapes of the good answers by status; the first status is
	// the usual one.
	answers []shape
	// geoJSON says that the operation also answers in application/geo+json.
	geoJSON bool
	// codes are the problems of this operation beside those of all.
	codes []string
	// asks says that the operation goes to the fleet and may be refused there.
	asks bool
}

// shape is a status and the Go value whose type is its body, nil for none.
type shape struct {
	status int
	body   any
}

// reply is what every operation answers: the body is encoded by this package,
// so that a value that JSON cannot express is found before the status is sent,
// and the fleet's stored answers go out byte for byte.
type reply struct {
	Status      int
	ContentType string `header:"Content-Type"`
	ETag        string `header:"ETag"`
	Vary        string `header:"Vary"`
	Replayed    string `header:"Idempotency-Replayed"`
	Location    string `header:"Location"`
	Body        []byte
}

// register adds an operation whose input is described by I.
func register[I any](s *Server, o operation, run func(context.Context, *I) (*reply, error)) {
	s.rules[o.method+" "+o.path] = o.needs
	huma.Register(s.api, o.describe(s.api.OpenAPI().Components.Schemas), run)
}

// describe is the operation in huma's words.
func (o operation) describe(schemas huma.Registry) huma.Operation {
	h := huma.Operation{
		OperationID: o.id, Method: o.method, Path: o.path, Summary: o.summary, Description: o.description,
		Tags: []string{o.tag}, DefaultStatus: o.answers[0].status, MaxBodyBytes: maxBodyBytes + 1,
		// The edge has read the body already. Without this, a deadline for reading
		// it would outlast it and end the request while the fleet thinks.
		BodyReadTimeout: -1,
		Responses:       map[string]*huma.Response{},
	}
	if o.needs != openToAll {
		h.Security = []map[string][]string{{"bearer": {}}}
	}
	for _, a := range o.answers {
		h.Responses[strconv.Itoa(a.status)] = o.good(a, schemas)
	}
	o.describeProblems(h.Responses, schemas)
	if o.method == http.MethodPost {
		repeated := "It changes nothing: each request is answered anew."
		if o.asks {
			repeated = "Repeating the request with the same key and body gives the first answer again, for 24 h."
		}
		h.Parameters = append(h.Parameters, &huma.Param{
			Name: "Idempotency-Key", In: "header", Description: repeated,
			Schema: &huma.Schema{Type: huma.TypeString, MinLength: new(1), MaxLength: new(maxKeyBytes)},
		})
	}
	return h
}

func (o operation) good(a shape, schemas huma.Registry) *huma.Response {
	r := &huma.Response{Description: http.StatusText(a.status)}
	if a.body == nil {
		return r
	}
	schema := schemas.Schema(reflect.TypeOf(a.body), true, o.id)
	r.Content = map[string]*huma.MediaType{"application/json": {Schema: schema}}
	if o.geoJSON {
		r.Content[geoJSONType] = &huma.MediaType{Schema: schemas.Schema(reflect.TypeFor[featureCollection](), true, "")}
	}
	return r
}

// describeProblems lists the codes of each error status.
func (o operation) describeProblems(responses map[string]*huma.Response, schemas huma.Registry) {
	codes := slices.Clone(o.codes)
	codes = append(codes, codeInternal, codeMalformedRequest, codeURLTooLong, codeTooManyRequests, codeTooBusy)
	if o.needs != openToAll {
		// Unknown parameters are refused everywhere behind the gate.
		codes = append(codes, codeUnauthenticated, codeTooManyFailures, codeForbidden, codeInvalid)
	}
	if o.needs == toLink {
		codes = append(codes, codeTooManyLogins)
	}
	if o.asks {
		codes = append(codes, codeMalformedJSON, codeBodyTooLarge, codeRequestTimeout, codeUnsupportedMedia,
			codeUnavailable, codeAnswerLate)
		if o.method == http.MethodPost {
			codes = append(codes, codeMalformedKey, codeIdempotencyMismatch)
		}
	}
	slices.Sort(codes)
	schema := schemas.Schema(reflect.TypeFor[api.Problem](), true, "")
	for _, code := range slices.Compact(codes) {
		known, _ := kindOf(code)
		status := strconv.Itoa(known.status)
		r, ok := responses[status]
		if !ok {
			r = &huma.Response{Content: map[string]*huma.MediaType{problemType: {Schema: schema}}}
			responses[status] = r
		} else {
			r.Description += ", "
		}
		r.Description += code
	}
}

// encode makes the JSON answer of a value.
func encode(status int, v any) (*reply, error) {
	body, err := marshal(v)
	if err != nil {
		return nil, err
	}
	return &reply{Status: status, ContentType: "application/json", Body: body}, nil
}

func marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		return nil, fmt.Errorf("server: encode an answer of type %T: %w", v, err)
	}
	return b.Bytes(), nil
}

// ask puts a request to the fleet and waits until its answer is durable.
func (s *Server) ask(ctx context.Context, a fleet.Ask) (*reply, error) {
	r := requestOf(ctx)
	ctx, cancel := context.WithTimeout(ctx, s.options.AnswerWithin)
	defer cancel()
	answer, err := s.backend.Ask(ctx, r.caller.token.Name, r.key, r.bodyHash, a)
	if err != nil {
		if p := fromEngine(err); p != nil {
			return nil, p
		}
		return nil, fmt.Errorf("server: asking the fleet: %w", err)
	}
	replayed := ""
	if answer.Repeated {
		replayed = "true"
	}
	if answer.Problem != nil {
		return nil, s.refusal(answer, replayed)
	}
	return &reply{
		Status: answer.Status, ContentType: "application/json", Body: answer.Body,
		ETag: revisionTag(answer.Body), Replayed: replayed,
	}, nil
}

// refusal is the fleet's problem as this package answers it.
func (s *Server) refusal(answer fleet.Answer, replayed string) error {
	code := answer.Problem.Code
	if _, ok := kindOf(code); !ok {
		s.options.Log.Error("the fleet answered with a code that is not in the table", "code", code)
	}
	p := newProblem(code, "%s", answer.Problem.Detail)
	if answer.Problem.Field != "" {
		p.Field = "body." + answer.Problem.Field
	}
	if answer.Status >= 400 {
		p.Status = answer.Status
	}
	if replayed != "" {
		p = p.with("Idempotency-Replayed", replayed)
	}
	return p
}

// revisionTag is the entity tag of an answer that is a task, an incident or the
// change of a zone; other things are never changed under If-Match.
func revisionTag(body []byte) string {
	var v struct {
		Revision   uint64 `json:"revision"`
		Stops      any    `json:"stops"`
		ReportedAt any    `json:"reported_at"`
		Zone       struct {
			Revision uint64 `json:"revision"`
		} `json:"zone"`
	}
	switch err := json.Unmarshal(body, &v); {
	case err != nil:
	case v.Zone.Revision != 0:
		return entityTag(v.Zone.Revision)
	case v.Revision != 0 && (v.Stops != nil || v.ReportedAt != nil):
		return entityTag(v.Revision)
	}
	return ""
}
