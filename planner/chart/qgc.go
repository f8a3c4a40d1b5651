package chart

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math"

	"github.com/paulmach/orb"
)

// plan takes the geofence of a QGroundControl plan file (version 2 of the fence).
// Its places are latitude and longitude. What may not be left becomes keep_in, the
// rest keep_out; of several that may not be left, a vehicle must be in one.
func (im *airspaceImport) plan(root *jnode, file map[string]json.RawMessage) error {
	fence := &jnode{parent: root, key: "geoFence"}
	if err := json.Unmarshal(file["geoFence"], &fence.value); err != nil {
		return fence.fault("%w", err)
	}
	if _, ok := fence.value.(map[string]any); !ok {
		return fence.fault("it is %s, not an object", fence.what())
	}
	// Version 1 had other members, which would be passed over.
	if version, ok := fence.get("version"); ok && version.value != 2.0 {
		return version.fault("it is %v; only version 2 of the fence is read: save the plan with a newer QGroundControl", version.value)
	}
	for _, member := range [...]string{"polygon", "circle"} {
		if n, ok := fence.get(member); ok {
			return n.fault("it belongs to version 1 of the fence, and only version 2 is read: save the plan with a newer QGroundControl")
		}
	}
	for _, member := range [...]string{"polygons", "circles"} {
		n, ok := fence.get(member)
		if !ok {
			continue
		}
		list, err := n.list()
		if err != nil {
			return err
		}
		im.report.Features += len(list)
		for i, item := range list {
			if err := im.fence(item, member, i+1); err != nil {
				return err
			}
		}
	}
	if im.report.Features == 0 {
		im.report.note(&im.report.Notes, cmp.Or(im.opts.Name, "plan"), 0, "the plan has no geofence")
	}
	if _, ok := fence.get("breachReturn"); ok {
		im.report.note(&im.report.Notes, cmp.Or(im.opts.Name, "plan"), 0, "the plan's place of return after a breach is not read")
	}
	return nil
}

// fence takes one outline of a plan.
func (im *airspaceImport) fence(n *jnode, member string, number int) error {
	inclusion, err := n.need("inclusion")
	if err != nil {
		return err
	}
	within, ok := inclusion.value.(bool)
	if !ok {
		return inclusion.fault("it is %s, not true or false", inclusion.what())
	}
	z := Zone{Rule: KeepOut, Airborne: true, Source: "qgroundcontrol"}
	kind := "exclusion"
	if within {
		z.Rule, kind = KeepIn, "inclusion"
	}
	name := cmp.Or(im.opts.Name, "plan")
	if member == "circles" {
		z.ID = fmt.Sprintf("%s/circle/%d", name, number)
		z.Polygon, err = planCircle(n, within)
	} else {
		z.ID = fmt.Sprintf("%s/polygon/%d", name, number)
		z.Polygon, err = planPolygon(n)
	}
	if err != nil {
		return err
	}
	return im.add(n, z, kind)
}

func planCircle(n *jnode, within bool) (orb.Polygon, error) {
	c, err := n.need("circle")
	if err != nil {
		return nil, err
	}
	at, err := c.need("center")
	if err != nil {
		return nil, err
	}
	middle, err := planPlace(at)
	if err != nil {
		return nil, err
	}
	radius, err := c.need("radius")
	if err != nil {
		return nil, err
	}
	r, err := radius.number()
	if err != nil {
		return nil, err
	}
	polygon, err := circlePolygon(middle, r, within)
	if err != nil {
		return nil, radius.fault("%w", err)
	}
	return polygon, nil
}

func planPolygon(n *jnode) (orb.Polygon, error) {
	p, err := n.need("polygon")
	if err != nil {
		return nil, err
	}
	points, err := p.list()
	if err != nil {
		return nil, err
	}
	if len(points) < 3 {
		return nil, p.fault("it has %d points; it needs 3", len(points))
	}
	var ring orb.Ring
	for _, at := range points {
		place, err := planPlace(at)
		if err != nil {
			return nil, err
		}
		ring = append(ring, place)
	}
	if ring[0] != ring[len(ring)-1] {
		ring = append(ring, ring[0])
	}
	return orb.Polygon{ring}, nil
}

// planPlace reads latitude and longitude.
func planPlace(n *jnode) (orb.Point, error) {
	list, err := n.list()
	if err != nil {
		return orb.Point{}, err
	}
	if len(list) != 2 {
		return orb.Point{}, n.fault("it has %d numbers, not latitude and longitude", len(list))
	}
	lat, err := list[0].number()
	if err != nil {
		return orb.Point{}, err
	}
	lon, err := list[1].number()
	if err != nil {
		return orb.Point{}, err
	}
	if math.Abs(lon) > 180 || math.Abs(lat) > 90 {
		return orb.Point{}, n.fault("%g, %g is not a place on earth: it should be latitude and longitude in degrees", lat, lon)
	}
	return orb.Point{lon, lat}, nil
}
