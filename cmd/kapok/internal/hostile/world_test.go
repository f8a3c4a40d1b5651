package hostile

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kapok-fleet/kapok/fleet"
	"github.com/kapok-fleet/kapok/fleet/access"
	"github.com/kapok-fleet/kapok/fleet/engine"
	"github.com/kapok-fleet/kapok/fleet/journal"
	"github.com/kapok-fleet/kapok/fleet/server"
	"github.com/kapok-fleet/kapok/fleet/session"
	"github.com/kapok-fleet/kapok/fleet/track"
	"github.com/kapok-fleet/kapok/planner/chart/harbour"
	"github.com/kapok-fleet/kapok/protocol"
)

// world is a server with a real engine, journal and socket in this process, so
// that the race detector watches it and its memory can be measured to the byte.
type world struct {
	t      *testing.T
	target Target
	log    *record
	// sources counts the addresses that attacks came from.
	sources int
}

// record keeps what the server logs.
type record struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (r *record) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.text.Write(p)
}

func (r *record) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.text.String()
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, log: &record{}}
	on, err := harbour.Chart()
	w.must(err)
	dir := t.TempDir()
	tokens, err := access.OpenStore(filepath.Join(dir, "tokens"))
	w.must(err)
	events, err := engine.Open(t.Context(), engine.EngineOptions{
		Options: engine.Options{Chart: on, Config: fleet.DefaultConfig()},
		Journal: func() (journal.Journal, error) { return journal.Open(filepath.Join(dir, "journal"), journal.Options{}) },
		Tick:    100 * time.Millisecond,
	})
	w.must(err)
	tracks, err := track.Open(track.Options{Dir: filepath.Join(dir, "tracks")})
	w.must(err)
	t.Cleanup(func() { w.must(tracks.Close()) })
	// What comes at once is bounded as by default. What is gained in time is less, so
	// that a slow machine is still too fast.
	edge, err := server.New(server.Options{
		Limits:  server.Limits{TokenRate: 20, AddressRate: 50, FailureRate: 1, LoginRate: 0.2},
		Session: session.Config{FramesPerSecond: 15, Burst: 2 * protocol.MaxFramesPerSecond},
		Backend: server.Engine{Engine: events}, Tracks: tracks, Chart: on, Access: tokens, Fleet: "harbour",
		Log: slog.New(slog.NewTextHandler(w.log, &slog.HandlerOptions{Level: slog.LevelDebug})), Responses: fleet.DefaultConfig().ResponseViews(),
	})
	w.must(err)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	w.must(err)
	ctx, stop := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- edge.Serve(ctx, listener) }()
	t.Cleanup(func() {
		stop()
		if err := <-served; err != nil {
			t.Errorf("the server did not end in order: %v", err)
		}
		end, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		if err := events.Shutdown(end); err != nil {
			t.Errorf("the engine did not end in order: %v", err)
		}
	})
	node := on.Ground.Nodes[0].Point
	w.target = Target{
		Address: listener.Addr().String(), Fleet: "harbour", Tokens: w.tokens(tokens),
		At: protocol.Position{Lon: node[0], Lat: node[1], AltitudeM: on.GroundAltitudeM},
	}
	return w
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// tokens makes a token of each kind.
func (w *world) tokens(store *access.Store) Tokens {
	w.t.Helper()
	secret := func(token access.Token) string {
		made, err := store.Create(token, time.Now(), rand.Reader)
		w.must(err)
		return made
	}
	t := Tokens{
		Admin:      secret(access.Token{Name: "admin", Role: access.Admin}),
		Dispatcher: secret(access.Token{Name: "dispatcher", Role: access.Dispatcher}),
		Viewer:     secret(access.Token{Name: "viewer", Role: access.Viewer}),
		Simulator:  secret(access.Token{Name: "simulator", Role: access.Simulator, Fleet: "harbour"}),
		Vehicle:    secret(access.Token{Name: "bound", Role: access.Vehicle, Fleet: "harbour", Vehicle: BoundVehicle}),
		Elsewhere:  secret(access.Token{Name: "elsewhere", Role: access.Admin, Fleet: "north"}),
		Shortly:    secret(access.Token{Name: "shortly", Role: access.Vehicle, Fleet: "harbour", Vehicle: ShortVehicle}),
		Revoked:    secret(access.Token{Name: "revoked", Role: access.Viewer}),
		Revoke:     func() error { return store.Revoke("shortly") },
	}
	w.must(store.Revoke("revoked"))
	return t
}

// against is the target as one attack sees it: the attack has an address and
// vehicles of its own, so that no limit that it meets is another's.
func (w *world) against(name string) Target {
	w.sources++
	target := w.target
	if runtime.GOOS == "linux" {
		target.Source = net.IPv4(127, 1, byte(w.sources>>8), byte(w.sources))
	}
	target.Vehicles = NamePool(name+"-", 1<<20)
	return target
}

// gauge reads one line of the server's metrics; a line that is not there yet is 0.
func (w *world) gauge(line string) float64 {
	w.t.Helper()
	raid := NewRaid(w.t.Context(), w.target, 0, nil)
	defer raid.Close()
	reply, err := raid.Ask(Request{Path: "/metrics", Headers: []string{"Connection: close"}})
	w.must(err)
	if reply.Status != http.StatusOK {
		w.t.Fatalf("the metrics are answered with %v", reply.Answer)
	}
	for text := range strings.Lines(string(reply.Body)) {
		if value, ok := strings.CutPrefix(text, line+" "); ok {
			v, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
			w.must(err)
			return v
		}
	}
	return 0
}

// moved waits until a metric is above what it was.
func (w *world) moved(line string, before float64) bool {
	return eventually(func() bool { return w.gauge(line) > before })
}

// eventually waits until something holds, longer than it takes on any machine.
func eventually(holds func() bool) bool {
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); <-ticker.C {
		if holds() {
			return true
		}
	}
	return false
}

// heap watches how much memory is in use, attackers included.
type heap struct {
	base uint64
	peak atomic.Uint64
	stop chan struct{}
	done chan struct{}
}

// inUse is the memory of objects, those not yet swept included, and of stacks.
func inUse() uint64 {
	sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}, {Name: "/memory/classes/heap/stacks:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64() + sample[1].Value.Uint64()
}

// watchHeap measures from what is in use after a collection.
func watchHeap() *heap {
	runtime.GC()
	h := &heap{base: inUse(), stop: make(chan struct{}), done: make(chan struct{})}
	go func() {
		defer close(h.done)
		ticker := time.NewTicker(time.Millisecond)
		defer ticker.Stop()
		for {
			h.peak.Store(max(h.peak.Load(), inUse()))
			select {
			case <-h.stop:
				return
			case <-ticker.C:
			}
		}
	}()
	return h
}

// grown ends the watch and returns by how many MiB the memory grew at most.
func (h *heap) grown() float64 {
	close(h.stop)
	<-h.done
	return float64(int64(h.peak.Load()-h.base)) / (1 << 20)
}

// tightCollector lets garbage be no more than a tenth, so that the peak of what
// is in use is little more than what is needed.
func tightCollector(t *testing.T) {
	before := debug.SetGCPercent(10)
	t.Cleanup(func() { debug.SetGCPercent(before) })
}

// short cuts a text for a report.
func short(err error) string { return fmt.Sprintf("%.300v", err) }
