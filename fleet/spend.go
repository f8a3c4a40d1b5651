package fleet

import "time"

// What a vehicle alone can bring about lasts: its reports and the alerts that
// its samples raise and clear are durable events. So there is a rate for each.
// None drops anything.
const (
	// ReportsPerSecond is how many reports are taken in from a vehicle in the long
	// run, ReportsAtOnce how many may come together, as after a long silence.
	// Beyond it the report is not taken in, nor confirmed, and the link is closed
	// with CodeTooManyReports: the vehicle keeps its reports, and sends them again
	// when it has logged in anew.
	ReportsPerSecond = 5
	ReportsAtOnce    = 2000
	// FlapsAtOnce is how many alerts the samples of a vehicle may clear together,
	// FlapsPerMinute how many in the long run. Beyond it an alert stands, though
	// what it is about is over, until its turn comes. Raising is never delayed.
	FlapsPerMinute = 2
	FlapsAtOnce    = 20
)

// CodeTooManyReports is the code of the CloseLink that a vehicle gets when it
// reports more than ReportsPerSecond allows.
const CodeTooManyReports = "too_many_reports"

// allowance is what may still be spent; it grows again with time. The zero
// allowance is untouched.
type allowance struct {
	spent float64
	at    time.Time
}

// take spends one of burst, of which rate grow again each second, and tells
// whether there was one.
func (a *allowance) take(now time.Time, rate, burst float64) bool {
	if passed := now.Sub(a.at); passed > 0 {
		a.spent = max(0, a.spent-passed.Seconds()*rate)
		a.at = now
	}
	if a.spent > burst-1 {
		return false
	}
	a.spent++
	return true
}

// mayReport tells whether one more report may be taken in.
func (k *known) mayReport(now time.Time) bool {
	return k.reports.take(now, ReportsPerSecond, ReportsAtOnce)
}

// mayClear tells whether a sample may clear one more alert.
func (k *known) mayClear(now time.Time) bool {
	return k.clears.take(now, FlapsPerMinute/60.0, FlapsAtOnce)
}
