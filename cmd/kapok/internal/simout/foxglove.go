package simout

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"time"

	"github.com/kapok-fleet/kapok/cmd/kapok/internal/mcap"
	"github.com/kapok-fleet/kapok/fleet"
	"github.com/kapok-fleet/kapok/planner/chart"
	"github.com/kapok-fleet/kapok/planner/space"
	"github.com/kapok-fleet/kapok/protocol"
	"github.com/kapok-fleet/kapok/sim/agent"
)

// What run.mcap holds. Altitudes are above mean sea level.
const (
	// FixSchema and GeoSchema are the names by which Foxglove knows the messages.
	FixSchema = "foxglove.LocationFix"
	GeoSchema = "foxglove.GeoJSON"
	// VehicleTopics begins the topics of where vehicles truly are, each second
	// while they move and each ten seconds while they stand; MissionTopics those of
	// their ways; ZonesTopic has all zones after each change.
	VehicleTopics = "/vehicles/"
	MissionTopics = "/missions/"
	ZonesTopic    = "/zones"
	// MaxMCAPBytes is how large the file may become: beyond it no more fixes are
	// written, and its metadata say so.
	MaxMCAPBytes = 1 << 30

	fixEvery      = time.Second
	fixStillEvery = 10 * time.Second
	jsonSchema    = "jsonschema"
)

// fixJSONSchema and geoJSONSchema describe the members of the two messages that
// Foxglove's documentation requires, and of the optional ones that are used.
const (
	fixJSONSchema = `{"title":"foxglove.LocationFix","description":"Where something is on the earth","type":"object",` +
		`"properties":{"timestamp":{"type":"object","title":"time","properties":{"sec":{"type":"integer","minimum":0},` +
		`"nsec":{"type":"integer","minimum":0,"maximum":999999999}},"required":["sec","nsec"]},` +
		`"frame_id":{"type":"string"},"latitude":{"type":"number"},"longitude":{"type":"number"},"altitude":{"type":"number"},` +
		`"position_covariance":{"type":"array","items":{"type":"number"},"minItems":9,"maxItems":9},` +
		`"position_covariance_type":{"type":"integer","minimum":0,"maximum":3},` +
		`"metadata":{"type":"array","items":{"type":"object","properties":{"key":{"type":"string"},"value":{"type":"string"}},"required":["key","value"]}}},` +
		`"required":["timestamp","frame_id","latitude","longitude","altitude","position_covariance","position_covariance_type"]}`
	geoJSONSchema = `{"title":"foxglove.GeoJSON","description":"Shapes on a map","type":"object",` +
		`"properties":{"geojson":{"type":"string"}},"required":["geojson"]}`
)

// seenAt is what was written of a vehicle last.
type seenAt struct {
	channel mcap.ChannelID
	time    time.Time
	at      space.XYZ
}

// foxglove writes run.mcap.
type foxglove struct {
	w        *mcap.Writer
	frame    space.Frame
	fix, geo mcap.SchemaID
	zones    mcap.ChannelID
	vehicles map[string]*seenAt
	missions map[fleet.VehicleID]mcap.ChannelID
	// whose are the vehicles of open missions; inForce the zones by their ids.
	whose   map[fleet.MissionID]fleet.VehicleID
	inForce map[string]chart.Zone
	own     map[string]chart.Zone
	cut     time.Time
	buf     []byte
	err     error
}

func newFoxglove(to io.Writer, on *chart.Chart, start time.Time, about []mcap.Pair) *foxglove {
	f := &foxglove{
		w: mcap.NewWriter(to, "kapok"), frame: on.Frame, vehicles: map[string]*seenAt{}, missions: map[fleet.VehicleID]mcap.ChannelID{},
		whose: map[fleet.MissionID]fleet.VehicleID{}, inForce: map[string]chart.Zone{}, own: map[string]chart.Zone{},
	}
	f.fail(f.w.Metadata("kapok", about))
	var err error
	f.fix, err = f.w.Schema(FixSchema, jsonSchema, []byte(fixJSONSchema))
	f.fail(err)
	f.geo, err = f.w.Schema(GeoSchema, jsonSchema, []byte(geoJSONSchema))
	f.fail(err)
	f.zones, err = f.w.Channel(ZonesTopic, "json", f.geo)
	f.fail(err)
	for i := range on.Zones {
		f.own[on.Zones[i].ID], f.inForce[on.Zones[i].ID] = on.Zones[i], on.Zones[i]
	}
	f.writeZones(start)
	return f
}

func (f *foxglove) fail(err error) {
	if f.err == nil && err != nil {
		f.err = fmt.Errorf("simout: %w", err)
	}
}

// full tells whether the file is as large as it may be.
func (f *foxglove) full(now time.Time) bool {
	if f.cut.IsZero() && f.w.Bytes() >= MaxMCAPBytes {
		f.cut = now
	}
	return !f.cut.IsZero()
}

// track writes where a vehicle is.
func (f *foxglove) track(now time.Time, a *agent.Agent) {
	b := a.Body()
	seen := f.vehicles[a.ID()]
	if seen != nil {
		passed := now.Sub(seen.time)
		if passed < fixEvery || passed < fixStillEvery && b.At.Dist(seen.at) < stillM {
			return
		}
	}
	if f.err != nil || f.full(now) {
		return
	}
	if seen == nil {
		channel, err := f.w.Channel(VehicleTopics+a.ID(), "json", f.fix)
		f.fail(err)
		seen = &seenAt{channel: channel}
		f.vehicles[a.ID()] = seen
	}
	seen.time, seen.at = now, b.At
	at := f.frame.Position(b.At)
	m := append(f.buf[:0], `{"timestamp":{"sec":`...)
	m = strconv.AppendInt(m, now.Unix(), 10)
	m = append(m, `,"nsec":`...)
	m = strconv.AppendInt(m, int64(now.Nanosecond()), 10)
	m = append(m, `},"frame_id":`...)
	m = appendJSON(m, a.ID())
	m = append(m, `,"latitude":`...)
	m = strconv.AppendFloat(m, at.Lat, 'f', 7, 64)
	m = append(m, `,"longitude":`...)
	m = strconv.AppendFloat(m, at.Lon, 'f', 7, 64)
	m = append(m, `,"altitude":`...)
	m = appendRounded(m, at.AltitudeM, 2)
	m = append(m, `,"position_covariance":[0,0,0,0,0,0,0,0,0],"position_covariance_type":0,"metadata":[{"key":"kind","value":`...)
	m = appendJSON(m, string(a.Kind()))
	m = append(m, `},{"key":"battery_ratio","value":"`...)
	m = appendRounded(m, b.BatteryRatio(), 3)
	m = append(m, `"}]}`...)
	f.buf = m
	f.fail(f.w.Message(seen.channel, nanoseconds(now), m))
}

func nanoseconds(at time.Time) uint64 { return uint64(max(at.UnixNano(), 0)) }

// event writes what changes on the map.
func (f *foxglove) event(r fleet.Recorded) {
	switch e := any(r.Event).(type) {
	case fleet.MissionIssued:
		f.whose[e.Mission] = e.Vehicle
		f.writeMission(r.Time, e.Vehicle, missionShape(&e))
	case fleet.MissionChanged:
		if vehicle, open := f.whose[e.Mission]; open && e.State == protocol.MissionEnded {
			delete(f.whose, e.Mission)
			f.writeMission(r.Time, vehicle, nil)
		}
	case fleet.ZoneChanged:
		if e.Zone.Suspended || e.Zone.Removed {
			delete(f.inForce, string(e.Zone.ID))
		} else {
			zone := e.Zone.Zone
			zone.ID = string(e.Zone.ID)
			f.inForce[zone.ID] = zone
		}
		f.writeZones(r.Time)
	case fleet.ZoneRemoved:
		delete(f.inForce, string(e.Zone))
		if own, ok := f.own[string(e.Zone)]; ok {
			f.inForce[own.ID] = own
		}
		f.writeZones(r.Time)
	}
}

func (f *foxglove) writeMission(at time.Time, vehicle fleet.VehicleID, shape []feature) {
	channel, known := f.missions[vehicle]
	if !known {
		var err error
		channel, err = f.w.Channel(MissionTopics+string(vehicle), "json", f.geo)
		f.fail(err)
		f.missions[vehicle] = channel
	}
	f.geoJSON(channel, at, shape)
}

func (f *foxglove) writeZones(at time.Time) {
	var ids []string
	for id := range f.inForce {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	shapes := make([]feature, len(ids))
	for i, id := range ids {
		z := f.inForce[id]
		shapes[i] = newFeature("Polygon", z.Polygon, map[string]any{"zone": id, "name": z.Name, "rule": z.Rule, "floor_m": z.FloorM, "ceiling_m": z.CeilingM})
	}
	f.geoJSON(f.zones, at, shapes)
}

// geoJSON writes one message of shapes.
func (f *foxglove) geoJSON(to mcap.ChannelID, at time.Time, shapes []feature) {
	if f.err != nil || f.full(at) {
		return
	}
	if shapes == nil {
		shapes = []feature{}
	}
	inner, err := json.Marshal(collection{"FeatureCollection", shapes})
	f.fail(err)
	message, err := json.Marshal(struct {
		GeoJSON string `json:"geojson"`
	}{string(inner)})
	f.fail(err)
	if f.err == nil {
		f.fail(f.w.Message(to, nanoseconds(at), message))
	}
}

func (f *foxglove) close() error {
	if !f.cut.IsZero() {
		f.fail(f.w.Metadata("kapok.truncated", []mcap.Pair{{Key: "at", Value: f.cut.UTC().Format(time.RFC3339Nano)}}))
	}
	f.fail(f.w.Close())
	return f.err
}

// The shapes of GeoJSON.
type (
	collection struct {
		Type     string    `json:"type"`
		Features []feature `json:"features"`
	}
	feature struct {
		Type       string         `json:"type"`
		Properties map[string]any `json:"properties"`
		Geometry   geometry       `json:"geometry"`
	}
	geometry struct {
		Type        string `json:"type"`
		Coordinates any    `json:"coordinates"`
	}
)

func newFeature(kind string, coordinates any, properties map[string]any) feature {
	return feature{"Feature", properties, geometry{kind, coordinates}}
}

// missionShape is the way of a mission's legs that are not over, and where they
// end.
func missionShape(m *fleet.MissionIssued) []feature {
	var shapes []feature
	for i := range m.Legs {
		l := &m.Legs[i]
		if len(l.Path) == 0 || l.State == protocol.LegDone || l.State == protocol.LegAbandoned {
			continue
		}
		about := map[string]any{"mission": m.Mission, "revision": m.Revision, "leg": l.ID, "action": l.Action, "task": l.Task}
		var way [][3]float64
		for _, p := range l.Path {
			way = append(way, [3]float64{p.Lon, p.Lat, p.AltitudeM})
		}
		if len(way) > 1 {
			shapes = append(shapes, newFeature("LineString", way, about))
		}
		shapes = append(shapes, newFeature("Point", way[len(way)-1], about))
	}
	return shapes
}
