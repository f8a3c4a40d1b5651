package api

import "time"

// Wind is the air's motion over the ground, the same everywhere.
type Wind struct {
	SpeedMPS float64 `json:"speed_mps" minimum:"0" maximum:"60" doc:"What an anemometer shows on average."`
	FromDeg  float64 `json:"from_deg" minimum:"0" maximum:"360" doc:"Where it blows from, degrees clockwise from north."`
	GustMPS  float64 `json:"gust_mps,omitempty" minimum:"0" maximum:"60" doc:"How much more it blows for moments."`
}

// Closure is a street or path that robots may not enter.
type Closure struct {
	Way    int64     `json:"way" doc:"The way of OpenStreetMap, as the chart has it."`
	Until  time.Time `json:"until,omitzero" doc:"When it is open again by itself; absent for no end."`
	Reason string    `json:"reason,omitempty" maxLength:"256"`
}

// ConditionsOrder puts other conditions in force: what it holds is all of them.
type ConditionsOrder struct {
	Wind     Wind      `json:"wind"`
	Closures []Closure `json:"closures,omitempty" maxItems:"10000" doc:"All ways that are closed; each once."`
	Reason   string    `json:"reason,omitempty" maxLength:"1024"`
}

// Conditions are what all ways are planned in beside zones.
type Conditions struct {
	Wind      Wind      `json:"wind"`
	Closures  []Closure `json:"closures"`
	Reason    string    `json:"reason,omitempty"`
	ChangedBy string    `json:"changed_by,omitempty"`
	ChangedAt time.Time `json:"changed_at,omitzero"`
	// Revision is the index of the event that put them in force, 0 for still air and
	// open streets that nobody ever changed.
	Revision uint64 `json:"revision"`
}

// ConditionsChange are changed conditions and whom the change concerned.
type ConditionsChange struct {
	Conditions Conditions `json:"conditions"`
	// Affected are the vehicles that cannot go on as planned, in the order of their ids.
	Affected []ZoneEffect `json:"affected"`
}
