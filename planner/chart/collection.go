package chart

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/kapok-fleet/kapok/planner/space"
)

// MaxFeatureBytes is how long one feature of a GeoJSON file or one zone of an
// authority's may be, which is some 300000 points. Decoded, it takes up to 30
// times as much memory.
const MaxFeatureBytes = 8 << 20

// itemFault is what is wrong with a list as such.
type itemFault string

func (f itemFault) Error() string { return string(f) }

// eachItem hands on the items of a JSON list one by one, so that only one of them
// is in memory twice. It ends with the first error of take; what is wrong with the
// list itself is an itemFault.
func eachItem(list json.RawMessage, take func(i int, raw json.RawMessage) error) error {
	if !bytes.HasPrefix(bytes.TrimSpace(list), []byte("[")) {
		return itemFault("it is not a list")
	}
	decoder := json.NewDecoder(bytes.NewReader(list))
	if _, err := decoder.Token(); err != nil {
		return itemFault(err.Error())
	}
	for i := 0; decoder.More(); i++ {
		before := decoder.InputOffset()
		var raw json.RawMessage
		if err := decoder.Decode(&raw); err != nil {
			return itemFault(fmt.Sprintf("item %d: %v", i+1, err))
		}
		if length := decoder.InputOffset() - before; length > MaxFeatureBytes {
			return itemFault(fmt.Sprintf("item %d is %d bytes long; at most %d are read", i+1, length, MaxFeatureBytes))
		}
		if err := take(i, raw); err != nil {
			return err
		}
	}
	return nil
}

// checkText refuses what begins like text that is not in UTF-8.
func checkText(start []byte) error {
	switch {
	case bytes.HasPrefix(start, []byte("\xff\xfe")), bytes.HasPrefix(start, []byte("\xfe\xff")):
		return errors.New("line 1: its text is in UTF-16; save it as UTF-8")
	case bytes.HasPrefix(start, []byte("{\x00")), bytes.HasPrefix(start, []byte("\x00{")), bytes.HasPrefix(start, []byte("\x00\x00\x00{")):
		return errors.New("line 1: its text is in UTF-16 or UTF-32; save it as UTF-8")
	}
	return nil
}

// withoutMark passes over a byte order mark, which some programs put first.
func withoutMark(r *bufio.Reader) *bufio.Reader {
	if start, _ := r.Peek(3); string(start) == "\xef\xbb\xbf" {
		_, _ = r.Discard(3)
	}
	return r
}

// readCollection reads a GeoJSON FeatureCollection: its features as they stand, and
// its datum, which it says or which is stated for it. What does not begin as one is
// refused before the rest is read.
func readCollection(r io.Reader, mostBytes int64, stated space.Datum) (json.RawMessage, space.Datum, error) {
	start := make([]byte, 512)
	n, err := io.ReadFull(r, start)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, "", err
	}
	// Some programs put a byte order mark first.
	start = bytes.TrimPrefix(start[:n], []byte("\xef\xbb\xbf"))
	if err := checkText(start); err != nil {
		return nil, "", err
	}
	if first := bytes.TrimLeft(start, " \t\r\n"); len(first) > 0 && first[0] != '{' {
		before := start[:len(start)-len(first)]
		return nil, "", fmt.Errorf("line %d, column %d: it begins with %q and is no JSON object",
			1+bytes.Count(before, []byte("\n")), len(before)-bytes.LastIndexByte(before, '\n'), first[0])
	}
	data, err := io.ReadAll(io.LimitReader(io.MultiReader(bytes.NewReader(start), r), mostBytes+1))
	if err != nil {
		return nil, "", err
	}
	if int64(len(data)) > mostBytes {
		return nil, "", fmt.Errorf("it is longer than %d bytes", mostBytes)
	}
	var file struct {
		Type     string          `json:"type"`
		Datum    *string         `json:"datum"`
		CRS      *crs            `json:"crs"`
		Features json.RawMessage `json:"features"`
	}
	if err := json.Unmarshal(data, &file); err != nil {
		return nil, "", place(data, err)
	}
	if file.Type != "FeatureCollection" {
		return nil, "", fmt.Errorf("its type is %q, not FeatureCollection", file.Type)
	}
	datum, err := chooseDatum(file.Datum, file.CRS, stated)
	if len(file.Features) == 0 || string(file.Features) == "null" {
		return json.RawMessage("[]"), datum, err
	}
	return file.Features, datum, err
}
