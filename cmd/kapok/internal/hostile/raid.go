package hostile

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/kapok-fleet/kapok/protocol"
)

// patience bounds every wait for the server: longer than the longest time that
// it takes for an answer by design.
const patience = 75 * time.Second

// Tokens are the secrets with which a server is attacked. Those that are empty
// cannot be used.
type Tokens struct {
	Admin, Dispatcher, Viewer, Simulator string
	// Vehicle is bound to the vehicle BoundVehicle, Elsewhere to another fleet, and
	// Revoked was good once.
	Vehicle, Elsewhere, Revoked string
	// Shortly is bound to the vehicle ShortVehicle, and Revoke withdraws it.
	Shortly string
	Revoke  func() error
}

// The vehicles of the tokens that are bound to one.
const (
	BoundVehicle = "hostile-bound"
	ShortVehicle = "hostile-short"
)

// Target is a server under attack.
type Target struct {
	// Address is host:port. The server speaks HTTP without TLS there.
	Address string
	Fleet   string
	Tokens  Tokens
	// At is a place on the server's chart.
	At protocol.Position
	// Source is the address that attacks come from, nil for any: limits of single
	// addresses then concern the attack alone.
	Source net.IP
	// Vehicles are the ids under which attackers log in, one after another.
	Vehicles func() string
}

// Raid is one run of an attack. Its connections end with it.
type Raid struct {
	Target
	ctx context.Context
	// rate is how many frames or connections a second a flood has.
	rate float64
	// standing is told when the harm is done and only the answer is awaited.
	standing func()

	mu    sync.Mutex
	conns []net.Conn
	sent  atomic.Int64
}

// NewRaid prepares an attack. End it with Close. Standing may be nil; it is
// called at most once.
func NewRaid(ctx context.Context, target Target, rate float64, standing func()) *Raid {
	if standing == nil {
		standing = func() {}
	}
	return &Raid{Target: target, ctx: ctx, rate: rate, standing: sync.OnceFunc(standing)}
}

// Close ends all connections of the raid.
func (r *Raid) Close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range r.conns {
		_ = c.Close()
	}
	r.conns = nil
}

// Sent is how many frames or connections a flood has sent.
func (r *Raid) Sent() int64 { return r.sent.Load() }

// Conn is a network connection to the server with a bounded patience.
func (r *Raid) Conn() (net.Conn, error) {
	dialer := net.Dialer{Timeout: 10 * time.Second}
	if r.Source != nil {
		dialer.LocalAddr = &net.TCPAddr{IP: r.Source}
	}
	conn, err := dialer.DialContext(r.ctx, "tcp", r.Address)
	if err != nil {
		return nil, fmt.Errorf("connecting to %s: %w", r.Address, err)
	}
	_ = conn.SetDeadline(time.Now().Add(patience))
	context.AfterFunc(r.ctx, func() { _ = conn.Close() })
	r.mu.Lock()
	defer r.mu.Unlock()
	r.conns = append(r.conns, conn)
	return conn, nil
}

// drop ends one connection before the raid's end.
func (r *Raid) drop(conn net.Conn) {
	_ = conn.Close()
	r.mu.Lock()
	defer r.mu.Unlock()
	for i, c := range r.conns {
		if c == conn {
			r.conns[i] = r.conns[len(r.conns)-1]
			r.conns = r.conns[:len(r.conns)-1]
			return
		}
	}
}

// paced calls do at the raid's rate until the context ends or do fails.
func (r *Raid) paced(do func() error) error {
	started := time.Now()
	ticker := time.NewTicker(2 * time.Millisecond)
	defer ticker.Stop()
	for done := 0; ; {
		for due := int(time.Since(started).Seconds() * r.rate); done < due; done++ {
			if r.ctx.Err() != nil {
				return nil
			}
			if err := do(); err != nil {
				return err
			}
			r.sent.Add(1)
		}
		select {
		case <-r.ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

// Storm repeats an attack at the raid's rate until the context ends, with at
// most mostRunning under way at a time, or mostLinked that hold a link of a vehicle.
// What the server answers is not judged.
func (r *Raid) Storm(a Attack) error {
	if a.Flood != nil {
		return a.Flood(r)
	}
	var running sync.WaitGroup
	defer running.Wait()
	most := mostRunning
	if a.Linked {
		most = mostLinked
	}
	room := make(chan struct{}, most)
	return r.paced(func() error {
		select {
		case room <- struct{}{}:
		default:
			return nil
		}
		running.Go(func() {
			defer func() { <-room }()
			one := NewRaid(r.ctx, r.Target, r.rate, nil)
			defer one.Close()
			_, _ = a.Run(one)
		})
		return nil
	})
}

// mostRunning bounds the runs of one attack under way at a time. mostLinked is less
// than there are ids of vehicles in kapok bench hostile: nobody takes over the link of
// a run that still waits for what the server does about it.
const (
	mostRunning = 1024
	mostLinked  = 200
)

// NamePool returns ids in turn: count of them that begin with prefix.
func NamePool(prefix string, count int) func() string {
	var next atomic.Int64
	return func() string { return prefix + strconv.FormatInt(next.Add(1)%int64(count), 10) }
}

// isTimeout tells whether a wait took longer than the attacker's patience.
func isTimeout(err error) bool {
	var network net.Error
	return errors.As(err, &network) && network.Timeout()
}
