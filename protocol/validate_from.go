package protocol

import "strconv"

// Validate checks the message against the limits of this package.
func (m Hello) Validate() error {
	var c checker
	known(&c, "kind", m.Kind, kinds())
	c.text("model", m.Model, MaxIDBytes)
	if len(m.Capabilities) > MaxCapabilities {
		c.fail(CodeOutOfRange, "capabilities", "has more than 32 items")
	} else {
		for i, capability := range m.Capabilities {
			c.id("capabilities["+strconv.Itoa(i)+"]", capability)
		}
	}
	if m.Limits.MaxLegs != 0 {
		c.count("limits.max_legs", m.Limits.MaxLegs, MinLegs, MaxCount)
	}
	c.number("limits.max_load_kg", m.Limits.MaxLoadKg, 0, MaxLoadKg)
	if m.Mission != nil {
		c.part("mission", m.Mission.check())
	}
	c.optionalID("last_command", m.LastCommand)
	c.id("log_id", m.LogID)
	c.whole("epoch", m.Epoch, 0)
	c.instant("time", m.Time)
	return c.result("hello")
}

// Validate checks the message against the limits of this package.
func (m Telemetry) Validate() error {
	var c checker
	switch {
	case len(m.Samples) == 0:
		c.fail(CodeBadMessage, "samples", "must have at least one sample")
	case len(m.Samples) > MaxSamples:
		c.fail(CodeTooManySamples, "samples", "has too many: send at most 64 samples in a frame")
	}
	for i := range m.Samples {
		if c.err != nil {
			break
		}
		c.item("samples", i, m.Samples[i].check())
		if i > 0 && m.Samples[i].Time.Before(m.Samples[i-1].Time) {
			c.item("samples", i, &MessageError{
				Code: CodeOutOfRange, Field: "time", Problem: "is before the sample before it; send the oldest first",
			})
		}
	}
	return c.result("telemetry")
}

func (s *Sample) check() *MessageError {
	var c checker
	c.instant("time", s.Time)
	c.part("position", s.Position.check())
	c.number("speed_mps", s.SpeedMPS, 0, MaxSpeedMPS)
	c.number("climb_mps", s.ClimbMPS, -MaxSpeedMPS, MaxSpeedMPS)
	c.number("heading_deg", s.HeadingDeg, -MaxHeadingDeg, MaxHeadingDeg)
	c.number("battery_ratio", s.BatteryRatio, 0, 1)
	known(&c, "mode", s.Mode, modes())
	return c.err
}

// Validate checks the message against the limits of this package.
func (m Ack) Validate() error {
	var c checker
	c.whole("seq", m.Seq, 1)
	if (m.Mission != nil) == (m.Command != "") {
		c.fail(CodeBadMessage, "mission", "must be there, or else command: exactly one of them")
	}
	if m.Mission != nil {
		c.part("mission", m.Mission.check())
	}
	c.optionalID("command", m.Command)
	known(&c, "verdict", m.Verdict, verdicts())
	if m.Verdict == Refused && m.Reason == "" {
		c.fail(CodeBadMessage, "reason", "must be there with a refusal")
	}
	c.optionalID("reason", m.Reason)
	c.text("text", m.Text, MaxTextBytes)
	return c.result("ack")
}

// Validate checks the message against the limits of this package.
func (m Progress) Validate() error {
	var c checker
	c.whole("seq", m.Seq, 1)
	onLeg := m.Mission != "" && m.Leg != ""
	onCommand := m.Command != ""
	if onLeg == onCommand || (m.Mission != "") != (m.Leg != "") {
		c.fail(CodeBadMessage, "mission", "must be there with leg, or else command: exactly one of them")
	}
	c.optionalID("mission", m.Mission)
	c.optionalID("leg", m.Leg)
	c.optionalID("command", m.Command)
	known(&c, "state", m.State, progressStates())
	if onCommand && m.State != Done && m.State != Failed {
		c.fail(CodeBadMessage, "state", "must be done or failed for a command")
	}
	c.instant("time", m.Time)
	c.optionalID("reason", m.Reason)
	c.text("text", m.Text, MaxTextBytes)
	return c.result("progress")
}

// Validate checks the message against the limits of this package.
func (m Fault) Validate() error {
	var c checker
	c.whole("seq", m.Seq, 1)
	c.id("code", m.Code)
	c.text("text", m.Text, MaxTextBytes)
	c.instant("time", m.Time)
	return c.result("fault")
}
