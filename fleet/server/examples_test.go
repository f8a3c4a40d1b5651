package server

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/danielgtaylor/huma/v2"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/kapok-fleet/kapok/protocol/api"
)

var update = flag.Bool("update", false, "write the answers of the examples anew")

// withoutExample are the operations whose answer is no JSON value, or is the
// document itself.
func withoutExample() []string { return []string{"metrics", "openapi", "link", "stream"} }

// TestEveryExampleWorks tells the story of the examples to a real server with
// vehicles on real links: every request gets a good answer, and that answer, as
// well as the one in the document, is of the shape that the document gives.
func TestEveryExampleWorks(t *testing.T) {
	w := newWorld(t, nil)
	examples, err := readExamples()
	w.must(err)
	operations := w.operations()
	schemas := w.schemas()
	c := w.newCrew()
	for i := range examples {
		e := &examples[i]
		o, ok := operations[e.Operation]
		if !ok {
			t.Errorf("there is an example of %q, which is no operation", e.Operation)
			continue
		}
		delete(operations, e.Operation)
		c.before(e.Operation)
		status, answer := w.send(o, e)
		if status >= 300 {
			t.Errorf("%s: status %d: %s", e.Operation, status, answer)
			continue
		}
		schemas.judge(t, o, status, answer, "the answer")
		if *update {
			e.Answer, e.Status = answer, 0
			if status != usualStatus(o.Operation) {
				e.Status = status
			}
		}
		if len(e.Answer) == 0 {
			t.Errorf("%s has no answer; run the test with -update", e.Operation)
			continue
		}
		schemas.judge(t, o, e.status(o.Operation), e.Answer, "the example of an answer")
	}
	for id := range operations {
		if !slices.Contains(withoutExample(), id) {
			t.Errorf("the operation %s has no example", id)
		}
	}
	if *update {
		w.must(os.WriteFile("examples.json", layOut(t, examples), 0o644))
	}
}

// layOut writes one member of an example a line.
func layOut(t *testing.T, examples []example) []byte {
	t.Helper()
	var b bytes.Buffer
	for i := range examples {
		e := examples[i]
		compact := func(v json.RawMessage) string {
			var line bytes.Buffer
			if err := json.Compact(&line, v); err != nil {
				t.Fatal(err)
			}
			return line.String()
		}
		answer := e.Answer
		request := e.Request
		e.Answer, e.Request = nil, nil
		head, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&b, "%s%s", map[bool]string{true: "[\n", false: ",\n"}[i == 0], bytes.TrimSuffix(head, []byte("}")))
		if request != nil {
			fmt.Fprintf(&b, ",\n \"request\": %s", compact(request))
		}
		if answer != nil {
			fmt.Fprintf(&b, ",\n \"answer\": %s", compact(answer))
		}
		b.WriteString("}")
	}
	b.WriteString("\n]\n")
	return b.Bytes()
}

// described is an operation of the document with its path.
type described struct {
	*huma.Operation
	path string
}

func (w *world) operations() map[string]described {
	all := map[string]described{}
	for path, item := range w.server.api.OpenAPI().Paths {
		for _, o := range []*huma.Operation{item.Get, item.Put, item.Post, item.Delete} {
			if o != nil {
				all[o.OperationID] = described{o, path}
			}
		}
	}
	return all
}

// send sends an example as somebody who may, and demands that the document
// shows what was sent.
func (w *world) send(o described, e *example) (int, []byte) {
	w.t.Helper()
	path, query := o.path, url.Values{}
	for _, p := range o.Parameters {
		shown := ""
		switch p.In {
		case "path":
			shown = e.Path[p.Name]
			path = strings.ReplaceAll(path, "{"+p.Name+"}", url.PathEscape(shown))
		case "query":
			if shown = e.Query[p.Name]; shown != "" {
				query.Set(p.Name, shown)
			}
		}
		if p.In == "path" && shown == "" || shown != "" && fmt.Sprint(p.Example) != shown {
			w.t.Errorf("%s: the document shows %v as the parameter %s, the example has %q", e.Operation, p.Example, p.Name, shown)
		}
	}
	if (o.RequestBody != nil && o.RequestBody.Required) != (e.Request != nil) && e.Operation != "cancel-task" {
		w.t.Errorf("%s: the example has the body %q", e.Operation, e.Request)
	}
	if len(query) > 0 {
		path += "?" + query.Encode()
	}
	a := w.do("admin", o.Method, path, string(e.Request))
	return a.status, a.body
}

// judges validate answers by the schemas of the document.
type judges struct {
	compiler *jsonschema.Compiler
}

func (w *world) schemas() judges {
	w.t.Helper()
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(w.server.document))
	w.must(err)
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	w.must(c.AddResource("mem:///openapi.json", document))
	return judges{c}
}

// judge holds an answer against the document's shape of it.
func (j judges) judge(t *testing.T, o described, status int, answer []byte, what string) {
	t.Helper()
	at := fmt.Sprintf("mem:///openapi.json#/paths/%s/%s/responses/%d/content/application~1json/schema",
		strings.NewReplacer("~", "~0", "/", "~1", "{", "%7B", "}", "%7D").Replace(o.path), strings.ToLower(o.Method), status)
	schema, err := j.compiler.Compile(at)
	if err != nil {
		t.Errorf("%s, status %d: %v", o.OperationID, status, err)
		return
	}
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(answer))
	if err == nil {
		err = schema.Validate(v)
	}
	if err != nil {
		t.Errorf("%s: %s is not of the shape that the document gives: %v\n%s", o.OperationID, what, err, answer)
	}
}

// TestProblemsHaveTheirShape holds a refusal against the document.
func TestProblemsHaveTheirShape(t *testing.T) {
	w := newWorld(t, nil)
	a := w.do("dispatcher", "POST", "/v1/tasks", `{"kind":"dance","stops":[],"rank":1000}`)
	schema, err := w.schemas().compiler.Compile("mem:///openapi.json#/components/schemas/Problem")
	w.must(err)
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(a.body))
	w.must(err)
	if err := schema.Validate(v); err != nil {
		t.Errorf("%s: %v", a.body, err)
	}
	var p api.Problem
	a.into(t, &p)
	if p.Status != http.StatusUnprocessableEntity || len(p.Errors) == 0 {
		t.Errorf("the problem is %+v", p)
	}
}
