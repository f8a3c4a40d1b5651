package server

import "fmt"

// Limits bound what one peer, one token, one vehicle and all of them together
// may cost. 0 means the default. An address is an IPv4 address or an IPv6 /64,
// which is what one subscriber is given.
type Limits struct {
	// Connections is how many network connections may be open. What comes beyond
	// it is closed at once.
	Connections int
	// ConnectionsPerAddress is how many of them may be of one address.
	ConnectionsPerAddress int
	// PendingPerAddress is how many connections of one address may be neither a
	// link nor a stream (yet).
	PendingPerAddress int
	// Requests is how many requests may be under way that are no upgrade, a
	// quarter of them with one token; beyond it 503, or 429 for the token.
	Requests int
	// TokenRate and TokenBurst bound the requests of one token, AddressRate and
	// AddressBurst those of one address, in requests a second and requests at
	// once; beyond them 429. Log-ins do not count for the token: a simulator's
	// stands for many vehicles.
	TokenRate, AddressRate   float64
	TokenBurst, AddressBurst int
	// FailureRate and FailureBurst bound the failed authentications of one address
	// that are answered with 401; beyond them 429. A good token still passes.
	FailureRate  float64
	FailureBurst int
	// LoginRate and LoginBurst bound how often one vehicle opens a link; beyond
	// them 429.
	LoginRate  float64
	LoginBurst int
}

// DefaultLimits are what 0 means in Limits.
func DefaultLimits() Limits {
	return Limits{
		Connections: 16384, ConnectionsPerAddress: 12288, PendingPerAddress: 512, Requests: 512,
		TokenRate: 200, TokenBurst: 1000, AddressRate: 500, AddressBurst: 2000,
		FailureRate: 5, FailureBurst: 50, LoginRate: 1, LoginBurst: 10,
	}
}

const (
	// maxRate bounds the rates that can be set, a second; more is no limit.
	maxRate = 1e6
	// maxCount bounds the counts that can be set.
	maxCount = 1 << 20
	// maxKeys is of how many tokens, addresses or vehicles a limit keeps account,
	// of each kind. The one that was not seen for longest is forgotten first, which
	// gives it a full burst.
	maxKeys = 1 << 14
	// maxOpenRequests is how many requests may be under way that need no token, so
	// that strangers who do not read their answers stop nobody's work.
	maxOpenRequests = 64
)

// Validate reports the first limit that is out of range.
func (l Limits) Validate() error {
	for _, c := range []struct {
		name string
		n    int
	}{
		{"connections", l.Connections},
		{"connections of one address", l.ConnectionsPerAddress},
		{"pending connections of one address", l.PendingPerAddress},
		{"requests under way", l.Requests},
		{"requests of one token at once", l.TokenBurst},
		{"requests of one address at once", l.AddressBurst},
		{"failures of one address at once", l.FailureBurst},
		{"log-ins of one vehicle at once", l.LoginBurst},
	} {
		if c.n < 0 || c.n > maxCount {
			return fmt.Errorf("the limit of %s, %d, is not from 1 to %d, or 0 for the default", c.name, c.n, maxCount)
		}
	}
	for _, c := range []struct {
		name string
		rate float64
	}{
		{"requests of one token", l.TokenRate},
		{"requests of one address", l.AddressRate},
		{"failures of one address", l.FailureRate},
		{"log-ins of one vehicle", l.LoginRate},
	} {
		// Written so that NaN is refused.
		if !(c.rate >= 0 && c.rate <= maxRate) {
			return fmt.Errorf("the limit of %s, %g a second, is not above 0 and at most %g, or 0 for the default", c.name, c.rate, maxRate)
		}
	}
	return nil
}

// withDefaults puts the default in place of each 0.
func (l Limits) withDefaults() Limits {
	d := DefaultLimits()
	for _, c := range []struct{ n, or *int }{
		{&l.Connections, &d.Connections},
		{&l.ConnectionsPerAddress, &d.ConnectionsPerAddress},
		{&l.PendingPerAddress, &d.PendingPerAddress},
		{&l.Requests, &d.Requests},
		{&l.TokenBurst, &d.TokenBurst},
		{&l.AddressBurst, &d.AddressBurst},
		{&l.FailureBurst, &d.FailureBurst},
		{&l.LoginBurst, &d.LoginBurst},
	} {
		if *c.n == 0 {
			*c.n = *c.or
		}
	}
	for _, c := range []struct{ rate, or *float64 }{
		{&l.TokenRate, &d.TokenRate},
		{&l.AddressRate, &d.AddressRate},
		{&l.FailureRate, &d.FailureRate},
		{&l.LoginRate, &d.LoginRate},
	} {
		if *c.rate == 0 {
			*c.rate = *c.or
		}
	}
	return l
}
