package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
)

// The bounds of a flight log. Beyond one of them it is refused, with the line.
const (
	maxLogBytes = 128 << 20
	maxLogLine  = 64 << 10
	maxLogRows  = 1_000_000
	// leastFlightS is the shortest flight that says anything of energy.
	leastFlightS = 30
)

// flightLog is a recorded flight: what a DroneDeploy flight recorder wrote, tab
// separated, in imperial units, turned into SI.
type flightLog struct {
	Model     string
	FullMAh   float64
	Cells     float64
	Samples   []flightSample
	Ended     bool // the recorder closed the log itself
	LastLine  int
	Velocity  bool // the columns of speeds are there, with their unit
	Electric  bool // those of current and voltage
	FirstLine int
}

// flightSample is one row. Velocities are in m/s to the north, east and upwards;
// Watts is voltage × current, NaN where either is missing.
type flightSample struct {
	Seconds          float64
	Flying           bool
	Stale            bool
	North, East, Up  float64
	HeightM, Percent float64
	Watts            float64
	Mode             string
}

// logColumns are the places of the columns that are read, -1 for one that is not
// there.
type logColumns struct {
	count                                                                                 int
	seconds, flying, percent, current, voltage, updated, height, velX, velY, velZ, modeAt int
}

const (
	metresPerFoot = 0.3048
	mpsPerMPH     = 0.44704
	// staleAfterMS is how old the recorder's last word from the battery may be.
	staleAfterMS = 3000
)

// readFlightLog reads a log. What it refuses, it names with the line.
func readFlightLog(r io.Reader) (flightLog, error) {
	tail := &lastByte{r: r}
	limited := &io.LimitedReader{R: tail, N: maxLogBytes + 1}
	lines := bufio.NewScanner(limited)
	lines.Buffer(make([]byte, 0, 8<<10), maxLogLine)
	var l flightLog
	var columns *logColumns
	var cut error
	for lines.Scan() {
		if cut != nil {
			return l, cut
		}
		l.LastLine++
		if limited.N == 0 {
			return l, fmt.Errorf("line %d: the log is longer than %d MiB", l.LastLine, maxLogBytes>>20)
		}
		text := string(bytes.TrimSuffix(lines.Bytes(), []byte("\r")))
		var err error
		switch {
		case l.LastLine == 1 && !strings.HasPrefix(strings.TrimPrefix(text, "\ufeff"), "#DroneDeploy"):
			return l, errors.New("line 1: this is no flight recorder's log; it does not begin with #DroneDeploy")
		case columns == nil && strings.HasPrefix(text, "Date/Time (UTC)\t"):
			columns, err = l.columnsOf(text)
		case columns == nil:
			err = l.head(text)
		case text == "" || l.Ended:
		case text == "#Flight Recorder Session End":
			l.Ended = true
		default:
			err = l.row(columns, text)
		}
		if err = faultAt(l.LastLine, err); errors.Is(err, errCutLine) {
			cut = err
			continue
		}
		if err != nil {
			return l, err
		}
	}
	// A recorder that lost its power has not ended its last line; what comes before
	// is as good as ever.
	if cut != nil && tail.last == '\n' {
		return l, cut
	}
	switch err := lines.Err(); {
	case errors.Is(err, bufio.ErrTooLong):
		return l, fmt.Errorf("line %d: it is longer than %d KiB", l.LastLine+1, maxLogLine>>10)
	case err != nil:
		return l, fmt.Errorf("line %d: reading on: %w", l.LastLine, err)
	case l.LastLine == 0:
		return l, errors.New("line 1: the file is empty")
	case columns == nil:
		return l, fmt.Errorf("line %d: the log ends before the names of its columns", l.LastLine)
	}
	return l, nil
}

// errCutLine is the kind of error for a line with too few columns.
var errCutLine = errors.New("the line is cut short")

// faultAt adds the line to an error, if it is one.
func faultAt(line int, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("line %d: %w", line, err)
}

// lastByte remembers the last byte that was read through it.
type lastByte struct {
	r    io.Reader
	last byte
}

func (b *lastByte) Read(p []byte) (int, error) {
	n, err := b.r.Read(p)
	if n > 0 {
		b.last = p[n-1]
	}
	return n, err
}

// head takes a line above the names of the columns.
func (l *flightLog) head(text string) error {
	if l.LastLine > 1000 {
		return errors.New("no names of columns (Date/Time (UTC), ...) in the first 1000 lines")
	}
	name, value, _ := strings.Cut(text, "\t")
	switch name {
	case "Aircraft Model":
		l.Model = value
	case "Full Charge Volume (mAh)":
		l.FullMAh, _ = strconv.ParseFloat(value, 64)
	case "Battery Cells Number":
		l.Cells, _ = strconv.ParseFloat(value, 64)
	}
	return nil
}

// columnsOf finds the columns by their names.
func (l *flightLog) columnsOf(text string) (*logColumns, error) {
	at := map[string]int{}
	names := strings.Split(text, "\t")
	for i, name := range names {
		if _, twice := at[name]; !twice {
			at[name] = i
		}
	}
	find := func(name string) int {
		if i, ok := at[name]; ok {
			return i
		}
		return -1
	}
	c := logColumns{
		count: len(names), seconds: find("Elapsed Time (sec)"), flying: find("Aircraft Flying"),
		percent: find("Aircraft Battery Power (%)"), current: find("Aircraft Battery Current (mA)"),
		voltage: find("Aircraft Battery Voltage (mV)"), updated: find("Aircraft Battery Last Updated (ms)"),
		height: find("Aircraft Barometric Altitude (ft)"), modeAt: find("Aircraft Flight Mode"),
		velX: find("Aircraft Vel - X (mph)"), velY: find("Aircraft Vel - Y (mph)"), velZ: find("Aircraft Vel - Z (mph)"),
	}
	for _, need := range []struct {
		at   int
		name string
	}{{c.seconds, "Elapsed Time (sec)"}, {c.flying, "Aircraft Flying"}, {c.percent, "Aircraft Battery Power (%)"}, {c.height, "Aircraft Barometric Altitude (ft)"}} {
		if need.at < 0 {
			return nil, fmt.Errorf("there is no column %q", need.name)
		}
	}
	l.Velocity = c.velX >= 0 && c.velY >= 0 && c.velZ >= 0
	l.Electric = c.current >= 0 && c.voltage >= 0
	l.FirstLine = l.LastLine + 1
	return &c, nil
}

// row takes a sample. Fields beyond the named ones are left alone.
func (l *flightLog) row(c *logColumns, text string) error {
	fields := strings.Split(text, "\t")
	// The last named column may be empty and its tab left out.
	if len(fields) < c.count-1 || max(c.seconds, c.flying, c.percent, c.height) >= len(fields) {
		return fmt.Errorf("%d columns instead of %d: %w", len(fields), c.count, errCutLine)
	}
	if len(l.Samples) == maxLogRows {
		return fmt.Errorf("more than %d samples", maxLogRows)
	}
	var fault error
	number := func(at int, name string, most float64) float64 {
		if at < 0 || at >= len(fields) {
			return 0
		}
		v, err := strconv.ParseFloat(fields[at], 64)
		if err != nil || !(math.Abs(v) <= most) {
			if fault == nil {
				fault = fmt.Errorf("column %d, %s: %.40q is no number from %g to %g", at+1, name, fields[at], -most, most)
			}
			return 0
		}
		return v
	}
	s := flightSample{
		Seconds: number(c.seconds, "elapsed time", 1e6), HeightM: number(c.height, "altitude", 1e5) * metresPerFoot,
		Percent: number(c.percent, "battery percent", 1000), Flying: fields[c.flying] == "1",
		Watts: math.NaN(),
	}
	if l.Velocity {
		s.North, s.East = number(c.velX, "speed north", 500)*mpsPerMPH, number(c.velY, "speed east", 500)*mpsPerMPH
		s.Up = -number(c.velZ, "speed down", 500) * mpsPerMPH
	}
	if l.Electric {
		amperes, volts := -number(c.current, "current", 1e6)/1000, number(c.voltage, "voltage", 1e6)/1000
		if amperes != 0 && volts > 0 {
			s.Watts = amperes * volts
		}
	}
	if c.updated >= 0 && c.updated < len(fields) {
		ms, err := strconv.ParseFloat(fields[c.updated], 64)
		s.Stale = err != nil || ms > staleAfterMS
	}
	if c.modeAt >= 0 && c.modeAt < len(fields) {
		s.Mode = fields[c.modeAt]
	}
	if n := len(l.Samples); fault == nil && n > 0 && s.Seconds < l.Samples[n-1].Seconds {
		fault = fmt.Errorf("the time goes back from %g to %g s", l.Samples[n-1].Seconds, s.Seconds)
	}
	l.Samples = append(l.Samples, s)
	return fault
}

// flight returns the samples from the first to the last flying one.
func (l *flightLog) flight() ([]flightSample, error) {
	first, last := -1, -1
	for i := range l.Samples {
		if l.Samples[i].Flying {
			if first < 0 {
				first = i
			}
			last = i
		}
	}
	if first < 0 {
		return nil, fmt.Errorf("no sample of lines %d to %d is flying", l.FirstLine, l.LastLine)
	}
	flown := l.Samples[first : last+1]
	cut := ""
	if !l.Ended {
		cut = fmt.Sprintf("; the log was cut short at line %d, without the recorder's end", l.LastLine)
	}
	if span := flown[len(flown)-1].Seconds - flown[0].Seconds; span < leastFlightS {
		return nil, fmt.Errorf("only %.1f s of flight, from line %d, of which nothing can be said; %d s are needed%s",
			span, l.FirstLine+first, leastFlightS, cut)
	}
	if !l.Velocity {
		return nil, fmt.Errorf("line %d: there are no columns Aircraft Vel - X, Y and Z (mph)", l.FirstLine-1)
	}
	return flown, nil
}
