// Package hostile attacks a running server in the ways that broken firmware,
// clients that retry without end, and strangers do. Each attack is a value that
// says what it does, what the server must answer, which metric tells an operator
// of it, and how much memory it may cost. Tests run each of them once; kapok
// bench hostile repeats them as fast as it may while it measures how others are
// served. The attackers bring their own HTTP and WebSocket, so that everything
// in them can be wrong.
package hostile

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/kapok-fleet/kapok/fleet"
)

// Group is a part of the table of attacks.
type Group string

// The groups, in the order of the table.
const (
	Strangers  Group = "Strangers, and those who want more than they may"
	Storms     Group = "Storms of connections and requests"
	Frames     Group = "Frames that break WebSocket, or its limits"
	Floods     Group = "Floods on one link"
	Slow       Group = "Those that are slow, silent or half gone"
	Order      Group = "Messages that are repeated, out of order or from another time"
	Values     Group = "Values that cannot be"
	Encodings  Group = "Frames that are no messages"
	Bodies     Group = "Bodies of requests"
	Heads      Group = "Heads of requests, and addresses"
	Dispatches Group = "Streams and tickets"
)

// Groups lists all groups in the order of the table.
func Groups() []Group {
	return []Group{Strangers, Storms, Frames, Floods, Slow, Order, Values, Encodings, Bodies, Heads, Dispatches}
}

// Attack is one way to do harm, and what is promised about it.
type Attack struct {
	// Name identifies it: lower case words with dashes.
	Name  string
	Group Group
	// Does is one sentence, without its full stop.
	Does string
	// Run does it once and returns what the server said.
	Run func(*Raid) (Answer, error)
	// Want is what the server must say, Note what is promised beside that. Within
	// is how long the server may take for it, 0 for at once.
	Want   Answer
	Note   string
	Within time.Duration
	// Metric is the line of /metrics that grows, as name{labels}.
	Metric string
	// Alert is the kind of the alert that is raised for the attacker's vehicle,
	// empty for none.
	Alert fleet.AlertKind
	// MemoryMiB bounds the memory that it costs the server at any moment, whatever
	// its size or number as described.
	MemoryMiB int
	// Linked says that each run holds the link of a vehicle for most of its time.
	Linked bool
	// Once says that it cannot be repeated on one server.
	Once bool
	// Flood is what kapok bench hostile repeats in place of Run: it goes on until
	// its context ends, at the rate of the raid. Nil where Run itself is repeated.
	Flood func(*Raid) error
}

// Answer is what a server says to an attack, as far as it says anything. The
// zero value says that it goes on as if nothing had happened.
type Answer struct {
	// Status is that of an HTTP answer, 0 for none.
	Status int
	// Code is the code of a problem, or of an error on a link or a stream.
	Code string
	// Close is the code of the frame that closed a link or stream, 0 for none.
	Close int
	// Cut says that the network connection was ended without a word.
	Cut bool
}

// String is the answer as the table shows it.
func (a Answer) String() string {
	var parts []string
	switch {
	case a.Status != 0 && a.Code != "":
		parts = append(parts, fmt.Sprintf("%d `%s`", a.Status, a.Code))
	case a.Status != 0:
		parts = append(parts, fmt.Sprint(a.Status))
	case a.Code != "":
		parts = append(parts, fmt.Sprintf("error `%s`", a.Code))
	}
	if a.Close != 0 {
		parts = append(parts, fmt.Sprintf("closed with %d", a.Close))
	}
	if a.Cut {
		parts = append(parts, "connection ended")
	}
	if len(parts) == 0 {
		return "taken, harmless"
	}
	return strings.Join(parts, ", ")
}

// Rate is how often a second kapok bench hostile repeats it: frames on a link,
// or connections.
func (a Attack) Rate() float64 {
	if a.Flood != nil && a.Group != Storms {
		return 1000
	}
	return 200
}

// All lists the attacks in the order of the table.
func All() []Attack {
	return slices.Concat(strangers(), storms(), frames(), floods(), slow(), order(), values(), encodings(), bodies(), heads(), dispatches())
}

// Find returns the attack of a name.
func Find(name string) (Attack, bool) {
	all := All()
	at := slices.IndexFunc(all, func(a Attack) bool { return a.Name == name })
	if at < 0 {
		return Attack{}, false
	}
	return all[at], true
}
