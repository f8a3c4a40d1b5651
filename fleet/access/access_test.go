package access_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/kapok-fleet/kapok/fleet/access"
)

var noon = time.Date(2026, 5, 4, 12, 0, 0, 123, time.FixedZone("CST", 8*3600))

// chance is a stand-in for a random source: a different block for each number.
func chance(number int) *bytes.Reader {
	return bytes.NewReader(bytes.Repeat([]byte{byte(number)}, 32))
}

func openStore(t *testing.T, path string) *access.Store {
	t.Helper()
	store, err := access.OpenStore(path)
	if err != nil {
		t.Fatalf("OpenStore: %v", err)
	}
	return store
}

func create(t *testing.T, store *access.Store, token access.Token, number int) string {
	t.Helper()
	secret, err := store.Create(token, noon, chance(number))
	if err != nil {
		t.Fatalf("Create %s: %v", token.Name, err)
	}
	return secret
}

func TestATokenLivesFromCreationToRevocation(t *testing.T) {
	path := filepath.Join(t.TempDir(), "tokens.yaml")
	editor, server := openStore(t, path), openStore(t, path)

	secret := create(t, editor, access.Token{Name: "rover-7", Role: access.Vehicle, Fleet: "harbour", Vehicle: "r7"}, 1)
	if !strings.HasPrefix(secret, "kpk_") || len(secret) != 47 {
		t.Errorf("secret is %q, want kpk_ and 43 characters", secret)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(content), secret[4:]) {
		t.Error("the file holds the secret")
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("file has mode %v, %v, want 0600", info.Mode(), err)
	}

	if _, ok := server.Lookup(secret); ok {
		t.Error("the server knows a token before it reloads")
	}
	if changed, err := server.Reload(); !changed || err != nil {
		t.Fatalf("Reload: %v, %v, want a change", changed, err)
	}
	if changed, err := server.Reload(); changed || err != nil {
		t.Fatalf("Reload again: %v, %v, want no change", changed, err)
	}
	token, ok := server.Lookup(secret)
	if !ok || token.Name != "rover-7" || token.Fleet != "harbour" || token.Created.Format(time.RFC3339) != "2026-05-04T04:00:00Z" {
		t.Errorf("Lookup: %+v, %v", token, ok)
	}
	if !token.MayLink("r7") || token.MayLink("r8") || !token.Reaches("harbour") || token.Reaches("campus") {
		t.Error("the token is not bound to its vehicle and fleet")
	}

	if err := editor.Revoke("rover-7"); err != nil {
		t.Fatal(err)
	}
	if changed, err := server.Reload(); !changed || err != nil {
		t.Fatalf("Reload: %v, %v, want a change", changed, err)
	}
	if _, ok := server.Lookup(secret); ok {
		t.Error("a revoked token is still good")
	}
	if err := editor.Revoke("rover-7"); !errors.Is(err, access.ErrUnknown) {
		t.Errorf("revoking it twice: %v, want ErrUnknown", err)
	}
}

func TestOnlyTheWholeSecretIsGood(t *testing.T) {
	store := openStore(t, filepath.Join(t.TempDir(), "tokens.yaml"))
	secret := create(t, store, access.Token{Name: "ops", Role: access.Admin}, 1)
	create(t, store, access.Token{Name: "desk", Role: access.Dispatcher}, 2)
	for at := range len(secret) {
		wrong := []byte(secret)
		wrong[at] ^= 1
		for _, guess := range []string{string(wrong), secret[:at], secret[at+1:]} {
			if token, ok := store.Lookup(guess); ok {
				t.Errorf("%q passes as %s", guess, token.Name)
			}
		}
	}
	if token, ok := store.Lookup(secret); !ok || token.Name != "ops" {
		t.Errorf("the secret itself: %+v, %v", token, ok)
	}
}

func TestTwoEditorsKeepEachOthersTokens(t *testing.T) {
	path := filepath.Join(t.TempDir(), "tokens.yaml")
	one, two := openStore(t, path), openStore(t, path)
	create(t, one, access.Token{Name: "b", Role: access.Viewer}, 1)
	create(t, two, access.Token{Name: "a", Role: access.Simulator, Fleet: "harbour"}, 2)
	_, err := one.Create(access.Token{Name: "a", Role: access.Viewer}, noon, chance(3))
	if !errors.Is(err, access.ErrExists) {
		t.Errorf("a name used by the other: %v, want ErrExists", err)
	}
	list := openStore(t, path).List()
	if len(list) != 2 || list[0].Name != "a" || list[1].Name != "b" {
		t.Errorf("List: %+v, want a and b", list)
	}
	if names, err := os.ReadDir(filepath.Dir(path)); err != nil || len(names) != 1 {
		t.Errorf("the directory holds %v, %v, want one file", names, err)
	}
}

func TestAnExposedOrSpoiledFileIsRefusedAndTheOldTokensStay(t *testing.T) {
	path := filepath.Join(t.TempDir(), "tokens.yaml")
	store := openStore(t, path)
	secret := create(t, store, access.Token{Name: "ops", Role: access.Admin}, 1)
	for _, mode := range []os.FileMode{0o644, 0o640, 0o660, 0o602} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		_, err := access.OpenStore(path)
		if !errors.Is(err, access.ErrExposed) || !strings.Contains(err.Error(), "chmod 600 "+path) {
			t.Errorf("mode %04o: %v, want ErrExposed and what to do", mode, err)
		}
		if _, err := store.Reload(); !errors.Is(err, access.ErrExposed) {
			t.Errorf("Reload with mode %04o: %v, want ErrExposed", mode, err)
		}
	}
	if err := os.Chmod(path, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("version: 1\ntokens: [{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Reload(); err == nil {
		t.Error("a spoiled file was read")
	}
	if _, err := store.Create(access.Token{Name: "new", Role: access.Viewer}, noon, chance(2)); err == nil {
		t.Error("a spoiled file was overwritten")
	}
	if _, ok := store.Lookup(secret); !ok {
		t.Error("the tokens read before are gone")
	}
}

func TestWhatAFileMayNotSay(t *testing.T) {
	sum := strings.Repeat("ab", 32)
	entry := func(name, role, more string) string {
		return fmt.Sprintf("  - {name: %s, role: %s, created: 2026-01-02T03:04:05Z, sha256: %s%s}\n", name, role, sum, more)
	}
	tests := []struct{ content, want string }{
		{"", "empty"},
		{"version: 2\ntokens: []\n", "version 2"},
		{"tokens: []\n", "version 0"},
		{"version: 1\ntoken: []\n", "unknown field"},
		{"version: 1\nversion: 1\n", "already defined"},
		{"version: 1\ntokens:\n" + entry("ops", "king", ""), `no role "king"`},
		{"version: 1\ntokens:\n" + entry("ops", "admin", ", scope: all"), "unknown field"},
		{"version: 1\ntokens:\n" + entry("OPS", "admin", ""), `token name "OPS"`},
		{"version: 1\ntokens:\n" + entry("ops", "admin", ", vehicle: r1"), "not bound to a vehicle"},
		{"version: 1\ntokens:\n" + entry("r1", "vehicle", ", fleet: f"), "needs a fleet and a vehicle"},
		{"version: 1\ntokens:\n" + entry("s1", "simulator", ""), "needs a fleet"},
		{"version: 1\ntokens:\n" + entry("s1", "simulator", ", fleet: f, vehicle: r1"), "any vehicle"},
		{"version: 1\ntokens:\n" + entry("a", "admin", "") + entry("b", "admin", ""), "same secret"},
		{"version: 1\ntokens:\n" + entry("a", "admin", "") + strings.Replace(entry("a", "admin", ""), "ab", "cd", 1), "twice"},
		{"version: 1\ntokens:\n  - {name: a, role: admin, created: 2026-01-02T03:04:05Z, sha256: abcd}\n", "64 hexadecimal"},
		{"version: 1\ntokens:\n  - {name: a, role: admin, created: yesterday, sha256: " + sum + "}\n", "yesterday"},
		{"version: 1\ntokens:\n" + entry("r1", "vehicle", ", fleet: f, vehicle: a b"), `"a b" is no id`},
		{"version: 1\ntokens:\n" + entry("r1", "vehicle", ", fleet: f, vehicle: a/b"), `"a/b" is no id`},
		{"version: 1\ntokens:\n" + entry("r1", "vehicle", ", vehicle: r1, fleet: "+strings.Repeat("f", 65)), "is no id"},
		{"version: 1\ntokens:\n" + entry("ops", "admin", "") + "spoiled\n", ":4:1: "},
		{"version: 1\ntokens: []\n---\nversion: 1\n", "more than one document"},
	}
	for _, test := range tests {
		path := filepath.Join(t.TempDir(), "tokens.yaml")
		if err := os.WriteFile(path, []byte(test.content), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := access.OpenStore(path)
		if err == nil || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), path) {
			t.Errorf("%q: %v, want an error with %q and the path", test.content, err, test.want)
		}
		if err != nil && (strings.Contains(err.Error(), "\n") || strings.Contains(err.Error(), sum)) {
			t.Errorf("%q: %v, want one line without the file's hashes", test.content, err)
		}
	}
}

func TestWhatCreateRefuses(t *testing.T) {
	path := filepath.Join(t.TempDir(), "tokens.yaml")
	store := openStore(t, path)
	if _, err := store.Create(access.Token{Name: "v", Role: access.Vehicle, Fleet: "f"}, noon, chance(1)); err == nil {
		t.Error("a vehicle's token without a vehicle was created")
	}
	if _, err := store.Create(access.Token{Name: "v", Role: access.Viewer}, noon, strings.NewReader("too little")); err == nil {
		t.Error("a token was created from too little chance")
	}
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a refused token left a file: %v", err)
	}
}

func TestRoles(t *testing.T) {
	actions := []access.Action{access.ViewAll, access.Dispatch, access.Administer, access.Link}
	want := map[access.Role]string{
		access.Viewer:     "[true false false false]",
		access.Dispatcher: "[true true false false]",
		access.Admin:      "[true true true false]",
		access.Vehicle:    "[false false false true]",
		access.Simulator:  "[false false false true]",
		"nobody":          "[false false false false]",
	}
	for role, may := range want {
		got := make([]bool, len(actions))
		for i, action := range actions {
			got[i] = access.Can(role, action)
		}
		if fmt.Sprint(got) != may {
			t.Errorf("%s may view, dispatch, administer, link: %v, want %s", role, got, may)
		}
	}
	if len(access.Roles()) != len(want)-1 {
		t.Errorf("Roles lists %v", access.Roles())
	}
	simulator := access.Token{Role: access.Simulator, Fleet: "f"}
	viewer := access.Token{Role: access.Viewer}
	if !simulator.MayLink("any") || simulator.MayLink("") || viewer.MayLink("any") {
		t.Error("a simulator links as any vehicle, a viewer as none")
	}
}

func FuzzTokenFile(f *testing.F) {
	path := filepath.Join(f.TempDir(), "seed.yaml")
	store, err := access.OpenStore(path)
	if err != nil {
		f.Fatal(err)
	}
	if _, err := store.Create(access.Token{Name: "ops", Role: access.Admin}, noon, chance(1)); err != nil {
		f.Fatal(err)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(content)
	f.Add([]byte("version: 1\ntokens: [{}]"))
	f.Fuzz(func(t *testing.T, content []byte) {
		path := filepath.Join(t.TempDir(), "tokens.yaml")
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		store, err := access.OpenStore(path)
		if err != nil {
			return
		}
		for _, token := range store.List() {
			if err := token.Validate(); err != nil {
				t.Errorf("an invalid token was read: %v", err)
			}
		}
	})
}
