package server

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/kapok-fleet/kapok/fleet"
	"github.com/kapok-fleet/kapok/planner/space"
	"github.com/kapok-fleet/kapok/protocol"
)

// TestAppendMovingIsJSON compares the fast encoding with that of encoding/json,
// for usual vehicles and for strange ones.
func TestAppendMovingIsJSON(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	chance := rand.New(rand.NewPCG(seed, 3))
	number := func() float64 {
		switch chance.IntN(8) {
		case 0:
			return 0
		case 1:
			return math.Copysign(0, -1)
		case 2:
			return math.Float64frombits(chance.Uint64())
		case 3:
			return []float64{1e-6, 9.99e-7, 1e21, 9.99e20, 1e-9, 1e-10, 1e-100, 5e-324, math.MaxFloat64, -1e-7}[chance.IntN(10)]
		case 4:
			return math.Round(360*chance.Float64()*1e7) / 1e7
		default:
			return 400*chance.Float64() - 200
		}
	}
	text := func() string {
		return []string{"", "r1", "vehicle-00017", "a\"b", `back\slash`, "<script>&", "tab\tline\nend\x00\x7f", "Zürich 上海", "\u2028\u2029", "bad\xff\xfe", "-1"}[chance.IntN(11)]
	}
	instant := func() time.Time {
		switch chance.IntN(6) {
		case 0:
			return time.Time{}
		case 1:
			return time.Date(12000, 1, 1, 0, 0, 0, 0, time.UTC) // Beyond RFC 3339.
		case 2:
			return time.Unix(chance.Int64N(4e9), chance.Int64N(1e9)).In(time.FixedZone("", 60*(chance.IntN(1400)-700)))
		default:
			return time.Unix(chance.Int64N(4e9), 1e6*chance.Int64N(1000)).UTC()
		}
	}
	refused := 0
	const rounds = 50_000
	for range rounds {
		id := fleet.VehicleID(text())
		state := fleet.NewState()
		state.Durable.Vehicles[id] = &fleet.Vehicle{ID: id, Kind: protocol.Rover}
		var p *fleet.Presence
		if chance.IntN(10) > 0 {
			p = &fleet.Presence{Link: fleet.LinkState(text()), LastHeard: instant(), Known: chance.IntN(4) > 0, Sample: protocol.Sample{
				Time: instant(), Position: protocol.Position(space.Position{Lon: number(), Lat: number(), AltitudeM: number(), Level: text()}),
				SpeedMPS: number(), HeadingDeg: number(), BatteryRatio: number(), Mode: protocol.Mode(text()),
			}}
			state.Volatile.Presences[id] = p
		}
		v, _ := state.VehicleView(id)
		want, wantErr := json.Marshal(v.Moving())
		got, err := appendMoving([]byte("before"), id, p)
		if (err == nil) != (wantErr == nil) || err == nil && string(got) != "before"+string(want) {
			t.Fatalf("%+v\nis %s, %v\nwant %s, %v", p, got, err, want, wantErr)
		}
		if err != nil {
			refused++
		}
	}
	if refused == 0 || refused > rounds*9/10 {
		t.Errorf("%d of %d cannot be encoded: the test tests little", refused, rounds)
	}
}

// BenchmarkAppendMoving is one vehicle's position.
func BenchmarkAppendMoving(b *testing.B) {
	p := &fleet.Presence{Link: fleet.LinkLive, LastHeard: time.Unix(1e9, 123456789).UTC(), Known: true, Sample: protocol.Sample{
		Time: time.Unix(1e9, 0).UTC(), Position: protocol.Position{Lon: 7.4189463, Lat: 43.7314512, AltitudeM: 12.5},
		SpeedMPS: 4.2, HeadingDeg: 271.3, BatteryRatio: 0.731, Mode: protocol.ModeIdle,
	}}
	var buffer []byte
	for b.Loop() {
		var err error
		if buffer, err = appendMoving(buffer[:0], "vehicle-00017", p); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(len(buffer)), "B")
}
