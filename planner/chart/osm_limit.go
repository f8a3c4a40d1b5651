package chart

import (
	"cmp"
	"fmt"
	"io"
	"slices"

	"github.com/paulmach/osm"
)

const (
	// MaxOSMTagged is the most elements of which ImportOSM keeps the tags, some
	// 400 bytes each: ways that are driven, buildings, water, and what may be a
	// site, a place or a barrier.
	MaxOSMTagged = 4_000_000
	// MaxOSMValueBytes is the longest value of a tag that ImportOSM takes in: the
	// 255 characters that the map itself allows. Longer ones count as absent.
	MaxOSMValueBytes = 4 * 255
	// wayRefs is how many references a way counts for besides its own, since a
	// way without any takes memory, too.
	wayRefs = 6
)

// MaxOSMElementBytes is how long one element of a file in XML may be, with all in it.
// The map itself allows a relation 32000 members, which take 2 MB.
const MaxOSMElementBytes = 16 << 20

// elementReader ends reading, with an error, after a number of bytes.
type elementReader struct {
	r    io.Reader
	left int
}

func (e *elementReader) Read(p []byte) (int, error) {
	if e.left <= 0 {
		return 0, fmt.Errorf("an element is longer than %d bytes", MaxOSMElementBytes)
	}
	n, err := e.r.Read(p[:min(len(p), e.left)])
	e.left -= n
	return n, err
}

// tagsOf takes over the tags that some rule looks at. The others, of which an
// element may have any number, are not kept.
func (m *importer) tagsOf(list osm.Tags, kind osm.Type, id int64) tags {
	var t tags
	for _, tag := range list {
		if !heeded(tag.Key) {
			continue
		}
		if len(tag.Value) > MaxOSMValueBytes {
			m.warnOf("a tag with a value of more than 255 characters is left out", kind, id)
			continue
		}
		if t == nil {
			t = make(tags, min(len(list), 8))
		}
		t[tag.Key] = tag.Value
	}
	return t
}

// heeded tells whether some rule looks at a key.
func heeded(key string) bool {
	switch key {
	case "access", "addr:full", "addr:housenumber", "addr:place", "addr:street", "aeroway", "amenity", "area",
		"barrier", "brand", "bridge", "building", "building:height", "building:levels", "building:part",
		"capacity", "covered", "craft", "foot", "healthcare", "height", "highway", "junction",
		"kapok:for", "kapok:site", "layer", "leisure", "level", "location", "maxspeed", "motor_vehicle", "motorcar",
		"name", "natural", "office", "oneway", "operator:name", "shop",
		"sidewalk", "sidewalk:both", "sidewalk:left", "sidewalk:right",
		"tourism", "tunnel", "type", "vehicle", "water", "waterway":
		return true
	}
	return false
}

// keepRefs counts references that are kept.
func (m *importer) keepRefs(n int) error {
	m.refs += n
	if m.refs > MaxOSMRefs {
		return fmt.Errorf("%w: its ways and relations have more than %d references, each way counting for %d more: take a smaller extract",
			ErrOSM, MaxOSMRefs, wayRefs)
	}
	return nil
}

// keepTags counts an element whose tags are kept.
func (m *importer) keepTags() error {
	m.kept++
	if m.kept > MaxOSMTagged {
		return fmt.Errorf("%w: it has more than %d streets, buildings, sites and places together: take a smaller extract", ErrOSM, MaxOSMTagged)
	}
	return nil
}

// sortElements makes nodes searchable. Of several elements with one id the last
// counts.
func (m *importer) sortElements() {
	byID := func(a, b rawNode) int { return cmp.Compare(a.id, b.id) }
	if !slices.IsSortedFunc(m.nodes, byID) {
		slices.SortStableFunc(m.nodes, byID)
	}
	kept := m.nodes[:0]
	for i, n := range m.nodes {
		if i+1 < len(m.nodes) && m.nodes[i+1].id == n.id {
			m.warnOf("a node that stands twice is taken from its last place", osm.TypeNode, n.id)
			continue
		}
		kept = append(kept, n)
	}
	if len(kept) < len(m.nodes) {
		m.tagged = lastOfEach(m.tagged, func(e element) string { return e.id }, func(string) {})
	}
	m.nodes = kept
	m.ways = lastOfEach(m.ways, func(w rawWay) int64 { return w.id }, func(id int64) {
		m.warnOf("a way that stands twice is taken from its last place", osm.TypeWay, id)
	})
	m.relations = lastOfEach(m.relations, func(r rawRelation) int64 { return r.id }, func(id int64) {
		m.warnOf("a relation that stands twice is taken from its last place", osm.TypeRelation, id)
	})
}

// lastOfEach returns the last element of each id, in their order, and tells of
// those it passes over.
func lastOfEach[E any, K cmp.Ordered](list []E, id func(E) K, twice func(K)) []E {
	// Files are sorted, but for some made by hand.
	sorted := true
	for i := 1; i < len(list) && sorted; i++ {
		sorted = id(list[i-1]) < id(list[i])
	}
	if sorted {
		return list
	}
	last := make(map[K]int, len(list))
	for i, e := range list {
		last[id(e)] = i
	}
	kept := list[:0]
	for i, e := range list {
		if last[id(e)] != i {
			twice(id(e))
			continue
		}
		kept = append(kept, e)
	}
	return kept
}
