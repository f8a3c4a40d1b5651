// Package track keeps where vehicles were: a file of samples for each day,
// beside the journal.
//
// Tracks are not state. Nothing is decided from them, and what a crash takes is
// missed by nobody but a reader of tracks: samples wait in memory until Flush
// writes them, which its owner does every few seconds, and the disk is told to
// keep them only every SyncEvery. So a killed process loses what came since the
// last Flush, a power failure what came since the last sync.
//
// Of a vehicle's samples the first in each second is kept. A file is a header
// and blocks; a block holds the samples of one Flush, ordered by vehicle and
// time, so that a reader passes over the vehicles that it does not want. All
// numbers are little-endian:
//
//	file:   "kapoktrk", version u32
//	block:  "tblk", length of the body u32, earliest and latest sample in Unix
//	        milliseconds i64, CRC-32C of the header so far u32,
//	        CRC-32C of the body u32, body
//	body:   runs, one a vehicle: length of the id uvarint, id, number of samples
//	        uvarint, length of the samples uvarint, samples
//	sample: the differences to the sample before it in the run, as varints: time
//	        (ms), longitude and latitude (1e-7 degrees), altitude (cm), speed
//	        (cm/s), heading (0.01 degrees), battery (1e-4); then mode and level,
//	        each 0 when it is the one before, else its length + 1 and the text
//
// A block that a crash cut short is removed at the next Open. A damaged one is
// passed over and counted.
package track
