package chart

import (
	"strings"
	"testing"

	"github.com/paulmach/orb"
)

// TestInnerRingsGoToTheSmallestOutline: a house in a court has a court of its
// own, and the outer house does not have it, too.
func TestInnerRingsGoToTheSmallestOutline(t *testing.T) {
	rings := func() ([]orb.Polygon, []orb.Ring) {
		return []orb.Polygon{{square(10, 50, 0.04)}, {square(10, 50, 0.02)}}, []orb.Ring{square(10, 50, 0.03), square(10, 50, 0.01), square(11, 50, 0.01)}
	}
	var m importer
	polygons, inners := rings()
	if !m.cutOut(polygons, inners) || len(polygons[0]) != 2 || len(polygons[1]) != 2 || polygons[1][1][0] != inners[1][0] {
		t.Errorf("%d and %d rings", len(polygons[0]), len(polygons[1]))
	}
	// Work that never ends is broken off.
	m.ringWork = maxRingWork
	polygons, inners = rings()
	if m.cutOut(polygons, inners) {
		t.Error("nothing was left out")
	}
}

// TestMissingNodesOfARelationAreTold with the way that refers to them.
func TestMissingNodesOfARelationAreTold(t *testing.T) {
	_, report, err := ImportOSM(strings.NewReader(lane(`<node id="4" lat="50.002" lon="10.001"/>
		<way id="8"><nd ref="1"/><nd ref="77"/><nd ref="2"/><nd ref="4"/><nd ref="1"/></way>
		<relation id="9"><member type="way" ref="8" role="outer"/><tag k="type" v="multipolygon"/><tag k="building" v="yes"/></relation>`)), OSMOptions{})
	if err != nil || len(report.Warnings) != 1 || report.Warnings[0].First != "way/8" || report.Buildings != 1 {
		t.Errorf("%+v, %v", report, err)
	}
}
