package chart

import (
	"strconv"
	"strings"
)

// drive returns who may take a way in the direction in which it is drawn, and
// against it. One-way streets bind road vehicles, not those at walking pace.
func (t tags) drive() (forward, backward Profile) {
	if t == nil || t["highway"] == "" {
		return 0, 0
	}
	if t.walkable() {
		forward, backward = Sidewalk, Sidewalk
	}
	if !t.drivable() {
		return forward, backward
	}
	with, against := t.directions()
	if with {
		forward |= Road
	}
	if against {
		backward |= Road
	}
	return forward, backward
}

// drivable tells whether cars may take a way. The outline of an area is no road.
func (t tags) drivable() bool {
	private := false
	switch t["highway"] {
	case "motorway", "motorway_link", "trunk", "trunk_link", "primary", "primary_link",
		"secondary", "secondary_link", "tertiary", "tertiary_link",
		"unclassified", "residential", "living_street", "road":
	case "service":
		private = true
	default:
		return false
	}
	if t["area"] == "yes" {
		return false
	}
	access := t.carAccess()
	return access == "" || carsAllowed(access) || private && access == "private"
}

// carAccess returns the value of the tag that says most exactly whether cars may
// pass.
func (t tags) carAccess() string {
	return t.first("motorcar", "motor_vehicle", "vehicle", "access")
}

// carsAllowed tells whether a value of access lets anybody's car pass, be it to
// a destination only. What is not known does not.
func carsAllowed(access string) bool {
	switch access {
	case "yes", "permissive", "designated", "official", "public", "destination", "delivery", "customers", "unknown":
		return true
	}
	return false
}

// directions tells in which directions cars take a road. One whose direction
// changes by the hour is taken in neither.
func (t tags) directions() (with, against bool) {
	switch t["oneway"] {
	case "yes", "true", "1":
		return true, false
	case "-1", "reverse":
		return false, true
	case "reversible":
		return false, false
	case "no", "false", "0", "alternating":
		return true, true
	}
	if t["junction"] == "roundabout" || t["junction"] == "circular" || t["highway"] == "motorway" {
		return true, false
	}
	return true, true
}

// blocksRoad tells whether a node is a barrier that no car passes.
func (t tags) blocksRoad() bool {
	switch t["barrier"] {
	case "":
		return false
	case "block", "bollard", "bus_trap", "chain", "cycle_barrier", "debris", "ditch", "fence", "full-height_turnstile",
		"guard_rail", "hedge", "horse_stile", "jersey_barrier", "kissing_gate", "log", "motorcycle_barrier",
		"planter", "rope", "stile", "sump_buster", "turnstile", "wall":
		return !carsAllowed(t.carAccess())
	}
	access := t.carAccess()
	return access != "" && !carsAllowed(access)
}

// layer returns a way's layer. One that says nothing is on 0, but for bridges a
// layer above and tunnels one below.
func (t tags) layer() int8 {
	if v, err := strconv.ParseInt(strings.TrimSpace(t["layer"]), 10, 8); err == nil {
		return int8(v)
	}
	switch {
	case t["bridge"] != "" && t["bridge"] != "no":
		return 1
	case t["tunnel"] != "" && t["tunnel"] != "no" && t["tunnel"] != "building_passage":
		return -1
	}
	return 0
}
