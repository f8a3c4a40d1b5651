package fleet

// EventName implements Event.
func (FleetRecovered) EventName() string { return "fleet_recovered" }

// EventName implements Event.
func (VehicleRegistered) EventName() string { return "vehicle_registered" }

// EventName implements Event.
func (VehicleServiceChanged) EventName() string { return "vehicle_service_changed" }

// EventName implements Event.
func (VehicleBlocked) EventName() string { return "vehicle_blocked" }

// EventName implements Event.
func (VehicleRefused) EventName() string { return "vehicle_refused" }

// EventName implements Event.
func (VehicleFaulted) EventName() string { return "vehicle_faulted" }

// EventName implements Event.
func (EpochSeen) EventName() string { return "epoch_seen" }

// EventName implements Event.
func (LogOpened) EventName() string { return "log_opened" }

// EventName implements Event.
func (ReportTaken) EventName() string { return "report_taken" }

// EventName implements Event.
func (TaskOrdered) EventName() string { return "task_ordered" }

// EventName implements Event.
func (TaskChanged) EventName() string { return "task_changed" }

// EventName implements Event.
func (TaskCancelWanted) EventName() string { return "task_cancel_wanted" }

// EventName implements Event.
func (StopChanged) EventName() string { return "stop_changed" }

// EventName implements Event.
func (LoadChanged) EventName() string { return "load_changed" }

// EventName implements Event.
func (MissionIssued) EventName() string { return "mission_issued" }

// EventName implements Event.
func (MissionAnswered) EventName() string { return "mission_answered" }

// EventName implements Event.
func (MissionChanged) EventName() string { return "mission_changed" }

// EventName implements Event.
func (LegChanged) EventName() string { return "leg_changed" }

// EventName implements Event.
func (CommandOrdered) EventName() string { return "command_ordered" }

// EventName implements Event.
func (CommandChanged) EventName() string { return "command_changed" }

// EventName implements Event.
func (QueueChanged) EventName() string { return "queue_changed" }

// EventName implements Event.
func (AlertRaised) EventName() string { return "alert_raised" }

// EventName implements Event.
func (AlertCleared) EventName() string { return "alert_cleared" }

// EventName implements Event.
func (AlertAcknowledged) EventName() string { return "alert_acknowledged" }

// EventName implements Event.
func (AnswerGiven) EventName() string { return "answer_given" }

// EventName implements Event.
func (Archived) EventName() string { return "archived" }

// EventName implements Event.
func (IncidentReported) EventName() string { return "incident_reported" }

// EventName implements Event.
func (IncidentChanged) EventName() string { return "incident_changed" }

// EventName implements Event.
func (ZoneChanged) EventName() string { return "zone_changed" }

// EventName implements Event.
func (ZoneRemoved) EventName() string { return "zone_removed" }

// EventName implements Event.
func (ConditionsChanged) EventName() string { return "conditions_changed" }

// EventName implements Event.
func (VehicleTakenOver) EventName() string { return "vehicle_taken_over" }

// EventName implements Event.
func (TaskRanked) EventName() string { return "task_ranked" }

// EventName implements Event.
func (TaskWanted) EventName() string { return "task_wanted" }

// EventName implements Event.
func (FleetStopped) EventName() string { return "fleet_stopped" }

// EventName implements Event.
func (FleetReleased) EventName() string { return "fleet_released" }

// EventName implements Event.
func (VolatileCleared) EventName() string { return "volatile_cleared" }

// EventName implements Event.
func (LinkChanged) EventName() string { return "link_changed" }

// EventName implements Event.
func (Moved) EventName() string { return "moved" }

// EventName implements Event.
func (ZonesChanged) EventName() string { return "zones_changed" }

// EventName implements Event.
func (PlanWanted) EventName() string { return "plan_wanted" }

// EventName implements Event.
func (PlanDropped) EventName() string { return "plan_dropped" }

// Lasting implements Event.
func (FleetRecovered) Lasting() bool { return true }

// Lasting implements Event.
func (VehicleRegistered) Lasting() bool { return true }

// Lasting implements Event.
func (VehicleServiceChanged) Lasting() bool { return true }

// Lasting implements Event.
func (VehicleBlocked) Lasting() bool { return true }

// Lasting implements Event.
func (VehicleRefused) Lasting() bool { return true }

// Lasting implements Event.
func (VehicleFaulted) Lasting() bool { return true }

// Lasting implements Event.
func (EpochSeen) Lasting() bool { return true }

// Lasting implements Event.
func (LogOpened) Lasting() bool { return true }

// Lasting implements Event.
func (ReportTaken) Lasting() bool { return true }

// Lasting implements Event.
func (TaskOrdered) Lasting() bool { return true }

// Lasting implements Event.
func (TaskChanged) Lasting() bool { return true }

// Lasting implements Event.
func (TaskCancelWanted) Lasting() bool { return true }

// Lasting implements Event.
func (StopChanged) Lasting() bool { return true }

// Lasting implements Event.
func (LoadChanged) Lasting() bool { return true }

// Lasting implements Event.
func (MissionIssued) Lasting() bool { return true }

// Lasting implements Event.
func (MissionAnswered) Lasting() bool { return true }

// Lasting implements Event.
func (MissionChanged) Lasting() bool { return true }

// Lasting implements Event.
func (LegChanged) Lasting() bool { return true }

// Lasting implements Event.
func (CommandOrdered) Lasting() bool { return true }

// Lasting implements Event.
func (CommandChanged) Lasting() bool { return true }

// Lasting implements Event.
func (QueueChanged) Lasting() bool { return true }

// Lasting implements Event.
func (AlertRaised) Lasting() bool { return true }

// Lasting implements Event.
func (AlertCleared) Lasting() bool { return true }

// Lasting implements Event.
func (AlertAcknowledged) Lasting() bool { return true }

// Lasting implements Event.
func (AnswerGiven) Lasting() bool { return true }

// Lasting implements Event.
func (Archived) Lasting() bool { return true }

// Lasting implements Event.
func (IncidentReported) Lasting() bool { return true }

// Lasting implements Event.
func (IncidentChanged) Lasting() bool { return true }

// Lasting implements Event.
func (ZoneChanged) Lasting() bool { return true }

// Lasting implements Event.
func (ZoneRemoved) Lasting() bool { return true }

// Lasting implements Event.
func (ConditionsChanged) Lasting() bool { return true }

// Lasting implements Event.
func (VehicleTakenOver) Lasting() bool { return true }

// Lasting implements Event.
func (TaskRanked) Lasting() bool { return true }

// Lasting implements Event.
func (TaskWanted) Lasting() bool { return true }

// Lasting implements Event.
func (FleetStopped) Lasting() bool { return true }

// Lasting implements Event.
func (FleetReleased) Lasting() bool { return true }

// Lasting implements Event.
func (VolatileCleared) Lasting() bool { return false }

// Lasting implements Event.
func (LinkChanged) Lasting() bool { return false }

// Lasting implements Event.
func (Moved) Lasting() bool { return false }

// Lasting implements Event.
func (ZonesChanged) Lasting() bool { return false }

// Lasting implements Event.
func (PlanWanted) Lasting() bool { return false }

// Lasting implements Event.
func (PlanDropped) Lasting() bool { return false }

func (FleetRecovered) event()        {}
func (VehicleRegistered) event()     {}
func (VehicleServiceChanged) event() {}
func (VehicleBlocked) event()        {}
func (VehicleRefused) event()        {}
func (VehicleFaulted) event()        {}
func (EpochSeen) event()             {}
func (LogOpened) event()             {}
func (ReportTaken) event()           {}
func (TaskOrdered) event()           {}
func (TaskChanged) event()           {}
func (TaskCancelWanted) event()      {}
func (StopChanged) event()           {}
func (LoadChanged) event()           {}
func (MissionIssued) event()         {}
func (MissionAnswered) event()       {}
func (MissionChanged) event()        {}
func (LegChanged) event()            {}
func (CommandOrdered) event()        {}
func (CommandChanged) event()        {}
func (QueueChanged) event()          {}
func (AlertRaised) event()           {}
func (AlertCleared) event()          {}
func (AlertAcknowledged) event()     {}
func (AnswerGiven) event()           {}
func (Archived) event()              {}
func (IncidentReported) event()      {}
func (IncidentChanged) event()       {}
func (ZoneChanged) event()           {}
func (ZoneRemoved) event()           {}
func (ConditionsChanged) event()     {}
func (VehicleTakenOver) event()      {}
func (TaskRanked) event()            {}
func (TaskWanted) event()            {}
func (FleetStopped) event()          {}
func (FleetReleased) event()         {}
func (VolatileCleared) event()       {}
func (LinkChanged) event()           {}
func (Moved) event()                 {}
func (ZonesChanged) event()          {}
func (PlanWanted) event()            {}
func (PlanDropped) event()           {}
