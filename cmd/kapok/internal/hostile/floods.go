package hostile

import (
	"strings"
	"time"

	"github.com/kapok-fleet/kapok/protocol"
)

// floods are too much of what is allowed, on one link each.
func floods() []Attack {
	big := func(r *Raid) string { return r.text(`{"type"`, `{"padding":"`+strings.Repeat("x", 60<<10)+`","type"`) }
	return []Attack{
		{
			Name: "telemetry-flood", Group: Floods, Does: "sends 300 samples in frames of their own at once", Want: Answer{Code: "rate_limited"},
			Note: "what is beyond the rate is dropped before it is read", Metric: linkError("rate_limited"), MemoryMiB: small,
			Run: tells(protocol.JSON, times(300, (*Raid).plain)...), Flood: repeats(protocol.JSON, (*Raid).plain),
		},
		{
			Name: "cbor-flood", Group: Floods, Does: "does the same in CBOR", Want: Answer{Code: "rate_limited"}, Metric: linkError("rate_limited"), MemoryMiB: small,
			Run: tells(protocol.CBOR, times(300, (*Raid).plainCBOR)...), Flood: repeats(protocol.CBOR, (*Raid).plainCBOR),
		},
		{
			Name: "lasting-flood", Group: Floods, Does: "sends 1,000 samples a second in frames of their own and does not stop",
			Want: Answer{Code: "rate_limited", Close: 1008}, Within: 13 * time.Second, Metric: linkClosed("rate_limited"), MemoryMiB: small,
			Run: lastingFlood, Flood: repeats(protocol.JSON, (*Raid).plain),
		},
		{
			Name: "large-frames", Group: Floods, Does: "sends 300 frames of 60 KiB at once", Want: Answer{Code: "rate_limited"}, Note: "reading is held to 4 MiB a second (`kapok_link_throttled_total{what=\"bytes\"}`)",
			Within: 4 * time.Second, Metric: linkError("rate_limited"), MemoryMiB: small,
			Run: again(300, func(r *Raid) string { return frame(fin|opText, big(r)) }), Flood: repeats(protocol.JSON, big),
		},
		{
			Name: "full-frames", Group: Floods, Does: "sends 300 frames of 64 samples at once", Want: Answer{Code: "rate_limited"}, Metric: linkError("rate_limited"), MemoryMiB: small,
			Run: tells(protocol.CBOR, times(300, (*Raid).full)...), Flood: repeats(protocol.CBOR, (*Raid).full),
		},
		{
			Name: "report-flood", Group: Floods, Does: "reports 300 faults of different codes at once", Want: Answer{Code: "rate_limited"}, Metric: linkError("rate_limited"), MemoryMiB: small,
			Run: tells(protocol.JSON, times(300, (*Raid).anyFault)...), Flood: repeats(protocol.JSON, (*Raid).anyFault),
		},
		{
			Name: "bad-frame-flood", Group: Floods, Does: "sends 40 frames at once that cannot be read", Want: Answer{Code: "too_many_errors", Close: 1008},
			Metric: linkClosed("too_many_errors"), MemoryMiB: small,
			Run: lastWord(times(40, func(*Raid) string { return "{" })...), Flood: repeats(protocol.JSON, func(*Raid) string { return "{" }),
		},
		{
			Name: "unknown-type-flood", Group: Floods, Does: "sends 40 messages at once of a type that there is not", Want: Answer{Code: "unknown_type"},
			Metric: linkError("unknown_type"), MemoryMiB: small,
			Run: tells(protocol.JSON, times(40, func(*Raid) string { return `{"type":"x"}` })...), Flood: repeats(protocol.JSON, func(*Raid) string { return `{"type":"x"}` }),
		},
		{
			Name: "ping-flood", Group: Floods, Does: "sends 5,000 pings at once", Note: "pings beyond the rate are not answered",
			Metric: `kapok_link_throttled_total{what="pings"}`, MemoryMiB: small,
			Run:   raw(protocol.JSON, func(*Raid) string { return strings.Repeat(frame(fin|opPing, strings.Repeat("p", 125)), 5_000) }),
			Flood: writes(protocol.JSON, func(*Raid) string { return frame(fin|opPing, strings.Repeat("p", 125)) }),
		},
		{
			Name: "pong-flood", Group: Floods, Does: "sends 5,000 pongs at once that nobody asked for, and 200 pings", Note: "pongs are dropped",
			Metric: `kapok_link_throttled_total{what="pings"}`, MemoryMiB: small,
			Run: raw(protocol.JSON, func(*Raid) string {
				return strings.Repeat(frame(fin|opPong, strings.Repeat("p", 125)), 5_000) + strings.Repeat(frame(fin|opPing, ""), 200)
			}),
			// A ping with each pong, as pings are what is counted.
			Flood: writes(protocol.JSON, func(*Raid) string { return frame(fin|opPong, strings.Repeat("p", 125)) + frame(fin|opPing, "") }),
		},
	}
}

// plain is a good sample in a frame.
func (r *Raid) plain() string { return r.text() }

func (r *Raid) plainCBOR() string { return r.cbor(r.At.Lat) }

// full is a frame of as many samples as there may be.
func (r *Raid) full() string {
	from := time.Now().Add(-time.Second).UTC()
	var m protocol.Telemetry
	for i := range protocol.MaxSamples {
		s := r.sample()
		s.Time = from.Add(time.Duration(i) * time.Millisecond)
		m.Samples = append(m.Samples, s)
	}
	frame, err := protocol.CBOR.EncodeFrom(nil, m)
	if err != nil {
		return err.Error()
	}
	return string(frame)
}

// anyFault is the report of a fault that nobody has had yet.
func (r *Raid) anyFault() string {
	n := r.sent.Add(1)
	return strings.Replace(fault(uint64(n), "motor-N", ""), "-N", "-"+time.Now().Format("150405.000000000"), 1)
}

// times is the same message so many times.
func times(count int, message func(*Raid) string) []func(*Raid) string {
	all := make([]func(*Raid) string, count)
	for i := range all {
		all[i] = message
	}
	return all
}

// again sends the same bytes so many times.
func again(count int, bytes func(*Raid) string) func(*Raid) (Answer, error) {
	return func(r *Raid) (Answer, error) {
		s, err := r.login(protocol.JSON)
		if err != nil {
			return Answer{}, err
		}
		r.standing()
		for text, n := bytes(r), 0; n < count; n++ {
			if err := s.write(text); err != nil {
				break
			}
		}
		return s.verdict()
	}
}

// lastWord sends messages and reads until the server has ended the link.
func lastWord(messages ...func(*Raid) string) func(*Raid) (Answer, error) {
	return func(r *Raid) (Answer, error) {
		s, err := r.login(protocol.JSON)
		if err != nil {
			return Answer{}, err
		}
		for _, m := range messages {
			if err := s.tell(m(r)); err != nil {
				break
			}
		}
		return s.end()
	}
}

// lastingFlood sends until the server ends the link.
func lastingFlood(r *Raid) (Answer, error) {
	s, err := r.login(protocol.JSON)
	if err != nil {
		return Answer{}, err
	}
	r.standing()
	ended := make(chan struct{})
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		ticker := time.NewTicker(20 * time.Millisecond)
		defer ticker.Stop()
		for {
			for range 20 {
				if s.tell(r.plain()) != nil {
					return
				}
			}
			select {
			case <-ended:
				return
			case <-ticker.C:
			}
		}
	}()
	answer, err := s.end()
	close(ended)
	<-stopped
	return answer, err
}
