package main

import (
	"crypto/rand"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/kapok-fleet/kapok/fleet/access"
)

// TestTheGateLooksIntoTheFile: a token made by another process is good at once;
// a file that cannot be read is left alone for a second, whoever asks.
func TestTheGateLooksIntoTheFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "tokens.yaml")
	store, err := access.OpenStore(path)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 5, 4, 4, 0, 0, 0, time.UTC)
	g := &gate{Store: store, now: func() time.Time { return now }}
	editor, err := access.OpenStore(path)
	if err != nil {
		t.Fatal(err)
	}
	create := func(name string) string {
		t.Helper()
		secret, err := editor.Create(access.Token{Name: name, Role: access.Viewer}, now, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		return secret
	}
	first := create("first")
	if token, ok := g.Lookup(first); !ok || token.Name != "first" {
		t.Fatalf("a token that was just made: %+v, %v", token, ok)
	}
	second := create("second")
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, ok := g.Lookup(second); ok {
		t.Fatal("a file that is open to all must not be read")
	}
	if err := os.Chmod(path, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, ok := g.Lookup(second); ok {
		t.Error("within a second of the failure the file must not be read again")
	}
	if _, ok := g.Lookup(first); !ok {
		t.Error("what is known must stay good meanwhile")
	}
	now = now.Add(rereadAfter)
	if _, ok := g.Lookup(second); !ok {
		t.Error("a second later the file must be read again")
	}
	third := create("third")
	if _, ok := g.Lookup(third[1:] + "="); ok {
		t.Error("what has not the form of a token is none")
	}
	if len(store.List()) != 2 {
		t.Error("what has not the form of a token must not cost a look at the file")
	}
}

// TestTheEdgeFitsTheSystem: the limit of connections leaves descriptors for files.
func TestTheEdgeFitsTheSystem(t *testing.T) {
	for _, c := range []struct {
		descriptors, want int
		lowered           bool
	}{
		{1 << 20, 16384, false},
		{16384 + spareDescriptors, 16384, false},
		{4096, 4096 - spareDescriptors, true},
		{64, 1, true},
	} {
		s := defaultEdge()
		if lowered := s.fit(c.descriptors); lowered != c.lowered || s.MaxConnections != c.want {
			t.Errorf("with %d descriptors: %d connections, lowered %v, want %d, %v", c.descriptors, s.MaxConnections, lowered, c.want, c.lowered)
		}
	}
}

// TestWhoReadsMetrics: by default everybody on this machine, and nobody without a
// token on another.
func TestWhoReadsMetrics(t *testing.T) {
	for _, c := range []struct {
		metrics, listen string
		guarded         bool
	}{
		{metricsAuto, "127.0.0.1:8080", false},
		{metricsAuto, "[::1]:8080", false},
		{metricsAuto, "localhost:8080", false},
		{metricsAuto, ":8080", true},
		{metricsAuto, "0.0.0.0:8080", true},
		{metricsAuto, "192.0.2.1:8080", true},
		{metricsOpen, "192.0.2.1:8080", false},
		{metricsToken, "127.0.0.1:8080", true},
	} {
		s := defaultEdge()
		s.Metrics = c.metrics
		if s.guardsMetrics(c.listen) != c.guarded {
			t.Errorf("--metrics %s on %s: guarded %v, want %v", c.metrics, c.listen, !c.guarded, c.guarded)
		}
	}
}
