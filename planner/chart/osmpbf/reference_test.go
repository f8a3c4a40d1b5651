//go:build !cgo

package osmpbf_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/paulmach/osm"
	reference "github.com/paulmach/osm/osmpbf"

	"github.com/kapok-fleet/kapok/planner/chart/osmpbf"
)

// TestContentIsThatOfAnotherReader compares every element of the real files with
// what the reader of paulmach/osm makes of it. That reader panics on nodes that
// are not packed, so those files are left to the count above.
func TestContentIsThatOfAnotherReader(t *testing.T) {
	for name, data := range dataFiles(t) {
		t.Run(name, func(t *testing.T) {
			if count(t, data).plain > 0 {
				t.Skip("the other reader panics on nodes that are not packed")
			}
			scanner := reference.New(context.Background(), bytes.NewReader(data), 1)
			defer func() {
				if err := scanner.Close(); err != nil {
					t.Errorf("closing the other reader: %v", err)
				}
			}()
			compared := 0
			header, err := osmpbf.Read(bytes.NewReader(data), osmpbf.Limits{}, func(o osm.Object) error {
				if _, ok := o.(*osm.Bounds); ok {
					return nil
				}
				if !scanner.Scan() {
					t.Fatalf("the other reader ends after %d elements: %v", compared, scanner.Err())
				}
				if want := scanner.Object(); !same(o, want) {
					t.Fatalf("element %d is\n%+v, the other reader has\n%+v", compared, o, want)
				}
				compared++
				return nil
			})
			if err != nil || scanner.Scan() || scanner.Err() != nil || compared == 0 {
				t.Fatalf("after %d elements: %v; the other reader: %v", compared, err, scanner.Err())
			}
			want, err := scanner.Header()
			if err != nil && !errors.Is(err, io.EOF) {
				t.Fatal(err)
			}
			checkHeader(t, header, want)
			t.Logf("%d elements are the same", compared)
		})
	}
}

func checkHeader(t *testing.T, got osmpbf.Header, want *reference.Header) {
	t.Helper()
	if (got.Bounds == nil) != (want.Bounds == nil) || got.Bounds != nil &&
		!(close9(got.Bounds.MinLat, want.Bounds.MinLat) && close9(got.Bounds.MaxLat, want.Bounds.MaxLat) &&
			close9(got.Bounds.MinLon, want.Bounds.MinLon) && close9(got.Bounds.MaxLon, want.Bounds.MaxLon)) {
		t.Errorf("bounds are %+v, the other reader has %+v", got.Bounds, want.Bounds)
	}
	if !slices.Equal(got.RequiredFeatures, want.RequiredFeatures) || !slices.Equal(got.OptionalFeatures, want.OptionalFeatures) ||
		got.WritingProgram != want.WritingProgram || got.Source != want.Source ||
		!sameTime(got.ReplicationTime, want.ReplicationTimestamp) ||
		got.ReplicationSequence != int64(want.ReplicationSeqNum) || got.ReplicationURL != want.ReplicationBaseURL {
		t.Errorf("header is %+v, the other reader has %+v", got, want)
	}
}

// close9 allows for the other reader's rounding, far below 1e-7 degrees.
func close9(a, b float64) bool { return math.Abs(a-b) < 1e-9 }

// sameTime takes an unknown time for 1970, as the other reader does.
func sameTime(a, b time.Time) bool {
	return a.Equal(b) || a.IsZero() && b.Unix() == 0
}

func same(a, b osm.Object) bool {
	switch a := a.(type) {
	case *osm.Node:
		b, ok := b.(*osm.Node)
		return ok && a.ID == b.ID && close9(a.Lat, b.Lat) && close9(a.Lon, b.Lon) && slices.Equal(a.Tags, b.Tags) &&
			a.Version == b.Version && a.ChangesetID == b.ChangesetID && a.UserID == b.UserID && a.User == b.User &&
			a.Visible == b.Visible && sameTime(a.Timestamp, b.Timestamp)
	case *osm.Way:
		b, ok := b.(*osm.Way)
		return ok && a.ID == b.ID && slices.Equal(a.Nodes, b.Nodes) && slices.Equal(a.Tags, b.Tags) &&
			a.Version == b.Version && a.ChangesetID == b.ChangesetID && a.UserID == b.UserID && a.User == b.User &&
			a.Visible == b.Visible && sameTime(a.Timestamp, b.Timestamp)
	case *osm.Relation:
		b, ok := b.(*osm.Relation)
		return ok && a.ID == b.ID && slices.EqualFunc(a.Members, b.Members, sameMember) && slices.Equal(a.Tags, b.Tags) &&
			a.Version == b.Version && a.ChangesetID == b.ChangesetID && a.UserID == b.UserID && a.User == b.User &&
			a.Visible == b.Visible && sameTime(a.Timestamp, b.Timestamp)
	}
	return false
}

func sameMember(a, b osm.Member) bool {
	return a.Type == b.Type && a.Ref == b.Ref && a.Role == b.Role
}
