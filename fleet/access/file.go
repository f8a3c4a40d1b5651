package access

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml"

	"github.com/kapok-fleet/kapok/planner/strictyaml"
)

const (
	fileVersion  = 1
	maxFileBytes = 16 << 20
	fileComment  = "# Access tokens of Kapok, by their SHA-256. Edit with: kapok token\n"
)

// tokenFile is the file's form.
type tokenFile struct {
	Version int          `yaml:"version"`
	Tokens  []tokenEntry `yaml:"tokens"`
}

type tokenEntry struct {
	Name    string `yaml:"name"`
	Role    Role   `yaml:"role"`
	Fleet   string `yaml:"fleet,omitempty"`
	Vehicle string `yaml:"vehicle,omitempty"`
	Created string `yaml:"created"` // RFC 3339
	SHA256  string `yaml:"sha256"`
}

// fileState tells one content of the file from another without reading it.
type fileState struct{ info fs.FileInfo } // nil when there is no file

func (s fileState) same(other fileState) bool {
	if s.info == nil || other.info == nil {
		return s.info == nil && other.info == nil
	}
	return os.SameFile(s.info, other.info) && s.info.Size() == other.info.Size() &&
		s.info.Mode() == other.info.Mode() && s.info.ModTime().Equal(other.info.ModTime())
}

func statFile(path string) (fileState, error) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return fileState{}, nil
	}
	if err != nil {
		return fileState{}, fmt.Errorf("looking at the token file: %w", err)
	}
	return fileState{info}, nil
}

// readFile returns the tokens by name. A missing file has none.
func readFile(path string) (tokens []Token, state fileState, err error) {
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fileState{}, nil
	}
	if err != nil {
		return nil, fileState{}, fmt.Errorf("opening the token file: %w", err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	info, err := file.Stat()
	if err != nil {
		return nil, fileState{}, fmt.Errorf("looking at the token file: %w", err)
	}
	switch {
	case !info.Mode().IsRegular():
		return nil, fileState{}, fmt.Errorf("reading token file %s: it is not a regular file", path)
	case info.Mode().Perm()&0o077 != 0:
		return nil, fileState{}, fmt.Errorf("reading token file %s with mode %04o: %w (chmod 600 %s)",
			path, info.Mode().Perm(), ErrExposed, path)
	case info.Size() > maxFileBytes:
		return nil, fileState{}, fmt.Errorf("reading token file %s: it has %d bytes, more than %d", path, info.Size(), maxFileBytes)
	}
	tokens, err = parseFile(io.LimitReader(file, maxFileBytes))
	if e, ok := errors.AsType[*strictyaml.Error](err); ok {
		// Its text would quote the file, with what is secret in it.
		return nil, fileState{}, fmt.Errorf("reading token file %s: %s", e.Place.Of(path), e.Message)
	}
	if err != nil {
		return nil, fileState{}, fmt.Errorf("reading token file %s: %w", path, err)
	}
	return tokens, fileState{info}, nil
}

// parseFile refuses unknown keys, duplicate names and whatever Validate refuses.
func parseFile(r io.Reader) ([]Token, error) {
	var content tokenFile
	data, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	if strictyaml.Empty(data) {
		return nil, errors.New("it is empty")
	}
	if err := strictyaml.Unmarshal(data, &content); err != nil {
		return nil, err
	}
	if strictyaml.Documents(data) > 1 {
		return nil, errors.New("it has more than one document")
	}
	switch {
	case content.Version != fileVersion:
		return nil, fmt.Errorf("it has version %d; this program reads version %d", content.Version, fileVersion)
	case len(content.Tokens) > MaxTokens:
		return nil, fmt.Errorf("it has %d tokens, more than %d", len(content.Tokens), MaxTokens)
	}
	tokens := make([]Token, 0, len(content.Tokens))
	hashes := make(map[hash]string, len(content.Tokens))
	for _, entry := range content.Tokens {
		token, err := entry.token()
		if err != nil {
			return nil, err
		}
		if other, taken := hashes[token.hash]; taken {
			return nil, fmt.Errorf("tokens %s and %s are the same secret", other, token.Name)
		}
		hashes[token.hash] = token.Name
		tokens = append(tokens, token)
	}
	slices.SortFunc(tokens, func(a, b Token) int { return strings.Compare(a.Name, b.Name) })
	for i := range len(tokens) - 1 {
		if tokens[i].Name == tokens[i+1].Name {
			return nil, fmt.Errorf("token %s is there twice", tokens[i].Name)
		}
	}
	return tokens, nil
}

func (e tokenEntry) token() (Token, error) {
	token := Token{Name: e.Name, Role: e.Role, Fleet: e.Fleet, Vehicle: e.Vehicle}
	if err := token.Validate(); err != nil {
		return Token{}, err
	}
	created, err := time.Parse(time.RFC3339, e.Created)
	if err != nil {
		return Token{}, fmt.Errorf("token %s: created: %w", e.Name, err)
	}
	token.Created = created.UTC()
	sum, err := hex.DecodeString(e.SHA256)
	if err != nil || len(sum) != len(token.hash) {
		return Token{}, fmt.Errorf("token %s: sha256 is not %d hexadecimal digits", e.Name, 2*len(token.hash))
	}
	copy(token.hash[:], sum)
	return token, nil
}

// writeFile replaces the file atomically and durably, with mode 0600.
func writeFile(path string, tokens []Token) (state fileState, err error) {
	content := tokenFile{Version: fileVersion, Tokens: make([]tokenEntry, len(tokens))}
	for i, t := range tokens {
		content.Tokens[i] = tokenEntry{
			Name: t.Name, Role: t.Role, Fleet: t.Fleet, Vehicle: t.Vehicle,
			Created: t.Created.Format(time.RFC3339), SHA256: hex.EncodeToString(t.hash[:]),
		}
	}
	text, err := yaml.Marshal(content)
	if err != nil {
		return fileState{}, fmt.Errorf("encoding token file %s: %w", path, err)
	}
	dir := filepath.Dir(path)
	// CreateTemp makes the file with mode 0600.
	file, err := os.CreateTemp(dir, filepath.Base(path)+".*.tmp")
	if err != nil {
		return fileState{}, fmt.Errorf("writing token file %s: %w", path, err)
	}
	_, err = file.Write(append([]byte(fileComment), text...))
	err = errors.Join(err, file.Sync(), file.Close())
	if err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		return fileState{}, fmt.Errorf("writing token file %s: %w", path, errors.Join(err, os.Remove(file.Name())))
	}
	if err := syncDir(dir); err != nil {
		return fileState{}, fmt.Errorf("making token file %s durable: %w", path, err)
	}
	return statFile(path)
}

func syncDir(dir string) error {
	handle, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(handle.Sync(), handle.Close())
}
