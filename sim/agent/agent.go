package agent

import (
	"time"

	"github.com/kapok-fleet/kapok/fleet/mutant"
	"github.com/kapok-fleet/kapok/planner/space"
	"github.com/kapok-fleet/kapok/protocol"
	"github.com/kapok-fleet/kapok/sim/body"
)

// Options are what is fixed about a vehicle.
type Options struct {
	ID           string
	Kind         protocol.Kind
	Model        string
	Capabilities []string
	MaxLoadKg    float64
	// MaxLegs is the most legs that it takes, 0 for protocol.DefaultLegs.
	MaxLegs int
	// Frame is the chart's frame, in which the body moves.
	Frame space.Frame
	// ClockError is the vehicle's clock minus the true time.
	ClockError time.Duration
	// ResendAfter is how long reports may stay unconfirmed before they are sent
	// again; 0 for 5 s.
	ResendAfter time.Duration
	// LostLink is what it does without a link; the zero value carries on.
	LostLink LostLink
	// ReserveRatio is the share of its battery that it keeps for the unforeseen, by
	// its own account; 0 for 0.1 of aircraft and 0.05 of others.
	ReserveRatio float64
	// Wind is the weather that it moves in, nil for calm.
	Wind *body.Wind
	// Clear tells whether an aircraft has free air at a place, as its eyes would:
	// one that must come down where it is looks for free ground near by, when the
	// ground below is not. Nil says that it is free everywhere. It must be pure.
	Clear func(at space.XYZ) bool
	// Seed is for what is drawn within the vehicle, such as the noise of its
	// positions, together with its id.
	Seed uint64
}

// Agent drives one body by what Kapok tells it. It has one owner. All times
// given to it are true times; its own clock may differ by ClockError.
//
// Every method that takes dst appends the messages that the vehicle sends now,
// in order. The samples in a Telemetry are valid until the next call.
type Agent struct {
	// What each step needs stands first, then what each sample needs, and at last what
	// thinking needs: by the time it is a vehicle's turn again the others have driven it
	// out of the processor's caches, and a quiet step costs as much as it touches lines.
	body *body.Body
	wind *body.Wind
	last time.Time
	// quiet is the time in which there is nothing to think about.
	quiet quiet
	// reserveWh is the energy that is kept for the unforeseen, spareS what was left of
	// the step in which the body arrived.
	reserveWh, spareS float64
	nextSample        time.Time

	interval time.Duration
	// clockError is the one of the options.
	clockError time.Duration
	// The link: connected is open, welcomed is usable.
	connected, welcomed bool
	// stale says that this link's owner has an older epoch than the store has
	// seen; its frames give no authority.
	stale bool
	down  bool
	// commanded says that the body follows the motion command's path.
	commanded bool
	lastFrame time.Time
	alive     time.Duration
	// place caches the geographic position of placed.
	placed  space.XYZ
	place   space.Position
	samples [1]protocol.Sample
	// telemetry is the message with samples, made once.
	telemetry protocol.FromVehicle
	// waiting are messages that the mind has not taken notice of yet.
	waiting []waiting
	ills    ills

	store  *Store
	truth  *Truth
	safety safety
	fault  string
	// heardAt is when the last frame came, on this link or an earlier one.
	heardAt time.Time
	// jumped is what the clock jumped by since the greeting.
	jumped time.Duration
	// Sent is the highest number sent on this link, sentAt when one was sent.
	sent   uint64
	sentAt time.Time
	// driving is the leg that the body follows, driven as it was on setting out.
	driving string
	driven  protocol.Leg
	options Options
	// wayBack and backSpeeds are room for reckoning.
	wayBack    []space.XYZ
	backSpeeds []float64
}

// minSilence is the least time without a frame after which a link counts as
// dead.
const minSilence = 15 * time.Second

// New returns the agent of a body with its store and its truth, all of which
// it owns from now on.
func New(o Options, b *body.Body, store *Store, truth *Truth) *Agent {
	if o.MaxLegs == 0 {
		o.MaxLegs = protocol.DefaultLegs
	}
	if o.ResendAfter == 0 {
		o.ResendAfter = resendAfter
	}
	b.LoadKg = truth.LoadKg()
	b.Forecast = o.Wind.Mean(time.Time{})
	a := &Agent{options: o, clockError: o.ClockError, body: b, wind: o.Wind, store: store, truth: truth}
	a.placed, a.place = b.At, o.Frame.Position(b.At)
	a.reserveWh = a.ReserveWh()
	return a
}

// ID is the vehicle's id.
func (a *Agent) ID() string { return a.options.ID }

// Kind is what sort of vehicle it is.
func (a *Agent) Kind() protocol.Kind { return a.options.Kind }

// Body is the vehicle's body, for reading.
func (a *Agent) Body() *body.Body { return a.body }

// Truth is what really happened at the vehicle, for reading.
func (a *Agent) Truth() *Truth { return a.truth }

// Store is what the vehicle remembers, for reading.
func (a *Agent) Store() *Store { return a.store }

// AtWork tells whether the vehicle is going to finish a stop whose work it has
// begun, whatever Kapok knows.
func (a *Agent) AtWork(k StopKey) bool {
	m := a.store.Mission
	if m == nil || a.fault != "" {
		return false
	}
	leg, ok := m.begun()
	return ok && leg.Task == k.Task && leg.Stop == k.Stop
}

// Connected says that a link was opened; the vehicle greets.
func (a *Agent) Connected(now time.Time, dst []protocol.FromVehicle) []protocol.FromVehicle {
	if a.down {
		return dst
	}
	a.disturb()
	a.connected, a.welcomed, a.stale = true, false, false
	a.lastFrame, a.sent, a.jumped = now, 0, 0
	hello := protocol.Hello{
		Kind: a.options.Kind, Model: a.options.Model, Capabilities: a.options.Capabilities,
		Limits:      protocol.Limits{MaxLegs: a.options.MaxLegs, MaxLoadKg: a.options.MaxLoadKg},
		LastCommand: a.store.LastCommand,
		LogID:       a.store.LogID, Epoch: a.store.Epoch, Time: a.clock(now),
	}
	if m := a.store.Mission; m != nil {
		hello.Mission = &protocol.MissionRef{ID: m.ID, Revision: m.Revision}
	}
	return append(dst, hello)
}

// Disconnected says that the link is gone.
func (a *Agent) Disconnected(time.Time) {
	a.disturb()
	a.connected, a.welcomed = false, false
	a.waiting = a.waiting[:0]
}

// Welcomed tells whether the link is open and Kapok has answered the greeting.
func (a *Agent) Welcomed() bool { return a.welcomed }

// LinkDead tells whether the link should be given up because nothing came for
// three times the promised interval.
func (a *Agent) LinkDead(now time.Time) bool {
	return a.connected && (now.Sub(a.lastFrame) > max(3*a.alive, minSilence) || len(a.waiting) > MaxWaiting)
}

// Reboot loses everything but the store, and with wiped the store too: logID
// then names the new one. The vehicle stands still, and answers nothing, until
// Boot.
func (a *Agent) Reboot(now time.Time, wiped bool, logID string) {
	a.Disconnected(now)
	if wiped {
		a.store = NewStore(logID)
	}
	a.body.Halt()
	fresh := New(a.options, a.body, a.store, a.truth)
	fresh.last, fresh.fault, fresh.down, fresh.ills, fresh.heardAt = a.last, a.fault, true, a.ills, now
	*a = *fresh
	a.ills.ghost = nil
	a.pause()
}

// Boot ends a reboot.
func (a *Agent) Boot() {
	a.disturb()
	a.down = false
}

// Break makes the vehicle stand still with a fault until Repair. With loadLost
// the loads on board are gone.
func (a *Agent) Break(now time.Time, code, text string, loadLost bool) {
	if code == "" {
		code = Broken
	}
	a.disturb()
	a.fault = code
	a.halt()
	if loadLost {
		a.truth.loseLoads(now)
		a.body.LoadKg = 0
	}
	a.store.add(protocol.Fault{Code: code, Text: text, LoadLost: loadLost, Time: a.clock(now)})
}

// Repair ends a fault.
func (a *Agent) Repair(now time.Time) {
	if a.fault == "" {
		return
	}
	a.disturb()
	a.store.add(protocol.Fault{Code: a.fault, Text: "repaired", Cleared: true, Time: a.clock(now)})
	a.fault = ""
}

// Step lets the time pass since the last Step: the body moves and works, legs
// come to their ends, samples and reports fall due.
func (a *Agent) Step(now time.Time, dst []protocol.FromVehicle) []protocol.FromVehicle {
	seconds := 0.0
	if !a.last.IsZero() {
		seconds = now.Sub(a.last).Seconds()
	}
	a.last = now
	if a.wind != nil {
		a.body.Wind = a.wind.At(now)
		if a.wind.Changes() {
			a.body.Forecast = a.wind.Mean(now)
		}
	}
	quiet := now.Before(a.quiet.until)
	if quiet && a.goOn(now, seconds) {
		a.quiet.thought = false
		return a.sample(now, dst)
	}
	a.quiet.thought = true
	a.disturb()
	if !quiet {
		a.feel(seconds)
		if a.down {
			a.body.Step(seconds, body.Resting)
			a.watchReserve(now)
			return dst
		}
		a.live(now, seconds)
	}
	return a.mind(now, dst)
}

// mind lets the vehicle think and speak after its body has moved.
func (a *Agent) mind(now time.Time, dst []protocol.FromVehicle) []protocol.FromVehicle {
	if a.suffers(Frozen) {
		a.guardEnergy(now)
		a.bringDown(now)
	} else {
		a.takeNotice(now)
		a.think(now)
		dst = a.flush(now, dst)
	}
	a.watchReserve(now)
	a.settle(now)
	return a.sample(now, dst)
}

// live lets the body move and work.
func (a *Agent) live(now time.Time, seconds float64) {
	activity := a.activity()
	moving := a.body.Moving()
	left := a.body.Step(seconds, activity)
	a.spareS = 0
	if moving {
		a.spareS = left
	}
	if activity == body.Working {
		a.worked(left)
	}
	if a.ills.ghost != nil {
		a.ills.ghost.Step(seconds, body.Resting)
	}
	a.notePower(now)
}

// notePower reports an empty battery.
func (a *Agent) notePower(now time.Time) {
	if a.body.Dead() && a.fault == "" {
		a.Break(now, "battery_empty", "the battery is empty", false)
	}
}

// Receive takes a message from Kapok.
func (a *Agent) Receive(now time.Time, m protocol.ToVehicle, dst []protocol.FromVehicle) []protocol.FromVehicle {
	if a.down || !a.connected {
		return dst
	}
	a.disturb()
	a.lastFrame, a.heardAt = now, now
	if _, greeting := m.(protocol.Welcome); !greeting && a.mustWait() {
		a.waiting = append(a.waiting, waiting{now, m})
		return dst
	}
	a.take(now, m)
	if a.suffers(Frozen) {
		return dst
	}
	return a.flush(now, dst)
}

// take acts on a message.
func (a *Agent) take(now time.Time, m protocol.ToVehicle) {
	switch m := m.(type) {
	case protocol.Welcome:
		a.welcome(now, m)
	case protocol.Alive:
		a.heard(now, m.Time)
	case protocol.Received:
		a.heard(now, m.Time)
		a.store.confirm(m.LogID, m.Seq)
	case protocol.Mission:
		a.heard(now, m.Time)
		a.mission(now, m)
	case protocol.Command:
		a.heard(now, m.Time)
		a.command(now, m)
	case protocol.Error:
		a.heard(now, m.Time)
	}
}

func (a *Agent) welcome(now time.Time, m protocol.Welcome) {
	a.welcomed = true
	a.stale = m.Epoch < a.store.Epoch && !mutant.On(mutant.EpochIgnored)
	a.store.Epoch = max(a.store.Epoch, m.Epoch)
	if !a.stale {
		a.store.Behind, a.store.Synced = m.Time.Sub(m.HelloTime)-a.jumped, true
		a.truth.epoch = max(a.truth.epoch, m.Epoch)
	}
	a.heard(now, m.Time)
	a.store.confirm(m.LogID, m.Seq)
	a.sent = 0
	a.interval = time.Duration(m.TelemetryIntervalS * float64(time.Second))
	if a.interval <= 0 {
		a.interval = time.Second
	}
	a.alive = time.Duration(m.AliveIntervalS * float64(time.Second))
	a.nextSample = now
}

// heard notes when a frame was sent: authority runs from there. A clock that
// has fallen behind Kapok's is set forward.
func (a *Agent) heard(now, sent time.Time) {
	if a.stale {
		return
	}
	if sent.After(a.store.Heard) {
		a.store.Heard = sent
	}
	if ahead := sent.Sub(a.kapokTime(now)); a.store.Synced && ahead > 0 {
		a.store.Behind += ahead
	}
}

// clock is the vehicle's own clock, which stamps its reports.
func (a *Agent) clock(now time.Time) time.Time {
	return now.Add(a.clockError + a.ills.jump + a.ills.drift(now))
}

// kapokTime is Kapok's clock as far as the vehicle knows; it may be a little
// ahead, never behind.
func (a *Agent) kapokTime(now time.Time) time.Time { return a.clock(now).Add(a.store.Behind) }

// authority tells whether the vehicle may still begin stops.
func (a *Agent) authority(now time.Time) bool {
	m := a.store.Mission
	if m == nil || !a.store.Synced || a.store.Heard.IsZero() {
		return false
	}
	if mutant.On(mutant.AuthorityIgnored) || mutant.On(mutant.AuthorityFromReceipt) && now.Sub(a.heardAt).Seconds() <= m.TaskAuthorityS {
		return true
	}
	return !a.kapokTime(now).After(a.authorityEnds())
}

// authorityEnds is when no more stops of the mission may be begun, on Kapok's
// clock.
func (a *Agent) authorityEnds() time.Time {
	return a.store.Heard.Add(time.Duration(a.store.Mission.TaskAuthorityS * float64(time.Second)))
}
