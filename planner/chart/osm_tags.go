package chart

import (
	"math"
	"strconv"
	"strings"
)

// tags are an element's keys and values.
type tags map[string]string

// first returns the value of the first key that has one, without blanks around
// it.
func (t tags) first(keys ...string) string {
	for _, key := range keys {
		if value := strings.TrimSpace(t[key]); value != "" {
			return value
		}
	}
	return ""
}

// walkable tells whether a way belongs to the ground graph: the kinds of way on
// which a sidewalk robot may drive, unless people on foot may not use it.
func (t tags) walkable() bool {
	private := false
	switch t["highway"] {
	case "footway", "path", "pedestrian", "cycleway", "living_street", "residential",
		"unclassified", "tertiary", "tertiary_link", "secondary", "secondary_link",
		"corridor", "track", "road":
	case "service":
		// Yards and driveways are where deliveries end.
		private = true
	case "primary", "primary_link":
		// Larger roads are driven on only where the map says that people walk.
		if !t.sidewalk() && !allowed(t["foot"]) {
			return false
		}
	default:
		return false
	}
	if foot := t["foot"]; foot != "" {
		return allowed(foot) || private && foot == "private"
	}
	switch t["access"] {
	case "no", "agricultural", "forestry":
		return false
	case "private":
		return private
	}
	return true
}

// allowed tells whether a value of foot lets people pass.
func allowed(foot string) bool {
	switch foot {
	case "", "no", "private", "use_sidepath", "discouraged":
		return false
	}
	return true
}

func (t tags) sidewalk() bool {
	for _, key := range [...]string{"sidewalk", "sidewalk:both", "sidewalk:left", "sidewalk:right"} {
		switch t[key] {
		case "yes", "both", "left", "right":
			return true
		}
	}
	return false
}

// blocks tells whether a node is a barrier that no robot passes.
func (t tags) blocks() bool {
	switch t["barrier"] {
	case "":
		return false
	case "stile", "turnstile", "full-height_turnstile", "kissing_gate":
		return true
	}
	if foot := t["foot"]; foot != "" {
		return !allowed(foot)
	}
	return t["access"] == "no" || t["access"] == "private"
}

// speedLimitMPS returns the way's limit, 0 for none or one that is not a number.
func (t tags) speedLimitMPS() float64 {
	value := t["maxspeed"]
	if value == "walk" {
		return 7 / 3.6
	}
	unit := 1 / 3.6
	if number, ok := strings.CutSuffix(value, "mph"); ok {
		value, unit = number, 0.44704
	}
	v, err := strconv.ParseFloat(strings.TrimSpace(strings.TrimSuffix(value, "km/h")), 64)
	if err != nil || !(v > 0 && v <= 300) {
		return 0
	}
	// To the millimetre per second, so that files stay small.
	return math.Round(v*unit*1000) / 1000
}

// building tells whether an area is an obstacle: a building, or a part of one
// that has a height of its own.
func (t tags) building() bool {
	if t["location"] == "underground" {
		return false
	}
	if b := t["building"]; b != "" {
		return b != "no"
	}
	part := t["building:part"]
	return part != "" && part != "no" && t.first("height", "building:levels") != ""
}

// LevelHeightM is the height of a storey where only their number is known.
const LevelHeightM = 3.2

// height returns a building's height and where it comes from; bad tells that a
// tag was there and could not be read.
func (t tags) height() (m float64, source HeightSource, bad bool) {
	if value := t.first("height", "building:height"); value != "" {
		if m, ok := parseMetres(value); ok && m > 0 && m <= 1000 {
			return m, HeightTag, false
		}
		bad = true
	}
	if value := t["building:levels"]; value != "" {
		v, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
		if err == nil && v > 0 && v <= 250 {
			return math.Round(v*LevelHeightM*100) / 100, HeightLevels, bad
		}
		bad = true
	}
	m, source = t.typicalHeightM()
	return m, source, bad
}

// typicalHeightM guesses by the type of building, rather too high than too low.
// A type that tells nothing has the safe maximum.
func (t tags) typicalHeightM() (m float64, source HeightSource) {
	switch t.first("building", "building:part") {
	case "garage", "garages", "carport", "shed", "hut", "kiosk", "roof", "bicycle_shed", "bicycle_parking", "cabin", "container",
		"static_caravan", "toilets", "tent":
		return 4, HeightDefault
	case "house", "detached", "semidetached_house", "terrace", "bungalow", "farm", "allotment_house", "boathouse", "houseboat",
		"conservatory", "greenhouse", "stable", "sty", "cowshed", "farm_auxiliary", "outbuilding", "service", "ruins":
		return 9, HeightDefault
	case "retail", "supermarket", "shop", "industrial", "warehouse", "manufacture", "hangar", "barn", "school", "kindergarten",
		"fire_station", "train_station", "transportation", "parking", "sports_hall", "sports_centre", "riding_hall", "pavilion",
		"grandstand", "chapel", "shrine", "gatehouse", "bakehouse", "guardhouse", "bunker":
		return 12, HeightDefault
	case "apartments", "residential", "dormitory", "hotel", "hospital", "office", "commercial", "university", "college",
		"civic", "public", "government", "museum", "barracks", "monastery", "castle":
		return 24, HeightDefault
	case "church", "cathedral", "temple", "mosque", "synagogue", "stadium", "tower", "silo", "storage_tank", "water_tower":
		return 30, HeightDefault
	}
	return MaximumHeightM, HeightMaximum
}

// parseMetres reads a length: "12", "12.5 m", "12,5", "40 ft", `40'`, `40'6"`.
func parseMetres(value string) (float64, bool) {
	const footM, inchM = 0.3048, 0.0254
	value = strings.ReplaceAll(strings.ToLower(strings.TrimSpace(value)), ",", ".")
	if feet, inches, ok := strings.Cut(value, "'"); ok {
		f, err := strconv.ParseFloat(strings.TrimSpace(feet), 64)
		inches = strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(inches), `"`))
		if inches == "" {
			inches = "0"
		}
		in, inErr := strconv.ParseFloat(inches, 64)
		m := f*footM + in*inchM
		return m, err == nil && inErr == nil && !math.IsNaN(m)
	}
	unit := 1.0
	for _, suffix := range [...]struct {
		text string
		m    float64
	}{{"feet", footM}, {"ft", footM}, {"metres", 1}, {"meters", 1}, {"m", 1}} {
		if number, ok := strings.CutSuffix(value, suffix.text); ok {
			value, unit = number, suffix.m
			break
		}
	}
	v, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
	return v * unit, err == nil && !math.IsNaN(v)
}

// water tells whether an area is open water.
func (t tags) water() bool {
	switch {
	case t["location"] == "underground" || t["tunnel"] != "" && t["tunnel"] != "no" || t["covered"] == "yes":
		return false
	case t["natural"] == "water" || t["waterway"] == "riverbank":
		return true
	}
	return t["water"] != "" && t["water"] != "no" && t["natural"] == "" && t["highway"] == ""
}

// interesting tells whether an element may be a site or a place.
func (t tags) interesting() bool {
	for _, key := range [...]string{"kapok:site", "amenity", "shop", "aeroway", "tourism", "office", "healthcare", "leisure", "craft", "addr:housenumber"} {
		if t[key] != "" {
			return true
		}
	}
	return false
}

// siteKind returns what kind of site the tags make.
func (t tags) siteKind() (SiteKind, bool) {
	switch kind := SiteKind(t["kapok:site"]); kind {
	case Dock, Charger, Pad, Locker, Hospital, FireStation, Station:
		return kind, true
	}
	switch t["amenity"] {
	case "hospital", "clinic":
		return Hospital, true
	case "fire_station":
		return FireStation, true
	case "parcel_locker":
		return Locker, true
	case "charging_station":
		return Charger, true
	}
	if t["aeroway"] == "helipad" {
		return Pad, true
	}
	return "", false
}

// capacity returns how many vehicles fit. The tag says so only of sites made
// for vehicles: a hospital's capacity is beds.
func (t tags) capacity(kind SiteKind) (n int, bad bool) {
	value := t["capacity"]
	vehicles := t["kapok:site"] != "" || kind == Charger || kind == Pad || kind == Dock
	if value == "" || !vehicles {
		return 1, false
	}
	n, err := strconv.Atoi(strings.TrimSpace(value))
	if err != nil || n < 1 || n > 10_000 {
		return 1, true
	}
	return n, false
}

// kinds returns the kinds of vehicle that a site serves.
func (t tags) kinds() []string {
	var list []string
	for kind := range strings.SplitSeq(t["kapok:for"], ";") {
		if kind = strings.TrimSpace(kind); kind != "" {
			list = append(list, kind)
		}
	}
	return list
}

// place tells whether things can be delivered to the element: a shop, an
// amenity with people in it, an office, lodging, or an address.
func (t tags) place() bool {
	switch t["shop"] {
	case "", "no", "vacant":
	default:
		return true
	}
	switch t["amenity"] {
	case "restaurant", "cafe", "fast_food", "food_court", "bar", "pub", "biergarten", "ice_cream",
		"pharmacy", "doctors", "dentist", "clinic", "hospital", "veterinary",
		"bank", "post_office", "police", "fire_station", "townhall", "courthouse",
		"library", "school", "kindergarten", "college", "university", "language_school", "driving_school", "childcare",
		"cinema", "theatre", "arts_centre", "community_centre", "social_facility", "events_venue", "conference_centre",
		"place_of_worship", "marketplace", "fuel", "car_rental", "ferry_terminal", "parcel_locker", "research_institute":
		return true
	}
	for _, key := range [...]string{"office", "craft", "addr:housenumber"} {
		if t[key] != "" && t[key] != "no" {
			return true
		}
	}
	switch t["tourism"] {
	case "hotel", "hostel", "motel", "guest_house", "museum", "gallery", "information", "attraction":
		return t["name"] != ""
	}
	return false
}

// label returns the name by which people know the element: its name, else its
// address, else empty.
func (t tags) label() string {
	if name := t.first("name", "brand", "operator:name"); name != "" {
		return name
	}
	street := t.first("addr:street", "addr:place")
	number := t["addr:housenumber"]
	if street != "" && number != "" {
		return street + " " + number
	}
	return t.first("addr:full", "addr:housenumber")
}
