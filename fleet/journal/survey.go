package journal

import (
	"fmt"
	"path/filepath"
)

// survey is what a directory holds, read without changing it.
type survey struct {
	firsts   []uint64  // of all segment files, by name, ascending
	segments []segment // those read, up to and including the damaged one
	marked   markValue
	torn     *flaw // in the last segment
	damage   *damage
	report   Report
}

// damage is a CorruptError with what Repair needs.
type damage struct {
	CorruptError
	cut    int   // number of the segment from which on nothing is good,
	offset int64 // and where in it; 0 means all of it
	good   int   // whole records in the group at the offset
	resume int   // the first segment that may be good again
}

func takeSurvey(fsys FS, dir string) (*survey, error) {
	s := &survey{report: Report{Dir: dir}}
	names, err := fsys.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("reading journal directory: %w", err)
	}
	for _, name := range names {
		if first, ok := parseIndexedName(name, segmentSuffix); ok {
			s.firsts = append(s.firsts, first)
		}
		if index, ok := parseIndexedName(name, snapshotSuffix); ok {
			if err := s.addSnapshot(fsys, filepath.Join(dir, name), index); err != nil {
				return nil, err
			}
		}
	}
	marked, ok, err := readMark(fsys, dir)
	if err != nil {
		return nil, err
	}
	s.marked, s.report.Mark = marked, marked.last
	s.report.MarkLost = !ok && len(s.firsts) > 0
	for number := range s.firsts {
		if err := s.addSegment(fsys, dir, number); err != nil {
			return nil, err
		}
		if s.damage != nil {
			return s, nil
		}
	}
	s.checkEnd(dir)
	return s, nil
}

func (s *survey) addSnapshot(fsys FS, path string, index uint64) error {
	_, reason, err := loadSnapshot(fsys, path, index)
	if err != nil {
		return err
	}
	if reason != "" {
		s.report.BadSnapshots = append(s.report.BadSnapshots, BadSnapshot{Path: path, Reason: reason})
		return nil
	}
	s.report.Snapshots = append(s.report.Snapshots, index)
	return nil
}

// newestSnapshot is the index of the newest valid snapshot, 0 for none.
func (s *survey) newestSnapshot() uint64 {
	if len(s.report.Snapshots) == 0 {
		return 0
	}
	return s.report.Snapshots[len(s.report.Snapshots)-1]
}

func (s *survey) addSegment(fsys FS, dir string, number int) error {
	first := s.firsts[number]
	path := indexedName(dir, first, segmentSuffix)
	switch {
	case number == 0 && first > 1 && s.newestSnapshot() < first-1:
		s.damage = &damage{CorruptError: CorruptError{
			Segment: path, Index: 1,
			Reason: fmt.Sprintf("it is the oldest segment, and no valid snapshot covers what came before record %d", first),
		}}
		return nil
	case number > 0 && s.report.Last+1 != first:
		s.damage = &damage{cut: number, resume: number, CorruptError: CorruptError{
			Segment: path, Index: s.report.Last + 1,
			Reason: fmt.Sprintf("the segment before it ends with record %d", s.report.Last),
		}}
		return nil
	}
	found, bad, err := scanSegment(fsys, path, first)
	if err != nil {
		return err
	}
	s.segments = append(s.segments, found)
	s.report.Segments++
	s.report.Bytes += found.size
	s.report.Last = found.last
	if s.report.First == 0 && found.last >= found.first {
		s.report.First = found.first
	}
	switch {
	case bad == nil:
	case number == len(s.firsts)-1 && !bad.alien:
		return s.addTorn(fsys, path, bad)
	default:
		s.damage = &damage{
			CorruptError: CorruptError{Segment: path, Offset: bad.offset, Index: bad.index, Reason: bad.reason},
			cut:          number, offset: bad.group, good: bad.good, resume: number + 1,
		}
	}
	return nil
}

func (s *survey) addTorn(fsys FS, path string, bad *flaw) error {
	file, err := fsys.Open(path)
	if err != nil {
		return fmt.Errorf("opening journal segment: %w", err)
	}
	size, err := file.Size()
	if err != nil {
		return fmt.Errorf("reading the size of journal segment %s: %w", path, err)
	}
	s.torn = bad
	s.report.Torn = &TornTail{
		Segment: path, Offset: bad.group, Bytes: size - bad.group,
		Index: bad.index - uint64(bad.good), Reason: bad.reason,
	}
	return file.Close()
}

// checkEnd applies the third rule of the package comment: the record must reach
// the mark and the newest snapshot.
func (s *survey) checkEnd(dir string) {
	witness, known := "commit mark", s.marked.last
	if newest := s.newestSnapshot(); newest > known {
		witness, known = "newest snapshot", newest
	}
	if s.report.Last >= known {
		return
	}
	lost := &damage{cut: len(s.segments), resume: len(s.segments), CorruptError: CorruptError{
		Segment: indexedName(dir, 1, segmentSuffix),
		Index:   s.report.Last + 1,
		Reason:  fmt.Sprintf("the record ends here, but the %s says that record %d was durable", witness, known),
	}}
	if last := len(s.segments) - 1; last >= 0 {
		lost.Segment, lost.Offset = s.segments[last].path, s.segments[last].size
		if s.torn != nil && s.torn.group > 0 {
			lost.cut, lost.offset, lost.good = last, s.torn.group, s.torn.good
			lost.Index += uint64(s.torn.good)
		}
	}
	s.damage = lost
}
