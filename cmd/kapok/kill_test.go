package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/kapok-fleet/kapok/cmd/kapok/internal/drive"
	"github.com/kapok-fleet/kapok/sim/agent"
)

// storm is what a run goes through.
type storm struct {
	seed          uint64
	kills, orders int
	// troubles says that vehicles reboot and links drop as well.
	troubles bool
	// settle bounds the wall time in which all work must be finished.
	settle time.Duration
}

// length is about how long the kills take.
func (s storm) length() time.Duration { return time.Duration(s.kills) * 2 * time.Second }

// TestKillNine kills a real kapok serve at ten random moments while 30 vehicles
// work for it over real sockets. Every order that was answered with success ends
// done, and each of its stops is done exactly once, as counted at the vehicles.
// The second run adds vehicles that reboot, some with a wiped store, links that
// drop for longer than the task authority, and posts repeated over restarts.
func TestKillNine(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes about a minute")
	}
	seed := uint64(time.Now().UnixNano()) % 1_000_000
	if text := os.Getenv("KAPOK_SEED"); text != "" {
		given, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			t.Fatalf("KAPOK_SEED: %v", err)
		}
		seed = given
	}
	plain := storm{seed: seed, kills: 10, orders: 40, settle: 3 * time.Minute}
	troubled := storm{seed: seed, kills: 10, orders: 30, troubles: true, settle: 3 * time.Minute}
	if os.Getenv("KAPOK_SOAK") == "1" {
		plain.kills, plain.orders, plain.settle = 100, 400, 5*time.Minute
		troubled.kills, troubled.orders, troubled.settle = 100, 300, 5*time.Minute
	}
	t.Logf("seed %d; again with: KAPOK_SEED=%d go test -run TestKillNine -v ./cmd/kapok", seed, seed)
	binary := buildKapok(t)
	t.Run("kills", func(t *testing.T) {
		t.Parallel()
		weather(t, binary, plain, 12)
	})
	t.Run("kills, reboots and lost links", func(t *testing.T) {
		t.Parallel()
		weather(t, binary, troubled, 12, "--task-authority", "20s", "--authority-margin", "3s",
			"--late-after", "4s", "--lost-after", "10s")
	})
}

// weather runs one storm and judges what is left.
func weather(t *testing.T, binary string, s storm, speed float64, flags ...string) {
	t.Helper()
	draw := rand.New(rand.NewPCG(s.seed, 9))
	r := newStand(t, binary, s.seed, speed, flags...)
	defer r.end()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var people, work sync.WaitGroup
	people.Go(func() { r.decide(ctx) })
	const dispatchers = 3
	for d := range dispatchers {
		own := rand.New(rand.NewPCG(s.seed, uint64(100+d)))
		work.Go(func() {
			for n := range s.orders / dispatchers {
				r.order(ctx, fmt.Sprintf("order-%d-%d", d, n), r.drawn(own, n), own.IntN(3) == 0)
				pause(ctx, time.Duration(own.Int64N(int64(2*s.length())/int64(s.orders/dispatchers))))
			}
		})
	}
	if s.troubles {
		own := rand.New(rand.NewPCG(s.seed, 200))
		rough, calm := context.WithTimeout(ctx, s.length())
		defer calm()
		work.Go(func() { r.trouble(rough, own) })
	}
	for n := range s.kills {
		pause(ctx, time.Duration(300+draw.IntN(2200))*time.Millisecond)
		if draw.IntN(2) == 0 {
			// In the middle of an order, as far as that can be met.
			select {
			case <-r.posting:
				pause(ctx, time.Duration(draw.IntN(4000))*time.Microsecond)
			case <-time.After(time.Second):
			}
		}
		r.kill()
		pause(ctx, time.Duration(draw.IntN(400))*time.Millisecond)
		r.start()
		t.Logf("%s killed and started %d times", clock(r.clock.now()), n+1)
	}
	work.Wait()
	within, stop := context.WithTimeout(ctx, s.settle)
	defer stop()
	for pause(within, 300*time.Millisecond) {
		if open, _, err := r.open(ctx); err == nil && open == 0 {
			break
		}
	}
	cancel()
	people.Wait()
	_, tasks, err := r.open(context.WithoutCancel(ctx))
	if err != nil {
		t.Fatalf("reading the tasks: %v\n%s", err, r.said)
	}
	r.judge(tasks)
	t.Logf("%d orders, %d posts without an answer, %d answered twice alike, %d decisions by a person", r.asked, r.repeats, r.again, r.decisions)
	if t.Failed() {
		t.Logf("repeat with KAPOK_SEED=%d; the server said:\n%s", s.seed, r.said)
	}
}

// trouble makes vehicles reboot and their links drop, until ctx ends. Those that
// carry a load are preferred.
func (r *stand) trouble(ctx context.Context, draw *rand.Rand) {
	for pause(ctx, time.Duration(200+draw.IntN(600))*time.Millisecond) {
		v := r.victim(draw)
		// The task authority and its margin are 23 s of the fleet's time.
		long := r.clock.wall(time.Duration(26+draw.IntN(25)) * time.Second)
		short := r.clock.wall(time.Duration(3+draw.IntN(15)) * time.Second)
		switch draw.IntN(10) {
		case 0, 1, 2:
			v.Cut(long, true)
		case 3, 4:
			v.Cut(long, false)
		case 5, 6:
			v.Cut(short, draw.IntN(2) == 0)
		case 7, 8:
			v.Reboot(short, false)
		default:
			v.Reboot(short, true)
		}
	}
}

// victim draws a vehicle: one with a mission or a load, mostly.
func (r *stand) victim(draw *rand.Rand) *drive.Vehicle {
	all := r.fleet.Vehicles()
	v := all[draw.IntN(len(all))]
	for range 20 {
		busy := false
		v.With(func(a *agent.Agent) { busy = a.Store().Mission != nil || a.Truth().LoadKg() > 0 })
		if busy {
			break
		}
		v = all[draw.IntN(len(all))]
	}
	return v
}
