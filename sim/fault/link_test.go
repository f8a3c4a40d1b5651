package fault_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/kapok-fleet/kapok/sim/fault"
)

// travel sends frames, one each so often, and returns how long each took.
func travel(l fault.Line, seed uint64, frames int, every time.Duration, bytes int) []time.Duration {
	draw, way := rand.New(rand.NewPCG(seed, 1)), fault.Way{}
	took := make([]time.Duration, frames)
	for i := range frames {
		now := int64(i) * int64(every)
		took[i] = time.Duration(way.Send(&l, draw, now, bytes).At - now)
	}
	return took
}

func mean(of []time.Duration) time.Duration {
	var sum time.Duration
	for _, d := range of {
		sum += d
	}
	return sum / time.Duration(len(of))
}

func TestLatencyAndJitter(t *testing.T) {
	l := fault.Line{LatencyLeast: 20 * time.Millisecond, LatencyMost: 120 * time.Millisecond}
	took := travel(l, 1, 2000, time.Second, 200)
	for i, d := range took {
		if d < l.LatencyLeast || d > l.LatencyMost {
			t.Fatalf("frame %d took %v", i, d)
		}
	}
	if m := mean(took); m < 65*time.Millisecond || m > 75*time.Millisecond {
		t.Errorf("frames take %v in the mean", m)
	}
	l.Jitter = 100 * time.Millisecond
	if m := mean(travel(l, 1, 2000, time.Second, 200)); m < 160*time.Millisecond || m > 180*time.Millisecond {
		t.Errorf("with jitter they take %v in the mean", m)
	}
}

func TestALostFrameHoldsUpThoseBehindIt(t *testing.T) {
	l := fault.Line{LatencyLeast: 50 * time.Millisecond, LatencyMost: 50 * time.Millisecond, Loss: 0.02}
	draw, way := rand.New(rand.NewPCG(7, 1)), fault.Way{}
	last, lost, heldUp := int64(0), 0, 0
	for i := range 2000 {
		now := int64(i) * int64(40*time.Millisecond)
		d := way.Send(&l, draw, now, 200)
		switch took := time.Duration(d.At - now); {
		case d.At <= last:
			t.Fatalf("frame %d arrives before the one sent before it", i)
		case took >= 350*time.Millisecond:
			lost++
		case took > 50*time.Millisecond:
			heldUp++
		}
		last = d.At
	}
	if lost < 20 || heldUp < 2*lost {
		t.Errorf("%d frames came after a retransmission, %d waited behind one", lost, heldUp)
	}
}

func TestTheRetransmissionTimeoutDoubles(t *testing.T) {
	l := fault.Line{Loss: 1}
	took := travel(l, 1, 1, time.Second, 10)[0]
	var want time.Duration
	for n, timeout := 0, 200*time.Millisecond; n < 12; n++ {
		want += timeout
		timeout = min(2*timeout, time.Minute)
	}
	if took != want {
		t.Errorf("a frame lost each time came after %v, not %v", took, want)
	}
	if small, large := mean(travel(fault.Line{Loss: 0.02}, 3, 3000, time.Hour, 100)), mean(travel(fault.Line{Loss: 0.02}, 3, 3000, time.Hour, 20_000)); large < 5*small {
		t.Errorf("of small frames packets cost %v, of large ones %v", small, large)
	}
}

func TestBandwidth(t *testing.T) {
	// 1000 bytes a second, frames of 420 bytes with their heads: two a second fit.
	l := fault.Line{BytesPerSecond: 1000}
	if took := travel(l, 1, 50, time.Second, 420); took[49] != 500*time.Millisecond {
		t.Errorf("a frame of half a second's worth took %v", took[49])
	}
	draw, way := rand.New(rand.NewPCG(1, 1)), fault.Way{}
	for i := range 200 {
		d := way.Send(&l, draw, int64(i)*int64(100*time.Millisecond), 420)
		if d.Stalled {
			waited := time.Duration(d.At - int64(i)*int64(100*time.Millisecond))
			if waited < fault.Stall || waited > fault.Stall+time.Second {
				t.Errorf("the connection is given up after %v", waited)
			}
			return
		}
	}
	t.Error("five times as much as fits through goes through")
}

func TestABridgeRepeatsAndReorders(t *testing.T) {
	l := fault.Line{LatencyMost: 10 * time.Millisecond, Duplicate: 0.2, Reorder: 0.1}
	draw, way := rand.New(rand.NewPCG(5, 1)), fault.Way{}
	twice, late := 0, 0
	for i := range 5000 {
		d := way.Send(&l, draw, int64(i)*int64(time.Second), 100)
		if d.Again != 0 {
			twice++
			if d.Again <= d.At {
				t.Fatal("the repetition comes first")
			}
		}
		if d.Late {
			late++
			if at := way.Behind(d.At); at <= d.At {
				t.Fatal("what was kept back comes before what overtook it")
			}
		}
	}
	if twice < 900 || twice > 1100 || late < 430 || late > 570 {
		t.Errorf("of 5000 frames %d came twice and %d late", twice, late)
	}
}
