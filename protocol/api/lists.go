package api

import "time"

// List is one page of a list, in a stable order.
type List[T any] struct {
	Items []T `json:"items"`
	// NextCursor asks for the next page; empty on the last one.
	NextCursor string `json:"next_cursor,omitempty" doc:"Pass it as cursor to get the next page; absent on the last one."`
}

// Zone is a volume with times and a rule: of the chart, or made or changed since.
type Zone struct {
	ID   string `json:"id"`
	Name string `json:"name,omitempty"`
	Rule string `json:"rule" enum:"keep_out,keep_in,altitude_limit,speed_limit,advise"`
	// Polygon has the outer ring first, then holes; each ring is closed.
	Polygon       [][][2]float64 `json:"polygon" doc:"Rings of [lon, lat], the outer one first; each ends where it starts."`
	FloorM        float64        `json:"floor_m" doc:"Metres above mean sea level (EGM96)."`
	CeilingM      *float64       `json:"ceiling_m,omitempty" doc:"Metres above mean sea level (EGM96); absent for no ceiling."`
	HeightLimitM  float64        `json:"height_limit_m,omitempty" doc:"Greatest height above ground, of an altitude_limit."`
	SpeedLimitMPS float64        `json:"speed_limit_mps,omitempty" doc:"Of a speed_limit."`
	From          time.Time      `json:"from,omitzero"`
	Until         time.Time      `json:"until,omitzero"`
	Schedule      []ZonePeriod   `json:"schedule,omitempty" doc:"Weekly times of force, between from and until; always when absent."`
	Airborne      bool           `json:"airborne" doc:"It binds aircraft."`
	Ground        bool           `json:"ground" doc:"It binds vehicles on the ground."`
	Source        string         `json:"source,omitempty" doc:"Where it was imported from, with the id there."`
	// Live zones were made or changed by people; the others stand in the chart.
	Live      bool      `json:"live,omitempty" doc:"Made or changed since the chart was built."`
	Suspended bool      `json:"suspended,omitempty" doc:"It is not in force until somebody ends the suspension."`
	Reason    string    `json:"reason,omitempty"`
	ChangedBy string    `json:"changed_by,omitempty"`
	ChangedAt time.Time `json:"changed_at,omitzero"`
	Revision  uint64    `json:"revision,omitempty" doc:"Changes with every change; the ETag. 0 for a zone of the chart that nobody touched."`
}

// Chart tells which map the fleet plans on.
type Chart struct {
	Name         string `json:"name"`
	Checksum     string `json:"checksum"`
	Attribution  string `json:"attribution"`
	Illustrative bool   `json:"illustrative" doc:"Not of a real place, or not for navigation."`
	// Extent is west, south, east, north.
	Extent          [4]float64 `json:"extent" doc:"West, south, east, north; WGS-84 degrees."`
	GroundAltitudeM float64    `json:"ground_altitude_m" doc:"Metres above mean sea level (EGM96)."`
	HeightLimitM    float64    `json:"height_limit_m" doc:"How high above ground aircraft may fly where no zone says less."`
	Buildings       int        `json:"buildings" doc:"How many there are."`
	Sites           int        `json:"sites" doc:"How many there are."`
	Zones           int        `json:"zones" doc:"How many there are."`
	Places          int        `json:"places" doc:"How many there are."`
}

// FieldProblem is one fault of a request.
type FieldProblem struct {
	Field  string `json:"field"`
	Detail string `json:"detail"`
}

// Health is the answer of /healthz and /readyz.
type Health struct {
	Status string    `json:"status" enum:"ok,ready"`
	Time   time.Time `json:"time,omitzero" doc:"The fleet's time, of /readyz: it may run ahead of the wall clock."`
}
