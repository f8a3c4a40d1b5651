// Package agent is the mind of a simulated vehicle: a state machine over the
// messages of package protocol and a body.
//
// An Agent has no socket, clock or goroutine. Whoever owns it tells it that a
// link was opened or lost, hands it each message from Kapok, and lets time pass;
// every call appends the messages that the vehicle sends. The simulator does
// this in virtual time, a driver over real sockets does it in real time, with
// the same code.
//
// Three things are kept apart, because a reboot treats them differently. The
// Agent itself is what a reboot loses. The Store is what a good vehicle keeps in
// its flash memory; it survives a reboot unless it is wiped. The Truth and the
// body are the physical world, which no reboot changes: what work was really
// done, and which loads are really on board.
//
// Above the orders stands the vehicle's own judgement. It refuses what it cannot
// do, by its own figures; it goes to a safe end by itself when its energy runs
// short, and as its options say when the link is lost. Troubles are what it
// suffers: Suffer begins one, Recover ends it.
package agent
