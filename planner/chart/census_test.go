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
	"regexp"
	"slices"
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

func pbBytes(message []byte, id int) []byte {
	for _, f := range pbFields(message) {
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
			switch f.id {
			case 1:
				e := pbElement(f.bytes, table)
				e.ID = int64(uint64(e.ID)>>1) ^ -(e.ID & 1)
				c.Nodes = append(c.Nodes, e)
			case 2:
				c.takeDense(f.bytes, table)
			case 3:
				e := pbElement(f.bytes, table)
				for _, ref := range pbDeltas(pbBytes(f.bytes, 8)) {
					e.Refs = append(e.Refs, censusRef{ref})
				}
				c.Ways = append(c.Ways, e)
			case 4:
				e := pbElement(f.bytes, table)
				roles, kinds := pbNumbers(pbBytes(f.bytes, 8)), pbNumbers(pbBytes(f.bytes, 10))
				for i, ref := range pbDeltas(pbBytes(f.bytes, 9)) {
					e.Members = append(e.Members, censusMember{Type: []string{"node", "way", "relation"}[kinds[i]], Ref: ref, Role: table[roles[i]]})
				}
				c.Relations = append(c.Relations, e)
			}
		}
	}
}

// pbElement reads what plain nodes, ways and relations have in common.
func pbElement(message []byte, table []string) censusElement {
	var e censusElement
	for _, f := range pbFields(message) {
		if f.id == 1 {
			e.ID = int64(f.number)
		}
	}
	keys, values := pbNumbers(pbBytes(message, 2)), pbNumbers(pbBytes(message, 3))
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

// tally is what is compared.
type tally struct {
	Nodes, Ways, Relations               int
	FootWays, FootNodes, FootArcs        int
	RoadWays, RoadNodes, RoadArcs        int
	Buildings, ByHeight, ByLevels, Other int
	Hospitals, FireStations, Pads        int
	Lockers, Chargers, Places            int
}

// told is the tally of a chart and of the report of its import.
func told(s Summary, r Report) tally {
	return tally{
		Nodes: r.Nodes, Ways: r.Ways, Relations: r.Relations,
		FootWays: r.GraphWays, FootNodes: s.Sidewalk.Nodes, FootArcs: s.Sidewalk.Arcs,
		RoadWays: r.RoadWays, RoadNodes: s.Road.Nodes, RoadArcs: s.Road.Arcs,
		Buildings: s.Buildings, ByHeight: s.Heights[HeightTag], ByLevels: s.Heights[HeightLevels],
		Other:     s.Heights[HeightDefault] + s.Heights[HeightMaximum],
		Hospitals: s.Sites[Hospital], FireStations: s.Sites[FireStation], Pads: s.Sites[Pad],
		Lockers: s.Sites[Locker], Chargers: s.Sites[Charger], Places: s.Places,
	}
}

// counter counts a census.
type counter struct {
	census
	tally
	nodes map[int64]censusElement
	ways  map[int64]censusElement
}

func countCensus(c census) tally {
	k := &counter{census: c, nodes: map[int64]censusElement{}, ways: map[int64]censusElement{}}
	k.tally.Nodes, k.tally.Ways, k.tally.Relations = len(c.Nodes), len(c.Ways), len(c.Relations)
	for _, n := range c.Nodes {
		k.nodes[n.ID] = n
		k.point(n)
	}
	for _, w := range c.Ways {
		k.ways[w.ID] = w
		if len(k.present(w)) > 0 {
			k.point(w)
		}
	}
	k.FootWays, k.FootNodes, k.FootArcs = k.network(footRule, footBarrier)
	k.RoadWays, k.RoadNodes, k.RoadArcs = k.network(roadRule, roadBarrier)
	outlines := map[int64]bool{}
	for _, r := range c.Relations {
		if r.tag("type") != "multipolygon" {
			continue
		}
		rings := k.rings(r)
		if rings == 0 {
			continue
		}
		k.point(r)
		if isBuilding(r) {
			for range rings {
				k.building(r)
			}
			for _, m := range r.Members {
				if m.Type == "way" && m.Role != "inner" {
					outlines[m.Ref] = true
				}
			}
		}
	}
	for _, w := range c.Ways {
		if isBuilding(w) && !outlines[w.ID] && k.corners(w) >= 3 {
			k.building(w)
		}
	}
	return k.tally
}

func (k *counter) present(w censusElement) (ids []int64) {
	for _, nd := range w.Refs {
		if _, ok := k.nodes[nd.Ref]; ok {
			ids = append(ids, nd.Ref)
		}
	}
	return ids
}

// corners counts the different nodes of a way that are in the file.
func (k *counter) corners(w censusElement) int {
	ids := k.present(w)
	slices.Sort(ids)
	return len(slices.Compact(ids))
}

// rings counts the outer rings of a multipolygon, 0 when one is not complete:
// the connected pieces of outer ways, in which each end is shared by two.
func (k *counter) rings(r censusElement) (count int) {
	at := map[int64][]int64{}
	for _, m := range r.Members {
		if m.Type != "way" || m.Role == "inner" {
			continue
		}
		w, ok := k.ways[m.Ref]
		if !ok {
			return 0
		}
		first, last := w.Refs[0].Ref, w.Refs[len(w.Refs)-1].Ref
		if first == last && k.corners(w) < 3 {
			return 0
		}
		if first == last {
			count++
			continue
		}
		at[first], at[last] = append(at[first], last), append(at[last], first)
	}
	seen := map[int64]bool{}
	for start, next := range at {
		if len(next) != 2 {
			return 0
		}
		if seen[start] {
			continue
		}
		count++
		for todo := []int64{start}; len(todo) > 0; todo = todo[1:] {
			if !seen[todo[0]] {
				seen[todo[0]] = true
				todo = append(todo, at[todo[0]]...)
			}
		}
	}
	return count
}

// network counts the ways, nodes and directed arcs of a profile. A rule says in
// how many directions a way may be taken.
func (k *counter) network(rule func(censusElement) int, barrier func(censusElement) bool) (ways, nodes, arcs int) {
	used := map[int64]bool{}
	for _, w := range k.Ways() {
		directions := rule(w)
		taken := false
		for i := 1; i < len(w.Refs) && directions > 0; i++ {
			a, okA := k.nodes[w.Refs[i-1].Ref]
			b, okB := k.nodes[w.Refs[i].Ref]
			if okA && okB && a.ID != b.ID && !barrier(a) && !barrier(b) {
				used[a.ID], used[b.ID], taken = true, true, true
				arcs += directions
			}
		}
		if taken {
			ways++
		}
	}
	return ways, len(used), arcs
}

// Ways are those of the census, which the tally hides by its number.
func (k *counter) Ways() []censusElement { return k.census.Ways }

var footKinds = strings.Fields("footway path pedestrian cycleway living_street residential service unclassified tertiary tertiary_link secondary secondary_link primary primary_link corridor track road")

func footRule(w censusElement) int {
	highway, foot, access := w.tag("highway"), w.tag("foot"), w.tag("access")
	bad := func(v string, list string) bool { return slices.Contains(strings.Fields(list), v) }
	yard := highway == "service"
	side := false
	for _, key := range []string{"sidewalk", "sidewalk:both", "sidewalk:left", "sidewalk:right"} {
		side = side || bad(w.tag(key), "yes both left right")
	}
	switch {
	case !slices.Contains(footKinds, highway),
		bad(foot, "no discouraged use_sidepath"), foot == "private" && !yard,
		foot == "" && bad(access, "no agricultural forestry"), foot == "" && access == "private" && !yard,
		strings.HasPrefix(highway, "primary") && foot == "" && !side:
		return 0
	}
	return 2
}

func footBarrier(n censusElement) bool {
	barrier, foot, access := n.tag("barrier"), n.tag("foot"), n.tag("access")
	switch {
	case barrier == "":
		return false
	case slices.Contains(strings.Fields("stile turnstile full-height_turnstile kissing_gate"), barrier):
		return true
	case foot != "":
		return slices.Contains(strings.Fields("no private use_sidepath discouraged"), foot)
	}
	return access == "no" || access == "private"
}

var (
	roadKinds = regexp.MustCompile(`^((motorway|trunk|primary|secondary|tertiary)(_link)?|unclassified|residential|living_street|service|road)$`)
	openTo    = regexp.MustCompile(`^(|yes|permissive|designated|official|public|destination|delivery|customers|unknown)$`)
	solid     = regexp.MustCompile(`^(block|bollard|bus_trap|chain|cycle_barrier|debris|ditch|fence|full-height_turnstile|guard_rail|hedge|horse_stile|jersey_barrier|kissing_gate|log|motorcycle_barrier|planter|rope|stile|sump_buster|turnstile|wall)$`)
)

func roadRule(w censusElement) int {
	access := w.tag("motorcar", "motor_vehicle", "vehicle", "access")
	if !roadKinds.MatchString(w.tag("highway")) || w.tag("area") == "yes" ||
		!openTo.MatchString(access) && !(access == "private" && w.tag("highway") == "service") {
		return 0
	}
	switch oneway := w.tag("oneway"); {
	case oneway == "reversible":
		return 0
	case slices.Contains(strings.Fields("yes true 1 -1 reverse"), oneway):
		return 1
	case slices.Contains(strings.Fields("no false 0 alternating"), oneway):
		return 2
	case w.tag("junction") == "roundabout" || w.tag("junction") == "circular" || w.tag("highway") == "motorway":
		return 1
	}
	return 2
}

func roadBarrier(n censusElement) bool {
	barrier, access := n.tag("barrier"), n.tag("motorcar", "motor_vehicle", "vehicle", "access")
	return barrier != "" && (!openTo.MatchString(access) || access == "" && solid.MatchString(barrier))
}

func isBuilding(e censusElement) bool {
	building, part := e.tag("building"), e.tag("building:part")
	if e.tag("location") == "underground" || building == "no" {
		return false
	}
	return building != "" || part != "" && part != "no" && e.tag("height", "building:levels") != ""
}

var (
	aLength = regexp.MustCompile(`^\s*0*[1-9][0-9]*([.,][0-9]+)?\s*(m|metres|ft|'([0-9]+")?)?\s*$|^\s*0[.,][0-9]*[1-9]\s*m?$`)
	aNumber = regexp.MustCompile(`^\s*([1-9][0-9]*([.][0-9]+)?|0?[.][0-9]*[1-9])\s*$`)
)

func (k *counter) building(e censusElement) {
	k.Buildings++
	switch {
	case aLength.MatchString(e.tag("height", "building:height")):
		k.ByHeight++
	case aNumber.MatchString(e.tag("building:levels")):
		k.ByLevels++
	default:
		k.Other++
	}
}

// point counts an element as a site and as a place.
func (k *counter) point(e censusElement) {
	switch amenity := e.tag("amenity"); {
	case amenity == "hospital" || amenity == "clinic":
		k.Hospitals++
	case amenity == "fire_station":
		k.FireStations++
	case amenity == "parcel_locker":
		k.Lockers++
	case amenity == "charging_station":
		k.Chargers++
	case e.tag("aeroway") == "helipad":
		k.Pads++
	}
	named := e.tag("name", "brand", "operator:name") != "" || e.tag("addr:street", "addr:place") != "" && e.tag("addr:housenumber") != "" ||
		e.tag("addr:full", "addr:housenumber") != ""
	if named && isPlace(e) {
		k.Places++
	}
}

var peopleAt = strings.Fields(`restaurant cafe fast_food food_court bar pub biergarten ice_cream pharmacy doctors dentist clinic
	hospital veterinary bank post_office police fire_station townhall courthouse library school kindergarten college university
	language_school driving_school childcare cinema theatre arts_centre community_centre social_facility events_venue
	conference_centre place_of_worship marketplace fuel car_rental ferry_terminal parcel_locker research_institute`)

func isPlace(e censusElement) bool {
	if shop := e.tag("shop"); shop != "" && shop != "no" && shop != "vacant" {
		return true
	}
	for _, key := range []string{"office", "craft", "addr:housenumber"} {
		if v := e.tag(key); v != "" && v != "no" {
			return true
		}
	}
	return slices.Contains(peopleAt, e.tag("amenity")) || e.tag("name") != "" &&
		slices.Contains(strings.Fields("hotel hostel motel guest_house museum gallery information attraction"), e.tag("tourism"))
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
