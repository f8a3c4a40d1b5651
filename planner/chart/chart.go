// Package chart is the map: ground graph, buildings, zones and sites, immutable
// once built. Importers read an io.Reader; Read and Write keep a chart in one
// compact file with a version and a checksum.
//
// Importers fill a Draft, which may be anything; New checks it, puts it in order
// and adds what follows from it: metres, lengths, connected parts, indexes. So a
// Chart is always whole, the same content has the same checksum whatever its
// source, and any number of readers may share it. What changes while a fleet runs
// (live and suspended zones) is not here but in route.World.
package chart

import (
	"time"

	"github.com/paulmach/orb"

	"github.com/kapok-fleet/kapok/planner/space"
)

// Chart is one area's map. Charts come from New, Read and the importers, which
// check them and build the index behind their queries; one put together
// otherwise has no index, and finds no node, arc or building. All of it is
// read-only once it is built; any number of goroutines may use it.
type Chart struct {
	Name string
	// Attribution names the source and its licence; Illustrative marks a chart
	// that is not of a real place, or not for navigation.
	Attribution  string
	Illustrative bool
	// Frame is the metric frame about the centre of Extent.
	Frame  space.Frame
	Extent orb.Bound
	// GroundAltitudeM is the altitude of the ground where there is no Terrain.
	GroundAltitudeM float64
	// Terrain is the shape of the ground; nil where it is taken as flat.
	Terrain *Terrain
	// Geoid is how high sea level (EGM96) lies above the ellipsoid of WGS-84; nil
	// where it is not known.
	Geoid *Geoid
	// HeightLimitM is how high above ground aircraft may fly where no zone says
	// less.
	HeightLimitM float64

	Ground    Graph
	Buildings []Building
	Zones     []Zone
	Sites     []Site
	// Places are addresses and shops: where things can be delivered to.
	Places []Place
	// Water is where vessels may go; empty where that is not known.
	Water []WaterArea
	// Checksum is "sha256:" and the hex digest of the chart's content.
	Checksum string

	index *index
}

// Profile is a set of classes of ground vehicle, a bit each.
type Profile uint8

// The classes of ground vehicle.
const (
	// Sidewalk is for robots at walking pace, which go where people walk.
	Sidewalk Profile = 1 << iota
	// Road is for road vehicles: cars and vans.
	Road

	allProfiles = Sidewalk | Road
)

// Graph is the network that rovers drive on, that of all profiles together.
// Arcs are directed and stand in order of their start: those of node n are
// Arcs[First[n]:First[n+1]].
type Graph struct {
	Nodes []Node
	First []int32
	Arcs  []Arc
	// Component numbers each node's strongly connected component in the network
	// of Sidewalk, from 0 for the main one, which has the most nodes; -1 for a
	// node at which no arc of that profile starts or ends.
	Component []int32
	// RoadComponent is the same for Road.
	RoadComponent []int32
}

// Node is a junction or a bend.
type Node struct {
	// OSMID is the node's id in OpenStreetMap, 0 elsewhere.
	OSMID int64
	Point orb.Point
	// XY is Point in the chart's frame, and AltitudeM that of the ground there.
	XY        space.XY
	AltitudeM float64
	Level     string
}

// Arc is a straight way from one node to another.
type Arc struct {
	From, To int32
	// Profiles are those who may drive it in this direction. New takes none for
	// Sidewalk.
	Profiles Profile
	// Layer orders ways that cross without meeting: bridges are above 0, tunnels
	// below.
	Layer   int8
	LengthM float64
	// SpeedLimitMPS is what the way allows, 0 for no limit of its own.
	SpeedLimitMPS float64
	WayID         int64
	Name          string
}

// HeightSource says where a building's height comes from.
type HeightSource string

// The sources of a building's height, from best to worst.
const (
	HeightTag     HeightSource = "height"
	HeightLevels  HeightSource = "levels"
	HeightDefault HeightSource = "default"
	// HeightMaximum is that of buildings of which not even the type is known:
	// MaximumHeightM, to be on the safe side.
	HeightMaximum HeightSource = "maximum"
)

// MaximumHeightM is the height of a building of which nothing is known.
const MaximumHeightM = 50

// Building is an obstacle to aircraft. The footprint may have courts.
type Building struct {
	ID        string
	Name      string
	Footprint orb.Polygon
	HeightM   float64
	Source    HeightSource
}

// Rule is what a zone demands of vehicles.
type Rule string

// The rules of zones.
const (
	KeepOut       Rule = "keep_out"
	KeepIn        Rule = "keep_in"
	AltitudeLimit Rule = "altitude_limit"
	SpeedLimit    Rule = "speed_limit"
	Advise        Rule = "advise"
)

// Zone is a volume with times and a rule. It stands from FloorM to CeilingM
// above mean sea level (a zero ceiling is none) and from From to Until (zero
// times are open ends), by its Schedule if it has one.
type Zone struct {
	ID       string      `json:"id"`
	Name     string      `json:"name,omitempty"`
	Rule     Rule        `json:"rule"`
	Polygon  orb.Polygon `json:"polygon"`
	FloorM   float64     `json:"floor_m,omitempty"`
	CeilingM float64     `json:"ceiling_m,omitempty"`
	// HeightLimitM belongs to AltitudeLimit: the greatest height above ground.
	HeightLimitM float64 `json:"height_limit_m,omitempty"`
	// SpeedLimitMPS belongs to SpeedLimit.
	SpeedLimitMPS float64   `json:"speed_limit_mps,omitempty"`
	From          time.Time `json:"from,omitzero"`
	Until         time.Time `json:"until,omitzero"`
	// Schedule narrows that to times of the week: the zone is in force in each of
	// its periods. Without one it is always, between From and Until.
	Schedule []Period `json:"schedule,omitempty"`
	// Airborne and Ground say whom it binds; neither means both.
	Airborne bool `json:"airborne,omitempty"`
	Ground   bool `json:"ground,omitempty"`
	// Source names where it was imported from, with the id there.
	Source string `json:"source,omitempty"`
}

// SiteKind is what a site is for.
type SiteKind string

// The kinds of site.
const (
	Dock        SiteKind = "dock"
	Charger     SiteKind = "charger"
	Pad         SiteKind = "pad"
	Locker      SiteKind = "locker"
	Hospital    SiteKind = "hospital"
	FireStation SiteKind = "fire_station"
	Station     SiteKind = "station"
)

// Site is a named place that vehicles use.
type Site struct {
	// ID is stable; for imported sites it is the OSM type and id, e.g. "node/123".
	ID       string         `json:"id"`
	Kind     SiteKind       `json:"kind"`
	Name     string         `json:"name,omitempty"`
	Position space.Position `json:"position"`
	// Capacity is how many vehicles fit at once, at least 1.
	Capacity int `json:"capacity"`
	// Kinds are the kinds of vehicle that the site serves, by the names of
	// package motion, in alphabetical order; empty for any.
	Kinds []string `json:"kinds,omitempty"`
}

// WaterArea is a stretch of water.
type WaterArea struct {
	// ID is the OSM type and id, or "coastline/1" and so on for the sea.
	ID string
	// Polygon has islands as its holes.
	Polygon orb.Polygon
}

// Place is an address, a shop or another named point to deliver to.
type Place struct {
	ID       string
	Name     string
	Position space.Position
}
