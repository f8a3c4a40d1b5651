package hostile

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"

	"github.com/kapok-fleet/kapok/protocol"
)

// hello is that of a good vehicle.
func (r *Raid) hello() protocol.Hello {
	return protocol.Hello{
		Kind: protocol.Multirotor, Model: "kapok-quad", Capabilities: []string{"camera"},
		LogID: "log-" + strconv.FormatUint(rand.Uint64(), 36), Time: time.Now().UTC(),
	}
}

// sample is where a good vehicle is and how.
func (r *Raid) sample() protocol.Sample {
	return protocol.Sample{Time: time.Now().UTC(), Position: r.At, BatteryRatio: 0.9, Mode: protocol.ModeIdle}
}

// text is a sample in a frame as JSON, with fields replaced: pairs of what stands
// there and what is to stand there instead.
func (r *Raid) text(replace ...string) string {
	s := r.sample()
	plain := fmt.Sprintf(`{"type":"telemetry","samples":[{"time":"%s","position":{"lon":%.6f,"lat":%.6f,"altitude_m":%.1f},`+
		`"speed_mps":0,"climb_mps":0,"heading_deg":0,"battery_ratio":0.9,"mode":"idle"}]}`,
		s.Time.Format(time.RFC3339Nano), s.Position.Lon, s.Position.Lat, s.Position.AltitudeM)
	for i := 0; i+1 < len(replace); i += 2 {
		at := strings.Index(plain, replace[i])
		if at < 0 {
			return "the sample has no " + replace[i]
		}
		rest := plain[at+len(replace[i]):]
		plain = plain[:at] + replace[i+1] + rest
	}
	return plain
}

// field replaces the value of a number in a sample.
func (r *Raid) field(name, value string) string {
	plain := r.text()
	at := strings.Index(plain, `"`+name+`":`) + len(name) + 3
	end := at + strings.IndexAny(plain[at:], ",}")
	return plain[:at] + value + plain[end:]
}

// tells is an attack of messages on the link of a vehicle that has logged in,
// and a look at what the server thinks of them.
func tells(encoding protocol.Encoding, messages ...func(*Raid) string) func(*Raid) (Answer, error) {
	return func(r *Raid) (Answer, error) {
		s, err := r.login(encoding)
		if err != nil {
			return Answer{}, err
		}
		for _, m := range messages {
			if err := s.tell(m(r)); err != nil {
				break
			}
		}
		return s.verdict()
	}
}

// repeats is the flood of such messages: they go out at the raid's rate on one
// link, and on a new one of another vehicle when the server has closed it.
func repeats(encoding protocol.Encoding, message func(*Raid) string) func(*Raid) error {
	return floods1(encoding, func(r *Raid, s *Socket) error { return s.tell(message(r)) })
}

// floods1 sends at the raid's rate on one link at a time.
func floods1(encoding protocol.Encoding, send func(*Raid, *Socket) error) func(*Raid) error {
	return func(r *Raid) error {
		var s *Socket
		return r.paced(func() error {
			if s == nil {
				opened, err := r.login(encoding)
				if err != nil {
					// Refused for now: the attacker comes back with the next frame.
					return nil
				}
				s = opened
				go s.deafen()
			}
			if err := send(r, s); err != nil {
				r.drop(s.conn)
				s = nil
			}
			return nil
		})
	}
}

// deafen throws away what the server says until the end, and answers its pings.
func (s *Socket) deafen() {
	for {
		if m, _, err := s.next(); err != nil || m == nil {
			return
		}
	}
}
