package chart

import (
	"regexp"
	"slices"
	"strings"
)

// tally is what is compared.
type tally struct {
	Nodes, Ways, Relations               int
	FootWays, FootNodes, FootArcs        int
	RoadWays, RoadNodes, RoadArcs        int
	Buildings, ByHeight, ByLevels, Other int
	Hospitals, FireStations, Pads        int
	Lockers, Chargers, Places            int
}

// told is the tally of a chart and of the report of its import.
func told(s Summary, r Report) tally {
	return tally{
		Nodes: r.Nodes, Ways: r.Ways, Relations: r.Relations,
		FootWays: r.GraphWays, FootNodes: s.Sidewalk.Nodes, FootArcs: s.Sidewalk.Arcs,
		RoadWays: r.RoadWays, RoadNodes: s.Road.Nodes, RoadArcs: s.Road.Arcs,
		Buildings: s.Buildings, ByHeight: s.Heights[HeightTag], ByLevels: s.Heights[HeightLevels],
		Other:     s.Heights[HeightDefault] + s.Heights[HeightMaximum],
		Hospitals: s.Sites[Hospital], FireStations: s.Sites[FireStation], Pads: s.Sites[Pad],
		Lockers: s.Sites[Locker], Chargers: s.Sites[Charger], Places: s.Places,
	}
}

// counter counts a census.
type counter struct {
	census
	tally
	nodes map[int64]censusElement
	ways  map[int64]censusElement
}

func countCensus(c census) tally {
	k := &counter{census: c, nodes: map[int64]censusElement{}, ways: map[int64]censusElement{}}
	k.tally.Nodes, k.tally.Ways, k.tally.Relations = len(c.Nodes), len(c.Ways), len(c.Relations)
	for _, n := range c.Nodes {
		k.nodes[n.ID] = n
		k.point(n)
	}
	for _, w := range c.Ways {
		k.ways[w.ID] = w
		if len(k.present(w)) > 0 {
			k.point(w)
		}
	}
	k.FootWays, k.FootNodes, k.FootArcs = k.network(footRule, footBarrier)
	k.RoadWays, k.RoadNodes, k.RoadArcs = k.network(roadRule, roadBarrier)
	outlines := map[int64]bool{}
	for _, r := range c.Relations {
		if r.tag("type") != "multipolygon" {
			continue
		}
		rings := k.rings(r)
		if rings == 0 {
			continue
		}
		k.point(r)
		if isBuilding(r) {
			for range rings {
				k.building(r)
			}
			for _, m := range r.Members {
				if m.Type == "way" && m.Role != "inner" {
					outlines[m.Ref] = true
				}
			}
		}
	}
	for _, w := range c.Ways {
		if isBuilding(w) && !outlines[w.ID] && k.corners(w) >= 3 {
			k.building(w)
		}
	}
	return k.tally
}

func (k *counter) present(w censusElement) (ids []int64) {
	for _, nd := range w.Refs {
		if _, ok := k.nodes[nd.Ref]; ok {
			ids = append(ids, nd.Ref)
		}
	}
	return ids
}

// corners counts the different nodes of a way that are in the file.
func (k *counter) corners(w censusElement) int {
	ids := k.present(w)
	slices.Sort(ids)
	return len(slices.Compact(ids))
}

// rings counts the outer rings of a multipolygon, 0 when one is not complete:
// the connected pieces of outer ways, in which each end is shared by two.
func (k *counter) rings(r censusElement) (count int) {
	at := map[int64][]int64{}
	for _, m := range r.Members {
		if m.Type != "way" || m.Role == "inner" {
			continue
		}
		w, ok := k.ways[m.Ref]
		if !ok {
			return 0
		}
		first, last := w.Refs[0].Ref, w.Refs[len(w.Refs)-1].Ref
		if first == last && k.corners(w) < 3 {
			return 0
		}
		if first == last {
			count++
			continue
		}
		at[first], at[last] = append(at[first], last), append(at[last], first)
	}
	seen := map[int64]bool{}
	for start, next := range at {
		if len(next) != 2 {
			return 0
		}
		if seen[start] {
			continue
		}
		count++
		for todo := []int64{start}; len(todo) > 0; todo = todo[1:] {
			if !seen[todo[0]] {
				seen[todo[0]] = true
				todo = append(todo, at[todo[0]]...)
			}
		}
	}
	return count
}

// network counts the ways, nodes and directed arcs of a profile. A rule says in
// how many directions a way may be taken.
func (k *counter) network(rule func(censusElement) int, barrier func(censusElement) bool) (ways, nodes, arcs int) {
	used := map[int64]bool{}
	for _, w := range k.Ways() {
		directions := rule(w)
		taken := false
		for i := 1; i < len(w.Refs) && directions > 0; i++ {
			a, okA := k.nodes[w.Refs[i-1].Ref]
			b, okB := k.nodes[w.Refs[i].Ref]
			if okA && okB && a.ID != b.ID && !barrier(a) && !barrier(b) {
				used[a.ID], used[b.ID], taken = true, true, true
				arcs += directions
			}
		}
		if taken {
			ways++
		}
	}
	return ways, len(used), arcs
}

// Ways are those of the census, which the tally hides by its number.
func (k *counter) Ways() []censusElement { return k.census.Ways }

var footKinds = strings.Fields("footway path pedestrian cycleway living_street residential service unclassified tertiary tertiary_link secondary secondary_link primary primary_link corridor track road")

func footRule(w censusElement) int {
	highway, foot, access := w.tag("highway"), w.tag("foot"), w.tag("access")
	bad := func(v string, list string) bool { return slices.Contains(strings.Fields(list), v) }
	yard := highway == "service"
	side := false
	for _, key := range []string{"sidewalk", "sidewalk:both", "sidewalk:left", "sidewalk:right"} {
		side = side || bad(w.tag(key), "yes both left right")
	}
	switch {
	case !slices.Contains(footKinds, highway),
		bad(foot, "no discouraged use_sidepath"), foot == "private" && !yard,
		foot == "" && bad(access, "no agricultural forestry"), foot == "" && access == "private" && !yard,
		strings.HasPrefix(highway, "primary") && foot == "" && !side:
		return 0
	}
	return 2
}

func footBarrier(n censusElement) bool {
	barrier, foot, access := n.tag("barrier"), n.tag("foot"), n.tag("access")
	switch {
	case barrier == "":
		return false
	case slices.Contains(strings.Fields("stile turnstile full-height_turnstile kissing_gate"), barrier):
		return true
	case foot != "":
		return slices.Contains(strings.Fields("no private use_sidepath discouraged"), foot)
	}
	return access == "no" || access == "private"
}

var (
	roadKinds = regexp.MustCompile(`^((motorway|trunk|primary|secondary|tertiary)(_link)?|unclassified|residential|living_street|service|road)$`)
	openTo    = regexp.MustCompile(`^(|yes|permissive|designated|official|public|destination|delivery|customers|unknown)$`)
	solid     = regexp.MustCompile(`^(block|bollard|bus_trap|chain|cycle_barrier|debris|ditch|fence|full-height_turnstile|guard_rail|hedge|horse_stile|jersey_barrier|kissing_gate|log|motorcycle_barrier|planter|rope|stile|sump_buster|turnstile|wall)$`)
)

func roadRule(w censusElement) int {
	access := w.tag("motorcar", "motor_vehicle", "vehicle", "access")
	if !roadKinds.MatchString(w.tag("highway")) || w.tag("area") == "yes" ||
		!openTo.MatchString(access) && !(access == "private" && w.tag("highway") == "service") {
		return 0
	}
	switch oneway := w.tag("oneway"); {
	case oneway == "reversible":
		return 0
	case slices.Contains(strings.Fields("yes true 1 -1 reverse"), oneway):
		return 1
	case slices.Contains(strings.Fields("no false 0 alternating"), oneway):
		return 2
	case w.tag("junction") == "roundabout" || w.tag("junction") == "circular" || w.tag("highway") == "motorway":
		return 1
	}
	return 2
}

func roadBarrier(n censusElement) bool {
	barrier, access := n.tag("barrier"), n.tag("motorcar", "motor_vehicle", "vehicle", "access")
	return barrier != "" && (!openTo.MatchString(access) || access == "" && solid.MatchString(barrier))
}

func isBuilding(e censusElement) bool {
	building, part := e.tag("building"), e.tag("building:part")
	if e.tag("location") == "underground" || building == "no" {
		return false
	}
	return building != "" || part != "" && part != "no" && e.tag("height", "building:levels") != ""
}

var (
	aLength = regexp.MustCompile(`^\s*0*[1-9][0-9]*([.,][0-9]+)?\s*(m|metres|ft|'([0-9]+")?)?\s*$|^\s*0[.,][0-9]*[1-9]\s*m?$`)
	aNumber = regexp.MustCompile(`^\s*([1-9][0-9]*([.][0-9]+)?|0?[.][0-9]*[1-9])\s*$`)
)

func (k *counter) building(e censusElement) {
	k.Buildings++
	switch {
	case aLength.MatchString(e.tag("height", "building:height")):
		k.ByHeight++
	case aNumber.MatchString(e.tag("building:levels")):
		k.ByLevels++
	default:
		k.Other++
	}
}

// point counts an element as a site and as a place.
func (k *counter) point(e censusElement) {
	switch amenity := e.tag("amenity"); {
	case amenity == "hospital" || amenity == "clinic":
		k.Hospitals++
	case amenity == "fire_station":
		k.FireStations++
	case amenity == "parcel_locker":
		k.Lockers++
	case amenity == "charging_station":
		k.Chargers++
	case e.tag("aeroway") == "helipad":
		k.Pads++
	}
	named := e.tag("name", "brand", "operator:name") != "" || e.tag("addr:street", "addr:place") != "" && e.tag("addr:housenumber") != "" ||
		e.tag("addr:full", "addr:housenumber") != ""
	if named && isPlace(e) {
		k.Places++
	}
}

var peopleAt = strings.Fields(`restaurant cafe fast_food food_court bar pub biergarten ice_cream pharmacy doctors dentist clinic
	hospital veterinary bank post_office police fire_station townhall courthouse library school kindergarten college university
	language_school driving_school childcare cinema theatre arts_centre community_centre social_facility events_venue
	conference_centre place_of_worship marketplace fuel car_rental ferry_terminal parcel_locker research_institute`)

func isPlace(e censusElement) bool {
	if shop := e.tag("shop"); shop != "" && shop != "no" && shop != "vacant" {
		return true
	}
	for _, key := range []string{"office", "craft", "addr:housenumber"} {
		if v := e.tag(key); v != "" && v != "no" {
			return true
		}
	}
	return slices.Contains(peopleAt, e.tag("amenity")) || e.tag("name") != "" &&
		slices.Contains(strings.Fields("hotel hostel motel guest_house museum gallery information attraction"), e.tag("tourism"))
}
