package track

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/kapok-fleet/kapok/fleet"
	"github.com/kapok-fleet/kapok/protocol"
)

func morning() time.Time { return time.Date(2026, 3, 1, 6, 0, 0, 0, time.UTC) }

func moved(vehicle string, at time.Time, n int) fleet.Recorded {
	return fleet.Recorded{Time: at, Event: fleet.Moved{Vehicle: fleet.VehicleID(vehicle), Sample: protocol.Sample{
		Time: at, Position: protocol.Position{Lon: 7.42 + float64(n)*1e-5, Lat: 43.73 - float64(n)*1e-5, AltitudeM: 12.34, Level: "1"},
		SpeedMPS: 1.5, HeadingDeg: 359.25, BatteryRatio: 0.8125, Mode: protocol.ModeIdle,
	}}}
}

func open(t *testing.T, o Options) *Store {
	t.Helper()
	s, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, s *Store, q Query) []Sample {
	t.Helper()
	var all []Sample
	_, more, err := s.Read(t.Context(), q, func(one Sample) bool { all = append(all, one); return true })
	if err != nil || more {
		t.Fatalf("reading: more %v, %v", more, err)
	}
	return all
}

// TestEachSampleOfAFrameIsSeen keeps one a second of a frame that brings several
// seconds at once, and none of those again that are kept.
func TestEachSampleOfAFrameIsSeen(t *testing.T) {
	s := open(t, Options{Dir: filepath.Join(t.TempDir(), "tracks")})
	sample := func(n int) protocol.Sample {
		return protocol.Sample{Time: morning().Add(time.Duration(n) * 500 * time.Millisecond), Mode: protocol.ModeIdle}
	}
	var earlier []protocol.Sample
	for n := range 7 {
		earlier = append(earlier, sample(n))
	}
	frame := []fleet.Recorded{{Event: fleet.Moved{Vehicle: "r1", Sample: sample(8), Earlier: earlier}}}
	s.Take(frame)
	s.Take(frame)
	s.Take([]fleet.Recorded{{Event: fleet.Moved{Vehicle: "r1", Sample: sample(11), Earlier: []protocol.Sample{sample(9), sample(10)}}}})
	must(t, s.Flush())
	var seconds []int
	for _, one := range read(t, s, Query{}) {
		seconds = append(seconds, one.Time.Second())
	}
	if !slices.Equal(seconds, []int{0, 1, 2, 3, 4, 5}) {
		t.Errorf("kept are the seconds %v", seconds)
	}
}

// TestADayIsKeptAndReadBack writes two vehicles over midnight, at more than a
// sample a second, and reads them over a restart.
func TestADayIsKeptAndReadBack(t *testing.T) {
	o := Options{Dir: filepath.Join(t.TempDir(), "tracks")}
	s := open(t, o)
	start := morning().Add(18*time.Hour - 30*time.Second)
	for n := range 240 {
		at := start.Add(time.Duration(n) * 250 * time.Millisecond)
		s.Take([]fleet.Recorded{moved("r1", at, n), {Event: fleet.LinkChanged{Vehicle: "r1"}}, moved("d1", at, n)})
		if n%20 == 19 {
			must(t, s.Flush())
		}
	}
	must(t, s.Close())
	s = open(t, o)
	all := read(t, s, Query{})
	if len(all) != 120 {
		t.Fatalf("%d samples of 2 vehicles in 60 s", len(all))
	}
	r1 := read(t, s, Query{Vehicles: []string{"r1"}})
	if len(r1) != 60 || !slices.IsSortedFunc(r1, func(a, b Sample) int { return a.Time.Compare(b.Time) }) {
		t.Errorf("%d samples of r1, or not in order", len(r1))
	}
	want := Sample{
		Vehicle: "r1", Time: start, Lon: 7.42, Lat: 43.73, AltitudeM: 12.34, Level: "1",
		SpeedMPS: 1.5, HeadingDeg: 359.25, BatteryRatio: 0.8125, Mode: "idle",
	}
	if !reflect.DeepEqual(r1[0], want) {
		t.Errorf("the first sample is %+v, want %+v", r1[0], want)
	}
	midnight := morning().Add(18 * time.Hour)
	if before := read(t, s, Query{Until: midnight}); len(before) != 60 {
		t.Errorf("%d samples before midnight", len(before))
	}
	if after := read(t, s, Query{From: midnight, Vehicles: []string{"d1"}}); len(after) != 30 || !after[0].Time.Equal(midnight) {
		t.Errorf("%d samples after midnight", len(after))
	}
	entries, err := os.ReadDir(o.Dir)
	must(t, err)
	if len(entries) != 2 || entries[0].Name() != "2026-03-01.0001.trk" {
		t.Errorf("the files are %v", entries)
	}
}

// TestPagesOfTracks reads any page size to the same end.
func TestPagesOfTracks(t *testing.T) {
	s := open(t, Options{Dir: t.TempDir(), PartBytes: 2000})
	for n := range 200 {
		at := morning().Add(time.Duration(n) * time.Second)
		s.Take([]fleet.Recorded{moved("r1", at, n), moved("r2", at, n), moved("r3", at, n)})
		if n%7 == 0 {
			must(t, s.Flush())
		}
	}
	must(t, s.Close())
	q := Query{Vehicles: []string{"r1", "r3"}, From: morning().Add(10 * time.Second)}
	want := read(t, s, q)
	if len(want) != 380 {
		t.Fatalf("%d samples", len(want))
	}
	for _, size := range []int{1, 2, 5, 17, 379, 380, 381} {
		var got []Sample
		q.After = Position{}
		for more := true; more; {
			var next Position
			var err error
			n := 0
			next, more, err = s.Read(t.Context(), q, func(one Sample) bool {
				if n == size {
					return false
				}
				n++
				got = append(got, one)
				return true
			})
			must(t, err)
			if q.After, err = ParsePosition(next.String()); more && err != nil {
				t.Fatal(err)
			}
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("pages of %d give %d samples of %d, or others", size, len(got), len(want))
		}
	}
}

// TestATornEndIsCut cuts the newest file at every byte: what was whole is read,
// and writing goes on behind it.
func TestATornEndIsCut(t *testing.T) {
	source := t.TempDir()
	s := open(t, Options{Dir: source})
	ends := []int64{fileHeaderBytes}
	for n := range 3 {
		s.Take([]fleet.Recorded{moved("r1", morning().Add(time.Duration(n)*time.Second), n)})
		must(t, s.Flush())
		ends = append(ends, s.Stats().Bytes)
	}
	must(t, s.Close())
	name := "2026-03-01.0001.trk"
	whole, err := os.ReadFile(filepath.Join(source, name))
	must(t, err)
	for size := range len(whole) + 1 {
		dir := t.TempDir()
		must(t, os.WriteFile(filepath.Join(dir, name), whole[:size], 0o600))
		s := open(t, Options{Dir: dir})
		blocks := 0
		for blocks < 3 && ends[blocks+1] <= int64(size) {
			blocks++
		}
		s.Take([]fleet.Recorded{moved("r1", morning().Add(time.Minute), 9)})
		must(t, s.Close())
		if got := read(t, s, Query{}); len(got) != blocks+1 || s.Stats().Damaged != 0 {
			t.Fatalf("cut at byte %d: %d samples, want %d; %d damaged", size, len(got), blocks+1, s.Stats().Damaged)
		}
	}
}

// TestASpoiledBlockIsPassedOver flips a byte in the middle.
func TestASpoiledBlockIsPassedOver(t *testing.T) {
	dir := t.TempDir()
	s := open(t, Options{Dir: dir})
	var ends []int64
	for n := range 3 {
		s.Take([]fleet.Recorded{moved("r1", morning().Add(time.Duration(n)*time.Second), n)})
		must(t, s.Flush())
		ends = append(ends, s.Stats().Bytes)
	}
	must(t, s.Close())
	path := filepath.Join(dir, "2026-03-01.0001.trk")
	whole, err := os.ReadFile(path)
	must(t, err)
	whole[ends[1]-3] ^= 0x40
	must(t, os.WriteFile(path, whole, 0o600))
	s = open(t, Options{Dir: dir})
	if got := read(t, s, Query{}); len(got) != 2 || s.Stats().Damaged != 1 {
		t.Errorf("%d samples, %d damaged", len(got), s.Stats().Damaged)
	}
	must(t, os.WriteFile(filepath.Join(dir, "2026-03-02.0001.trk"), []byte("something else altogether"), 0o600))
	if _, err := Open(Options{Dir: dir}); err == nil {
		t.Error("a file of another kind must not be written to")
	}
}

// TestWhatIsTooOldIsRemoved by age and by size, never the newest.
func TestWhatIsTooOldIsRemoved(t *testing.T) {
	s := open(t, Options{Dir: t.TempDir(), KeepAge: 48 * time.Hour, KeepBytes: 600})
	for day := range 5 {
		s.Take([]fleet.Recorded{moved("r1", morning().AddDate(0, 0, day), day)})
		must(t, s.Flush())
	}
	now := morning().AddDate(0, 0, 4)
	must(t, s.Expire(now))
	if got := read(t, s, Query{}); len(got) != 3 || !got[0].Time.Equal(morning().AddDate(0, 0, 2)) {
		t.Errorf("by age %d samples stay", len(got))
	}
	for n := range 600 {
		s.Take([]fleet.Recorded{moved("r1", now.Add(time.Duration(n+1)*time.Second), n)})
	}
	must(t, s.Flush())
	must(t, s.Expire(now))
	got := read(t, s, Query{})
	if stats := s.Stats(); len(got) != 601 || stats.Bytes < 600 {
		t.Errorf("by size %d samples stay in %d bytes", len(got), stats.Bytes)
	}
	must(t, s.Close())
}

// TestTooManyWaiting drops what does not fit, and says so; a disk that comes
// back gets the rest.
func TestTooManyWaiting(t *testing.T) {
	dir := t.TempDir()
	s := open(t, Options{Dir: filepath.Join(dir, "tracks")})
	must(t, os.RemoveAll(filepath.Join(dir, "tracks")))
	var events []fleet.Recorded
	for n := range MaxPending + 10 {
		events = append(events, moved(fmt.Sprintf("v%d", n), morning(), 0))
	}
	s.Take(events)
	if err := s.Flush(); err == nil {
		t.Fatal("writing without a directory must fail")
	}
	must(t, os.Mkdir(filepath.Join(dir, "tracks"), 0o700))
	must(t, s.Close())
	if stats := s.Stats(); stats.Kept != MaxPending || stats.Dropped != 10 {
		t.Errorf("kept and dropped: %+v", stats)
	}
	if got := read(t, s, Query{}); len(got) != MaxPending {
		t.Errorf("%d samples", len(got))
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := s.Read(ended, Query{}, func(Sample) bool { return true }); err == nil {
		t.Error("a reading whose context ended must end")
	}
}

// TestRandomSamples are read as they were taken, to the exactness that is
// promised.
func TestRandomSamples(t *testing.T) {
	chance := rand.New(rand.NewPCG(3, 4))
	var samples []Sample
	for range 500 {
		samples = append(samples, Sample{
			Vehicle: fmt.Sprintf("v%d", chance.IntN(7)), Time: time.UnixMilli(chance.Int64N(1 << 41)).UTC(),
			Lon: float64(chance.IntN(3600000000)-1800000000) / 1e7, Lat: float64(chance.IntN(1800000000)-900000000) / 1e7,
			AltitudeM: float64(chance.IntN(900000)-40000) / 100, Level: []string{"", "1", "-2;3"}[chance.IntN(3)],
			SpeedMPS: float64(chance.IntN(10000)) / 100, HeadingDeg: float64(chance.IntN(36000)) / 100,
			BatteryRatio: float64(chance.IntN(10001)) / 1e4, Mode: []string{"idle", "flying", "待机"}[chance.IntN(3)],
		})
	}
	block := appendBlock(nil, samples)
	var got []Sample
	for rest := block[blockHeaderBytes:]; len(rest) > 0; {
		r, after, err := takeRun(rest)
		must(t, err)
		must(t, r.each(func(s Sample) bool { got = append(got, s); return true }))
		rest = after
	}
	if !reflect.DeepEqual(got, samples) { // appendBlock has sorted them.
		t.Error("what is read differs from what was written")
	}
}

// FuzzBlock decodes any body without a panic or more samples than bytes.
func FuzzBlock(f *testing.F) {
	samples := []Sample{{Vehicle: "r1", Time: morning(), Lon: 1, Mode: "idle"}, {Vehicle: "r1", Time: morning().Add(time.Second), Lon: 2}}
	f.Add(appendBlock(nil, samples)[blockHeaderBytes:])
	f.Add([]byte{1, 'r', 0xff, 0xff, 0xff, 0xff, 0x0f, 0})
	f.Fuzz(func(t *testing.T, body []byte) {
		n := 0
		for rest := body; len(rest) > 0; {
			r, after, err := takeRun(rest)
			if err != nil || r.each(func(Sample) bool { n++; return true }) != nil {
				break
			}
			rest = after
		}
		if n > len(body) {
			t.Errorf("%d samples of %d bytes", n, len(body))
		}
	})
}

// FuzzPosition reads any cursor; what it accepts is written the same.
func FuzzPosition(f *testing.F) {
	f.Add(Position{"2026-03-01.0001.trk", 12, 3}.String())
	f.Add("!")
	f.Fuzz(func(t *testing.T, text string) {
		p, err := ParsePosition(text)
		if again, bad := ParsePosition(p.String()); err == nil && (bad != nil || again != p) {
			t.Errorf("%q is %+v, and again %+v, %v", text, p, again, bad)
		}
	})
}
