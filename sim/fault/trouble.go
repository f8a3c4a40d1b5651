package fault

// The words for what goes wrong with a vehicle, as scenarios write them. What each
// does to a vehicle, and the unit of its strength, stands with the agents.
const (
	Broken       = "broken"
	ClockJump    = "clock_jump"
	ClockDrift   = "clock_drift"
	GNSSNoise    = "gnss_noise"
	GNSSBias     = "gnss_bias"
	GNSSLoss     = "gnss_loss"
	GNSSTeleport = "gnss_teleport"
	CellDrop     = "cell_drop"
	DriveFailure = "drive_failure"
	Frozen       = "frozen"
	Liar         = "liar"
	Slow         = "slow"
	Refusing     = "refusing"
	Forgetful    = "forgetful"
)
