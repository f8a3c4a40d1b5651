package sim

import (
	"fmt"

	"github.com/kapok-fleet/kapok/fleet/journal"
)

// memory is the journal of a run in which nothing happens to the backend: there is
// nothing for it to survive. Where there is, the journal lies on a fault.Disk.
type memory struct {
	records  []journal.Record
	snapshot journal.Snapshot
	has      bool
}

var _ journal.Journal = (*memory)(nil)

// Append implements journal.Journal.
func (m *memory) Append(records []journal.Record) error {
	for i, r := range records {
		if want := m.Last() + uint64(i) + 1; r.Index != want {
			return fmt.Errorf("sim: appending record %d where %d follows: %w", r.Index, want, journal.ErrGap)
		}
	}
	m.records = append(m.records, records...)
	return nil
}

// Read implements journal.Journal.
func (m *memory) Read(from uint64, yield func(journal.Record) bool) error {
	for _, r := range m.records {
		if r.Index >= from && !yield(r) {
			return nil
		}
	}
	return nil
}

// SaveSnapshot implements journal.Journal.
func (m *memory) SaveSnapshot(s journal.Snapshot) error {
	if s.Index > m.Last() || m.has && s.Index < m.snapshot.Index {
		return fmt.Errorf("sim: snapshot at %d of a journal that ends at %d: %w", s.Index, m.Last(), journal.ErrGap)
	}
	m.snapshot, m.has = s, true
	return nil
}

// Snapshot implements journal.Journal.
func (m *memory) Snapshot() (journal.Snapshot, bool, error) { return m.snapshot, m.has, nil }

// First implements journal.Journal.
func (m *memory) First() uint64 {
	if len(m.records) == 0 {
		return 0
	}
	return m.records[0].Index
}

// Last implements journal.Journal.
func (m *memory) Last() uint64 {
	if len(m.records) == 0 {
		return 0
	}
	return m.records[len(m.records)-1].Index
}

// Close implements journal.Journal.
func (m *memory) Close() error { return nil }
