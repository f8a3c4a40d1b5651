package protocol

// The reading of the messages to a vehicle and of their parts.

func (d *decoder) welcome() (m Welcome) {
	for o := d.message(); ; {
		if !d.nextField(o) {
			d.require(o, "session", "vehicle", "epoch", "telemetry_interval_s", "alive_interval_s", "hello_time", "time", "log_id", "seq")
			return m
		}
		switch string(o.key) {
		case "session":
			d.once(o, 0)
			m.Session = d.text()
		case "vehicle":
			d.once(o, 1)
			m.Vehicle = d.text()
		case "epoch":
			d.once(o, 2)
			m.Epoch = d.whole()
		case "telemetry_interval_s":
			d.once(o, 3)
			m.TelemetryIntervalS = d.number()
		case "alive_interval_s":
			d.once(o, 4)
			m.AliveIntervalS = d.number()
		case "hello_time":
			d.once(o, 5)
			m.HelloTime = d.instant()
		case "time":
			d.once(o, 6)
			m.Time = d.instant()
		case "log_id":
			d.once(o, 7)
			m.LogID = d.text()
		case "seq":
			d.once(o, 8)
			m.Seq = d.whole()
		default:
			d.unknown(o)
		}
	}
}

func (d *decoder) alive() (m Alive) {
	for o := d.message(); ; {
		if !d.nextField(o) {
			d.require(o, "time")
			return m
		}
		switch string(o.key) {
		case "time":
			d.once(o, 0)
			m.Time = d.instant()
		default:
			d.unknown(o)
		}
	}
}

func (d *decoder) mission() (m Mission) {
	for o := d.message(); ; {
		if !d.nextField(o) {
			d.require(o, "id", "revision", "state", "epoch", "task_authority_s", "time", "legs")
			return m
		}
		switch string(o.key) {
		case "id":
			d.once(o, 0)
			m.ID = d.text()
		case "revision":
			d.once(o, 1)
			m.Revision = d.count()
		case "state":
			d.once(o, 2)
			m.State = word(d, missionStates())
		case "epoch":
			d.once(o, 3)
			m.Epoch = d.whole()
		case "task_authority_s":
			d.once(o, 4)
			m.TaskAuthorityS = d.number()
		case "time":
			d.once(o, 5)
			m.Time = d.instant()
		case "legs":
			d.once(o, 6)
			m.Legs = d.legs()
		case "reason":
			d.once(o, 7)
			m.Reason = d.text()
		default:
			d.unknown(o)
		}
	}
}

func (d *decoder) leg() (m Leg) {
	for o := d.object(); ; {
		if !d.nextField(&o) {
			d.require(&o, "id", "action", "state", "path", "speed_mps")
			return m
		}
		switch string(o.key) {
		case "id":
			d.once(&o, 0)
			m.ID = d.text()
		case "action":
			d.once(&o, 1)
			m.Action = word(d, actions())
		case "state":
			d.once(&o, 2)
			m.State = word(d, legStates())
		case "path":
			d.once(&o, 3)
			m.Path = d.positions()
		case "speed_mps":
			d.once(&o, 4)
			m.SpeedMPS = d.number()
		case "task":
			d.once(&o, 5)
			m.Task = d.text()
		case "stop":
			d.once(&o, 6)
			m.Stop = d.count()
		case "site":
			d.once(&o, 7)
			m.Site = d.text()
		case "work_s":
			d.once(&o, 8)
			m.WorkS = d.number()
		case "not_before":
			d.once(&o, 9)
			m.NotBefore = d.instant()
		case "eta":
			d.once(&o, 10)
			m.ETA = d.instant()
		case "load_kg":
			d.once(&o, 11)
			m.LoadKg = d.number()
		case "charge_to_ratio":
			d.once(&o, 12)
			m.ChargeToRatio = d.number()
		case "speeds_mps":
			d.once(&o, 13)
			m.SpeedsMPS = d.speeds()
		default:
			d.unknown(&o)
		}
	}
}

func (d *decoder) command() (m Command) {
	for o := d.message(); ; {
		if !d.nextField(o) {
			d.require(o, "id", "kind", "epoch", "time", "expires_at")
			return m
		}
		switch string(o.key) {
		case "id":
			d.once(o, 0)
			m.ID = d.text()
		case "kind":
			d.once(o, 1)
			m.Kind = word(d, commandKinds())
		case "epoch":
			d.once(o, 2)
			m.Epoch = d.whole()
		case "time":
			d.once(o, 3)
			m.Time = d.instant()
		case "expires_at":
			d.once(o, 4)
			m.ExpiresAt = d.instant()
		case "path":
			d.once(o, 5)
			m.Path = d.positions()
		case "reason":
			d.once(o, 6)
			m.Reason = d.text()
		case "speed_mps":
			d.once(o, 7)
			m.SpeedMPS = d.number()
		default:
			d.unknown(o)
		}
	}
}

func (d *decoder) received() (m Received) {
	for o := d.message(); ; {
		if !d.nextField(o) {
			d.require(o, "log_id", "seq", "time")
			return m
		}
		switch string(o.key) {
		case "log_id":
			d.once(o, 0)
			m.LogID = d.text()
		case "seq":
			d.once(o, 1)
			m.Seq = d.whole()
		case "time":
			d.once(o, 2)
			m.Time = d.instant()
		default:
			d.unknown(o)
		}
	}
}

func (d *decoder) errorMessage() (m Error) {
	for o := d.message(); ; {
		if !d.nextField(o) {
			d.require(o, "code", "text", "time")
			return m
		}
		switch string(o.key) {
		case "code":
			d.once(o, 0)
			m.Code = d.text()
		case "text":
			d.once(o, 1)
			m.Text = d.text()
		case "time":
			d.once(o, 2)
			m.Time = d.instant()
		case "fatal":
			d.once(o, 3)
			m.Fatal = d.truth()
		default:
			d.unknown(o)
		}
	}
}

// positions reads a path.
func (d *decoder) positions() (list []Position) {
	for a := d.array(); d.nextItem(&a); {
		if len(list) == MaxPathPoints {
			d.fail(CodeOutOfRange, "is one point too many")
		}
		list = append(list, Position{})
		d.position(&list[len(list)-1])
	}
	return list
}

func (d *decoder) speeds() (list []float64) {
	for a := d.array(); d.nextItem(&a); {
		if len(list) == MaxPathPoints {
			d.fail(CodeOutOfRange, "is one speed too many")
		}
		list = append(list, d.number())
	}
	return list
}

func (d *decoder) legs() (list []Leg) {
	for a := d.array(); d.nextItem(&a); {
		if len(list) == MaxLegs {
			d.fail(CodeOutOfRange, "is one leg too many")
		}
		list = append(list, d.leg())
	}
	return list
}
