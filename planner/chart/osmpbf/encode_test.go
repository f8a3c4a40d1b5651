package osmpbf_test

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"slices"

	"google.golang.org/protobuf/encoding/protowire"
)

// message is a protobuf message in the making. It checks nothing, so that wrong
// files can be made as well. Adding a field leaves the message as it is and
// returns a longer one.
type message []byte

func (m message) number(field protowire.Number, v uint64) message {
	return protowire.AppendVarint(protowire.AppendTag(slices.Clip(m), field, protowire.VarintType), v)
}

func (m message) signed(field protowire.Number, v int64) message {
	return m.number(field, protowire.EncodeZigZag(v))
}

func (m message) bytes(field protowire.Number, b []byte) message {
	return protowire.AppendBytes(protowire.AppendTag(slices.Clip(m), field, protowire.BytesType), b)
}

func (m message) text(field protowire.Number, s string) message { return m.bytes(field, []byte(s)) }

// with returns the message followed by fields; m is left as it is.
func (m message) with(more ...message) message {
	return append(slices.Clip(m), slices.Concat(more...)...)
}

// packed is a column of numbers.
func packed(numbers ...uint64) []byte {
	var b []byte
	for _, n := range numbers {
		b = protowire.AppendVarint(b, n)
	}
	return b
}

// differences is a column of numbers, each as the difference from the last.
func differences(numbers ...int64) []byte {
	var b []byte
	last := int64(0)
	for _, n := range numbers {
		b = protowire.AppendVarint(b, protowire.EncodeZigZag(n-last))
		last = n
	}
	return b
}

// framed is a blob with its header in front.
func framed(kind string, blob []byte) []byte {
	return headed(message{}.text(1, kind).number(3, uint64(len(blob))), blob)
}

// headed is a blob behind any header.
func headed(head message, blob []byte) []byte {
	b := binary.BigEndian.AppendUint32(nil, uint32(len(head)))
	return append(append(b, head...), blob...)
}

func rawBlob(payload []byte) message { return message{}.bytes(1, payload) }

func zlibBlob(payload []byte) message {
	return message{}.number(2, uint64(len(payload))).bytes(3, deflated(payload))
}

func deflated(payload []byte) []byte {
	var b bytes.Buffer
	w := zlib.NewWriter(&b)
	if _, err := w.Write(payload); err != nil {
		panic(err)
	}
	if err := w.Close(); err != nil {
		panic(err)
	}
	return b.Bytes()
}

// fileHeader is a header block like that of every usual file.
func fileHeader() []byte { return framed("OSMHeader", zlibBlob(headerMessage())) }

func headerMessage() message {
	box := message{}.signed(1, 8_000_000_000).signed(2, 9_000_000_000).signed(3, 50_000_000_000).signed(4, 49_000_000_000)
	return message{}.bytes(1, box).text(4, "OsmSchema-V0.6").text(4, "DenseNodes").
		text(5, "Sort.Type_then_ID").text(16, "a test").text(17, "made up").
		number(32, 1_700_000_000).number(33, 4711).text(34, "https://example.org/updates")
}

// file is a header and one block of data for each payload.
func file(payloads ...message) []byte {
	b := fileHeader()
	for _, p := range payloads {
		b = append(b, framed("OSMData", zlibBlob(p))...)
	}
	return b
}

// block is a block's payload: a table of strings, of which the first is always
// empty, and one group.
func block(strings []string, group message) message {
	table := message{}.text(1, "")
	for _, s := range strings {
		table = table.text(1, s)
	}
	return message{}.bytes(1, table).bytes(2, group)
}

// words are the strings that the elements below refer to, from index 1.
func words() []string {
	return []string{"highway", "residential", "name", "Hauptstraße", "ada", "outer", "inner"}
}

// denseNodes are three nodes, the second without tags, with metadata.
func denseNodes() message {
	info := message{}.bytes(1, packed(3, 1, 2)).
		bytes(2, differences(1_600_000_000, 1_600_000_100, 1_600_000_050)).
		bytes(3, differences(70, 60, 80)).bytes(4, differences(5, 5, 6)).bytes(5, differences(5, 5, 5)).
		bytes(6, packed(1, 0, 1))
	return message{}.bytes(1, differences(10, 12, 11)).bytes(5, info).
		bytes(8, differences(494_000_001, 494_000_002, -337_654_321)).
		bytes(9, differences(86_000_001, -1_795_000_000, 86_000_003)).
		bytes(10, packed(1, 2, 3, 4, 0, 0, 3, 4, 0))
}

func plainNode() message {
	info := message{}.number(1, 7).number(2, 1_600_000_000).number(3, 99).number(4, 5).number(5, 5)
	return message{}.signed(1, -20).bytes(2, packed(1, 3)).bytes(3, packed(2, 4)).
		bytes(4, info).signed(8, 494_000_004).signed(9, 86_000_004)
}

func way() message {
	return message{}.number(1, 30).bytes(2, packed(1)).bytes(3, packed(2)).bytes(8, differences(10, 12, 11, 10))
}

func relation() message {
	return message{}.number(1, 40).bytes(2, packed(3)).bytes(3, packed(4)).
		bytes(8, packed(6, 7, 0)).bytes(9, differences(30, 12, 40)).bytes(10, packed(1, 0, 2))
}

// goodFile has all kinds of elements, in blocks of their own.
func goodFile() []byte {
	return file(
		block(words(), message{}.bytes(2, denseNodes())),
		block(words(), message{}.bytes(1, plainNode())),
		block(words(), message{}.bytes(3, way())),
		block(words(), message{}.bytes(4, relation())),
	)
}
