package server

import (
	"math"
	"net/netip"
	"strconv"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/kapok-fleet/kapok/fleet"
)

// limiters are the rate limits of the edge.
type limiters struct {
	address, failure *limiter[netip.Addr]
	token            *limiter[string] // by the token's name
	login            *limiter[fleet.VehicleID]
}

func newLimiters(l Limits) limiters {
	return limiters{
		address: newLimiter[netip.Addr](l.AddressRate, l.AddressBurst, maxKeys),
		failure: newLimiter[netip.Addr](l.FailureRate, l.FailureBurst, maxKeys),
		token:   newLimiter[string](l.TokenRate, l.TokenBurst, maxKeys),
		login:   newLimiter[fleet.VehicleID](l.LoginRate, l.LoginBurst, maxKeys),
	}
}

// limiter gives each key a token bucket of its own. It keeps at most a number of
// them and forgets the one that was not used for longest; a forgotten key begins
// anew with a full bucket. It reads no clock, and is safe for use by several
// goroutines.
type limiter[K comparable] struct {
	rate  rate.Limit
	burst int
	most  int

	mu      sync.Mutex
	buckets map[K]*bucket[K]
	// ends is the head of a ring: ends.older is the newest bucket, ends.newer the
	// oldest.
	ends bucket[K]
}

type bucket[K comparable] struct {
	*rate.Limiter
	key          K
	newer, older *bucket[K]
}

func newLimiter[K comparable](perSecond float64, burst, most int) *limiter[K] {
	l := &limiter[K]{rate: rate.Limit(perSecond), burst: burst, most: most, buckets: map[K]*bucket[K]{}}
	l.ends.newer, l.ends.older = &l.ends, &l.ends
	return l
}

// admit takes one from the key's bucket and returns 0, or takes nothing and
// returns how long it is until there will be one.
func (l *limiter[K]) admit(key K, now time.Time) time.Duration { return l.take(key, 1, now) }

// take is admit for so many, or for the whole bucket where it holds fewer.
func (l *limiter[K]) take(key K, count int, now time.Time) time.Duration {
	count = min(count, l.burst)
	l.mu.Lock()
	defer l.mu.Unlock()
	b, ok := l.buckets[key]
	if ok {
		b.newer.older, b.older.newer = b.older, b.newer
	} else {
		if len(l.buckets) >= l.most {
			l.forget(l.ends.newer)
		}
		b = &bucket[K]{key: key, Limiter: rate.NewLimiter(l.rate, l.burst)}
		l.buckets[key] = b
	}
	b.newer, b.older = &l.ends, l.ends.older
	b.newer.older, b.older.newer = b, b
	if b.AllowN(now, count) {
		return 0
	}
	missing := float64(count) - b.TokensAt(now)
	return max(time.Duration(math.Ceil(missing/float64(l.rate)*float64(time.Second))), 1)
}

// forget drops a bucket. The lock is held.
func (l *limiter[K]) forget(b *bucket[K]) {
	b.newer.older, b.older.newer = b.older, b.newer
	delete(l.buckets, b.key)
}

// count is of how many keys there is a bucket.
func (l *limiter[K]) count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.buckets)
}

// retryAfter adds when to try again, in whole seconds and at least one.
func (p *problem) retryAfter(wait time.Duration) *problem {
	return p.with("Retry-After", strconv.Itoa(max(int(math.Ceil(wait.Seconds())), 1)))
}

// addressOf is the address that a peer's limits go by: without port and zone, an
// IPv4 address also where it is written as IPv6, and of IPv6 the /64. Peers
// without an address (of sockets that have none) share one.
func addressOf(remote string) netip.Addr {
	at, err := netip.ParseAddrPort(remote)
	if err != nil {
		return netip.Addr{}
	}
	addr := at.Addr().WithZone("").Unmap()
	if addr.Is4() {
		return addr
	}
	prefix, err := addr.Prefix(64)
	if err != nil {
		return addr
	}
	return prefix.Addr()
}

// underWay counts the requests that are being answered and are no upgrade, in
// all, of each token, and of those without one.
type underWay struct {
	mu      sync.Mutex
	all     int
	open    int
	byToken map[string]int
}

// enter counts a request in, "" standing for one that needs no token. It returns
// how many are under way where that is too many: of all, or of this token alone.
func (u *underWay) enter(token string, most int) (all, own int) {
	u.mu.Lock()
	defer u.mu.Unlock()
	switch {
	case token == "" && u.open >= maxOpenRequests:
		return u.open, 0
	case token == "":
		u.open++
		return 0, 0
	case u.all >= most:
		return u.all, 0
	case u.byToken[token] >= max(most/4, 1):
		return 0, u.byToken[token]
	}
	if u.byToken == nil {
		u.byToken = map[string]int{}
	}
	u.all++
	u.byToken[token]++
	return 0, 0
}

// leave counts a request out that was counted in.
func (u *underWay) leave(token string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if token == "" {
		u.open--
		return
	}
	u.all--
	if u.byToken[token]--; u.byToken[token] == 0 {
		delete(u.byToken, token)
	}
}

// count is how many requests are under way.
func (u *underWay) count() int {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.all + u.open
}
