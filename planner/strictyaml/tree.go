package strictyaml

import (
	"fmt"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// Kind is what a value of a file is.
type Kind int

// The kinds of value.
const (
	Null Kind = iota
	// Scalar is a text, a number or a truth value, as it is written.
	Scalar
	List
	Map
)

func (k Kind) String() string {
	return [...]string{"nothing", "a single value", "a list", "a mapping"}[k]
}

// Value is a part of a file of a foreign format, as it stands there: for readers
// that know some of its keys and pass over the others.
type Value struct {
	Place
	Kind Kind
	// Text is a Scalar's, without its quotes.
	Text string
	// Items are those of a List.
	Items []*Value
	// Pairs are those of a Map, in the order of the file.
	Pairs []Pair
}

// Pair is a key of a mapping with its value.
type Pair struct {
	Key   string
	Value *Value
}

// Get returns the value of a key; nil where there is none or it is null.
func (v *Value) Get(key string) *Value {
	if v == nil {
		return nil
	}
	for _, p := range v.Pairs {
		if p.Key == key && p.Value.Kind != Null {
			return p.Value
		}
	}
	return nil
}

// Tree reads the first document of a file as it stands; nil for an empty one. It has
// the bounds of Unmarshal, does not panic, and refuses aliases and repeated keys;
// every error is an *Error.
func Tree(data []byte) (root *Value, err error) {
	defer func() {
		if fault := recover(); fault != nil {
			root, err = nil, &Error{Message: "this is no YAML that can be read"}
		}
	}()
	if beyond := bounded(data); beyond != nil {
		return nil, beyond
	}
	file, err := parser.ParseBytes(data, 0)
	if err != nil {
		return nil, wrap(err)
	}
	if len(file.Docs) == 0 || file.Docs[0].Body == nil {
		return nil, nil //nolint:nilnil // An empty file is no error, and has no value.
	}
	return valueOf(file.Docs[0].Body)
}

func valueOf(node ast.Node) (*Value, error) {
	v := &Value{Place: placeOf(node.GetToken())}
	switch n := node.(type) {
	case *ast.NullNode:
	case *ast.AnchorNode:
		return valueOf(n.Value)
	case *ast.TagNode:
		return valueOf(n.Value)
	case *ast.MappingNode:
		v.Kind = Map
		return v, v.addPairs(n.Values)
	case *ast.MappingValueNode:
		v.Kind = Map
		return v, v.addPairs([]*ast.MappingValueNode{n})
	case *ast.SequenceNode:
		v.Kind = List
		for _, item := range n.Values {
			one, err := valueOf(item)
			if err != nil {
				return nil, err
			}
			v.Items = append(v.Items, one)
		}
	case *ast.LiteralNode:
		v.Kind, v.Text = Scalar, n.Value.Value
	case *ast.StringNode:
		v.Kind, v.Text = Scalar, n.Value
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.InfinityNode, *ast.NanNode:
		v.Kind, v.Text = Scalar, node.GetToken().Value
	case *ast.AliasNode:
		return nil, &Error{Message: "aliases are not read here: write the value out", Place: v.Place}
	default:
		return nil, &Error{Message: fmt.Sprintf("a %s is not read here", node.Type()), Place: v.Place}
	}
	return v, nil
}

func (v *Value) addPairs(pairs []*ast.MappingValueNode) error {
	known := map[string]bool{}
	for _, pair := range pairs {
		key, err := valueOf(pair.Key)
		if err != nil {
			return err
		}
		if key.Kind != Scalar {
			return &Error{Message: "a key is no single value", Place: key.Place}
		}
		if known[key.Text] {
			return &Error{Message: fmt.Sprintf("the key %q is there twice", key.Text), Place: key.Place}
		}
		known[key.Text] = true
		value, err := valueOf(pair.Value)
		if err != nil {
			return err
		}
		v.Pairs = append(v.Pairs, Pair{key.Text, value})
	}
	return nil
}
