package agent

import (
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"github.com/kapok-fleet/kapok/protocol"
)

// TestAQuietTimeChangesNothing lets two vehicles live through the same, one of which
// thinks at each step: they say the same, and are in the same place with the same
// charge, for seeds of what may come.
func TestAQuietTimeChangesNothing(t *testing.T) {
	quiet := 0
	for seed := range uint64(60) {
		draw := rand.New(rand.NewPCG(seed, 3))
		kind := []protocol.Kind{protocol.Rover, protocol.Multirotor}[seed%2]
		off := time.Duration(draw.IntN(3000)-1500) * time.Millisecond
		one, other := newPlay(t, kind, off), newPlay(t, kind, off)
		both := func(do func(p *play)) { do(one); do(other) }
		both(func(p *play) { p.join() })
		revision := 0
		for tenth := range 6000 {
			if draw.IntN(30) == 0 {
				what := draw.IntN(12)
				amount := draw.Float64()
				revision++
				both(func(p *play) { p.meet(what, amount, revision) })
			}
			both(func(p *play) { p.now = p.now.Add(100 * time.Millisecond) })
			other.a.disturb()
			both(func(p *play) { p.said = p.a.Step(p.now, p.said) })
			if !one.a.Thought() {
				quiet++
			}
			if a, b := one.a.Body(), other.a.Body(); a.At != b.At || a.EnergyWh != b.EnergyWh || a.Moving() != b.Moving() {
				t.Fatalf("seed %d, tenth %d: at %v with %g Wh, and without quiet times at %v with %g Wh", seed, tenth, a.At, a.EnergyWh, b.At, b.EnergyWh)
			}
			if !reflect.DeepEqual(one.said, other.said) {
				t.Fatalf("seed %d, tenth %d: says %v, and without quiet times %v", seed, tenth, one.said, other.said)
			}
			both(func(p *play) { p.said = p.said[:0] })
		}
	}
	if quiet < 60*6000/6 {
		t.Errorf("only %d of %d steps were quiet", quiet, 60*6000)
	}
}

// meet lets something happen to the vehicle.
func (p *play) meet(what int, amount float64, revision int) {
	a := p.a
	switch what {
	case 0, 1, 2:
		p.tell(protocol.Alive{Time: p.now.Add(-time.Duration(amount * float64(time.Second)))})
	case 3:
		p.tell(p.delivery(revision))
	case 4:
		m := p.far(100+900*amount, 1+9*amount)
		m.Revision = revision
		p.tell(m)
	case 5, 11:
		p.tell(protocol.Received{LogID: a.Store().LogID, Seq: a.Store().LastSeq, Time: p.now})
	case 6:
		kinds := []protocol.CommandKind{protocol.CommandHold, protocol.CommandResume, protocol.CommandStop, protocol.CommandLand}
		p.tell(protocol.Command{
			ID: "C" + time.Duration(revision).String(), Kind: kinds[int(amount*4)], Epoch: 7, ExpiresAt: p.now.Add(time.Minute), Time: p.now,
		})
	case 7:
		a.Disconnected(p.now)
		p.join()
	case 8:
		if amount < 0.2 {
			_ = a.Suffer(p.now, Trouble{Kind: Troubles()[int(amount*5*float64(len(Troubles())))], Amount: amount})
		}
		for _, kind := range Troubles() {
			if amount > 0.4 && a.Suffers(kind) {
				a.Recover(p.now, kind)
			}
		}
	case 9:
		if amount < 0.3 {
			a.SwapBattery(p.now)
		}
	case 10:
		if amount < 0.1 {
			a.Reboot(p.now, amount < 0.05, "log-2")
			a.Boot()
			p.join()
		}
	}
}
