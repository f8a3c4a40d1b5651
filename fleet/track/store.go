package track

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/kapok-fleet/kapok/fleet"
	"github.com/kapok-fleet/kapok/protocol"
)

// The limits of a store, and what happens at them.
const (
	// DefaultKeepAge and DefaultKeepBytes are how much is kept: Expire removes the
	// oldest files beyond either.
	DefaultKeepAge   = 7 * 24 * time.Hour
	DefaultKeepBytes = 1 << 30
	// DefaultPartBytes is the size at which a day goes on in another file.
	DefaultPartBytes = 64 << 20
	// MaxPending is how many samples wait to be written; more are dropped and
	// counted.
	MaxPending = 1 << 16
	// SyncEvery is how many flushes may pass before the disk is told to keep them.
	SyncEvery = 5
)

const (
	dayLayout  = "2006-01-02"
	partSuffix = ".trk"
)

// Options say where tracks are kept and how many. Zero means the default.
type Options struct {
	Dir       string
	KeepAge   time.Duration
	KeepBytes int64
	PartBytes int64
}

// Stats are counts since Open.
type Stats struct {
	// Kept is how many samples were written or wait, Dropped how many were lost
	// because too many waited, Damaged how many blocks were found spoiled.
	Kept, Dropped, Damaged uint64
	// Bytes is the size of all files.
	Bytes int64
}

// Store keeps tracks in one directory. Its methods may be called from any
// goroutine; two stores must not share a directory.
type Store struct {
	o Options

	mu      sync.Mutex // guards the rest but the writing
	pending []Sample
	// last is the second of the newest sample kept of each vehicle.
	last  map[fleet.VehicleID]int64
	parts []part // oldest first
	stats Stats

	writing  sync.Mutex // held while the newest part is written
	file     *os.File   // the newest part, nil before the first write
	unsynced int
}

// part is one file: a day, or a piece of one. Size is what is known to be good.
type part struct {
	day    string
	number int
	size   int64
}

func (p part) name() string { return fmt.Sprintf("%s.%04d%s", p.day, p.number, partSuffix) }

// parsePart accepts only names that part.name makes.
func parsePart(name string) (part, bool) {
	stem, ok := strings.CutSuffix(name, partSuffix)
	day, digits, dotted := strings.Cut(stem, ".")
	number, err := strconv.Atoi(digits)
	p := part{day: day, number: number}
	if _, bad := time.Parse(dayLayout, day); !ok || !dotted || err != nil || bad != nil || p.name() != name {
		return part{}, false
	}
	return p, true
}

// begins is the first moment of the part's day.
func (p part) begins() time.Time {
	day, _ := time.Parse(dayLayout, p.day) // A part has a valid day.
	return day
}

// Open reads what is in the directory, which it makes if it is missing, and
// cuts off a block that a crash left unfinished.
func Open(o Options) (*Store, error) {
	if o.KeepAge < 0 || o.KeepBytes < 0 || o.PartBytes < 0 {
		return nil, errors.New("track: options have a negative number")
	}
	if o.KeepAge == 0 {
		o.KeepAge = DefaultKeepAge
	}
	if o.KeepBytes == 0 {
		o.KeepBytes = DefaultKeepBytes
	}
	if o.PartBytes == 0 {
		o.PartBytes = DefaultPartBytes
	}
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("track: making the directory: %w", err)
	}
	entries, err := os.ReadDir(o.Dir)
	if err != nil {
		return nil, fmt.Errorf("track: reading the directory: %w", err)
	}
	s := &Store{o: o, last: map[fleet.VehicleID]int64{}}
	for _, entry := range entries {
		p, ok := parsePart(entry.Name())
		if !ok {
			continue
		}
		info, err := entry.Info()
		if err != nil {
			return nil, fmt.Errorf("track: reading the size of %s: %w", entry.Name(), err)
		}
		p.size = info.Size()
		s.stats.Bytes += p.size
		s.parts = append(s.parts, p) // Names are in the order of days and numbers.
	}
	return s, s.repair()
}

// repair cuts the unfinished end off the newest part.
func (s *Store) repair() error {
	if len(s.parts) == 0 {
		return nil
	}
	newest := &s.parts[len(s.parts)-1]
	path := filepath.Join(s.o.Dir, newest.name())
	good, err := wholeBlocks(path, newest.size)
	if err != nil {
		return err
	}
	if good == newest.size && good > 0 {
		return nil
	}
	if good == 0 {
		s.stats.Bytes -= newest.size
		s.parts = s.parts[:len(s.parts)-1]
		err = os.Remove(path)
	} else {
		s.stats.Bytes -= newest.size - good
		newest.size = good
		err = os.Truncate(path, good)
	}
	if err != nil {
		return fmt.Errorf("track: cutting off the unfinished end: %w", err)
	}
	return nil
}

// Take keeps the samples among released events: of each vehicle the first in
// each second. It never waits for the disk.
func (s *Store) Take(events []fleet.Recorded) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range events {
		moved, ok := events[i].Event.(fleet.Moved)
		if !ok {
			continue
		}
		before, was := s.last[moved.Vehicle]
		last, known := before, was
		for n := range moved.Earlier {
			last, known = s.keep(moved.Vehicle, &moved.Earlier[n], last, known)
		}
		if last, known = s.keep(moved.Vehicle, &moved.Sample, last, known); known && (!was || last != before) {
			s.last[moved.Vehicle] = last
		}
	}
}

// keep keeps a sample unless one of its second, or of a later one, is kept. It
// returns the second of the newest that is. The lock is held.
func (s *Store) keep(vehicle fleet.VehicleID, sample *protocol.Sample, last int64, known bool) (int64, bool) {
	second := sample.Time.Unix()
	if known && second <= last {
		return last, known
	}
	if len(s.pending) >= MaxPending {
		s.stats.Dropped++
		return last, known
	}
	s.stats.Kept++
	at := sample.Position
	s.pending = append(s.pending, Sample{
		Vehicle: string(vehicle), Time: sample.Time.UTC(), Lon: at.Lon, Lat: at.Lat, AltitudeM: at.AltitudeM,
		Level: at.Level, SpeedMPS: sample.SpeedMPS, HeadingDeg: sample.HeadingDeg,
		BatteryRatio: sample.BatteryRatio, Mode: string(sample.Mode),
	})
	return second, true
}

// Flush writes what waits. What could not be written waits on, as far as there
// is room.
func (s *Store) Flush() error {
	s.writing.Lock()
	defer s.writing.Unlock()
	s.mu.Lock()
	samples := s.pending
	s.pending = nil
	s.mu.Unlock()
	if len(samples) == 0 {
		return nil
	}
	if err := s.write(samples); err != nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.pending = append(samples, s.pending...)
		if extra := len(s.pending) - MaxPending; extra > 0 {
			s.stats.Dropped += uint64(extra)
			s.stats.Kept -= uint64(extra)
			s.pending = slices.Delete(s.pending, 0, extra)
		}
		return err
	}
	return nil
}

// write appends a block. A block that was written in part stays behind the known
// size, where the next one takes its place.
func (s *Store) write(samples []Sample) error {
	block := appendBlock(nil, samples)
	newest := slices.MaxFunc(samples, func(a, b Sample) int { return a.Time.Compare(b.Time) })
	p, err := s.partFor(newest.Time.UTC().Format(dayLayout), int64(len(block)))
	if err != nil {
		return err
	}
	if _, err := s.file.WriteAt(block, p.size); err != nil {
		return fmt.Errorf("track: writing %s: %w", p.name(), err)
	}
	s.mu.Lock()
	s.parts[len(s.parts)-1].size += int64(len(block))
	s.stats.Bytes += int64(len(block))
	s.mu.Unlock()
	if s.unsynced++; s.unsynced < SyncEvery {
		return nil
	}
	return s.sync()
}

func (s *Store) sync() error {
	if s.file == nil || s.unsynced == 0 {
		return nil
	}
	s.unsynced = 0
	if err := s.file.Sync(); err != nil {
		return fmt.Errorf("track: syncing %s: %w", s.file.Name(), err)
	}
	return nil
}

// partFor returns the part that takes the next block, open for writing. Days
// never go back: a clock that does continues in the newest day.
func (s *Store) partFor(day string, bytes int64) (part, error) {
	s.mu.Lock()
	var newest part
	if n := len(s.parts); n > 0 {
		newest = s.parts[n-1]
	}
	s.mu.Unlock()
	next := newest
	switch {
	case day > newest.day:
		next = part{day: day, number: 1}
	case newest.size+bytes > s.o.PartBytes && newest.size > fileHeaderBytes:
		next = part{day: newest.day, number: newest.number + 1}
	case s.file != nil:
		return newest, nil
	}
	if err := errors.Join(s.sync(), s.closeFile()); err != nil {
		return part{}, err
	}
	flags := os.O_RDWR
	if next != newest {
		flags |= os.O_CREATE | os.O_TRUNC
	}
	file, err := os.OpenFile(filepath.Join(s.o.Dir, next.name()), flags, 0o600)
	if err != nil {
		return part{}, fmt.Errorf("track: opening a file: %w", err)
	}
	s.file = file
	if next == newest {
		return next, nil
	}
	if _, err := file.Write(fileHeader()); err != nil {
		return part{}, errors.Join(fmt.Errorf("track: beginning %s: %w", next.name(), err), s.closeFile())
	}
	next.size = fileHeaderBytes
	s.mu.Lock()
	defer s.mu.Unlock()
	s.parts = append(s.parts, next)
	s.stats.Bytes += next.size
	return next, nil
}

func (s *Store) closeFile() error {
	if s.file == nil {
		return nil
	}
	err := s.file.Close()
	s.file = nil
	if err != nil {
		return fmt.Errorf("track: closing a file: %w", err)
	}
	return nil
}

// Expire removes the oldest files: those whose day ended longer ago than the
// greatest age, and then as many as are above the greatest size. The newest file
// always stays.
func (s *Store) Expire(now time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.parts) > 1 {
		oldest := s.parts[0]
		ended := oldest.begins().AddDate(0, 0, 1)
		if s.stats.Bytes <= s.o.KeepBytes && now.Sub(ended) <= s.o.KeepAge {
			return nil
		}
		if err := os.Remove(filepath.Join(s.o.Dir, oldest.name())); err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("track: removing what is too old: %w", err)
		}
		s.stats.Bytes -= oldest.size
		s.parts = slices.Delete(s.parts, 0, 1)
	}
	return nil
}

// Stats returns the present counts.
func (s *Store) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stats
}

// Close writes what waits and makes it durable.
func (s *Store) Close() error {
	err := s.Flush()
	s.writing.Lock()
	defer s.writing.Unlock()
	return errors.Join(err, s.sync(), s.closeFile())
}
