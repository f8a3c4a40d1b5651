package chart

import (
	"bytes"
	"compress/zlib"
	"fmt"
	"io"
	"math"
)

// tiffLayout is how the samples of a TIFF stand in the file: in blocks of cols
// by rows, from the north-west, each at its offset. Strips are blocks as wide as
// the whole.
type tiffLayout struct {
	cols, rows, across, count int
	offsets, lengths          uint16
	packed                    bool
	bits, format              int
	predicted                 bool
}

// maxTIFFTile is how long a tile's side may be, however few samples there are.
const maxTIFFTile = 1024

// layout reads the layout, and refuses what is not read.
func (f *tiff) layout(cols, rows int) (tiffLayout, error) {
	l := tiffLayout{
		cols: cols, rows: f.whole(tagRowsPerStrip, 0, rows, math.MaxUint32), across: 1,
		offsets: tagStripOffsets, lengths: tagStripBytes,
		bits: f.whole(tagBits, 0, 1, 64), format: f.whole(tagFormat, 0, 1, 4),
	}
	if f.tags[tagTileWidth].count > 0 {
		l.cols, l.rows = f.whole(tagTileWidth, 0, 0, 1<<16), f.whole(tagTileHeight, 0, 0, 1<<16)
		l.offsets, l.lengths = tagTileOffsets, tagTileBytes
		l.across = (cols + l.cols - 1) / max(l.cols, 1)
	} else {
		l.rows = min(l.rows, rows)
	}
	if l.cols < 1 || l.rows < 1 || l.cols > MaxTerrainSamples/l.rows {
		return l, fmt.Errorf("its blocks are %d by %d samples", l.cols, l.rows)
	}
	down := (rows + l.rows - 1) / l.rows
	l.count = l.across * down
	// Blocks that reach far beyond the samples would be unpacked for nothing.
	if l.across*l.cols > 2*cols+maxTIFFTile || down*l.rows > 2*rows+maxTIFFTile ||
		l.across*l.cols > 4*MaxTerrainSamples/(down*l.rows) {
		return l, fmt.Errorf("its blocks of %d by %d samples are too large for the %d by %d that it has", l.cols, l.rows, cols, rows)
	}
	if f.tags[l.offsets].count != l.count || f.tags[l.lengths].count != l.count {
		return l, fmt.Errorf("it has %d blocks and needs %d", f.tags[l.offsets].count, l.count)
	}
	if n := f.whole(tagSamples, 0, 1, math.MaxUint16); n != 1 {
		return l, fmt.Errorf("it has %d channels, not one of heights", n)
	}
	switch compression := f.whole(tagCompression, 0, 1, math.MaxUint16); compression {
	case 1:
	case 8, 32946:
		l.packed = true
	default:
		return l, fmt.Errorf("its compression %d is not read; write it anew with gdal_translate -co COMPRESS=DEFLATE", compression)
	}
	switch predictor := f.whole(tagPredictor, 0, 1, math.MaxUint16); {
	case predictor == 1:
	case predictor == 2 && l.format != 3:
		l.predicted = true
	default:
		return l, fmt.Errorf("its predictor %d is not read; write it anew with gdal_translate -co PREDICTOR=1", predictor)
	}
	switch [2]int{l.format, l.bits} {
	case [2]int{1, 8}, [2]int{1, 16}, [2]int{1, 32}, [2]int{2, 8}, [2]int{2, 16}, [2]int{2, 32}, [2]int{3, 32}, [2]int{3, 64}:
		return l, f.checkLength(l, cols, rows)
	}
	return l, fmt.Errorf("its samples of %d bits in format %d are not read", l.bits, l.format)
}

// maxDeflate is how many times shorter than its content packed data can be.
const maxDeflate = 1032

// checkLength demands as many bytes as the samples need at least, so that memory
// is taken only for files that have them.
func (f *tiff) checkLength(l tiffLayout, cols, rows int) error {
	have := 0
	for n := range l.count {
		have += min(max(f.whole(l.lengths, n, 0, math.MaxUint32), 0), len(f.data))
	}
	need := cols * rows * l.bits / 8
	if l.packed {
		need /= maxDeflate
	}
	if have < need {
		return fmt.Errorf("its blocks have %d bytes together, too few for %d by %d samples", have, cols, rows)
	}
	return nil
}

// samples reads all blocks into the raster, whose rows run from the south.
func (f *tiff) samples(r *raster, l tiffLayout) error {
	noData, hasNoData := f.noData()
	for n := range l.count {
		left, top := n%l.across*l.cols, n/l.across*l.rows
		rows := l.rows
		if l.offsets == tagStripOffsets {
			rows = min(rows, r.rows-top)
		}
		block, err := f.block(n, l, rows)
		if err != nil {
			return err
		}
		for y := range min(rows, r.rows-top) {
			line := r.heights[(r.rows-1-top-y)*r.cols:]
			previous := uint64(0)
			for x := range min(l.cols, r.cols-left) {
				raw := f.raw(block, y*l.cols+x, l.bits)
				if l.predicted {
					raw += previous
					previous = raw
				}
				if v := sample(raw, l); !hasNoData || v != noData {
					line[left+x] = decimetres(v)
				}
			}
		}
	}
	return nil
}

// block returns the unpacked bytes of a block.
func (f *tiff) block(n int, l tiffLayout, rows int) ([]byte, error) {
	at, length := f.whole(l.offsets, n, 0, math.MaxUint32), f.whole(l.lengths, n, 0, math.MaxUint32)
	data, err := f.cut(uint64(max(at, 0)), uint64(max(length, 0)))
	if err != nil {
		return nil, err
	}
	want := l.cols * rows * l.bits / 8
	if l.packed {
		unpacked, err := zlib.NewReader(bytes.NewReader(data))
		if err != nil {
			return nil, fmt.Errorf("block %d is damaged: %w", n+1, err)
		}
		if data, err = io.ReadAll(io.LimitReader(unpacked, int64(want))); err != nil {
			return nil, fmt.Errorf("block %d is damaged: %w", n+1, err)
		}
	}
	if len(data) < want {
		return nil, fmt.Errorf("block %d has %d of %d bytes", n+1, len(data), want)
	}
	return data, nil
}

// raw returns the bits of a sample.
func (f *tiff) raw(block []byte, i, bits int) uint64 {
	switch bits {
	case 8:
		return uint64(block[i])
	case 16:
		return uint64(f.order.Uint16(block[2*i:]))
	case 32:
		return uint64(f.order.Uint32(block[4*i:]))
	default:
		return f.order.Uint64(block[8*i:])
	}
}

// sample is the number that the bits mean.
func sample(raw uint64, l tiffLayout) float64 {
	switch {
	case l.format == 3 && l.bits == 32:
		return float64(math.Float32frombits(uint32(raw)))
	case l.format == 3:
		return math.Float64frombits(raw)
	case l.format == 2 && l.bits == 8:
		return float64(int8(raw))
	case l.format == 2 && l.bits == 16:
		return float64(int16(raw))
	case l.format == 2:
		return float64(int32(raw))
	case l.bits == 8:
		return float64(uint8(raw))
	case l.bits == 16:
		return float64(uint16(raw))
	}
	return float64(uint32(raw))
}
