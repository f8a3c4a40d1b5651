package server

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/kapok-fleet/kapok/fleet/access"
	"github.com/kapok-fleet/kapok/fleet/session"
	"github.com/kapok-fleet/kapok/fleet/track"
	"github.com/kapok-fleet/kapok/planner/chart"
	"github.com/kapok-fleet/kapok/protocol/api"
	"github.com/kapok-fleet/kapok/protocol/ws"
)

// The limits of the HTTP side.
const (
	// maxHeaderBytes is the longest head of a request, its first line included.
	maxHeaderBytes = 16 << 10
	// headerSlack is what net/http adds to the limit that it is given.
	headerSlack = 4 << 10
	// readHeaderTimeout bounds the arrival of a request's head and, before that, of
	// the TLS handshake: also for a peer that connects and says nothing. The body
	// has bodyWithin.
	readHeaderTimeout = 10 * time.Second
	// readTimeout bounds a request that net/http refuses itself, body included; all
	// others have deadlines of their own.
	readTimeout = 30 * time.Second
	// writeTimeout bounds an answer, from the head of its request to its last
	// byte; downloads have exportStalls for each piece instead.
	writeTimeout = 2 * time.Minute
	// idleTimeout bounds the wait for the next request of a connection.
	idleTimeout = 2 * time.Minute
	// closeWithin is how long peers may take to answer the closing of their links
	// and streams at the shutdown, before they are cut.
	closeWithin = 3 * time.Second
	// DefaultAnswerWithin is how long a request waits for the fleet's answer.
	DefaultAnswerWithin = 30 * time.Second
	// DefaultMaxStreams is how many streams may be open.
	DefaultMaxStreams = 256
)

// Options configure a Server. Backend, Chart, Access and Fleet are required; the
// rest has defaults.
type Options struct {
	Backend Backend
	Chart   *chart.Chart
	Access  Gate
	// Fleet is the name under /v1/fleets/.
	Fleet string
	// Log takes what an operator should read; nil discards it.
	Log *slog.Logger
	// Session configures the vehicles' links. Its AliveInterval must be
	// fleet.Config.AliveInterval; what New subtracts makes up for the pace of the
	// timers.
	Session session.Config
	// Clock is the fleet's, as the engine has it; nil means time.Now. Sockets
	// always run on the wall clock.
	Clock func() time.Time
	// Speed is how much faster Clock runs than the wall clock; 0 means 1.
	Speed float64
	// AllowedOrigins may open links and streams beside pages of this host, e.g.
	// "https://dispatch.example.org".
	AllowedOrigins []string
	// AnswerWithin bounds the wait for the fleet's answer; 0 means
	// DefaultAnswerWithin.
	AnswerWithin time.Duration
	// MaxStreams bounds open streams; 0 means DefaultMaxStreams.
	MaxStreams int
	// MaxQuotes bounds quotes that are made at once; 0 means DefaultMaxQuotes.
	MaxQuotes int
	// Responses are what the fleet does about each kind of incident.
	Responses []api.Response
	// Tracks are flushed and read by the server; whoever opened them closes them
	// after Shutdown. Nil when none are kept.
	Tracks *track.Store
	// Version stands in the OpenAPI document.
	Version string
	// TLS makes Serve speak TLS on its listener; nil for none.
	TLS *tls.Config
	// Limits bound what peers may cost; what is 0 in them has its default.
	Limits Limits
	// GuardMetrics asks for a token that may read before /metrics is shown;
	// otherwise it is open to all.
	GuardMetrics bool
}

func (o Options) withDefaults() (Options, error) {
	switch {
	case o.Backend == nil || o.Chart == nil || o.Access == nil:
		return o, errors.New("server: options need a backend, a chart and access")
	case !access.ValidID(o.Fleet):
		return o, fmt.Errorf("server: %q cannot name a fleet: 1 to 64 of A-Z a-z 0-9 . _ : -", o.Fleet)
	case o.Speed < 0 || o.AnswerWithin < 0 || o.MaxStreams < 0 || o.MaxQuotes < 0:
		return o, errors.New("server: options have a negative number")
	}
	if err := o.Session.Validate(); err != nil {
		return o, fmt.Errorf("server: %w", err)
	}
	if err := o.Limits.Validate(); err != nil {
		return o, fmt.Errorf("server: %w", err)
	}
	o.Limits = o.Limits.withDefaults()
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.Speed == 0 {
		o.Speed = 1
	}
	if o.AnswerWithin == 0 {
		o.AnswerWithin = DefaultAnswerWithin
	}
	if o.MaxStreams == 0 {
		o.MaxStreams = DefaultMaxStreams
	}
	if o.MaxQuotes == 0 {
		o.MaxQuotes = DefaultMaxQuotes
	}
	if o.Version == "" {
		o.Version = "dev"
	}
	return o, nil
}

// Server is the edge of one fleet. It is an http.Handler.
type Server struct {
	options  Options
	backend  Backend
	mux      *http.ServeMux
	api      huma.API
	rules    map[string]permission // by pattern
	document []byte
	metrics  *metrics
	tickets  tickets
	links    links
	overload overload
	hub      *hub
	exports  atomic.Int32 // downloads under way
	limiters limiters
	underWay underWay
	doors    doors
	offences *offences
	// headers are those of all answers, strictTransport one more of those over
	// TLS. They are shared by all requests and never change.
	headers         http.Header
	strictTransport []string
	// quotes holds a token for each quote that is being made.
	quotes chan struct{}

	// serving ends when Shutdown begins; work counts the goroutines that it ends.
	serving context.Context
	stop    context.CancelFunc
	work    sync.WaitGroup
}

// New returns a server whose goroutines run until Shutdown.
func New(o Options) (*Server, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	s := &Server{options: o, backend: o.Backend, mux: http.NewServeMux(), rules: map[string]permission{}}
	s.limiters, s.headers, s.strictTransport = newLimiters(o.Limits), securityHeaders(), overTLS()
	s.offences = newOffences()
	s.hub = &hub{server: s, socket: streamOptions()}
	s.serving, s.stop = context.WithCancel(context.Background())
	s.options.Session = s.sessionConfig(o.Session)
	s.quotes = make(chan struct{}, o.MaxQuotes)
	s.metrics = newMetrics(s)
	s.doors = doors{limits: o.Limits, refused: s.metrics.connectionRefused, unasked: s.metrics.unasked.Inc}
	s.api = humago.New(s.mux, huma.Config{
		OpenAPI:       describeAPI(o.Version),
		Formats:       map[string]huma.Format{"application/json": huma.DefaultJSONFormat, problemType: huma.DefaultJSONFormat},
		DefaultFormat: "application/json", RejectUnknownQueryParameters: true, Transformers: []huma.Transformer{fromHuma},
	})
	s.registerTasks()
	s.registerVehicles()
	s.registerExecution()
	s.registerChart()
	s.registerIncidents()
	s.registerQuotes()
	s.registerZones()
	s.registerConditions()
	s.registerActions()
	s.registerTickets()
	s.registerExports()
	s.registerRaw()
	if err := s.sealAPI(); err != nil {
		return nil, err
	}
	for _, run := range []func(context.Context){s.hub.follow, s.hub.beatOn, s.keepTracks, s.tickLinks, s.watchLoad, s.checkOn} {
		s.work.Go(func() { run(s.serving) })
	}
	return s, nil
}

// sessionConfig makes up for timers that are looked at only each tick, and for
// a fleet clock that runs faster than the sockets.
func (s *Server) sessionConfig(c session.Config) session.Config {
	if c.AliveInterval == 0 {
		c.AliveInterval = 5 * time.Second
	}
	late := time.Duration(float64(s.tickEvery()) * max(1, s.options.Speed))
	c.AliveInterval = max(c.AliveInterval-late, c.AliveInterval/2)
	if c.HelloWithin == 0 {
		c.HelloWithin = 10 * time.Second
	}
	c.HelloWithin = time.Duration(float64(c.HelloWithin) * max(1, s.options.Speed))
	return c
}

// Handler returns the server as an http.Handler, for those who bring their own
// listener; its links and streams end with Shutdown. Connections are not counted
// then, and their time is for whoever serves them to bound.
func (s *Server) Handler() http.Handler { return s }

// Serve answers on the listener until ctx ends, then shuts down: no new
// connections, links and streams closed with 1001, requests finished, all
// within ten seconds. What clients have not ended by then is cut, which is no
// error. The engine may be shut down afterwards. It returns nil after an orderly
// end.
func (s *Server) Serve(ctx context.Context, listener net.Listener) error {
	httpServer := s.httpServer()
	listener = s.watched(listener)
	failed := make(chan error, 1)
	s.work.Go(func() { failed <- httpServer.Serve(listener) })
	var err error
	select {
	case err = <-failed:
	case <-ctx.Done():
	}
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	closed := make(chan error, 1)
	go func() { closed <- httpServer.Shutdown(end) }()
	shut := s.Shutdown(end)
	if stop := <-closed; stop != nil {
		s.options.Log.Warn("requests were cut at the shutdown", "error", stop)
		_ = httpServer.Close()
	}
	if err != nil && !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("server: serving %s: %w", listener.Addr(), err)
	}
	if shut != nil {
		return fmt.Errorf("server: shutting down: %w", shut)
	}
	return nil
}

// httpServer is net/http's, with every wait bounded.
func (s *Server) httpServer() *http.Server {
	// WebSocket needs HTTP/1.1, and what is not spoken needs no defence.
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	return &http.Server{
		Handler: s, MaxHeaderBytes: maxHeaderBytes - headerSlack, ReadHeaderTimeout: readHeaderTimeout,
		ReadTimeout: readTimeout, WriteTimeout: writeTimeout, IdleTimeout: idleTimeout, Protocols: protocols, DisableGeneralOptionsHandler: true,
		ConnState: s.doors.follow, ConnContext: s.doors.receive, ErrorLog: slog.NewLogLogger(s.options.Log.Handler(), slog.LevelDebug),
	}
}

// watched is the listener with its connections counted, and with TLS where that
// is wanted: the counting is beneath it, so that handshakes count too.
func (s *Server) watched(inner net.Listener) net.Listener {
	counted := &listener{Listener: inner, doors: &s.doors}
	if s.options.TLS == nil {
		return counted
	}
	return tls.NewListener(counted, s.options.TLS)
}

// Shutdown closes links and streams with 1001, waits until they are gone and
// their vehicles' absence is told, and ends the server's goroutines. A peer that
// does not answer the closing within closeWithin, or until ctx ends, is cut.
func (s *Server) Shutdown(ctx context.Context) error {
	s.stop()
	streams := make(chan error, 1)
	go func() { streams <- s.closeGroup(ctx, &s.hub.group) }()
	err := s.closeGroup(ctx, &s.links.group)
	err = errors.Join(err, <-streams)
	done := make(chan struct{})
	go func() { s.work.Wait(); close(done) }()
	select {
	case <-done:
	case <-ctx.Done():
		err = errors.Join(err, ctx.Err())
	}
	return err
}

// closeGroup closes connections, and cuts those whose peers do not answer: such
// peers are gone already, and no fault of the shutdown.
func (s *Server) closeGroup(ctx context.Context, group *ws.Group) error {
	patience, cancel := context.WithTimeout(ctx, closeWithin)
	defer cancel()
	err := group.Shutdown(patience)
	if err == nil {
		return nil
	}
	s.options.Log.Info("connections were cut at the shutdown", "error", err)
	if err := group.Shutdown(ctx); err != nil {
		return fmt.Errorf("ending the connections that were cut: %w", err)
	}
	return nil
}
