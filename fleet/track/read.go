package track

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Query selects samples.
type Query struct {
	// Vehicles are those wanted; none means all.
	Vehicles []string
	// From and Until bound the time, From inclusive and Until exclusive; zero
	// means no bound.
	From, Until time.Time
	// After goes on where another reading stopped; the zero value begins at the
	// oldest sample.
	After Position
}

// Position is a place between two samples.
type Position struct {
	part   string
	offset int64
	// taken is how many of the wanted samples of the block lie before the place.
	taken int
}

// String writes the position for ParsePosition.
func (p Position) String() string {
	return base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, "%s %d %d", p.part, p.offset, p.taken))
}

// ParsePosition reads what String wrote.
func ParsePosition(text string) (Position, error) {
	bad := errors.New("track: not a position in tracks")
	raw, err := base64.RawURLEncoding.DecodeString(text)
	fields := strings.Split(string(raw), " ")
	if err != nil || len(fields) != 3 {
		return Position{}, bad
	}
	_, ok := parsePart(fields[0])
	offset, err := strconv.ParseInt(fields[1], 10, 64)
	taken, alsoErr := strconv.Atoi(fields[2])
	if !ok || err != nil || alsoErr != nil || offset < 0 || taken < 0 {
		return Position{}, bad
	}
	return Position{fields[0], offset, taken}, nil
}

// Read hands the samples that were flushed and are selected to yield, those of
// one vehicle in the order of time, until it returns false; then the position
// says where to go on and more is true. Damaged blocks are passed over and
// counted.
func (s *Store) Read(ctx context.Context, q Query, yield func(Sample) bool) (next Position, more bool, err error) {
	s.mu.Lock()
	parts := slices.Clone(s.parts)
	s.mu.Unlock()
	r := reader{store: s, ctx: ctx, query: q, yield: yield, wanted: map[string]bool{}}
	for _, v := range q.Vehicles {
		r.wanted[v] = true
	}
	for _, p := range parts {
		if r.passesOver(p) {
			continue
		}
		if err := r.part(p); err != nil {
			return Position{}, false, err
		}
		if r.stopped {
			return r.at, true, nil
		}
	}
	return Position{}, false, nil
}

// reader is one reading.
type reader struct {
	store  *Store
	ctx    context.Context
	query  Query
	wanted map[string]bool
	yield  func(Sample) bool

	at      Position
	stopped bool
	body    []byte
}

// passesOver tells whether a part has nothing that is wanted. A part of a day
// holds nothing that is later than the day, and little that is earlier.
func (r *reader) passesOver(p part) bool {
	begins := p.begins()
	return p.name() < r.query.After.part ||
		!r.query.From.IsZero() && !begins.AddDate(0, 0, 1).After(r.query.From) ||
		!r.query.Until.IsZero() && begins.AddDate(0, 0, -1).After(r.query.Until)
}

func (r *reader) part(p part) (err error) {
	file, err := os.Open(filepath.Join(r.store.o.Dir, p.name()))
	if errors.Is(err, fs.ErrNotExist) {
		return nil // It grew too old in the meantime.
	}
	if err != nil {
		return fmt.Errorf("track: reading: %w", err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	offset := int64(fileHeaderBytes)
	if p.name() == r.query.After.part {
		offset = max(offset, r.query.After.offset)
	}
	for offset < p.size && !r.stopped {
		if err := r.ctx.Err(); err != nil {
			return fmt.Errorf("track: reading %s: %w", p.name(), err)
		}
		header, ok, err := readHeader(file, offset, p.size)
		if err != nil {
			return fmt.Errorf("track: reading %s: %w", p.name(), err)
		}
		if !ok {
			// Without a header nothing says where the next block begins.
			r.damaged()
			return nil
		}
		r.at = Position{part: p.name(), offset: offset}
		if err := r.block(file, offset+blockHeaderBytes, header); err != nil {
			return fmt.Errorf("track: reading %s: %w", p.name(), err)
		}
		offset += blockHeaderBytes + int64(header.length)
	}
	return nil
}

func (r *reader) damaged() {
	r.store.mu.Lock()
	defer r.store.mu.Unlock()
	r.store.stats.Damaged++
}

// readHeader is false where there is no valid one whose block fits the file.
func readHeader(file *os.File, offset, size int64) (blockHeader, bool, error) {
	if size-offset < blockHeaderBytes {
		return blockHeader{}, false, nil
	}
	raw := make([]byte, blockHeaderBytes)
	if _, err := file.ReadAt(raw, offset); err != nil {
		return blockHeader{}, false, err
	}
	header, ok := parseBlockHeader(raw)
	return header, ok && int64(header.length) <= size-offset-blockHeaderBytes, nil
}

func (r *reader) block(file *os.File, offset int64, header blockHeader) error {
	if !r.query.From.IsZero() && header.last < r.query.From.UnixMilli() ||
		!r.query.Until.IsZero() && header.first >= r.query.Until.UnixMilli() {
		return nil
	}
	r.body = slices.Grow(r.body[:0], header.length)[:header.length]
	if _, err := file.ReadAt(r.body, offset); err != nil {
		return err
	}
	if checksum(r.body) != header.sum {
		r.damaged()
		return nil
	}
	skip := 0
	if r.at.part == r.query.After.part && r.at.offset == r.query.After.offset {
		skip = r.query.After.taken
	}
	rest := r.body
	for len(rest) > 0 && !r.stopped {
		found, after, err := takeRun(rest)
		if err == nil && (len(r.wanted) == 0 || r.wanted[found.vehicle]) {
			err = found.each(func(s Sample) bool { return r.sample(s, skip) })
		}
		if err != nil {
			r.damaged()
			return nil
		}
		rest = after
	}
	return nil
}

// sample hands a sample of the block on, if it is in time and was not before. It
// reports whether the reading goes on.
func (r *reader) sample(s Sample, skip int) bool {
	if !r.query.From.IsZero() && s.Time.Before(r.query.From) || !r.query.Until.IsZero() && !s.Time.Before(r.query.Until) {
		return true
	}
	if r.at.taken >= skip && !r.yield(s) {
		r.stopped = true
		return false
	}
	r.at.taken++
	return true
}

// wholeBlocks returns the size of a part without an unfinished block at its end;
// 0 when not even the part's header is whole.
func wholeBlocks(path string, size int64) (good int64, err error) {
	file, err := os.Open(path)
	if err != nil {
		return 0, fmt.Errorf("track: reading: %w", err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	head := make([]byte, fileHeaderBytes)
	if size < fileHeaderBytes {
		return 0, nil
	}
	if _, err := file.ReadAt(head, 0); err != nil {
		return 0, fmt.Errorf("track: reading %s: %w", path, err)
	}
	if version := binary.LittleEndian.Uint32(head[8:]); string(head[:8]) != fileMagic || version != formatVersion {
		return 0, fmt.Errorf("track: %s is not a file of tracks of version %d", path, formatVersion)
	}
	good = fileHeaderBytes
	var body []byte
	for good < size {
		header, ok, err := readHeader(file, good, size)
		if err != nil {
			return 0, fmt.Errorf("track: reading %s: %w", path, err)
		}
		if !ok {
			return good, nil
		}
		body = slices.Grow(body[:0], header.length)[:header.length]
		if _, err := file.ReadAt(body, good+blockHeaderBytes); err != nil {
			return 0, fmt.Errorf("track: reading %s: %w", path, err)
		}
		end := good + blockHeaderBytes + int64(header.length)
		// A spoiled block with others behind it is no interrupted write.
		if checksum(body) != header.sum && end == size {
			return good, nil
		}
		good = end
	}
	return good, nil
}
