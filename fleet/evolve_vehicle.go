package fleet

import "maps"

// How vehicles evolve.

// changeVehicle changes a copy of a vehicle and puts it in the old one's place.
func (d *Durable) changeVehicle(r Recorded, id VehicleID, change func(v *Vehicle)) {
	old, ok := d.Vehicles[id]
	if !ok {
		return
	}
	v := old.clone()
	change(v)
	v.Revision = r.Index
	d.putVehicle(v)
}

func (e VehicleRegistered) evolve(d *Durable, r Recorded) {
	v := e.Vehicle
	v.Revision = r.Index
	d.putVehicle(&v)
}

func (e VehicleServiceChanged) evolve(d *Durable, r Recorded) {
	d.changeVehicle(r, e.Vehicle, func(v *Vehicle) {
		v.OutOfService, v.GivesUp = e.OutOfService, e.GivesUp
		v.Suspended, v.RefusedInARow, v.Refusals = false, 0, nil
	})
}

func (e VehicleBlocked) evolve(d *Durable, r Recorded) {
	d.changeVehicle(r, e.Vehicle, func(v *Vehicle) { v.Blocked = e.Command })
}

func (e VehicleRefused) evolve(d *Durable, r Recorded) {
	d.changeVehicle(r, e.Vehicle, func(v *Vehicle) {
		v.Refusals = maps.Clone(v.Refusals)
		if v.Refusals == nil {
			v.Refusals = map[TaskID]Refusal{}
		}
		if e.Until.IsZero() {
			delete(v.Refusals, e.Task)
			return
		}
		if _, known := v.Refusals[e.Task]; e.Task != "" && !known && len(v.Refusals) >= MaxRefusals {
			delete(v.Refusals, firstOver(v.Refusals))
		}
		if e.Task != "" {
			v.Refusals[e.Task] = Refusal{e.Until, v.Refusals[e.Task].Times + 1, e.Reason}
		}
		v.RefusedInARow++
		v.Suspended = v.Suspended || e.Suspended
	})
}

// firstOver is the task that may be offered again first; of several the first by
// its id.
func firstOver(all map[TaskID]Refusal) TaskID {
	first := TaskID("")
	for _, id := range sortedKeys(all) {
		if first == "" || all[id].Until.Before(all[first].Until) {
			first = id
		}
	}
	return first
}

// forgetRefusals drops the refusals of tasks that leave memory.
func (d *Durable) forgetRefusals(tasks []TaskID) {
	for _, id := range sortedKeys(d.Vehicles) {
		v := d.Vehicles[id]
		for _, t := range tasks {
			if _, ok := v.Refusals[t]; ok {
				c := v.clone()
				c.Refusals = maps.Clone(v.Refusals)
				delete(c.Refusals, t)
				v = c
			}
		}
		if v != d.Vehicles[id] {
			d.putVehicle(v)
		}
	}
}

func (e VehicleFaulted) evolve(d *Durable, r Recorded) {
	d.changeVehicle(r, e.Vehicle, func(v *Vehicle) {
		v.Faults = maps.Clone(v.Faults)
		if v.Faults == nil {
			v.Faults = map[string]string{}
		}
		if e.Cleared {
			delete(v.Faults, e.Code)
		} else {
			v.Faults[e.Code] = e.Text
		}
	})
}

func (e EpochSeen) evolve(d *Durable, r Recorded) {
	d.changeVehicle(r, e.Vehicle, func(v *Vehicle) { v.EpochAbove = e.Epoch })
}

func (e LogOpened) evolve(d *Durable, r Recorded) {
	d.changeVehicle(r, e.Vehicle, func(v *Vehicle) { v.Logs = openLog(v.Logs, e.LogID) })
}

func (e ReportTaken) evolve(d *Durable, r Recorded) {
	d.changeVehicle(r, e.Vehicle, func(v *Vehicle) {
		v.Logs = append([]ReportLog(nil), v.Logs...)
		for i := range v.Logs {
			if v.Logs[i].ID == e.LogID {
				v.Logs[i].Seq = e.Seq
			}
		}
	})
}

// openLog puts the log last, with the number it had reached if it is known.
func openLog(logs []ReportLog, id string) []ReportLog {
	opened := ReportLog{ID: id}
	var rest []ReportLog
	for _, l := range logs {
		if l.ID == id {
			opened = l
		} else {
			rest = append(rest, l)
		}
	}
	if len(rest) >= MaxLogs {
		rest = rest[len(rest)-MaxLogs+1:]
	}
	return append(rest, opened)
}
