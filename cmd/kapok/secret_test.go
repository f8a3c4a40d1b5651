package main

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// TestCommandsNeverPrintTheToken runs every command against nobody, against a
// page that is not Kapok and with a wrong token, and asks each for its help: the
// token stands in none of it, nor in a default of a flag.
func TestCommandsNeverPrintTheToken(t *testing.T) {
	const secret = "kpk_hush-that-nobody-may-see"
	stranger := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/v1/tasks" {
			w.WriteHeader(http.StatusUnauthorized)
			_, _ = w.Write([]byte(`{"code":"unauthenticated","title":"Who are you?","detail":"the token is not known"}`))
			return
		}
		_, _ = w.Write([]byte("<html>hello</html>"))
	}))
	defer stranger.Close()
	file := filepath.Join(t.TempDir(), "my.token")
	if err := os.WriteFile(file, []byte(secret+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	run := func(url, token string, args ...string) {
		t.Helper()
		env := func(name string) string { return map[string]string{"KAPOK_URL": url, "KAPOK_TOKEN": token}[name] }
		var out, talk bytes.Buffer
		runContext(t.Context(), args, console{in: strings.NewReader(""), out: &out, err: &talk, env: env})
		if text := out.String() + talk.String(); strings.Contains(text, "hush") || text == "" {
			t.Errorf("kapok %q with %s prints %q", args, url, text)
		}
	}
	var paths [][]string
	var walk func(cmd *cobra.Command, path []string)
	walk = func(cmd *cobra.Command, path []string) {
		if cmd.Runnable() {
			paths = append(paths, path)
		}
		for _, inner := range cmd.Commands() {
			walk(inner, append(path[:len(path):len(path)], inner.Name()))
		}
	}
	walk(newRoot(console{env: func(string) string { return secret }}), nil)
	for _, path := range paths {
		run(stranger.URL, secret, append(path, "--help")...)
		run(stranger.URL, secret, append(path, "--token", secret, "--no-such-flag")...)
	}
	for _, url := range []string{stranger.URL, "http://127.0.0.1:1", "http://me:hush@127.0.0.1:1", "http://127.0.0.1:1/?token=hush"} {
		for _, token := range []string{secret, file, secret + "\nX: y"} {
			for _, args := range [][]string{
				{"vehicles"},
				{"tasks"},
				{"tasks", "T1"},
				{"watch"},
				{"events"},
				{"export", "tracks"},
				{"vehicles", "-o", "geojson"},
				{"order", "visit", "--at", "1,1"},
				{"zones", "remove", "Z1"},
				{"incident", "report", "fire", "--at", "1,1"},
				{"command", "hold", "r1"},
				{"alerts", "ack", "A1"},
				{"emergency", "show"},
			} {
				run(url, token, args...)
			}
		}
	}
	if len(paths) < 40 {
		t.Errorf("only %d commands were found", len(paths))
	}
}
