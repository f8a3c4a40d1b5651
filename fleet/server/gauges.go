package server

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/kapok-fleet/kapok/fleet"
	"github.com/kapok-fleet/kapok/fleet/engine"
)

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
		{"kapok_build_info", "1, with the version of Kapok.", []string{"version"}},
		{"kapok_ready", "1 while the fleet serves, else 0.", nil},
		{"kapok_links", "Open vehicle links.", nil},
		{"kapok_stream_subscribers", "Open streams.", nil},
		{"kapok_connections", "Open network connections: links and streams (upgraded), and all others (pending).", []string{"kind"}},
		{"kapok_requests_under_way", "HTTP requests being answered, upgrades and health checks apart.", nil},
		{"kapok_limited_keys", "Addresses, tokens and vehicles that a rate limit keeps account of, by limit: address, failure, token, login.", []string{"limit"}},
		{"kapok_vehicles", "Registered vehicles by link state.", []string{"link"}},
		{"kapok_tasks", "Tasks in memory by state.", []string{"state"}},
		{"kapok_alerts_open", "Alerts that are not cleared, by severity.", []string{"severity"}},
		{"kapok_alerts_raised_total", "Alerts that were raised, by kind.", []string{"kind"}},
		{"kapok_alerts_unacknowledged", "Of the open alerts, those that no person has acknowledged, by severity.", []string{"severity"}},
		{"kapok_scheduler_latency_seconds", "Wait for a processor that the slowest tenth of goroutines exceeded, in the last tenth of a second.", nil},
		{"kapok_telemetry_thinning_seconds", "Shortest time between two telemetry frames of one vehicle that are read; 0 unless the server is overloaded.", nil},
		{"kapok_inbox_inputs", "Inputs that wait to be decided.", nil},
		{"kapok_inbox_limit_inputs", "How many inputs may wait; beyond it telemetry is dropped and the rest waits.", nil},
		{"kapok_pending_requests", "Requests whose answer is not yet given.", nil},
		{"kapok_waiting_records", "Durable events decided and not yet on disk.", nil},
		{"kapok_committed_index", "Index of the last durable event.", nil},
		{"kapok_steps_total", "Steps of the fleet.", nil},
		{"kapok_inputs_total", "Inputs decided.", nil},
		{"kapok_events_total", "Events concluded, volatile ones too.", nil},
		{"kapok_reopened_total", "How often the state was read again after a failed write.", nil},
		{"kapok_questions_total", "Questions to the background planner.", nil},
		{"kapok_telemetry_implausible_total", "Samples that said what the vehicle cannot have done.", nil},
		{"kapok_track_samples_total", "Samples of tracks that were kept, or dropped because too many waited for the disk.", []string{"outcome"}},
		{"kapok_track_bytes", "Size of the files of tracks.", nil},
		{"kapok_track_damaged_blocks_total", "Blocks of tracks that were found spoiled when read.", nil},
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
	send(prometheus.GaugeValue, "kapok_build_info", 1, g.server.options.Version)
	send(prometheus.GaugeValue, "kapok_ready", ready)
	send(prometheus.GaugeValue, "kapok_links", float64(g.server.links.count()))
	send(prometheus.GaugeValue, "kapok_stream_subscribers", float64(g.server.hub.count()))
	send(prometheus.GaugeValue, "kapok_scheduler_latency_seconds", time.Duration(g.server.overload.latency.Load()).Seconds())
	send(prometheus.GaugeValue, "kapok_telemetry_thinning_seconds", time.Duration(g.server.overload.thin.Load()).Seconds())
	send(prometheus.GaugeValue, "kapok_inbox_inputs", float64(stats.Inbox))
	send(prometheus.GaugeValue, "kapok_inbox_limit_inputs", engine.InboxInputs)
	send(prometheus.GaugeValue, "kapok_pending_requests", float64(stats.Pending))
	send(prometheus.GaugeValue, "kapok_waiting_records", float64(stats.Waiting))
	send(prometheus.GaugeValue, "kapok_committed_index", float64(stats.Committed))
	send(prometheus.CounterValue, "kapok_steps_total", float64(stats.Steps))
	send(prometheus.CounterValue, "kapok_inputs_total", float64(stats.Inputs))
	send(prometheus.CounterValue, "kapok_events_total", float64(stats.Events))
	send(prometheus.CounterValue, "kapok_reopened_total", float64(stats.Reopened))
	send(prometheus.CounterValue, "kapok_questions_total", float64(stats.Questions))
	send(prometheus.CounterValue, "kapok_telemetry_implausible_total", float64(stats.Implausible))
	for _, kind := range fleet.AlertKinds() {
		send(prometheus.CounterValue, "kapok_alerts_raised_total", float64(stats.Raised[kind]), string(kind))
	}
	g.collectEdge(send)
	out <- g.histogram("kapok_step_duration_seconds", &stats.StepTime)
	out <- g.histogram("kapok_commit_duration_seconds", &stats.CommitTime)
	if tracks := g.server.options.Tracks; tracks != nil {
		kept := tracks.Stats()
		send(prometheus.CounterValue, "kapok_track_samples_total", float64(kept.Kept), "kept")
		send(prometheus.CounterValue, "kapok_track_samples_total", float64(kept.Dropped), "dropped")
		send(prometheus.GaugeValue, "kapok_track_bytes", float64(kept.Bytes))
		send(prometheus.CounterValue, "kapok_track_damaged_blocks_total", float64(kept.Damaged))
	}
	g.collectState(send)
}

// collectEdge tells how full the limits of the edge are.
func (g *gauges) collectEdge(send func(prometheus.ValueType, string, float64, ...string)) {
	pending, upgraded := g.server.doors.count()
	send(prometheus.GaugeValue, "kapok_connections", float64(pending), "pending")
	send(prometheus.GaugeValue, "kapok_connections", float64(upgraded), "upgraded")
	send(prometheus.GaugeValue, "kapok_requests_under_way", float64(g.server.underWay.count()))
	of := &g.server.limiters
	send(prometheus.GaugeValue, "kapok_limited_keys", float64(of.address.count()), "address")
	send(prometheus.GaugeValue, "kapok_limited_keys", float64(of.failure.count()), "failure")
	send(prometheus.GaugeValue, "kapok_limited_keys", float64(of.token.count()), "token")
	send(prometheus.GaugeValue, "kapok_limited_keys", float64(of.login.count()), "login")
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
	unseen := map[fleet.Severity]int{}
	for _, a := range state.Durable.Alerts {
		if !a.Open() {
			continue
		}
		alerts[a.Severity]++
		if a.AcknowledgedAt.IsZero() {
			unseen[a.Severity]++
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
		send(prometheus.GaugeValue, "kapok_alerts_unacknowledged", float64(unseen[label]), string(label))
	}
}
