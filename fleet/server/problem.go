package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/kapok-fleet/kapok/fleet/engine"
	"github.com/kapok-fleet/kapok/protocol"
	"github.com/kapok-fleet/kapok/protocol/api"
)

const (
	problemType = "application/problem+json"
	// maxFieldProblems bounds the faults that one answer lists.
	maxFieldProblems = 16
	// maxDetailBytes bounds what is said of one fault.
	maxDetailBytes = 1024
)

// problem is an error that becomes the answer of a request.
type problem struct {
	api.Problem
	headers http.Header
}

// newProblem makes the problem of a code, with its status and title from the
// table.
func newProblem(code, format string, args ...any) *problem {
	k, ok := kindOf(code)
	if !ok {
		k = kind{http.StatusInternalServerError, "A fault of the server"}
	}
	return &problem{Problem: api.Problem{
		Type: "urn:kapok:problem:" + code, Title: k.title, Status: k.status, Code: code,
		Detail: protocol.CleanText(fmt.Sprintf(format, args...), maxDetailBytes),
	}}
}

// with adds a header to the answer.
func (p *problem) with(name, value string) *problem {
	if p.headers == nil {
		p.headers = http.Header{}
	}
	p.headers.Set(name, value)
	return p
}

// about names the field at fault.
func (p *problem) about(field string) *problem {
	p.Field = field
	return p
}

// Error is the detail.
func (p *problem) Error() string { return p.Code + ": " + p.Detail }

// GetStatus makes a problem an error that huma answers with this status.
func (p *problem) GetStatus() int { return p.Status }

// GetHeaders are what huma adds to the answer.
func (p *problem) GetHeaders() http.Header { return p.headers }

// ContentType replaces the type that huma would send.
func (p *problem) ContentType(string) string { return problemType }

// write answers with the problem, whatever was prepared before. Through a
// response it also counts.
func (p *problem) write(w http.ResponseWriter) {
	if r, ok := w.(*response); ok {
		r.fail(p)
		return
	}
	for name, values := range p.headers {
		w.Header()[name] = values
	}
	// A problem holds nothing that JSON cannot express, and a client that is
	// gone needs no answer.
	body, _ := json.Marshal(p.Problem)
	body = append(body, '\n')
	w.Header().Set("Content-Type", problemType)
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(p.Status)
	_, _ = w.Write(body)
}

// codeOf is the code of an error answer that has only a status, as net/http,
// huma and the WebSocket library give them.
func codeOf(status int) string {
	switch status {
	case http.StatusUnauthorized:
		return codeUnauthenticated
	case http.StatusForbidden:
		return codeForbidden
	case http.StatusNotFound:
		return codeNotFound
	case http.StatusMethodNotAllowed:
		return codeMethodNotAllowed
	case http.StatusRequestTimeout:
		return codeRequestTimeout
	case http.StatusRequestEntityTooLarge:
		return codeBodyTooLarge
	case http.StatusRequestURITooLong:
		return codeURLTooLong
	case http.StatusTooManyRequests:
		return codeTooManyRequests
	case http.StatusUnsupportedMediaType:
		return codeUnsupportedMedia
	case http.StatusUnprocessableEntity:
		return codeInvalid
	case http.StatusUpgradeRequired:
		return codeUpgradeRequired
	case http.StatusServiceUnavailable:
		return codeUnavailable
	}
	if status >= 400 && status < 500 {
		return codeMalformedRequest
	}
	return codeInternal
}

// fromHuma turns huma's error into a problem. It is a transformer rather than a
// replacement of huma.NewError, which is a variable shared by the process.
// Nothing of what the client sent is repeated, and nothing of an inner error is
// told.
func fromHuma(ctx huma.Context, _ string, v any) (any, error) {
	var p *problem
	switch e := v.(type) {
	case *problem:
		p = e
	case *huma.ErrorModel:
		p = problemOf(e)
	default:
		return v, nil
	}
	requestOf(ctx.Context()).refused = p.Code
	return p.Problem, nil
}

func problemOf(e *huma.ErrorModel) *problem {
	code := codeOf(e.Status)
	if code == codeInternal {
		return newProblem(codeInternal, "the request could not be answered; the server's log says more")
	}
	if e.Status == http.StatusBadRequest {
		code = codeMalformedJSON
	}
	p := newProblem(code, "%s", e.Detail)
	p.Status = e.Status
	for i, d := range e.Errors {
		if d == nil {
			continue
		}
		detail := protocol.CleanText(d.Message, maxDetailBytes)
		if i == 0 {
			p.Detail, p.Field = detail, d.Location
			if d.Location != "" {
				p.Detail = d.Location + ": " + detail
			}
		}
		if len(e.Errors) > 1 && len(p.Errors) < maxFieldProblems {
			p.Errors = append(p.Errors, api.FieldProblem{Field: d.Location, Detail: detail})
		}
	}
	if code == codeUnsupportedMedia {
		p.Detail, p.Field = "send the body with Content-Type: application/json", ""
	}
	return p
}

// fromEngine turns an error of the engine into a problem.
func fromEngine(err error) *problem {
	switch {
	case errors.Is(err, engine.ErrUnavailable):
		return newProblem(codeUnavailable, "the fleet is being reopened from its record; try again shortly").with("Retry-After", "1")
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return newProblem(codeAnswerLate, "the request may still be carried out; repeat it with the same Idempotency-Key to learn what became of it").with("Retry-After", "1")
	}
	return nil
}

// plain removes what a plain-text error answer says beside its words.
func plain(text string) string {
	return strings.TrimSpace(strings.ToValidUTF8(text, "?"))
}
