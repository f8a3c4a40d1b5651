package fleet_test

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/kapok-fleet/kapok/fleet"
	"github.com/kapok-fleet/kapok/planner/chart"
	"github.com/kapok-fleet/kapok/protocol/api"
)

// directConditions carries out a stage direction about conditions, if it is one.
func (s *stage) directConditions(words []string) bool {
	s.t.Helper()
	switch words[0] {
	case "conditions": // conditions [wind=8@70+3] [close=WAY|r1:0.5,…] [until=10m] [rev=N]: wind from 70 degrees, gusts of 3 more; the way at half of r1's leg
		order := api.ConditionsOrder{}
		if w := option(words, "wind"); w != "" {
			speed, rest, _ := strings.Cut(w, "@")
			from, gust, _ := strings.Cut(rest, "+")
			for text, to := range map[string]*float64{speed: &order.Wind.SpeedMPS, from: &order.Wind.FromDeg, gust: &order.Wind.GustMPS} {
				if text != "" {
					n, err := strconv.ParseFloat(text, 64)
					s.must(err)
					*to = n
				}
			}
		}
		if list := option(words, "close"); list != "" {
			for _, one := range strings.Split(list, ",") {
				order.Closures = append(order.Closures, api.Closure{Way: s.way(one), Until: s.when(words, "until")})
			}
		}
		s.askConditions(words, order)
	case "tired": // tired d1 0.3: a sample where it is, with so much charge
		ratio, err := strconv.ParseFloat(words[2], 64)
		s.must(err)
		in, _ := s.telemetry(words[1], s.position(words[1])).(fleet.Telemetry)
		in.Samples[0].BatteryRatio = ratio
		s.step(in)
	default:
		return false
	}
	return true
}

// way is a number, or the way at a part of a vehicle's leg.
func (s *stage) way(text string) int64 {
	who, part, along := strings.Cut(text, ":")
	if !along {
		n, err := strconv.ParseInt(text, 10, 64)
		s.must(err)
		return n
	}
	on, ok := s.chart().SnapOn(s.alongLeg(who, part), chart.Sidewalk)
	if !ok {
		s.t.Fatalf("%s is on no way", text)
	}
	return s.chart().Ground.Arcs[on.Arc].WayID
}

func (s *stage) askConditions(words []string, order api.ConditionsOrder) {
	s.request++
	body, err := json.Marshal(order)
	s.must(err)
	out := s.step(fleet.Asked{
		Request: s.request, Actor: "alice", Key: option(words, "key"), BodyHash: string(body),
		Ask: fleet.SetConditions{Revision: s.revisionIn(words), Order: order},
	})
	for _, e := range out.Effects {
		reply, ok := e.(fleet.Reply)
		if !ok || reply.Answer.Problem != nil {
			continue
		}
		var change api.ConditionsChange
		s.must(json.Unmarshal(reply.Answer.Body, &change))
		c := &change.Conditions
		fmt.Fprintf(&s.out, "  wind %g m/s from %g gusts %g, %d closed, revision %d\n", c.Wind.SpeedMPS, c.Wind.FromDeg, c.Wind.GustMPS, len(c.Closures), c.Revision)
		for _, a := range change.Affected {
			fmt.Fprintf(&s.out, "  %s %s delay=%.0fs extra=%.0fm keeps=%v releases=%v (%s)\n", a.Vehicle, a.Action, a.DelayS, a.ExtraM, a.Tasks, a.Released, a.Reason)
		}
	}
}
