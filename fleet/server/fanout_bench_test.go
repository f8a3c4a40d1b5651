package server

import (
	"fmt"
	"log/slog"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/kapok-fleet/kapok/fleet"
	"github.com/kapok-fleet/kapok/fleet/engine"
	"github.com/kapok-fleet/kapok/protocol"
	"github.com/kapok-fleet/kapok/protocol/ws"
)

// scene is a backend that shows one view after another: crowd vehicles over a
// degree, each of which moves once a second.
type scene struct {
	Backend
	views []*engine.View
	at    int
}

const (
	crowd = 10_000
	// viewsASecond is the pace of engine.ViewInterval.
	viewsASecond = 5
)

func (s *scene) View() *engine.View { return s.views[s.at] }
func (s *scene) next()              { s.at = (s.at + 1) % len(s.views) }

// newScene makes two seconds of views: in the first all vehicles move away, a
// fifth with each view, in the second they move back.
func newScene() *scene {
	chance := rand.New(rand.NewPCG(1, 2))
	began := time.Date(2026, 5, 4, 3, 2, 1, 0, time.UTC)
	rounded := func(v, digits float64) float64 { return math.Round(v*digits) / digits }
	presence := func(lon, lat float64) *fleet.Presence {
		heard := began.Add(time.Duration(chance.Int64N(int64(time.Second))))
		return &fleet.Presence{Link: fleet.LinkLive, LastHeard: heard, Known: true, Sample: protocol.Sample{
			Time:     heard.Add(-40 * time.Millisecond).Truncate(time.Millisecond),
			Position: protocol.Position{Lon: rounded(lon, 1e7), Lat: rounded(lat, 1e7), AltitudeM: rounded(100*chance.Float64(), 1e2)},
			SpeedMPS: rounded(10*chance.Float64(), 1e2), HeadingDeg: rounded(360*chance.Float64(), 10),
			BatteryRatio: rounded(chance.Float64(), 1e3), Mode: protocol.ModeIdle,
		}}
	}
	state := fleet.NewState()
	ids := make([]fleet.VehicleID, crowd)
	for i := range ids {
		ids[i] = fleet.VehicleID(fmt.Sprintf("vehicle-%05d", i))
		state.Durable.Vehicles[ids[i]] = &fleet.Vehicle{ID: ids[i], Kind: protocol.Multirotor, Model: "x4"}
		state.Volatile.Presences[ids[i]] = presence(7+chance.Float64(), 43+chance.Float64())
	}
	home := state.View().Volatile.Presences
	s := &scene{}
	for n := range 2 * viewsASecond {
		for i := n % viewsASecond; i < crowd; i += viewsASecond {
			state.Volatile.Presences[ids[i]] = home[ids[i]]
			if n < viewsASecond {
				at := home[ids[i]].Sample.Position
				state.Volatile.Presences[ids[i]] = presence(at.Lon+1e-4*chance.Float64(), at.Lat+1e-4*chance.Float64())
			}
		}
		s.views = append(s.views, &engine.View{State: state.View(), Index: 1, At: began.Add(time.Duration(n) * time.Second / viewsASecond)})
	}
	return s
}

// sink is a socket that takes every frame at once.
type sink struct {
	done          chan struct{}
	frames, bytes int
}

func (s *sink) Send(frame []byte) error        { s.frames++; s.bytes += len(frame); return nil }
func (s *sink) Unwritten() (frames, bytes int) { return 0, 0 }
func (s *sink) Close(int, string)              {}
func (s *sink) Done() <-chan struct{}          { return s.done }

var _ outlet = (*ws.Conn)(nil)

// BenchmarkPulse is a second of positions of 10,000 vehicles at 1 Hz to 100
// subscribers, without their sockets: ns/op over 1e9 is the share of a core.
func BenchmarkPulse(b *testing.B) {
	for _, c := range []struct {
		name string
		// area of subscriber n.
		area func(n int) interest
	}{
		{"nobody moves on, whole area", nil},
		{"100 of the whole area", func(int) interest { return interest{topics: everything} }},
		{"100 of one tenth", func(int) interest {
			return interest{topics: everything, bounded: true, area: box{7, 43, 7.1, 44}}
		}},
		{"100 of a tenth", func(n int) interest {
			west := 7 + float64(n%10)/10
			return interest{topics: everything, bounded: true, area: box{west, 43, west + 0.1, 44}}
		}},
		{"100 of a tenth, each another", func(n int) interest {
			west := 7 + 0.9*float64(n)/100
			return interest{topics: everything, bounded: true, area: box{west, 43, west + 0.1, 44}}
		}},
	} {
		b.Run(c.name, func(b *testing.B) {
			shown := newScene()
			s := &Server{backend: shown, options: Options{Log: slog.New(slog.DiscardHandler)}}
			s.hub = &hub{server: s}
			s.metrics = newMetrics(s)
			still, area := c.area == nil, c.area
			if still {
				area = func(int) interest { return interest{topics: everything} }
			}
			s.hub.subscribers = map[*subscriber]struct{}{}
			var first *sink
			for n := range 100 {
				first = &sink{done: make(chan struct{})}
				s.hub.subscribers[&subscriber{conn: first, interest: area(n), every: 5}] = struct{}{}
			}
			second := func() {
				for range viewsASecond {
					if !still {
						shown.next()
					}
					s.hub.pulse()
					s.hub.pulse()
				}
			}
			second()
			first.bytes = 0
			for b.Loop() {
				second()
			}
			b.ReportMetric(float64(first.bytes)/float64(b.N), "B/subscriber")
		})
	}
}
