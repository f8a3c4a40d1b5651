package agent

import (
	"time"

	"github.com/kapok-fleet/kapok/protocol"
)

// resendAfter is the time until unconfirmed reports are sent again.
const resendAfter = 5 * time.Second

// maxReports is how many reports leave in one call; more follow in the next.
const maxReports = 20

// flush sends the reports that this link has not carried yet, or all again
// when they stay unconfirmed.
func (a *Agent) flush(now time.Time, dst []protocol.FromVehicle) []protocol.FromVehicle {
	if !a.welcomed || len(a.store.Reports) == 0 {
		return dst
	}
	if a.sent > 0 && now.Sub(a.sentAt) >= a.options.ResendAfter {
		a.sent = 0
	}
	n := 0
	for _, r := range a.store.Reports {
		if r.Seq <= a.sent {
			continue
		}
		if n == maxReports {
			break
		}
		dst = append(dst, r.Message)
		a.sent, a.sentAt = r.Seq, now
		n++
	}
	return dst
}

// sample sends where the vehicle is when that is due.
func (a *Agent) sample(now time.Time, dst []protocol.FromVehicle) []protocol.FromVehicle {
	if !a.welcomed || now.Before(a.nextSample) {
		return dst
	}
	a.nextSample = a.nextSample.Add(a.interval)
	if a.nextSample.Before(now) {
		a.nextSample = now.Add(a.interval)
	}
	at, speed, climb := a.seen()
	if a.placed != at {
		a.placed, a.place = at, a.options.Frame.Position(at)
	}
	a.samples[0] = protocol.Sample{
		Time:     a.clock(now),
		Position: protocol.Position{Lon: a.place.Lon, Lat: a.place.Lat, AltitudeM: a.place.AltitudeM},
		SpeedMPS: speed, ClimbMPS: climb, HeadingDeg: a.body.HeadingDeg,
		BatteryRatio: a.body.BatteryRatio(), Mode: a.quiet.mode,
	}
	if !now.Before(a.quiet.until) {
		a.samples[0].Mode = a.mode()
	}
	if a.telemetry == nil {
		a.telemetry = protocol.Telemetry{Samples: a.samples[:]}
	}
	return append(dst, a.telemetry)
}
