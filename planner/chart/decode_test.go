package chart

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

func TestReadRefusesDamage(t *testing.T) {
	file := encoded(t, mustNew(t, village()))
	for n := range file {
		if _, err := Read(bytes.NewReader(file[:n])); !errors.Is(err, ErrFile) {
			t.Fatalf("cut to %d bytes: %v", n, err)
		}
	}
	for n := range file {
		damaged := bytes.Clone(file)
		damaged[n] ^= 0x10
		if _, err := Read(bytes.NewReader(damaged)); !errors.Is(err, ErrFile) {
			t.Fatalf("byte %d flipped: %v", n, err)
		}
	}
}

// sealed returns a file with any body under a right checksum.
func sealed(body []byte) []byte {
	file := append([]byte(Magic), 0, 0, 0, Version)
	file = binary.BigEndian.AppendUint64(file, uint64(len(body)))
	sum := sha(body)
	return append(append(file, body...), sum[:]...)
}

func TestReadSaysWhatIsWrong(t *testing.T) {
	file := encoded(t, mustNew(t, village()))
	changed := func(at int, b ...byte) []byte {
		c := bytes.Clone(file)
		copy(c[at:], b)
		return c
	}
	body := file[headBytes : len(file)-digestSize]
	for name, c := range map[string]struct {
		file []byte
		want string
	}{
		"empty":       {nil, "does not begin"},
		"text":        {[]byte("a letter to someone"), "does not begin"},
		"short":       {file[:10], "truncated within"},
		"version":     {changed(8, 0, 0, 0, 9), "version 9"},
		"old version": {changed(8, 0, 0, 0, 1), "it has version 1 and this program reads version 2 to 3; build it anew"},
		"huge length": {changed(12, 0xff), "the limit is"},
		"longer":      {append(bytes.Clone(file), 0), "more bytes follow"},
		"flipped":     {changed(60, 0xee), "content has changed"},
		"no section":  {sealed(nil), `"strings" is missing`},
		"half a body": {sealed(body[:len(body)/2]), "claims"},
		"huge count":  {sealed([]byte{1, 0, 0, 0, 0, 0, 0, 0, 5, 0xff, 0xff, 0xff, 0xff, 0x0f}), "claims 4294967295 items"},
		"excess":      {sealed(append(bytes.Clone(body), 0)), "follow the last section"},
	} {
		_, err := Read(bytes.NewReader(c.file))
		if !errors.Is(err, ErrFile) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
	broken := errors.New("the disk is gone")
	if _, err := Read(io.MultiReader(bytes.NewReader(file[:50]), iotest.ErrReader(broken))); !errors.Is(err, broken) {
		t.Errorf("a failing reader gives %v", err)
	}
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("no space") }

func TestWriteReportsFaults(t *testing.T) {
	if err := mustNew(t, village()).Write(full{}); err == nil || !strings.Contains(err.Error(), "no space") {
		t.Errorf("a full disk gives %v", err)
	}
}

// FuzzRead feeds bodies under a right checksum, so that the decoder itself is
// reached; what it takes must survive another round.
func FuzzRead(f *testing.F) {
	c, err := New(village())
	if err != nil {
		f.Fatal(err)
	}
	file := encoded(f, c)
	f.Add(file[headBytes : len(file)-digestSize])
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, body []byte) {
		c, err := Read(bytes.NewReader(sealed(body)))
		if err != nil {
			if !errors.Is(err, ErrFile) {
				t.Fatal(err)
			}
			return
		}
		again, err := Read(bytes.NewReader(encoded(t, c)))
		if err != nil {
			t.Fatalf("what was read cannot be written and read again: %v", err)
		}
		if !bytes.Equal(encodeBody(c), encodeBody(again)) {
			t.Fatal("the second round differs")
		}
	})
}

// FuzzImportOSM wants a chart or an error, never a panic.
func FuzzImportOSM(f *testing.F) {
	f.Add([]byte(`<osm><node id="1" lat="1" lon="1"/><node id="2" lat="1" lon="1.001"/><node id="3" lat="1.001" lon="1"/><way id="2"><nd ref="1"/><nd ref="2"/><nd ref="3"/><nd ref="1"/><tag k="highway" v="path"/><tag k="building" v="yes"/><tag k="height" v="4'"/></way></osm>`))
	f.Add([]byte(`{}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, _, err := ImportOSM(bytes.NewReader(data), OSMOptions{})
		if (c == nil) == (err == nil) {
			t.Fatalf("a chart %v and the error %v", c, err)
		}
	})
}
