package rig

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"time"
)

// Median is the middle value, the mean of the two middle ones of an even number,
// and NaN of none. It leaves the values as they are.
func Median(values []float64) float64 {
	if len(values) == 0 {
		return math.NaN()
	}
	sorted := slices.Sorted(slices.Values(values))
	middle := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[middle]
	}
	return (sorted[middle-1] + sorted[middle]) / 2
}

// Percentile is the smallest value that at least p percent of the values do not
// exceed (the nearest rank), p from 0 to 100, and NaN of none. It leaves the
// values as they are.
func Percentile(values []float64, p float64) float64 {
	if len(values) == 0 {
		return math.NaN()
	}
	sorted := slices.Sorted(slices.Values(values))
	rank := int(math.Ceil(p / 100 * float64(len(sorted))))
	return sorted[min(max(rank, 1), len(sorted))-1]
}

// Ratios divides value by value; the shorter list decides how many there are.
func Ratios(values, baseline []float64) []float64 {
	ratios := make([]float64, min(len(values), len(baseline)))
	for i := range ratios {
		ratios[i] = values[i] / baseline[i]
	}
	return ratios
}

const (
	// A delay is kept in steps of two percent, from ten microseconds on.
	delayStep  = 1.02
	delayLeast = 10 * time.Microsecond
	// delaySteps reach beyond ten minutes, where all longer ones are counted.
	delaySteps = 910
)

// Delays counts delays in steps of two percent, in bounded memory. The zero value
// is ready. It is not for several goroutines at once. As JSON it is an object with
// n, p50_ms, p90_ms, p99_ms, p999_ms and max_ms, the last five absent for none.
type Delays struct {
	counts  []int64
	n       int64
	longest time.Duration
}

// Add counts a delay; a negative one counts as none.
func (d *Delays) Add(delay time.Duration) {
	if d.counts == nil {
		d.counts = make([]int64, delaySteps)
	}
	at := 0
	if delay > delayLeast {
		at = int(math.Ceil(math.Log(float64(delay)/float64(delayLeast)) / math.Log(delayStep)))
	}
	d.counts[min(at, delaySteps-1)]++
	d.n++
	d.longest = max(d.longest, delay)
}

// Merge adds the delays of another.
func (d *Delays) Merge(o *Delays) {
	if o.n == 0 {
		return
	}
	if d.counts == nil {
		d.counts = make([]int64, delaySteps)
	}
	for i, n := range o.counts {
		d.counts[i] += n
	}
	d.n += o.n
	d.longest = max(d.longest, o.longest)
}

// N is how many were counted.
func (d *Delays) N() int64 { return d.n }

// Max is the longest, exactly; 0 for none.
func (d *Delays) Max() time.Duration { return d.longest }

// Percentile is as the function of this name, up to two percent too long; 0 for
// none.
func (d *Delays) Percentile(p float64) time.Duration {
	rank := min(max(int64(math.Ceil(p/100*float64(d.n))), 1), d.n)
	var below int64
	for i, n := range d.counts {
		if below += n; n > 0 && below >= rank {
			bound := time.Duration(float64(delayLeast) * math.Pow(delayStep, float64(i)))
			return min(bound, d.longest)
		}
	}
	return d.longest
}

// Quantiles are Delays as they are written. Delays in milliseconds, 0 where there
// is none.
type Quantiles struct {
	N      int64   `json:"n"`
	P50MS  float64 `json:"p50_ms"`
	P90MS  float64 `json:"p90_ms"`
	P99MS  float64 `json:"p99_ms"`
	P999MS float64 `json:"p999_ms"`
	MaxMS  float64 `json:"max_ms"`
}

// Quantiles sums the delays up.
func (d *Delays) Quantiles() Quantiles {
	return Quantiles{d.n, ms(d.Percentile(50)), ms(d.Percentile(90)), ms(d.Percentile(99)), ms(d.Percentile(99.9)), ms(d.longest)}
}

// MarshalJSON implements json.Marshaler.
func (d *Delays) MarshalJSON() ([]byte, error) { return json.Marshal(d.Quantiles()) }

// String is for logs.
func (q Quantiles) String() string {
	return fmt.Sprintf("%d, p50 %.3g ms, p99 %.3g ms, longest %.3g ms", q.N, q.P50MS, q.P99MS, q.MaxMS)
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
