package server

import (
	"maps"
	"net/http"
)

// The codes of problems that this package raises itself. Clients may switch on
// them; docs/errors.md explains each.
const (
	codeMalformedJSON       = "malformed_json"
	codeMalformedCursor     = "malformed_cursor"
	codeMalformedETag       = "malformed_etag"
	codeMalformedKey        = "malformed_idempotency_key"
	codeMalformedRequest    = "malformed_request"
	codeSubprotocol         = "subprotocol_unsupported"
	codeUnauthenticated     = "unauthenticated"
	codeTicketInvalid       = "ticket_invalid"
	codeForbidden           = "forbidden"
	codeOriginRefused       = "origin_refused"
	codeNotFound            = "not_found"
	codeFleetNotFound       = "fleet_not_found"
	codeTaskNotFound        = "task_not_found"
	codeVehicleNotFound     = "vehicle_not_found"
	codeMissionNotFound     = "mission_not_found"
	codeCommandNotFound     = "command_not_found"
	codeIncidentNotFound    = "incident_not_found"
	codeZoneNotFound        = "zone_not_found"
	codeMethodNotAllowed    = "method_not_allowed"
	codeRequestTimeout      = "request_timeout"
	codeTooOld              = "index_too_old"
	codeRevisionMismatch    = "revision_mismatch"
	codeBodyTooLarge        = "body_too_large"
	codeUnsupportedMedia    = "unsupported_media_type"
	codeInvalid             = "invalid"
	codeIdempotencyMismatch = "idempotency_mismatch"
	codeUpgradeRequired     = "upgrade_required"
	codeTooManyStreams      = "too_many_streams"
	codeTooManyTickets      = "too_many_tickets"
	codeTooManyQuotes       = "too_many_quotes"
	codeTooManyChanges      = "too_many_changes"
	codeTooManyExports      = "too_many_exports"
	codeTracksNotKept       = "tracks_not_kept"
	codeInternal            = "internal"
	codeUnavailable         = "unavailable"
	codeAnswerLate          = "answer_late"
	codeURLTooLong          = "url_too_long"
	codeTooManyRequests     = "too_many_requests"
	codeTooManyFailures     = "too_many_failures"
	codeTooManyLogins       = "too_many_logins"
	codeTooBusy             = "too_busy"
)

// kind is what the table says of a code.
type kind struct {
	status int
	title  string
}

// kinds is the one table from codes to statuses, of this package's problems and
// of the fleet's, made anew at each call: for documents and tests. A code that is
// not in it is a fault of the program.
func kinds() map[string]kind { return maps.Collect(eachKind) }

// eachKind is the table as a sequence, which costs nothing to make.
func eachKind(yield func(code string, k kind) bool) {
	_ = ownKinds(yield) && limitKinds(yield) && requestKinds(yield) && stateKinds(yield)
}

// kindOf looks a code up without making the table: refusing must be cheap, since
// whoever attacks is refused most.
func kindOf(code string) (kind, bool) {
	for known, k := range eachKind {
		if known == code {
			return k, true
		}
	}
	return kind{}, false
}

// ownKinds are the problems that this package raises itself.
func ownKinds(yield func(string, kind) bool) bool {
	return yield(codeMalformedJSON, kind{http.StatusBadRequest, "The body is not well-formed JSON"}) &&
		yield(codeMalformedCursor, kind{http.StatusBadRequest, "The cursor is not one that was given out"}) &&
		yield(codeMalformedETag, kind{http.StatusBadRequest, "A conditional header is malformed"}) &&
		yield(codeMalformedKey, kind{http.StatusBadRequest, "The idempotency key is malformed"}) &&
		yield(codeMalformedRequest, kind{http.StatusBadRequest, "The request is malformed"}) &&
		yield(codeSubprotocol, kind{http.StatusBadRequest, "No sub-protocol in common"}) &&
		yield(codeUnauthenticated, kind{http.StatusUnauthorized, "A valid token is needed"}) &&
		yield(codeTicketInvalid, kind{http.StatusUnauthorized, "The ticket is unknown, used or expired"}) &&
		yield(codeForbidden, kind{http.StatusForbidden, "The token does not permit this"}) &&
		yield(codeOriginRefused, kind{http.StatusForbidden, "Requests from this origin are refused"}) &&
		yield(codeNotFound, kind{http.StatusNotFound, "Nothing is at this address"}) &&
		yield(codeFleetNotFound, kind{http.StatusNotFound, "There is no such fleet here"}) &&
		yield(codeTaskNotFound, kind{http.StatusNotFound, "There is no such task"}) &&
		yield(codeVehicleNotFound, kind{http.StatusNotFound, "There is no such vehicle"}) &&
		yield(codeMissionNotFound, kind{http.StatusNotFound, "There is no such mission"}) &&
		yield(codeCommandNotFound, kind{http.StatusNotFound, "There is no such command"}) &&
		yield(codeIncidentNotFound, kind{http.StatusNotFound, "There is no such incident"}) &&
		yield(codeZoneNotFound, kind{http.StatusNotFound, "There is no such zone"}) &&
		yield(codeMethodNotAllowed, kind{http.StatusMethodNotAllowed, "This address has other methods"}) &&
		yield(codeRequestTimeout, kind{http.StatusRequestTimeout, "The request took too long to arrive"}) &&
		yield(codeTooOld, kind{http.StatusGone, "Events that far back are no longer kept"}) &&
		yield(codeRevisionMismatch, kind{http.StatusPreconditionFailed, "It has changed meanwhile"}) &&
		yield(codeBodyTooLarge, kind{http.StatusRequestEntityTooLarge, "The body is too large"}) &&
		yield(codeUnsupportedMedia, kind{http.StatusUnsupportedMediaType, "The body must be application/json"}) &&
		yield(codeInvalid, kind{http.StatusUnprocessableEntity, "The request breaks a rule of its shape"}) &&
		yield(codeIdempotencyMismatch, kind{http.StatusUnprocessableEntity, "The idempotency key was used with another request"}) &&
		yield(codeUpgradeRequired, kind{http.StatusUpgradeRequired, "This address speaks WebSocket"}) &&
		yield(codeTooManyStreams, kind{http.StatusServiceUnavailable, "Too many streams are open"}) &&
		yield(codeTooManyQuotes, kind{http.StatusTooManyRequests, "Too many quotes are being made"}) &&
		yield(codeTooManyTickets, kind{http.StatusTooManyRequests, "Too many tickets are unused"}) &&
		yield(codeTooManyChanges, kind{http.StatusTooManyRequests, "The stream is changed too often"}) &&
		yield(codeTooManyExports, kind{http.StatusServiceUnavailable, "Too many downloads are under way"}) &&
		yield(codeTracksNotKept, kind{http.StatusNotFound, "This server keeps no tracks"}) &&
		yield(codeInternal, kind{http.StatusInternalServerError, "A fault of the server"}) &&
		yield(codeUnavailable, kind{http.StatusServiceUnavailable, "The fleet is not ready"}) &&
		yield(codeAnswerLate, kind{http.StatusServiceUnavailable, "The answer did not come in time"})
}

// limitKinds are the refusals of the edge's limits; docs/security.md has the
// figures.
func limitKinds(yield func(string, kind) bool) bool {
	return yield(codeURLTooLong, kind{http.StatusRequestURITooLong, "The URL is too long"}) &&
		yield(codeTooManyRequests, kind{http.StatusTooManyRequests, "Too many requests"}) &&
		yield(codeTooManyFailures, kind{http.StatusTooManyRequests, "Too many failed authentications"}) &&
		yield(codeTooManyLogins, kind{http.StatusTooManyRequests, "The vehicle logs in too often"}) &&
		yield(codeTooBusy, kind{http.StatusServiceUnavailable, "Too many requests are under way"})
}

// requestKinds are the fleet's refusals of what a request says.
func requestKinds(yield func(string, kind) bool) bool {
	return yield("bad_area", kind{http.StatusUnprocessableEntity, "The area is not west, south, east, north"}) &&
		yield("nothing_to_change", kind{http.StatusUnprocessableEntity, "The request changes nothing"}) &&
		yield("bad_rank", kind{http.StatusUnprocessableEntity, "The rank is out of range"}) &&
		yield("no_such_response", kind{http.StatusUnprocessableEntity, "The fleet has no response for this kind of incident"}) &&
		yield("bad_severity", kind{http.StatusUnprocessableEntity, "There is no such severity"}) &&
		yield("bad_radius", kind{http.StatusUnprocessableEntity, "The radius is not possible"}) &&
		yield("severity_lower", kind{http.StatusUnprocessableEntity, "An escalation cannot make an incident less grave"}) &&
		yield("bad_quote", kind{http.StatusUnprocessableEntity, "A quote is about exactly one thing"}) &&
		yield("bad_zone", kind{http.StatusUnprocessableEntity, "The zone is not possible"}) &&
		yield("bad_conditions", kind{http.StatusUnprocessableEntity, "The conditions are not possible"}) &&
		yield("zone_outside_chart", kind{http.StatusUnprocessableEntity, "The zone does not touch the chart"}) &&
		yield("bad_kind", kind{http.StatusUnprocessableEntity, "There is no such kind of task"}) &&
		yield("bad_priority", kind{http.StatusUnprocessableEntity, "There is no such priority"}) &&
		yield("bad_vehicle_kind", kind{http.StatusUnprocessableEntity, "There is no such kind of vehicle"}) &&
		yield("bad_capability", kind{http.StatusUnprocessableEntity, "The capabilities are not possible"}) &&
		yield("no_stops", kind{http.StatusUnprocessableEntity, "An order needs stops"}) &&
		yield("too_many_stops", kind{http.StatusUnprocessableEntity, "Too many stops"}) &&
		yield("bad_laps", kind{http.StatusUnprocessableEntity, "Only a patrol has laps"}) &&
		yield("no_dropoff", kind{http.StatusUnprocessableEntity, "A delivery needs two stops"}) &&
		yield("bad_load", kind{http.StatusUnprocessableEntity, "The load is not possible"}) &&
		yield("bad_work", kind{http.StatusUnprocessableEntity, "The duration of the work is not possible"}) &&
		yield("bad_window", kind{http.StatusUnprocessableEntity, "The time window is empty"}) &&
		yield("window_over", kind{http.StatusUnprocessableEntity, "The time window is over"}) &&
		yield("bad_place", kind{http.StatusUnprocessableEntity, "Exactly one place must be named"}) &&
		yield("bad_position", kind{http.StatusUnprocessableEntity, "The position is not on earth"}) &&
		yield("outside_chart", kind{http.StatusUnprocessableEntity, "The position lies outside of the chart"}) &&
		yield("no_such_site", kind{http.StatusUnprocessableEntity, "The chart has no such site"}) &&
		yield("no_such_place", kind{http.StatusUnprocessableEntity, "The chart has no such place"}) &&
		yield("no_such_stop", kind{http.StatusUnprocessableEntity, "The task has no such stop"}) &&
		yield("bad_outcome", kind{http.StatusUnprocessableEntity, "There is no such outcome"}) &&
		yield("bad_command", kind{http.StatusUnprocessableEntity, "There is no such command"}) &&
		yield("command_does_not_fit", kind{http.StatusUnprocessableEntity, "The vehicle cannot obey this command"}) &&
		yield("unknown_model", kind{http.StatusUnprocessableEntity, "No performance is known for this model"}) &&
		yield("unknown_request", kind{http.StatusUnprocessableEntity, "The fleet has no rule for this request"})
}

// stateKinds are the fleet's refusals for how things stand.
func stateKinds(yield func(string, kind) bool) bool {
	return yield("alert_not_found", kind{http.StatusNotFound, "There is no such alert"}) &&
		yield("task_over", kind{http.StatusConflict, "The task is over"}) &&
		yield("load_on_board", kind{http.StatusConflict, "The load is on board"}) &&
		yield("stop_begun", kind{http.StatusConflict, "The vehicle is working at a stop"}) &&
		yield("nothing_to_decide", kind{http.StatusConflict, "The stop is not in doubt"}) &&
		yield("unsafe_landing", kind{http.StatusConflict, "A building or water is below the aircraft"}) &&
		yield("vehicle_busy", kind{http.StatusConflict, "The vehicle has an open mission"}) &&
		yield("taken_over", kind{http.StatusConflict, "A person has the vehicle in hand"}) &&
		yield("not_taken_over", kind{http.StatusConflict, "Nobody has the vehicle in hand"}) &&
		yield("not_stopped", kind{http.StatusConflict, "The fleet is not stopped"}) &&
		yield("vehicle_cannot", kind{http.StatusConflict, "The vehicle cannot take the task"}) &&
		yield("decision_needed", kind{http.StatusConflict, "A stop is in doubt"}) &&
		yield("drill", kind{http.StatusConflict, "The task is an exercise"}) &&
		yield("incident_closed", kind{http.StatusConflict, "The incident is closed"}) &&
		yield("too_many_escalations", kind{http.StatusConflict, "The incident was escalated as often as it can be"}) &&
		yield("too_many_tasks", kind{http.StatusServiceUnavailable, "The fleet holds its limit of open tasks"}) &&
		yield("too_many_incidents", kind{http.StatusServiceUnavailable, "The fleet holds its limit of open incidents"}) &&
		yield("too_many_zones", kind{http.StatusServiceUnavailable, "People have made or changed the limit of zones"}) &&
		yield("too_many_vehicles", kind{http.StatusServiceUnavailable, "The fleet holds its limit of vehicles"})
}

// The codes with which the fleet refuses each kind of request.

func orderCodes() []string {
	return []string{
		"bad_kind", "bad_priority", "bad_vehicle_kind", "bad_capability", "no_stops", "too_many_stops", "bad_laps", "no_dropoff", "bad_load", "bad_work",
		"bad_window", "window_over", "bad_place", "bad_position", "outside_chart", "no_such_site", "no_such_place", "too_many_tasks",
	}
}

func taskCodes() []string {
	return []string{
		codeTaskNotFound, codeMalformedETag, codeRevisionMismatch, "task_over", "load_on_board", "stop_begun", "nothing_to_decide",
		"no_such_stop", "bad_outcome",
	}
}

func vehicleCodes() []string {
	return []string{
		codeVehicleNotFound, "unknown_model", "bad_capability", "vehicle_busy", "no_such_site", "bad_position", "bad_command", "command_does_not_fit", "unsafe_landing",
		"taken_over", "not_taken_over", "too_many_vehicles",
	}
}

func reportCodes() []string {
	return []string{
		"no_such_response", "bad_severity", "bad_radius", "bad_place", "bad_position", "outside_chart", "no_such_site", "no_such_place",
		"too_many_incidents", "too_many_tasks",
	}
}

func incidentCodes() []string {
	return []string{
		codeIncidentNotFound, codeMalformedETag, codeRevisionMismatch, "incident_closed", "bad_severity", "severity_lower",
		"too_many_escalations", "too_many_tasks",
	}
}

func conditionsCodes() []string {
	return []string{codeMalformedETag, codeRevisionMismatch, "bad_conditions"}
}

func zoneCodes() []string {
	return []string{codeZoneNotFound, codeMalformedETag, codeRevisionMismatch, "bad_zone", "zone_outside_chart", "too_many_zones"}
}

func actionCodes() []string {
	return append(taskCodes(), codeVehicleNotFound, "bad_priority", "bad_rank", "nothing_to_change", "drill", "decision_needed", "vehicle_cannot")
}

func groupCodes() []string {
	return []string{codeVehicleNotFound, "bad_command", "bad_vehicle_kind", "bad_area", "not_stopped"}
}

func alertCodes() []string { return []string{"alert_not_found"} }
