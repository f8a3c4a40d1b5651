package server

import (
	"crypto/rand"
	"crypto/sha256"
	"sync"
	"time"
)

const (
	// ticketLife is how long a ticket may wait for its use.
	ticketLife = 30 * time.Second
	// maxTickets bounds unused tickets; beyond it none is given out.
	maxTickets = 1000
	// maxTicketsOfToken bounds those of one token, so that it cannot use up all.
	maxTicketsOfToken = 100
)

// tickets are the admissions to one stream each, for browsers, which cannot
// send a header with an upgrade request. They are in memory only, and by their
// hash, as tokens are: finding one takes no longer the more of it was guessed.
type tickets struct {
	mu     sync.Mutex
	unused map[[sha256.Size]byte]ticket
}

type ticket struct {
	caller  caller
	expires time.Time
}

// issue makes a ticket; false when too many are unused, of all or of the token.
func (t *tickets) issue(who caller, now time.Time) (name string, expires time.Time, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	own := 0
	for key, old := range t.unused {
		switch {
		case !now.Before(old.expires):
			delete(t.unused, key)
		case old.caller.token.Name == who.token.Name:
			own++
		}
	}
	if len(t.unused) >= maxTickets || own >= maxTicketsOfToken {
		return "", time.Time{}, false
	}
	if t.unused == nil {
		t.unused = map[[sha256.Size]byte]ticket{}
	}
	name, expires = rand.Text(), now.Add(ticketLife)
	t.unused[sha256.Sum256([]byte(name))] = ticket{who, expires}
	return name, expires, true
}

// use takes a ticket back; false for one that is unknown, used or expired.
func (t *tickets) use(name string) (caller, bool) { return t.useAt(name, time.Now()) }

func (t *tickets) useAt(name string, now time.Time) (caller, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	key := sha256.Sum256([]byte(name))
	found, ok := t.unused[key]
	delete(t.unused, key)
	return found.caller, ok && now.Before(found.expires)
}
