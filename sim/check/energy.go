package check

import (
	"fmt"
	"time"
)

// drawnM is how far below the reserve a charge may be: no plan knows to the last
// watt-hour what a way will take.
const drawnM = 0.02

// Reserves finds vehicles that do what they were told to for tasks with less charge
// than the reserve that every plan must leave.
type Reserves struct {
	log *Log
	low map[string]bool
}

// NewReserves adds what it finds to a log.
func NewReserves(log *Log) *Reserves { return &Reserves{log: log, low: map[string]bool{}} }

// Look judges a vehicle's charge. planned says that it carries out a mission that
// has tasks and is not going to charge; emergency names the declared emergency that
// it is in, or what else has taken its charge, and is asked only where one is needed.
// Each time it comes below the reserve is found once.
func (r *Reserves) Look(now time.Time, vehicle string, chargeRatio, reserveRatio float64, planned func() bool, emergency func() string) {
	if chargeRatio >= reserveRatio-drawnM {
		if len(r.low) > 0 && chargeRatio >= reserveRatio {
			delete(r.low, vehicle)
		}
		return
	}
	if r.low[vehicle] || !planned() || emergency() != "" {
		return
	}
	r.low[vehicle] = true
	r.log.Add(Finding{Energy, now, vehicle, vehicle, fmt.Sprintf("has %.1f %% of charge left in a planned mission, below its reserve of %.0f %%", 100*chargeRatio, 100*reserveRatio)})
}
