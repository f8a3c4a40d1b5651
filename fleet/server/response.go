package server

import (
	"bufio"
	"errors"
	"net"
	"net/http"
	"os"
	"strings"
	"time"
)

const (
	// maxPlainText bounds what is kept of a plain-text error.
	maxPlainText = 512
	// A client that takes nothing of an answer for untakenFor is cut off, and so is
	// one that takes less than pieceBytes in that time.
	untakenFor = 10 * time.Second
	pieceBytes = 128 << 10
)

// response holds the status back until the first byte of the body, so that a
// fault before it can still become a proper answer, and turns every error
// answer that is not a problem into one: those of net/http, huma and the
// WebSocket library come as plain text.
type response struct {
	inner    http.ResponseWriter
	status   int // as the handler said, 0 for not yet
	sent     bool
	hijacked bool
	replaced bool   // the handler's body is a plain-text error
	text     []byte // its start
	stuck    bool   // the client did not take the answer in time
	refused  string // the code of the problem that was answered
	unread   bool   // the request has a body that was not read to its end
}

// Header implements http.ResponseWriter.
func (r *response) Header() http.Header { return r.inner.Header() }

// WriteHeader implements http.ResponseWriter.
func (r *response) WriteHeader(status int) {
	if status < 200 && status != http.StatusSwitchingProtocols {
		r.inner.WriteHeader(status)
		return
	}
	if r.sent || r.hijacked || r.replaced {
		return
	}
	r.status = status
	r.replaced = status >= 400 && !strings.HasPrefix(r.Header().Get("Content-Type"), problemType)
}

// Write implements http.ResponseWriter.
func (r *response) Write(p []byte) (wrote int, err error) {
	if r.status == 0 {
		r.WriteHeader(http.StatusOK)
	}
	if r.replaced {
		r.text = append(r.text, p[:min(len(p), maxPlainText-len(r.text))]...)
		return len(p), nil
	}
	r.send()
	control := http.NewResponseController(r.inner)
	for {
		_ = control.SetWriteDeadline(time.Now().Add(untakenFor))
		n, err := r.inner.Write(p[:min(len(p), pieceBytes)])
		wrote += n
		if p = p[n:]; err != nil || len(p) == 0 {
			r.stuck = r.stuck || errors.Is(err, os.ErrDeadlineExceeded)
			return wrote, err
		}
	}
}

func (r *response) send() {
	if r.sent || r.hijacked {
		return
	}
	r.sent = true
	if r.status == 0 {
		r.status = http.StatusOK
	}
	r.inner.WriteHeader(r.status)
}

// Hijack implements http.Hijacker for the WebSocket upgrade.
func (r *response) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, rw, err := http.NewResponseController(r.inner).Hijack()
	if err == nil {
		r.hijacked, r.status = true, http.StatusSwitchingProtocols
	}
	return conn, rw, err
}

// Unwrap serves http.ResponseController.
func (r *response) Unwrap() http.ResponseWriter { return r.inner }

// fail answers with a problem. It reports false when it is too late for that.
func (r *response) fail(p *problem) bool {
	if r.sent || r.hijacked {
		return false
	}
	for _, name := range []string{"Content-Length", "Content-Encoding", "ETag", "Last-Modified", "Location"} {
		r.Header().Del(name)
	}
	r.bodyRefused()
	r.replaced, r.status, r.refused = false, p.Status, p.Code
	r.sent = true
	p.write(r.inner)
	return true
}

// finish sends what the handler left unsent.
func (r *response) finish() {
	switch {
	case r.sent || r.hijacked:
	case r.replaced:
		code := codeOf(r.status)
		detail := plain(string(r.text))
		switch {
		case code == codeNotFound:
			detail = "nothing is at this address; GET /openapi.json lists all addresses"
		case code == codeMethodNotAllowed:
			detail = "this address takes other methods: " + r.Header().Get("Allow")
		case code == codeInternal || detail == "":
			detail = http.StatusText(r.status)
		}
		p := newProblem(code, "%s", detail)
		p.Status = r.status
		r.fail(p)
	default:
		r.send()
	}
}
