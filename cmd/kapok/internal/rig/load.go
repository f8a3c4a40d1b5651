package rig

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"github.com/kapok-fleet/kapok/protocol"
)

const (
	// defaultDialHz is how many connections are opened a second.
	defaultDialHz = 1000
	// dialTries is how often a connection may fail before the start of a load gives
	// up. One that is refused for the rate of requests is only tried later, for at
	// most patience.
	dialTries = 6
	patience  = 2 * time.Minute
	// maxVehicles bounds a load: one address has no more ports than that.
	maxVehicles = 28_000
	// maxTasks bounds the tasks in a report.
	maxTasks = 10_000
	// maxStreams bounds the streams of a load.
	maxStreams = 1000
)

// LoadOptions say what load to put on a server. The zero values of numbers mean
// what is said at each.
type LoadOptions struct {
	// URL is that of the server, http://127.0.0.1:PORT, and Token that of a
	// simulator.
	URL   string `json:"url"`
	Token string `json:"token"`
	// Vehicles is how many there are; their ids are Prefix (or "b") and a number
	// from 1. They are rovers on the ways of the embedded harbour chart.
	Vehicles int    `json:"vehicles"`
	Prefix   string `json:"prefix,omitempty"`
	// CBOR says how they speak, otherwise JSON.
	CBOR bool `json:"cbor,omitempty"`
	// SamplesAFrame is how many samples each frame has, 0 for 1, and FramesHz how
	// many frames each vehicle sends a second at first, evenly spread; 0 for none.
	// The samples of a frame lie evenly between it and the one before.
	SamplesAFrame int     `json:"samples_a_frame,omitempty"`
	FramesHz      float64 `json:"frames_hz,omitempty"`
	// Answer lets them accept missions and commands, and report commands as done.
	Answer bool `json:"answer,omitempty"`
	// Bare says that the server only reads: no welcome is awaited.
	Bare bool `json:"bare,omitempty"`
	// DialHz is how many connections are opened a second, 0 for 1000.
	DialHz float64 `json:"dial_hz,omitempty"`
	// From is the loopback address that connections come from, empty for any.
	From string `json:"from,omitempty"`
	// Streams are dispatchers that watch.
	Streams []StreamOptions `json:"streams,omitempty"`
	// CommandsHz is how many commands (hold and resume in turn) are issued a
	// second over HTTP to vehicles in turn, by the token Dispatcher; 0 for none.
	CommandsHz float64 `json:"commands_hz,omitempty"`
	Dispatcher string  `json:"dispatcher,omitempty"`
}

// StreamOptions are dispatchers who watch in the same way.
type StreamOptions struct {
	// Token is that of a viewer or dispatcher.
	Token string `json:"token"`
	// Count is how many they are, 0 for 1.
	Count int `json:"count,omitempty"`
	// Query is what they ask for, e.g. "rate_hz=1&area=113.9,22.5,113.91,22.51".
	Query string `json:"query,omitempty"`
	// Timed lets the first of them measure how old positions are as they arrive.
	Timed bool `json:"timed,omitempty"`
	// Silent ones read nothing after the handshake.
	Silent bool `json:"silent,omitempty"`
}

// Validate refuses what makes no sense.
func (o *LoadOptions) Validate() error {
	streams := 0
	for _, s := range o.Streams {
		streams += max(s.Count, 1)
	}
	switch u, err := url.Parse(o.URL); {
	case err != nil || u.Scheme != "http" || u.Host == "":
		return fmt.Errorf("load: %q is not an address such as http://127.0.0.1:8080", o.URL)
	case o.Vehicles < 0 || o.Vehicles > maxVehicles:
		return fmt.Errorf("load: %d vehicles are not 0 to %d", o.Vehicles, maxVehicles)
	case streams > maxStreams:
		return fmt.Errorf("load: %d streams are more than %d", streams, maxStreams)
	case o.SamplesAFrame < 0 || o.SamplesAFrame > protocol.MaxSamples:
		return fmt.Errorf("load: %d samples a frame are not 1 to %d", o.SamplesAFrame, protocol.MaxSamples)
	case !(o.FramesHz >= 0 && o.FramesHz <= 1000) || !(o.DialHz >= 0) || !(o.CommandsHz >= 0 && o.CommandsHz <= 1000):
		return errors.New("load: a rate is not 0 to 1000 a second")
	}
	return nil
}

// LoadReport is what a load has done and seen. All but the delays are sums since
// its start; delays are those since the last report.
type LoadReport struct {
	// At is when it was written.
	At time.Time `json:"at"`
	// Connected are the vehicles' links that are open, Streaming the streams.
	Connected int `json:"connected"`
	Streaming int `json:"streaming"`
	// DialsFailed are attempts that were repeated; Closed are links and streams
	// that the server ended, by its reason (at most 100 different ones).
	DialsFailed int64            `json:"dials_failed"`
	Closed      map[string]int64 `json:"closed,omitempty"`
	// FramesOut, SamplesOut and BytesOut count telemetry that was written.
	FramesOut  int64 `json:"frames_out"`
	SamplesOut int64 `json:"samples_out"`
	BytesOut   int64 `json:"bytes_out"`
	// Withheld frames found the socket full: the vehicle sends the next sample
	// instead. Missed are those that the load itself was too slow for.
	Withheld int64 `json:"withheld"`
	Missed   int64 `json:"missed"`
	// LagMS is how late the load sent a frame at most: a measure of how far its own
	// delays can be trusted. Like the delays it is since the last report.
	LagMS float64 `json:"lag_ms"`
	// FramesIn are messages to vehicles by type: welcome, alive, mission, command,
	// received, error.
	FramesIn map[string]int64 `json:"frames_in,omitempty"`
	// Errors are those by code.
	Errors map[string]int64 `json:"errors,omitempty"`
	// Commands are the delays from the request over HTTP to the frame at the
	// vehicle; CommandsFailed were refused over HTTP, CommandsOpen have been
	// issued and have not arrived.
	Commands       Quantiles `json:"commands"`
	CommandsFailed int64     `json:"commands_failed"`
	CommandsOpen   int       `json:"commands_open"`
	// Tasks are those that missions were about since the last report, and when the
	// first of these missions arrived; at most 10,000.
	Tasks map[string]time.Time `json:"tasks,omitempty"`
	// Streams are in the order of the options.
	Streams []StreamReport `json:"streams,omitempty"`
}

// StreamReport is what dispatchers who watch in the same way have seen, all
// together.
type StreamReport struct {
	// Frames and Bytes count what arrived.
	Frames int64 `json:"frames"`
	Bytes  int64 `json:"bytes"`
	// Positions are those that the timed one saw, Delays how long after the sample
	// was taken they arrived.
	Positions int64     `json:"positions"`
	Delays    Quantiles `json:"delays"`
	// Events are frames that are no positions, as the timed one saw them.
	Events int64 `json:"events"`
}

// Load is a number of good vehicles, and of dispatchers, in this process.
// StartLoadProcess runs one in a process of its own.
type Load struct {
	o       LoadOptions
	target  target
	fleet   []*vehicle
	streams []*streams
	pacer   *pacer
	command *commander
	cancel  context.CancelFunc
	work    sync.WaitGroup

	dialsFailed atomic.Int64
	mu          sync.Mutex // guards the rest
	closed      map[string]int64
	errors      map[string]int64
	tasks       map[string]time.Time
}

// StartLoad connects all vehicles and streams, at the stated pace, and returns
// when all are welcomed. Attempts that fail are repeated; when one has failed six
// times, or was told for two minutes to come again later, the load gives up. From then on it runs until Stop; ctx bounds the start
// only.
func StartLoad(ctx context.Context, o LoadOptions) (*Load, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	l := &Load{o: o, closed: map[string]int64{}, errors: map[string]int64{}, tasks: map[string]time.Time{}}
	frame, err := newTemplate(o.CBOR, max(o.SamplesAFrame, 1))
	if err != nil {
		return nil, err
	}
	if l.target, err = newTarget(o.URL, o.From); err != nil {
		return nil, err
	}
	if l.fleet, err = newFleet(l); err != nil {
		return nil, err
	}
	l.pacer = &pacer{fleet: l.fleet, frame: frame, changed: make(chan struct{}, 1)}
	l.command = newCommander(l)
	running, cancel := context.WithCancel(context.WithoutCancel(ctx))
	l.cancel = cancel
	if err := l.connect(ctx, running); err != nil {
		l.Stop()
		return nil, err
	}
	l.pacer.set(o.FramesHz)
	if len(l.fleet) > 0 {
		l.work.Go(func() { l.pacer.run(running) })
	}
	l.work.Go(func() { l.command.run(running) })
	return l, nil
}

// connect opens all links and streams and waits for them.
func (l *Load) connect(ctx, running context.Context) error {
	hz := l.o.DialHz
	if hz == 0 {
		hz = defaultDialHz
	}
	var starts []func(first func(error))
	for _, v := range l.fleet {
		starts = append(starts, func(first func(error)) { v.run(running, first) })
	}
	for i := range l.o.Streams {
		w := &streams{load: l, o: l.o.Streams[i]}
		l.streams = append(l.streams, w)
		for n := range max(w.o.Count, 1) {
			starts = append(starts, func(first func(error)) { w.run(running, w.o.Timed && n == 0, first) })
		}
	}
	there := make(chan error, len(starts))
	begun := time.Now()
	for i, start := range starts {
		if !wait(ctx, time.Until(begun.Add(time.Duration(float64(i)/hz*float64(time.Second))))) {
			return fmt.Errorf("connecting the load: %w", ctx.Err())
		}
		var once sync.Once
		l.work.Go(func() { start(func(err error) { once.Do(func() { there <- err }) }) })
	}
	for range starts {
		select {
		case err := <-there:
			if err != nil {
				return fmt.Errorf("connecting the load: %w", err)
			}
		case <-ctx.Done():
			return fmt.Errorf("connecting the load: %w", ctx.Err())
		}
	}
	return nil
}

// Rate sets how many frames each vehicle sends a second, 0 for none.
func (l *Load) Rate(framesHz float64) error {
	o := l.o
	o.FramesHz = framesHz
	if err := o.Validate(); err != nil {
		return err
	}
	l.pacer.set(framesHz)
	return nil
}

// outOfPatience tells whether an attempt was the last that a start waits for.
func outOfPatience(try int, begun time.Time, err error) bool {
	refused, ok := errors.AsType[*refusedError](err)
	if ok && (refused.status == http.StatusTooManyRequests || refused.status == http.StatusServiceUnavailable) {
		return time.Since(begun) > patience
	}
	return try >= dialTries
}

// Vehicle is the id of a vehicle, counted from 0.
func (o *LoadOptions) Vehicle(i int) string {
	prefix := o.Prefix
	if prefix == "" {
		prefix = "b"
	}
	return fmt.Sprintf("%s%d", prefix, i+1)
}

// Fault lets a vehicle, counted from 0, report a fault; it must be connected.
func (l *Load) Fault(vehicle int, code, text string) error {
	if vehicle < 0 || vehicle >= len(l.fleet) {
		return fmt.Errorf("load: there is no vehicle %d", vehicle)
	}
	v := l.fleet[vehicle]
	s := v.socket.Load()
	if s == nil {
		return fmt.Errorf("load: vehicle %s is not connected", v.id)
	}
	v.answer(s, protocol.Fault{Code: code, Text: text, Time: time.Now()})
	return nil
}

// Report tells what the load has done and seen.
func (l *Load) Report() LoadReport {
	p := l.pacer
	r := LoadReport{
		At: time.Now(), DialsFailed: l.dialsFailed.Load(), FramesOut: p.frames.Load(), BytesOut: p.bytes.Load(),
		Withheld: p.withheld.Load(), Missed: p.missed.Load(),
		LagMS: ms(time.Duration(p.lag.Swap(0))),
		FramesIn: map[string]int64{
			"welcome": p.in.welcome.Load(), "alive": p.in.alive.Load(), "mission": p.in.mission.Load(),
			"command": p.in.command.Load(), "received": p.in.received.Load(), "error": p.in.failed.Load(),
		},
	}
	r.SamplesOut = r.FramesOut * int64(len(p.frame.slots))
	for _, v := range l.fleet {
		if v.socket.Load() != nil {
			r.Connected++
		}
	}
	for _, w := range l.streams {
		r.Streaming += int(w.open.Load())
		r.Streams = append(r.Streams, w.report())
	}
	l.command.report(&r)
	l.mu.Lock()
	defer l.mu.Unlock()
	r.Closed, r.Errors = maps.Clone(l.closed), maps.Clone(l.errors)
	r.Tasks, l.tasks = l.tasks, map[string]time.Time{}
	return r
}

// Stop ends all connections and waits until everything has ended.
func (l *Load) Stop() {
	l.cancel()
	l.work.Wait()
	l.command.http.CloseIdleConnections()
}
