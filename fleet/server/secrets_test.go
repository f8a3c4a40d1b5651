package server

import (
	"bytes"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kapok-fleet/kapok/fleet/engine"
	"github.com/kapok-fleet/kapok/protocol"
	"github.com/kapok-fleet/kapok/protocol/api"
	"github.com/kapok-fleet/kapok/protocol/ws"
)

// record is what a server says, kept.
type record struct {
	mu   sync.Mutex
	said bytes.Buffer
}

func (r *record) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.said.Write(p)
}

func (r *record) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.said.String()
}

// TestSecretsStaySecret sends tokens and tickets, good and bad, in their places
// and in others, and looks for them in the log at its most talkative, in answers,
// metrics and events.
func TestSecretsStaySecret(t *testing.T) {
	log := &record{}
	w := newWorld(t, func(o *Options) {
		o.Log = slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	})
	w.server.mux.HandleFunc("GET /panic", func(http.ResponseWriter, *http.Request) { panic("a fault") })
	w.server.rules["GET /panic"] = toRead
	const canary = "kpk_CANARYcanaryCANARYcanaryCANARYcanaryCANARYc"
	var told strings.Builder
	tell := func(a answer) {
		told.Write(a.body)
		for name, values := range a.header {
			told.WriteString(name + ": " + strings.Join(values, ",") + "\n")
		}
	}
	upgrade := []string{"Connection", "Upgrade", "Upgrade", "websocket", "Sec-WebSocket-Version", "13", "Sec-WebSocket-Key", "AAAAAAAAAAAAAAAAAAAAAA=="}
	for _, c := range []struct {
		who, method, path, body string
		headers                 []string
	}{
		{"", "GET", "/v1/tasks", "", []string{"Authorization", "Bearer " + canary}},
		{"", "GET", "/v1/tasks", "", []string{"Authorization", "Basic " + canary}},
		{"", "GET", "/v1/tasks", "", []string{"Authorization", canary}},
		{"", "GET", "/v1/tasks?token=" + canary, "", nil},
		{"viewer", "GET", "/v1/tasks?token=" + canary, "", nil},
		{"viewer", "GET", "/v1/tasks?limit=" + canary, "", nil},
		{"viewer", "GET", "/v1/events?cursor=" + canary, "", nil},
		{"viewer", "GET", "/v1/nothing?ticket=" + canary, "", nil},
		{"", "GET", "/v1/stream?ticket=" + canary, "", nil},
		{"", "GET", "/v1/stream?ticket=" + canary, "", upgrade},
		{"viewer", "GET", "/v1/stream?token=" + canary, "", nil},
		{"viewer", "GET", "/v1/tasks", "", []string{"X-Api-Key", canary, "Cookie", "token=" + canary}},
		{"r1", "GET", "/v1/link", "", append([]string{"Sec-WebSocket-Protocol", canary}, upgrade...)},
		{"r1", "GET", "/v1/link?access_token=" + canary, "", nil},
		{"dispatcher", "POST", "/v1/tasks", `{"kind":"visit","token":"` + canary + `"}`, nil},
		{"dispatcher", "POST", "/v1/tasks", `{"kind":"` + canary + `","stops":[{"site":"x"}]}`, nil},
		{"dispatcher", "POST", "/v1/tasks", canary, nil},
		{"dispatcher", "POST", "/v1/tasks", w.visit(), nil},
		{"viewer", "POST", "/v1/tasks", w.visit(), nil},
		{"second", "POST", "/v1/tasks", w.visit(), []string{"Idempotency-Key", "once"}},
	} {
		tell(w.do(c.who, c.method, c.path, c.body, c.headers...))
	}
	// The document knows nothing of this address, which w.do would mind.
	refusedWith(t, from(w.server, "192.0.2.1", ask(t, w.secrets["viewer"], "GET", "/panic?ticket="+canary, "")), 500, codeInternal)
	// The good ones are used where they are good, and once more.
	var ticket api.StreamTicket
	w.want(http.StatusCreated, &ticket, "viewer", "POST", "/v1/stream-tickets", "")
	w.watch("", "?ticket="+ticket.Ticket).next(api.StreamSnapshotType)
	tell(w.do("", "GET", "/v1/stream?ticket="+ticket.Ticket, "", upgrade...))
	r := w.connect("r1", "", protocol.SubprotocolJSON)
	w.must(r.conn.Send([]byte(`{"type":"` + canary + `"}`)))
	w.must(r.conn.Send([]byte(canary)))
	r.conn.Close(ws.CloseNormal, canary)
	tell(w.want(http.StatusOK, nil, "", "GET", "/metrics", ""))
	tell(w.want(http.StatusOK, nil, "admin", "GET", "/v1/events?limit=1000", ""))
	page, err := w.engine.Events(t.Context(), 0, 1000, engine.Filter{})
	w.must(err)
	if len(page.Events) == 0 || !strings.Contains(log.String(), "/panic") || !strings.Contains(told.String(), "kapok_refusals_total") {
		t.Fatalf("there is nothing to look at: %d events, log %s", len(page.Events), log)
	}
	secrets := map[string]string{"a bad token": canary, "a ticket": ticket.Ticket}
	for name, secret := range w.secrets {
		secrets["the token "+name] = secret
	}
	for name, secret := range secrets {
		for place, text := range map[string]string{"the log": log.String(), "an answer": told.String()} {
			if at := strings.Index(text, secret); at >= 0 {
				t.Errorf("%s stands in %s: …%s…", name, place, text[max(0, at-200):at+len(secret)])
			}
		}
	}
}

// TestATicketIsKeptByItsHash only.
func TestATicketIsKeptByItsHash(t *testing.T) {
	var kept tickets
	name, _, ok := kept.issue(caller{}, time.Now())
	if !ok {
		t.Fatal("no ticket")
	}
	for key := range kept.unused {
		if bytes.Contains(key[:], []byte(name)) {
			t.Error("the ticket itself is in memory")
		}
	}
	if _, ok := kept.use(name + "A"); ok {
		t.Error("another ticket is good")
	}
	if _, ok := kept.use(name); !ok {
		t.Error("the ticket is not good")
	}
}
