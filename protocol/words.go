package protocol

// The closed sets of words, in the order of their declaration.

func kinds() []Kind {
	return []Kind{Rover, Multirotor, VTOL, Vessel}
}

func modes() []Mode {
	return []Mode{ModeIdle, ModeTravel, ModeWork, ModeCharging, ModeHold, ModeReturn, ModeManual, ModeFault}
}

func verdicts() []Verdict {
	return []Verdict{Accepted, Refused}
}

func progressStates() []ProgressState {
	return []ProgressState{Started, Begun, Done, Failed, Abandoned}
}

func missionStates() []MissionState {
	return []MissionState{MissionActive, MissionSuspended, MissionEnded}
}

func actions() []Action {
	return []Action{ActionVisit, ActionPickup, ActionDropoff, ActionCharge, ActionPark}
}

func legStates() []LegState {
	return []LegState{LegPending, LegStarted, LegBegun, LegDone, LegFailed, LegAbandoned}
}

func commandKinds() []CommandKind {
	return []CommandKind{CommandHold, CommandResume, CommandReturn, CommandLand, CommandStop}
}
