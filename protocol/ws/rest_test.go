package ws_test

import (
	"fmt"
	"testing"
	"time"
)

// TestARestGathersFrames holds the reader in its pause while frames come: they
// are all read in one go afterwards, and then it pauses again.
func TestARestGathersFrames(t *testing.T) {
	t.Parallel()
	asked, goOn := make(chan int), make(chan struct{})
	o := links()
	var h *log
	o.Rest = func() time.Duration {
		asked <- len(h.frames)
		<-goOn
		return 0
	}
	l := listen(t, o)
	conn, server := l.raw(t)
	send := func(from, to int) {
		for n := from; n < to; n++ {
			if _, err := conn.Write(masked(final|text, fmt.Sprint("frame ", n))); err != nil {
				t.Fatal(err)
			}
		}
	}
	h = newLog()
	send(0, 1)
	server.Go(func() { server.Serve(h) })
	if n := <-asked; n != 1 {
		t.Errorf("the first pause came after %d frames", n)
	}
	send(1, 8)
	goOn <- struct{}{}
	if n := <-asked; n != 8 {
		t.Errorf("the second pause came after %d frames, want all 8", n)
	}
	for n := range 8 {
		if got := <-h.frames; got != fmt.Sprint("frame ", n) {
			t.Errorf("frame %d is %q", n, got)
		}
	}
	_ = conn.Close()
	close(goOn)
	if err := <-h.ended; !isAbnormal(err) {
		t.Errorf("it ended with %v", err)
	}
}
