package server

import (
	"encoding/json"
	"net/http"

	"github.com/kapok-fleet/kapok/protocol/api"
)

// healthz says that the process answers.
func (s *Server) healthz(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, api.Health{Status: "ok"})
}

// readyz says that the fleet serves, or why it does not.
func (s *Server) readyz(w http.ResponseWriter, _ *http.Request) {
	if s.backend.Ready() != nil {
		// Why not is in the log: strangers may ask here.
		newProblem(codeUnavailable, "the fleet is being reopened from its record").with("Retry-After", "1").write(w)
		return
	}
	select {
	case <-s.serving.Done():
		newProblem(codeUnavailable, "the server is shutting down").write(w)
	default:
		writeJSON(w, api.Health{Status: "ready", Time: s.options.Clock().UTC()})
	}
}

func writeJSON(w http.ResponseWriter, v any) {
	// These shapes hold nothing that JSON cannot express.
	body, _ := json.Marshal(v)
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(append(body, '\n'))
}
