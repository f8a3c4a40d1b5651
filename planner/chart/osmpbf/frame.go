package osmpbf

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"errors"
	"io"
	"slices"

	"github.com/paulmach/osm"
)

// The kinds of block that are read.
const (
	kindHeader = "OSMHeader"
	kindData   = "OSMData"
)

// firstBytes is how much memory a length in the file is trusted with before
// bytes have come; afterwards what has come is doubled.
const firstBytes = 64 << 10

// decoder is the state of one Read.
type decoder struct {
	r      io.Reader
	limits Limits
	visit  func(osm.Object) error

	// block and start are number and first byte of the block at hand, offset is
	// how many bytes were read.
	block         int
	start, offset int64
	header        Header
	headed        bool

	// head, packed and unpacked are the buffers of a block; inflater is kept for
	// the next block, too.
	head, packed, unpacked []byte
	inflater               io.ReadCloser

	// What follows belongs to the data block at hand.
	strings                      table
	granularity, dateGranularity int64
	latOffset, lonOffset         int64
	reach                        int64
}

// readBlock reads one block. It is false at the end of the file.
func (d *decoder) readBlock() (more bool, err error) {
	d.block++
	d.start = d.offset
	size, more, err := d.readSize()
	if err != nil || !more {
		return false, err
	}
	if d.head, err = d.fill(d.head, int(size)); err != nil {
		return false, err
	}
	kind, length, err := d.blobHeader(d.head)
	if err != nil {
		return false, err
	}
	switch {
	case kind != kindHeader && kind != kindData:
		return true, d.skip(length)
	case kind == kindData && !d.headed:
		return false, d.damaged("it has data before any %s", kindHeader)
	case kind == kindHeader && d.headed:
		return false, d.unsupported("join such files with a tool, for instance osmium merge",
			"it is a second header, as in several files put one after the other")
	}
	if d.packed, err = d.fill(d.packed, length); err != nil {
		return false, err
	}
	raw, err := d.unpack(d.packed)
	if err != nil {
		return false, err
	}
	if kind == kindHeader {
		return true, d.readHeader(raw)
	}
	return true, d.readData(raw)
}

// headerSize is the length of a block's header, which comes before it.
func headerSize(b [4]byte) uint32 { return binary.BigEndian.Uint32(b[:]) }

// readSize reads the length of the next block's header. It is false at the end
// of a file.
func (d *decoder) readSize() (size uint32, more bool, err error) {
	var b [4]byte
	n, err := io.ReadFull(d.r, b[:])
	d.offset += int64(n)
	if errors.Is(err, io.EOF) {
		if !d.headed {
			return 0, false, d.fault("fetch it again", "the file ends at byte %d without an %s", d.offset, kindHeader)
		}
		return 0, false, nil
	}
	if err != nil {
		return 0, false, d.unread(err)
	}
	if d.offset > d.limits.MaxBytes {
		return 0, false, d.beyond("the file is longer than %d bytes", d.limits.MaxBytes)
	}
	size = headerSize(b)
	if size == 0 || size > MaxBlobHeaderBytes {
		return 0, false, d.damaged("its header has %d bytes, not between 1 and %d", size, MaxBlobHeaderBytes)
	}
	return size, true, nil
}

// blobHeader decodes a block's header into its kind and the length of what
// follows.
func (d *decoder) blobHeader(head []byte) (kind string, length int, err error) {
	size := int64(-1)
	f := fields{rest: head}
	for f.next() {
		switch f.key {
		case 1<<3 | chunk:
			kind = string(f.bytes)
		case 3<<3 | varint:
			if size = int64(f.number); size < 0 {
				return "", 0, d.damaged("its length is negative, %d", size)
			}
		}
	}
	switch {
	case f.broken:
		return "", 0, d.damaged("its header is not valid protobuf")
	case kind == "":
		return "", 0, d.damaged("its header has no kind")
	case size < 0:
		return "", 0, d.damaged("its header has no length")
	}
	return kind, int(size), d.checkLength(size)
}

// checkLength refuses a block that is too long, packed or unpacked.
func (d *decoder) checkLength(size int64) error {
	switch {
	case size > MaxBlobBytes:
		return d.damaged("it claims to have %d bytes, more than the %d that the format allows", size, MaxBlobBytes)
	case size > int64(d.limits.MaxBlobBytes):
		return d.beyond("it has %d bytes, more than %d", size, d.limits.MaxBlobBytes)
	}
	return nil
}

// fill reads n bytes into a buffer, which grows with what has come and not with
// what a damaged length promises.
func (d *decoder) fill(buf []byte, n int) ([]byte, error) {
	buf = buf[:0]
	if d.offset+int64(n) > d.limits.MaxBytes {
		return buf, d.beyond("the file is longer than %d bytes", d.limits.MaxBytes)
	}
	for len(buf) < n {
		had := len(buf)
		buf = grown(buf, n)
		got, err := io.ReadFull(d.r, buf[had:])
		d.offset += int64(got)
		if err != nil {
			return buf[:had+got], d.unread(err)
		}
	}
	return buf, nil
}

// grown lengthens a buffer towards n bytes, to at most double or what it has
// room for.
func grown(buf []byte, n int) []byte {
	had := len(buf)
	step := min(n-had, max(had, cap(buf)-had, firstBytes))
	return slices.Grow(buf, step)[:had+step]
}

// skip passes over n bytes.
func (d *decoder) skip(n int) error {
	if d.offset+int64(n) > d.limits.MaxBytes {
		return d.beyond("the file is longer than %d bytes", d.limits.MaxBytes)
	}
	got, err := io.CopyN(io.Discard, d.r, int64(n))
	d.offset += got
	if err != nil {
		return d.unread(err)
	}
	return nil
}

// unpack returns the message in a blob. It is valid until the next block.
func (d *decoder) unpack(blob []byte) ([]byte, error) {
	var data []byte
	var form uint64
	size := int64(-1)
	f := fields{rest: blob}
	for f.next() {
		switch f.key {
		case 2<<3 | varint:
			if size = int64(f.number); size < 0 {
				return nil, d.damaged("its unpacked length is negative, %d", size)
			}
		case 1<<3 | chunk, 3<<3 | chunk, 4<<3 | chunk, 5<<3 | chunk, 6<<3 | chunk, 7<<3 | chunk:
			if form != 0 {
				return nil, d.damaged("it holds its data twice")
			}
			form, data = f.key>>3, f.bytes
		}
	}
	if f.broken {
		return nil, d.damaged("its blob is not valid protobuf")
	}
	switch form {
	case 0:
		return nil, d.damaged("it holds no data in a known form")
	case 1:
		return data, nil
	case 3:
		return d.inflate(data, size)
	}
	return nil, d.unsupported("write the file anew with zlib, for instance by osmium cat IN -o OUT.osm.pbf",
		"its data are compressed with %s, which is not read here", compression(form))
}

// compression names the form of a blob by its field number.
func compression(form uint64) string {
	switch form {
	case 4:
		return "lzma"
	case 5:
		return "bzip2"
	case 6:
		return "lz4"
	default:
		return "zstd"
	}
}

// inflate unpacks zlib data to exactly the size that the blob declares.
func (d *decoder) inflate(data []byte, size int64) ([]byte, error) {
	if size < 0 {
		return nil, d.damaged("its data are compressed, but it does not say to what length they unpack")
	}
	if err := d.checkLength(size); err != nil {
		return nil, err
	}
	if err := d.resetInflater(data); err != nil {
		return nil, d.damaged("its compressed data are broken (%v)", err)
	}
	raw := d.unpacked[:0]
	for len(raw) < int(size) {
		had := len(raw)
		raw = grown(raw, int(size))
		got, err := io.ReadFull(d.inflater, raw[had:])
		d.unpacked = raw
		if err != nil {
			return nil, d.damaged("its compressed data end after %d of %d bytes or are broken (%v)", had+got, size, err)
		}
	}
	// Reading on to the end checks the sum, and that there is no more.
	var extra [1]byte
	switch _, err := io.ReadFull(d.inflater, extra[:]); {
	case err == nil:
		return nil, d.damaged("its data unpack to more than the %d bytes that it declares", size)
	case !errors.Is(err, io.EOF):
		return nil, d.damaged("its compressed data are broken (%v)", err)
	}
	return raw, nil
}

func (d *decoder) resetInflater(data []byte) error {
	source := bytes.NewReader(data)
	if r, ok := d.inflater.(zlib.Resetter); ok {
		return r.Reset(source, nil)
	}
	var err error
	d.inflater, err = zlib.NewReader(source)
	return err
}
