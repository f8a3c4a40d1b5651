package check

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"

	"github.com/kapok-fleet/kapok/fleet"
)

// Promises remembers the answers that clients were given with success: each must
// be kept as it was given, and what it says is there must be there.
type Promises struct {
	log *Log
	// kept is how long the fleet keeps answers.
	kept  time.Duration
	given map[string]*promise
	// keys are in the order of the answers.
	keys []string
	// gone are tasks, incidents and zones that may be missing: archived or removed.
	gone map[string]bool
}

type promise struct {
	at     time.Time
	ask    fleet.Ask
	answer fleet.Answer
	says   said
	broken bool
}

// said is what of the body of an answer is looked after.
type said struct {
	ID    string `json:"id"`
	Stops []any  `json:"stops"`
	Zone  struct {
		ID string `json:"id"`
	} `json:"zone"`
}

// NewPromises adds what it finds to a log. Kept is how long the fleet keeps answers
// for requests that come again.
func NewPromises(log *Log, kept time.Duration) *Promises {
	return &Promises{log: log, kept: kept, given: map[string]*promise{}, gone: map[string]bool{}}
}

// Given takes an answer in. One that was given before under the same key must be
// the same; answers that refuse are not kept, and may change.
func (p *Promises) Given(now time.Time, key string, ask fleet.Ask, answer fleet.Answer) {
	before := p.given[key]
	switch {
	case key == "" || before == nil && answer.Problem != nil:
		return
	case before == nil:
		it := &promise{at: now, ask: ask, answer: answer}
		if err := json.Unmarshal(answer.Body, &it.says); err != nil {
			it.broken = true
			p.log.Add(Finding{Checker: Answers, Time: now, Object: key, Text: fmt.Sprintf("request %q was answered with what is no JSON object: %s", key, short(answer.Body))})
		}
		p.given[key] = it
		p.keys = append(p.keys, key)
		return
	case now.Sub(before.at) > p.kept || answer.Status == 503 || before.broken:
		return
	}
	if answer.Problem != nil || answer.Status != before.answer.Status || !bytes.Equal(answer.Body, before.answer.Body) {
		before.broken = true
		p.log.Add(Finding{Checker: Answers, Time: now, Object: key, Text: fmt.Sprintf(
			"request %q was answered %d %s first and %d %s when it came again", key, before.answer.Status, short(before.answer.Body), answer.Status, short(answer.Body))})
	}
}

// short is the beginning of a text.
func short(body []byte) string {
	const most = 60
	if len(body) > most {
		return string(body[:most]) + "…"
	}
	return string(body)
}

// Read takes in an event by which something leaves that was answered for.
func (p *Promises) Read(r fleet.Recorded) {
	switch e := any(r.Event).(type) {
	case fleet.Archived:
		for _, id := range e.Tasks {
			p.gone["task "+string(id)] = true
		}
		for _, id := range e.Incidents {
			p.gone["incident "+string(id)] = true
		}
		for _, key := range e.Answers {
			p.gone["answer "+key] = true
		}
	case fleet.ZoneRemoved:
		p.gone["zone "+string(e.Zone)] = true
	case fleet.ZoneChanged:
		delete(p.gone, "zone "+string(e.Zone.ID))
	}
}

// Keep looks whether all answers so far are kept and true. Answers in the state may
// be nil, where the state is a look that leaves them out.
func (p *Promises) Keep(now time.Time, d *fleet.Durable) {
	for _, key := range p.keys {
		it := p.given[key]
		if it.broken {
			continue
		}
		why := p.untrue(it, d)
		if why == "" && !p.gone["answer "+key] && now.Sub(it.at) < p.kept {
			why = unkept(d.Answers[key], &it.answer)
		}
		if why != "" {
			it.broken = true
			p.log.Add(Finding{Checker: Answers, Time: now, Object: key, Text: fmt.Sprintf("request %q was answered at %s with %d, and %s", key, it.at.Format("15:04:05"), it.answer.Status, why)})
		}
	}
}

func unkept(kept *fleet.GivenAnswer, given *fleet.Answer) string {
	switch {
	case kept == nil:
		return "the answer is forgotten"
	case kept.Status != given.Status || !bytes.Equal(kept.Body, given.Body):
		return fmt.Sprintf("the answer kept is %d %s", kept.Status, short(kept.Body))
	}
	return ""
}

// untrue says what of an answer does not hold any more.
func (p *Promises) untrue(it *promise, d *fleet.Durable) string {
	body := &it.says
	switch ask := any(it.ask).(type) {
	case fleet.OrderTask:
		t := d.Tasks[fleet.TaskID(body.ID)]
		switch {
		case p.gone["task "+body.ID]:
		case t == nil:
			return fmt.Sprintf("there is no task %s", body.ID)
		case len(t.Stops) != len(body.Stops):
			return fmt.Sprintf("task %s has %d stops, not %d", body.ID, len(t.Stops), len(body.Stops))
		}
	case fleet.CancelTask:
		if t := d.Tasks[ask.Task]; t != nil && !t.State.Final() && t.CancelWanted == "" {
			return fmt.Sprintf("task %s is %s and nobody wants it cancelled", ask.Task, t.State)
		}
	case fleet.ReportIncident:
		if d.Incidents[fleet.IncidentID(body.ID)] == nil && !p.gone["incident "+body.ID] {
			return fmt.Sprintf("there is no incident %s", body.ID)
		}
	case fleet.CloseIncident:
		if in := d.Incidents[ask.Incident]; in != nil && in.State != fleet.IncidentClosed {
			return fmt.Sprintf("incident %s is %s", ask.Incident, in.State)
		}
	case fleet.PutZone:
		if d.Zones[fleet.ZoneID(body.Zone.ID)] == nil && !p.gone["zone "+body.Zone.ID] {
			return fmt.Sprintf("there is no zone %s", body.Zone.ID)
		}
	}
	return ""
}
