package server

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/kapok-fleet/kapok/protocol"
	"github.com/kapok-fleet/kapok/protocol/ws"
)

// upgradable refuses requests that are no upgrade, or come from a web page of
// elsewhere: browsers send no token of theirs by themselves, but a page could
// still try what it finds on the local network.
func (s *Server) upgradable(r *http.Request) *problem {
	if !ws.Upgradable(r) {
		return newProblem(codeUpgradeRequired, "connect with a WebSocket client").
			with("Upgrade", "websocket").with("Connection", "Upgrade")
	}
	if !s.allowsOrigin(r) {
		return newProblem(codeOriginRefused, "the origin %q is not this server's and not among those that it allows", r.Header.Get("Origin"))
	}
	return nil
}

// allowsOrigin admits requests without an origin, those of this host, and those
// that the options name.
func (s *Server) allowsOrigin(r *http.Request) bool {
	origin := r.Header.Get("Origin")
	if origin == "" {
		return true
	}
	if slices.Contains(s.options.AllowedOrigins, origin) {
		return true
	}
	from, err := url.Parse(origin)
	return err == nil && from.Host != "" && strings.EqualFold(from.Host, r.Host)
}

// websocketProtocols are the link's sub-protocols that the client offers.
func websocketProtocols(r *http.Request) []string {
	var offered []string
	for _, header := range r.Header.Values("Sec-WebSocket-Protocol") {
		for name := range strings.SplitSeq(header, ",") {
			if _, ok := protocol.EncodingOf(strings.TrimSpace(name)); ok {
				offered = append(offered, strings.TrimSpace(name))
			}
		}
	}
	return offered
}
