package osmpbf

import (
	"math"
	"slices"
	"strings"
	"time"

	"github.com/paulmach/osm"
)

// nanodegrees are in a degree.
const nanodegrees = 1e9

// readHeader decodes the file's header and visits its bounds.
func (d *decoder) readHeader(raw []byte) error {
	d.headed = true
	h := &d.header
	f := fields{rest: raw}
	for f.next() {
		switch f.key {
		case 1<<3 | chunk:
			bounds, err := d.bounds(f.bytes)
			if err != nil {
				return err
			}
			h.Bounds = bounds
		case 4<<3 | chunk:
			if err := d.require(text(f.bytes)); err != nil {
				return err
			}
			h.RequiredFeatures = append(h.RequiredFeatures, text(f.bytes))
		case 5<<3 | chunk:
			h.OptionalFeatures = append(h.OptionalFeatures, text(f.bytes))
		case 16<<3 | chunk:
			h.WritingProgram = text(f.bytes)
		case 17<<3 | chunk:
			h.Source = text(f.bytes)
		case 32<<3 | varint:
			h.ReplicationTime = time.Unix(int64(f.number), 0).UTC()
		case 33<<3 | varint:
			h.ReplicationSequence = int64(f.number)
		case 34<<3 | chunk:
			h.ReplicationURL = text(f.bytes)
		}
		if len(h.RequiredFeatures)+len(h.OptionalFeatures) > maxFeatures {
			return d.damaged("it names more than %d features", maxFeatures)
		}
	}
	if f.broken {
		return d.damaged("the file's header is not valid protobuf")
	}
	if h.Bounds == nil {
		return nil
	}
	bounds := *h.Bounds
	return d.visit(&bounds)
}

// require refuses a feature without which the file would be misread.
func (d *decoder) require(feature string) error {
	switch feature {
	case "OsmSchema-V0.6", "DenseNodes", "LocationsOnWays":
		return nil
	case "HistoricalInformation":
		return d.unsupported("take an extract without history, or make one with osmium time-filter",
			"the file holds the history of the map (it requires %s), not one state of it", feature)
	}
	shown := feature[:min(len(feature), 40)]
	return d.unsupported("write the file anew without it, for instance by osmium cat IN -o OUT.osm.pbf",
		"the file requires the feature %q, which is not known here", shown)
}

// bounds decodes the area that a file covers.
func (d *decoder) bounds(raw []byte) (*osm.Bounds, error) {
	unset := math.NaN()
	sides := [...]float64{unset, unset, unset, unset}
	f := fields{rest: raw}
	for f.next() {
		if side := f.key >> 3; f.key&7 == varint && side <= 4 {
			sides[side-1] = float64(zigzag(f.number)) / nanodegrees
		}
	}
	if f.broken || slices.ContainsFunc(sides[:], math.IsNaN) {
		return nil, d.damaged("the file's bounds are not four numbers")
	}
	return &osm.Bounds{MinLon: sides[0], MaxLon: sides[1], MaxLat: sides[2], MinLat: sides[3]}, nil
}

// text makes a string that is UTF-8 whatever the bytes are.
func text(b []byte) string { return strings.ToValidUTF8(string(b), "\uFFFD") }
