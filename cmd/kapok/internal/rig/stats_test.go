package rig

import (
	"bytes"
	"context"
	"encoding/json"
	"math"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestMedianAndPercentile(t *testing.T) {
	t.Parallel()
	odd, even := []float64{9, 1, 5}, []float64{4, 1, 3, 2}
	for _, test := range []struct {
		name      string
		got, want float64
	}{
		{"median of an odd number", Median(odd), 5},
		{"median of an even number", Median(even), 2.5},
		{"median of one", Median([]float64{7}), 7},
		{"the least", Percentile(even, 0), 1},
		{"the nearest rank", Percentile(even, 50), 2},
		{"just above it", Percentile(even, 50.1), 3},
		{"the greatest", Percentile(even, 100), 4},
		{"99 of 3", Percentile(odd, 99), 9},
	} {
		if test.got != test.want {
			t.Errorf("%s: %g, want %g", test.name, test.got, test.want)
		}
	}
	if !math.IsNaN(Median(nil)) || !math.IsNaN(Percentile(nil, 50)) {
		t.Error("of nothing there is a figure")
	}
	if !slices.Equal(odd, []float64{9, 1, 5}) {
		t.Errorf("the values were changed: %v", odd)
	}
	if got := Ratios([]float64{2, 9, 5}, []float64{1, 3}); !slices.Equal(got, []float64{2, 3}) {
		t.Errorf("ratios %v", got)
	}
}

func TestDelays(t *testing.T) {
	t.Parallel()
	var d, late Delays
	if q := d.Quantiles(); q != (Quantiles{}) {
		t.Errorf("without delays: %+v", q)
	}
	for i := range 1000 {
		d.Add(time.Duration(i+1) * time.Millisecond)
	}
	for p, want := range map[float64]time.Duration{50: 500 * time.Millisecond, 99: 990 * time.Millisecond, 100: time.Second} {
		if got := d.Percentile(p); got < want || got > want*102/100 {
			t.Errorf("p%g is %v, want %v or up to two percent more", p, got, want)
		}
	}
	late.Add(-time.Second)
	late.Add(time.Hour)
	d.Merge(&late)
	d.Merge(&Delays{})
	if d.N() != 1002 || d.Max() != time.Hour || d.Percentile(0) > 10*time.Microsecond {
		t.Errorf("%d delays, least %v, most %v", d.N(), d.Percentile(0), d.Max())
	}
	data, err := json.Marshal(&d)
	if err != nil || !strings.Contains(string(data), `"max_ms":3.6e+06`) && !strings.Contains(string(data), `"max_ms":3600000`) {
		t.Errorf("%s, %v", data, err)
	}
}

func TestAlternateChangesTheOrder(t *testing.T) {
	t.Parallel()
	var order []string
	measure := func(name string) Contender {
		return Contender{Name: name, Measure: func(context.Context) (float64, error) {
			order = append(order, name)
			return float64(len(order)), nil
		}}
	}
	figures, err := Alternate(t.Context(), 3, []Contender{measure("a"), measure("b")}, nil)
	if err != nil || strings.Join(order, "") != "abbaab" || !slices.Equal(figures["b"], []float64{2, 3, 6}) {
		t.Errorf("%v, %v, %v", order, figures, err)
	}
}

func TestReportTellsWhatFails(t *testing.T) {
	t.Parallel()
	r := NewReport([]string{"kapok", "bench", "x"}, true)
	if got := r.Rounds("rate", []float64{3, 1, 2}, "frames/s"); got != 2 {
		t.Errorf("the median is %g", got)
	}
	r.Row("share", 0.123456, "of 1")
	r.AtMost("delay", 5, 5, "ms")
	r.AtLeast("share", 1, 0.5, "of 1")
	if !r.OK() {
		t.Error("bounds that are met exactly do not hold")
	}
	r.AtMost("nothing measured", math.NaN(), 1, "ms")
	r.Note("twice")
	r.Note("twice")
	if r.OK() || len(r.Notes) != 1 {
		t.Errorf("ok %v with a figure that is none; notes %v", r.OK(), r.Notes)
	}
	var b bytes.Buffer
	if err := r.WriteTable(&b); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"rate", "2 frames/s", "0.123 of 1", "at most 5: ok", "at most 1: FAILED", "short run", "Note: twice."} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("the table lacks %q:\n%s", want, b.String())
		}
	}
	if _, err := json.Marshal(r); err != nil {
		t.Errorf("as JSON: %v", err)
	}
}

func TestFigure(t *testing.T) {
	t.Parallel()
	for v, want := range map[float64]string{0: "0", 0.01234: "0.0123", 1.5: "1.5", 99.95: "100", 12345.6: "12346", -3: "-3"} {
		if got := Figure(v); got != want {
			t.Errorf("%g is written %q, want %q", v, got, want)
		}
	}
}

func TestReadMetrics(t *testing.T) {
	t.Parallel()
	text := "# HELP a b\n# TYPE a counter\na{x=\"one two\"} 3\nb 1.5e+06\n\n"
	m, err := readMetrics(strings.NewReader(text))
	if err != nil || len(m) != 2 || m[`a{x="one two"}`] != 3 || m["b"] != 1.5e6 {
		t.Errorf("%v, %v", m, err)
	}
	for _, bad := range []string{"novalue\n", "a b\n"} {
		if _, err := readMetrics(strings.NewReader(bad)); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}

func TestProcessorName(t *testing.T) {
	t.Parallel()
	info := "processor\t: 0\ncpu family\t: 25\nmodel\t\t: 17\nmodel name\t: AMD EPYC\n\nprocessor\t: 1\nmodel name\t: other\n"
	if got := processorName([]byte(info)); got != "AMD EPYC, family 25, model 17" {
		t.Error(got)
	}
	if got := processorName(nil); got != "" {
		t.Error(got)
	}
}
