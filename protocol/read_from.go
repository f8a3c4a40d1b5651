package protocol

// The reading of the messages from a vehicle and of their parts.

func (d *decoder) hello() (m Hello) {
	for o := d.message(); ; {
		if !d.nextField(o) {
			d.require(o, "kind", "model", "log_id", "epoch", "time")
			return m
		}
		switch string(o.key) {
		case "kind":
			d.once(o, 0)
			m.Kind = word(d, kinds())
		case "model":
			d.once(o, 1)
			m.Model = d.text()
		case "log_id":
			d.once(o, 2)
			m.LogID = d.text()
		case "epoch":
			d.once(o, 3)
			m.Epoch = d.whole()
		case "time":
			d.once(o, 4)
			m.Time = d.instant()
		case "capabilities":
			d.once(o, 5)
			m.Capabilities = d.texts(MaxCapabilities)
		case "limits":
			d.once(o, 6)
			m.Limits = d.limits()
		case "mission":
			d.once(o, 7)
			m.Mission = d.missionRef()
		case "last_command":
			d.once(o, 8)
			m.LastCommand = d.text()
		default:
			d.unknown(o)
		}
	}
}

func (d *decoder) telemetry() (m Telemetry) {
	for o := d.message(); ; {
		if !d.nextField(o) {
			d.require(o, "samples")
			return m
		}
		switch string(o.key) {
		case "samples":
			d.once(o, 0)
			m.Samples = d.samples()
		default:
			d.unknown(o)
		}
	}
}

func (d *decoder) ack() (m Ack) {
	for o := d.message(); ; {
		if !d.nextField(o) {
			d.require(o, "seq", "verdict")
			return m
		}
		switch string(o.key) {
		case "seq":
			d.once(o, 0)
			m.Seq = d.whole()
		case "verdict":
			d.once(o, 1)
			m.Verdict = word(d, verdicts())
		case "mission":
			d.once(o, 2)
			m.Mission = d.missionRef()
		case "command":
			d.once(o, 3)
			m.Command = d.text()
		case "reason":
			d.once(o, 4)
			m.Reason = d.text()
		case "text":
			d.once(o, 5)
			m.Text = d.text()
		default:
			d.unknown(o)
		}
	}
}

func (d *decoder) progress() (m Progress) {
	for o := d.message(); ; {
		if !d.nextField(o) {
			d.require(o, "seq", "state", "time")
			return m
		}
		switch string(o.key) {
		case "seq":
			d.once(o, 0)
			m.Seq = d.whole()
		case "state":
			d.once(o, 1)
			m.State = word(d, progressStates())
		case "time":
			d.once(o, 2)
			m.Time = d.instant()
		case "mission":
			d.once(o, 3)
			m.Mission = d.text()
		case "leg":
			d.once(o, 4)
			m.Leg = d.text()
		case "command":
			d.once(o, 5)
			m.Command = d.text()
		case "reason":
			d.once(o, 6)
			m.Reason = d.text()
		case "text":
			d.once(o, 7)
			m.Text = d.text()
		default:
			d.unknown(o)
		}
	}
}

func (d *decoder) fault() (m Fault) {
	for o := d.message(); ; {
		if !d.nextField(o) {
			d.require(o, "seq", "code", "text", "time")
			return m
		}
		switch string(o.key) {
		case "seq":
			d.once(o, 0)
			m.Seq = d.whole()
		case "code":
			d.once(o, 1)
			m.Code = d.text()
		case "text":
			d.once(o, 2)
			m.Text = d.text()
		case "time":
			d.once(o, 3)
			m.Time = d.instant()
		case "cleared":
			d.once(o, 4)
			m.Cleared = d.truth()
		case "load_lost":
			d.once(o, 5)
			m.LoadLost = d.truth()
		default:
			d.unknown(o)
		}
	}
}

// sample reads a sample to where it stays: it is too large to be handed on.
func (d *decoder) sample(m *Sample) {
	for o := d.object(); ; {
		if !d.nextField(&o) {
			d.require(&o, "time", "position", "speed_mps", "heading_deg", "battery_ratio", "mode")
			return
		}
		switch string(o.key) {
		case "time":
			d.once(&o, 0)
			m.Time = d.instant()
		case "position":
			d.once(&o, 1)
			d.position(&m.Position)
		case "speed_mps":
			d.once(&o, 2)
			m.SpeedMPS = d.number()
		case "heading_deg":
			d.once(&o, 3)
			m.HeadingDeg = d.number()
		case "battery_ratio":
			d.once(&o, 4)
			m.BatteryRatio = d.number()
		case "mode":
			d.once(&o, 5)
			m.Mode = word(d, modes())
		case "climb_mps":
			d.once(&o, 6)
			m.ClimbMPS = d.number()
		default:
			d.unknown(&o)
		}
	}
}

func (d *decoder) position(m *Position) {
	for o := d.object(); ; {
		if !d.nextField(&o) {
			d.require(&o, "lon", "lat", "altitude_m")
			return
		}
		switch string(o.key) {
		case "lon":
			d.once(&o, 0)
			m.Lon = d.number()
		case "lat":
			d.once(&o, 1)
			m.Lat = d.number()
		case "altitude_m":
			d.once(&o, 2)
			m.AltitudeM = d.number()
		case "level":
			d.once(&o, 3)
			m.Level = d.text()
		default:
			d.unknown(&o)
		}
	}
}

func (d *decoder) limits() (m Limits) {
	for o := d.object(); ; {
		if !d.nextField(&o) {
			return m
		}
		switch string(o.key) {
		case "max_legs":
			d.once(&o, 0)
			m.MaxLegs = d.count()
		case "max_load_kg":
			d.once(&o, 1)
			m.MaxLoadKg = d.number()
		default:
			d.unknown(&o)
		}
	}
}

func (d *decoder) missionRef() (m *MissionRef) {
	m = new(MissionRef)
	for o := d.object(); ; {
		if !d.nextField(&o) {
			d.require(&o, "id", "revision")
			return m
		}
		switch string(o.key) {
		case "id":
			d.once(&o, 0)
			m.ID = d.text()
		case "revision":
			d.once(&o, 1)
			m.Revision = d.count()
		default:
			d.unknown(&o)
		}
	}
}

// texts reads an array of strings, at most limit of them.
func (d *decoder) texts(limit int) (list []string) {
	for a := d.array(); d.nextItem(&a); {
		if len(list) == limit {
			d.fail(CodeOutOfRange, "is one item too many")
		}
		list = append(list, d.text())
	}
	return list
}

// samples reads the samples of a telemetry message. The memory for them is
// estimated from what the first one takes of the frame, which no header can
// inflate.
func (d *decoder) samples() (list []Sample) {
	begin := d.pos
	for a := d.array(); d.nextItem(&a); {
		if len(list) == MaxSamples {
			d.fail(CodeTooManySamples, "is one too many: send at most 64 samples in a frame")
		}
		if a.index == 0 {
			var first Sample
			d.sample(&first)
			more := (len(d.data) - d.pos) * 9 / 8 / (d.pos - begin)
			list = append(make([]Sample, 0, min(1+more, MaxSamples)), first)
			continue
		}
		list = append(list, Sample{})
		d.sample(&list[len(list)-1])
	}
	return list
}
