package sim

import (
	"math/rand/v2"
	"testing"
)

func TestQueueKeepsTimeAndOrder(t *testing.T) {
	const seed = 5
	draw := rand.New(rand.NewPCG(seed, 1))
	var q queue
	var last event
	in, out := 0, 0
	for range 5000 {
		if draw.IntN(3) > 0 || len(q.heap) == 0 {
			// Never before what was taken out, as in a run.
			q.push(event{at: last.at + draw.Int64N(20)})
			in++
			continue
		}
		e, _ := q.pop()
		if out++; e.at < last.at || e.at == last.at && e.seq < last.seq {
			t.Fatalf("seed %d: %d/%d came after %d/%d", seed, e.at, e.seq, last.at, last.seq)
		}
		last = e
	}
	for range in - out {
		if _, ok := q.pop(); !ok {
			t.Fatal("an event is missing")
		}
	}
	if _, ok := q.pop(); ok {
		t.Fatal("an event is too many")
	}
}
