package osmpbf

import (
	"github.com/paulmach/osm"
)

// whole is what ways and relations have in common.
type whole struct {
	id           int64
	hasID        bool
	keys, values varints
	info         []byte
}

// take takes a field that ways and relations have in common.
func (w *whole) take(f *fields) {
	switch f.key {
	case 1<<3 | varint:
		w.id, w.hasID = int64(f.number), true
	case 2<<3 | chunk, 2<<3 | varint:
		w.keys.add(f.bytes)
	case 3<<3 | chunk, 3<<3 | varint:
		w.values.add(f.bytes)
	case 4<<3 | chunk:
		w.info = f.bytes
	}
}

// finish decodes what was taken.
func (d *decoder) finish(kind osm.Type, w *whole, f *fields) (meta, osm.Tags, error) {
	switch {
	case f.broken:
		return meta{}, nil, d.damaged("a %s is not valid protobuf", kind)
	case !w.hasID:
		return meta{}, nil, d.damaged("a %s has no id", kind)
	}
	m, err := d.readMeta(kind, w.id, w.info)
	if err != nil {
		return meta{}, nil, err
	}
	tags, err := d.readTags(kind, w.id, w.keys, w.values)
	return m, tags, err
}

func (d *decoder) readWay(raw []byte) error {
	var w whole
	var refs, lats, lons deltas
	f := fields{rest: raw}
	for f.next() {
		switch f.key {
		case 8<<3 | chunk, 8<<3 | varint:
			refs.add(f.bytes)
		case 9<<3 | chunk, 9<<3 | varint:
			lats.add(f.bytes)
		case 10<<3 | chunk, 10<<3 | varint:
			lons.add(f.bytes)
		default:
			w.take(&f)
		}
	}
	m, tags, err := d.finish(osm.TypeWay, &w, &f)
	if err != nil {
		return err
	}
	nodes, err := d.wayNodes(w.id, refs, lats, lons)
	if err != nil {
		return err
	}
	return d.visit(&osm.Way{
		ID: osm.WayID(w.id), Nodes: nodes, Tags: tags,
		Version: m.version, Timestamp: m.timestamp, ChangesetID: m.changeset,
		UserID: m.userID, User: m.user, Visible: m.visible,
	})
}

// wayNodes reads the references of a way, with the places of its nodes if the
// file has them.
func (d *decoder) wayNodes(id int64, refs, lats, lons deltas) (osm.WayNodes, error) {
	n, nLats, nLons := refs.count(), lats.count(), lons.count()
	placed := nLats > 0 || nLons > 0
	switch {
	case placed && (nLats != n || nLons != n):
		return nil, d.damaged("way %d has %d nodes, %d latitudes and %d longitudes", id, n, nLats, nLons)
	case n > d.limits.MaxRefs:
		return nil, d.beyond("way %d has %d nodes, more than %d", id, n, d.limits.MaxRefs)
	case n == 0:
		return nil, nil
	}
	nodes := make(osm.WayNodes, n)
	for i := range nodes {
		ref, ok := refs.next()
		if !ok {
			return nil, d.damaged("way %d refers to a node by a number of more than 64 bits", id)
		}
		nodes[i].ID = osm.NodeID(ref)
		if !placed {
			continue
		}
		lat, latOK := lats.next()
		lon, lonOK := lons.next()
		latDeg, lonDeg, inWorld := d.place(lat, lon)
		if !latOK || !lonOK || !inWorld {
			return nil, d.damaged("way %d has a node outside the world", id)
		}
		nodes[i].Lat, nodes[i].Lon = latDeg, lonDeg
	}
	return nodes, nil
}

func (d *decoder) readRelation(raw []byte) error {
	var w whole
	var roles, kinds varints
	var refs deltas
	f := fields{rest: raw}
	for f.next() {
		switch f.key {
		case 8<<3 | chunk, 8<<3 | varint:
			roles.add(f.bytes)
		case 9<<3 | chunk, 9<<3 | varint:
			refs.add(f.bytes)
		case 10<<3 | chunk, 10<<3 | varint:
			kinds.add(f.bytes)
		default:
			w.take(&f)
		}
	}
	m, tags, err := d.finish(osm.TypeRelation, &w, &f)
	if err != nil {
		return err
	}
	members, err := d.members(w.id, refs, roles, kinds)
	if err != nil {
		return err
	}
	return d.visit(&osm.Relation{
		ID: osm.RelationID(w.id), Members: members, Tags: tags,
		Version: m.version, Timestamp: m.timestamp, ChangesetID: m.changeset,
		UserID: m.userID, User: m.user, Visible: m.visible,
	})
}

func (d *decoder) members(id int64, refs deltas, roles, kinds varints) (osm.Members, error) {
	n, nRoles, nKinds := refs.count(), roles.count(), kinds.count()
	switch {
	case nRoles != n || nKinds != n:
		return nil, d.damaged("relation %d has %d members, %d roles and %d types", id, n, nRoles, nKinds)
	case n > d.limits.MaxRefs:
		return nil, d.beyond("relation %d has %d members, more than %d", id, n, d.limits.MaxRefs)
	case n == 0:
		return nil, nil
	}
	members := make(osm.Members, n)
	for i := range members {
		ref, ok := refs.next()
		if !ok {
			return nil, d.damaged("relation %d refers to a member by a number of more than 64 bits", id)
		}
		role, ok := d.nextString(&roles)
		if !ok {
			return nil, d.noString(osm.TypeRelation, id)
		}
		kind, ok := kinds.next()
		if !ok || kind > 2 {
			return nil, d.damaged("relation %d has a member that is neither node, way nor relation", id)
		}
		members[i] = osm.Member{Type: memberType(kind), Ref: ref, Role: role}
	}
	return members, nil
}

// memberType is the type that a member's number stands for.
func memberType(kind uint64) osm.Type {
	switch kind {
	case 0:
		return osm.TypeNode
	case 1:
		return osm.TypeWay
	default:
		return osm.TypeRelation
	}
}
