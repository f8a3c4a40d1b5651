package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/kapok-fleet/kapok/cmd/kapok/internal/hostile"
	"github.com/kapok-fleet/kapok/cmd/kapok/internal/rig"
	"github.com/kapok-fleet/kapok/fleet/access"
	"github.com/kapok-fleet/kapok/planner/chart/harbour"
	"github.com/kapok-fleet/kapok/protocol"
)

// attackOrder is what an attacking process is told on stdin.
type attackOrder struct {
	Address string            `json:"address"`
	Source  string            `json:"source,omitempty"`
	Tokens  attackTokens      `json:"tokens"`
	At      protocol.Position `json:"at"`
	// Span is how long the attack goes on, Rate how often a second.
	Span time.Duration `json:"span"`
	Rate float64       `json:"rate"`
}

// attackTokens are those that can be passed on.
type attackTokens struct {
	Admin, Dispatcher, Viewer, Simulator, Vehicle, Elsewhere, Revoked string
}

// attackDone is what an attacking process answers on stdout.
type attackDone struct {
	// Sent is how many frames, connections or runs there were.
	Sent int64 `json:"sent"`
}

// attackVehicles is under how many ids attackers log in: few enough to leave room
// for others, many enough for 200 log-ins a second.
const attackVehicles = 256

// newBenchAttack is what kapok bench hostile starts as a process of its own.
func newBenchAttack(c console) *cobra.Command {
	return &cobra.Command{
		Use: "attack NAME", Short: "Attack a server as told by JSON on stdin", Hidden: true, Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			attack, ok := hostile.Find(args[0])
			if !ok {
				return fmt.Errorf("there is no attack %q; docs/hostile.md lists them", args[0])
			}
			var o attackOrder
			if err := json.NewDecoder(c.in).Decode(&o); err != nil {
				return fmt.Errorf("reading what to attack: %w", err)
			}
			ctx, cancel := context.WithTimeout(cmd.Context(), o.Span)
			defer cancel()
			raid := hostile.NewRaid(ctx, o.target(), o.Rate, nil)
			err := raid.Storm(attack)
			raid.Close()
			if err != nil && ctx.Err() == nil {
				return fmt.Errorf("attacking with %s: %w", attack.Name, err)
			}
			return json.NewEncoder(c.out).Encode(attackDone{Sent: raid.Sent()})
		},
	}
}

func (o *attackOrder) target() hostile.Target {
	t := o.Tokens
	return hostile.Target{
		Address: o.Address, Fleet: defaultFleet, At: o.At, Source: net.ParseIP(o.Source), Vehicles: hostile.NamePool("hostile-", attackVehicles),
		Tokens: hostile.Tokens{
			Admin: t.Admin, Dispatcher: t.Dispatcher, Viewer: t.Viewer, Simulator: t.Simulator,
			Vehicle: t.Vehicle, Elsewhere: t.Elsewhere, Revoked: t.Revoked,
		},
	}
}

// newAttackOrder is what attackers of a server are told, with tokens of their own,
// whose limits are not those of good peers.
func newAttackOrder(server *rig.Server) (attackOrder, error) {
	o := attackOrder{Address: strings.TrimPrefix(server.URL, "http://")}
	on, err := harbour.Chart()
	if err != nil {
		return o, fmt.Errorf("finding a place to attack: %w", err)
	}
	node := on.Ground.Nodes[0].Point
	o.At = protocol.Position{Lon: node[0], Lat: node[1], AltitudeM: on.GroundAltitudeM}
	store, err := access.OpenStore(filepath.Join(server.Data, tokensFile))
	if err != nil {
		return o, fmt.Errorf("making the attackers' tokens: %w", err)
	}
	for secret, token := range map[*string]access.Token{
		&o.Tokens.Admin:      {Role: access.Admin, Fleet: defaultFleet},
		&o.Tokens.Dispatcher: {Role: access.Dispatcher, Fleet: defaultFleet},
		&o.Tokens.Viewer:     {Role: access.Viewer, Fleet: defaultFleet},
		&o.Tokens.Simulator:  {Role: access.Simulator, Fleet: defaultFleet},
		&o.Tokens.Vehicle:    {Role: access.Vehicle, Fleet: defaultFleet, Vehicle: hostile.BoundVehicle},
		&o.Tokens.Elsewhere:  {Role: access.Admin, Fleet: "elsewhere"},
	} {
		token.Name = "hostile-" + string(token.Role) + "-" + token.Fleet
		if *secret, err = store.Create(token, time.Now(), rand.Reader); err != nil {
			return o, fmt.Errorf("making a token of role %s: %w", token.Role, err)
		}
	}
	gone := access.Token{Name: "hostile-revoked", Role: access.Viewer}
	o.Tokens.Revoked, err = store.Create(gone, time.Now(), rand.Reader)
	return o, errors.Join(err, store.Revoke(gone.Name))
}
