package server

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/danielgtaylor/huma/v2"
)

// exampleFile tells, in the order of a story, one request to each operation and
// its answer. Its requests are written by hand and its answers by a real server:
// go test ./fleet/server -run TestEveryExampleWorks -update.
//
//go:embed examples.json
var exampleFile []byte

// example is one request to an operation, and the answer that it got.
type example struct {
	Operation string `json:"operation"`
	// Path and Query are the parameters by their names; all of a path are given.
	Path  map[string]string `json:"path,omitempty"`
	Query map[string]string `json:"query,omitempty"`
	// Status is that of the answer where it is not the usual one, else 0.
	Status  int             `json:"status,omitempty"`
	Request json.RawMessage `json:"request,omitempty"`
	Answer  json.RawMessage `json:"answer,omitempty"`
}

// readExamples reads the examples of the document.
func readExamples() ([]example, error) {
	var all []example
	if err := json.Unmarshal(exampleFile, &all); err != nil {
		return nil, fmt.Errorf("server: reading the examples of the API: %w", err)
	}
	return all, nil
}

// illustrate puts the examples into the document.
func (s *Server) illustrate() error {
	all, err := readExamples()
	if err != nil {
		return err
	}
	byID := map[string]example{}
	for _, e := range all {
		byID[e.Operation] = e
	}
	for _, item := range s.api.OpenAPI().Paths {
		for _, o := range []*huma.Operation{item.Get, item.Put, item.Post, item.Delete} {
			if o == nil {
				continue
			}
			if e, ok := byID[o.OperationID]; ok {
				e.describe(o)
			}
		}
	}
	return nil
}

// describe puts the example into its operation. Parameters that are shared with
// other operations are copied first.
func (e example) describe(o *huma.Operation) {
	for i, p := range o.Parameters {
		value, ok := e.Path[p.Name]
		if p.In == "query" {
			value, ok = e.Query[p.Name]
		}
		if !ok {
			continue
		}
		shown := *p
		shown.Example = value
		if p.Schema != nil && p.Schema.Type == huma.TypeInteger {
			if n, err := strconv.Atoi(value); err == nil {
				shown.Example = n
			}
		}
		o.Parameters[i] = &shown
	}
	if o.RequestBody != nil && e.Request != nil {
		for _, media := range o.RequestBody.Content {
			media.Example = e.Request
		}
	}
	if e.Answer == nil {
		return
	}
	for status, r := range o.Responses {
		media, ok := r.Content["application/json"]
		if n, err := strconv.Atoi(status); ok && err == nil && n == e.status(o) {
			media.Example = e.Answer
		}
	}
}

func (e example) status(o *huma.Operation) int {
	if e.Status != 0 {
		return e.Status
	}
	return usualStatus(o)
}

// usualStatus is the status of an operation's usual answer.
func usualStatus(o *huma.Operation) int {
	if o.DefaultStatus != 0 {
		return o.DefaultStatus
	}
	return 200
}
