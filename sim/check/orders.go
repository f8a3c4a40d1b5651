package check

import (
	"fmt"
	"time"
)

// Obeyed is a command, or a revision of a mission, that a vehicle acted upon.
type Obeyed struct {
	At            time.Time
	Vehicle       string
	Order, Kind   string
	Epoch, Newest uint64
	// ExpiresAt is zero for what never expires.
	ExpiresAt time.Time
	// Slack is how far the vehicle may be wrong about the time without being to
	// blame.
	Slack time.Duration
}

// JudgeObeyed finds what was obeyed after its expiry, or from an owner older than
// one that the vehicle had seen.
func JudgeObeyed(log *Log, o Obeyed) {
	if late := o.At.Sub(o.ExpiresAt); !o.ExpiresAt.IsZero() && late > o.Slack {
		log.Add(Finding{Expired, o.At, o.Vehicle, o.Order, fmt.Sprintf("obeyed %s %s %.2f s after its expiry", o.Kind, o.Order, late.Seconds())})
	}
	if o.Epoch < o.Newest {
		log.Add(Finding{Epoch, o.At, o.Vehicle, o.Order, fmt.Sprintf("obeyed %s %s of epoch %d, after it had seen epoch %d", o.Kind, o.Order, o.Epoch, o.Newest)})
	}
}

// Begun is work that a vehicle began at a stop.
type Begun struct {
	At      time.Time
	Vehicle string
	Task    string
	Stop    int
	// Ends is when the vehicle's authority to begin stops ended, by the sending time
	// of the newest frame that it had.
	Ends  time.Time
	Slack time.Duration
}

// JudgeBegun finds work that was begun without authority.
func JudgeBegun(log *Log, b Begun) {
	if late := b.At.Sub(b.Ends); late > b.Slack {
		log.Add(Finding{Authority, b.At, b.Vehicle, b.Task, fmt.Sprintf("began stop %d of task %s %.2f s after its authority had ended", b.Stop, b.Task, late.Seconds())})
	}
}
