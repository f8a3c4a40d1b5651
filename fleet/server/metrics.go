package server

import (
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/kapok-fleet/kapok/fleet"
	"github.com/kapok-fleet/kapok/fleet/engine"
	"github.com/kapok-fleet/kapok/protocol"
)

// metrics are counted here, or read from the engine when asked for. Every label
// has a bounded set of values: routes, states, types; never an id or a path.
type metrics struct {
	registry  *prometheus.Registry
	requests  *prometheus.CounterVec
	durations *prometheus.HistogramVec
	frames    *prometheus.CounterVec
	telemetry *prometheus.CounterVec
	cut       *prometheus.CounterVec
}

func newMetrics(s *Server) *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "kapok_http_requests_total", Help: "HTTP requests by route, method and status.",
		}, []string{"route", "method", "status"}),
		durations: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "kapok_http_request_duration_seconds", Help: "How long HTTP requests took, upgrades without their connection.",
			Buckets: []float64{0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10},
		}, []string{"route"}),
		frames: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "kapok_link_frames_total", Help: "Frames on vehicle links by direction (in, out) and message type.",
		}, []string{"direction", "type"}),
		telemetry: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "kapok_telemetry_samples_total", Help: "Telemetry samples handed to the fleet (taken) or lost because its inbox was full (dropped).",
		}, []string{"outcome"}),
		cut: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "kapok_cut_off_total", Help: "Connections closed because the peer read too slowly: link or stream.",
		}, []string{"what"}),
	}
	m.registry.MustRegister(m.requests, m.durations, m.frames, m.telemetry, m.cut, &gauges{server: s, described: describeGauges()},
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
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
	m.frames.WithLabelValues("in", name).Inc()
}

// sent counts a frame to a vehicle.
func (m *metrics) sent(message protocol.ToVehicle) {
	name := ""
	switch message.(type) {
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
	}
	m.frames.WithLabelValues("out", name).Inc()
}

func (m *metrics) samples(n int, taken bool) {
	outcome := "taken"
	if !taken {
		outcome = "dropped"
	}
	m.telemetry.WithLabelValues(outcome).Add(float64(n))
}

// gauges reads the engine when Prometheus asks.
type gauges struct {
	server    *Server
	described map[string]*prometheus.Desc
}

func describeGauges() map[string]*prometheus.Desc {
	all := map[string]*prometheus.Desc{}
	for _, d := range []struct {
		name, help string
		label      []string
	}{
		{"kapok_ready", "1 while the fleet serves, else 0.", nil},
		{"kapok_links", "Open vehicle links.", nil},
		{"kapok_stream_subscribers", "Open streams.", nil},
		{"kapok_vehicles", "Registered vehicles by link state.", []string{"link"}},
		{"kapok_tasks", "Tasks in memory by state.", []string{"state"}},
		{"kapok_alerts_open", "Alerts that are not cleared, by severity.", []string{"severity"}},
		{"kapok_inbox_inputs", "Inputs that wait to be decided.", nil},
		{"kapok_pending_requests", "Requests whose answer is not yet given.", nil},
		{"kapok_waiting_records", "Durable events decided and not yet on disk.", nil},
		{"kapok_committed_index", "Index of the last durable event.", nil},
		{"kapok_steps_total", "Steps of the fleet.", nil},
		{"kapok_inputs_total", "Inputs decided.", nil},
		{"kapok_events_total", "Events concluded, volatile ones too.", nil},
		{"kapok_reopened_total", "How often the state was read again after a failed write.", nil},
		{"kapok_questions_total", "Questions to the background planner.", nil},
		{"kapok_track_samples_total", "Samples of tracks that were kept, or dropped because too many waited for the disk.", []string{"outcome"}},
		{"kapok_track_bytes", "Size of the files of tracks.", nil},
		{"kapok_step_duration_seconds", "How long steps took.", nil},
		{"kapok_commit_duration_seconds", "How long it took to make a group of events durable.", nil},
	} {
		all[d.name] = prometheus.NewDesc(d.name, d.help, d.label, nil)
	}
	return all
}

// Describe implements prometheus.Collector.
func (g *gauges) Describe(out chan<- *prometheus.Desc) {
	for _, d := range g.described {
		out <- d
	}
}

// Collect implements prometheus.Collector.
func (g *gauges) Collect(out chan<- prometheus.Metric) {
	send := func(kind prometheus.ValueType, name string, value float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(g.described[name], kind, value, labels...)
	}
	ready := 1.0
	if g.server.backend.Ready() != nil {
		ready = 0
	}
	stats := g.server.backend.Stats()
	send(prometheus.GaugeValue, "kapok_ready", ready)
	send(prometheus.GaugeValue, "kapok_links", float64(g.server.links.count()))
	send(prometheus.GaugeValue, "kapok_stream_subscribers", float64(g.server.hub.count()))
	send(prometheus.GaugeValue, "kapok_inbox_inputs", float64(stats.Inbox))
	send(prometheus.GaugeValue, "kapok_pending_requests", float64(stats.Pending))
	send(prometheus.GaugeValue, "kapok_waiting_records", float64(stats.Waiting))
	send(prometheus.GaugeValue, "kapok_committed_index", float64(stats.Committed))
	send(prometheus.CounterValue, "kapok_steps_total", float64(stats.Steps))
	send(prometheus.CounterValue, "kapok_inputs_total", float64(stats.Inputs))
	send(prometheus.CounterValue, "kapok_events_total", float64(stats.Events))
	send(prometheus.CounterValue, "kapok_reopened_total", float64(stats.Reopened))
	send(prometheus.CounterValue, "kapok_questions_total", float64(stats.Questions))
	out <- g.histogram("kapok_step_duration_seconds", &stats.StepTime)
	out <- g.histogram("kapok_commit_duration_seconds", &stats.CommitTime)
	if tracks := g.server.options.Tracks; tracks != nil {
		kept := tracks.Stats()
		send(prometheus.CounterValue, "kapok_track_samples_total", float64(kept.Kept), "kept")
		send(prometheus.CounterValue, "kapok_track_samples_total", float64(kept.Dropped), "dropped")
		send(prometheus.GaugeValue, "kapok_track_bytes", float64(kept.Bytes))
	}
	g.collectState(send)
}

func (g *gauges) histogram(name string, d *engine.Durations) prometheus.Metric {
	buckets := map[float64]uint64{}
	var below uint64
	for i, bound := range engine.DurationBounds() {
		below += d.Counts[i]
		buckets[bound.Seconds()] = below
	}
	return prometheus.MustNewConstHistogram(g.described[name], d.Count(), d.Sum.Seconds(), buckets)
}

// collectState counts what the fleet holds. States with nothing in them are
// sent as 0, so that a graph does not break off.
func (g *gauges) collectState(send func(prometheus.ValueType, string, float64, ...string)) {
	state := g.server.backend.View().State
	tasks := map[fleet.TaskState]int{
		fleet.TaskWaiting: 0, fleet.TaskAssigned: 0, fleet.TaskUnderway: 0, fleet.TaskDone: 0, fleet.TaskFailed: 0, fleet.TaskCancelled: 0,
	}
	for _, t := range state.Durable.Tasks {
		tasks[t.State]++
	}
	vehicles := map[fleet.LinkState]int{fleet.LinkUnknown: 0, fleet.LinkLive: 0, fleet.LinkLate: 0, fleet.LinkLost: 0}
	for id := range state.Durable.Vehicles {
		link := fleet.LinkUnknown
		if p, ok := state.Volatile.Presences[id]; ok {
			link = p.Link
		}
		vehicles[link]++
	}
	alerts := map[fleet.Severity]int{fleet.Info: 0, fleet.Warning: 0, fleet.Critical: 0}
	for _, a := range state.Durable.Alerts {
		if a.Open() {
			alerts[a.Severity]++
		}
	}
	for label, n := range tasks {
		send(prometheus.GaugeValue, "kapok_tasks", float64(n), string(label))
	}
	for label, n := range vehicles {
		send(prometheus.GaugeValue, "kapok_vehicles", float64(n), string(label))
	}
	for label, n := range alerts {
		send(prometheus.GaugeValue, "kapok_alerts_open", float64(n), string(label))
	}
}
