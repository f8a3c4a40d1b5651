package osmpbf

import (
	"time"

	"github.com/paulmach/osm"
)

// meta is who made an element's present version, and when; zero where the file
// does not say.
type meta struct {
	version   int
	timestamp time.Time
	changeset osm.ChangesetID
	userID    osm.UserID
	user      string
	visible   bool
}

// readMeta decodes an element's info; nil bytes are those of an element without
// any.
func (d *decoder) readMeta(kind osm.Type, id int64, raw []byte) (meta, error) {
	m := meta{visible: true}
	f := fields{rest: raw}
	for f.next() {
		ok := true
		switch f.key {
		case 1<<3 | varint:
			m.version = version(f.number)
		case 2<<3 | varint:
			m.timestamp, ok = d.instant(int64(f.number))
		case 3<<3 | varint:
			m.changeset = osm.ChangesetID(int64(f.number))
		case 4<<3 | varint:
			m.userID = osm.UserID(int32(uint32(f.number)))
		case 5<<3 | varint:
			m.user, ok = d.strings.at(f.number)
		case 6<<3 | varint:
			m.visible = f.number != 0
		}
		if !ok {
			return m, d.damaged("%s %d has a user or time that is not in the file's range", kind, id)
		}
	}
	if f.broken {
		return m, d.damaged("the version of %s %d is not valid protobuf", kind, id)
	}
	return m, nil
}

// version reads a version, of which negative ones stand for an unknown one.
func version(number uint64) int { return max(0, int(int32(uint32(number)))) }

// readTags pairs the columns of keys and values.
func (d *decoder) readTags(kind osm.Type, id int64, keys, values varints) (osm.Tags, error) {
	n := keys.count()
	if m := values.count(); n != m {
		return nil, d.damaged("%s %d has %d keys and %d values", kind, id, n, m)
	}
	if n == 0 {
		return nil, nil
	}
	if n > d.limits.MaxTags {
		return nil, d.beyond("%s %d has %d tags, more than %d", kind, id, n, d.limits.MaxTags)
	}
	tags := make(osm.Tags, n)
	for i := range tags {
		key, keyOK := d.nextString(&keys)
		value, valueOK := d.nextString(&values)
		if !keyOK || !valueOK {
			return nil, d.noString(kind, id)
		}
		tags[i] = osm.Tag{Key: key, Value: value}
	}
	return tags, nil
}

// nextString takes the next index of a column and returns its string. It is
// false when there is none.
func (d *decoder) nextString(column *varints) (string, bool) {
	i, ok := column.next()
	if !ok {
		return "", false
	}
	return d.strings.at(i)
}

func (d *decoder) noString(kind osm.Type, id int64) error {
	return d.damaged("%s %d refers to a text that is not among the %d of the block", kind, id, len(d.strings.raw))
}
