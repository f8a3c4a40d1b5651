package chart

import (
	"math"
	"slices"

	"github.com/kapok-fleet/kapok/planner/space"
)

// Summary is a chart in numbers.
type Summary struct {
	Name         string `json:"name"`
	Checksum     string `json:"checksum"`
	Attribution  string `json:"attribution"`
	Illustrative bool   `json:"illustrative"`
	// Extent is west, south, east and north in degrees; EastWestM and
	// NorthSouthM are its sides in metres.
	Extent          [4]float64 `json:"extent"`
	EastWestM       float64    `json:"east_west_m"`
	NorthSouthM     float64    `json:"north_south_m"`
	GroundAltitudeM float64    `json:"ground_altitude_m"`
	HeightLimitM    float64    `json:"height_limit_m"`
	// Nodes and Arcs are those of the ground graph, all profiles together, and
	// MainNodes those in the main component of Sidewalk.
	Nodes     int            `json:"nodes"`
	MainNodes int            `json:"main_nodes"`
	Arcs      int            `json:"arcs"`
	Sidewalk  NetworkSummary `json:"sidewalk"`
	Road      NetworkSummary `json:"road"`
	Buildings int            `json:"buildings"`
	// Heights counts the buildings by the source of their height.
	Heights map[HeightSource]int `json:"heights"`
	Zones   int                  `json:"zones"`
	// Rules counts the zones by their rule.
	Rules map[Rule]int `json:"rules"`
	// Sites are counted by their kinds.
	Sites  map[SiteKind]int `json:"sites"`
	Places int              `json:"places"`
	// Water counts areas of water, and WaterM2 is how large they are together.
	Water   int             `json:"water"`
	WaterM2 float64         `json:"water_m2"`
	Terrain *TerrainSummary `json:"terrain,omitempty"`
	Geoid   *GeoidSummary   `json:"geoid,omitempty"`
}

// NetworkSummary is the network of one profile in numbers.
type NetworkSummary struct {
	// Nodes are those with an arc of the profile.
	Nodes int `json:"nodes"`
	// Arcs are directed; LengthM is their length together.
	Arcs    int     `json:"arcs"`
	LengthM float64 `json:"length_m"`
	// Components are the parts within which every node can be reached from every
	// other, and MainNodes are in the largest.
	Components int `json:"components"`
	MainNodes  int `json:"main_nodes"`
}

// TerrainSummary is the terrain in numbers.
type TerrainSummary struct {
	Samples  int     `json:"samples"`
	Cols     int     `json:"cols"`
	Rows     int     `json:"rows"`
	LowestM  float64 `json:"lowest_m"`
	HighestM float64 `json:"highest_m"`
	Voids    int     `json:"voids"`
	// Faults are spikes and pits of the sources, and Repairs the first of them.
	Faults  int      `json:"faults"`
	Repairs []Repair `json:"repairs,omitempty"`
	// UncertaintyM is how far the ground may be above the heights.
	UncertaintyM float64 `json:"uncertainty_m"`
	Source       string  `json:"source"`
}

// GeoidSummary is the geoid in numbers: from where to where mean sea level lies
// above the ellipsoid within the chart.
type GeoidSummary struct {
	LowestM  float64 `json:"lowest_m"`
	HighestM float64 `json:"highest_m"`
	Source   string  `json:"source"`
}

// Summary counts what is in the chart.
func (c *Chart) Summary() Summary {
	size := c.Frame.Bound(c.Extent)
	s := Summary{
		Name: c.Name, Checksum: c.Checksum, Attribution: c.Attribution, Illustrative: c.Illustrative,
		Extent:    [4]float64{c.Extent.Min[0], c.Extent.Min[1], c.Extent.Max[0], c.Extent.Max[1]},
		EastWestM: math.Round(size.Max.X - size.Min.X), NorthSouthM: math.Round(size.Max.Y - size.Min.Y),
		GroundAltitudeM: c.GroundAltitudeM, HeightLimitM: c.HeightLimitM,
		Nodes: len(c.Ground.Nodes), Arcs: len(c.Ground.Arcs),
		Sidewalk: c.Ground.summary(Sidewalk), Road: c.Ground.summary(Road),
		Buildings: len(c.Buildings), Heights: map[HeightSource]int{},
		Zones: len(c.Zones), Rules: map[Rule]int{},
		Places: len(c.Places), Sites: map[SiteKind]int{}, Water: len(c.Water),
	}
	s.MainNodes = s.Sidewalk.MainNodes
	for i := range c.Buildings {
		s.Heights[c.Buildings[i].Source]++
	}
	for i := range c.Zones {
		s.Rules[c.Zones[i].Rule]++
	}
	for i := range c.Sites {
		s.Sites[c.Sites[i].Kind]++
	}
	for i := range c.Water {
		for r, ring := range c.Shore(int32(i)) {
			area := math.Abs(space.RingArea(ring))
			if r > 0 {
				area = -area
			}
			s.WaterM2 += area
		}
	}
	s.WaterM2 = math.Round(s.WaterM2)
	s.Terrain, s.Geoid = c.Terrain.summary(), c.Geoid.summary()
	return s
}

func (g Graph) summary(profile Profile) NetworkSummary {
	var s NetworkSummary
	component := g.Component
	if profile == Road {
		component = g.RoadComponent
	}
	for _, number := range component {
		if number < 0 {
			continue
		}
		s.Nodes++
		s.Components = max(s.Components, int(number)+1)
		if number == 0 {
			s.MainNodes++
		}
	}
	for i := range g.Arcs {
		if g.Arcs[i].Profiles&profile != 0 {
			s.Arcs++
			s.LengthM += g.Arcs[i].LengthM
		}
	}
	s.LengthM = math.Round(s.LengthM)
	return s
}

func (t *Terrain) summary() *TerrainSummary {
	if t == nil {
		return nil
	}
	low, high := int32(math.MaxInt32), int32(math.MinInt32)
	for _, h := range t.HeightDM {
		low, high = min(low, h), max(high, h)
	}
	return &TerrainSummary{
		Samples: len(t.HeightDM), Cols: t.Cols, Rows: t.Rows, LowestM: float64(low) / 10, HighestM: float64(high) / 10,
		Voids: t.Voids, Faults: t.Faults, Repairs: t.Repairs, UncertaintyM: t.UncertaintyM, Source: t.Source,
	}
}

func (g *Geoid) summary() *GeoidSummary {
	if g == nil {
		return nil
	}
	return &GeoidSummary{
		LowestM: float64(slices.Min(g.UndulationMM)) / 1000, HighestM: float64(slices.Max(g.UndulationMM)) / 1000, Source: g.Source,
	}
}
