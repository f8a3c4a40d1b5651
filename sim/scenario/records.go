package scenario

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"time"
)

// The limits of files of demand; a file beyond one of them is refused.
const (
	MaxDemandBytes   = 64 << 20
	MaxDemandEntries = MaxOrders
	// MaxDemandLine is the longest line of a file of calls, in bytes.
	MaxDemandLine = 64 << 10
	// maxAddress is how much of an address is kept.
	maxAddress = 256
)

// ErrDemand is the kind of error for a file of demand that cannot be read.
var ErrDemand = errors.New("invalid demand")

// loggiFile is the shape of a Loggi file. Other keys are left alone.
type loggiFile struct {
	Origin     *loggiPoint `json:"origin"`
	Deliveries []struct {
		ID    string      `json:"id"`
		Point *loggiPoint `json:"point"`
		Size  int         `json:"size"`
	} `json:"deliveries"`
}

type loggiPoint struct {
	Lng *float64 `json:"lng"`
	Lat *float64 `json:"lat"`
}

// valid tells whether it is a place on the earth.
func (p *loggiPoint) valid() bool {
	return p != nil && p.Lng != nil && p.Lat != nil && math.Abs(*p.Lng) <= 180 && math.Abs(*p.Lat) <= 90
}

// ReadLoggi reads a file of the Loggi benchmark (loggibud, CVRP instances). Errors
// are of kind ErrDemand and begin with the name and, for what is no JSON, the line.
func ReadLoggi(name string, in io.Reader) (Parcels, error) {
	data, err := io.ReadAll(io.LimitReader(in, MaxDemandBytes+1))
	if err != nil {
		return Parcels{}, fmt.Errorf("%s: reading it: %w", name, err)
	}
	if len(data) > MaxDemandBytes {
		return Parcels{}, fmt.Errorf("%s: %w: it is longer than %d bytes", name, ErrDemand, MaxDemandBytes)
	}
	var file loggiFile
	if err := json.Unmarshal(data, &file); err != nil {
		return Parcels{}, fmt.Errorf("%s: %w: %w", jsonPlace(name, data, err), ErrDemand, err)
	}
	if !file.Origin.valid() {
		return Parcels{}, fmt.Errorf(`%s: %w: origin is no {"lng": …, "lat": …}`, name, ErrDemand)
	}
	if n := len(file.Deliveries); n == 0 || n > MaxDemandEntries {
		return Parcels{}, fmt.Errorf("%s: %w: it has %d deliveries: it must have 1 to %d", name, ErrDemand, n, MaxDemandEntries)
	}
	out := Parcels{Hub: Parcel{Lon: *file.Origin.Lng, Lat: *file.Origin.Lat}}
	for i, d := range file.Deliveries {
		if !d.Point.valid() {
			return Parcels{}, fmt.Errorf(`%s: %w: deliveries[%d].point is no {"lng": …, "lat": …}`, name, ErrDemand, i)
		}
		if d.Size < 1 || d.Size > 10_000 {
			return Parcels{}, fmt.Errorf("%s: %w: deliveries[%d].size is %d: it must be 1 to 10000", name, ErrDemand, i, d.Size)
		}
		out.List = append(out.List, Parcel{Lon: *d.Point.Lng, Lat: *d.Point.Lat, Size: d.Size})
	}
	return out, nil
}

// jsonPlace is where JSON is wrong.
func jsonPlace(name string, data []byte, err error) string {
	at := int64(-1)
	if e, ok := errors.AsType[*json.SyntaxError](err); ok {
		at = e.Offset
	} else if e, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		at = e.Offset
	}
	if at < 0 || at > int64(len(data)) {
		return name
	}
	before := string(data[:at])
	line := strings.Count(before, "\n") + 1
	return fmt.Sprintf("%s:%d:%d", name, line, len(before)-strings.LastIndexByte(before, '\n'))
}

// callColumns are the columns of a file of calls.
func callColumns() []string {
	return []string{"timestamp", "incident_number", "level", "units", "location", "incident_type"}
}

// callTime is how a file of calls writes times.
const callTime = "1/2/2006 3:04:05 PM"

// ReadSeattleFire reads a file of calls of the Seattle Fire Department, in order
// of time: lines with tabs, the first of them naming the columns. Calls that
// KindOfCall does not know are left out; skipped counts them. Errors are of kind
// ErrDemand and begin with the name and the line.
func ReadSeattleFire(name string, in io.Reader) (calls []Call, skipped int, err error) {
	lines := bufio.NewScanner(io.LimitReader(in, MaxDemandBytes))
	lines.Buffer(make([]byte, 0, 4096), MaxDemandLine)
	number := 0
	bad := func(format string, args ...any) ([]Call, int, error) {
		return nil, 0, fmt.Errorf("%s:%d: %w: %s", name, number, ErrDemand, fmt.Sprintf(format, args...))
	}
	for lines.Scan() {
		number++
		cells := strings.Split(strings.TrimSuffix(lines.Text(), "\r"), "\t")
		if number == 1 {
			if !slices.Equal(cells, callColumns()) {
				return bad("the columns are %q, want %q, with tabs between", cells, callColumns())
			}
			continue
		}
		if len(cells) == 1 && cells[0] == "" {
			continue
		}
		if len(cells) != len(callColumns()) {
			return bad("it has %d columns, want %d", len(cells), len(callColumns()))
		}
		at, err := time.Parse(callTime, cells[0])
		if err != nil {
			return bad("%q is no time such as 6/3/2017 11:54:41 PM", cells[0])
		}
		kind, ok := KindOfCall(cells[5])
		if !ok {
			skipped++
			continue
		}
		if len(calls) >= MaxIncidents {
			return bad("there are more than %d calls", MaxIncidents)
		}
		calls = append(calls, Call{
			Type: clip(cells[5]), Kind: kind, Address: clip(cells[4]), Units: max(len(strings.Fields(cells[3])), 1),
			At: Duration(at.Unix()),
		})
	}
	if err := lines.Err(); err != nil {
		number++
		return bad("%v", err)
	}
	if len(calls) == 0 {
		return bad("there is no call that robots or drones can do something about")
	}
	slices.SortStableFunc(calls, func(a, b Call) int { return int(a.At - b.At) })
	first, last := calls[0].At, calls[len(calls)-1].At
	if time.Duration(last-first) > 366*24*3600 {
		return bad("the calls lie more than a year apart")
	}
	for i := range calls {
		calls[i].At = (calls[i].At - first) * Duration(time.Second)
	}
	return calls, skipped, nil
}

// clip shortens a text.
func clip(text string) string {
	if len(text) > maxAddress {
		text = strings.ToValidUTF8(text[:maxAddress], "")
	}
	return strings.ToValidUTF8(text, "?")
}
