package client

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"

	"github.com/kapok-fleet/kapok/protocol/api"
)

// secret is the token of these tests; no error may hold it.
const secret = "kpk_hush-that-nobody-may-see"

// silent demands an error that does not tell the secret.
func silent(t *testing.T, what string, err error) {
	t.Helper()
	if err == nil {
		t.Errorf("%s: no error", what)
		return
	}
	if strings.Contains(err.Error(), "hush") {
		t.Errorf("%s: the error tells the secret: %v", what, err)
	}
}

// TestAddressesWithSecrets are refused, without repeating them.
func TestAddressesWithSecrets(t *testing.T) {
	for _, address := range []string{
		"http://me:hush@127.0.0.1:8080", "http://hush@127.0.0.1:8080", "https://127.0.0.1/?token=hush", "http://127.0.0.1/#hush",
		"ftp://me:hush@there", "me:hush@there", "http://me:hush%ush@there:hush",
	} {
		_, err := New(address, "token")
		silent(t, address, err)
	}
	for _, token := range []string{"hush\n", "hush\r\nX-Admin: yes", "hush hush", "hush\x00", "húsh-hush"} {
		_, err := New("http://127.0.0.1:8080", token)
		silent(t, fmt.Sprintf("token %q", token), err)
	}
}

// TestTheTokenGoesNowhereElse: neither a redirection nor an error carries it.
func TestTheTokenGoesNowhereElse(t *testing.T) {
	var stolen []string
	thief := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		stolen = append(stolen, r.Header.Get("Authorization"))
	}))
	defer thief.Close()
	for _, status := range []int{301, 302, 303, 307, 308} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, thief.URL+r.URL.Path, status)
		}))
		k, err := New(server.URL, secret)
		if err != nil {
			t.Fatal(err)
		}
		_, err = k.Task(t.Context(), "T1")
		silent(t, "a task", err)
		if !strings.Contains(fmt.Sprint(err), thief.URL) {
			t.Errorf("status %d: %v does not name the address", status, err)
		}
		_, err = k.Order(t.Context(), "key", api.Order{})
		silent(t, "an order", err)
		_, err = k.Download(t.Context(), "/v1/tracks", nil, io.Discard)
		silent(t, "a download", err)
		_, err = k.Stream(t.Context(), StreamOptions{})
		silent(t, "a stream", err)
		k.Close()
		server.Close()
	}
	if len(stolen) > 0 {
		t.Errorf("the other address was asked with %q", stolen)
	}
	k, err := New("http://127.0.0.1:1", secret)
	if err != nil {
		t.Fatal(err)
	}
	_, err = k.Task(t.Context(), "T1")
	silent(t, "nobody there", err)
	_, err = k.Stream(t.Context(), StreamOptions{})
	silent(t, "no stream there", err)
}

// TestListsThatNeverEnd end with an error, not with the memory.
func TestListsThatNeverEnd(t *testing.T) {
	asked := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked++
		if r.URL.Path == "/v1/events" {
			// Longer than any answer that is read.
			w.Header().Set("Content-Type", "application/json")
			piece := bytes.Repeat([]byte(" "), 1<<20)
			for range maxAnswerBytes>>20 + 2 {
				if _, err := w.Write(piece); err != nil {
					return
				}
			}
			return
		}
		fmt.Fprint(w, `{"items":[{"id":"T1"}],"features":[{}],"next_cursor":"again"}`)
	}))
	defer server.Close()
	k, err := New(server.URL, secret)
	if err != nil {
		t.Fatal(err)
	}
	defer k.Close()
	_, err = k.Tasks(t.Context(), nil)
	silent(t, "a list", err)
	_, err = k.GeoJSON(t.Context(), "/v1/tasks", nil)
	silent(t, "features", err)
	_, err = k.Events(t.Context(), nil)
	silent(t, "a long answer", err)
	if asked > 5 {
		t.Errorf("%d requests", asked)
	}
}

// FuzzAnswer: whatever a server answers, there is a value or an error of a kind
// that the commands know, in words that are not longer than the answer and some.
func FuzzAnswer(f *testing.F) {
	f.Add(200, []byte(`{"items":[{"id":"T1","stops":[{"position":{"lon":1,"lat":2}}]}],"next_cursor":"x"}`))
	f.Add(404, []byte(`{"code":"task_not_found","title":"There is no such task","detail":"there is no task \"T9\"","status":200}`))
	f.Add(422, []byte(`{"code":"invalid","detail":"d","field":"body.x","errors":[{"field":"a","detail":"b"},{}]}`))
	f.Add(307, []byte(``))
	f.Add(500, []byte(`<html>`))
	f.Add(200, []byte(`{"items":null}`))
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		response := &http.Response{StatusCode: status, Header: http.Header{"Location": {"http://elsewhere"}}}
		var answer api.List[api.Task]
		err := read(response, body, "/v1/tasks", &answer)
		problem, refused := errors.AsType[*ProblemError](err)
		switch {
		case status >= 300 && (!refused || problem.Status != status || problem.Code == ""):
			t.Errorf("status %d: %v", status, err)
		case status < 300 && refused:
			t.Errorf("status %d is taken for a refusal: %v", status, err)
		case err == nil && !json.Valid(body):
			t.Errorf("%q is taken for a list", body)
		case err != nil && len(err.Error()) > 4*len(body)+256:
			t.Errorf("an error of %d bytes for an answer of %d", len(err.Error()), len(body))
		}
	})
}

// FuzzStreamFrame: whatever frame comes, exactly one thing is read of it, or it
// is unknown, or an error; what is read is the same after writing it again.
func FuzzStreamFrame(f *testing.F) {
	for _, seed := range []string{
		`{"type":"snapshot","index":7,"more":true,"vehicles":[{"id":"r1","position":{"lon":1,"lat":2,"altitude_m":3}}]}`,
		`{"type":"resumed","index":7}`, `{"type":"events","index":8,"events":[{"event":{"index":8,"type":"task_ordered"},"task":{"id":"T1"}}]}`,
		`{"type":"positions","vehicles":[{"id":"r1"}]}`, `{"type":"later"}`, `{"type":7}`, `[]`, `null`, `{"type":"events","events":null}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		frame, known, err := readFrame(data)
		parts := reflect.ValueOf(frame)
		set := 0
		for i := range parts.NumField() {
			if !parts.Field(i).IsNil() {
				set++
			}
		}
		if (err != nil || !known) != (set == 0) || set > 1 {
			t.Fatalf("%q: %d parts are set, known %v, error %v", data, set, known, err)
		}
		if err != nil || !known {
			return
		}
		for i := range parts.NumField() {
			if parts.Field(i).IsNil() {
				continue
			}
			first, err := json.Marshal(parts.Field(i).Interface())
			if err != nil {
				t.Fatalf("what was read of %q cannot be written: %v", data, err)
			}
			again, _, err := readFrame(first)
			if err != nil {
				t.Fatalf("%q cannot be read again: %v", first, err)
			}
			second, err := json.Marshal(reflect.ValueOf(again).Field(i).Interface())
			if err != nil || !bytes.Equal(first, second) {
				t.Fatalf("written as %q and then %q, %v", first, second, err)
			}
		}
	})
}
