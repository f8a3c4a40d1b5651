package journal

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"path/filepath"
	"strconv"
	"strings"
)

// The on-disk format, version 1; see the package comment for the fields.
const (
	formatVersion = 1

	segmentMagic       = "kapokseg"
	segmentHeaderBytes = 24
	groupMagic         = "kgrp"
	groupHeaderBytes   = 24
	recordHeaderBytes  = 16

	// A disk writes a sector as a whole, so an interrupted write leaves whole
	// sectors out.
	sectorBytes = 512

	segmentSuffix  = ".seg"
	snapshotSuffix = ".snap"
	cutSuffix      = ".cut"
	markName       = "mark"
	lockName       = "lock"
	temporaryName  = "new.tmp"
)

// checksum is CRC-32C over the parts as if they were one. MakeTable returns a
// shared table after its first use.
func checksum(parts ...[]byte) uint32 {
	table := crc32.MakeTable(crc32.Castagnoli)
	var sum uint32
	for _, part := range parts {
		sum = crc32.Update(sum, table, part)
	}
	return sum
}

func indexedName(dir string, index uint64, suffix string) string {
	return filepath.Join(dir, fmt.Sprintf("%020d%s", index, suffix))
}

// parseIndexedName accepts only names that indexedName makes.
func parseIndexedName(name, suffix string) (index uint64, ok bool) {
	digits, found := strings.CutSuffix(name, suffix)
	if !found || len(digits) != 20 {
		return 0, false
	}
	index, err := strconv.ParseUint(digits, 10, 64)
	return index, err == nil && index > 0
}

func encodeSegmentHeader(first uint64) []byte {
	header := append(make([]byte, 0, segmentHeaderBytes), segmentMagic...)
	header = binary.LittleEndian.AppendUint32(header, formatVersion)
	header = binary.LittleEndian.AppendUint64(header, first)
	return binary.LittleEndian.AppendUint32(header, checksum(header))
}

// parseSegmentHeader needs segmentHeaderBytes.
func parseSegmentHeader(header []byte) (version uint32, first uint64, ok bool) {
	ok = string(header[:8]) == segmentMagic &&
		binary.LittleEndian.Uint32(header[20:]) == checksum(header[:20])
	return binary.LittleEndian.Uint32(header[8:]), binary.LittleEndian.Uint64(header[12:]), ok
}

type groupHeader struct {
	length uint32 // bytes after the header
	first  uint64
	count  uint32
}

// parseGroupHeader needs groupHeaderBytes.
func parseGroupHeader(header []byte) (groupHeader, bool) {
	ok := string(header[:4]) == groupMagic &&
		binary.LittleEndian.Uint32(header[20:]) == checksum(header[:20])
	return groupHeader{
		length: binary.LittleEndian.Uint32(header[4:]),
		first:  binary.LittleEndian.Uint64(header[8:]),
		count:  binary.LittleEndian.Uint32(header[16:]),
	}, ok
}

// groupBytes is the stored size of a group of these records.
func groupBytes(records []Record) int64 {
	size := int64(groupHeaderBytes)
	for _, record := range records {
		size += recordHeaderBytes + int64(len(record.Data))
	}
	return size
}

// appendGroup appends the stored form of at least one record, whose sizes were
// checked.
func appendGroup(buffer []byte, records []Record) []byte {
	start := len(buffer)
	buffer = append(buffer, groupMagic...)
	buffer = binary.LittleEndian.AppendUint32(buffer, uint32(groupBytes(records)-groupHeaderBytes))
	buffer = binary.LittleEndian.AppendUint64(buffer, records[0].Index)
	buffer = binary.LittleEndian.AppendUint32(buffer, uint32(len(records)))
	buffer = binary.LittleEndian.AppendUint32(buffer, checksum(buffer[start:]))
	for _, record := range records {
		at := len(buffer)
		buffer = binary.LittleEndian.AppendUint32(buffer, uint32(len(record.Data)))
		buffer = binary.LittleEndian.AppendUint64(buffer, record.Index)
		buffer = binary.LittleEndian.AppendUint32(buffer, checksum(buffer[at:], record.Data))
		buffer = append(buffer, record.Data...)
	}
	return buffer
}

// takeRecord splits the record with the given index off the front of a group's
// body. A reason says why there is none.
func takeRecord(body []byte, index uint64) (data, rest []byte, reason string) {
	if len(body) < recordHeaderBytes {
		return nil, nil, "record header does not fit its group"
	}
	length := uint64(binary.LittleEndian.Uint32(body))
	if length > uint64(len(body)-recordHeaderBytes) {
		return nil, nil, "record length does not fit its group"
	}
	end := recordHeaderBytes + int(length)
	data = body[recordHeaderBytes:end:end]
	if binary.LittleEndian.Uint32(body[12:]) != checksum(body[:12], data) {
		return nil, nil, "record has a wrong checksum"
	}
	if found := binary.LittleEndian.Uint64(body[4:]); found != index {
		return nil, nil, fmt.Sprintf("record is numbered %d", found)
	}
	return data, body[end:], ""
}
