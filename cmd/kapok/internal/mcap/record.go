package mcap

import "encoding/binary"

// record is a record that is being put together behind others in a buffer.
type record struct {
	buf   []byte
	start int
}

// begin starts a record of a kind behind what the buffer holds.
func begin(buf []byte, kind byte) record {
	r := record{buf: buf, start: len(buf)}
	r.buf = append(r.buf, kind, 0, 0, 0, 0, 0, 0, 0, 0)
	return r
}

// end fills in the length and gives the buffer back.
func (r *record) end() []byte {
	binary.LittleEndian.PutUint64(r.buf[r.start+1:], uint64(len(r.buf)-r.start-recordHead))
	return r.buf
}

func (r *record) u8(v byte)    { r.buf = append(r.buf, v) }
func (r *record) u16(v uint16) { r.buf = binary.LittleEndian.AppendUint16(r.buf, v) }
func (r *record) u32(v uint32) { r.buf = binary.LittleEndian.AppendUint32(r.buf, v) }
func (r *record) u64(v uint64) { r.buf = binary.LittleEndian.AppendUint64(r.buf, v) }

func (r *record) text(s string) {
	r.u32(uint32(len(s)))
	r.buf = append(r.buf, s...)
}

// pairs writes a map of texts.
func (r *record) pairs(all []Pair) {
	at := len(r.buf)
	r.u32(0)
	for _, p := range all {
		r.text(p.Key)
		r.text(p.Value)
	}
	binary.LittleEndian.PutUint32(r.buf[at:], uint32(len(r.buf)-at-4))
}
