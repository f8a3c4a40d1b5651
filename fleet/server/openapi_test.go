package server

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
)

type parameter struct {
	Name string `json:"name"`
	In   string `json:"in"`
}

// document is the part of an OpenAPI document that is looked at.
type document struct {
	OpenAPI string `json:"openapi"`
	Tags    []struct {
		Name string `json:"name"`
	} `json:"tags"`
	Paths map[string]map[string]struct {
		OperationID string      `json:"operationId"`
		Summary     string      `json:"summary"`
		Tags        []string    `json:"tags"`
		Parameters  []parameter `json:"parameters"`
		RequestBody struct {
			Content map[string]json.RawMessage `json:"content"`
		} `json:"requestBody"`
		Security  []map[string][]string `json:"security"`
		Responses map[string]struct {
			Description string                     `json:"description"`
			Content     map[string]json.RawMessage `json:"content"`
		} `json:"responses"`
	} `json:"paths"`
	Components struct {
		Schemas map[string]struct {
			AdditionalProperties any `json:"additionalProperties"`
		} `json:"schemas"`
	} `json:"components"`
}

// TestTheDocumentDescribesEveryOperation holds the OpenAPI document against
// what it must say, and against the routes that there are.
func TestTheDocumentDescribesEveryOperation(t *testing.T) {
	w := newWorld(t, nil)
	var d document
	raw := w.want(http.StatusOK, &d, "", "GET", "/openapi.json", "").body
	if !strings.HasPrefix(d.OpenAPI, "3.1") {
		t.Errorf("the version is %q", d.OpenAPI)
	}
	var tags, ids []string
	for _, tag := range d.Tags {
		tags = append(tags, tag.Name)
	}
	routes := 0
	for path, methods := range d.Paths {
		for method, o := range methods {
			name := strings.ToUpper(method) + " " + path
			rule, ok := w.server.rules[name]
			if !ok {
				t.Errorf("%s is described and not served", name)
			}
			routes++
			if o.Summary == "" || o.OperationID == "" || len(o.Tags) != 1 || !slices.Contains(tags, o.Tags[0]) {
				t.Errorf("%s lacks a summary, an id or a known tag: %+v", name, o)
			}
			ids = append(ids, o.OperationID)
			if (rule != openToAll) != (len(o.Security) == 1) {
				t.Errorf("%s: the security is %v", name, o.Security)
			}
			problems := map[string]bool{}
			for status, r := range o.Responses {
				if n, err := strconv.Atoi(status); err != nil || n < 400 {
					continue
				}
				if _, ok := r.Content[problemType]; !ok || len(r.Content) != 1 {
					t.Errorf("%s: status %s is not a problem", name, status)
				}
				for code := range strings.SplitSeq(r.Description, ", ") {
					problems[code] = true
					if k, ok := kinds()[code]; !ok || strconv.Itoa(k.status) != status {
						t.Errorf("%s: status %s names the code %q", name, status, code)
					}
				}
			}
			if !problems[codeInternal] || rule != openToAll && (!problems[codeUnauthenticated] || !problems[codeForbidden]) {
				t.Errorf("%s lacks codes: %v", name, problems)
			}
			if method == "post" && !slices.Contains(o.Parameters, parameter{"Idempotency-Key", "header"}) {
				t.Errorf("%s has no Idempotency-Key", name)
			}
			for kind := range o.RequestBody.Content {
				if kind != "application/json" {
					t.Errorf("%s takes %s", name, kind)
				}
			}
		}
	}
	if routes != len(w.server.rules) {
		t.Errorf("%d operations are described, %d are served", routes, len(w.server.rules))
	}
	slices.Sort(ids)
	if len(slices.Compact(slices.Clone(ids))) != len(ids) {
		t.Errorf("operation ids are not unique: %v", ids)
	}
	for _, name := range []string{"Order", "OrderStop", "Position", "Resolution", "CommandOrder", "ServiceChange", "VehicleRegistration", "Cancellation"} {
		if d.Components.Schemas[name].AdditionalProperties != false {
			t.Errorf("%s admits unknown fields", name)
		}
	}
	for _, reference := range strings.Split(string(raw), `"$ref":"#/components/schemas/`)[1:] {
		name, _, _ := strings.Cut(reference, `"`)
		if _, ok := d.Components.Schemas[name]; !ok {
			t.Errorf("the document refers to %q, which is not there", name)
		}
	}
}
