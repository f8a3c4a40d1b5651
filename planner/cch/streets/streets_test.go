package streets

import (
	"errors"
	"reflect"
	"testing"

	"github.com/kapok-fleet/kapok/planner/cch"
)

func TestTownsAreAsAskedFor(t *testing.T) {
	for _, nodes := range []int{1, 2, 10, 100, 1000, 20_000} {
		town, err := Make(nodes, 1)
		if err != nil {
			t.Fatal(err)
		}
		if town.Graph.Nodes() != nodes {
			t.Errorf("a town of %d nodes has %d", nodes, town.Graph.Nodes())
		}
		if err := town.Graph.Validate(); err != nil {
			t.Errorf("a town of %d nodes: %v", nodes, err)
		}
		if _, err := cch.Expand(&town.Graph, &town.Turns); err != nil {
			t.Errorf("the turns of a town of %d nodes: %v", nodes, err)
		}
	}
}

func TestTownsRepeat(t *testing.T) {
	one, err := Make(3000, 5)
	if err != nil {
		t.Fatal(err)
	}
	same, err := Make(3000, 5)
	if err != nil {
		t.Fatal(err)
	}
	one.Turns.Cost, same.Turns.Cost = nil, nil
	if !reflect.DeepEqual(one, same) {
		t.Error("one seed makes two towns")
	}
	other, err := Make(3000, 6)
	if err != nil {
		t.Fatal(err)
	}
	if reflect.DeepEqual(one.Graph, other.Graph) {
		t.Error("two seeds make one town")
	}
}

// TestATownIsNoGrid holds the town to what it is to have: streets of all kinds, blind
// ones and one-way ones, and restrictions of two arcs and of three.
func TestATownIsNoGrid(t *testing.T) {
	town, err := Make(20_000, 1)
	if err != nil {
		t.Fatal(err)
	}
	var kinds [4]int
	oneWay, blind := 0, 0
	for a, k := range town.Kind {
		kinds[k]++
		if town.Turns.Twin[a] < 0 {
			oneWay++
		}
		if first, end := town.Graph.Out(town.Graph.Head[a]); end-first == 1 && first == town.Turns.Twin[a] {
			blind++
		}
	}
	lengths := map[int]int{}
	for _, way := range town.Turns.Never {
		lengths[len(way)]++
	}
	t.Logf("%d arcs: %v of each kind, %d one-way, %d into dead ends; forbidden ways by length %v, only ways %d",
		town.Graph.Arcs(), kinds, oneWay, blind, lengths, len(town.Turns.Only))
	for k, count := range kinds {
		if count < 300 {
			t.Errorf("%d arcs of kind %d", count, k)
		}
	}
	if oneWay < 1000 || blind < 1000 || lengths[2] < 50 || lengths[3] < 50 || len(town.Turns.Only) < 20 {
		t.Error("the town lacks something")
	}
}

func TestNoSuchTown(t *testing.T) {
	for _, nodes := range []int{-1, 0, MaxNodes + 1} {
		if _, err := Make(nodes, 1); !errors.Is(err, ErrSize) {
			t.Errorf("%d nodes: %v", nodes, err)
		}
	}
}
