package strictyaml

import (
	"fmt"

	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/token"
)

// The bounds of a file. The library's reading takes time and stack that grow
// faster than the nesting, and an alias stands for as much as its anchor does, so
// that a few lines of aliases can mean more than any memory holds.
const (
	// MaxBytes is the longest file that is read.
	MaxBytes = 16 << 20
	// MaxDepth is how deep lists and mappings may be nested.
	MaxDepth = 64
	// MaxAliases is how many aliases a file may have.
	MaxAliases = 64
)

// bounded refuses what is beyond the bounds, before anything of it is read.
func bounded(data []byte) *Error {
	if len(data) > MaxBytes {
		return &Error{Message: fmt.Sprintf("it has %d bytes, more than %d", len(data), MaxBytes)}
	}
	var n nesting
	for _, t := range lexer.Tokenize(string(data)) {
		n.take(t)
		if n.depth() > MaxDepth {
			return &Error{Message: fmt.Sprintf("it is nested more than %d deep", MaxDepth), Place: placeOf(t)}
		}
		if n.aliases > MaxAliases {
			return &Error{Message: fmt.Sprintf("it has more than %d aliases", MaxAliases), Place: placeOf(t)}
		}
	}
	return nil
}

func placeOf(t *token.Token) Place {
	if t == nil || t.Position == nil {
		return Place{}
	}
	return Place{t.Position.Line, t.Position.Column}
}

// nesting follows the tokens of a file and tells how deep they are nested: by
// the columns of what indents, by brackets, and by tags and anchors, which the
// library nests too.
type nesting struct {
	columns        []int
	brackets, tags int
	aliases        int
	before         int // column of the token before
}

func (n *nesting) depth() int { return len(n.columns) + n.brackets + n.tags }

func (n *nesting) take(t *token.Token) {
	column := placeOf(t).Column
	switch t.Type {
	case token.SequenceStartType, token.MappingStartType:
		n.brackets++
	case token.SequenceEndType, token.MappingEndType:
		n.brackets = max(0, n.brackets-1)
	case token.TagType, token.AnchorType:
		n.tags++
	case token.SequenceEntryType, token.MappingKeyType:
		n.indent(column)
	case token.MappingValueType:
		// What indents is the key before the colon.
		n.indent(min(column, n.before))
		n.tags = 0
	case token.DocumentHeaderType, token.DocumentEndType:
		*n = nesting{aliases: n.aliases}
	case token.AliasType:
		n.aliases++
	default:
	}
	n.before = column
}

// indent opens a block at a column, which ends those that begin there or to the
// right of it. Within brackets nothing indents.
func (n *nesting) indent(column int) {
	if n.brackets > 0 {
		return
	}
	n.tags = 0
	for len(n.columns) > 0 && n.columns[len(n.columns)-1] >= column {
		n.columns = n.columns[:len(n.columns)-1]
	}
	n.columns = append(n.columns, column)
}
