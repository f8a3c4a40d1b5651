package journal

// Report says what a journal directory holds and what was wrong with it.
type Report struct {
	Dir string
	// First and Last as of Journal.
	First, Last uint64
	// Segments is the number of segment files.
	Segments int
	// Bytes is the size of the good part of all segments.
	Bytes int64
	// Torn is the interrupted last write, nil for none. Open drops it.
	Torn *TornTail
	// Snapshots are the indices of the valid snapshots, oldest first.
	Snapshots []uint64
	// BadSnapshots are the snapshot files that cannot be used.
	BadSnapshots []BadSnapshot
	// Mark is the last durable record that the commit mark knows of.
	Mark uint64
	// MarkLost says that there are segments but no valid commit mark, so that a
	// lost end of the record could have gone unnoticed. Open makes a new mark.
	MarkLost bool
}

// TornTail is what an interrupted write left behind. Nobody was told that it
// was durable, as far as the disk shows.
type TornTail struct {
	// Segment is the path of the file.
	Segment string
	// Offset in bytes at which the dropped part begins.
	Offset int64
	// Bytes is the size of the dropped part.
	Bytes int64
	// Index of the first record of the dropped group.
	Index uint64
	// Reason says how it shows.
	Reason string
}

// BadSnapshot is a snapshot file that cannot be used.
type BadSnapshot struct {
	Path   string
	Reason string
}

// Verify reads everything in a journal directory and changes nothing. Damage is
// a *CorruptError, beside a report of what lies before it; a torn tail and bad
// snapshots are only reported. A journal that another process is appending to
// may show a torn tail that is not one. A nil fsys means the operating system's.
func Verify(fsys FS, dir string) (Report, error) {
	if fsys == nil {
		fsys = OS()
	}
	found, err := takeSurvey(fsys, dir)
	if err != nil {
		return Report{Dir: dir}, err
	}
	if found.damage != nil {
		return found.report, &found.damage.CorruptError
	}
	return found.report, nil
}
