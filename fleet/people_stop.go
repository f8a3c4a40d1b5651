package fleet

import "fmt"

// stopped says that the emergency stop is in force, and why.
func (f *Fleet) stopped() (Reason, bool) {
	z := f.state.Durable.Freeze
	if z == nil {
		return Reason{}, false
	}
	return Reason{fleetStopped, fmt.Sprintf("the fleet is stopped by %s since %s: %s", z.By, z.At.Format("15:04:05"), z.Reason)}, true
}

// fleetStopped is the code of what waits for the end of an emergency stop.
const fleetStopped = "fleet_stopped"
