package mcap

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
)

// The limits of Read: longer records and more of a kind are refused.
const (
	MaxRecordBytes = 64 << 20
	maxNamesBytes  = 16 << 20
)

// Message is one message as it was read.
type Message struct {
	// Topic is that of its channel, Encoding says how the data are written, and
	// Schema names their kind; empty for none.
	Topic, Encoding, Schema string
	// LogTime is in nanoseconds since 1970.
	LogTime uint64
	// Data are valid during the call.
	Data []byte
	// At is where the record, or the chunk that it is in, begins in the file.
	At int64
}

// channel is what a channel record says.
type channel struct{ topic, encoding, schema string }

// reader is one reading.
type reader struct {
	from     *bufio.Reader
	at       int64
	schemas  map[uint16]string
	channels map[uint16]channel
	// names is how many bytes schemas and channels take.
	names int
	do    func(*Message) error
}

// Read calls do for each message of a file, in the order of the file, which is
// nearly that of the times. It reads front to back without the index. Errors of
// do end it and are returned; all others are of kind ErrMalformed and name the
// byte at which the record that is wrong begins. A file that ends in its midst,
// as that of a writer that was killed, is an error after its last whole chunk.
func Read(from io.Reader, do func(*Message) error) error {
	r := &reader{from: bufio.NewReaderSize(from, 1<<16), schemas: map[uint16]string{}, channels: map[uint16]channel{}, do: do}
	head := make([]byte, len(magic))
	if _, err := io.ReadFull(r.from, head); err != nil || string(head) != magic {
		return r.wrong("it does not begin as one")
	}
	r.at = int64(len(magic))
	var buf []byte
	for {
		kind, data, err := r.next(buf)
		if err != nil {
			return err
		}
		buf = data
		if kind == opDataEnd {
			return nil
		}
		if kind == opFooter {
			return r.wrong("the data have no end")
		}
		if kind == opChunk {
			err = r.chunk(data)
		} else {
			err = r.take(kind, data)
		}
		if err != nil {
			return err
		}
		r.at += recordHead + int64(len(data))
	}
}

func (r *reader) wrong(format string, args ...any) error {
	return fmt.Errorf("byte %d: %w: %s", r.at, ErrMalformed, fmt.Sprintf(format, args...))
}

// next reads a record into the buffer, which it may make anew.
func (r *reader) next(buf []byte) (kind byte, data []byte, err error) {
	var head [recordHead]byte
	if _, err := io.ReadFull(r.from, head[:]); err != nil {
		return 0, nil, r.wrong("it ends without its end")
	}
	length := binary.LittleEndian.Uint64(head[1:])
	if length > MaxRecordBytes {
		return 0, nil, r.wrong("a record of %d bytes is longer than %d", length, MaxRecordBytes)
	}
	if uint64(cap(buf)) < length {
		buf = make([]byte, length)
	}
	buf = buf[:length]
	if _, err := io.ReadFull(r.from, buf); err != nil {
		return 0, nil, r.wrong("it ends in the midst of a record")
	}
	return head[0], buf, nil
}

// chunk takes in the records of a chunk.
func (r *reader) chunk(data []byte) error {
	c := cursor{data: data}
	c.u64()
	c.u64()
	size, sum, compression := c.u64(), c.u32(), c.text()
	records := c.bytes(c.u64())
	switch {
	case c.short:
		return r.wrong("a chunk is shorter than it says")
	case compression != "":
		return r.wrong("a chunk is compressed by %q; only chunks without compression are read", compression)
	case size != uint64(len(records)):
		return r.wrong("a chunk has %d bytes and says %d", len(records), size)
	case sum != 0 && sum != crc32.ChecksumIEEE(records):
		return r.wrong("the checksum of a chunk is wrong")
	}
	inner := cursor{data: records}
	for len(inner.data) > 0 {
		kind := inner.u8()
		body := inner.bytes(inner.u64())
		if inner.short {
			return r.wrong("a chunk ends in the midst of a record")
		}
		if err := r.take(kind, body); err != nil {
			return err
		}
	}
	return nil
}

// take takes in one record; those of unknown kinds are passed over.
func (r *reader) take(kind byte, data []byte) error {
	c := cursor{data: data}
	switch kind {
	case opSchema:
		id, name := c.u16(), c.text()
		r.schemas[id] = name
		r.names += len(name) + 64
	case opChannel:
		id, schema := c.u16(), c.u16()
		one := channel{topic: c.text(), encoding: c.text(), schema: r.schemas[schema]}
		r.channels[id] = one
		r.names += len(one.topic) + len(one.encoding) + 64
	case opMessage:
		id := c.u16()
		c.u32()
		at := c.u64()
		c.u64()
		of, known := r.channels[id]
		if !c.short && !known {
			return r.wrong("a message is on channel %d, which was not made known", id)
		}
		if !c.short {
			return r.do(&Message{Topic: of.topic, Encoding: of.encoding, Schema: of.schema, LogTime: at, Data: c.data, At: r.at})
		}
	}
	if c.short {
		return r.wrong("a record of kind %d is shorter than it says", kind)
	}
	if r.names > maxNamesBytes {
		return r.wrong("schemas and channels take more than %d bytes", maxNamesBytes)
	}
	return nil
}

// cursor reads what a record consists of; short says that it ended too early,
// after which all that is read is zero.
type cursor struct {
	data  []byte
	short bool
}

func (c *cursor) bytes(n uint64) []byte {
	if n > uint64(len(c.data)) {
		c.short, c.data = true, nil
		return nil
	}
	b := c.data[:n]
	c.data = c.data[n:]
	return b
}

// number reads an unsigned integer of a width in bytes.
func (c *cursor) number(width uint64) uint64 {
	var v uint64
	for i, b := range c.bytes(width) {
		v |= uint64(b) << (8 * i)
	}
	return v
}

func (c *cursor) u8() byte    { return byte(c.number(1)) }
func (c *cursor) u16() uint16 { return uint16(c.number(2)) }
func (c *cursor) u32() uint32 { return uint32(c.number(4)) }
func (c *cursor) u64() uint64 { return c.number(8) }

func (c *cursor) text() string { return string(c.bytes(uint64(c.u32()))) }
