package api

import "time"

// TrackPoint is where a vehicle was.
type TrackPoint struct {
	Vehicle      string    `json:"vehicle"`
	Time         time.Time `json:"time"`
	Position     Position  `json:"position"`
	SpeedMPS     float64   `json:"speed_mps"`
	HeadingDeg   float64   `json:"heading_deg"`
	BatteryRatio float64   `json:"battery_ratio"`
	Mode         string    `json:"mode,omitempty"`
}
