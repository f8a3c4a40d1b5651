package osmpbf_test

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/paulmach/osm"
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/kapok-fleet/kapok/planner/chart/osmpbf"
)

// dataFiles returns the PBF files of the shared test data by name, or skips the
// test.
func dataFiles(t testing.TB) map[string][]byte {
	t.Helper()
	root := os.Getenv("KAPOK_DATA")
	if root == "" {
		root = "../../../../shared/data"
	}
	paths, err := filepath.Glob(filepath.Join(root, "osm", "*.osm.pbf"))
	if err != nil {
		t.Fatal(err)
	}
	if len(paths) == 0 {
		t.Skipf("test data is absent: no osm/*.osm.pbf in %s; set KAPOK_DATA to its folder", root)
	}
	files := map[string][]byte{}
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		files[filepath.Base(path)] = data
	}
	return files
}

// tally is how many elements of each kind there are.
type tally struct {
	plain, dense, ways, relations int
}

// TestRealFilesAreReadWhole compares with a count of the elements that shares
// nothing with the reader.
func TestRealFilesAreReadWhole(t *testing.T) {
	for name, data := range dataFiles(t) {
		t.Run(name, func(t *testing.T) {
			if !osmpbf.Sniff(data[:64]) {
				t.Error("it is not recognised by its first bytes")
			}
			var nodes, ways, relations, missing int
			known := map[osm.NodeID]bool{}
			header, err := osmpbf.Read(bytes.NewReader(data), osmpbf.Limits{}, func(o osm.Object) error {
				switch o := o.(type) {
				case *osm.Node:
					nodes++
					known[o.ID] = true
				case *osm.Way:
					ways++
					for _, n := range o.Nodes {
						if !known[n.ID] {
							missing++
						}
					}
				case *osm.Relation:
					relations++
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			want := count(t, data)
			if nodes != want.plain+want.dense || ways != want.ways || relations != want.relations || nodes == 0 {
				t.Errorf("%d nodes, %d ways, %d relations; counted %+v", nodes, ways, relations, want)
			}
			t.Logf("%+v, %d references to nodes outside, header %+v", want, missing, header)
		})
	}
}

// count counts the elements of a file without decoding them.
func count(t testing.TB, data []byte) tally {
	var c tally
	for _, b := range blocks(t, data) {
		if b.kind != "OSMData" {
			continue
		}
		each(t, b.payload(t), func(field protowire.Number, group []byte) {
			if field != 2 {
				return
			}
			each(t, group, func(field protowire.Number, element []byte) {
				switch field {
				case 1:
					c.plain++
				case 2:
					each(t, element, func(field protowire.Number, column []byte) {
						if field == 1 {
							c.dense += len(column) - len(slices.DeleteFunc(bytes.Clone(column), func(b byte) bool { return b < 0x80 }))
						}
					})
				case 3:
					c.ways++
				case 4:
					c.relations++
				}
			})
		})
	}
	return c
}

// each calls f with every field of a message that is a chunk of bytes.
func each(t testing.TB, m []byte, f func(protowire.Number, []byte)) {
	t.Helper()
	for len(m) > 0 {
		field, kind, n := protowire.ConsumeTag(m)
		if n < 0 {
			t.Fatal(protowire.ParseError(n))
		}
		size := protowire.ConsumeFieldValue(field, kind, m[n:])
		if size < 0 {
			t.Fatal(protowire.ParseError(size))
		}
		if kind == protowire.BytesType {
			chunk, _ := protowire.ConsumeBytes(m[n:])
			f(field, chunk)
		}
		m = m[n+size:]
	}
}

// rawBlock is a block as it stands in a file that ends at byte end.
type rawBlock struct {
	kind string
	blob []byte
	end  int
}

func blocks(t testing.TB, data []byte) []rawBlock {
	t.Helper()
	var all []rawBlock
	for at := 0; at < len(data); {
		size := int(binary.BigEndian.Uint32(data[at:]))
		head := data[at+4 : at+4+size]
		kind, n := protowire.ConsumeBytes(head[1:])
		length, _ := protowire.ConsumeVarint(head[1+n+1:])
		start := at + 4 + size
		at = start + int(length)
		all = append(all, rawBlock{string(kind), data[start:at], at})
	}
	return all
}

// payload unpacks a block.
func (b rawBlock) payload(t testing.TB) []byte {
	t.Helper()
	var payload []byte
	each(t, b.blob, func(field protowire.Number, data []byte) {
		if field == 1 {
			payload = data
			return
		}
		r, err := zlib.NewReader(bytes.NewReader(data))
		if err == nil {
			payload, err = io.ReadAll(r)
		}
		if err != nil {
			t.Fatal(err)
		}
	})
	return payload
}

// blockEnds returns the bytes at which the blocks of a file end.
func blockEnds(t testing.TB, data []byte) []int {
	var ends []int
	for _, b := range blocks(t, data) {
		ends = append(ends, b.end)
	}
	return ends
}

func TestCutRealFiles(t *testing.T) {
	const seed = 1
	random := rand.New(rand.NewPCG(seed, seed))
	for name, data := range dataFiles(t) {
		if name != "monaco.osm.pbf" && name != "columbus-nondense.osm.pbf" {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Logf("cuts are drawn from seed %d", seed)
			whole := tallyOf(t, data, nil)
			ends := blockEnds(t, data)
			cuts := []int{ends[0], ends[0] + 1, ends[len(ends)/2], ends[len(ends)/2] - 1, len(data) - 1}
			for range 12 {
				cuts = append(cuts, random.IntN(len(data)))
			}
			for _, cut := range cuts {
				var err error
				if n := tallyOf(t, data[:cut], &err); n >= whole {
					t.Errorf("cut at byte %d: %d elements, as many as in the whole file", cut, n)
				}
				checkCut(t, cut, ends, err)
			}
		})
	}
}

// tallyOf counts the elements up to the end or, unless that is fatal, an error.
func tallyOf(t *testing.T, data []byte, fault *error) int {
	t.Helper()
	n := 0
	_, err := osmpbf.Read(bytes.NewReader(data), osmpbf.Limits{}, func(osm.Object) error {
		n++
		return nil
	})
	if fault != nil {
		*fault = err
	} else if err != nil {
		t.Fatal(err)
	}
	return n
}

func BenchmarkRead(b *testing.B) {
	for name, data := range dataFiles(b) {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(data)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := osmpbf.Read(bytes.NewReader(data), osmpbf.Limits{}, func(osm.Object) error { return nil }); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
