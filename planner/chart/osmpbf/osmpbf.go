// Package osmpbf reads OpenStreetMap PBF, the binary form in which extracts of
// the map are handed out, and gives its elements to a callback as the same
// values that the XML reader makes of an .osm file.
//
// A file is a row of blocks, each with a small header that names its kind and
// length. The first block is the file's header: what a reader must understand,
// and the area covered. Each later one holds some thousand elements, packed
// with zlib: a table of strings, and columns of differences that refer to it.
// Nothing reaches from one block into another, so that one block at a time is
// in memory. The format is described at
// https://wiki.openstreetmap.org/wiki/PBF_Format.
//
// Whatever the bytes are, reading ends with elements or with an *Error in one
// sentence; it never panics, and Limits bound what it holds.
package osmpbf

import (
	"bytes"
	"cmp"
	"io"
	"time"

	"github.com/paulmach/osm"
)

// Bounds of the format, and the defaults of Limits.
const (
	// MaxBlobHeaderBytes is the longest header of a block.
	MaxBlobHeaderBytes = 64 << 10
	// MaxBlobBytes is the longest block, as it stands in the file and unpacked.
	MaxBlobBytes = 32 << 20
	// DefaultMaxBytes is the longest file.
	DefaultMaxBytes = 4 << 30
	// DefaultMaxStrings is the most strings in the table of one block.
	DefaultMaxStrings = 1 << 20
	// DefaultMaxRefs is the most nodes of a way and members of a relation. The
	// map itself allows 2000 and 32000.
	DefaultMaxRefs = 256 << 10
	// DefaultMaxTags is the most tags of one element.
	DefaultMaxTags = 64 << 10
	// maxFeatures is the most features that a file's header may name.
	maxFeatures = 256
)

// Limits bound what Read takes in and holds. A field that is 0 or less stands
// for its default. A file beyond a limit is refused with an *Error.
//
// Read holds at most one block as it stands in the file and unpacked, 40 bytes
// for each string of its table and a copy of those in use, the columns of a
// group that a writer has scattered, and the element being built: 40 bytes a
// node of a way, 104 a member of a relation, 32 a tag.
type Limits struct {
	// MaxBytes is the longest file, DefaultMaxBytes by default.
	MaxBytes int64
	// MaxBlobBytes is the longest block, packed and unpacked; it is at most the
	// constant of this name, which is the default.
	MaxBlobBytes int
	// MaxStrings is DefaultMaxStrings by default.
	MaxStrings int
	// MaxRefs is DefaultMaxRefs by default.
	MaxRefs int
	// MaxTags is DefaultMaxTags by default.
	MaxTags int
}

// filled returns the limits with every default in its place.
func (l Limits) filled() Limits {
	return Limits{
		MaxBytes:     cmp.Or(max(l.MaxBytes, 0), DefaultMaxBytes),
		MaxBlobBytes: min(cmp.Or(max(l.MaxBlobBytes, 0), MaxBlobBytes), MaxBlobBytes),
		MaxStrings:   cmp.Or(max(l.MaxStrings, 0), DefaultMaxStrings),
		MaxRefs:      cmp.Or(max(l.MaxRefs, 0), DefaultMaxRefs),
		MaxTags:      cmp.Or(max(l.MaxTags, 0), DefaultMaxTags),
	}
}

// Header is what a file says of itself in its first block. Texts are empty and
// numbers 0 where it says nothing.
type Header struct {
	// Bounds is the area covered, in degrees of WGS-84 and unchecked; nil when
	// the file does not say.
	Bounds *osm.Bounds
	// RequiredFeatures are all known to Read; OptionalFeatures may be anything.
	RequiredFeatures, OptionalFeatures []string
	WritingProgram, Source             string
	// ReplicationTime is the state of the map that the file shows; the zero time
	// when the file does not say.
	ReplicationTime     time.Time
	ReplicationSequence int64
	ReplicationURL      string
}

// Read decodes a PBF stream up to its end and calls visit for each element in
// file order: first an *osm.Bounds if the header has one, then *osm.Node,
// *osm.Way and *osm.Relation as they come. Each is newly made and belongs to
// visit. Blocks of unknown kind and changesets are passed over.
//
// References are passed on whether or not their target is in the file. Tags,
// nodes and members are nil where there are none; version, changeset, user and
// time have their zero value where the file leaves them out. Visible is true
// unless the file says otherwise. Text that is not UTF-8 has the replacement
// character in place of the wrong bytes. Coordinates are the closest numbers to
// the decimal ones in the file; ways have those of their nodes only where the
// file has them (the feature LocationsOnWays).
//
// An error of visit ends the reading and is returned as it is. Every other
// error is an *Error; elements of the blocks before it, and of its own block
// before the fault, have been visited by then. A file that was cut short exactly
// between two blocks cannot be told from a whole one. The header is returned as
// far as it was read. Read starts no goroutine and does not read past what it
// decodes, except for what r itself buffers.
func Read(r io.Reader, limits Limits, visit func(osm.Object) error) (Header, error) {
	d := &decoder{r: r, limits: limits.filled(), visit: visit}
	for {
		if more, err := d.readBlock(); err != nil || !more {
			return d.header, err
		}
	}
}

// Sniff tells whether a stream that starts with prefix is PBF rather than XML
// or anything else. 64 bytes are enough for the files of all known writers.
func Sniff(prefix []byte) bool {
	if len(prefix) < 4 {
		return false
	}
	size := headerSize([4]byte(prefix))
	if size == 0 || size > MaxBlobHeaderBytes {
		return false
	}
	head := prefix[4:]
	head = head[:min(uint32(len(head)), size)]
	return bytes.Contains(head, []byte(kindHeader)) || bytes.Contains(head, []byte(kindData))
}
