package server

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/kapok-fleet/kapok/fleet"
	"github.com/kapok-fleet/kapok/protocol"
)

// TestSheetsAreUsedAgain: the memory of a frame goes to the next one of its size
// when nobody holds it, and not before.
func TestSheetsAreUsedAgain(t *testing.T) {
	var b backlog
	framed := func(n int) []byte {
		frame := append(b.sheets.take(n), "{}"...)
		b.sheets.lend(frame)
		return frame
	}
	held := framed(5000)
	b.add(held)
	b.add(held)
	b.remove(held, 1)
	if other := framed(5000); &other[0] == &held[0] {
		t.Fatal("memory that a stream holds is given to another frame")
	}
	b.remove(held, 2)
	if other := framed(5100); &other[0] != &held[0] {
		t.Error("memory that nobody holds is not used again")
	}
	unsent := framed(9000)
	b.sweep(unsent, 3)
	if b.sheets.bytes != sheetSize(9000) {
		t.Errorf("%d bytes stand by, not those of the frame that nobody was sent", b.sheets.bytes)
	}
	lost := framed(7000)
	b.add(lost)
	b.sheets.forsake(lost)
	b.remove(lost, 3)
	foreign := []byte("{}")
	b.add(foreign)
	b.remove(foreign, 3)
	if b.sheets.bytes != sheetSize(9000) {
		t.Errorf("%d bytes stand by: memory that may be in use, or is none of ours, was taken", b.sheets.bytes)
	}
	b.sheets.tidy(3 + spareBeats)
	if b.sheets.bytes == 0 {
		t.Error("memory is let go of too early")
	}
	b.sheets.tidy(4 + spareBeats)
	if b.sheets.bytes != 0 || len(b.sheets.spare) != 0 {
		t.Errorf("%d bytes still stand by", b.sheets.bytes)
	}
}

// TestSpareSheetsAreBounded: much that comes back at once is left to the
// collector.
func TestSpareSheetsAreBounded(t *testing.T) {
	var s sheets
	for range 3 {
		var all [][]byte
		for range 40 {
			frame := append(s.take(2<<20), '{')
			s.lend(frame)
			all = append(all, frame)
		}
		for _, frame := range all {
			s.giveBack(frame, 1)
		}
		if s.bytes > spareBytes || s.bytes < spareBytes/2 {
			t.Fatalf("%d bytes stand by", s.bytes)
		}
	}
	for n := 1; n < 5<<20; n += 1 + n/7 {
		if size := sheetSize(n); size < n || size > max(leastSheet, n+n/4) || sheetSize(size) != size {
			t.Fatalf("%d bytes get memory of %d", n, size)
		}
	}
}

// TestASightIsItsInterest compares how rows are found for an area with the law
// of interests.
func TestASightIsItsInterest(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	chance := rand.New(rand.NewPCG(seed, 5))
	kinds := []protocol.Kind{protocol.Rover, protocol.Multirotor, protocol.VTOL, protocol.Vessel}
	// Few different values, so that vehicles lie on edges.
	lon := func() float64 { return float64(chance.IntN(13)-6) * 30 }
	lat := func() float64 { return float64(chance.IntN(7)-3) * 30 }
	found := 0
	for range 300 {
		r := &roster{looks: 1}
		var law []matter
		for n := range 100 {
			v, p := &fleet.Vehicle{Kind: kinds[chance.IntN(len(kinds))]}, (*fleet.Presence)(nil)
			if chance.IntN(8) > 0 {
				p = &fleet.Presence{Known: chance.IntN(8) > 0, Sample: protocol.Sample{Position: protocol.Position{Lon: lon(), Lat: lat()}}}
			}
			m := presenceMatter(v, p, aboutPositions)
			if chance.IntN(8) == 0 {
				v, m = nil, matter{}
			}
			r.rows, r.order, law = append(r.rows, row{id: "v"}), append(r.order, n), append(law, m)
			r.renew(&r.rows[n], v, p)
		}
		var b batch
		b.fill(r, 0)
		south, north := lat(), lat()
		i := interest{
			topics: aboutPositions, kinds: vehicleKinds(chance.IntN(16)), bounded: chance.IntN(4) > 0,
			area: box{lon(), min(south, north), lon(), max(south, north)},
		}
		got, sight := make([]int, len(law)), i.sight()
		b.within(&sight, func(n int) {
			if sight.has(&b.spots[n]) {
				got[b.numbers[n]]++
			}
		})
		for n, m := range law {
			want := 0
			if i.wants(m) {
				want = 1
				found++
			}
			if got[n] != want {
				t.Fatalf("%+v finds %+v %d times, not %d", i, m, got[n], want)
			}
		}
	}
	if found < 1000 {
		t.Errorf("only %d rows were found: the test tests little", found)
	}
}
