package protocol

import (
	"math"
	"math/rand/v2"
	"strconv"
	"testing"
	"time"
)

// The short ways give the same as the standard library, or nothing.

func FuzzPlainNumber(f *testing.F) {
	for _, text := range []string{
		"0", "-0", "0.0", "-0.0", "1", "10", "01", "-", "", ".5", "1.", "1.5e3", "1E3", "1.2.3", "-1.25", "113.930125",
		"9007199254740991", "9007199254740992", "9007199254740993", "0.000000000000000001", "0.0000000000000000001", "12345678901234567890",
		"123456789012345678901", "18446744073709551617", "36893488147419103233", "-18446744073709551617.5", "0.1234567890123456789", "9999999999999999999", "5e-324", "1x", "113.93014500000001", "1,", "2]",
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		v, size := plainNumber(data)
		d := decoder{data: data}
		token, _ := d.jsonToken()
		if size == 0 {
			return
		}
		if d.err != nil || size != len(token) {
			t.Fatalf("took %q of %q, which is %q, %v", data[:size], data, token, d.err)
		}
		if want, err := strconv.ParseFloat(string(token), 64); err != nil || math.Float64bits(v) != math.Float64bits(want) {
			t.Fatalf("%s gave %v, want %v, %v", token, v, want, err)
		}
	})
}

func FuzzPlainTime(f *testing.F) {
	for _, text := range []string{
		"2026-05-04T09:30:00Z", "2026-05-04T09:30:00.25Z", "2026-05-04T09:30:00.123456789Z", "2026-05-04T09:30:00.1234567891Z",
		"2026-05-04T09:30:00.Z", "2026-05-04T09:30:00+08:00", "2026-05-04t09:30:00z", "2026-02-29T09:30:00Z", "2028-02-29T09:30:00Z",
		"2026-05-04T24:30:00Z", "2026-05-04T09:60:00Z", "2026-05-04T09:30:60Z", "2026-00-04T09:30:00Z", "2026-13-04T09:30:00Z",
		"2026-05-00T09:30:00Z", "1999-12-28T23:59:59Z", "2026-05-04T09:30:00,25Z", "2026-05-04 09:30:00Z", "2026-05-04T9:30:00Z", "",
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		got, ok := plainTime(text)
		if !ok {
			return
		}
		var want time.Time
		if err := want.UnmarshalText(text); err != nil || got != want.UTC() {
			t.Fatalf("%q gave %#v, want %#v, %v", text, got, want.UTC(), err)
		}
	})
}

// What vehicles usually write is taken, and gives the same as the library.
func TestUsualNumbersAndTimesGoTheShortWay(t *testing.T) {
	const seed = 3
	r := rand.New(rand.NewPCG(seed, 0))
	for range 20_000 {
		v := (r.Float64() - 0.5) * math.Pow(10, float64(r.IntN(6)))
		text := strconv.FormatFloat(v, 'f', r.IntN(9), 64)
		want, err := strconv.ParseFloat(text, 64)
		if err != nil {
			t.Fatal(err)
		}
		if got, size := plainNumber([]byte(text + ",")); size != len(text) || math.Float64bits(got) != math.Float64bits(want) {
			t.Fatalf("%s gave %v and %d bytes (seed %d)", text, got, size, seed)
		}
		at := time.Unix(MinUnix+r.Int64N(EndUnix-MinUnix), r.Int64N(1e9)).UTC().Truncate(time.Duration(math.Pow(10, float64(r.IntN(10)))))
		text = at.Format(time.RFC3339Nano)
		if got, ok := plainTime([]byte(text)); ok == (at.Month() == time.February && at.Day() == 29) || ok && got != at {
			t.Fatalf("%s gave %v, %v (seed %d)", text, got, ok, seed)
		}
	}
}

func TestHalfFloats(t *testing.T) {
	for bits := range 1 << 16 {
		sign, exponent, fraction := bits>>15, bits>>10&31, float64(bits&1023)
		want := math.Ldexp(1024+fraction, exponent-25)
		switch {
		case exponent == 0:
			want = math.Ldexp(fraction, -24)
		case exponent == 31 && fraction == 0:
			want = math.Inf(1)
		case exponent == 31:
			want = math.NaN()
		}
		if sign != 0 {
			want = -want
		}
		got := halfFloat(uint16(bits))
		if math.IsNaN(got) != math.IsNaN(want) || !math.IsNaN(want) && math.Float64bits(got) != math.Float64bits(want) {
			t.Fatalf("%#04x is %v, want %v", bits, got, want)
		}
	}
}
