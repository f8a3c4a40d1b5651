package simout

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/kapok-fleet/kapok/cmd/kapok/internal/mcap"
	"github.com/kapok-fleet/kapok/fleet"
	"github.com/kapok-fleet/kapok/planner/chart"
	"github.com/kapok-fleet/kapok/sim/agent"
)

// The files of a run's folder.
const (
	ResultFile  = "result.json"
	JUnitFile   = "junit.xml"
	SummaryFile = "summary.md"
	EventsFile  = "events.ndjson"
	TracksFile  = "tracks.geojson"
	MCAPFile    = "run.mcap"
)

// MaxEventsBytes is how large events.ndjson may become by volatile events:
// beyond it only durable ones are written.
const MaxEventsBytes = 1 << 30

// Recorder writes the recordings of one run into its folder. It has one owner.
// After an error nothing more is written, and Close returns it.
type Recorder struct {
	files  []*os.File
	events *bufio.Writer
	bytes  int64
	tracks *tracks
	fox    *foxglove
	err    error
}

// Record makes the folder and begins its recordings, in place of those that may
// be there. Start is the time at the beginning of the run.
func Record(dir string, on *chart.Chart, start time.Time, scenario string, seed uint64) (*Recorder, error) {
	r := &Recorder{}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("simout: making the folder of the run: %w", err)
	}
	var to [3]io.Writer
	for i, name := range []string{EventsFile, TracksFile, MCAPFile} {
		f, err := os.Create(filepath.Join(dir, name))
		if err != nil {
			_ = r.closeFiles()
			return nil, fmt.Errorf("simout: making a recording: %w", err)
		}
		r.files, to[i] = append(r.files, f), f
	}
	r.events = bufio.NewWriterSize(to[0], 1<<16)
	r.tracks = newTracks(to[1], on.Frame, start)
	r.fox = newFoxglove(to[2], on, start, []mcap.Pair{
		{Key: "scenario", Value: scenario}, {Key: "seed", Value: fmt.Sprint(seed)}, {Key: "chart", Value: on.Name},
	})
	return r, nil
}

// Event records an event. It is sim.Options.OnEvent.
func (r *Recorder) Event(e fleet.Recorded) {
	if r.err != nil {
		return
	}
	r.fox.event(e)
	if r.bytes > MaxEventsBytes && !e.Event.Lasting() {
		return
	}
	line, err := fleet.EncodeEvent(e)
	if err == nil {
		_, err = r.events.Write(append(line, '\n'))
	}
	r.bytes += int64(len(line)) + 1
	if err != nil {
		r.err = fmt.Errorf("simout: writing events: %w", err)
	}
}

// Track records where a vehicle truly is. It is sim.Options.OnTrack.
func (r *Recorder) Track(now time.Time, a *agent.Agent) {
	if r.err != nil {
		return
	}
	r.tracks.add(now, a)
	r.fox.track(now, a)
}

// Close ends the recordings.
func (r *Recorder) Close() error {
	err := errors.Join(r.err, r.tracks.close(), r.fox.close())
	if e := r.events.Flush(); e != nil {
		err = errors.Join(err, fmt.Errorf("simout: writing events: %w", e))
	}
	return errors.Join(err, r.closeFiles())
}

func (r *Recorder) closeFiles() error {
	var all error
	for _, f := range r.files {
		if err := f.Close(); err != nil {
			all = errors.Join(all, fmt.Errorf("simout: closing a recording: %w", err))
		}
	}
	return all
}
