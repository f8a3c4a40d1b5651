package journal

import (
	"bytes"
	"errors"
	"fmt"
	"io"
)

// segment is one file of records. The size is what is known to be good, which
// for the newest segment may be less than the file has.
type segment struct {
	path  string
	first uint64
	last  uint64 // first-1 when it holds no record
	size  int64
}

// flaw is the place where a segment stops making sense.
type flaw struct {
	offset int64 // of the bad part
	index  uint64
	reason string
	group  int64 // where its group begins; everything before is good
	end    int64 // where its group ends; 0 when no valid header says so
	good   int   // whole records of the group before the bad part
	short  bool  // the file ends too early
	alien  bool  // intact bytes that do not belong here: never a torn write
}

// segmentReader reads a segment's groups in order through one window of memory.
type segmentReader struct {
	file   File
	size   int64  // where reading stops
	offset int64  // of the next group
	index  uint64 // of the next record
	window []byte
	start  int64 // of the window in the file
}

const readAheadBytes = 256 << 10

// view returns the bytes from offset up to length of them, fewer only at the
// size. They are valid until the next call.
func (r *segmentReader) view(offset, length int64) ([]byte, error) {
	length = min(length, r.size-offset)
	if offset >= r.start && offset+length <= r.start+int64(len(r.window)) {
		return r.window[offset-r.start:][:length], nil
	}
	want := int(min(max(length, readAheadBytes), r.size-offset))
	if cap(r.window) < want {
		r.window = make([]byte, want)
	}
	r.window = r.window[:want]
	r.start = offset
	n, err := r.file.ReadAt(r.window, offset)
	if n < want {
		r.window = r.window[:0]
		if err == nil || errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return nil, err
	}
	return r.window[:length], nil
}

// next reads and checks one whole group and returns its body, which is valid
// until the next call. A count of 0 without a flaw is the end.
func (r *segmentReader) next() (groupHeader, []byte, *flaw, error) {
	at := r.offset
	if at == r.size {
		return groupHeader{}, nil, nil, nil
	}
	bad := &flaw{offset: at, index: r.index, group: at}
	head, err := r.view(at, groupHeaderBytes)
	if err != nil {
		return groupHeader{}, nil, nil, err
	}
	if len(head) < groupHeaderBytes {
		bad.short, bad.reason = true, "the file ends inside a group header"
		return groupHeader{}, nil, bad, nil
	}
	header, ok := parseGroupHeader(head)
	if !ok {
		bad.reason = "group header is not valid"
		return groupHeader{}, nil, bad, nil
	}
	bad.end = at + groupHeaderBytes + int64(header.length)
	switch {
	case header.first != r.index:
		bad.alien, bad.reason = true, fmt.Sprintf("group begins with record %d", header.first)
		return groupHeader{}, nil, bad, nil
	case header.count == 0 || int64(header.count)*recordHeaderBytes > int64(header.length):
		bad.alien, bad.reason = true, "group cannot hold its number of records"
		return groupHeader{}, nil, bad, nil
	}
	body, err := r.view(at+groupHeaderBytes, int64(header.length))
	if err != nil {
		return groupHeader{}, nil, nil, err
	}
	if checkGroup(header, body, bad) {
		if bad.end > r.size {
			bad.short, bad.reason = true, "the file ends inside a group"
		}
		return groupHeader{}, nil, bad, nil
	}
	r.offset = bad.end
	r.index += uint64(header.count)
	return header, body, nil, nil
}

// checkGroup reports whether a group's body is bad and fills in where.
func checkGroup(header groupHeader, body []byte, bad *flaw) bool {
	rest := body
	for range header.count {
		_, after, reason := takeRecord(rest, bad.index)
		if reason != "" {
			bad.reason = reason
			break
		}
		rest = after
		bad.good++
		bad.index++
	}
	if bad.reason == "" && len(rest) > 0 {
		bad.reason = "group is longer than its records"
	}
	bad.offset = bad.group + groupHeaderBytes + int64(len(body)-len(rest))
	return bad.reason != ""
}

// each calls yield for the records of a checked group; false means stop.
func (h groupHeader) each(body []byte, yield func(Record) bool) bool {
	for i := range uint64(h.count) {
		data, rest, _ := takeRecord(body, h.first+i)
		if !yield(Record{Index: h.first + i, Data: data}) {
			return false
		}
		body = rest
	}
	return true
}

// scanSegment reads a whole segment file. What it returns of the segment is
// good up to its size; the flaw, if any, says what follows.
func scanSegment(fsys FS, path string, first uint64) (found segment, bad *flaw, err error) {
	found = segment{path: path, first: first, last: first - 1}
	file, err := fsys.Open(path)
	if err != nil {
		return found, nil, fmt.Errorf("opening journal segment: %w", err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	size, err := file.Size()
	if err != nil {
		return found, nil, fmt.Errorf("reading the size of journal segment %s: %w", path, err)
	}
	reader := segmentReader{file: file, size: size, index: first}
	bad, err = reader.checkHeader(path)
	if bad != nil || err != nil {
		return found, bad, err
	}
	for err == nil {
		var header groupHeader
		header, _, bad, err = reader.next()
		found.last, found.size = reader.index-1, reader.offset
		if bad != nil || header.count == 0 {
			break
		}
	}
	if err != nil {
		return found, nil, fmt.Errorf("reading journal segment %s: %w", path, err)
	}
	if bad != nil {
		err = reader.judge(bad)
	}
	return found, bad, err
}

// checkHeader reads the segment's header and moves behind it.
func (r *segmentReader) checkHeader(path string) (*flaw, error) {
	header, err := r.view(0, segmentHeaderBytes)
	if err != nil {
		return nil, fmt.Errorf("reading the header of journal segment %s: %w", path, err)
	}
	bad := &flaw{index: r.index}
	if len(header) < segmentHeaderBytes {
		bad.short, bad.reason = true, "the file ends inside its header"
		return bad, nil
	}
	version, first, ok := parseSegmentHeader(header)
	switch {
	case !ok:
		// The header is durable before the first group is written, so only a
		// file that has nothing else can be an interrupted creation.
		bad.alien = r.size > segmentHeaderBytes
		bad.short = !bad.alien
		bad.reason = "segment header is not valid"
		return bad, nil
	case version != formatVersion:
		return nil, fmt.Errorf("journal segment %s has format version %d; this program reads version %d",
			path, version, formatVersion)
	case first != r.index:
		bad.alien = true
		bad.reason = fmt.Sprintf("segment header says that it begins with record %d", first)
		return bad, nil
	}
	r.offset = segmentHeaderBytes
	return nil, nil
}

// judge decides whether a flaw looks like an interrupted write of the last
// group, by the first two rules of the package comment, and marks it as alien
// if it does not.
func (r *segmentReader) judge(bad *flaw) error {
	if bad.alien || bad.short && bad.end > 0 {
		return nil
	}
	if bad.end > 0 && bad.end < r.size {
		bad.alien = true
		bad.reason += ", and more follows it"
		return nil
	}
	later, found, err := r.findGroup(bad.group+1, bad.index)
	if err != nil {
		return err
	}
	if found {
		bad.alien = true
		bad.reason += fmt.Sprintf(", and a valid group follows at byte %d", later.group)
		return nil
	}
	if bad.short {
		return nil
	}
	hole, err := r.hasEmptySector(bad.group)
	bad.alien = err == nil && !hole
	return err
}

// findGroup looks for the next valid group header at or after an offset whose
// first record is above an index.
func (r *segmentReader) findGroup(offset int64, above uint64) (found flaw, ok bool, err error) {
	for offset+groupHeaderBytes <= r.size {
		view, err := r.view(offset, readAheadBytes)
		if err != nil {
			return flaw{}, false, err
		}
		at := bytes.Index(view, []byte(groupMagic))
		if at < 0 {
			offset += int64(len(view)) - int64(len(groupMagic)) + 1
			continue
		}
		offset += int64(at)
		head, err := r.view(offset, groupHeaderBytes)
		if err != nil {
			return flaw{}, false, err
		}
		if len(head) == groupHeaderBytes {
			if header, valid := parseGroupHeader(head); valid && header.first > above {
				return flaw{group: offset, index: header.first}, true, nil
			}
		}
		offset++
	}
	return flaw{}, false, nil
}

// hasEmptySector reports whether the bytes from offset to the end leave some
// sector, as far as it belongs to them, all zero.
func (r *segmentReader) hasEmptySector(offset int64) (bool, error) {
	for offset < r.size {
		next := (offset/sectorBytes + 1) * sectorBytes
		view, err := r.view(offset, next-offset)
		if err != nil {
			return false, err
		}
		if allZero(view) {
			return true, nil
		}
		offset = next
	}
	return false, nil
}

func allZero(data []byte) bool {
	for _, b := range data {
		if b != 0 {
			return false
		}
	}
	return true
}
