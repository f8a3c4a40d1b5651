package protocol

// Validate checks the message against the limits of this package.
func (m Welcome) Validate() error {
	var c checker
	c.id("session", m.Session)
	c.id("vehicle", m.Vehicle)
	c.whole("epoch", m.Epoch, 0)
	c.number("telemetry_interval_s", m.TelemetryIntervalS, 0, MaxDurationS)
	c.number("alive_interval_s", m.AliveIntervalS, 0, MaxDurationS)
	c.instant("hello_time", m.HelloTime)
	c.instant("time", m.Time)
	c.id("log_id", m.LogID)
	c.whole("seq", m.Seq, 0)
	return c.result("welcome")
}

// Validate checks the message against the limits of this package.
func (m Alive) Validate() error {
	var c checker
	c.instant("time", m.Time)
	return c.result("alive")
}

// Validate checks the message against the limits of this package.
func (m Mission) Validate() error {
	var c checker
	c.id("id", m.ID)
	c.count("revision", m.Revision, 1, MaxCount)
	known(&c, "state", m.State, missionStates())
	c.whole("epoch", m.Epoch, 0)
	c.number("task_authority_s", m.TaskAuthorityS, 0, MaxDurationS)
	c.instant("time", m.Time)
	if len(m.Legs) > MaxLegs {
		c.fail(CodeOutOfRange, "legs", "has more than 1000 legs")
	}
	if m.State == MissionEnded && len(m.Legs) > 0 {
		c.fail(CodeBadMessage, "legs", "must be empty in an ended mission")
	}
	if c.err == nil {
		c.legs(m.Legs)
	}
	c.text("reason", m.Reason, MaxTextBytes)
	return c.result("mission")
}

func (c *checker) legs(legs []Leg) {
	ids := make(map[string]struct{}, len(legs))
	for i := range legs {
		c.item("legs", i, legs[i].check())
		if _, twice := ids[legs[i].ID]; twice {
			c.item("legs", i, &MessageError{Code: CodeBadMessage, Field: "id", Problem: "names another leg too"})
		}
		ids[legs[i].ID] = struct{}{}
	}
}

func (l *Leg) check() *MessageError {
	var c checker
	c.id("id", l.ID)
	c.optionalID("task", l.Task)
	c.count("stop", l.Stop, 0, MaxCount)
	c.optionalID("site", l.Site)
	if l.Task != "" && l.Site != "" {
		c.fail(CodeBadMessage, "site", "must not be there with task")
	}
	known(&c, "action", l.Action, actions())
	known(&c, "state", l.State, legStates())
	c.path("path", l.Path)
	if len(l.Path) == 0 && (l.State == LegPending || l.State == LegStarted) {
		c.fail(CodeBadMessage, "path", "must end at the stop, so it has at least one point")
	}
	c.number("speed_mps", l.SpeedMPS, 0, MaxSpeedMPS)
	c.speeds("speeds_mps", l.SpeedsMPS, len(l.Path)-1)
	c.number("work_s", l.WorkS, 0, MaxDurationS)
	c.optionalInstant("not_before", l.NotBefore)
	c.optionalInstant("eta", l.ETA)
	c.number("load_kg", l.LoadKg, 0, MaxLoadKg)
	c.number("charge_to_ratio", l.ChargeToRatio, 0, 1)
	return c.err
}

// Validate checks the message against the limits of this package.
func (m Command) Validate() error {
	var c checker
	c.id("id", m.ID)
	known(&c, "kind", m.Kind, commandKinds())
	c.whole("epoch", m.Epoch, 0)
	c.instant("time", m.Time)
	c.instant("expires_at", m.ExpiresAt)
	c.path("path", m.Path)
	c.number("speed_mps", m.SpeedMPS, 0, MaxSpeedMPS)
	c.text("reason", m.Reason, MaxTextBytes)
	return c.result("command")
}

// Validate checks the message against the limits of this package.
func (m Received) Validate() error {
	var c checker
	c.id("log_id", m.LogID)
	c.whole("seq", m.Seq, 0)
	c.instant("time", m.Time)
	return c.result("received")
}

// Validate checks the message against the limits of this package.
func (m Error) Validate() error {
	var c checker
	c.id("code", m.Code)
	c.text("text", m.Text, MaxTextBytes)
	c.instant("time", m.Time)
	return c.result("error")
}
