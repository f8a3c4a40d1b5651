package simout

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/kapok-fleet/kapok/planner/space"
	"github.com/kapok-fleet/kapok/sim/agent"
)

// How tracks are simplified. A point is left out when the track without it tells,
// for its time, a place within the tolerance. The tolerance is ToleranceM for the
// first trackStage points and doubles with each trackStage more; after
// MaxTrackPoints nothing more is written.
const (
	ToleranceM     = 1.0
	trackStage     = 250_000
	MaxTrackPoints = 2_000_000
	// pieceLen is how many points a feature has: longer tracks are several, each
	// beginning where the one before ended.
	pieceLen = 500
	// windowLen is how many points may be left out in a row.
	windowLen = 64
	// trackEvery is the least time between two points that are looked at.
	trackEvery = time.Second
	// stillM is how little counts as not moved.
	stillM = 0.01
)

// spot is where a vehicle was at a time, in seconds of the run.
type spot struct {
	s  float64
	at space.XYZ
}

// trail is the track of one vehicle as far as it is not written.
type trail struct {
	id, kind string
	last     time.Time
	// kept are the points of the piece; window those behind the last of them that
	// may still be left out.
	kept, window []spot
}

// tracks writes the true tracks of a run as GeoJSON.
type tracks struct {
	to     *bufio.Writer
	frame  space.Frame
	start  time.Time
	trails map[string]*trail
	// order is that in which vehicles appeared.
	order  []*trail
	points int
	pieces int
	line   []byte
	err    error
}

func newTracks(to io.Writer, frame space.Frame, start time.Time) *tracks {
	t := &tracks{to: bufio.NewWriterSize(to, 1<<16), frame: frame, start: start, trails: map[string]*trail{}}
	t.write([]byte(`{"type":"FeatureCollection","features":[`))
	return t
}

func (t *tracks) write(b []byte) {
	if t.err != nil {
		return
	}
	if _, err := t.to.Write(b); err != nil {
		t.err = fmt.Errorf("simout: writing tracks: %w", err)
	}
}

// toleranceM is the tolerance now.
func (t *tracks) toleranceM() float64 {
	return ToleranceM * float64(int(1)<<min(t.points/trackStage, 20))
}

// add takes in where a vehicle is.
func (t *tracks) add(now time.Time, a *agent.Agent) {
	one := t.trails[a.ID()]
	if one == nil {
		one = &trail{id: a.ID(), kind: string(a.Kind())}
		t.trails[one.id], t.order = one, append(t.order, one)
	} else if now.Sub(one.last) < trackEvery {
		return
	}
	one.last = now
	t.extend(one, spot{now.Sub(t.start).Seconds(), a.Body().At})
}

// extend adds a point behind a trail.
func (t *tracks) extend(one *trail, p spot) {
	if len(one.kept) == 0 {
		one.kept = append(one.kept, p)
		return
	}
	// One who stands still needs the first and the last point only.
	if n := len(one.window); n > 1 && still(one.window[n-2], one.window[n-1]) && still(one.window[n-1], p) {
		one.window[n-1] = p
		return
	}
	anchor := one.kept[len(one.kept)-1]
	if n := len(one.window); n > 0 && (n == windowLen || strays(anchor, p, one.window, t.toleranceM())) {
		t.keep(one, one.window[n-1])
		one.window = one.window[:0]
	}
	one.window = append(one.window, p)
}

func still(a, b spot) bool { return a.at.Dist(b.at) < stillM }

// strays tells whether the straight and even way between two points is too far
// from one of those between.
func strays(from, to spot, between []spot, toleranceM float64) bool {
	for _, p := range between {
		share := (p.s - from.s) / (to.s - from.s)
		on := space.XYZ{
			X: from.at.X + share*(to.at.X-from.at.X),
			Y: from.at.Y + share*(to.at.Y-from.at.Y),
			Z: from.at.Z + share*(to.at.Z-from.at.Z),
		}
		if on.Dist(p.at) > toleranceM {
			return true
		}
	}
	return false
}

// keep adds a point to the piece, which is written when it is long enough.
func (t *tracks) keep(one *trail, p spot) {
	one.kept = append(one.kept, p)
	if len(one.kept) >= pieceLen {
		t.piece(one)
		one.kept = append(one.kept[:0], p)
	}
}

// piece writes one feature.
func (t *tracks) piece(one *trail) {
	if len(one.kept) < 2 || t.points >= MaxTrackPoints {
		return
	}
	b := t.line[:0]
	if t.pieces > 0 {
		b = append(b, ',')
	}
	b = append(b, "\n{\"type\":\"Feature\",\"properties\":{\"vehicle\":"...)
	b = appendJSON(b, one.id)
	b = append(b, ",\"kind\":"...)
	b = appendJSON(b, one.kind)
	b = append(b, ",\"tolerance_m\":"...)
	b = strconv.AppendFloat(b, t.toleranceM(), 'g', -1, 64)
	b = append(b, ",\"start\":\""...)
	b = t.start.UTC().AppendFormat(b, time.RFC3339Nano)
	b = append(b, "\",\"times_s\":["...)
	for i, p := range one.kept {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendRounded(b, p.s, 2)
	}
	b = append(b, "]},\"geometry\":{\"type\":\"LineString\",\"coordinates\":["...)
	for i, p := range one.kept {
		if i > 0 {
			b = append(b, ',')
		}
		at := t.frame.Position(p.at)
		b = append(b, '[')
		b = strconv.AppendFloat(b, at.Lon, 'f', 7, 64)
		b = append(b, ',')
		b = strconv.AppendFloat(b, at.Lat, 'f', 7, 64)
		b = append(b, ',')
		b = appendRounded(b, at.AltitudeM, 2)
		b = append(b, ']')
	}
	b = append(b, "]}}"...)
	t.line = b
	t.write(b)
	t.pieces++
	t.points += len(one.kept)
}

// close writes what is left and the end.
func (t *tracks) close() error {
	for _, one := range t.order {
		if n := len(one.window); n > 0 {
			t.keep(one, one.window[n-1])
		}
		t.piece(one)
	}
	complete := "true"
	if t.points >= MaxTrackPoints {
		complete = "false"
	}
	t.write([]byte("\n],\"complete\":" + complete + "}\n"))
	if t.err == nil {
		if err := t.to.Flush(); err != nil {
			t.err = fmt.Errorf("simout: writing tracks: %w", err)
		}
	}
	return t.err
}
