// Package mcap writes and reads MCAP files, the container of recordings that
// Foxglove and other robot tools open: messages with times on named channels,
// in chunks with checksums, and an index at the end. It knows the container
// (https://mcap.dev/spec, version 0) and nothing of what is inside the messages.
//
// A Writer holds one chunk at a time and the index of those written; Read holds
// one chunk at a time. Chunks are not compressed.
package mcap

import "errors"

// ErrMalformed is the kind of error for a file that is not MCAP, is damaged, or
// uses what Read does not know.
var ErrMalformed = errors.New("not a readable MCAP file")

// The kinds of records.
const (
	opHeader        = 0x01
	opFooter        = 0x02
	opSchema        = 0x03
	opChannel       = 0x04
	opMessage       = 0x05
	opChunk         = 0x06
	opMessageIndex  = 0x07
	opChunkIndex    = 0x08
	opStatistics    = 0x0b
	opMetadata      = 0x0c
	opMetadataIndex = 0x0d
	opSummaryOffset = 0x0e
	opDataEnd       = 0x0f
)

// magic begins and ends a file.
const magic = "\x89MCAP0\r\n"

// recordHead is the length of a record's kind and length.
const recordHead = 9
