package osmpbf_test

import (
	"bytes"
	"errors"
	"math"
	"reflect"
	"slices"
	"testing"

	"github.com/paulmach/osm"

	"github.com/kapok-fleet/kapok/planner/chart/osmpbf"
)

// FuzzRead holds the reader to its contract whatever the bytes are.
func FuzzRead(f *testing.F) {
	f.Add(goodFile())
	for _, bad := range slices.Concat(badFrames(), badHeaders()) {
		if len(bad.file) < 2000 {
			f.Add(bad.file)
		}
	}
	f.Fuzz(checkContract)
}

// FuzzBlock does the same for one block of data, which FuzzRead seldom gets to
// because of the compression.
func FuzzBlock(f *testing.F) {
	for _, block := range blocks(f, goodFile())[1:] {
		f.Add(block.payload(f))
	}
	for _, bad := range slices.Concat(badBlocks(), badNodes(), badWays()) {
		f.Add(blocks(f, bad.file)[1].payload(f))
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		checkContract(t, behind(framed("OSMData", rawBlob(payload))))
	})
}

// checkContract reads bytes twice, and checks the elements and the error.
func checkContract(t *testing.T, data []byte) {
	limits := osmpbf.Limits{MaxBlobBytes: 1 << 20, MaxStrings: 1000, MaxRefs: 1000, MaxTags: 100}
	all, header, err := readStream(bytes.NewReader(data), limits)
	for _, o := range all {
		checkElement(t, o, limits)
	}
	if err != nil {
		checkFault(t, err, "")
	}
	if err == nil && len(data) == 0 {
		t.Error("a file of no bytes was read")
	}
	allAgain, headerAgain, errAgain := readStream(bytes.NewReader(data), limits)
	if !reflect.DeepEqual(all, allAgain) || !reflect.DeepEqual(header, headerAgain) || !sameText(err, errAgain) {
		t.Errorf("read twice, the same bytes gave two answers: %v, then %v", err, errAgain)
	}
}

func sameText(a, b error) bool {
	if a == nil || b == nil {
		return errors.Is(a, b)
	}
	return a.Error() == b.Error()
}

func checkElement(t *testing.T, o osm.Object, limits osmpbf.Limits) {
	t.Helper()
	var tags osm.Tags
	refs := 0
	switch o := o.(type) {
	case *osm.Bounds:
	case *osm.Node:
		tags = o.Tags
		if !(math.Abs(o.Lat) <= 90 && math.Abs(o.Lon) <= 180) {
			t.Errorf("%+v is outside the world", o)
		}
	case *osm.Way:
		tags, refs = o.Tags, len(o.Nodes)
	case *osm.Relation:
		tags, refs = o.Tags, len(o.Members)
		for _, m := range o.Members {
			if m.Type != osm.TypeNode && m.Type != osm.TypeWay && m.Type != osm.TypeRelation {
				t.Errorf("relation %d has a member of type %q", o.ID, m.Type)
			}
		}
	default:
		t.Errorf("an element of type %T", o)
	}
	if len(tags) > limits.MaxTags || refs > limits.MaxRefs {
		t.Errorf("%v has %d tags and %d references", o.ObjectID(), len(tags), refs)
	}
}
