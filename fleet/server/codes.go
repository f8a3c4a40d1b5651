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
)

// kind is what the table says of a code.
type kind struct {
	status int
	title  string
}

// kinds is the one table from codes to statuses, of this package's problems and
// of the fleet's. A code that is not in it is a fault of the program.
func kinds() map[string]kind {
	all := ownKinds()
	maps.Copy(all, requestKinds())
	maps.Copy(all, stateKinds())
	return all
}

// ownKinds are the problems that this package raises itself.
func ownKinds() map[string]kind {
	return map[string]kind{
		codeMalformedJSON:       {http.StatusBadRequest, "The body is not well-formed JSON"},
		codeMalformedCursor:     {http.StatusBadRequest, "The cursor is not one that was given out"},
		codeMalformedETag:       {http.StatusBadRequest, "A conditional header is malformed"},
		codeMalformedKey:        {http.StatusBadRequest, "The idempotency key is malformed"},
		codeMalformedRequest:    {http.StatusBadRequest, "The request is malformed"},
		codeSubprotocol:         {http.StatusBadRequest, "No sub-protocol in common"},
		codeUnauthenticated:     {http.StatusUnauthorized, "A valid token is needed"},
		codeTicketInvalid:       {http.StatusUnauthorized, "The ticket is unknown, used or expired"},
		codeForbidden:           {http.StatusForbidden, "The token does not permit this"},
		codeOriginRefused:       {http.StatusForbidden, "Requests from this origin are refused"},
		codeNotFound:            {http.StatusNotFound, "Nothing is at this address"},
		codeFleetNotFound:       {http.StatusNotFound, "There is no such fleet here"},
		codeTaskNotFound:        {http.StatusNotFound, "There is no such task"},
		codeVehicleNotFound:     {http.StatusNotFound, "There is no such vehicle"},
		codeMissionNotFound:     {http.StatusNotFound, "There is no such mission"},
		codeCommandNotFound:     {http.StatusNotFound, "There is no such command"},
		codeIncidentNotFound:    {http.StatusNotFound, "There is no such incident"},
		codeZoneNotFound:        {http.StatusNotFound, "There is no such zone"},
		codeMethodNotAllowed:    {http.StatusMethodNotAllowed, "This address has other methods"},
		codeRequestTimeout:      {http.StatusRequestTimeout, "The request took too long to arrive"},
		codeTooOld:              {http.StatusGone, "Events that far back are no longer kept"},
		codeRevisionMismatch:    {http.StatusPreconditionFailed, "It has changed meanwhile"},
		codeBodyTooLarge:        {http.StatusRequestEntityTooLarge, "The body is too large"},
		codeUnsupportedMedia:    {http.StatusUnsupportedMediaType, "The body must be application/json"},
		codeInvalid:             {http.StatusUnprocessableEntity, "The request breaks a rule of its shape"},
		codeIdempotencyMismatch: {http.StatusUnprocessableEntity, "The idempotency key was used with another request"},
		codeUpgradeRequired:     {http.StatusUpgradeRequired, "This address speaks WebSocket"},
		codeTooManyStreams:      {http.StatusServiceUnavailable, "Too many streams are open"},
		codeTooManyQuotes:       {http.StatusTooManyRequests, "Too many quotes are being made"},
		codeTooManyTickets:      {http.StatusTooManyRequests, "Too many tickets are unused"},
		codeTooManyChanges:      {http.StatusTooManyRequests, "The stream is changed too often"},
		codeTooManyExports:      {http.StatusServiceUnavailable, "Too many downloads are under way"},
		codeTracksNotKept:       {http.StatusNotFound, "This server keeps no tracks"},
		codeInternal:            {http.StatusInternalServerError, "A fault of the server"},
		codeUnavailable:         {http.StatusServiceUnavailable, "The fleet is not ready"},
		codeAnswerLate:          {http.StatusServiceUnavailable, "The answer did not come in time"},
	}
}

// requestKinds are the fleet's refusals of what a request says.
func requestKinds() map[string]kind {
	return map[string]kind{
		"bad_area":             {http.StatusUnprocessableEntity, "The area is not west, south, east, north"},
		"nothing_to_change":    {http.StatusUnprocessableEntity, "The request changes nothing"},
		"bad_rank":             {http.StatusUnprocessableEntity, "The rank is out of range"},
		"no_such_response":     {http.StatusUnprocessableEntity, "The fleet has no response for this kind of incident"},
		"bad_severity":         {http.StatusUnprocessableEntity, "There is no such severity"},
		"bad_radius":           {http.StatusUnprocessableEntity, "The radius is not possible"},
		"severity_lower":       {http.StatusUnprocessableEntity, "An escalation cannot make an incident less grave"},
		"bad_quote":            {http.StatusUnprocessableEntity, "A quote is about exactly one thing"},
		"bad_zone":             {http.StatusUnprocessableEntity, "The zone is not possible"},
		"zone_outside_chart":   {http.StatusUnprocessableEntity, "The zone does not touch the chart"},
		"bad_kind":             {http.StatusUnprocessableEntity, "There is no such kind of task"},
		"bad_priority":         {http.StatusUnprocessableEntity, "There is no such priority"},
		"bad_vehicle_kind":     {http.StatusUnprocessableEntity, "There is no such kind of vehicle"},
		"no_stops":             {http.StatusUnprocessableEntity, "An order needs stops"},
		"too_many_stops":       {http.StatusUnprocessableEntity, "Too many stops"},
		"bad_laps":             {http.StatusUnprocessableEntity, "Only a patrol has laps"},
		"no_dropoff":           {http.StatusUnprocessableEntity, "A delivery needs two stops"},
		"bad_load":             {http.StatusUnprocessableEntity, "The load is not possible"},
		"bad_work":             {http.StatusUnprocessableEntity, "The duration of the work is not possible"},
		"bad_window":           {http.StatusUnprocessableEntity, "The time window is empty"},
		"window_over":          {http.StatusUnprocessableEntity, "The time window is over"},
		"bad_place":            {http.StatusUnprocessableEntity, "Exactly one place must be named"},
		"bad_position":         {http.StatusUnprocessableEntity, "The position is not on earth"},
		"outside_chart":        {http.StatusUnprocessableEntity, "The position lies outside of the chart"},
		"no_such_site":         {http.StatusUnprocessableEntity, "The chart has no such site"},
		"no_such_place":        {http.StatusUnprocessableEntity, "The chart has no such place"},
		"no_such_stop":         {http.StatusUnprocessableEntity, "The task has no such stop"},
		"bad_outcome":          {http.StatusUnprocessableEntity, "There is no such outcome"},
		"bad_command":          {http.StatusUnprocessableEntity, "There is no such command"},
		"command_does_not_fit": {http.StatusUnprocessableEntity, "The vehicle cannot obey this command"},
		"unknown_model":        {http.StatusUnprocessableEntity, "No performance is known for this model"},
		"unknown_request":      {http.StatusUnprocessableEntity, "The fleet has no rule for this request"},
	}
}

// stateKinds are the fleet's refusals for how things stand.
func stateKinds() map[string]kind {
	return map[string]kind{
		"alert_not_found":      {http.StatusNotFound, "There is no such alert"},
		"task_over":            {http.StatusConflict, "The task is over"},
		"load_on_board":        {http.StatusConflict, "The load is on board"},
		"stop_begun":           {http.StatusConflict, "The vehicle is working at a stop"},
		"nothing_to_decide":    {http.StatusConflict, "The stop is not in doubt"},
		"unsafe_landing":       {http.StatusConflict, "A building or water is below the aircraft"},
		"vehicle_busy":         {http.StatusConflict, "The vehicle has an open mission"},
		"taken_over":           {http.StatusConflict, "A person has the vehicle in hand"},
		"not_taken_over":       {http.StatusConflict, "Nobody has the vehicle in hand"},
		"not_stopped":          {http.StatusConflict, "The fleet is not stopped"},
		"vehicle_cannot":       {http.StatusConflict, "The vehicle cannot take the task"},
		"decision_needed":      {http.StatusConflict, "A stop is in doubt"},
		"drill":                {http.StatusConflict, "The task is an exercise"},
		"incident_closed":      {http.StatusConflict, "The incident is closed"},
		"too_many_escalations": {http.StatusConflict, "The incident was escalated as often as it can be"},
		"too_many_tasks":       {http.StatusServiceUnavailable, "The fleet holds its limit of open tasks"},
		"too_many_incidents":   {http.StatusServiceUnavailable, "The fleet holds its limit of open incidents"},
		"too_many_zones":       {http.StatusServiceUnavailable, "People have made or changed the limit of zones"},
		"too_many_vehicles":    {http.StatusServiceUnavailable, "The fleet holds its limit of vehicles"},
	}
}

// The codes with which the fleet refuses each kind of request.

func orderCodes() []string {
	return []string{
		"bad_kind", "bad_priority", "bad_vehicle_kind", "no_stops", "too_many_stops", "bad_laps", "no_dropoff", "bad_load", "bad_work",
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
		codeVehicleNotFound, "unknown_model", "vehicle_busy", "no_such_site", "bad_position", "bad_command", "command_does_not_fit", "unsafe_landing",
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
