package indoor

import (
	"cmp"
	"math"
	"slices"

	"github.com/paulmach/orb"

	"github.com/kapok-fleet/kapok/planner/space"
	"github.com/kapok-fleet/kapok/planner/strictyaml"
)

// graph reads lanes and doors, and what of the vertices stands alone.
func (b *rmfReader) graph(*strictyaml.Value) error {
	for _, l := range b.file {
		if err := each(l, "lanes", b.lane); err != nil {
			return err
		}
		if err := each(l, "doors", b.door); err != nil {
			return err
		}
		for i := range l.vertices {
			v := &l.vertices[i]
			if v.node < 0 && v.name != "" && v.of != nil {
				b.m.note(lineOf(v.at), "no lane of level %s leads to %s", l.name, v.name)
			}
		}
	}
	if len(b.m.Lanes) == 0 {
		b.m.note("levels", "it has no lanes: robots have no way on it")
	}
	return nil
}

// each reads the items of one of a level's lists.
func each(l *rmfLevel, key string, read func(*rmfLevel, *strictyaml.Value) error) error {
	list, err := may(l.at, key, strictyaml.List)
	if err != nil || list == nil {
		return err
	}
	for _, item := range list.Items {
		if err := read(l, item); err != nil {
			return err
		}
	}
	return nil
}

func (b *rmfReader) lane(l *rmfLevel, item *strictyaml.Value) error {
	from, to, p, err := b.edge(l, item, "lane")
	if err != nil {
		return err
	}
	if from == to || l.vertices[from].xy == l.vertices[to].xy {
		b.m.note(lineOf(item), "a lane of level %s leads nowhere: it begins and ends at one place", l.name)
		return nil
	}
	if len(b.m.Lanes) >= MaxLanes {
		return fault(item, "there are more than %d lanes", MaxLanes)
	}
	lane := Lane{Door: -1}
	if lane.From, err = b.nodeOf(l, from); err != nil {
		return err
	}
	if lane.To, err = b.nodeOf(l, to); err != nil {
		return err
	}
	if lane.Both, err = p.flag("bidirectional"); err != nil {
		return err
	}
	if lane.SpeedLimitMPS, err = p.number("speed_limit"); err != nil {
		return err
	}
	if lane.SpeedLimitMPS < 0 {
		b.m.note(lineOf(item), "a lane's speed limit is %g m/s: it is taken as none", lane.SpeedLimitMPS)
		lane.SpeedLimitMPS = 0
	}
	if lane.Mutex, err = p.text("mutex"); err != nil {
		return err
	}
	graph, err := p.text("graph_idx")
	lane.Classes = []string{cmp.Or(graph, "0")}
	b.m.Lanes = append(b.m.Lanes, lane)
	return err
}

func (b *rmfReader) door(l *rmfLevel, item *strictyaml.Value) error {
	from, to, p, err := b.edge(l, item, "door")
	if err != nil {
		return err
	}
	if len(b.m.Doors) >= MaxDoors {
		return fault(item, "there are more than %d doors", MaxDoors)
	}
	d := Door{Level: l.rank, A: b.metres(l, l.vertices[from].xy), B: b.metres(l, l.vertices[to].xy), OpenS: DoorS}
	if d.Name, err = p.text("name"); err != nil {
		return err
	}
	if d.Kind, err = p.text("type"); err != nil {
		return err
	}
	b.m.Doors = append(b.m.Doors, d)
	return nil
}

func (b *rmfReader) metres(l *rmfLevel, at space.XY) space.XY {
	if b.m.Placed {
		return b.frame.XY(orb.Point{at.X, at.Y})
	}
	return l.to.apply(at)
}

// lifts reads the lifts, and joins each with the vertices that lie in its cabin.
func (b *rmfReader) lifts(root *strictyaml.Value) error {
	lifts, err := may(root, "lifts", strictyaml.Map)
	if err != nil || lifts == nil {
		return err
	}
	if len(lifts.Pairs) > MaxLifts {
		return fault(lifts, "it has %d lifts; at most %d are read", len(lifts.Pairs), MaxLifts)
	}
	known := map[string]bool{}
	for _, pair := range lifts.Pairs {
		known[pair.Key] = true
		if err := b.lift(pair.Key, pair.Value); err != nil {
			return err
		}
	}
	for _, l := range b.file {
		for i := range l.vertices {
			if v := &l.vertices[i]; v.lift != "" && !known[v.lift] {
				return fault(v.at, "the vertex lies in the cabin of lift %q, which is not among the lifts", v.lift)
			}
		}
	}
	return nil
}

func (b *rmfReader) lift(name string, v *strictyaml.Value) error {
	if err := demand(v, "lift "+name, strictyaml.Map); err != nil {
		return err
	}
	lift := Lift{Name: name, SpeedMPS: LiftSpeedMPS, Capacity: LiftCapacity}
	level, err := b.levelNamed(v, "reference_floor_name", b.reference)
	if err != nil {
		return err
	}
	var xy [2]*strictyaml.Value
	for i, key := range []string{"x", "y"} {
		if xy[i], err = want(v, key, strictyaml.Scalar); err != nil {
			return err
		}
	}
	at, err := b.place(xy[0], xy[1])
	if err != nil {
		return err
	}
	lift.XY = b.metres(level, at)
	if b.m.Placed {
		lift.Point = orb.Point{at.X, at.Y}
	}
	if lift.WidthM, err = sizeOf(v, "width"); err != nil {
		return err
	}
	if lift.DepthM, err = sizeOf(v, "depth"); err != nil {
		return err
	}
	if lift.DoorS, err = doorOf(v); err != nil {
		return err
	}
	if err := b.stops(&lift, v); err != nil {
		return err
	}
	if len(lift.Stops) < 2 {
		b.m.note(lineOf(v), "lift %s stops at %d levels: it joins none", name, len(lift.Stops))
	}
	b.m.Lifts = append(b.m.Lifts, lift)
	return nil
}

// sizeOf is a length of a cabin, 0 where the file has none.
func sizeOf(v *strictyaml.Value, key string) (float64, error) {
	size := v.Get(key)
	if size == nil {
		return 0, nil
	}
	return number(size, key)
}

// doorOf is how long the widest door of a lift takes to open: its two leaves move by
// half its width.
func doorOf(v *strictyaml.Value) (float64, error) {
	widest := 0.0
	doors, err := may(v, "doors", strictyaml.Map)
	if err != nil || doors == nil {
		return DoorS, err
	}
	for _, pair := range doors.Pairs {
		width := pair.Value.Get("width")
		if width == nil {
			continue
		}
		w, err := number(width, "width")
		if err != nil {
			return 0, err
		}
		if !(w > 0) || w > 20 {
			return 0, fault(width, "the door %s is %g m wide", pair.Key, w)
		}
		widest = math.Max(widest, w)
	}
	if widest == 0 {
		return DoorS, nil
	}
	return widest / 2 / LiftDoorMPS, nil
}

// stops finds the vertices in the cabin on the levels where the lift has doors.
func (b *rmfReader) stops(lift *Lift, v *strictyaml.Value) error {
	doors, err := may(v, "level_doors", strictyaml.Map)
	if err != nil {
		return err
	}
	if doors == nil {
		return nil
	}
	for _, pair := range doors.Pairs {
		number, ok := b.number[pair.Key]
		if !ok {
			return fault(pair.Value, "lift %s has doors on level %q, which is not among the levels", lift.Name, pair.Key)
		}
		if pair.Value.Kind == strictyaml.List && len(pair.Value.Items) == 0 {
			continue
		}
		l := b.file[number]
		cabin := slices.IndexFunc(l.vertices, func(v rmfVertex) bool { return v.lift == lift.Name })
		if cabin < 0 {
			b.m.note(lineOf(pair.Value), "lift %s has doors on level %s, and no vertex there lies in its cabin: robots cannot use it there", lift.Name, l.name)
			continue
		}
		node, err := b.nodeOf(l, cabin)
		if err != nil {
			return err
		}
		b.m.Nodes[node].Lift = len(b.m.Lifts)
		lift.Stops = append(lift.Stops, Stop{l.rank, node})
	}
	slices.SortFunc(lift.Stops, func(x, y Stop) int { return cmp.Compare(x.Level, y.Level) })
	return nil
}

func (b *rmfReader) levelNamed(v *strictyaml.Value, key, otherwise string) (*rmfLevel, error) {
	name := otherwise
	at := v.Get(key)
	if at != nil && at.Text != "" {
		name = at.Text
	}
	number, ok := b.number[name]
	if !ok {
		return nil, fault(at, "%s is %q, which is not among the levels", key, name)
	}
	return b.file[number], nil
}
