package server

import (
	"crypto/rand"
	"sync"
	"time"
)

const (
	// ticketLife is how long a ticket may wait for its use.
	ticketLife = 30 * time.Second
	// maxTickets bounds unused tickets; beyond it none is given out.
	maxTickets = 1000
)

// tickets are the admissions to one stream each, for browsers, which cannot
// send a header with an upgrade request. They are in memory only.
type tickets struct {
	mu     sync.Mutex
	unused map[string]ticket
}

type ticket struct {
	caller  caller
	expires time.Time
}

// issue makes a ticket; false when too many are unused.
func (t *tickets) issue(who caller, now time.Time) (name string, expires time.Time, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for name, old := range t.unused {
		if !now.Before(old.expires) {
			delete(t.unused, name)
		}
	}
	if len(t.unused) >= maxTickets {
		return "", time.Time{}, false
	}
	if t.unused == nil {
		t.unused = map[string]ticket{}
	}
	name, expires = rand.Text(), now.Add(ticketLife)
	t.unused[name] = ticket{who, expires}
	return name, expires, true
}

// use takes a ticket back; false for one that is unknown, used or expired.
func (t *tickets) use(name string) (caller, bool) { return t.useAt(name, time.Now()) }

func (t *tickets) useAt(name string, now time.Time) (caller, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	found, ok := t.unused[name]
	delete(t.unused, name)
	return found.caller, ok && now.Before(found.expires)
}
