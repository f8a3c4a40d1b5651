package mcap

import (
	"fmt"
	"hash/crc32"
	"io"
	"math"
)

// ChunkBytes is how much a chunk holds before it is written.
const ChunkBytes = 4 << 20

// The most schemas and channels of a file.
const (
	MaxSchemas  = 100
	MaxChannels = math.MaxUint16
)

// SchemaID names a schema of one Writer.
type SchemaID uint16

// ChannelID names a channel of one Writer.
type ChannelID uint16

// Pair is one entry of a metadata record, with a key that is unique in it.
type Pair struct{ Key, Value string }

// Writer writes one file, front to back. After an error every method returns
// that error. It has one owner.
type Writer struct {
	to   io.Writer
	at   uint64
	err  error
	data uint32 // checksum of all written so far
	// buf is what leaves in one call; chunk what is gathered.
	buf, chunk  []byte
	from, until uint64
	// schemas and channels are their records, for the summary; index are the
	// messages of this chunk by channel, entered those channels that have some.
	schemas, channels [][]byte
	index             [][]byte
	entered           []ChannelID
	counts            []uint64
	sequences         []uint32
	// chunkIndexes and metadata are the summary's records.
	chunkIndexes, metadata []byte
	chunks, messages       uint64
	metadatas              uint32
	first, last            uint64
}

// NewWriter begins a file. Library says who wrote it.
func NewWriter(to io.Writer, library string) *Writer {
	w := &Writer{to: to}
	r := begin([]byte(magic), opHeader)
	r.text("")
	r.text(library)
	w.write(r.end())
	return w
}

// write writes bytes of the data section or behind it.
func (w *Writer) write(b []byte) {
	if w.err != nil {
		return
	}
	if _, err := w.to.Write(b); err != nil {
		w.err = fmt.Errorf("mcap: writing at byte %d: %w", w.at, err)
		return
	}
	w.data = crc32.Update(w.data, crc32.IEEETable, b)
	w.at += uint64(len(b))
}

// Bytes is how much has been written or gathered.
func (w *Writer) Bytes() uint64 { return w.at + uint64(len(w.chunk)) }

// Schema adds a schema, MaxSchemas at most.
func (w *Writer) Schema(name, encoding string, data []byte) (SchemaID, error) {
	if w.err == nil && len(w.schemas) == MaxSchemas {
		w.err = fmt.Errorf("mcap: more than %d schemas", MaxSchemas)
	}
	if w.err != nil {
		return 0, w.err
	}
	id := SchemaID(len(w.schemas) + 1)
	r := begin(nil, opSchema)
	r.u16(uint16(id))
	r.text(name)
	r.text(encoding)
	r.text(string(data))
	w.schemas = append(w.schemas, r.end())
	w.chunk = append(w.chunk, r.buf...)
	return id, nil
}

// Channel adds a channel, MaxChannels at most, for messages of a schema.
func (w *Writer) Channel(topic, encoding string, schema SchemaID) (ChannelID, error) {
	if w.err == nil && (len(w.channels) == MaxChannels || int(schema) > len(w.schemas)) {
		w.err = fmt.Errorf("mcap: channel %q has schema %d of %d, or is one of more than %d", topic, schema, len(w.schemas), MaxChannels)
	}
	if w.err != nil {
		return 0, w.err
	}
	id := ChannelID(len(w.channels))
	r := begin(nil, opChannel)
	r.u16(uint16(id))
	r.u16(uint16(schema))
	r.text(topic)
	r.text(encoding)
	r.pairs(nil)
	w.channels = append(w.channels, r.end())
	w.chunk = append(w.chunk, r.buf...)
	w.index, w.counts, w.sequences = append(w.index, nil), append(w.counts, 0), append(w.sequences, 0)
	return id, nil
}

// Message adds a message at a time in nanoseconds since 1970. Times need not
// ascend. The data are copied.
func (w *Writer) Message(channel ChannelID, at uint64, data []byte) error {
	if w.err == nil && int(channel) >= len(w.channels) {
		w.err = fmt.Errorf("mcap: channel %d does not exist", channel)
	}
	if w.err != nil {
		return w.err
	}
	if len(w.entered) == 0 || at < w.from {
		w.from = at
	}
	if len(w.entered) == 0 || at > w.until {
		w.until = at
	}
	if len(w.index[channel]) == 0 {
		w.entered = append(w.entered, channel)
	}
	entry := record{buf: w.index[channel]}
	entry.u64(at)
	entry.u64(uint64(len(w.chunk)))
	w.index[channel] = entry.buf
	r := begin(w.chunk, opMessage)
	r.u16(uint16(channel))
	r.u32(w.sequences[channel])
	r.u64(at)
	r.u64(at)
	r.buf = append(r.buf, data...)
	w.chunk = r.end()
	w.sequences[channel]++
	w.counts[channel]++
	if w.messages == 0 || at < w.first {
		w.first = at
	}
	w.last = max(w.last, at)
	w.messages++
	if len(w.chunk) >= ChunkBytes {
		w.flush()
	}
	return w.err
}

// flush writes the chunk with its message indexes.
func (w *Writer) flush() {
	if len(w.chunk) == 0 {
		return
	}
	start := w.at
	r := begin(w.buf[:0], opChunk)
	r.u64(w.from)
	r.u64(w.until)
	r.u64(uint64(len(w.chunk)))
	r.u32(crc32.ChecksumIEEE(w.chunk))
	r.text("")
	r.u64(uint64(len(w.chunk)))
	r.buf = append(r.buf, w.chunk...)
	length := uint64(len(r.end()))
	index := begin(w.chunkIndexes, opChunkIndex)
	index.u64(w.from)
	index.u64(w.until)
	index.u64(start)
	index.u64(length)
	index.u32(uint32(10 * len(w.entered)))
	for _, channel := range w.entered {
		index.u16(uint16(channel))
		index.u64(start + uint64(len(r.buf)))
		entries := w.index[channel]
		one := begin(r.buf, opMessageIndex)
		one.u16(uint16(channel))
		one.u32(uint32(len(entries)))
		one.buf = append(one.buf, entries...)
		r.buf, w.index[channel] = one.end(), entries[:0]
	}
	index.u64(uint64(len(r.buf)) - length)
	index.text("")
	index.u64(uint64(len(w.chunk)))
	index.u64(uint64(len(w.chunk)))
	w.chunkIndexes = index.end()
	w.buf = r.buf
	w.write(w.buf)
	w.chunk, w.entered, w.from, w.until = w.chunk[:0], w.entered[:0], 0, 0
	w.chunks++
}

// Metadata adds a record of texts about the file.
func (w *Writer) Metadata(name string, pairs []Pair) error {
	w.flush()
	r := begin(w.buf[:0], opMetadata)
	r.text(name)
	r.pairs(pairs)
	start := w.at
	w.buf = r.end()
	w.write(w.buf)
	index := begin(w.metadata, opMetadataIndex)
	index.u64(start)
	index.u64(uint64(len(w.buf)))
	index.text(name)
	w.metadata = index.end()
	w.metadatas++
	return w.err
}

// Close writes what is gathered, the summary and the end. The file below stays
// open.
func (w *Writer) Close() error {
	w.flush()
	r := begin(w.buf[:0], opDataEnd)
	r.u32(w.data)
	w.write(r.end())
	start := w.at
	groups := []struct {
		kind    byte
		records []byte
	}{
		{opSchema, join(w.schemas)},
		{opChannel, join(w.channels)},
		{opStatistics, w.statistics()},
		{opMetadataIndex, w.metadata},
		{opChunkIndex, w.chunkIndexes},
	}
	var summary, offsets []byte
	for _, g := range groups {
		if len(g.records) == 0 {
			continue
		}
		offset := begin(offsets, opSummaryOffset)
		offset.u8(g.kind)
		offset.u64(start + uint64(len(summary)))
		offset.u64(uint64(len(g.records)))
		offsets = offset.end()
		summary = append(summary, g.records...)
	}
	offsetsStart := start + uint64(len(summary))
	summary = append(summary, offsets...)
	footer := begin(summary, opFooter)
	footer.u64(start)
	footer.u64(offsetsStart)
	footer.u32(0)
	// The checksum covers the footer up to itself.
	end := footer.end()
	end = end[:len(end)-4]
	tail := record{buf: end}
	tail.u32(crc32.ChecksumIEEE(end))
	w.write(append(tail.buf, magic...))
	return w.err
}

func (w *Writer) statistics() []byte {
	r := begin(nil, opStatistics)
	r.u64(w.messages)
	r.u16(uint16(len(w.schemas)))
	r.u32(uint32(len(w.channels)))
	r.u32(0) // Attachments.
	r.u32(w.metadatas)
	r.u32(uint32(w.chunks))
	r.u64(w.first)
	r.u64(w.last)
	with := uint32(0)
	for _, n := range w.counts {
		if n > 0 {
			with++
		}
	}
	r.u32(10 * with)
	for channel, n := range w.counts {
		if n > 0 {
			r.u16(uint16(channel))
			r.u64(n)
		}
	}
	return r.end()
}

func join(records [][]byte) []byte {
	var all []byte
	for _, r := range records {
		all = append(all, r...)
	}
	return all
}
