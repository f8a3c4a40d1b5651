package journal

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
)

// RepairReport says what Repair did.
type RepairReport struct {
	// Damage is everything that was found, in the order found; empty means that
	// nothing was changed.
	Damage []CorruptError
	// SideFiles are the paths of the files that keep what was cut.
	SideFiles []string
	// Lost says that state was lost: the journal now ends before a record that
	// had been durable. Otherwise only history before a snapshot was cut.
	Lost bool
	// Report is what the directory holds afterwards.
	Report Report
}

// Repair cuts damage out of a journal, only when a person asks for it. It keeps
// the state that reaches furthest: where a valid snapshot covers the damage, the
// records behind it are kept and those before it are cut; otherwise the record
// ends at the damage. What is cut stays beside the journal in files that end in
// .cut. It takes the lock, and is safe to repeat when it was interrupted. A
// journal whose beginning is missing without a snapshot cannot be repaired. A
// nil fsys means the operating system's.
func Repair(fsys FS, dir string) (report RepairReport, err error) {
	if fsys == nil {
		fsys = OS()
	}
	lock, err := lockDir(fsys, dir)
	if err != nil {
		return report, err
	}
	defer func() { err = errors.Join(err, lock.Close()) }()
	r := repairer{fs: fsys, dir: dir, report: &report}
	for {
		found, err := takeSurvey(fsys, dir)
		if err != nil {
			return report, err
		}
		report.Report = found.report
		if found.damage == nil {
			return report, nil
		}
		// Each round removes the damage it was given, so seeing the same again
		// would mean to go round for ever.
		if n := len(report.Damage); n > 0 && report.Damage[n-1] == found.damage.CorruptError {
			return report, fmt.Errorf("repairing journal %s had no effect: %w", dir, &found.damage.CorruptError)
		}
		report.Damage = append(report.Damage, found.damage.CorruptError)
		if err := r.round(found); err != nil {
			return report, fmt.Errorf("repairing journal %s: %w", dir, err)
		}
	}
}

type repairer struct {
	fs     FS
	dir    string
	report *RepairReport
}

// round deals with one damage, by the first rule that applies.
func (r *repairer) round(found *survey) error {
	bad, newest := found.damage, found.newestSnapshot()
	salvaged, err := r.salvage(found)
	switch {
	case err != nil:
		return err
	case salvaged:
		return r.setAside(found.firsts[:bad.cut+1])
	case bad.resume < len(found.firsts) && newest+1 >= found.firsts[bad.resume] && bad.resume > 0:
		return r.setAside(found.firsts[:bad.resume])
	case newest >= bad.Index:
		return r.restartAfter(found, newest)
	case len(found.segments) == 0 && bad.cut == 0 && bad.offset == 0 && len(found.firsts) > 0 && found.firsts[0] > 1:
		return fmt.Errorf("the beginning is missing and no snapshot covers it: %w", &bad.CorruptError)
	default:
		r.report.Lost = true
		return r.cutAt(found)
	}
}

// salvage copies the valid groups behind the damage of a segment into a segment
// of their own, if a snapshot covers everything before them.
func (r *repairer) salvage(found *survey) (done bool, err error) {
	bad := found.damage
	if bad.cut >= len(found.segments) || bad.offset == 0 {
		return false, nil
	}
	path := found.segments[bad.cut].path
	file, err := r.fs.Open(path)
	if err != nil {
		return false, fmt.Errorf("opening journal segment: %w", err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	size, err := file.Size()
	if err != nil {
		return false, fmt.Errorf("reading the size of %s: %w", path, err)
	}
	reader := segmentReader{file: file, size: size}
	later, ok, err := reader.findGroup(bad.offset+1, bad.Index)
	if err != nil || !ok || later.index > found.newestSnapshot()+1 {
		return false, err
	}
	if bad.resume < len(found.firsts) && found.firsts[bad.resume] <= later.index {
		return false, nil
	}
	rest := make([]byte, size-later.group)
	if n, err := file.ReadAt(rest, later.group); n < len(rest) {
		return false, fmt.Errorf("reading %s: %w", path, err)
	}
	fresh := indexedName(r.dir, later.index, segmentSuffix)
	return true, writeWhole(r.fs, r.dir, fresh, encodeSegmentHeader(later.index), rest)
}

// restartAfter sets all records aside, because a snapshot knows more than they
// do, and begins a new segment behind it.
func (r *repairer) restartAfter(found *survey, snapshot uint64) error {
	if err := r.setMark(snapshot); err != nil {
		return err
	}
	fresh := indexedName(r.dir, snapshot+1, segmentSuffix)
	if err := writeWhole(r.fs, r.dir, fresh, encodeSegmentHeader(snapshot+1)); err != nil {
		return err
	}
	return r.setAside(found.firsts)
}

// cutAt ends the record at the damage.
func (r *repairer) cutAt(found *survey) error {
	bad := found.damage
	whole := bad.cut
	if bad.offset > 0 {
		whole++
	}
	// From the newest backwards, so that an interruption leaves no hole.
	if whole < len(found.firsts) {
		doomed := slices.Clone(found.firsts[whole:])
		slices.Reverse(doomed)
		if err := r.setAside(doomed); err != nil {
			return err
		}
	}
	if bad.offset > 0 {
		if err := r.cutSegment(found.segments[bad.cut], bad); err != nil {
			return err
		}
	}
	return r.setMark(bad.Index - 1)
}

// cutSegment keeps a segment's whole groups before the damage, and of the
// damaged group the whole records before it.
func (r *repairer) cutSegment(s segment, bad *damage) (err error) {
	file, err := r.fs.OpenWrite(s.path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	size, err := file.Size()
	if err != nil {
		return err
	}
	rest := make([]byte, size-bad.offset)
	if n, err := file.ReadAt(rest, bad.offset); n < len(rest) {
		return fmt.Errorf("reading %s: %w", s.path, err)
	}
	side, err := r.sideName(fmt.Sprintf("%s.%d", filepath.Base(s.path), bad.offset))
	if err != nil {
		return err
	}
	if err := writeWhole(r.fs, r.dir, side, rest); err != nil {
		return err
	}
	r.report.SideFiles = append(r.report.SideFiles, side)
	if err := file.Truncate(bad.offset); err != nil {
		return fmt.Errorf("cutting %s: %w", s.path, err)
	}
	if bad.good > 0 {
		if _, err := file.WriteAt(appendGroup(nil, wholeRecords(rest, bad)), bad.offset); err != nil {
			return fmt.Errorf("writing the good records of the damaged group to %s: %w", s.path, err)
		}
	}
	return file.Sync()
}

// wholeRecords are the records before the damage in the group at its offset.
func wholeRecords(group []byte, bad *damage) []Record {
	records := make([]Record, 0, bad.good)
	body := group[groupHeaderBytes:]
	for index := bad.Index - uint64(bad.good); index < bad.Index; index++ {
		data, rest, _ := takeRecord(body, index)
		records = append(records, Record{Index: index, Data: data})
		body = rest
	}
	return records
}

// setAside renames segments, one durable step at a time.
func (r *repairer) setAside(firsts []uint64) error {
	for _, first := range firsts {
		path := indexedName(r.dir, first, segmentSuffix)
		side, err := r.sideName(filepath.Base(path))
		if err != nil {
			return err
		}
		if err := r.fs.Rename(path, side); err != nil {
			return fmt.Errorf("setting %s aside: %w", path, err)
		}
		if err := r.fs.SyncDir(r.dir); err != nil {
			return fmt.Errorf("making %s durable: %w", side, err)
		}
		r.report.SideFiles = append(r.report.SideFiles, side)
	}
	return nil
}

// sideName finds a name that is not in use.
func (r *repairer) sideName(base string) (string, error) {
	names, err := r.fs.ReadDir(r.dir)
	if err != nil {
		return "", fmt.Errorf("reading journal directory: %w", err)
	}
	name := base + cutSuffix
	for number := 2; slices.Contains(names, name); number++ {
		name = fmt.Sprintf("%s.%d%s", base, number, cutSuffix)
	}
	return filepath.Join(r.dir, name), nil
}

// setMark moves the mark to where the record now ends.
func (r *repairer) setMark(last uint64) error {
	made, err := createMark(r.fs, r.dir, markValue{last: last})
	if err != nil {
		return err
	}
	return made.file.Close()
}
