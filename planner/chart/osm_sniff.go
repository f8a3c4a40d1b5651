package chart

import (
	"bufio"
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/kapok-fleet/kapok/planner/chart/osmpbf"
)

// form is how a file is written.
type form int

const (
	formXML form = iota
	formPBF
)

// sniff recognises by its first bytes how a file is written, and what it cannot
// be.
func sniff(r *bufio.Reader) (form, error) {
	start, err := r.Peek(512)
	if err != nil && !errors.Is(err, io.EOF) {
		return 0, fmt.Errorf("read: %w", err)
	}
	if osmpbf.Sniff(start) {
		return formPBF, nil
	}
	text := bytes.TrimSpace(bytes.TrimPrefix(start, []byte("\xef\xbb\xbf")))
	what := ""
	switch {
	case len(text) == 0:
		what = "it is empty"
	case text[0] == '{' || text[0] == '[':
		what = "it is JSON, not OpenStreetMap XML or PBF"
	case bytes.HasPrefix(start, []byte{0x1f, 0x8b}) || bytes.HasPrefix(start, []byte("BZh")) || bytes.HasPrefix(start, []byte("PK")):
		what = "it is compressed; unpack it first"
	case bytes.HasPrefix(start, []byte{0xff, 0xfe}) || bytes.HasPrefix(start, []byte{0xfe, 0xff}):
		what = "it is written in UTF-16; convert it to UTF-8, for instance with iconv"
	case text[0] != '<':
		what = "it is neither OpenStreetMap XML nor PBF"
	default:
		return formXML, nil
	}
	return 0, fmt.Errorf("%w: %s", ErrOSM, what)
}

// sniffBytes is how far into a file checkRoot looks.
const sniffBytes = 64 << 10

// checkRoot refuses XML whose first element is not that of a map, such as a list
// of changes with deleted elements, and XML that is not in UTF-8. What does not
// come to an element soon is left to the reader.
func checkRoot(r *bufio.Reader) error {
	// A file shorter than that gives all it has.
	start, _ := r.Peek(sniffBytes)
	charset := ""
	decoder := xml.NewDecoder(bytes.NewReader(start))
	decoder.CharsetReader = func(label string, input io.Reader) (io.Reader, error) {
		charset = label
		return input, nil
	}
	for {
		token, err := decoder.RawToken()
		if charset != "" && !strings.EqualFold(charset, "us-ascii") {
			return fmt.Errorf("%w: it is written in %q; convert it to UTF-8, for instance with iconv, and have its first line say so", ErrOSM, charset)
		}
		if err != nil {
			return nil
		}
		if first, ok := token.(xml.StartElement); ok {
			if first.Name.Local != "osm" {
				return fmt.Errorf("%w: its first element is <%s>, not <osm>", ErrOSM, first.Name.Local)
			}
			return nil
		}
	}
}
