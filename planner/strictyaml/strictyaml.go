// Package strictyaml reads the YAML files that people write for Kapok: strictly,
// with the line and column of what is wrong, and without the panics that the YAML
// library has on a few files. It is the place where that library's reading is
// known.
package strictyaml

import (
	"errors"
	"fmt"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// Place is where something stands in a file; lines and columns count from 1. The
// zero Place is nowhere.
type Place struct{ Line, Column int }

// Of returns "name:line:column", or the name alone for nowhere.
func (p Place) Of(name string) string {
	if p == (Place{}) {
		return name
	}
	return fmt.Sprintf("%s:%d:%d", name, p.Line, p.Column)
}

// Error says what is wrong with a file and where.
type Error struct {
	Place Place
	// Message is the fault alone. It quotes nothing of the file but keys.
	Message string
	err     error
}

// Error is the fault with an excerpt of the file, where the library gives one.
func (e *Error) Error() string {
	if e.err != nil {
		return e.err.Error()
	}
	return e.Message
}

// Unwrap gives the library's error.
func (e *Error) Unwrap() error { return e.err }

// Unmarshal reads the first document of data into a struct. Unknown and repeated
// keys are refused, and files beyond MaxBytes, MaxDepth or MaxAliases. Whatever
// the bytes are, it does not panic; every error is an *Error.
func Unmarshal(data []byte, into any) (err error) {
	defer func() {
		if fault := recover(); fault != nil {
			err = &Error{Message: "this is no YAML that can be read"}
		}
	}()
	if beyond := bounded(data); beyond != nil {
		return beyond
	}
	if err := yaml.UnmarshalWithOptions(data, into, yaml.Strict()); err != nil {
		return wrap(err)
	}
	return nil
}

// Empty tells whether a file has no content: nothing, comments, or null.
func Empty(data []byte) bool {
	var content any
	return read(data, &content) == nil && content == nil
}

// read is Unmarshal for values of any shape.
func read(data []byte, into any) (err error) {
	defer func() {
		if fault := recover(); fault != nil {
			err = &Error{Message: "this is no YAML that can be read"}
		}
	}()
	if beyond := bounded(data); beyond != nil {
		return beyond
	}
	return yaml.Unmarshal(data, into)
}

// Documents counts the documents of a file; 0 for one that cannot be read.
func Documents(data []byte) (n int) {
	defer func() {
		if fault := recover(); fault != nil {
			n = 0
		}
	}()
	if bounded(data) != nil {
		return 0
	}
	file, err := parser.ParseBytes(data, 0)
	if err != nil {
		return 0
	}
	return len(file.Docs)
}

func wrap(err error) error {
	e := &Error{Message: err.Error(), err: err}
	if y, ok := errors.AsType[yaml.Error](err); ok {
		e.Message = y.GetMessage()
		if t := y.GetToken(); t != nil && t.Position != nil {
			e.Place = Place{t.Position.Line, t.Position.Column}
		}
	}
	return e
}

// Locate returns where the value at a path such as "fleets[2].count" stands, or
// the nearest one above it that is there; nowhere when there is none.
func Locate(data []byte, path string) (at Place) {
	defer func() {
		if fault := recover(); fault != nil {
			at = Place{}
		}
	}()
	if bounded(data) != nil {
		return Place{}
	}
	file, err := parser.ParseBytes(data, 0)
	if err != nil {
		return Place{}
	}
	for path != "" {
		if p, err := yaml.PathString("$." + path); err == nil {
			if node, err := p.FilterFile(file); err == nil && node != nil && node.GetToken() != nil {
				t := node.GetToken().Position
				return Place{t.Line, t.Column}
			}
		}
		cut := strings.LastIndexAny(path, ".[")
		if cut < 0 {
			break
		}
		path = path[:cut]
	}
	return Place{}
}

// KeyAt returns the path, such as "fleets[2].count", of the key that stands at a
// place; false when there is none.
func KeyAt(data []byte, at Place) (path string, ok bool) {
	defer func() {
		if fault := recover(); fault != nil {
			path, ok = "", false
		}
	}()
	if bounded(data) != nil {
		return "", false
	}
	file, err := parser.ParseBytes(data, 0)
	if err != nil {
		return "", false
	}
	find := keyFinder{at: at}
	for _, doc := range file.Docs {
		if doc.Body != nil {
			ast.Walk(&find, doc.Body)
		}
	}
	return find.path, find.path != ""
}

// keyFinder looks for the key at a place.
type keyFinder struct {
	at   Place
	path string
}

// Visit implements ast.Visitor.
func (f *keyFinder) Visit(node ast.Node) ast.Visitor {
	if pair, ok := node.(*ast.MappingValueNode); ok && f.path == "" {
		if t := pair.Key.GetToken(); t != nil && t.Position != nil && (Place{t.Position.Line, t.Position.Column}) == f.at {
			f.path = strings.TrimPrefix(pair.Key.GetPath(), "$.")
		}
	}
	return f
}

// Spot is where a value stands; a value that reads itself asks for it to say where
// it is wrong.
type Spot struct{ at *token.Token }

// UnmarshalYAML notes the place of the value.
func (s *Spot) UnmarshalYAML(node ast.Node) error {
	s.at = node.GetToken()
	return nil
}

// Wrong is the error for a value that stands there, with its place.
func (s *Spot) Wrong(problem string) error {
	return &yaml.SyntaxError{Message: problem, Token: s.at}
}
