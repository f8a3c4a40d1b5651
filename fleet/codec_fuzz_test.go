package fleet_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/kapok-fleet/kapok/fleet"
)

// goldenFiles are the contents of the recorded journals, or of the states that
// they end in.
func goldenFiles(f *testing.F, pattern string) [][]byte {
	f.Helper()
	names, err := filepath.Glob("testdata/golden/" + pattern)
	if err != nil || len(names) == 0 {
		f.Fatalf("no golden files %s: %v", pattern, err)
	}
	var all [][]byte
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		all = append(all, data)
	}
	return all
}

// FuzzDecodeEvent: a record of a journal, whatever it holds, is an event or an
// error; an event is written the same after it was read again.
func FuzzDecodeEvent(f *testing.F) {
	seen := map[string]bool{}
	for _, journal := range goldenFiles(f, "*.ndjson") {
		for line := range bytes.Lines(journal) {
			// One of each type is enough to begin with.
			if r, err := fleet.DecodeEvent(line); err == nil && !seen[r.Event.EventName()] {
				seen[r.Event.EventName()] = true
				f.Add(bytes.TrimSpace(line))
			}
		}
	}
	f.Add([]byte(`{"index":1,"type":"no_such_event","data":{}}`))
	f.Add([]byte(`{"index":1,"type":"task_ordered","data":null}`))
	f.Fuzz(func(t *testing.T, frame []byte) {
		event, err := fleet.DecodeEvent(frame)
		if err != nil {
			return
		}
		first, err := fleet.EncodeEvent(event)
		if err != nil {
			t.Fatalf("what was read of %q cannot be written: %v", frame, err)
		}
		again, err := fleet.DecodeEvent(first)
		if err != nil {
			t.Fatalf("%q cannot be read again: %v", first, err)
		}
		second, err := fleet.EncodeEvent(again)
		if err != nil || !bytes.Equal(first, second) {
			t.Fatalf("written as %q and then as %q, %v", first, second, err)
		}
	})
}

// FuzzDecodeDurable: a snapshot, whatever it holds, is a state or an error; a
// state is written the same after it was read again.
func FuzzDecodeDurable(f *testing.F) {
	for _, state := range goldenFiles(f, "*.state.json") {
		var compact bytes.Buffer
		d, err := fleet.DecodeDurable(state)
		if err != nil {
			f.Fatal(err)
		}
		encoded, err := fleet.EncodeDurable(&d)
		if err != nil {
			f.Fatal(err)
		}
		compact.Write(encoded)
		f.Add(compact.Bytes())
	}
	f.Add([]byte(`{}`))
	f.Add([]byte(`null`))
	f.Fuzz(func(t *testing.T, data []byte) {
		state, err := fleet.DecodeDurable(data)
		if err != nil {
			return
		}
		first, err := fleet.EncodeDurable(&state)
		if err != nil {
			t.Fatalf("what was read of %q cannot be written: %v", data, err)
		}
		again, err := fleet.DecodeDurable(first)
		if err != nil {
			t.Fatalf("%q cannot be read again: %v", first, err)
		}
		second, err := fleet.EncodeDurable(&again)
		if err != nil || !bytes.Equal(first, second) {
			t.Fatalf("written as %q and then as %q, %v", first, second, err)
		}
	})
}
