package server

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"
)

// TestALimiterFillsWithTime: a burst, then one at a time, each key for itself.
func TestALimiterFillsWithTime(t *testing.T) {
	l := newLimiter[string](2, 3, 10)
	now := begin()
	for i := range 3 {
		if wait := l.admit("a", now); wait != 0 {
			t.Fatalf("%d of the burst has to wait %v", i, wait)
		}
	}
	if wait := l.admit("a", now); wait != 500*time.Millisecond {
		t.Errorf("beyond the burst: wait %v, want half a second", wait)
	}
	if wait := l.admit("b", now); wait != 0 {
		t.Errorf("another key has to wait %v", wait)
	}
	if wait := l.admit("a", now.Add(499*time.Millisecond)); wait.Round(time.Microsecond) != time.Millisecond {
		t.Errorf("almost there: wait %v, want 1ms", wait)
	}
	now = now.Add(500 * time.Millisecond)
	if wait := l.admit("a", now); wait != 0 {
		t.Errorf("after the wait it has to wait %v again", wait)
	}
	if wait := l.admit("a", now); wait != 500*time.Millisecond {
		t.Errorf("two at once after waiting for one: wait %v", wait)
	}
	now = now.Add(time.Hour)
	for range 3 {
		l.admit("a", now)
	}
	if wait := l.admit("a", now); wait == 0 {
		t.Error("an hour of silence is worth no more than the burst")
	}
}

// TestALimiterIsBounded: it forgets the key that was not used for longest, and
// no other.
func TestALimiterIsBounded(t *testing.T) {
	const most = 8
	seed := uint64(7)
	chance := rand.New(rand.NewPCG(seed, 0))
	l := newLimiter[int](1, 1, most)
	var order []int // oldest first
	for range 5000 {
		key := chance.IntN(3 * most)
		known := false
		for i, k := range order {
			if k == key {
				order = append(order[:i], order[i+1:]...)
				known = true
				break
			}
		}
		order = append(order, key)
		if len(order) > most {
			order = order[1:]
		}
		if wait := l.admit(key, begin()); (wait > 0) != known {
			t.Fatalf("seed %d: key %d, known %v, has to wait %v", seed, key, known, wait)
		}
		if l.count() != len(order) {
			t.Fatalf("seed %d: it keeps %d keys, want %d", seed, l.count(), len(order))
		}
	}
}

func TestRetryAfterIsWholeSeconds(t *testing.T) {
	for wait, want := range map[time.Duration]string{1: "1", time.Second: "1", 1001 * time.Millisecond: "2", time.Minute: "60"} {
		if got := newProblem(codeTooManyRequests, "x").retryAfter(wait).headers.Get("Retry-After"); got != want {
			t.Errorf("a wait of %v is %q, want %q", wait, got, want)
		}
	}
}

func TestAddressesAreWhatOneSubscriberHas(t *testing.T) {
	for remote, want := range map[string]string{
		"192.0.2.7:5000":              "192.0.2.7",
		"[::ffff:192.0.2.7]:5000":     "192.0.2.7",
		"[2001:db8:1:2:3:4:5:6]:5000": "2001:db8:1:2::",
		"[2001:db8:1:2::9]:1":         "2001:db8:1:2::",
		"[fe80::1%eth0]:1":            "fe80::",
		"[::1]:1":                     "::",
		"pipe":                        "",
		"":                            "",
		"192.0.2.7":                   "",
	} {
		addr := netip.Addr{}
		if want != "" {
			addr = netip.MustParseAddr(want)
		}
		if got := addressOf(remote); got != addr {
			t.Errorf("the address of %q is %v, want %v", remote, got, addr)
		}
	}
}

// TestRequestsUnderWay: all, those of one token, those of strangers.
func TestRequestsUnderWay(t *testing.T) {
	var u underWay
	const most = 8
	for i := range most {
		token := fmt.Sprint(i / 2)
		if all, own := u.enter(token, most); all+own != 0 {
			t.Fatalf("%d: refused with %d, %d", i, all, own)
		}
		if all, own := u.enter("0", most); i > 1 && i < most-1 && own != 2 {
			t.Fatalf("a third request of a token: %d, %d", all, own)
		} else if all+own == 0 {
			u.leave("0")
		}
	}
	if all, _ := u.enter("new", most); all != most {
		t.Errorf("one more than all: %d", all)
	}
	for range maxOpenRequests {
		if all, own := u.enter("", most); all+own != 0 {
			t.Fatalf("strangers: refused with %d, %d", all, own)
		}
	}
	if all, _ := u.enter("", most); all != maxOpenRequests {
		t.Error("strangers have no limit")
	}
	u.leave("3")
	if all, own := u.enter("new", most); all+own != 0 {
		t.Errorf("after one has left: %d, %d", all, own)
	}
	for range maxOpenRequests {
		u.leave("")
	}
	for _, token := range []string{"new", "3", "0", "0", "1", "1", "2", "2"} {
		u.leave(token)
	}
	if u.count() != 0 || len(u.byToken) != 0 {
		t.Errorf("all have left, and it holds %+v", u.byToken)
	}
}
