package main

import (
	"fmt"
	"net"

	"github.com/spf13/pflag"

	"github.com/kapok-fleet/kapok/fleet/server"
)

// Who may read /metrics.
const (
	// metricsAuto is metricsOpen on a loopback address and metricsToken on others.
	metricsAuto  = "auto"
	metricsOpen  = "open"
	metricsToken = "token"
)

// edgeSettings are the limits of the server's edge, and who may read its
// metrics. Counts and rates are those of server.Limits, where 0 is refused here:
// a limit that is not wanted is set high.
type edgeSettings struct {
	MaxConnections           int     `yaml:"max_connections"`
	MaxConnectionsPerAddress int     `yaml:"max_connections_per_address"`
	MaxPendingPerAddress     int     `yaml:"max_pending_per_address"`
	MaxRequests              int     `yaml:"max_requests"`
	TokenRate                float64 `yaml:"token_rate"`
	TokenBurst               int     `yaml:"token_burst"`
	AddressRate              float64 `yaml:"address_rate"`
	AddressBurst             int     `yaml:"address_burst"`
	FailureRate              float64 `yaml:"failure_rate"`
	FailureBurst             int     `yaml:"failure_burst"`
	LoginRate                float64 `yaml:"login_rate"`
	LoginBurst               int     `yaml:"login_burst"`
	Metrics                  string  `yaml:"metrics"`
}

func defaultEdge() edgeSettings {
	l := server.DefaultLimits()
	return edgeSettings{
		MaxConnections: l.Connections, MaxConnectionsPerAddress: l.ConnectionsPerAddress, MaxPendingPerAddress: l.PendingPerAddress,
		MaxRequests: l.Requests, TokenRate: l.TokenRate, TokenBurst: l.TokenBurst, AddressRate: l.AddressRate, AddressBurst: l.AddressBurst,
		FailureRate: l.FailureRate, FailureBurst: l.FailureBurst, LoginRate: l.LoginRate, LoginBurst: l.LoginBurst, Metrics: metricsAuto,
	}
}

// limits are the settings in the server's words.
func (s *edgeSettings) limits() server.Limits {
	return server.Limits{
		Connections: s.MaxConnections, ConnectionsPerAddress: s.MaxConnectionsPerAddress, PendingPerAddress: s.MaxPendingPerAddress,
		Requests: s.MaxRequests, TokenRate: s.TokenRate, TokenBurst: s.TokenBurst, AddressRate: s.AddressRate, AddressBurst: s.AddressBurst,
		FailureRate: s.FailureRate, FailureBurst: s.FailureBurst, LoginRate: s.LoginRate, LoginBurst: s.LoginBurst,
	}
}

// edgeCount is a count that a flag sets, and edgeRate a rate a second.
type edgeCount struct {
	flag, usage string
	value       *int
}

type edgeRate struct {
	flag, usage string
	value       *float64
}

func (s *edgeSettings) counts() []edgeCount {
	return []edgeCount{
		{"max-connections", "open network connections; what comes beyond is closed at once", &s.MaxConnections},
		{"max-connections-per-address", "those of one address (IPv4 address or IPv6 /64)", &s.MaxConnectionsPerAddress},
		{"max-pending-per-address", "those of one address that are no link or stream (yet)", &s.MaxPendingPerAddress},
		{"max-requests", "requests under way, a quarter of them with one token; beyond it 503", &s.MaxRequests},
		{"token-burst", "requests at once with one token", &s.TokenBurst},
		{"address-burst", "requests at once from one address", &s.AddressBurst},
		{"failure-burst", "failed authentications at once from one address", &s.FailureBurst},
		{"login-burst", "log-ins of one vehicle at once", &s.LoginBurst},
	}
}

func (s *edgeSettings) rates() []edgeRate {
	return []edgeRate{
		{"token-rate", "requests a second with one token; beyond it 429", &s.TokenRate},
		{"address-rate", "requests a second from one address; beyond it 429", &s.AddressRate},
		{"failure-rate", "failed authentications a second from one address; beyond it 429", &s.FailureRate},
		{"login-rate", "log-ins of one vehicle a second; beyond it 429", &s.LoginRate},
	}
}

// flags adds the settings as flags that write into s.
func (s *edgeSettings) flags(f *pflag.FlagSet) {
	for _, c := range s.counts() {
		f.IntVar(c.value, c.flag, *c.value, c.usage)
	}
	for _, r := range s.rates() {
		f.Float64Var(r.value, r.flag, *r.value, r.usage)
	}
	f.StringVar(&s.Metrics, "metrics", s.Metrics, "who may read /metrics: open, token (of a viewer), or auto: open on loopback only")
}

func (s *edgeSettings) validate() error {
	for _, c := range s.counts() {
		if *c.value < 1 {
			return fmt.Errorf("--%s %d is less than 1", c.flag, *c.value)
		}
	}
	for _, r := range s.rates() {
		if !(*r.value > 0) {
			return fmt.Errorf("--%s %g is not above 0", r.flag, *r.value)
		}
	}
	switch s.Metrics {
	case metricsAuto, metricsOpen, metricsToken:
	default:
		return fmt.Errorf("--metrics %q is not open, token or auto", s.Metrics)
	}
	return s.limits().Validate()
}

// spareDescriptors are kept for the journal, tracks and logs: a server whose
// sockets use up the process's descriptors could record nothing any more.
const spareDescriptors = 256

// fit lowers the limit of connections to what the system grants this process, and
// reports whether it had to.
func (s *edgeSettings) fit(descriptors int) bool {
	most := max(descriptors-spareDescriptors, 1)
	if s.MaxConnections <= most {
		return false
	}
	s.MaxConnections = most
	return true
}

// guardsMetrics tells whether /metrics needs a token on an address to listen on.
func (s *edgeSettings) guardsMetrics(listen string) bool {
	if s.Metrics != metricsAuto {
		return s.Metrics == metricsToken
	}
	host, _, err := net.SplitHostPort(listen)
	return err != nil || !loopback(host)
}
