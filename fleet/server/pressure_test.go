package server

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kapok-fleet/kapok/fleet"
	"github.com/kapok-fleet/kapok/protocol"
	"github.com/kapok-fleet/kapok/protocol/api"
)

// crowded is a backend whose inbox is full at times.
type crowded struct {
	Backend
	full atomic.Bool
}

func (c *crowded) TrySubmit(input fleet.Input) bool {
	return !c.full.Load() && c.Backend.TrySubmit(input)
}

// TestAFullInbox loses telemetry, counts it, and loses nothing else.
func TestAFullInbox(t *testing.T) {
	inbox := &crowded{}
	w := newWorld(t, func(o *Options) {
		inbox.Backend = o.Backend
		o.Backend = inbox
	})
	r := w.connect("r1", "", protocol.SubprotocolJSON)
	r.login()
	inbox.full.Store(true)
	node := w.chart.Ground.Nodes[0].Point
	r.report(protocol.Position{Lon: node[0], Lat: node[1], AltitudeM: w.chart.GroundAltitudeM})

	var command api.Command
	w.want(http.StatusCreated, &command, "dispatcher", "POST", "/v1/vehicles/r1/commands", `{"kind":"hold"}`)
	hear(r, func(m protocol.Command) bool { return m.ID == command.ID })
	w.want(http.StatusOK, &command, "viewer", "GET", "/v1/commands/"+command.ID, "")
	if command.State != "issued" {
		t.Errorf("the inbox is full, yet the command is %s", command.State)
	}
	if metrics := string(w.want(http.StatusOK, nil, "", "GET", "/metrics", "").body); !strings.Contains(metrics, `kapok_telemetry_samples_total{outcome="dropped"} 1`) {
		t.Error("the lost sample is not counted")
	}

	inbox.full.Store(false)
	deadline := time.Now().Add(patience)
	for command.State != "delivered" {
		if time.Now().After(deadline) {
			t.Fatalf("the command is still %s", command.State)
		}
		w.want(http.StatusOK, &command, "viewer", "GET", "/v1/commands/"+command.ID, "")
	}
	if command.State != "delivered" {
		t.Errorf("the command is %s", command.State)
	}
}

// TestPositionsAreCoalesced sends many samples and expects few frames, the last
// of them with the newest position.
func TestPositionsAreCoalesced(t *testing.T) {
	w := newWorld(t, nil)
	stream := w.watch("viewer", "?rate_hz=2")
	r := w.connect("r1", "", protocol.SubprotocolCBOR)
	r.login()
	began := time.Now()
	const samples = 40
	node := w.chart.Ground.Nodes[0].Point
	pace := time.NewTicker(25 * time.Millisecond)
	defer pace.Stop()
	for i := range samples {
		<-pace.C
		r.report(protocol.Position{Lon: node[0], Lat: node[1], AltitudeM: w.chart.GroundAltitudeM + float64(i)})
	}
	frames := 0
	for {
		f := stream.next(api.StreamPositionsType)
		frames++
		if at := f.Vehicles[0].Position; at != nil && *at.AltitudeM == w.chart.GroundAltitudeM+samples-1 {
			break
		}
	}
	if most := int(time.Since(began).Seconds()*2) + 2; frames > most || frames > samples/2 {
		t.Errorf("%d frames came, at most %d are allowed", frames, most)
	}
}

// TestPagesOverAChangingList: what comes and goes between two pages neither
// repeats nor hides the rest.
func TestPagesOverAChangingList(t *testing.T) {
	ids := []string{"T1", "T10", "T2", "T9", "T11"}
	first, cursor, _ := page(slices.Clone(ids), Page{Limit: 2})
	if !slices.Equal(first, []string{"T1", "T2"}) || cursor == "" {
		t.Fatalf("the first page is %v", first)
	}
	second, cursor, _ := page([]string{"T1", "T12", "T11", "T10", "T9"}, Page{Limit: 3, Cursor: cursor})
	if !slices.Equal(second, []string{"T9", "T10", "T11"}) || cursor == "" {
		t.Fatalf("the second page is %v", second)
	}
	last, cursor, _ := page([]string{"T12", "T9"}, Page{Limit: 3, Cursor: cursor})
	if !slices.Equal(last, []string{"T12"}) || cursor != "" {
		t.Fatalf("the last page is %v, cursor %q", last, cursor)
	}
}

// TestAccept tells GeoJSON from JSON.
func TestAccept(t *testing.T) {
	for header, want := range map[string]bool{
		"":                         false,
		"*/*":                      false,
		"application/json":         false,
		"application/geo+json":     true,
		"application/geo+json;q=0": false,
		"application/json, application/geo+json;q=0.5": false,
		"application/json;q=0.5, application/geo+json": true,
		";;;, application/geo+json; charset=utf-8":     true,
	} {
		if got := wantsGeoJSON([]string{header}); got != want {
			t.Errorf("Accept %q: GeoJSON is %v", header, got)
		}
	}
}

// FuzzTags reads any conditional header without a panic, and what it accepts
// matches what it names.
func FuzzTags(f *testing.F) {
	for _, seed := range []string{`"1"`, `W/"2", "3"`, "*", `"a,b" , "c"`, `"`, ","} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, header string) {
		got, ok := parseTags(header)
		if ok && !got.any && len(got.strong)+len(got.weak) == 0 {
			t.Errorf("%q is accepted and names nothing", header)
		}
		for _, tag := range got.strong {
			if n, err := strconv.ParseUint(tag, 10, 64); err == nil && strconv.FormatUint(n, 10) == tag && !got.matches(n) {
				t.Errorf("%q names %s and does not match it", header, tag)
			}
		}
	})
}

// FuzzCursor pages with any cursor.
func FuzzCursor(f *testing.F) {
	f.Add("", 0)
	f.Add("VDk", 2)
	f.Add("!", -1)
	f.Fuzz(func(t *testing.T, cursor string, limit int) {
		ids := []string{"T1", "T2", "T10"}
		picked, _, bad := page(ids, Page{Limit: limit, Cursor: cursor})
		if bad == nil && len(picked) > len(ids) {
			t.Errorf("%d of %d picked", len(picked), len(ids))
		}
	})
}
