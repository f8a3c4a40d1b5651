package hostile

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"sync"
	"time"

	"github.com/kapok-fleet/kapok/protocol"
	"github.com/kapok-fleet/kapok/protocol/api"
)

// serviceWithin is how long anything good may take, under attack too, before it
// counts as not served at all.
const serviceWithin = 10 * time.Second

// Witness is a good vehicle and a good dispatcher on the server. What they get
// is what an attack must not spoil.
type Witness struct {
	raid    *Raid
	vehicle string
	link    *Socket
	stream  *Socket

	reading  sync.WaitGroup
	stop     context.CancelFunc
	commands chan protocol.Command
	seen     chan api.VehiclePosition
	// failed has the first failure of a reader.
	failed chan error

	mu    sync.Mutex // guards steps, and the order of samples
	steps int

	seq  uint64
	hold bool
}

// Service is how long good peers waited.
type Service struct {
	// Position is from the sending of a sample until the dispatcher sees it,
	// Command from the dispatcher's request until the vehicle has it.
	Position, Command time.Duration
}

// NewWitness logs the vehicle in and opens the dispatcher's stream. End it with
// Close.
func NewWitness(ctx context.Context, target Target, vehicle string) (*Witness, error) {
	ctx, stop := context.WithCancel(ctx)
	w := &Witness{
		raid: NewRaid(ctx, target, 0, nil), vehicle: vehicle, stop: stop,
		commands: make(chan protocol.Command, 16), seen: make(chan api.VehiclePosition, 256), failed: make(chan error, 2),
	}
	if err := w.open(); err != nil {
		w.Close()
		return nil, err
	}
	w.reading.Go(w.listen)
	w.reading.Go(w.watch)
	w.reading.Go(func() { w.beat(ctx) })
	return w, nil
}

func (w *Witness) open() error {
	var err error
	if w.link, err = w.raid.loginAs(w.vehicle, protocol.CBOR, w.raid.hello()); err != nil {
		return fmt.Errorf("a good vehicle cannot log in: %w", err)
	}
	if w.stream, err = w.raid.open("/v1/stream?rate_hz=10&kinds=positions", w.raid.Tokens.Dispatcher); err != nil {
		return fmt.Errorf("a good dispatcher cannot open a stream: %w", err)
	}
	// They live as long as the test, whatever an attacker's patience is.
	return errors.Join(w.link.conn.SetDeadline(time.Time{}), w.stream.conn.SetDeadline(time.Time{}))
}

// Close ends the witness.
func (w *Witness) Close() {
	w.stop()
	w.raid.Close()
	w.reading.Wait()
}

// listen is the vehicle's ear.
func (w *Witness) listen() {
	for {
		m, answer, err := w.link.next()
		if err == nil && (m == nil || answer != (Answer{})) {
			err = fmt.Errorf("the server told the good vehicle: %v", answer)
		}
		if err != nil {
			w.failed <- err
			return
		}
		if c, ok := m.(protocol.Command); ok {
			w.commands <- c
		}
	}
}

// watch is the dispatcher's eye.
func (w *Witness) watch() {
	for {
		first, payload, err := w.stream.receive()
		if err != nil {
			w.failed <- fmt.Errorf("the good dispatcher's stream: %w", err)
			return
		}
		switch first & 0x0f {
		case opPing:
			err = w.stream.write(frame(fin|opPong, string(payload)))
		case opClose:
			err = fmt.Errorf("the server closed it: %q", payload)
		case opText:
			err = w.look(payload)
		}
		if err != nil {
			w.failed <- fmt.Errorf("the good dispatcher's stream: %w", err)
			return
		}
	}
}

func (w *Witness) look(payload []byte) error {
	var f struct {
		api.StreamPositions
		Vehicles []api.VehiclePosition `json:"vehicles"`
	}
	if err := json.Unmarshal(payload, &f); err != nil {
		return fmt.Errorf("a frame is %.100q: %w", payload, err)
	}
	for _, v := range f.Vehicles {
		if v.ID != w.vehicle || f.Type != api.StreamPositionsType {
			continue
		}
		select {
		case w.seen <- v:
		default:
		}
	}
	return nil
}

// Check has the vehicle report a new place until the dispatcher sees it, and the
// dispatcher command the vehicle until it has the command.
func (w *Witness) Check(ctx context.Context) (Service, error) {
	ctx, cancel := context.WithTimeout(ctx, serviceWithin)
	defer cancel()
	var s Service
	var err error
	if s.Position, err = w.checkPosition(ctx); err != nil {
		return s, err
	}
	s.Command, err = w.checkCommand(ctx)
	return s, err
}

// report sends a sample, so many steps further on, and returns its latitude.
func (w *Witness) report(steps int) (lat float64, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.steps += steps
	sample := w.raid.sample()
	sample.Position.Lat += float64(w.steps%100) * 1e-7
	return sample.Position.Lat, w.link.say(protocol.Telemetry{Samples: []protocol.Sample{sample}})
}

// beat reports once a second, as a vehicle at rest does. Whoever checks finds
// out when that fails.
func (w *Witness) beat(ctx context.Context) {
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		if _, err := w.report(0); err != nil {
			return
		}
	}
}

func (w *Witness) checkPosition(ctx context.Context) (time.Duration, error) {
	started := time.Now()
	lat, err := w.report(1)
	if err != nil {
		return 0, fmt.Errorf("a good vehicle cannot report: %w", err)
	}
	for {
		select {
		case v := <-w.seen:
			if v.Position != nil && math.Abs(v.Position.Lat-lat) < 1e-9 {
				return time.Since(started), nil
			}
		case err := <-w.failed:
			return 0, err
		case <-ctx.Done():
			return 0, fmt.Errorf("the good dispatcher did not see the vehicle's sample within %v", serviceWithin)
		}
	}
}

func (w *Witness) checkCommand(ctx context.Context) (time.Duration, error) {
	kind := "resume"
	if w.hold = !w.hold; w.hold {
		kind = "hold"
	}
	started := time.Now()
	reply, err := w.raid.Ask(posted("/v1/vehicles/"+w.vehicle+"/commands", w.raid.Tokens.Dispatcher, `{"kind":"`+kind+`"}`))
	if err != nil || reply.Status >= 300 || reply.Status == 0 {
		return 0, fmt.Errorf("the good dispatcher's command was answered with %v %.200s: %w", reply.Answer, reply.Body, err)
	}
	for {
		select {
		case c := <-w.commands:
			took := time.Since(started)
			if string(c.Kind) != kind {
				continue
			}
			return took, w.obey(c)
		case err := <-w.failed:
			return 0, err
		case <-ctx.Done():
			return 0, fmt.Errorf("the good vehicle did not get its command within %v", serviceWithin)
		}
	}
}

// obey accepts a command and reports it done.
func (w *Witness) obey(c protocol.Command) error {
	w.seq += 2
	err := w.link.say(protocol.Ack{Seq: w.seq - 1, Command: c.ID, Verdict: protocol.Accepted})
	if err == nil {
		err = w.link.say(protocol.Progress{Seq: w.seq, Command: c.ID, State: protocol.Done, Time: time.Now().UTC()})
	}
	if err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("a good vehicle cannot answer its command: %w", err)
	}
	return nil
}
