package geoid

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"testing"

	"github.com/paulmach/orb"
)

// TestPublishedPoints uses the points that NGA gives with its program for EGM96.
func TestPublishedPoints(t *testing.T) {
	g, err := EGM96()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		lat, lon, wantM float64
	}{
		{38.6281550, 269.7791550, -31.628},
		{-14.6212170, 305.0211140, -2.969},
		{46.8743190, 102.4487290, -43.575},
		{-23.6174460, 133.8747120, 15.871},
		{38.6254730, 359.9995000, 50.066},
		{-0.4667440, 0.0023000, 17.329},
	} {
		got := g.UndulationM(orb.Point{c.lon, c.lat})
		t.Logf("%g, %g: %.3f m, published %.3f", c.lat, c.lon, got, c.wantM)
		if math.Abs(got-c.wantM) > ReducedError99M {
			t.Errorf("%g, %g: %.3f m, published %.3f", c.lat, c.lon, got, c.wantM)
		}
		if again := g.UndulationM(orb.Point{c.lon - 360, c.lat}); math.Abs(again-got) > 1e-6 {
			t.Errorf("once round the earth %g m became %g", got, again)
		}
	}
	// Hong Kong, Shenzhen and Zurich, by the model's own grid.
	for _, c := range []struct {
		at    orb.Point
		wantM float64
	}{{orb.Point{114.17, 22.32}, -2.185}, {orb.Point{8.54, 47.37}, 47.238}} {
		if got := g.UndulationM(c.at); math.Abs(got-c.wantM) > ReducedError99M {
			t.Errorf("%v: %.2f m, want %.2f", c.at, got, c.wantM)
		}
	}
	for _, p := range []orb.Point{{0, 90}, {0, -90}, {180, 0}, {-180, 0}, {math.NaN(), 0}, {0, math.Inf(1)}, {1e300, 0}} {
		if m := g.UndulationM(p); !(math.Abs(m) < 110) {
			t.Errorf("%v: %g m", p, m)
		}
	}
}

// gtx writes a grid as PROJ does.
func gtx(step float64, rows, cols int, at func(row, col int) float32) []byte {
	var out []byte
	for _, v := range []float64{-90, -180, step, step} {
		out = binary.BigEndian.AppendUint64(out, math.Float64bits(v))
	}
	out = binary.BigEndian.AppendUint32(out, uint32(rows))
	out = binary.BigEndian.AppendUint32(out, uint32(cols))
	for row := range rows {
		for col := range cols {
			out = binary.BigEndian.AppendUint32(out, math.Float32bits(at(row, col)))
		}
	}
	return out
}

// grd writes a grid as NGA does, with the meridian of 360 degrees.
func grd(step float64, rows, cols int, at func(row, col int) float32) []byte {
	var out bytes.Buffer
	fmt.Fprintf(&out, "  -90.000000   90.000000     .000000  360.000000 %9.6f %9.6f\n\n", step, step)
	for row := rows - 1; row >= 0; row-- {
		for col := range cols + 1 {
			fmt.Fprintf(&out, " %8.3f", at(row, col%cols))
		}
		out.WriteString("\n")
	}
	return out.Bytes()
}

func TestFilesOfGrids(t *testing.T) {
	wave := func(row, col int) float32 { return float32(row) + 10*float32(math.Sin(float64(col)*math.Pi/36)) }
	fromGTX, err := Read("dir/egm96.gtx", bytes.NewReader(gtx(5, 37, 72, wave)))
	if err != nil {
		t.Fatal(err)
	}
	fromGRD, err := Read("WW15MGH.GRD", bytes.NewReader(grd(5, 37, 72, wave)))
	if err != nil {
		t.Fatal(err)
	}
	if fromGTX.String() != "egm96.gtx" {
		t.Errorf("named %q", fromGTX)
	}
	// Their first columns lie half the earth apart, where the wave has turned.
	const seed = 4
	rng := rand.New(rand.NewPCG(seed, 0))
	for range 500 {
		p := orb.Point{360*rng.Float64() - 180, 150*rng.Float64() - 75}
		row := (p[1] + 90) / 5
		if got, want := fromGTX.UndulationM(p), row+10*math.Sin((p[0]+180)*math.Pi/180); math.Abs(got-want) > 0.05 {
			t.Fatalf("seed %d: %v: %g m by .gtx, want %g", seed, p, got, want)
		}
		if got, want := fromGRD.UndulationM(p), row+10*math.Sin(p[0]*math.Pi/180); math.Abs(got-want) > 0.05 {
			t.Fatalf("seed %d: %v: %g m by .grd, want %g", seed, p, got, want)
		}
	}
}

func TestFilesRefused(t *testing.T) {
	flat := func(int, int) float32 { return 1 }
	whole := gtx(5, 37, 72, flat)
	for name, c := range map[string]struct {
		file string
		data []byte
	}{
		"cut off":    {"a.gtx", whole[:400]},
		"no head":    {"a.gtx", whole[:10]},
		"too long":   {"a.gtx", append(bytes.Clone(whole), 1)},
		"not round":  {"a.gtx", gtx(5, 37, 50, flat)},
		"no poles":   {"a.gtx", gtx(5, 20, 72, flat)},
		"no numbers": {"a.gtx", gtx(5, 37, 72, func(int, int) float32 { return float32(math.NaN()) })},
		"garbage":    {"a.gtx", bytes.Repeat([]byte{0xfe}, 5000)},
		"no text":    {"a.grd", whole},
		"half":       {"a.grd", grd(5, 37, 72, flat)[:1000]},
		"other":      {"a.pgm", whole},
	} {
		if _, err := Read(c.file, bytes.NewReader(c.data)); !errors.Is(err, ErrFile) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzRead(f *testing.F) {
	flat := func(int, int) float32 { return 1 }
	f.Add("a.gtx", gtx(10, 19, 36, flat))
	f.Add("a.grd", grd(10, 19, 36, flat))
	f.Fuzz(func(t *testing.T, name string, data []byte) {
		g, err := Read(name, bytes.NewReader(data))
		switch {
		case err != nil && !errors.Is(err, ErrFile):
			t.Fatal(err)
		case err == nil && !(math.Abs(g.UndulationM(orb.Point{7, 43})) < 10*greatestUndulationM):
			t.Fatalf("the sea is at %g m", g.UndulationM(orb.Point{7, 43}))
		}
	})
}

// TestReduced compares the reduced grid with the model's own where that is at
// hand, in the file that KAPOK_EGM96 names (PROJ's egm96_15.gtx). With
// KAPOK_EGM96_WRITE set it writes the reduced grid anew.
func TestReduced(t *testing.T) {
	name := os.Getenv("KAPOK_EGM96")
	if name == "" {
		t.Skip("set KAPOK_EGM96 to the file egm96_15.gtx to compare with it")
	}
	file, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	full, err := Read(name, file)
	if err != nil {
		t.Fatal(err)
	}
	if os.Getenv("KAPOK_EGM96_WRITE") != "" {
		reduced = reduce(t, full)
		if err := os.WriteFile("egm96-30min.bin", reduced, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	small, err := EGM96()
	if err != nil {
		t.Fatal(err)
	}
	sum, most, beyond, count := 0.0, 0.0, 0, 0
	for i, m := range full.m {
		at := orb.Point{full.west + float64(i%full.cols)*full.step, -90 + float64(i/full.cols)*full.step}
		off := math.Abs(small.UndulationM(at) - float64(m))
		sum += off * off
		most = max(most, off)
		if count++; off > ReducedError99M {
			beyond++
		}
	}
	t.Logf("%d points: root of the mean square %.3f m, at most %.2f m, %.2f %% beyond %g m", count, math.Sqrt(sum/float64(count)), most, 100*float64(beyond)/float64(count), ReducedError99M)
	for _, p := range []orb.Point{{114.17, 22.32}, {8.54, 47.37}} {
		t.Logf("%v: %.3f m", p, full.UndulationM(p))
	}
	if math.Sqrt(sum/float64(count)) > ReducedErrorM || most > ReducedErrorAtMostM || beyond > count/100 {
		t.Error("the reduced grid is worse than is stated")
	}
}

// reduce takes every second point of a grid of 15 minutes, in decimetres.
func reduce(t *testing.T, full *Grid) []byte {
	t.Helper()
	values := make([]int64, reducedRows*reducedCols)
	var steps []byte
	for i := range values {
		m := full.m[2*(i/reducedCols)*full.cols+2*(i%reducedCols)]
		values[i] = int64(math.Round(reducedPerM * float64(m)))
		steps = binary.AppendVarint(steps, values[i]-foretold(values, i, reducedCols))
	}
	var out bytes.Buffer
	w, err := flate.NewWriter(&out, flate.BestCompression)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(steps); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}
