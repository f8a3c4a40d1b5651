package server

import (
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/kapok-fleet/kapok/protocol"
)

// metrics are counted here, or read from the engine when asked for. Every label
// has a bounded set of values: routes, states, types, codes of the tables; never
// an id, an address or a path.
type metrics struct {
	registry  *prometheus.Registry
	requests  *prometheus.CounterVec
	durations *prometheus.HistogramVec
	refusals  *prometheus.CounterVec
	refused   *prometheus.CounterVec
	unasked   prometheus.Counter
	frames    linkFrames
	telemetry telemetryCounters
	mistakes  *prometheus.CounterVec
	closed    *prometheus.CounterVec
	throttled *prometheus.CounterVec
	cut       *prometheus.CounterVec
	departed  *prometheus.CounterVec
	streamed  streamCounters
}

// linkFrames count frames on vehicle links, resolved once: looking a counter up
// by its labels costs as much as reading the frame's head.
type linkFrames struct {
	in, out map[string]prometheus.Counter
}

// telemetryCounters count samples by what became of them.
type telemetryCounters struct {
	// taken were handed to the fleet, dropped found its inbox full, repeated had come
	// before.
	taken, dropped, repeated prometheus.Counter
	// thinned counts frames, since they are not read.
	thinned prometheus.Counter
}

// streamCounters count what is sent to subscribers.
type streamCounters struct {
	openings, events, positions, errors, bytes prometheus.Counter
}

func counters(name, help string, labels ...string) *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
}

func newMetrics(s *Server) *metrics {
	frames := counters("kapok_link_frames_total", "Frames on vehicle links by direction (in, out) and message type.", "direction", "type")
	telemetry := counters("kapok_telemetry_samples_total", "Telemetry samples handed to the fleet (taken), lost because its inbox was full (dropped), or left out because they had come before (repeated).", "outcome")
	streamed := counters("kapok_stream_frames_total", "Frames queued to subscribers of the stream, by what they carry: opening (snapshots and what goes before them), events, positions, error.", "kind")
	m := &metrics{
		registry: prometheus.NewRegistry(),
		requests: counters("kapok_http_requests_total", "HTTP requests by route, method and status.", "route", "method", "status"),
		durations: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "kapok_http_request_duration_seconds", Help: "How long HTTP requests took, upgrades without their connection.",
			Buckets: []float64{0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10},
		}, []string{"route"}),
		refusals: counters("kapok_refusals_total", "Requests and upgrades that were refused, by the code of the problem.", "code"),
		refused:  counters("kapok_connections_refused_total", "Network connections closed before anything was read: total, or too many of one address.", "limit"),
		unasked: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "kapok_connections_unasked_total", Help: "Network connections that ended without a request: scans, half-open peers, heads that broke HTTP or took too long.",
		}),
		mistakes:  counters("kapok_link_errors_total", "Errors that vehicles were answered with, by code.", "code"),
		closed:    counters("kapok_link_closed_total", "Vehicle links that ended, by why.", "why"),
		throttled: counters("kapok_link_throttled_total", "What was held back on links of peers that sent too much: bytes (reads delayed), pings (not answered), frames (dropped unread).", "what"),
		cut:       counters("kapok_cut_off_total", "Connections closed because the peer read too slowly: link, stream, or the answer to a request.", "what"),
		departed:  counters("kapok_stream_closed_total", "Streams that ended, by why.", "why"),
	}
	m.frames = linkFrames{
		in:  resolved(frames.MustCurryWith(prometheus.Labels{"direction": "in"}), "hello", "telemetry", "ack", "progress", "fault", "invalid"),
		out: resolved(frames.MustCurryWith(prometheus.Labels{"direction": "out"}), "welcome", "alive", "mission", "command", "received", "error"),
	}
	m.telemetry = telemetryCounters{
		taken: telemetry.WithLabelValues("taken"), dropped: telemetry.WithLabelValues("dropped"), repeated: telemetry.WithLabelValues("repeated"),
		thinned: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "kapok_telemetry_frames_thinned_total", Help: "Telemetry frames that were not read because the server was overloaded.",
		}),
	}
	bytes := prometheus.NewCounter(prometheus.CounterOpts{Name: "kapok_stream_bytes_total", Help: "Bytes queued to subscribers of the stream."})
	m.streamed = streamCounters{
		openings: streamed.WithLabelValues("opening"), events: streamed.WithLabelValues("events"),
		positions: streamed.WithLabelValues("positions"), errors: streamed.WithLabelValues("error"), bytes: bytes,
	}
	m.registry.MustRegister(m.requests, m.durations, m.refusals, m.refused, m.unasked, m.departed, frames, telemetry, m.telemetry.thinned, m.mistakes, m.closed,
		m.throttled, m.cut, streamed, bytes, &gauges{server: s, described: describeGauges()},
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	m.begin()
	return m
}

// begin counts nothing of each kind: a series that began with its first event
// would hide that event from what watches for a rise.
func (m *metrics) begin() {
	for code := range eachKind {
		m.refusals.WithLabelValues(code)
	}
	resolved(m.refused, limitTotal, limitAddress)
	resolved(m.throttled, "bytes", "pings", "frames")
	resolved(m.cut, "link", "stream", "request")
	resolved(m.departed, whyPeer, whyAbnormal, whySilent, whyUnfinished, whyTooSlow, whyWrongFrame, whyFrameRefused, whyClosed)
}

// resolved are the counters of the last label's values.
func resolved(vec *prometheus.CounterVec, values ...string) map[string]prometheus.Counter {
	all := map[string]prometheus.Counter{}
	for _, value := range values {
		all[value] = vec.WithLabelValues(value)
	}
	return all
}

func (m *metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}

// request counts an answered request. A route is a pattern, so that addresses
// cannot fill the memory; so must a method be a known one.
func (m *metrics) request(route, method string, status int, took time.Duration) {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
	default:
		method = "other"
	}
	m.requests.WithLabelValues(route, method, strconv.Itoa(status)).Inc()
	m.durations.WithLabelValues(route).Observe(took.Seconds())
}

// refusal counts a problem by its code; "" is none. A code that is not in the
// table is a fault of the program, and must not become a label.
func (m *metrics) refusal(code string) {
	if code == "" {
		return
	}
	if _, ok := kindOf(code); !ok {
		code = codeInternal
	}
	m.refusals.WithLabelValues(code).Inc()
}

// connectionRefused counts a connection that was closed at once.
func (m *metrics) connectionRefused(limit string) { m.refused.WithLabelValues(limit).Inc() }

// received counts a frame from a vehicle.
func (m *metrics) received(message protocol.FromVehicle, err error) {
	name := "invalid"
	if err == nil {
		switch message.(type) {
		case protocol.Hello:
			name = "hello"
		case protocol.Telemetry:
			name = "telemetry"
		case protocol.Ack:
			name = "ack"
		case protocol.Progress:
			name = "progress"
		case protocol.Fault:
			name = "fault"
		}
	}
	m.frames.in[name].Inc()
}

// sent counts a frame to a vehicle; an error also by its code, which is one of
// the protocol's or the session's.
func (m *metrics) sent(message protocol.ToVehicle) {
	name := ""
	switch message := message.(type) {
	case protocol.Welcome:
		name = "welcome"
	case protocol.Alive:
		name = "alive"
	case protocol.Mission:
		name = "mission"
	case protocol.Command:
		name = "command"
	case protocol.Received:
		name = "received"
	case protocol.Error:
		name = "error"
		m.mistakes.WithLabelValues(message.Code).Inc()
	}
	m.frames.out[name].Inc()
}

func (m *metrics) samples(n int, taken bool) {
	if taken {
		m.telemetry.taken.Add(float64(n))
		return
	}
	m.telemetry.dropped.Add(float64(n))
}
