package route

// This file is what start and goal decide together: the water and the keep-in zone
// that the way stays in.

// chooseWater finds the water that a vessel must not leave.
func (p *Planner) chooseWater(q *Query) *Refusal {
	a, waters := &p.air, p.fixed.water
	if !a.afloat || waters.count() == 0 {
		return nil
	}
	first := int32(-1)
	for i := range int32(waters.count()) {
		if !waters.inside(i, a.start) {
			continue
		}
		if first < 0 {
			first = i
		}
		if waters.inside(i, a.goal) {
			a.water = i
			return nil
		}
	}
	if first < 0 {
		return &Refusal{Rule: OffWater, At: q.From}
	}
	r := &Refusal{Rule: OffWater, At: q.To}
	for i := range int32(waters.count()) {
		if waters.inside(i, a.goal) {
			r.Object = p.c.Water[first].ID
		}
	}
	return r
}

// chooseKeepIn finds the keep-in zone that the flight must not leave.
func (p *Planner) chooseKeepIn(q *Query) *Refusal {
	a := &p.air
	first, inSome := int32(-1), false
	for _, i := range p.laws.keepIns {
		l := &p.laws.zones[i]
		if !p.binds(l) || !p.during(l, a.departed, a.departed) {
			continue
		}
		if !p.laws.shapes.inside(i, a.start) {
			continue
		}
		inSome = true
		if first < 0 {
			first = i
		}
		if p.laws.shapes.inside(i, a.goal) {
			a.keepIn = i
			return nil
		}
	}
	if inSome {
		return &Refusal{Rule: InsideZone, At: q.To, Object: p.laws.zones[first].id}
	}
	return nil
}
