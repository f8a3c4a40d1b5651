package hostile

import (
	"fmt"
	"time"

	"github.com/kapok-fleet/kapok/fleet"
	"github.com/kapok-fleet/kapok/protocol"
)

// order are messages that are well formed and come at the wrong time.
func order() []Attack {
	all := []Attack{
		{
			Name: "no-hello", Does: "begins with a sample in place of hello", Want: Answer{Code: "hello_expected", Close: 1002},
			Metric: linkError("hello_expected"), Run: firstWord(func(r *Raid) string { return r.text() }),
		},
		{
			Name: "second-hello", Does: "says hello twice", Want: Answer{Code: "second_hello"}, Metric: linkError("second_hello"), Run: secondHello,
		},
		{
			Name: "stale-epoch", Does: "says hello with an epoch of long ago", Note: "the welcome names the present epoch",
			Metric: `kapok_link_frames_total{direction="out",type="welcome"}`, Run: withEpoch(1),
		},
		{
			Name: "future-epoch", Does: "says hello with the highest epoch that there can be",
			Note:   "it is told nothing to do, and an alert `stale_epoch` is raised; nobody else notices",
			Metric: alertRaised(fleet.AlertEpoch), Alert: fleet.AlertEpoch, Run: withEpoch(protocol.MaxWhole),
		},
		{
			Name: "impossible-epoch", Does: "says hello with the epoch 2^53", Want: Answer{Code: "hello_expected", Close: 1002},
			Metric: linkError("hello_expected"), Run: firstWord(func(*Raid) string {
				return fmt.Sprintf(`{"type":"hello","kind":"rover","model":"kapok-rover","log_id":"a","epoch":9007199254740992,"time":"%s"}`, time.Now().UTC().Format(time.RFC3339Nano))
			}),
		},
		{
			Name: "other-kind", Does: "comes back as another kind of vehicle", Want: Answer{Code: "wrong_kind", Close: 1008}, Metric: linkError("wrong_kind"), Run: otherKind,
		},
		{
			Name: "two-sessions", Does: "opens a second link of one vehicle", Want: Answer{Code: "replaced", Close: 1008}, Metric: linkError("replaced"), Run: twoSessions,
		},
		reports("replayed-report", "sends the same report three times", "it is confirmed each time and counts once", 1, 1, 1),
		reports("reordered-reports", "sends reports in the order 1, 3, 2", "3 is dropped, since 2 was missing; 2 is confirmed", 2, 1, 3, 2),
		reports("gap-in-reports", "sends the reports 1 and 1,000,000", "the second is dropped; the first is confirmed again", 1, 1, 1_000_000),
		reports("last-report", "sends the reports 1 and 2^53-1", "the second is dropped; the first is confirmed again", 1, 1, protocol.MaxWhole),
		impossible(Order, "impossible-seq", "numbers a report with 2^53", "bad_message", protocol.JSON, func(*Raid) string { return fault(1<<53, "motor", "") }),
		impossible(Order, "seq-zero", "numbers a report with 0", "out_of_range", protocol.JSON, func(*Raid) string { return fault(0, "motor", "") }),
		{
			Name: "replayed-sample", Does: "sends the same sample twice", Note: "the second changes nothing",
			Metric: `kapok_link_frames_total{direction="in",type="telemetry"}`, Run: backwards(0),
		},
		{
			Name: "reordered-samples", Does: "sends a sample, and then one that was taken 5 s before", Want: Answer{Code: "stale_samples"},
			Metric: linkError("stale_samples"), Run: backwards(5 * time.Second),
		},
		impossible(Order, "sample-ahead", "sends a sample that is an hour ahead of its own clock", "sample_ahead", protocol.JSON, func(r *Raid) string { return r.shifted(time.Hour) }),
		impossible(Order, "sample-of-2199", "sends a sample of the year 2199", "sample_ahead", protocol.JSON, func(r *Raid) string { return r.shifted(173 * 365 * 24 * time.Hour) }),
		impossible(Order, "sample-of-1970", "sends a sample of the year 1970", "out_of_range", protocol.JSON, func(r *Raid) string { return r.shifted(-56 * 365 * 24 * time.Hour) }),
		clock("clock-behind", "has a clock that is an hour late", -time.Hour),
		clock("clock-ahead", "has a clock that is an hour early", time.Hour),
		{
			Name: "answer-to-nothing", Does: "accepts a mission and a command that were never sent", Note: "the reports are confirmed and change nothing",
			Metric: `kapok_link_frames_total{direction="out",type="received"}`, Run: answersNothing,
		},
	}
	for i := range all {
		all[i].Group, all[i].MemoryMiB = Order, small
	}
	return all
}

// firstWord begins a link with something else than hello.
func firstWord(message func(*Raid) string) func(*Raid) (Answer, error) {
	return func(r *Raid) (Answer, error) {
		s, err := r.connect(r.Vehicles(), protocol.JSON)
		if err != nil {
			return Answer{}, err
		}
		if err := s.tell(message(r)); err != nil {
			return Answer{}, err
		}
		return s.end()
	}
}

func secondHello(r *Raid) (Answer, error) {
	s, err := r.login(protocol.JSON)
	if err != nil {
		return Answer{}, err
	}
	if err := s.say(r.hello()); err != nil {
		return Answer{}, err
	}
	return s.verdict()
}

func withEpoch(epoch uint64) func(*Raid) (Answer, error) {
	return func(r *Raid) (Answer, error) {
		hello := r.hello()
		hello.Epoch = epoch
		s, err := r.loginAs(r.Vehicles(), protocol.JSON, hello)
		if err != nil {
			return Answer{}, err
		}
		if s.Welcome.Epoch < 1_000_000 || s.Welcome.Epoch >= protocol.MaxWhole {
			return Answer{}, fmt.Errorf("the vehicle was welcomed in epoch %d", s.Welcome.Epoch)
		}
		return s.verdict()
	}
}

func otherKind(r *Raid) (Answer, error) {
	vehicle := r.Vehicles()
	if _, err := r.loginAs(vehicle, protocol.JSON, r.hello()); err != nil {
		return Answer{}, err
	}
	s, err := r.connect(vehicle, protocol.JSON)
	if err != nil {
		return Answer{}, err
	}
	hello := r.hello()
	hello.Kind, hello.Model = protocol.Rover, "kapok-rover"
	if err := s.say(hello); err != nil {
		return Answer{}, err
	}
	return s.end()
}

// twoSessions returns what became of the first.
func twoSessions(r *Raid) (Answer, error) {
	vehicle := r.Vehicles()
	first, err := r.loginAs(vehicle, protocol.JSON, r.hello())
	if err != nil {
		return Answer{}, err
	}
	second, err := r.loginAs(vehicle, protocol.CBOR, r.hello())
	if err != nil {
		return Answer{}, err
	}
	if answer, err := second.verdict(); err != nil || answer != (Answer{}) {
		return answer, err
	}
	return first.end()
}

// reports sends reports with these numbers; the last confirmation must be of the
// one that is named first.
func reports(name, does, note string, confirmed uint64, numbers ...uint64) Attack {
	run := func(r *Raid) (Answer, error) {
		s, err := r.login(protocol.JSON)
		if err != nil {
			return Answer{}, err
		}
		for _, n := range numbers {
			if err := s.tell(fault(n, "motor", "")); err != nil {
				return Answer{}, err
			}
		}
		return s.confirmed(confirmed)
	}
	return Attack{Name: name, Does: does, Note: note, Metric: `kapok_link_frames_total{direction="out",type="received"}`, Run: run}
}

// backwards sends a sample and one that was taken so much before.
func backwards(by time.Duration) func(*Raid) (Answer, error) {
	return func(r *Raid) (Answer, error) {
		s, err := r.login(protocol.JSON)
		if err != nil {
			return Answer{}, err
		}
		first := r.sample()
		second := first
		second.Time = second.Time.Add(-by)
		for _, sample := range []protocol.Sample{first, second} {
			if err := s.say(protocol.Telemetry{Samples: []protocol.Sample{sample}}); err != nil {
				return Answer{}, err
			}
		}
		return s.verdict()
	}
}

// shifted is a sample of another time.
func (r *Raid) shifted(by time.Duration) string {
	now := r.sample().Time
	plain := r.text()
	at := len(`{"type":"telemetry","samples":[{"time":"`)
	end := at
	for plain[end] != '"' {
		end++
	}
	return plain[:at] + now.Add(by).Format(time.RFC3339Nano) + plain[end:]
}

// clock is a vehicle whose clock is off, and which is true to it.
func clock(name, does string, off time.Duration) Attack {
	run := func(r *Raid) (Answer, error) {
		hello := r.hello()
		hello.Time = hello.Time.Add(off)
		s, err := r.loginAs(r.Vehicles(), protocol.JSON, hello)
		if err != nil {
			return Answer{}, err
		}
		for range 2 {
			if err := s.tell(r.shifted(off)); err != nil {
				return Answer{}, err
			}
		}
		return s.verdict()
	}
	return Attack{
		Name: name, Does: does, Note: "its samples count with the time of receipt, and an alert `clock_skew` is raised",
		Metric: alertRaised(fleet.AlertClock), Alert: fleet.AlertClock, Run: run,
	}
}

func answersNothing(r *Raid) (Answer, error) {
	s, err := r.login(protocol.JSON)
	if err != nil {
		return Answer{}, err
	}
	for _, text := range []string{
		`{"type":"ack","seq":1,"mission":{"id":"m-999999","revision":7},"verdict":"accepted"}`,
		`{"type":"ack","seq":2,"command":"c-999999","verdict":"accepted"}`,
	} {
		if err := s.tell(text); err != nil {
			return Answer{}, err
		}
	}
	return s.confirmed(2)
}

// confirmed waits until the reports up to a number are confirmed. More must not
// be.
func (s *Socket) confirmed(seq uint64) (Answer, error) {
	for {
		m, answer, err := s.next()
		if err != nil || m == nil || answer != (Answer{}) {
			return answer, err
		}
		got, ok := m.(protocol.Received)
		if ok && got.Seq > seq {
			return Answer{}, fmt.Errorf("report %d was confirmed; nothing is missing only up to %d", got.Seq, seq)
		}
		if ok && got.Seq == seq {
			return s.verdict()
		}
	}
}
