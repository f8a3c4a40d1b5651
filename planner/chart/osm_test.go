package chart

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// openData opens a file of the shared test data, or skips the test.
func openData(t testing.TB, name string) *os.File {
	t.Helper()
	root := os.Getenv("KAPOK_DATA")
	if root == "" {
		root = "../../../shared/data"
	}
	file, err := os.Open(filepath.Join(root, name))
	if err != nil {
		t.Skipf("test data is absent; set KAPOK_DATA to its folder: %v", err)
	}
	t.Cleanup(func() { _ = file.Close() })
	return file
}

func TestTry(t *testing.T) {
	for _, n := range []string{"osm/otaniemi-espoo.osm", "osm/taipei-block.osm"} {
		s := time.Now()
		c, rep, err := ImportOSM(openData(t, n), OSMOptions{Name: n})
		t.Logf("%v %+v %v", time.Since(s), rep, err)
		if err != nil { continue }
		t.Log(len(encoded(t, c)), c.Extent)
		for _, s := range c.Sites { _, d, _ := c.SnapNode(s.Position); t.Log(s, d) }
		for i, s := range c.Places { if i%40==0 { _, d, _ := c.SnapNode(s.Position); t.Log(s, d) } }
	}
}
