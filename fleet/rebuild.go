package fleet

import (
	"cmp"
	"slices"

	"github.com/kapok-fleet/kapok/planner/assign"
	"github.com/kapok-fleet/kapok/planner/chart"
	"github.com/kapok-fleet/kapok/planner/route"
	"github.com/kapok-fleet/kapok/planner/space"
)

// How a mission is planned anew from where its vehicle is.

// The bounds of a search for a plan that leaves something out.
const (
	// maxTasksTried is how many tasks are tried one after the other when not all
	// can be served; what comes behind is left out.
	maxTasksTried = 8
	// maxRefugesTried is how many sites are tried in the place of a home that
	// cannot be reached.
	maxRefugesTried = 3
)

// rebuilt is what came of planning a mission anew.
type rebuilt struct {
	// kept and left are the tasks that the new revision serves and leaves out.
	kept, left []TaskID
	// refuge is the site that took the place of the home, empty for none.
	refuge SiteID
	// stranded says that the vehicle can get nowhere: where says what becomes of
	// it, and held that it waits in the air for a way.
	stranded, held bool
	where          string
	// exhausted says that the search ran out: nothing was issued.
	exhausted bool
	// refused is what was in the way of the whole plan, nil for nothing.
	refused *assign.Exclusion
}

// rebuild plans a mission anew from where the vehicle is, through the stops
// that it still holds, and home. What cannot be flown or driven is left out, and
// the vehicle loses those tasks when it accepts that. A vehicle that is out of
// touch keeps them, as nobody knows where it is by now.
func (f *Fleet) rebuild(v *Vehicle, m *Mission, why Reason) {
	if v.TakenOver != nil {
		f.takeOut(v, m, why)
		return
	}
	f.replan(v, m, why, nil)
}

// replan is rebuild within a number of expansions, which it takes off; nil gives
// each search a step's worth. A change of zones reaches vehicles out of touch
// too: what they were sent is not lawful any more.
func (f *Fleet) replan(v *Vehicle, m *Mission, why Reason, spend *int) rebuilt {
	c, kept := f.fromHere(v, m)
	s := search{f: f, v: v, c: c, site: v.HomeSite, spend: spend, todo: f.heldLegs(m)}
	if why.Code == zoneReason {
		s.caught = f.caughtBy(f.lawsNow(), nil, f.chart.Frame.XYZ(c.Start), MotionKind(v.Kind).Airborne())
	}
	offer, refused := s.plan(s.todo)
	r := rebuilt{refused: refused}
	if refused != nil && !s.exhausted {
		if len(s.todo) > 0 {
			if f.presence(v.ID).Link != LinkLive && !ofTheWorld(why.Code) {
				f.issue(v, m, append(append(kept, s.todo...), lastPark(m)...), m.NextLeg, why)
				return r
			}
			why = cannotGoOn(why, refused)
		}
		offer, refused = s.lesser(v, refused)
	}
	switch {
	case s.exhausted:
		r.exhausted = true
		return r
	case refused != nil:
		f.strand(v, m, c.Start, kept, refused, &r)
		return r
	}
	f.freed(v.ID, "there is a way for it again")
	next := m.NextLeg
	legs := f.legsOf(&offer, s.todo, v, &next)
	if s.site != v.HomeSite {
		r.refuge, legs[len(legs)-1].Site = s.site, s.site
	}
	r.kept, r.left = tasksOf(s.todo), s.left
	f.issue(v, m, append(kept, legs...), next, why)
	f.estimate(m.ID)
	return r
}

// cannotGoOn is the reason of a revision that leaves something out.
func cannotGoOn(why Reason, x *assign.Exclusion) Reason {
	text := "it cannot go on: " + exclusionText(x)
	if ofTheWorld(why.Code) {
		return Reason{why.Code, why.Text + "; " + text}
	}
	return Reason{string(x.Rule), text}
}

// heldLegs lists the legs that are still to be served, but for one whose stop is
// begun.
func (f *Fleet) heldLegs(m *Mission) []Leg {
	var todo []Leg
	for _, l := range taskLegs(m, false) {
		if f.holds(m, &l) {
			todo = append(todo, l)
		}
	}
	return todo
}

// tasksOf lists the tasks of legs, in order.
func tasksOf(legs []Leg) []TaskID { return (&Mission{Legs: legs}).Tasks() }

// search looks for a plan for one vehicle.
type search struct {
	f     *Fleet
	v     *Vehicle
	c     assign.Candidate
	site  SiteID
	spend *int
	// todo are the legs that the plan serves, left the tasks that were left out.
	todo []Leg
	left []TaskID
	// exhausted says that the expansions ran out.
	exhausted bool
	// caught is the zone that a way without stops must lead out of, nil for none.
	caught *zoneLaw
}

// stays tells whether a place to end at lies in the zone that the vehicle is to
// leave: the planner lets who begins in a zone end in it.
func (s *search) stays(at space.Position) bool {
	return s.caught != nil && s.caught.breaks(s.f, s.f.chart.Frame.XYZ(at), MotionKind(s.v.Kind).Airborne())
}

// plan tries a number of legs.
func (s *search) plan(legs []Leg) (assign.Offer, *assign.Exclusion) {
	limit := s.f.config.ExpansionsPerStep
	if s.spend != nil {
		if limit = *s.spend; limit <= 0 {
			s.exhausted = true
			return assign.Offer{}, &assign.Exclusion{Rule: assign.NotTried}
		}
	}
	stops := s.f.stopsOf(legs)
	if len(stops) == 0 && s.stays(s.c.Home) {
		x := exclusionBy(s.caught)
		x.At = s.c.Home
		return assign.Offer{}, x
	}
	offer, refused := assign.Plan(s.f.world, stops, s.c, limit)
	if refused == nil {
		if l := s.f.meetsLater(s.v, &s.c, stops, &offer); l != nil {
			refused = exclusionBy(l)
		}
	}
	if s.spend != nil {
		*s.spend -= offer.Expansions
		s.exhausted = s.exhausted || refused != nil && refused.Rule == assign.NotTried
	}
	return offer, refused
}

// lesser looks for a plan that leaves out what is in the way: another end when
// the home cannot be reached, then as many tasks as possible, those whose load is
// on board first. It is refused when the vehicle can go nowhere.
func (s *search) lesser(v *Vehicle, why *assign.Exclusion) (assign.Offer, *assign.Exclusion) {
	all := s.todo
	s.todo = nil
	best, refused := assign.Offer{}, why
	if len(all) > 0 {
		best, refused = s.plan(nil)
	}
	if refused != nil && wayless(refused) {
		if best, refused = s.refuge(v, refused); refused == nil && len(all) > 0 {
			if offer, no := s.plan(all); no == nil {
				s.todo = all
				return offer, nil
			}
		}
	}
	if refused != nil || s.exhausted {
		s.todo = all
		return best, refused
	}
	for i, id := range s.f.byCustody(v, tasksOf(all)) {
		if i < maxTasksTried && !s.exhausted {
			more := pick(all, append(tasksOf(s.todo), id))
			if offer, no := s.plan(more); no == nil {
				s.todo, best = more, offer
				continue
			}
		}
		s.left = append(s.left, id)
	}
	return best, nil
}

// exclusionBy is the exclusion for a zone that the plan meets once it is in force.
func exclusionBy(l *zoneLaw) *assign.Exclusion {
	return &assign.Exclusion{Rule: assign.Rule(route.InsideZone), Object: l.zone.ID}
}

// wayless tells whether an exclusion is about ways rather than means.
func wayless(x *assign.Exclusion) bool {
	switch x.Rule {
	case "no_way", "inside_zone", "off_network", "inside_building", "way_closed":
		return true
	}
	return false
}

// byCustody puts tasks whose load is on board first.
func (f *Fleet) byCustody(v *Vehicle, ids []TaskID) []TaskID {
	carried := func(id TaskID) int {
		if t, ok := f.task(id); ok && t.LoadOn == v.ID {
			return 0
		}
		return 1
	}
	slices.SortStableFunc(ids, func(a, b TaskID) int { return cmp.Compare(carried(a), carried(b)) })
	return ids
}

// pick lists the legs of some tasks, in order.
func pick(legs []Leg, tasks []TaskID) []Leg {
	var some []Leg
	for i := range legs {
		if contains(tasks, legs[i].Task) {
			some = append(some, legs[i])
		}
	}
	return some
}

// refuge looks for another place to end at: the nearest dock or pad for its kind
// that has room and can be reached.
func (s *search) refuge(v *Vehicle, why *assign.Exclusion) (assign.Offer, *assign.Exclusion) {
	tried := 0
	for _, site := range s.f.refuges(v, s.c.Start) {
		if tried == maxRefugesTried || s.exhausted {
			break
		}
		if s.stays(site.Position) {
			continue
		}
		tried++
		home := s.c.Home
		s.c.Home = site.Position
		if offer, refused := s.plan(nil); refused == nil {
			s.site = SiteID(site.ID)
			return offer, nil
		}
		s.c.Home = home
	}
	return assign.Offer{}, why
}

// refuges lists the docks and pads where a vehicle may wait, the nearest first.
func (f *Fleet) refuges(v *Vehicle, at space.Position) []chart.Site {
	var sites []chart.Site
	for i := range f.chart.Sites {
		s := &f.chart.Sites[i]
		fits := len(s.Kinds) == 0 || slices.Contains(s.Kinds, string(v.Kind))
		if fits && (s.Kind == chart.Dock || s.Kind == chart.Pad) && SiteID(s.ID) != v.HomeSite && f.hasRoom(s, v.ID) {
			sites = append(sites, *s)
		}
	}
	slices.SortStableFunc(sites, func(a, b chart.Site) int {
		return cmp.Compare(space.Distance(at, a.Position), space.Distance(at, b.Position))
	})
	return sites
}

// hasRoom tells whether fewer vehicles than fit are, or are sent to wait, at a
// site, those at home there included.
func (f *Fleet) hasRoom(s *chart.Site, but VehicleID) bool {
	there := 0
	for _, id := range f.index.vehicles {
		v, _ := f.vehicle(id)
		if id == but {
			continue
		}
		bound := v.HomeSite == SiteID(s.ID)
		if m, open := f.openMission(v); open && len(m.Legs) > 0 {
			bound = bound || m.Legs[len(m.Legs)-1].Site == SiteID(s.ID)
		}
		p := f.presence(id)
		if bound || p.Known && space.Distance(space.Position(p.Sample.Position), s.Position) < offPathM/4 {
			there++
		}
	}
	return there < max(s.Capacity, 1)
}

// lastPark is the way home at the end of a plan.
func lastPark(m *Mission) []Leg {
	if n := len(m.Legs); n > 0 && m.Legs[n-1].Task == "" && !m.Legs[n-1].Final() {
		return m.Legs[n-1:]
	}
	return nil
}
