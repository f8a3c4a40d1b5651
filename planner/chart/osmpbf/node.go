package osmpbf

import (
	"github.com/paulmach/osm"
)

// readNode decodes a node that stands by itself.
func (d *decoder) readNode(raw []byte) error {
	var id, lat, lon int64
	var hasID, hasLat, hasLon bool
	var keys, values varints
	var info []byte
	f := fields{rest: raw}
	for f.next() {
		switch f.key {
		case 1<<3 | varint:
			id, hasID = zigzag(f.number), true
		case 2<<3 | chunk, 2<<3 | varint:
			keys.add(f.bytes)
		case 3<<3 | chunk, 3<<3 | varint:
			values.add(f.bytes)
		case 4<<3 | chunk:
			info = f.bytes
		case 8<<3 | varint:
			lat, hasLat = zigzag(f.number), true
		case 9<<3 | varint:
			lon, hasLon = zigzag(f.number), true
		}
	}
	switch {
	case f.broken:
		return d.damaged("a node is not valid protobuf")
	case !hasID:
		return d.damaged("a node has no id")
	case !hasLat || !hasLon:
		return d.damaged("node %d has no place", id)
	}
	m, err := d.readMeta(osm.TypeNode, id, info)
	if err != nil {
		return err
	}
	tags, err := d.readTags(osm.TypeNode, id, keys, values)
	if err != nil {
		return err
	}
	return d.visitNode(id, lat, lon, m, tags)
}

// visitNode completes a node, its place in units of the block.
func (d *decoder) visitNode(id, lat, lon int64, m meta, tags osm.Tags) error {
	latDeg, lonDeg, ok := d.place(lat, lon)
	if !ok {
		return d.damaged("node %d lies outside the world", id)
	}
	return d.visit(&osm.Node{
		ID: osm.NodeID(id), Lat: latDeg, Lon: lonDeg, Tags: tags,
		Version: m.version, Timestamp: m.timestamp, ChangesetID: m.changeset,
		UserID: m.userID, User: m.user, Visible: m.visible,
	})
}

// dense is a group of nodes, column by column.
type dense struct {
	count           int
	ids, lats, lons deltas
	// tags has the indices of key and value of each tag, and a 0 after the tags
	// of each node; nothing at all when no node has tags.
	tags   varints
	tagged bool
	info   denseInfo
}

// denseInfo is the metadata of a group of nodes; any column may be missing.
type denseInfo struct {
	versions, times, changesets, userIDs, users, visible deltas

	hasVersions, hasTimes, hasChangesets, hasUserIDs, hasUsers, hasVisible bool
}

// readDense decodes a group of nodes that are packed together.
func (d *decoder) readDense(raw []byte) error {
	g, err := d.denseColumns(raw)
	if err != nil {
		return err
	}
	for range g.count {
		id, idOK := g.ids.next()
		lat, latOK := g.lats.next()
		lon, lonOK := g.lons.next()
		if !idOK || !latOK || !lonOK {
			return d.damaged("the node after node %d has an id or a place of more than 64 bits", g.ids.sum)
		}
		m, ok := d.denseMeta(&g.info)
		if !ok {
			return d.damaged("node %d has a version, user or time that is not in the file's range", id)
		}
		tags, err := d.denseTags(id, &g)
		if err != nil {
			return err
		}
		if err := d.visitNode(id, lat, lon, m, tags); err != nil {
			return err
		}
	}
	if n := g.tags.count(); n > 0 {
		return d.damaged("the tags of its packed nodes go on for %d numbers after the last node", n)
	}
	return nil
}

// denseColumns takes a group of nodes apart and checks that its columns are of
// one length.
func (d *decoder) denseColumns(raw []byte) (dense, error) {
	var g dense
	f := fields{rest: raw}
	for f.next() {
		switch f.key {
		case 1<<3 | chunk, 1<<3 | varint:
			g.ids.add(f.bytes)
		case 5<<3 | chunk:
			if !g.info.add(f.bytes) {
				return g, d.damaged("the versions of its packed nodes are not valid protobuf")
			}
		case 8<<3 | chunk, 8<<3 | varint:
			g.lats.add(f.bytes)
		case 9<<3 | chunk, 9<<3 | varint:
			g.lons.add(f.bytes)
		case 10<<3 | chunk, 10<<3 | varint:
			g.tags.add(f.bytes)
		}
	}
	if f.broken {
		return g, d.damaged("its packed nodes are not valid protobuf")
	}
	g.count = g.ids.count()
	g.tagged = len(g.tags.rest) > 0
	if lats, lons := g.lats.count(), g.lons.count(); lats != g.count || lons != g.count {
		return g, d.damaged("its packed nodes have %d ids, %d latitudes and %d longitudes", g.count, lats, lons)
	}
	for _, column := range g.info.columns() {
		n := column.numbers.count()
		if *column.present = n > 0; n > 0 && n != g.count {
			return g, d.damaged("its packed nodes have %d ids and %d %s", g.count, n, column.name)
		}
	}
	return g, nil
}

// add takes the metadata of a group apart. It is false for broken bytes.
func (i *denseInfo) add(raw []byte) bool {
	f := fields{rest: raw}
	for f.next() {
		switch f.key {
		case 1<<3 | chunk, 1<<3 | varint:
			i.versions.add(f.bytes)
		case 2<<3 | chunk, 2<<3 | varint:
			i.times.add(f.bytes)
		case 3<<3 | chunk, 3<<3 | varint:
			i.changesets.add(f.bytes)
		case 4<<3 | chunk, 4<<3 | varint:
			i.userIDs.add(f.bytes)
		case 5<<3 | chunk, 5<<3 | varint:
			i.users.add(f.bytes)
		case 6<<3 | chunk, 6<<3 | varint:
			i.visible.add(f.bytes)
		}
	}
	return !f.broken
}

// infoColumn is one column of a denseInfo, by name.
type infoColumn struct {
	name    string
	numbers *deltas
	present *bool
}

func (i *denseInfo) columns() [6]infoColumn {
	return [...]infoColumn{
		{"versions", &i.versions, &i.hasVersions},
		{"times", &i.times, &i.hasTimes},
		{"changesets", &i.changesets, &i.hasChangesets},
		{"user ids", &i.userIDs, &i.hasUserIDs},
		{"users", &i.users, &i.hasUsers},
		{"visibilities", &i.visible, &i.hasVisible},
	}
}

// denseMeta takes the next metadata. Versions and visibilities are not
// differences. It is false for a number out of range.
func (d *decoder) denseMeta(i *denseInfo) (meta, bool) {
	m := meta{visible: true}
	all := true
	if i.hasVersions {
		number, ok := i.versions.varints.next()
		m.version, all = version(number), ok
	}
	if i.hasTimes {
		units, ok := i.times.next()
		timestamp, inRange := d.instant(units)
		m.timestamp, all = timestamp, all && ok && inRange
	}
	if i.hasChangesets {
		changeset, ok := i.changesets.next()
		m.changeset, all = osm.ChangesetID(changeset), all && ok
	}
	if i.hasUserIDs {
		id, ok := i.userIDs.next()
		m.userID, all = osm.UserID(id), all && ok
	}
	if i.hasUsers {
		index, ok := i.users.next()
		user, known := d.strings.at(uint64(index))
		m.user, all = user, all && ok && known
	}
	if i.hasVisible {
		number, ok := i.visible.varints.next()
		m.visible, all = number != 0, all && ok
	}
	return m, all
}

// denseTags takes the tags of the next node.
func (d *decoder) denseTags(id int64, g *dense) (osm.Tags, error) {
	if !g.tagged {
		return nil, nil
	}
	n, ok := pairs(g.tags)
	if !ok {
		return nil, d.damaged("the tags of node %d are cut off", id)
	}
	if n > d.limits.MaxTags {
		return nil, d.beyond("node %d has %d tags, more than %d", id, n, d.limits.MaxTags)
	}
	var tags osm.Tags
	if n > 0 {
		tags = make(osm.Tags, n)
	}
	for i := range tags {
		key, keyOK := d.nextString(&g.tags)
		value, valueOK := d.nextString(&g.tags)
		if !keyOK || !valueOK {
			return nil, d.noString(osm.TypeNode, id)
		}
		tags[i] = osm.Tag{Key: key, Value: value}
	}
	g.tags.next()
	return tags, nil
}

// pairs counts the pairs before the next 0 that stands for a key. It is false
// when there is no such 0.
func pairs(column varints) (n int, ok bool) {
	for {
		key, ok := column.next()
		if !ok || key == 0 {
			return n, ok
		}
		if _, ok := column.next(); !ok {
			return n, false
		}
		n++
	}
}
