package osmpbf_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"reflect"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/paulmach/osm"

	"github.com/kapok-fleet/kapok/planner/chart/osmpbf"
)

// readAll returns all that a file visits.
func readAll(b []byte) ([]osm.Object, osmpbf.Header, error) {
	return readStream(bytes.NewReader(b), osmpbf.Limits{})
}

func readStream(r io.Reader, limits osmpbf.Limits) ([]osm.Object, osmpbf.Header, error) {
	var all []osm.Object
	header, err := osmpbf.Read(r, limits, func(o osm.Object) error {
		all = append(all, o)
		return nil
	})
	return all, header, err
}

func wantElements() []osm.Object {
	tags := osm.Tags{{Key: "highway", Value: "residential"}, {Key: "name", Value: "Hauptstraße"}}
	at := func(s int64) time.Time { return time.Unix(s, 0).UTC() }
	return []osm.Object{
		&osm.Bounds{MinLat: 49, MaxLat: 50, MinLon: 8, MaxLon: 9},
		&osm.Node{
			ID: 10, Lat: 49.4000001, Lon: 8.6000001, Tags: tags, Version: 3, Timestamp: at(1_600_000_000),
			ChangesetID: 70, UserID: 5, User: "ada", Visible: true,
		},
		&osm.Node{
			ID: 12, Lat: 49.4000002, Lon: -179.5, Version: 1, Timestamp: at(1_600_000_100),
			ChangesetID: 60, UserID: 5, User: "ada",
		},
		&osm.Node{
			ID: 11, Lat: -33.7654321, Lon: 8.6000003, Tags: tags[1:], Version: 2, Timestamp: at(1_600_000_050),
			ChangesetID: 80, UserID: 6, User: "ada", Visible: true,
		},
		&osm.Node{
			ID: -20, Lat: 49.4000004, Lon: 8.6000004, Tags: tags, Version: 7, Timestamp: at(1_600_000_000),
			ChangesetID: 99, UserID: 5, User: "ada", Visible: true,
		},
		&osm.Way{
			ID: 30, Visible: true, Tags: tags[:1],
			Nodes: osm.WayNodes{{ID: 10}, {ID: 12}, {ID: 11}, {ID: 10}},
		},
		&osm.Relation{ID: 40, Visible: true, Tags: tags[1:], Members: osm.Members{
			{Type: osm.TypeWay, Ref: 30, Role: "outer"},
			{Type: osm.TypeNode, Ref: 12, Role: "inner"},
			{Type: osm.TypeRelation, Ref: 40},
		}},
	}
}

func TestReadGivesEveryElementInOrder(t *testing.T) {
	for name, r := range map[string]io.Reader{
		"at once":                 bytes.NewReader(goodFile()),
		"byte by byte":            iotest.OneByteReader(bytes.NewReader(goodFile())),
		"end with the last bytes": iotest.DataErrReader(bytes.NewReader(goodFile())),
	} {
		t.Run(name, func(t *testing.T) {
			all, header, err := readStream(r, osmpbf.Limits{})
			if err != nil {
				t.Fatal(err)
			}
			checkElements(t, all, wantElements())
			want := osmpbf.Header{
				Bounds:           &osm.Bounds{MinLat: 49, MaxLat: 50, MinLon: 8, MaxLon: 9},
				RequiredFeatures: []string{"OsmSchema-V0.6", "DenseNodes"},
				OptionalFeatures: []string{"Sort.Type_then_ID"},
				WritingProgram:   "a test", Source: "made up", ReplicationTime: time.Unix(1_700_000_000, 0).UTC(),
				ReplicationSequence: 4711, ReplicationURL: "https://example.org/updates",
			}
			if !reflect.DeepEqual(header, want) {
				t.Errorf("header is %+v, want %+v", header, want)
			}
		})
	}
}

func checkElements(t *testing.T, got, want []osm.Object) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%d elements were visited, want %d", len(got), len(want))
	}
	for i := range want {
		if !reflect.DeepEqual(got[i], want[i]) {
			t.Errorf("element %d is\n%+v, want\n%+v", i, got[i], want[i])
		}
	}
}

// Writers differ in what they leave to the reader, and all of it is allowed.
func TestReadTakesWhatWritersMayDo(t *testing.T) {
	group := message{}.bytes(2, message{}.bytes(1, differences(1)).bytes(8, differences(4_940)).bytes(9, differences(860)))
	node := func(n osm.Node) []osm.Object {
		n.Visible = true
		return []osm.Object{&n}
	}
	at := time.UnixMilli(1_600_000_000_500).UTC()
	header := framed("OSMHeader", rawBlob(message{}.text(4, "DenseNodes")))
	for _, test := range []struct {
		name string
		data []byte
		want []osm.Object
	}{
		{"raw blobs, no metadata", framed("OSMData", rawBlob(block(nil, group).number(17, 1_000_000))), node(osm.Node{ID: 1, Lat: 4.94, Lon: 0.86})},
		{
			"offsets",
			framed("OSMData", rawBlob(block(nil, group).number(19, 1_000_000_000).number(20, ^uint64(0)-86_000+1))),
			node(osm.Node{ID: 1, Lat: 1.000494, Lon: 0}),
		},
		{
			"date granularity after the group, and a group that ends in unknown fields",
			framed("OSMData", rawBlob(block(nil, message{}.bytes(1, message{}.signed(1, 2).signed(8, 0).signed(9, 0).
				bytes(4, message{}.number(1, ^uint64(0)).number(2, 16_000_000_005)).number(99, 1))).number(18, 100))),
			node(osm.Node{ID: 2, Timestamp: at}),
		},
		{
			"a time of 0, which is none",
			framed("OSMData", rawBlob(block(nil, message{}.bytes(1, message{}.signed(1, 2).signed(8, 0).signed(9, 0).
				bytes(4, message{}.number(1, 1).number(2, 0)))))),
			node(osm.Node{ID: 2, Version: 1}),
		},
		{
			"numbers of a column in several fields",
			framed("OSMData", rawBlob(block(nil, message{}.bytes(3, message{}.number(1, 7).
				bytes(8, differences(5)).signed(8, 1).bytes(8, differences(1, 2)))))),
			[]osm.Object{&osm.Way{ID: 7, Visible: true, Nodes: osm.WayNodes{{ID: 5}, {ID: 6}, {ID: 7}, {ID: 8}}}},
		},
		{
			"places of nodes in ways",
			framed("OSMData", rawBlob(block(nil, message{}.bytes(3, message{}.number(1, 7).
				bytes(8, differences(5, 6)).bytes(9, differences(10_000_000, 20_000_000)).bytes(10, differences(-5_000_000, 0)))))),
			[]osm.Object{&osm.Way{ID: 7, Visible: true, Nodes: osm.WayNodes{{ID: 5, Lat: 1, Lon: -0.5}, {ID: 6, Lat: 2}}}},
		},
		{"kinds of block that nobody knows", framed("Index", []byte{1, 2, 3}), nil},
		{"changesets", framed("OSMData", rawBlob(block(nil, message{}.bytes(5, message{}.number(1, 3))))), nil},
		{"a block of nothing", framed("OSMData", rawBlob(nil)), nil},
		{
			"text that is not UTF-8",
			framed("OSMData", rawBlob(block([]string{"name", "Caf\xe9"}, message{}.bytes(4, message{}.number(1, 9).
				bytes(2, packed(1)).bytes(3, packed(2)))))),
			[]osm.Object{&osm.Relation{ID: 9, Visible: true, Tags: osm.Tags{{Key: "name", Value: "Caf\uFFFD"}}}},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			all, _, err := readAll(slices.Concat(header, test.data))
			if err != nil {
				t.Fatal(err)
			}
			checkElements(t, all, test.want)
		})
	}
}

// A place from a PBF file is to be the same number as from an XML file, to the
// last bit.
func TestPlacesAreThoseOfTheTextForm(t *testing.T) {
	var units []int64
	for i := int64(-1_799_999_999); i < 1_799_999_999; i += 1_234_567 {
		units = append(units, i)
	}
	group := message{}.bytes(2, message{}.bytes(1, differences(units...)).
		bytes(8, make([]byte, len(units))).bytes(9, differences(units...)))
	all, _, err := readAll(file(block(nil, group)))
	if err != nil {
		t.Fatal(err)
	}
	for i, o := range all[1:] {
		text := strconv.FormatFloat(float64(units[i])/1e7, 'f', 7, 64)
		want, err := strconv.ParseFloat(text, 64)
		if err != nil {
			t.Fatal(err)
		}
		if n, ok := o.(*osm.Node); !ok || n.Lon != want {
			t.Fatalf("%d units are %v, want %s", units[i], o, text)
		}
	}
}

func TestReadStopsWhereTheVisitorDoes(t *testing.T) {
	enough := errors.New("enough")
	for stop := range wantElements() {
		visited := 0
		_, err := osmpbf.Read(bytes.NewReader(goodFile()), osmpbf.Limits{}, func(osm.Object) error {
			if visited++; visited > stop {
				return enough
			}
			return nil
		})
		if !errors.Is(err, enough) || err.Error() != enough.Error() || visited != stop+1 {
			t.Errorf("stopped at element %d: %d visited, error %v", stop, visited, err)
		}
	}
}

func TestReadTellsAFailingStreamFromACutOne(t *testing.T) {
	cause := errors.New("the disk is gone")
	good := goodFile()
	r := io.MultiReader(bytes.NewReader(good[:len(good)-3]), iotest.ErrReader(cause))
	_, _, err := readStream(r, osmpbf.Limits{})
	want := fmt.Sprintf(`the stream fails at byte %d with "the disk is gone": see to its source and read it again`, len(good)-3)
	if !errors.Is(err, cause) || !strings.HasSuffix(err.Error(), want) {
		t.Errorf("error is %v, want it to end with %s", err, want)
	}
}

// However far a file was cut, the reader says so, except between two blocks,
// where nobody can tell.
func TestReadFindsEveryCut(t *testing.T) {
	good := goodFile()
	whole := wantElements()
	ends := blockEnds(t, good)
	for cut := range good {
		all, _, err := readAll(good[:cut])
		if len(all) >= len(whole) || !reflect.DeepEqual(all, append([]osm.Object(nil), whole[:len(all)]...)) {
			t.Fatalf("cut at byte %d: other elements than in the whole file", cut)
		}
		checkCut(t, cut, ends, err)
	}
}

func checkCut(t *testing.T, cut int, ends []int, err error) {
	t.Helper()
	switch {
	case cut == 0:
		checkFault(t, err, "the file ends at byte 0 without an OSMHeader")
	case slices.Contains(ends, cut):
		if err != nil {
			t.Errorf("cut at byte %d, between two blocks: %v", cut, err)
		}
	default:
		checkFault(t, err, fmt.Sprintf("the file ends at byte %d, inside this block: it was cut short", cut))
	}
}

// checkFault asserts that an error is one sentence of a known place and cause.
func checkFault(t *testing.T, err error, want string) {
	t.Helper()
	var fault *osmpbf.Error
	if !errors.As(err, &fault) {
		t.Fatalf("error is %v, want an *osmpbf.Error with %q", err, want)
	}
	text := err.Error()
	start := fmt.Sprintf("block %d at byte %d: ", fault.Block, fault.Offset)
	if fault.Block < 1 || fault.Offset < 0 || fault.Problem == "" || fault.Advice == "" ||
		!strings.HasPrefix(text, start) || strings.ContainsAny(text, "\n\r") || len(text) > 400 {
		t.Errorf("error is not one clear sentence: %s", text)
	}
	if !strings.Contains(text, want) {
		t.Errorf("error is %q, want it to have %q", text, want)
	}
}

// A length in a damaged file must not cost memory before the bytes are there.
func TestPromisedLengthsCostNothing(t *testing.T) {
	promise := headed(message{}.text(1, "OSMHeader").number(3, osmpbf.MaxBlobBytes), []byte{1})
	unpacked := framed("OSMHeader", message{}.number(2, osmpbf.MaxBlobBytes).bytes(3, deflated([]byte("short"))))
	for name, b := range map[string][]byte{"in the file": promise, "unpacked": unpacked} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, _, err := readAll(b)
		runtime.ReadMemStats(&after)
		if err == nil {
			t.Errorf("%s: no error", name)
		}
		if used := after.TotalAlloc - before.TotalAlloc; used > 1<<20 {
			t.Errorf("%s: %d bytes were allocated", name, used)
		}
	}
}

func TestSniff(t *testing.T) {
	for _, test := range []struct {
		name   string
		prefix []byte
		want   bool
	}{
		{"a usual file", goodFile()[:64], true},
		{"only the first bytes", goodFile()[:16], true},
		{"an index in front of the kind", headed(message{}.bytes(2, []byte("index")).text(1, "OSMHeader").number(3, 1), nil), true},
		{"XML", []byte(`<?xml version="1.0"?><osm version="0.6"><note>OSMHeader</note>`), false},
		{"XML in 32 bits", []byte("\x00\x00\x00<\x00\x00\x00o\x00\x00\x00s\x00\x00\x00m"), false},
		{"XML that talks of PBF", append([]byte("\x00\x00\x00\x05"), "<osm>OSMHeader"...), false},
		{"no bytes", nil, false},
		{"three bytes", []byte{0, 0, 0}, false},
		{"zeros", make([]byte, 64), false},
		{"a header that is too long", append([]byte{0, 1, 0, 1}, goodFile()[4:64]...), false},
	} {
		if got := osmpbf.Sniff(test.prefix); got != test.want {
			t.Errorf("%s: %t, want %t", test.name, got, test.want)
		}
	}
}

func TestNumbersAtTheEdgeOfTheWorld(t *testing.T) {
	for _, test := range []struct {
		lat, lon int64
		ok       bool
	}{
		{900_000_000, 1_800_000_000, true},
		{-900_000_000, -1_800_000_000, true},
		{900_000_001, 0, false},
		{0, -1_800_000_001, false},
		{math.MinInt64, 0, false},
		{0, math.MaxInt64, false},
	} {
		node := message{}.signed(1, 1).signed(8, test.lat).signed(9, test.lon)
		_, _, err := readAll(file(block(nil, message{}.bytes(1, node))))
		if test.ok {
			if err != nil {
				t.Errorf("%d, %d: %v", test.lat, test.lon, err)
			}
			continue
		}
		checkFault(t, err, "node 1 lies outside the world: the file is damaged, fetch it again")
	}
}
