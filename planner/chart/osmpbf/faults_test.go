package osmpbf_test

import (
	"bytes"
	"math"
	"slices"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/kapok-fleet/kapok/planner/chart/osmpbf"
)

// badFile is a file that is refused, and what the refusal has to say.
type badFile struct {
	name string
	file []byte
	want string
}

// again is the advice for most damage.
const again = ": the file is damaged, fetch it again"

func TestBadFilesAreRefusedInOneSentence(t *testing.T) {
	for _, bad := range slices.Concat(badFrames(), badHeaders(), badBlocks(), badNodes(), badWays()) {
		t.Run(bad.name, func(t *testing.T) {
			_, _, err := readAll(bad.file)
			checkFault(t, err, bad.want)
		})
	}
}

// behind is a good header block with bytes behind it.
func behind(b []byte) []byte { return append(fileHeader(), b...) }

func blob(m message) []byte { return behind(framed("OSMData", m)) }

func badFrames() []badFile {
	minus := ^uint64(0)
	nothing := block(nil, nil)
	tooMuch := bytes.Repeat([]byte{0}, 1<<20)
	flipped := zlibBlob(nothing)
	flipped[len(flipped)-1] ^= 1
	unpack := func(size uint64, data []byte) []byte { return blob(message{}.number(2, size).bytes(3, data)) }
	return []badFile{
		{"empty", nil, "block 1 at byte 0: the file ends at byte 0 without an OSMHeader: fetch it again"},
		{"XML", []byte("<?xml version='1.0'?>"), "its header has 1010792557 bytes, not between 1 and 65536: the file is damaged or not OpenStreetMap PBF"},
		{"header of no bytes", behind(make([]byte, 4)), "its header has 0 bytes"},
		{"header of 64 KiB and a byte", behind([]byte{0, 1, 0, 1}), "its header has 65537 bytes"},
		{"header that is not protobuf", behind([]byte{0, 0, 0, 1, 0xff}), "its header is not valid protobuf" + again},
		{"no kind", behind(headed(message{}.number(3, 0), nil)), "its header has no kind"},
		{"no length", behind(headed(message{}.text(1, "OSMData"), nil)), "its header has no length"},
		{"length of another type", behind(headed(message{}.text(1, "OSMData").text(3, "7"), nil)), "its header has no length"},
		{"negative length", behind(headed(message{}.text(1, "OSMData").number(3, minus), nil)), "its length is negative, -1" + again},
		{"length beyond 32 MiB", behind(headed(message{}.text(1, "OSMData").number(3, 32<<20+1), nil)), "it claims to have 33554433 bytes"},
		{"unknown kind beyond 32 MiB", behind(headed(message{}.text(1, "Index").number(3, 32<<20+1), nil)), "it claims to have 33554433 bytes"},
		{"unknown kind that is cut", behind(headed(message{}.text(1, "Index").number(3, 9), []byte{1})), "inside this block"},
		{"data first", framed("OSMData", zlibBlob(nothing)), "it has data before any OSMHeader"},
		{"two files in one", append(goodFile(), goodFile()...), "it is a second header, as in several files put one after the other: join such files with a tool"},
		{"only unknown blocks", framed("Index", nil), "without an OSMHeader"},
		{"blob that is not protobuf", blob(message{0xff}), "its blob is not valid protobuf"},
		{"no data", blob(nil), "it holds no data in a known form"},
		{"data of an unknown form", blob(message{}.text(8, "x")), "it holds no data in a known form"},
		{"data twice", blob(message{}.text(1, "").text(3, "")), "it holds its data twice"},
		{"lzma", blob(message{}.number(2, 1).text(4, "x")), "its data are compressed with lzma, which is not read here: write the file anew with zlib"},
		{"bzip2", blob(message{}.number(2, 1).text(5, "x")), "compressed with bzip2"},
		{"lz4", blob(message{}.number(2, 1).text(6, "x")), "compressed with lz4"},
		{"zstd", blob(message{}.number(2, 1).text(7, "x")), "compressed with zstd"},
		{"no unpacked length", blob(message{}.bytes(3, deflated(nothing))), "it does not say to what length they unpack"},
		{"negative unpacked length", unpack(minus, deflated(nothing)), "its unpacked length is negative, -1"},
		{"unpacked length beyond 32 MiB", unpack(32<<20+1, deflated(nothing)), "it claims to have 33554433 bytes"},
		{"bomb", unpack(100, deflated(tooMuch)), "its data unpack to more than the 100 bytes that it declares" + again},
		{"less than declared", unpack(100, deflated(nothing)), "its compressed data end after 6 of 100 bytes or are broken"},
		{"cut zlib", unpack(1<<20, deflated(tooMuch)[:20]), "its compressed data end after"},
		{"not zlib", unpack(100, []byte("not zlib at all")), "its compressed data are broken (zlib: invalid header)"},
		{"wrong sum", blob(flipped), "its compressed data are broken (zlib: invalid checksum)"},
	}
}

func badHeaders() []badFile {
	header := func(m message) []byte { return framed("OSMHeader", zlibBlob(m)) }
	many := message{}
	for range 300 {
		many = many.text(5, "")
	}
	return []badFile{
		{"history", header(message{}.text(4, "OsmSchema-V0.6").text(4, "HistoricalInformation")), "the file holds the history of the map (it requires HistoricalInformation), not one state of it: take an extract without history"},
		{"unknown feature", header(message{}.text(4, "DenserNodes")), `the file requires the feature "DenserNodes", which is not known here: write the file anew without it`},
		{"feature of many lines", header(message{}.text(4, "a\nb\r"+string(make([]byte, 1000)))), `the file requires the feature "a\nb\r\x00`},
		{"too many features", header(many), "it names more than 256 features"},
		{"bounds of three sides", header(message{}.bytes(1, message{}.signed(1, 0).signed(2, 0).signed(3, 0))), "the file's bounds are not four numbers"},
		{"bounds that are not protobuf", header(message{}.bytes(1, []byte{8})), "the file's bounds are not four numbers"},
		{"not protobuf", header(message{0x0f}), "the file's header is not valid protobuf: the file is damaged or not OpenStreetMap PBF"},
	}
}

func badBlocks() []badFile {
	minus := ^uint64(0)
	nothing := block(nil, nil)
	return []badFile{
		{"data that are not protobuf", file(message{0xff}), "its data are not valid protobuf"},
		{"end of a group that never began", file(nothing.with(message{0x0c})), "its data are not valid protobuf"},
		{"table that is not protobuf", file(message{}.bytes(1, []byte{0x0a, 5, 1})), "its table of strings is not valid protobuf"},
		{"group that is not protobuf", file(block(nil, message{0x0a})), "a group of elements is not valid protobuf"},
		{"granularity 0", file(nothing.number(17, 0)), "its granularity is 0, not between 1 and 2147483647"},
		{"granularity below 0", file(nothing.number(17, minus)), "its granularity is -1"},
		{"granularity of 64 bits", file(nothing.number(17, math.MaxInt64)), "its granularity is 9223372036854775807"},
		{"date granularity 0", file(nothing.number(18, 0)), "its date granularity is 0"},
		{"latitude offset", file(nothing.number(19, 1<<63)), "its coordinates are offset by -9223372036854775808 nanodegrees, out of the world"},
		{"longitude offset", file(nothing.number(20, 361e9)), "its coordinates are offset by 361000000000 nanodegrees"},
	}
}

func badNodes() []badFile {
	plain := func(m message) []byte { return file(block(words(), message{}.bytes(1, m))) }
	dense := func(m message) []byte { return file(block(words(), message{}.bytes(2, m))) }
	somewhere := message{}.signed(8, 0).signed(9, 0)
	node := message{}.signed(1, 5).with(somewhere)
	info := func(m message) []byte { return plain(node.with(message{}.bytes(4, m))) }
	two := message{}.bytes(1, differences(5, 6)).bytes(8, packed(0, 0)).bytes(9, packed(0, 0))
	tags := func(numbers ...uint64) []byte { return dense(two.with(message{}.bytes(10, packed(numbers...)))) }
	denseInfo := func(field protowire.Number, numbers []byte) []byte {
		return dense(two.bytes(5, message{}.bytes(1, packed(1, 1)).bytes(field, numbers)))
	}
	huge := packed(math.MaxUint64-1, math.MaxUint64-1)
	return []badFile{
		{"node not protobuf", plain(message{0xff}), "a node is not valid protobuf"},
		{"node without id", plain(somewhere), "a node has no id"},
		{"node without latitude", plain(message{}.signed(1, 5).signed(9, 0)), "node 5 has no place"},
		{"node without longitude", plain(message{}.signed(1, 5).signed(8, 0)), "node 5 has no place"},
		{"more keys than values", plain(node.with(message{}.bytes(2, packed(1)))), "node 5 has 1 keys and 0 values"},
		{"no such string", plain(node.with(message{}.bytes(2, packed(1)).bytes(3, packed(8)))), "node 5 refers to a text that is not among the 8 of the block" + again},
		{"cut index", plain(node.with(message{}.bytes(2, packed(1)).bytes(3, []byte{0x80}))), "node 5 refers to a text"},
		{"info not protobuf", info(message{0xff}), "the version of node 5 is not valid protobuf"},
		{"no such user", info(message{}.number(5, 8)), "node 5 has a user or time that is not in the file's range"},
		{"time beyond 64 bits", info(message{}.number(2, 1<<62)), "node 5 has a user or time that is not in the file's range"},
		{"packed nodes not protobuf", dense(message{0xff}), "its packed nodes are not valid protobuf"},
		{"packed info not protobuf", dense(two.with(message{}.bytes(5, []byte{0xff}))), "the versions of its packed nodes are not valid protobuf"},
		{"no longitudes", dense(message{}.bytes(1, differences(5)).bytes(8, packed(0))), "its packed nodes have 1 ids, 1 latitudes and 0 longitudes"},
		{"a latitude too many", dense(two.with(message{}.bytes(8, packed(0)))), "its packed nodes have 2 ids, 3 latitudes and 2 longitudes"},
		{"id beyond 64 bits", dense(message{}.bytes(1, huge).bytes(8, packed(0, 0)).bytes(9, packed(0, 0))), "the node after node 9223372036854775807 has an id or a place of more than 64 bits"},
		{"latitude beyond 64 bits", dense(message{}.bytes(1, packed(2, 2)).bytes(8, huge).bytes(9, packed(0, 0))), "lies outside the world"},
		{"number of eleven bytes", dense(message{}.bytes(1, append(bytes.Repeat([]byte{0xff}, 10), 1)).bytes(8, packed(0)).bytes(9, packed(0))), "the node after node 0 has an id or a place of more than 64 bits"},
		{"packed node outside the world", dense(message{}.bytes(1, differences(5, 6)).bytes(8, differences(0, 900_000_001)).bytes(9, packed(0, 0))), "node 6 lies outside the world"},
		{"one version for two nodes", dense(two.with(message{}.bytes(5, message{}.bytes(1, packed(1))))), "its packed nodes have 2 ids and 1 versions"},
		{"three times", denseInfo(2, packed(0, 0, 0)), "2 ids and 3 times"},
		{"one changeset", denseInfo(3, packed(0)), "2 ids and 1 changesets"},
		{"one user id", denseInfo(4, packed(0)), "2 ids and 1 user ids"},
		{"one user", denseInfo(5, packed(0)), "2 ids and 1 users"},
		{"one visibility", denseInfo(6, packed(0)), "2 ids and 1 visibilities"},
		{"user before the first", denseInfo(5, differences(0, -1)), "node 6 has a version, user or time that is not in the file's range"},
		{"changeset beyond 64 bits", denseInfo(3, huge), "node 6 has a version, user or time"},
		{"packed time beyond 64 bits", denseInfo(2, differences(0, math.MaxInt64)), "node 6 has a version, user or time"},
		{"odd tags", tags(1, 2, 0, 1), "the tags of node 6 are cut off"},
		{"tags without an end", tags(1, 2, 0, 1, 2), "the tags of node 6 are cut off"},
		{"tags of one node", tags(0), "the tags of node 6 are cut off"},
		{"tags left over", tags(0, 0, 1, 2, 0), "the tags of its packed nodes go on for 3 numbers after the last node"},
		{"tag without such a string", tags(1, 2, 0, 1, 800, 0), "node 6 refers to a text that is not among the 8 of the block"},
	}
}

func badWays() []badFile {
	wayOf := func(m message) []byte {
		return file(block(words(), message{}.bytes(3, message{}.number(1, 7).with(m))))
	}
	relationOf := func(m message) []byte {
		return file(block(words(), message{}.bytes(4, message{}.number(1, 7).with(m))))
	}
	refs := message{}.bytes(8, differences(5, 6))
	huge := packed(math.MaxUint64-1, math.MaxUint64-1)
	members := func(roles, ids, kinds []byte) []byte {
		return relationOf(message{}.bytes(8, roles).bytes(9, ids).bytes(10, kinds))
	}
	return []badFile{
		{"way not protobuf", wayOf(message{0xff}), "a way is not valid protobuf"},
		{"way without id", file(block(nil, message{}.bytes(3, refs))), "a way has no id"},
		{"way with a key too many", wayOf(message{}.bytes(2, packed(1, 2)).bytes(3, packed(1))), "way 7 has 2 keys and 1 values"},
		{"way without such a string", wayOf(message{}.bytes(2, packed(1)).bytes(3, packed(1<<40))), "way 7 refers to a text"},
		{"way without such a user", wayOf(message{}.bytes(4, message{}.number(5, 1<<63))), "way 7 has a user or time"},
		{"reference beyond 64 bits", wayOf(message{}.bytes(8, huge)), "way 7 refers to a node by a number of more than 64 bits"},
		{"cut reference", wayOf(message{}.bytes(8, []byte{2, 0x80})), "way 7 refers to a node by a number of more than 64 bits"},
		{"one latitude", wayOf(refs.bytes(9, packed(0))), "way 7 has 2 nodes, 1 latitudes and 0 longitudes"},
		{"node of a way outside the world", wayOf(refs.bytes(9, differences(0, 0)).bytes(10, differences(0, 1_800_000_001))), "way 7 has a node outside the world"},
		{"relation not protobuf", relationOf(message{0xff}), "a relation is not valid protobuf"},
		{"relation without id", file(block(nil, message{}.bytes(4, nil))), "a relation has no id"},
		{"no roles", members(nil, packed(0), packed(0)), "relation 7 has 1 members, 0 roles and 1 types"},
		{"two types", members(packed(0), packed(0), packed(0, 0)), "relation 7 has 1 members, 1 roles and 2 types"},
		{"no such role", members(packed(99), packed(0), packed(0)), "relation 7 refers to a text"},
		{"no such type", members(packed(0), packed(0), packed(3)), "relation 7 has a member that is neither node, way nor relation"},
		{"member beyond 64 bits", members(packed(0, 0), huge, packed(0, 0)), "relation 7 refers to a member by a number of more than 64 bits"},
	}
}

func TestLimitsAreKept(t *testing.T) {
	good := goodFile()
	for _, test := range []struct {
		name   string
		limits osmpbf.Limits
		want   string
	}{
		{"file", osmpbf.Limits{MaxBytes: int64(len(good)) - 1}, "the file is longer than"},
		{"file, within a length", osmpbf.Limits{MaxBytes: 3}, "the file is longer than 3 bytes"},
		{"block", osmpbf.Limits{MaxBlobBytes: 20}, "bytes, more than 20"},
		{"strings", osmpbf.Limits{MaxStrings: 7}, "its table has more than 7 strings"},
		{"tags of packed nodes", osmpbf.Limits{MaxTags: 1}, "node 10 has 2 tags, more than 1"},
		{"nodes of ways", osmpbf.Limits{MaxRefs: 3}, "way 30 has 4 nodes, more than 3"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, _, err := readStream(bytes.NewReader(good), test.limits)
			checkFault(t, err, test.want)
			checkFault(t, err, "make a smaller extract, or raise the limit")
		})
	}
	members := file(block(words(), message{}.bytes(4, relation())))
	_, _, err := readStream(bytes.NewReader(members), osmpbf.Limits{MaxRefs: 2})
	checkFault(t, err, "relation 40 has 3 members, more than 2")
	_, _, err = readStream(bytes.NewReader(members), osmpbf.Limits{MaxTags: 1, MaxRefs: 3})
	if err != nil {
		t.Errorf("a relation just within its limits: %v", err)
	}
	exact := osmpbf.Limits{MaxBytes: int64(len(good)), MaxStrings: 8, MaxTags: 2, MaxRefs: 4}
	if _, _, err := readStream(bytes.NewReader(good), exact); err != nil {
		t.Errorf("a file just within its limits: %v", err)
	}
	if _, _, err := readStream(bytes.NewReader(good), osmpbf.Limits{MaxBytes: -1, MaxBlobBytes: -1, MaxStrings: -1, MaxRefs: -1, MaxTags: -1}); err != nil {
		t.Errorf("negative limits stand for the defaults: %v", err)
	}
}
