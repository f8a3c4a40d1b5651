package sim

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kapok-fleet/kapok/fleet"
	"github.com/kapok-fleet/kapok/sim/agent"
	"github.com/kapok-fleet/kapok/sim/scenario"
)

// town is a morning's work for a few vehicles; a story adds what goes wrong.
const town = `
name: trouble
seed: 5
duration: 10m
chart: harbour
fleets:
  - {kind: rover, count: 5, prefix: R}
  - {kind: multirotor, count: 4, prefix: D}
orders:
  stream:
    - {per_minute: 4, until: 6m, mix: {delivery: 0.7, visit: 0.3}, max_distance_m: 900}
person: {after: 20s}
`

// storyOf reads the town with its troubles.
func storyOf(t *testing.T, troubles string) scenario.Scenario {
	t.Helper()
	s, err := scenario.Parse("trouble.yaml", []byte(town+strings.TrimLeft(troubles, "\n")))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// happen lets a story happen, and checks what must hold in every one: nothing
// that was confirmed is lost, nothing is done twice, no load is in two places.
// look, if not nil, is called each second.
func happen(t *testing.T, s scenario.Scenario, look func(*world)) (*world, Result) {
	t.Helper()
	w, err := newWorld(s, Options{Chart: harbourChart(t)})
	if err != nil {
		t.Fatal(err)
	}
	if look != nil {
		var again func()
		again = func() { w.after(time.Second, again); look(w) }
		w.after(time.Second/2, again)
	}
	if err := w.run(context.Background()); err != nil {
		t.Fatal(err)
	}
	w.backend.finish()
	for _, f := range w.backend.stream.judge() {
		t.Errorf("%+v", f)
	}
	r := w.result()
	if w.err != nil {
		t.Fatal(w.err)
	}
	if r.Ordered == 0 || r.Lost+r.StopsDoneTwice+r.CustodyBreaches+r.ZoneViolations > 0 {
		t.Errorf("seed %d: %s", s.Seed, report(r))
	}
	return w, r
}

// TestDisksThatFail: whatever the disk does, the backend reopens its journal by
// itself, and goes on with all that it has confirmed.
func TestDisksThatFail(t *testing.T) {
	for name, c := range map[string]struct {
		faults   string
		reopened int
	}{
		"fsyncs fail for a while": {"{kind: disk_sync, at: 2m, for: 2s}", 1},
		"no fsync works":          {"{kind: disk_sync, at: 2m, for: 20s}", 1},
		"the disk is full":        {"{kind: disk_full, at: 2m, for: 40s}", 1},
		"full and broken at once": {"{kind: disk_full, at: 2m, for: 40s}, {kind: disk_sync, at: 130s, for: 60s}", 1},
		"again and again":         {"{kind: disk_sync, at: 1m, for: 5s, every: 40s, until: 8m}", 4},
	} {
		t.Run(name, func(t *testing.T) {
			down := 0
			w, r := happen(t, storyOf(t, "faults: ["+c.faults+"]\n"), func(w *world) {
				if !w.backend.up() {
					down++
				}
			})
			if w.backend.reopened < c.reopened || w.backend.crashes != 0 {
				t.Errorf("the state was reopened %d times, with %d crashes", w.backend.reopened, w.backend.crashes)
			}
			if r.Done < r.Ordered/2 {
				t.Errorf("of %d orders %d are done", r.Ordered, r.Done)
			}
			t.Logf("reopened %d times, away for %d s, %d of %d done", w.backend.reopened, down, r.Done, r.Ordered)
		})
	}
}

func TestReopeningTriesLessAndLessOften(t *testing.T) {
	s := storyOf(t, "faults: [{kind: disk_full, at: 1m, for: 60s}]\n")
	var back time.Duration
	happen(t, s, func(w *world) {
		if back == 0 && w.now > int64(2*time.Minute) && w.backend.up() {
			back = time.Duration(w.now)
		}
	})
	// 0.1 + 0.2 + … + 6.4 s, and then each 10 s: the try after the end of the
	// fault comes within 10 s.
	if back == 0 || back > 131*time.Second {
		t.Errorf("the state is back after %v", back)
	}
}

func TestASlowDiskDelaysAnswersAndNothingElse(t *testing.T) {
	wait := func(faults string) (longest time.Duration) {
		s := storyOf(t, faults)
		happen(t, s, func(w *world) {
			for _, o := range w.people.orders {
				if o.task == "" && o.refused == "" && w.now > o.at {
					longest = max(longest, time.Duration(w.now-o.at))
				}
			}
		})
		return longest
	}
	quick, slow := wait(""), wait("faults: [{kind: disk_slow, at: 1m, for: 4m, amount: 3000}]\n")
	if quick > time.Second || slow < 2*time.Second || slow > 8*time.Second {
		t.Errorf("an order waits up to %v, with a slow disk up to %v", quick, slow)
	}
}

// TestCrashesAtEveryPoint: the backend dies between any two events, with
// decisions that nothing was written of, in the midst of writing, and between
// writing and telling; the power goes or not; the next start dies too.
func TestCrashesAtEveryPoint(t *testing.T) {
	var struck [dooms]int
	stillborn := 0
	for seed := range uint64(4) {
		s := storyOf(t, "crashes: {random: 30, down: [500ms, 3s]}\n")
		s.Seed = 40 + seed
		w, r := happen(t, s, nil)
		if w.backend.crashes < 25 {
			t.Errorf("seed %d: the backend crashed %d times", s.Seed, w.backend.crashes)
		}
		t.Logf("seed %d: %d crashes, %d lives, %d of %d done", s.Seed, w.backend.crashes, w.backend.life, r.Done, r.Ordered)
		for at, n := range w.backend.struck {
			struck[at] += n
		}
		stillborn += w.backend.stillborn
	}
	if slices.Min(struck[:]) < 5 || stillborn < 5 {
		t.Errorf("the moments of the crashes: %v; %d starts came to nothing", struck, stillborn)
	}
	t.Logf("the moments of the crashes: %v; %d starts came to nothing", struck, stillborn)
}

func TestCrashesWithAFailingDisk(t *testing.T) {
	s := storyOf(t, `
crashes: {random: 12, down: [500ms, 3s]}
faults:
  - {kind: disk_full, at: 90s, for: 30s, every: 2m, until: 9m}
  - {kind: disk_sync, at: 60s, for: 20s, every: 100s, until: 9m}
  - {kind: disk_slow, at: 2m, for: 5m, amount: 200}
`)
	w, _ := happen(t, s, nil)
	if w.backend.crashes == 0 || w.backend.reopened == 0 {
		t.Errorf("%d crashes, reopened %d times", w.backend.crashes, w.backend.reopened)
	}
}

// TestALatePlannerIsOnlyLate: background answers that come a minute late find a
// world that has gone on, and are held against it.
func TestALatePlannerIsOnlyLate(t *testing.T) {
	_, r := happen(t, storyOf(t, "faults: [{kind: planner_late, at: 0s, for: 10m, amount: 60}]\n"), nil)
	if r.Done < r.Ordered/2 {
		t.Errorf("of %d orders %d are done", r.Ordered, r.Done)
	}
}

func TestAStormOfConnections(t *testing.T) {
	var links []int
	w, r := happen(t, storyOf(t, "network: {storms: [2m, 3m, 181s, 4m]}\n"), func(w *world) {
		open := 0
		for _, v := range w.vehicles {
			if v.conn != nil && v.agent.Welcomed() {
				open++
			}
		}
		links = append(links, open)
	})
	if w.backend.connections < uint64(4*len(w.vehicles)) {
		t.Errorf("%d connections were made", w.backend.connections)
	}
	if links[len(links)-1] != len(w.vehicles) || r.Done < r.Ordered/2 {
		t.Errorf("in the end %d vehicles have links, %d of %d orders are done", links[len(links)-1], r.Done, r.Ordered)
	}
}

// TestAnAreaWithoutLinks: who is truly in it has no link, whoever it is, and who
// leaves it has one again.
func TestAnAreaWithoutLinks(t *testing.T) {
	s := storyOf(t, "network: {outages: [{area: {at: '@1', radius_m: 250}, at: 1m, for: 6m}]}\n")
	cameIn, came := map[string]bool{}, 0
	w, _ := happen(t, s, func(w *world) {
		for _, v := range w.vehicles {
			if w.now > int64(7*time.Minute) && v.out != 0 {
				t.Fatalf("%s has no link after the outage", v.id)
			}
			switch {
			case v.out > 0 && !cameIn[v.id]:
				cameIn[v.id] = true
			case v.out == 0 && cameIn[v.id] && w.now < int64(7*time.Minute):
				delete(cameIn, v.id)
				came++
			}
		}
	})
	if len(cameIn)+came == 0 || len(cameIn) == len(w.vehicles) {
		t.Errorf("%d vehicles were without links, %d came out again", len(cameIn)+came, came)
	}
}

// TestBadNetworks: frames that are late, lost, repeated, reordered, or more than
// fit through, cost time and nothing else.
func TestBadNetworks(t *testing.T) {
	for name, network := range map[string]string{
		"uneven":     "{latency_ms: [50, 400], jitter_ms: 500}",
		"lossy":      "{loss: 0.1}",
		"repeating":  "{duplicate: 0.3}",
		"reordering": "{reorder: 0.1}",
		"narrow":     "{bandwidth_kbps: 12}",
		"all":        "{latency_ms: [50, 400], jitter_ms: 100, loss: 0.03, duplicate: 0.05, reorder: 0.03, bandwidth_kbps: 64}",
	} {
		t.Run(name, func(t *testing.T) {
			w, r := happen(t, storyOf(t, "network: "+network+"\n"), nil)
			if r.Done < r.Ordered/3 {
				t.Errorf("of %d orders %d are done", r.Ordered, r.Done)
			}
			t.Logf("%d connections, %d of %d done", w.backend.connections, r.Done, r.Ordered)
		})
	}
}

// TestALinkThatIsTooNarrow breaks again and again under what is sent, which is
// worse than no link, and does no more harm.
func TestALinkThatIsTooNarrow(t *testing.T) {
	w, _ := happen(t, storyOf(t, "network: {bandwidth_kbps: 1.5}\n"), nil)
	if w.backend.connections < uint64(3*len(w.vehicles)) {
		t.Errorf("%d connections were made", w.backend.connections)
	}
}

// TestTroublesOfVehicles: every kind of fault befalls those whom the scenario
// names, lasts as long as it says, and nobody is hurt.
func TestTroublesOfVehicles(t *testing.T) {
	amounts := map[string]float64{
		scenario.ClockJump: 3, scenario.ClockDrift: 400, scenario.GNSSNoise: 3, scenario.GNSSBias: 2, scenario.GNSSTeleport: 500,
		scenario.CellDrop: 0.2, scenario.DriveFailure: 0.5, scenario.Slow: 5,
	}
	for _, kind := range agent.Troubles() {
		t.Run(kind, func(t *testing.T) {
			lasts := ", for: 1m"
			if kind == scenario.ClockJump || kind == scenario.CellDrop {
				lasts = "" // They happen at once.
			}
			s := storyOf(t, fmt.Sprintf("faults: [{kind: %s, vehicle: 'R*', at: 2m%s, amount: %g}]\n", kind, lasts, amounts[kind]))
			seconds := 0
			happen(t, s, func(w *world) {
				suffers := 0
				for _, v := range w.vehicles {
					if v.agent.Suffers(kind) {
						suffers++
					}
				}
				if suffers == 5 {
					seconds++
				}
				if suffers != 0 && suffers != 5 {
					t.Errorf("%d vehicles suffer", suffers)
				}
			})
			want := 60
			switch kind {
			case scenario.ClockJump:
				want = 8 * 60
			case scenario.CellDrop:
				return // Nothing goes on.
			}
			if seconds < want-1 || seconds > want+1 {
				t.Errorf("%s went on for %d s", kind, seconds)
			}
		})
	}
}

// TestSameTroublesSameBytes runs everything at once, twice.
func TestSameTroublesSameBytes(t *testing.T) {
	s := storyOf(t, `
network:
  {jitter_ms: 50, loss: 0.02, duplicate: 0.02, reorder: 0.02, bandwidth_kbps: 200, random: 4, storms: [2m],
   outages: [{area: {at: '@2', radius_m: 200}, at: 1m, for: 2m}, {vehicle: 'D*', at: 3m, for: 20s}]}
crashes: {random: 5}
faults:
  - {kind: disk_sync, at: 2m, for: 5s}
  - {kind: slow_dispatcher, at: 1m, for: 5m, amount: 1}
  - {kind: gnss_noise, vehicle: '*', at: 1m, for: 1m, amount: 3}
`)
	var seen []string
	for range 2 {
		events := 0
		w, err := newWorld(s, Options{Chart: harbourChart(t), OnEvent: func(fleet.Recorded) { events++ }})
		if err != nil {
			t.Fatal(err)
		}
		if err := w.run(context.Background()); err != nil {
			t.Fatal(err)
		}
		seen = append(seen, fmt.Sprint(events, report(w.result())))
	}
	if seen[0] != seen[1] {
		t.Errorf("the same seed gave\n%s\nand\n%s", seen[0], seen[1])
	}
}
