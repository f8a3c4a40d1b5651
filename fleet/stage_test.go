package fleet_test

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"github.com/kapok-fleet/kapok/fleet"
	"github.com/kapok-fleet/kapok/planner/chart/harbour"
	"github.com/kapok-fleet/kapok/protocol"
	"github.com/kapok-fleet/kapok/protocol/api"
)

func session(who string) fleet.SessionID { return fleet.SessionID("s-" + who) }

func option(words []string, name string) string {
	for _, w := range words {
		if v, ok := strings.CutPrefix(w, name+"="); ok {
			return v
		}
	}
	return ""
}

func options(words []string, name string) []string {
	var all []string
	for _, w := range words {
		if v, ok := strings.CutPrefix(w, name+"="); ok {
			all = append(all, v)
		}
	}
	return all
}

func (s *stage) join(who string, words []string) {
	h := protocol.Hello{Kind: protocol.Kind(words[0]), Model: model(words[0]), LogID: option(words, "log"), Time: s.now, Capabilities: options(words, "skill")}
	if h.LogID == "" {
		h.LogID = "log1"
	}
	if s.logs[who] != h.LogID {
		s.logs[who], s.seqs[who] = h.LogID, 0
	}
	if m := option(words, "mission"); m != "" {
		id, revision, _ := strings.Cut(m, "/")
		n, err := strconv.Atoi(revision)
		s.must(err)
		h.Mission = &protocol.MissionRef{ID: id, Revision: n}
	}
	if e := option(words, "epoch"); e != "" {
		n, err := strconv.ParseUint(e, 10, 64)
		s.must(err)
		h.Epoch = n
	}
	if l := option(words, "legs"); l != "" {
		n, err := strconv.Atoi(l)
		s.must(err)
		h.Limits.MaxLegs = n
	}
	s.step(fleet.Joined{Vehicle: fleet.VehicleID(who), Session: session(who), Hello: h})
}

func model(kind string) string {
	if kind == "rover" {
		return "kapok-rover"
	}
	return "kapok-quad"
}

func (s *stage) sample(who string, words []string) {
	sample := protocol.Sample{Time: s.now, BatteryRatio: 0.95, Mode: protocol.ModeTravel}
	if mode := option(words, "mode"); mode != "" {
		sample.Mode = protocol.Mode(mode)
	}
	if b := option(words, "battery"); b != "" {
		ratio, err := strconv.ParseFloat(b, 64)
		s.must(err)
		sample.BatteryRatio = ratio
	}
	if strings.HasPrefix(words[0], "site:") {
		sample.Position = s.site(words[0][len("site:"):])
	} else {
		var at [3]float64
		for i, x := range strings.Split(words[0], ",") {
			n, err := strconv.ParseFloat(x, 64)
			s.must(err)
			at[i] = n
		}
		sample.Position = protocol.Position{Lon: at[0], Lat: at[1], AltitudeM: at[2]}
	}
	s.step(fleet.Telemetry{Vehicle: fleet.VehicleID(who), Session: session(who), Samples: []protocol.Sample{sample}})
}

func (s *stage) site(id string) protocol.Position {
	c, err := harbour.Chart()
	s.must(err)
	for _, site := range c.Sites {
		if site.ID == id {
			return protocol.Position(site.Position)
		}
	}
	s.t.Fatalf("no site %s", id)
	return protocol.Position{}
}

func (s *stage) report(who string, m protocol.FromVehicle) {
	s.step(fleet.Report{Vehicle: fleet.VehicleID(who), Session: session(who), LogID: s.logs[who], Message: m})
}

func (s *stage) ack(who, word string, words []string) {
	s.seqs[who]++
	a := protocol.Ack{Seq: s.seqs[who], Verdict: protocol.Accepted}
	if word == "refuse" {
		a.Verdict, a.Reason = protocol.Refused, "low_battery"
		if len(words) > 1 {
			a.Reason = words[1]
		}
	}
	if strings.HasPrefix(words[0], "C") {
		a.Command = words[0]
	} else {
		id, revision, _ := strings.Cut(words[0], "/")
		n, err := strconv.Atoi(revision)
		s.must(err)
		a.Mission = &protocol.MissionRef{ID: id, Revision: n}
	}
	s.report(who, a)
}

func (s *stage) progress(who, word string, words []string) {
	s.seqs[who]++
	p := protocol.Progress{Seq: s.seqs[who], State: protocol.ProgressState(word), Time: s.now}
	if strings.HasPrefix(words[0], "C") {
		p.Command = words[0]
	} else {
		p.Mission, p.Leg = words[0], words[1]
	}
	if word == "failed" {
		p.Reason = "blocked"
	}
	s.report(who, p)
}

func (s *stage) ask(words []string, ask fleet.Ask) {
	s.request++
	key := option(words, "key")
	body, err := json.Marshal(ask)
	s.must(err)
	s.step(fleet.Asked{Request: s.request, Actor: "alice", Key: key, BodyHash: string(body), Ask: ask})
}

func (s *stage) orderOf(words []string) api.Order {
	o := api.Order{Kind: words[0], Capabilities: options(words, "skill"), VehicleKinds: options(words, "by")}
	for _, w := range words {
		if slices.Contains([]string{"emergency", "urgent", "routine"}, w) {
			o.Priority = w
		}
	}
	if kg := option(words, "kg"); kg != "" {
		x, err := strconv.ParseFloat(kg, 64)
		s.must(err)
		o.LoadKg = x
	}
	work := 20.0
	if w := option(words, "work"); w != "" {
		x, err := strconv.ParseFloat(w, 64)
		s.must(err)
		work = x
	}
	for _, at := range options(words, "at") {
		stop := api.OrderStop{WorkS: work}
		if site, ok := strings.CutPrefix(at, "site:"); ok {
			stop.Site = site
		} else if place, ok := strings.CutPrefix(at, "place:"); ok {
			stop.Place = place
		} else {
			lon, lat, _ := strings.Cut(at, ",")
			x, err := strconv.ParseFloat(lon, 64)
			s.must(err)
			y, err := strconv.ParseFloat(lat, 64)
			s.must(err)
			stop.Position = &api.Position{Lon: x, Lat: y}
		}
		o.Stops = append(o.Stops, stop)
	}
	return o
}

func (s *stage) think() {
	questions := s.questions
	s.questions = nil
	for _, q := range questions {
		answer := fleet.AnswerQuestion(s.fleet.Planner().Clone(), q, s.now, s.config)
		s.step(fleet.PlanReady{Question: q, Answer: answer})
	}
}

// crash forgets everything but the durable events.
func (s *stage) crash() {
	data, err := fleet.EncodeDurable(&s.durable.Durable)
	s.must(err)
	d, err := fleet.DecodeDurable(data)
	s.must(err)
	state := fleet.NewState()
	state.Durable = d
	s.all = s.fleet.State().View()
	s.open(state)
	s.step(fleet.Recovered{UnixEpoch: 1000})
}
