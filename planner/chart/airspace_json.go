package chart

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// jnode is a value within a JSON document that knows its place, so that every
// fault can be told with it.
type jnode struct {
	value  any
	parent *jnode
	// key is the name within an object, index the number within a list; key is
	// empty there.
	key   string
	index int
}

// path is where the value stands, as in features[3].geometry[0].upperLimit.
func (n *jnode) path() string {
	var parts []string
	for ; n != nil && n.parent != nil; n = n.parent {
		if n.key == "" {
			parts = append(parts, fmt.Sprintf("[%d]", n.index))
			continue
		}
		parts = append(parts, "."+n.key)
	}
	var text strings.Builder
	for i := len(parts) - 1; i >= 0; i-- {
		text.WriteString(parts[i])
	}
	if text.Len() == 0 {
		return "the document"
	}
	return strings.TrimPrefix(text.String(), ".")
}

// fault is an error about the value, with its place.
func (n *jnode) fault(format string, args ...any) error {
	return fmt.Errorf("%s: "+format, append([]any{n.path()}, args...)...)
}

// what says what kind of value it is.
func (n *jnode) what() string {
	switch n.value.(type) {
	case nil:
		return "null"
	case map[string]any:
		return "an object"
	case []any:
		return "a list"
	case string:
		return "text"
	case float64:
		return "a number"
	}
	return "true or false"
}

// get is a member of an object; false where there is none or it is null.
func (n *jnode) get(key string) (*jnode, bool) {
	object, _ := n.value.(map[string]any)
	v, ok := object[key]
	if !ok || v == nil {
		return nil, false
	}
	return &jnode{value: v, parent: n, key: key}, true
}

// need is a member that must be there.
func (n *jnode) need(key string) (*jnode, error) {
	if _, ok := n.value.(map[string]any); !ok {
		return nil, n.fault("it is %s, not an object", n.what())
	}
	v, ok := n.get(key)
	if !ok {
		return nil, n.fault("it has no %q", key)
	}
	return v, nil
}

// list are the items of a list.
func (n *jnode) list() ([]*jnode, error) {
	values, ok := n.value.([]any)
	if !ok {
		return nil, n.fault("it is %s, not a list", n.what())
	}
	items := make([]*jnode, len(values))
	for i, v := range values {
		items[i] = &jnode{value: v, parent: n, index: i}
	}
	return items, nil
}

// items are the items of a list, or the value itself where a file leaves out the
// brackets of a list of one.
func (n *jnode) items() []*jnode {
	if list, err := n.list(); err == nil {
		return list
	}
	return []*jnode{n}
}

func (n *jnode) text() (string, error) {
	s, ok := n.value.(string)
	if !ok {
		return "", n.fault("it is %s, not text", n.what())
	}
	return s, nil
}

func (n *jnode) number() (float64, error) {
	v, ok := n.value.(float64)
	if !ok {
		return 0, n.fault("it is %s, not a number", n.what())
	}
	return v, nil
}

// word is a member that is text; empty where it is not there.
func (n *jnode) word(key string) (string, error) {
	v, ok := n.get(key)
	if !ok {
		return "", nil
	}
	return v.text()
}

// lines counts the lines of what is read through it, so that a fault can be told
// with its line although the text is gone. It ends reading after a number of bytes.
type lines struct {
	r     io.Reader
	left  int64
	bytes int64
	lines int
	last  []byte
	long  bool
}

func (l *lines) Read(p []byte) (int, error) {
	l.bytes += int64(len(l.last))
	l.lines += bytes.Count(l.last, []byte("\n"))
	l.last = l.last[:0]
	if l.left <= 0 {
		l.long = true
		return 0, io.EOF
	}
	n, err := l.r.Read(p[:min(int64(len(p)), l.left)])
	l.left -= int64(n)
	l.last = append(l.last, p[:n]...)
	return n, err
}

// place adds the line, or where that is gone the byte, to a syntax error.
func (l *lines) place(err error) error {
	var syntax *json.SyntaxError
	switch {
	case l.long:
		return fmt.Errorf("it is longer than %d bytes", MaxAirspaceBytes)
	case errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF):
		return fmt.Errorf("line %d: it ends in the middle of a value", 1+l.lines+bytes.Count(l.last, []byte("\n")))
	case !errors.As(err, &syntax):
		return err
	}
	at := syntax.Offset - l.bytes
	if at < 0 || at > int64(len(l.last)) {
		return fmt.Errorf("byte %d: %w", syntax.Offset, err)
	}
	return fmt.Errorf("line %d: %w", 1+l.lines+bytes.Count(l.last[:at], []byte("\n")), err)
}
