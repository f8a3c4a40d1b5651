package ws

import "time"

const (
	// readBytesPerSecond is what is read of one connection in the long run, and at
	// once; beyond it reading waits, which the network passes on to the peer.
	readBytesPerSecond = 4 << 20
	// readWorth is the least that one wait is for: shorter ones cost more than they
	// hold back.
	readWorth = 32 << 10
	// pingsPerSecond and pingsAtOnce are how many pings are answered.
	pingsPerSecond = 10
	pingsAtOnce    = 20
	// pongWithin bounds the writing of a pong.
	pongWithin = time.Second
)

// allowance is how much may be taken, up to a most at once and so much a second.
// Its zero value is a full one. It looks at the clock only when it is used up.
type allowance struct {
	used int           // since filled
	at   time.Duration // when used was last lowered
}

// take takes one, or tells that there is none left.
func (a *allowance) take(now time.Duration, perSecond, most int) bool {
	a.refill(now, perSecond)
	if a.used >= most {
		return false
	}
	a.used++
	return true
}

// refill lowers what is used by what the time since the last time is worth.
func (a *allowance) refill(now time.Duration, perSecond int) {
	worth := int((now - a.at).Seconds() * float64(perSecond))
	if worth <= 0 {
		return
	}
	a.used = max(0, a.used-worth)
	a.at = now
}
