package mcap

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// sample is a file with two topics, of which one has enough for several chunks.
func sample(t testing.TB) []byte {
	t.Helper()
	var out bytes.Buffer
	w := NewWriter(&out, "kapok test")
	must := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	schema, err := w.Schema("test.Number", "jsonschema", []byte(`{"type":"object"}`))
	must(err)
	one, err := w.Channel("/one", "json", schema)
	must(err)
	must(w.Message(one, 1_000, []byte(`{"n":0}`)))
	must(w.Metadata("about", []Pair{{"seed", "7"}, {"why", "a test"}}))
	two, err := w.Channel("/two", "json", schema)
	must(err)
	for n := range 20_000 {
		must(w.Message(two, uint64(2_000+n), fmt.Appendf(nil, `{"n":%d,"text":%q}`, n, strings.Repeat("x", 480))))
	}
	must(w.Message(one, 1_500, []byte(`{"n":1}`)))
	must(w.Close())
	return out.Bytes()
}

// record is what stands at a place of a file: the test reads it by itself.
func recordAt(t *testing.T, file []byte, at uint64) (kind byte, body []byte) {
	t.Helper()
	length := binary.LittleEndian.Uint64(file[at+1:])
	return file[at], file[at+9 : at+9+length]
}

// TestTheIndexLeadsToEveryMessage follows the file from its end, as a reader
// that seeks does: footer, summary, chunk indexes, message indexes, messages.
func TestTheIndexLeadsToEveryMessage(t *testing.T) {
	file := sample(t)
	le := binary.LittleEndian
	if !bytes.HasPrefix(file, []byte(magic)) || !bytes.HasSuffix(file, []byte(magic)) {
		t.Fatal("the magic bytes are not at both ends")
	}
	footerAt := uint64(len(file) - 8 - 20 - 9)
	kind, footer := recordAt(t, file, footerAt)
	if kind != 2 {
		t.Fatalf("a record of kind %d is last", kind)
	}
	start, offsets := le.Uint64(footer), le.Uint64(footer[8:])
	if sum := crc32.ChecksumIEEE(file[start : footerAt+9+16]); sum != le.Uint32(footer[16:]) {
		t.Errorf("the summary's checksum is %08x, the footer says %08x", sum, le.Uint32(footer[16:]))
	}
	dataEnd := start - 9 - 4
	if kind, body := recordAt(t, file, dataEnd); kind != 15 || le.Uint32(body) != crc32.ChecksumIEEE(file[:dataEnd]) {
		t.Errorf("the end of the data, of kind %d, does not have their checksum", kind)
	}
	groups := map[byte]uint64{}
	for at := offsets; at < footerAt; {
		kind, body := recordAt(t, file, at)
		if kind != 14 {
			t.Fatalf("a record of kind %d is among the summary's offsets", kind)
		}
		groups[body[0]] = le.Uint64(body[1:])
		at += 9 + uint64(len(body))
	}
	found, chunks := 0, 0
	for at := groups[8]; at < offsets; chunks++ {
		kind, index := recordAt(t, file, at)
		if kind != 8 {
			break
		}
		at += 9 + uint64(len(index))
		found += followChunk(t, file, index)
	}
	_, statistics := recordAt(t, file, groups[11])
	if n := le.Uint64(statistics); found != 20_002 || n != 20_002 || chunks < 3 || int(le.Uint32(statistics[22:])) != chunks {
		t.Errorf("%d messages are found in %d chunks; the statistics say %d in %d", found, chunks, n, le.Uint32(statistics[22:]))
	}
	if first, last := le.Uint64(statistics[26:]), le.Uint64(statistics[34:]); first != 1_000 || last != 21_999 {
		t.Errorf("the messages are from %d to %d", first, last)
	}
}

// followChunk looks up each message that a chunk index leads to, and counts
// them.
func followChunk(t *testing.T, file, index []byte) (found int) {
	t.Helper()
	le := binary.LittleEndian
	from, until := le.Uint64(index), le.Uint64(index[8:])
	_, chunk := recordAt(t, file, le.Uint64(index[16:]))
	records := chunk[8+8+8+4+4+8:]
	if sum := crc32.ChecksumIEEE(records); sum != le.Uint32(chunk[24:]) {
		t.Errorf("a chunk's checksum is %08x, and it says %08x", sum, le.Uint32(chunk[24:]))
	}
	pairs := index[36 : 36+le.Uint32(index[32:])]
	for ; len(pairs) > 0; pairs = pairs[10:] {
		kind, entries := recordAt(t, file, le.Uint64(pairs[2:]))
		channel := le.Uint16(entries)
		if kind != 7 || channel != le.Uint16(pairs) {
			t.Fatalf("the index of channel %d is a record of kind %d for channel %d", le.Uint16(pairs), kind, channel)
		}
		for entries = entries[6:]; len(entries) > 0; entries = entries[16:] {
			at := le.Uint64(entries)
			kind, message := recordAt(t, records, le.Uint64(entries[8:]))
			if kind != 5 || le.Uint16(message) != channel || le.Uint64(message[6:]) != at || at < from || at > until {
				t.Fatalf("the entry at %d of channel %d leads to kind %d, channel %d, time %d", at, channel, kind, le.Uint16(message), le.Uint64(message[6:]))
			}
			found++
		}
	}
	return found
}

func TestReadGivesWhatWasWritten(t *testing.T) {
	counts := map[string]int{}
	err := Read(bytes.NewReader(sample(t)), func(m *Message) error {
		var v struct{ N int }
		if err := json.Unmarshal(m.Data, &v); err != nil || v.N != counts[m.Topic] || m.Schema != "test.Number" || m.Encoding != "json" {
			t.Fatalf("message %d of %s is %+v (%v)", counts[m.Topic], m.Topic, m, err)
		}
		counts[m.Topic]++
		return nil
	})
	if err != nil || counts["/one"] != 2 || counts["/two"] != 20_000 {
		t.Errorf("%v, %v", counts, err)
	}
	stop := errors.New("enough")
	if err := Read(bytes.NewReader(sample(t)), func(*Message) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("the error of the caller became %v", err)
	}
}

// TestTheReferenceImplementationReadsIt hands a file to the npm package
// @mcap/core.
func TestTheReferenceImplementationReadsIt(t *testing.T) {
	name := filepath.Join(t.TempDir(), "sample.mcap")
	if err := os.WriteFile(name, sample(t), 0o600); err != nil {
		t.Fatal(err)
	}
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("node is not installed: MCAP files are not read by the reference implementation (make test needs Node 20 or later)")
	}
	if _, err := os.Stat("testdata/reader/node_modules/@mcap/core"); err != nil {
		t.Skipf("@mcap/core is not installed: run make test, or npm ci in testdata/reader (%v)", err)
	}
	out, err := exec.CommandContext(t.Context(), node, "testdata/reader/read.mjs", name).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	var said struct {
		Library            string
		Topics             map[string]int
		Messages, Streamed int
		Ordered, Done      bool
		Metadata           [][]any
	}
	if err := json.Unmarshal(out, &said); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if said.Library != "kapok test" || said.Topics["/one"] != 2 || said.Topics["/two"] != 20_000 || said.Messages != 20_002 ||
		said.Streamed != 20_002 || !said.Ordered || !said.Done || fmt.Sprint(said.Metadata) != "[[about map[seed:7 why:a test]]]" {
		t.Errorf("the reference implementation found %s", out)
	}
}

func TestDamagedFilesAreRefused(t *testing.T) {
	whole := sample(t)
	read := func(file []byte) error { return Read(bytes.NewReader(file), func(*Message) error { return nil }) }
	for _, file := range [][]byte{nil, []byte("hello"), whole[:8], whole[:20], whole[:len(whole)/2]} {
		if err := read(file); !errors.Is(err, ErrMalformed) || !strings.HasPrefix(err.Error(), "byte ") {
			t.Errorf("%d bytes: %v", len(file), err)
		}
	}
	seed := rand.Uint64()
	draw := rand.New(rand.NewPCG(seed, 1))
	for range 30 {
		file := bytes.Clone(whole)
		// Behind the first chunk's head, and before the summary, everything is
		// under a checksum.
		file[100+draw.IntN(len(file)/2)] ^= 1 << draw.IntN(8)
		if err := read(file); err != nil && !errors.Is(err, ErrMalformed) {
			t.Errorf("seed %d: %v", seed, err)
		}
	}
}

func FuzzRead(f *testing.F) {
	var small bytes.Buffer
	w := NewWriter(&small, "kapok")
	schema, _ := w.Schema("s", "jsonschema", []byte("{}"))
	channel, _ := w.Channel("/c", "json", schema)
	_ = w.Message(channel, 1, []byte("{}"))
	if err := w.Close(); err != nil {
		f.Fatal(err)
	}
	f.Add(small.Bytes())
	f.Add([]byte(magic))
	f.Fuzz(func(t *testing.T, file []byte) {
		messages := 0
		err := Read(bytes.NewReader(file), func(m *Message) error {
			messages += len(m.Topic) + len(m.Data) + 1
			return nil
		})
		if err != nil && !errors.Is(err, ErrMalformed) {
			t.Errorf("%d bytes: %v", len(file), err)
		}
	})
}
