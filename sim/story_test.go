package sim

import (
	"context"
	"slices"
	"testing"

	"github.com/kapok-fleet/kapok/fleet"
)

// TestTheStoryOfAnOrder follows one order through the durable events: each step
// is there, in order, and names what led to it.
func TestTheStoryOfAnOrder(t *testing.T) {
	s := example(t, "harbour-small")
	s.Orders.Stream = nil
	s.Orders.Timed = s.Orders.Timed[:1]
	s.Assert = nil
	var story []string
	causes := map[uint64]uint64{}
	_, err := Run(context.Background(), s, Options{Chart: harbourChart(t), OnEvent: func(r fleet.Recorded) {
		if !r.Event.Lasting() {
			return
		}
		if r.Cause >= r.Index {
			t.Errorf("event %d (%s) names the later event %d as its cause", r.Index, r.Event.EventName(), r.Cause)
		}
		causes[r.Index] = r.Cause
		if word := chapter(r.Event); word != "" {
			story = append(story, word)
			if r.Cause == 0 && word != "ordered" {
				t.Errorf("%q has no cause", word)
			}
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"ordered", "assigned", "mission 1", "accepted", "leg started", "underway",
		"leg begun", "stop 1 begun", "leg done", "stop 1 done", "leg started",
		"leg begun", "stop 2 begun", "leg done", "stop 2 done", "done",
		"leg started", "leg done", "mission ended",
	}
	if !slices.Equal(story, want) {
		t.Errorf("the story is\n%q\nwant\n%q", story, want)
	}
}

// chapter is what an event means for the story, empty for nothing.
func chapter(e fleet.Event) string {
	switch e := any(e).(type) {
	case fleet.TaskOrdered:
		return "ordered"
	case fleet.TaskChanged:
		return string(e.State)
	case fleet.MissionIssued:
		return "mission " + string(rune('0'+e.Revision))
	case fleet.MissionAnswered:
		return string(e.Verdict)
	case fleet.LegChanged:
		return "leg " + string(e.State)
	case fleet.StopChanged:
		return "stop " + string(rune('1'+e.Stop)) + " " + string(e.State)
	case fleet.MissionChanged:
		return "mission " + string(e.State)
	}
	return ""
}
