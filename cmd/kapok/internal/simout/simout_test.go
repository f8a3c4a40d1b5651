package simout

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/paulmach/orb"

	"github.com/kapok-fleet/kapok/planner/space"
)

func TestAnnotationsAreEscapedAsTheRunnerReadsThem(t *testing.T) {
	r := &Report{File: "a,b:c%.yaml", Scenario: "s", Repeat: "kapok sim run 'x'", Verdicts: []Verdict{
		{Kind: Assertion, Name: "a", Passed: true},
		{Kind: Assertion, Name: "100%", Expected: "x\r\ny", Got: "::error::no", AtS: 1, Line: 7, Who: "R1"},
	}}
	var out bytes.Buffer
	if err := WriteAnnotations(&out, []*Report{r}); err != nil {
		t.Fatal(err)
	}
	want := "::error file=a%2Cb%3Ac%25.yaml,line=7,title=s::assertion 100%25: expected x%0D%0Ay, got ::error::no, at 1.0 s, R1%0Arepeat: kapok sim run 'x'\n"
	if out.String() != want {
		t.Errorf("%q\nwant\n%q", out.String(), want)
	}
	for range 50 {
		r.Verdicts = append(r.Verdicts, r.Verdicts[1])
	}
	out.Reset()
	if err := WriteAnnotations(&out, []*Report{r}); err != nil || strings.Count(out.String(), "\n") != maxAnnotations || !strings.Contains(out.String(), "51 verdicts failed") {
		t.Errorf("%v\n%s", err, out.String())
	}
}

// TestTextsOfStrangersStayTexts gives every place a text that is code in its form.
func TestTextsOfStrangersStayTexts(t *testing.T) {
	evil := "a|b <script> `c` \x1b[31m ]]> & \"q\"\n# head"
	r := &Report{File: evil, Scenario: evil, Proves: evil, Repeat: evil, Error: evil, Verdicts: []Verdict{{Kind: Checker, Name: evil, Expected: evil, Got: evil, Who: evil}}}
	var junit, summary bytes.Buffer
	if err := WriteJUnit(&junit, []*Report{r}); err != nil {
		t.Fatal(err)
	}
	if err := xml.Unmarshal(junit.Bytes(), &struct {
		XMLName xml.Name `xml:"testsuites"`
	}{}); err != nil {
		t.Errorf("%v\n%s", err, junit.String())
	}
	if err := WriteSummary(&summary, []*Report{r}); err != nil {
		t.Fatal(err)
	}
	if text := summary.String(); strings.Contains(text, "| b") || strings.Contains(strings.Split(text, "Repeat:")[0], "<script>") ||
		strings.Contains(text, "\x1b") || strings.Contains(text, "\n# head") {
		t.Errorf("%s", text)
	}
}

// TestTracksStayWithinTheirTolerance draws ways and holds every point that was
// left out against the track, for its time.
func TestTracksStayWithinTheirTolerance(t *testing.T) {
	frame := space.NewFrame(orb.Point{7.4, 43.7})
	seed := rand.Uint64()
	draw := rand.New(rand.NewPCG(seed, 1))
	var out bytes.Buffer
	tr := newTracks(&out, frame, time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC))
	one := &trail{id: "D1", kind: "multirotor"}
	tr.trails["D1"], tr.order = one, append(tr.order, one)
	var way []spot
	at, speed, heading := space.XYZ{}, 0.0, 0.0
	for s := range 5000 {
		if draw.IntN(20) == 0 {
			speed, heading = float64(draw.IntN(3))*7, draw.Float64()*2*math.Pi
		}
		at.X, at.Y = at.X+speed*math.Cos(heading), at.Y+speed*math.Sin(heading)
		way = append(way, spot{float64(s), at})
		tr.extend(one, way[s])
	}
	if err := tr.close(); err != nil {
		t.Fatal(err)
	}
	var all struct {
		Features []struct {
			Properties struct {
				Times []float64 `json:"times_s"`
			}
			Geometry struct{ Coordinates [][3]float64 }
		}
	}
	if err := json.Unmarshal(out.Bytes(), &all); err != nil {
		t.Fatal(err)
	}
	kept, next := 0, 0
	for _, f := range all.Features {
		times := f.Properties.Times
		for i := 1; i < len(times); i++ {
			kept++
			from, to := xyz(frame, f.Geometry.Coordinates[i-1]), xyz(frame, f.Geometry.Coordinates[i])
			for ; next < len(way) && way[next].s <= times[i]; next++ {
				// The coordinates are rounded to about a centimetre.
				if strays(spot{times[i-1], from}, spot{times[i], to}, way[next:next+1], ToleranceM+0.05) {
					t.Fatalf("seed %d: at %g s the track is too far away", seed, way[next].s)
				}
			}
		}
	}
	if next != len(way) || kept > len(way)/5 {
		t.Errorf("seed %d: the track covers %d of %d points with %d", seed, next, len(way), kept)
	}
}

func xyz(frame space.Frame, at [3]float64) space.XYZ {
	return frame.XYZ(space.Position{Lon: at[0], Lat: at[1], AltitudeM: at[2]})
}
