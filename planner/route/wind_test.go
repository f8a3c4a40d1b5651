package route_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/kapok-fleet/kapok/planner/chart"
	"github.com/kapok-fleet/kapok/planner/motion"
	"github.com/kapok-fleet/kapok/planner/route"
	"github.com/kapok-fleet/kapok/planner/space"
)

// levelSeconds is how long the level pieces of a path take in a wind, by small
// steps: in each the aircraft turns its nose until it stays on the line.
func levelSeconds(t *testing.T, c *chart.Chart, path []space.Position, airMPS, windX, windY float64) float64 {
	t.Helper()
	seconds := 0.0
	for i := 1; i < len(path); i++ {
		a, b := c.Frame.XYZ(path[i-1]), c.Frame.XYZ(path[i])
		dx, dy := b.X-a.X, b.Y-a.Y
		length := math.Hypot(dx, dy)
		if length == 0 {
			continue
		}
		if math.Abs(a.Z-b.Z) > 0.01 {
			t.Fatalf("piece %d climbs from %g to %g m on its way", i, a.Z, b.Z)
		}
		// Bisect the nose's angle off the line until the drift across it is nought.
		course := math.Atan2(dy, dx)
		low, high := -math.Pi/2, math.Pi/2
		for range 60 {
			mid := (low + high) / 2
			vx, vy := airMPS*math.Cos(course+mid)+windX, airMPS*math.Sin(course+mid)+windY
			if dx*vy-dy*vx < 0 {
				low = mid
			} else {
				high = mid
			}
		}
		vx, vy := airMPS*math.Cos(course+low)+windX, airMPS*math.Sin(course+low)+windY
		seconds += length / math.Hypot(vx, vy)
	}
	return seconds
}

func windy(t testing.TB, c *chart.Chart, w motion.Wind, zones ...chart.Zone) *route.Planner {
	t.Helper()
	p, err := route.NewPlanner(&route.World{Chart: c, Zones: zones, Wind: w})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// Among towers that all reach above the height limit, the way found in a wind
// takes as long as the wind triangle says, is lawful, and is quicker in that wind
// than the way found for still air.
func TestTheQuickestWayInAWind(t *testing.T) {
	const seed = 7
	r := rand.New(rand.NewPCG(seed, 1))
	quad := spec(t, "kapok-quad")
	other := 0
	for n := range 40 {
		d := chart.Draft{}
		for range 40 {
			x, y := 1800*r.Float64()-900, 1800*r.Float64()-900
			d.Buildings = append(d.Buildings, house("tower", 200, rect(x, y, x+20+80*r.Float64(), y+20+400*r.Float64())))
		}
		c := build(t, d)
		speed, from := 3+9*r.Float64(), 360*r.Float64()
		wind := motion.WindFrom(speed, from, 2)
		q := route.Query{From: pos(-1200, 400*r.Float64(), 0), To: pos(1200, -400*r.Float64(), 0), Spec: quad, Depart: noon()}
		calm, err := planner(t, c).Find(q)
		if err != nil {
			t.Fatalf("seed %d, city %d, still air: %v", seed, n, err)
		}
		found, err := windy(t, c, wind).Find(q)
		if err != nil {
			t.Fatalf("seed %d, city %d, wind %v: %v", seed, n, wind, err)
		}
		check(t, c, nil, route.Query{From: q.From, To: q.To, Spec: quad, Depart: q.Depart}, route.Route{
			Path: found.Path, SpeedsMPS: calmSpeeds(quad, len(found.Path)), Cost: quad.Path(c.Frame, found.Path, 0, nil), LengthM: found.LengthM,
		})
		inWind := func(path []space.Position) float64 {
			return levelSeconds(t, c, path, quad.CruiseMPS, wind.Toward.X, wind.Toward.Y)
		}
		columns := quad.Leg(0, found.Path[1].AltitudeM-found.Path[0].AltitudeM, found.Path[len(found.Path)-2].AltitudeM-q.To.AltitudeM, 0).Seconds
		if want := inWind(found.Path) + columns; math.Abs(found.Cost.Seconds-want) > 0.01 {
			t.Errorf("seed %d, city %d: it is to take %.2f s, by the wind triangle %.2f s", seed, n, found.Cost.Seconds, want)
		}
		if a, b := inWind(found.Path), inWind(calm.Path); a > b+1e-6 {
			t.Errorf("seed %d, city %d: the way in the wind takes %.3f s, that of still air %.3f s in the same wind", seed, n, a, b)
		} else if a < b-0.01 {
			other++
		}
		if least := windy(t, c, wind).LeastCost(&quad, q.From, q.To, 0).Seconds; least > found.Cost.Seconds+1e-6 {
			t.Errorf("seed %d, city %d: the lower bound %.2f s is above the way's %.2f s", seed, n, least, found.Cost.Seconds)
		}
	}
	if other == 0 {
		t.Errorf("seed %d: in no city was another way the quicker one in the wind", seed)
	}
}

func calmSpeeds(s motion.Spec, points int) []float64 {
	speeds := make([]float64, points-1)
	for i := range speeds {
		speeds[i] = s.CruiseMPS
	}
	return speeds
}

// A zone that begins at noon and five minutes is passed before it begins in still
// air, and is in the way when the wind holds the aircraft back.
func TestWindMakesAZoneMatter(t *testing.T) {
	c := build(t, chart.Draft{})
	zone := chart.Zone{
		ID: "show", Rule: chart.KeepOut, Polygon: rect(0, -300, 200, 300), Airborne: true,
		From: noon().Add(5 * time.Minute),
	}
	q := route.Query{From: pos(-1500, 0, 0), To: pos(1500, 0, 0), Spec: spec(t, "kapok-quad"), Depart: noon()}
	if r, err := windy(t, c, motion.Wind{}, zone).Find(q); err != nil || len(r.Path) != 4 {
		t.Errorf("in still air: %s, %v; want the straight way", draw(r.Path), err)
	}
	r, err := windy(t, c, motion.WindFrom(8, 90, 0), zone).Find(q)
	if err != nil || len(r.Path) <= 4 {
		t.Errorf("against the wind: %s, %v; want a way around the zone", draw(r.Path), err)
	}
}

func TestTooMuchWind(t *testing.T) {
	c := build(t, chart.Draft{})
	q := route.Query{From: pos(-1500, 0, 0), To: pos(1500, 0, 0), Spec: spec(t, "kapok-quad"), Depart: noon()}
	for _, c2 := range []struct {
		name      string
		wind      motion.Wind
		is, limit float64
	}{
		{"steady", motion.WindFrom(14.5, 10, 0), 14.5, 14},
		{"gusts", motion.WindFrom(10, 10, 11), 21, 20},
	} {
		_, err := windy(t, c, c2.wind).Find(q)
		no, ok := err.(*route.Refusal) //nolint:errorlint // Find promises the type.
		if !ok || no.Rule != route.TooWindy || math.Abs(no.Number-c2.is) > 1e-6 || no.Limit != c2.limit {
			t.Errorf("%s: %v; want too_windy, %g against %g", c2.name, err, c2.is, c2.limit)
		}
		if want := fmt.Sprintf(": %.1f m/s against a limit of %.1f m/s", c2.is, c2.limit); !strings.HasSuffix(err.Error(), want) {
			t.Errorf("%s: %q; want it to end in %q", c2.name, err, want)
		}
	}
	rover := q
	rover.Spec = spec(t, "kapok-boat")
	rover.From, rover.To = pos(0, 0, 0), pos(10, 0, 0)
	if _, err := windy(t, c, motion.WindFrom(30, 0, 0)).Find(rover); err != nil {
		if no, ok := err.(*route.Refusal); ok && no.Rule == route.TooWindy { //nolint:errorlint // as above.
			t.Errorf("a boat is refused for wind: %v", err)
		}
	}
}
