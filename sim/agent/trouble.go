package agent

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/kapok-fleet/kapok/sim/fault"
)

// Trouble is something that goes wrong with a vehicle until it is recovered
// from.
type Trouble struct {
	// Kind is one of the kinds below; Amount how strong it is, in the unit of the
	// kind.
	Kind   string
	Amount float64
	// Code is what the vehicle reports, Broken when empty; LoadLost says that its
	// loads are gone. Both are of Broken only.
	Code     string
	LoadLost bool
}

// The kinds of troubles. They are the words of scenarios.
const (
	// Broken: the vehicle stands still and reports Code.
	Broken = fault.Broken
	// ClockJump: the clock that stamps its reports jumps by Amount seconds, either
	// way, and is set right at the recovery. What it measures authority and expiry
	// with runs on, as the monotonic clock of a computer does.
	ClockJump = fault.ClockJump
	// ClockDrift: its clocks run fast by Amount parts in a million, slow when
	// negative; what they gained or lost stays after the recovery. A slow clock is
	// set forward by each frame from Kapok that is ahead of it.
	ClockDrift = fault.ClockDrift
	// GNSSNoise: reported positions scatter to the east and to the north, each with
	// a standard deviation of Amount metres.
	GNSSNoise = fault.GNSSNoise
	// GNSSBias: it takes itself to be Amount metres east of where it is, and moves
	// accordingly; the error grows, and goes, at 1 m/s.
	GNSSBias = fault.GNSSBias
	// GNSSLoss: it does not know where it is, stands or hovers, begins nothing and
	// reports its last position. Work that was begun is finished.
	GNSSLoss = fault.GNSSLoss
	// GNSSTeleport: reported positions are Amount metres too far north, at once;
	// the vehicle itself is not misled.
	GNSSTeleport = fault.GNSSTeleport
	// CellDrop: Amount, a share of the battery's capacity, is gone for good, and
	// with it that much of the charge. There is no recovery.
	CellDrop = fault.CellDrop
	// DriveFailure: it reaches only the share Amount of its greatest speed, 0 for
	// none. Aircraft still climb and descend.
	DriveFailure = fault.DriveFailure
	// Frozen: its mind does nothing; it stands or hovers and goes on reporting as
	// before. Messages wait until the recovery, at most MaxWaiting of them. An
	// aircraft whose battery comes to its reserve still comes down.
	Frozen = fault.Frozen
	// Liar: it reports positions along its path while it stands or hovers. It
	// reports no work that it did not do.
	Liar = fault.Liar
	// Slow: it takes Amount seconds to take notice of each message.
	Slow = fault.Slow
	// Refusing: it refuses every new revision of a mission.
	Refusing = fault.Refusing
	// Forgetful: it drops its mission without a word, at once and, until the
	// recovery, whatever mission it has held for forgetAfter.
	Forgetful = fault.Forgetful
)

// MaxWaiting is how many messages wait for a mind that is slow or frozen. Beyond
// it the link counts as dead, and all that waited is lost with it.
const MaxWaiting = 256

// ErrTrouble is the error of a trouble that no vehicle can have.
var ErrTrouble = errors.New("no such trouble of a vehicle")

// Troubles lists all kinds that Suffer knows, in alphabetical order.
func Troubles() []string {
	return []string{
		Broken, CellDrop, ClockDrift, ClockJump, DriveFailure, Forgetful, Frozen, GNSSBias, GNSSLoss,
		GNSSNoise, GNSSTeleport, Liar, Refusing, Slow,
	}
}

// Suffer begins a trouble. Several of one kind may overlap: the amount of the
// last one begun counts, and the trouble is over when each was recovered from;
// jumps of the clock add up. An error means that there is no such kind; nothing
// has happened then.
func (a *Agent) Suffer(now time.Time, t Trouble) error {
	if !slices.Contains(Troubles(), t.Kind) {
		return fmt.Errorf("vehicle %s, trouble %q: %w", a.options.ID, t.Kind, ErrTrouble)
	}
	if t.Kind == Broken {
		a.Break(now, t.Code, "broken by the scenario", t.LoadLost)
		return nil
	}
	a.disturb()
	first := a.ills.begin(now, t)
	switch t.Kind {
	case ClockJump:
		a.jump(time.Duration(t.Amount * float64(time.Second)))
	case CellDrop:
		a.body.DropCells(t.Amount)
		a.safety.look = now
		if !a.down {
			a.guardEnergy(now)
		}
		a.watchReserve(now)
	case DriveFailure:
		a.body.DriveLost = 1 - t.Amount
		a.safety.look = now
	case GNSSLoss, Frozen:
		if first {
			a.ills.lastAt, a.ills.lastMPS, a.ills.lastClimb = a.body.Believed(), a.body.SpeedMPS, a.body.ClimbMPS
		}
	case Liar:
		if first {
			a.ills.ghost = a.body.Ghost()
		}
	case Forgetful:
		a.drop()
	}
	a.pause()
	return nil
}

// Recover ends a trouble of a kind; it does nothing when there is none.
func (a *Agent) Recover(now time.Time, kind string) {
	if kind == Broken {
		a.Repair(now)
		return
	}
	a.disturb()
	if !a.ills.end(now, kind) {
		return
	}
	switch kind {
	case ClockJump:
		a.jump(-a.ills.jump)
	case DriveFailure:
		a.body.DriveLost = 0
	case Liar:
		a.ills.ghost = nil
	}
	a.safety.look = now
	a.pause()
}

// Suffers tells whether a trouble of the kind goes on.
func (a *Agent) Suffers(kind string) bool {
	return kind == Broken && a.fault != "" || a.suffers(kind)
}

func (a *Agent) suffers(kind string) bool { return len(a.ills.open) > 0 && a.ills.find(kind) >= 0 }
