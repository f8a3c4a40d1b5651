package space

import (
	"math"
	"math/rand/v2"
	"testing"
)

func TestWithinIsDistanceAndHeight(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 7))
	for range 20_000 {
		a := Position{Lon: 360*r.Float64() - 180, Lat: 178*r.Float64() - 89, AltitudeM: 100 * r.Float64()}
		b := Position{Lon: a.Lon + r.NormFloat64()*0.01, Lat: a.Lat + r.NormFloat64()*0.01, AltitudeM: 100 * r.Float64()}
		metres := 2000 * r.Float64()
		want := Distance(a, b) <= metres && math.Abs(a.AltitudeM-b.AltitudeM) <= metres
		if got := Within(a, b, metres); got != want {
			t.Fatalf("%v and %v within %.1f m: %v, they are %.1f m apart", a, b, metres, got, Distance(a, b))
		}
	}
}

func TestWithinAtTheEdges(t *testing.T) {
	west, east := Position{Lon: 179.9999, Lat: 10}, Position{Lon: -179.9999, Lat: 10}
	for _, c := range []struct {
		name   string
		a, b   Position
		metres float64
		want   bool
	}{
		{"across the antimeridian", west, east, 30, true},
		{"and not nearer", west, east, 20, false},
		{"one place", west, west, 0, true},
		{"above each other", Position{AltitudeM: 0}, Position{AltitudeM: 31}, 30, false},
		{"no number", Position{Lat: math.NaN()}, Position{}, 1e9, false},
		{"no height", Position{AltitudeM: math.NaN()}, Position{}, 1e9, false},
	} {
		if got := Within(c.a, c.b, c.metres); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}
