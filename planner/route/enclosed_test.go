package route_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/kapok-fleet/kapok/planner/chart"
	"github.com/kapok-fleet/kapok/planner/route"
)

// TestAGoalAmongHighWallsIsGivenUpSoon asks for a court among walls that no
// flight may rise above, in a town of towers: that it cannot be reached is found
// out in the court, not by a look at the whole town.
func TestAGoalAmongHighWallsIsGivenUpSoon(t *testing.T) {
	var towers []chart.Building
	for x := range 18 {
		for y := range 18 {
			left, low := float64(100+x*60), float64(-540+y*60)
			towers = append(towers, house(fmt.Sprintf("tower %d/%d", x, y), 300, rect(left, low, left+25, low+25)))
		}
	}
	court := house("court", 300, rect(1200, -40, 1280, 40))
	court.Footprint = append(court.Footprint, house("", 1, rect(1225, -15, 1255, 15)).Footprint[0])
	c := build(t, chart.Draft{Buildings: append(towers, court)})
	q := route.Query{From: pos(0, 0, 0), To: pos(1240, 0, 0), Spec: spec(t, "kapok-quad"), Depart: noon()}
	r, err := planner(t, c).Find(q)
	var no *route.Refusal
	if !errors.As(err, &no) || no.Rule != route.NoWay || no.Object != "court" {
		t.Fatalf("%v, %v", r, err)
	}
	if r.Expansions > 20_000 {
		t.Errorf("it took %d expansions to find out", r.Expansions)
	}
	q.To = pos(1340, 0, 0)
	if _, err := planner(t, c).Find(q); err != nil {
		t.Errorf("beside the court: %v", err)
	}
}
