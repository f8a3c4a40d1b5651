package api

import "time"

// ZoneOrder creates a zone, or changes one: what it holds is the whole zone.
type ZoneOrder struct {
	Name          string         `json:"name,omitempty" maxLength:"128"`
	Rule          string         `json:"rule" enum:"keep_out,keep_in,altitude_limit,speed_limit,advise"`
	Polygon       [][][2]float64 `json:"polygon" minItems:"1" maxItems:"64" doc:"Rings of [lon, lat], the outer one first; at most 4096 points in all, of which 512 may stand out by more than 1 m."`
	FloorM        float64        `json:"floor_m,omitempty" doc:"Metres above mean sea level (EGM96); 0 for none."`
	CeilingM      *float64       `json:"ceiling_m,omitempty" doc:"Metres above mean sea level (EGM96); absent for no ceiling."`
	HeightLimitM  float64        `json:"height_limit_m,omitempty" doc:"Greatest height above ground, of an altitude_limit."`
	SpeedLimitMPS float64        `json:"speed_limit_mps,omitempty" doc:"Of a speed_limit."`
	From          time.Time      `json:"from,omitzero" doc:"When it comes into force; at once when absent."`
	Until         time.Time      `json:"until,omitzero" doc:"When it ends; never when absent."`
	Schedule      []ZonePeriod   `json:"schedule,omitempty" maxItems:"64" doc:"Weekly times of force, between from and until; always when absent."`
	Airborne      bool           `json:"airborne,omitempty" doc:"It binds aircraft. With neither airborne nor ground it binds both."`
	Ground        bool           `json:"ground,omitempty" doc:"It binds vehicles on the ground."`
	Reason        string         `json:"reason,omitempty" maxLength:"1024"`
}

// ZonePeriod is a weekly time of force. It ends at the first such moment after its
// start, on the next day if need be.
type ZonePeriod struct {
	Days  []string `json:"days,omitempty" maxItems:"7" enum:"MON,TUE,WED,THU,FRI,SAT,SUN" doc:"Days of the start; each day when absent." example:"[\"MON\",\"TUE\"]"`
	Start string   `json:"start" maxLength:"16" doc:"A clock time in UTC such as 07:30 or 07:30:15, or an event of the sun at the zone's middle, BMCT, SR, SS or EMCT, with an offset of up to six hours if need be: SS-00:30." example:"07:30"`
	End   string   `json:"end" maxLength:"16" doc:"As start." example:"SS+00:30"`
}

// ZoneSuspension suspends a zone, or puts it in force again.
type ZoneSuspension struct {
	Suspended bool   `json:"suspended"`
	Reason    string `json:"reason,omitempty" maxLength:"1024"`
}

// ZoneChange is a changed zone and whom the change concerned.
type ZoneChange struct {
	Zone Zone `json:"zone"`
	// Affected are the vehicles whose way or place the change touches, in the
	// order of their ids.
	Affected []ZoneEffect `json:"affected"`
}

// ZoneEffect is what a change of a zone means for one vehicle.
type ZoneEffect struct {
	Vehicle string `json:"vehicle"`
	Mission string `json:"mission,omitempty"`
	Action  string `json:"action" enum:"rerouted,held,recalled,landed,leaving,deferred,none" doc:"rerouted: a lawful revision serves the same stops; recalled: it goes home without some of them; held: it waits until a lawful way is found; landed: it comes down where it is; leaving: it was idle in the zone and is sent out; deferred: its way meets the zone only later, and it is planned anew within seconds; none: nothing could be done, see reason."`
	// CaughtInside says that the vehicle was in the zone when it appeared.
	CaughtInside bool     `json:"caught_inside,omitempty"`
	DelayS       float64  `json:"delay_s" doc:"How much later the last stop that stays is reached than before."`
	ExtraM       float64  `json:"extra_m" doc:"How much longer its way is."`
	Tasks        []string `json:"tasks,omitempty" doc:"Tasks that it keeps."`
	Released     []string `json:"released,omitempty" doc:"Tasks that it must give up."`
	Reason       string   `json:"reason,omitempty"`
}
