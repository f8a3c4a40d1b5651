package chart

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// The tests in this file count what is in a map with readers and rules of their
// own, which share nothing with the importer, and compare that with what a chart
// tells of itself.

// census is all of a file that is counted.
type census struct {
	Nodes     []censusElement `xml:"node"`
	Ways      []censusElement `xml:"way"`
	Relations []censusElement `xml:"relation"`
}

type censusElement struct {
	ID      int64          `xml:"id,attr"`
	Refs    []censusRef    `xml:"nd"`
	Members []censusMember `xml:"member"`
	Tags    []censusTag    `xml:"tag"`
}

type censusRef struct {
	Ref int64 `xml:"ref,attr"`
}

type censusMember struct {
	Type string `xml:"type,attr"`
	Ref  int64  `xml:"ref,attr"`
	Role string `xml:"role,attr"`
}

type censusTag struct {
	K string `xml:"k,attr"`
	V string `xml:"v,attr"`
}

func (e censusElement) tag(keys ...string) string {
	for _, key := range keys {
		for _, tag := range e.Tags {
			if tag.K == key && tag.V != "" {
				return tag.V
			}
		}
	}
	return ""
}

func takeCensus(t *testing.T, data []byte) census {
	t.Helper()
	var c census
	if data[0] == '<' {
		if err := xml.Unmarshal(data, &c); err != nil {
			t.Fatal(err)
		}
		return c
	}
	if err := c.takePBF(data); err != nil {
		t.Fatal(err)
	}
	return c
}

// pbField is a field of a protobuf message: a number or bytes.
type pbField struct {
	id     int
	number uint64
	bytes  []byte
}

// pbFields splits a message.
func pbFields(message []byte) (list []pbField) {
	for len(message) > 0 {
		key, n := binary.Uvarint(message)
		message = message[n:]
		f := pbField{id: int(key >> 3)}
		switch key & 7 {
		case 0:
			f.number, n = binary.Uvarint(message)
			message = message[n:]
		case 2:
			size, n := binary.Uvarint(message)
			f.bytes, message = message[n:n+int(size)], message[n+int(size):]
		case 1:
			message = message[8:]
		case 5:
			message = message[4:]
		}
		list = append(list, f)
	}
	return list
}

func pbBytes(message []byte, id int) []byte { return pbPick(pbFields(message), id) }

func pbPick(fields []pbField, id int) []byte {
	for _, f := range fields {
		if f.id == id {
			return f.bytes
		}
	}
	return nil
}

// pbNumbers reads a packed list; signed ones are differences to the one before.
func pbNumbers(packed []byte) (list []int64) {
	for len(packed) > 0 {
		v, n := binary.Uvarint(packed)
		list, packed = append(list, int64(v)), packed[n:]
	}
	return list
}

func pbDeltas(packed []byte) []int64 {
	list := pbNumbers(packed)
	sum := int64(0)
	for i, v := range list {
		sum += int64(uint64(v)>>1) ^ -(v & 1)
		list[i] = sum
	}
	return list
}

func (c *census) takePBF(data []byte) error {
	for len(data) > 0 {
		size := binary.BigEndian.Uint32(data)
		head := data[4 : 4+size]
		data = data[4+size:]
		length := 0
		for _, f := range pbFields(head) {
			if f.id == 3 {
				length = int(f.number)
			}
		}
		blob := data[:length]
		data = data[length:]
		if string(pbBytes(head, 1)) != "OSMData" {
			continue
		}
		raw := pbBytes(blob, 1)
		if packed := pbBytes(blob, 3); packed != nil {
			r, err := zlib.NewReader(bytes.NewReader(packed))
			if err != nil {
				return err
			}
			if raw, err = io.ReadAll(r); err != nil {
				return err
			}
		}
		c.takeBlock(raw)
	}
	return nil
}

func (c *census) takeBlock(raw []byte) {
	var table []string
	for _, f := range pbFields(pbBytes(raw, 1)) {
		table = append(table, string(f.bytes))
	}
	for _, group := range pbFields(raw) {
		if group.id != 2 {
			continue
		}
		for _, f := range pbFields(group.bytes) {
			fields := pbFields(f.bytes)
			switch f.id {
			case 1:
				e := pbElement(fields, table)
				e.ID = int64(uint64(e.ID)>>1) ^ -(e.ID & 1)
				c.Nodes = append(c.Nodes, e)
			case 2:
				c.takeDense(f.bytes, table)
			case 3:
				e := pbElement(fields, table)
				for _, ref := range pbDeltas(pbPick(fields, 8)) {
					e.Refs = append(e.Refs, censusRef{ref})
				}
				c.Ways = append(c.Ways, e)
			case 4:
				e := pbElement(fields, table)
				roles, kinds := pbNumbers(pbPick(fields, 8)), pbNumbers(pbPick(fields, 10))
				for i, ref := range pbDeltas(pbPick(fields, 9)) {
					e.Members = append(e.Members, censusMember{Type: []string{"node", "way", "relation"}[kinds[i]], Ref: ref, Role: table[roles[i]]})
				}
				c.Relations = append(c.Relations, e)
			}
		}
	}
}

// pbElement reads what plain nodes, ways and relations have in common.
func pbElement(fields []pbField, table []string) censusElement {
	var e censusElement
	for _, f := range fields {
		if f.id == 1 {
			e.ID = int64(f.number)
		}
	}
	keys, values := pbNumbers(pbPick(fields, 2)), pbNumbers(pbPick(fields, 3))
	for i := range keys {
		e.Tags = append(e.Tags, censusTag{table[keys[i]], table[values[i]]})
	}
	return e
}

func (c *census) takeDense(message []byte, table []string) {
	tags := pbNumbers(pbBytes(message, 10))
	for _, id := range pbDeltas(pbBytes(message, 1)) {
		e := censusElement{ID: id}
		for len(tags) > 0 && tags[0] != 0 {
			e.Tags = append(e.Tags, censusTag{table[tags[0]], table[tags[1]]})
			tags = tags[2:]
		}
		if len(tags) > 0 {
			tags = tags[1:]
		}
		c.Nodes = append(c.Nodes, e)
	}
}

// dataFiles lists a folder of the shared test data, or skips the test.
func dataFiles(t testing.TB, pattern string) []string {
	t.Helper()
	root := os.Getenv("KAPOK_DATA")
	if root == "" {
		root = "../../../shared/data"
	}
	files, err := filepath.Glob(filepath.Join(root, pattern))
	if err != nil || len(files) == 0 {
		t.Skipf("test data is absent; set KAPOK_DATA to its folder: no %s in %s", pattern, root)
	}
	return files
}

// TestChartsTellWhatIsInTheirFiles: the numbers of kapok chart info are those of
// a count that goes its own way through the same file.
func TestChartsTellWhatIsInTheirFiles(t *testing.T) {
	for _, name := range dataFiles(t, "osm/*.osm*") {
		t.Run(filepath.Base(name), func(t *testing.T) {
			data, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			c, report, err := ImportOSM(bytes.NewReader(data), OSMOptions{Name: filepath.Base(name)})
			if err != nil {
				t.Fatal(err)
			}
			back, err := Read(bytes.NewReader(encoded(t, c)))
			if err != nil || back.Checksum != c.Checksum {
				t.Fatalf("read back: %v", err)
			}
			have := takeCensus(t, data)
			got, want := told(back.Summary(), report), countCensus(have)
			t.Logf("%+v", want)
			if got != want {
				for i, v := 0, reflect.ValueOf(got); i < v.NumField(); i++ {
					if w := reflect.ValueOf(want).Field(i); v.Field(i).Int() != w.Int() {
						t.Errorf("%s: the chart tells %d, counted %d", v.Type().Field(i).Name, v.Field(i).Int(), w.Int())
					}
				}
			}
			checkHeights(t, c, have)
		})
	}
}

// checkHeights compares the heights that stand in a file as plain numbers.
func checkHeights(t *testing.T, c *Chart, have census) {
	t.Helper()
	byID := map[string]Building{}
	for _, b := range c.Buildings {
		byID[b.ID] = b
	}
	for _, w := range have.Ways {
		var m float64
		b, ok := byID[fmt.Sprintf("way/%d", w.ID)]
		if n, _ := fmt.Sscanf(w.tag("height"), "%g", &m); ok && n == 1 && !strings.ContainsAny(w.tag("height"), "'f") && (b.HeightM != m || b.Source != HeightTag) {
			t.Errorf("%s is %g m high by %s, the file says %g", b.ID, b.HeightM, b.Source, m)
		}
	}
}

// TestDamagedMapsAreRefusedInOneSentence cuts and bends real files.
func TestDamagedMapsAreRefusedInOneSentence(t *testing.T) {
	whole := openData(t, "osm/monaco.osm.pbf")
	for _, cut := range []int{20, 100, len(whole) / 3, len(whole) - 1} {
		_, _, err := ImportOSM(bytes.NewReader(whole[:cut]), OSMOptions{})
		if !errors.Is(err, ErrOSM) || !strings.Contains(err.Error(), "cut short") || strings.Contains(err.Error(), "\n") {
			t.Errorf("cut to %d bytes: %v", cut, err)
		}
	}
	for at := 5; at < len(whole); at += len(whole) / 25 {
		bent := bytes.Clone(whole)
		bent[at] ^= 0x55
		c, _, err := ImportOSM(bytes.NewReader(bent), OSMOptions{})
		if c == nil && !errors.Is(err, ErrOSM) && !errors.Is(err, ErrInvalid) {
			t.Errorf("byte %d bent: %v", at, err)
		}
	}
	huge := append([]byte{0, 0, 0, 14}, "\x0a\x09OSMHeader\x18\xff\xff\xff\xff\x07"...)
	huge[3] = byte(len(huge) - 4)
	if _, _, err := ImportOSM(bytes.NewReader(huge), OSMOptions{}); !errors.Is(err, ErrOSM) {
		t.Errorf("a huge blob: %v", err)
	}
}
