package access

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	secretPrefix = "kpk_"
	secretBytes  = 32
	// MaxTokens limits a token file; one more is refused.
	MaxTokens = 20_000
)

// The kinds of failure a caller tells apart with errors.Is.
var (
	// ErrExists says that a token of this name exists already.
	ErrExists = errors.New("a token of this name exists already")
	// ErrUnknown says that there is no token of this name.
	ErrUnknown = errors.New("there is no token of this name")
	// ErrExposed says that others than the owner may read or write the file.
	ErrExposed = errors.New("the token file is open to others than its owner")
)

type hash [sha256.Size]byte

// Store holds the tokens of one file. It is safe for use by several goroutines;
// it expects that only one process at a time edits the file.
type Store struct {
	path string

	mu     sync.RWMutex
	file   fileState
	tokens []Token // sorted by name
	byHash map[hash]int
}

// OpenStore reads the tokens of a file. A missing file is an empty store, and
// is created with the first token. A file that others may read is refused with
// ErrExposed.
func OpenStore(path string) (*Store, error) {
	s := &Store{path: path}
	if err := s.load(); err != nil {
		return nil, err
	}
	return s, nil
}

// Reload reads the file again if it has changed since it was last read (another
// file, size or time of change), and reports whether it did. On an error the
// tokens stay as they were. A file that was removed leaves no tokens.
//
// While nothing has changed it holds nobody up who looks a token up.
func (s *Store) Reload() (changed bool, err error) {
	if same, err := s.current(); same || err != nil {
		return false, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	// Somebody else may have read it meanwhile.
	state, err := statFile(s.path)
	if err != nil || state.same(s.file) {
		return false, err
	}
	return true, s.load()
}

// current tells whether the file is the one that was read.
func (s *Store) current() (bool, error) {
	state, err := statFile(s.path)
	if err != nil {
		return false, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	return state.same(s.file), nil
}

// load needs the write lock, or a store that nobody else knows.
func (s *Store) load() error {
	tokens, state, err := readFile(s.path)
	if err != nil {
		return err
	}
	s.set(tokens, state)
	return nil
}

func (s *Store) set(tokens []Token, state fileState) {
	s.tokens, s.file = tokens, state
	s.byHash = make(map[hash]int, len(tokens))
	for i, token := range tokens {
		s.byHash[token.hash] = i
	}
}

// Create adds a token and returns its secret, which is kept nowhere. Of the
// token it takes name, role, fleet and vehicle. The random source must be one
// fit for secrets. It reads the file first, so edits by others are kept.
func (s *Store) Create(token Token, now time.Time, random io.Reader) (secret string, err error) {
	if err := token.Validate(); err != nil {
		return "", err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.load(); err != nil {
		return "", err
	}
	at, exists := s.find(token.Name)
	switch {
	case exists:
		return "", fmt.Errorf("creating token %s in %s: %w", token.Name, s.path, ErrExists)
	case len(s.tokens) >= MaxTokens:
		return "", fmt.Errorf("creating token %s in %s: it has %d tokens, the most there may be", token.Name, s.path, MaxTokens)
	}
	raw := make([]byte, secretBytes)
	if _, err := io.ReadFull(random, raw); err != nil {
		return "", fmt.Errorf("creating token %s: reading random bytes: %w", token.Name, err)
	}
	secret = secretPrefix + base64.RawURLEncoding.EncodeToString(raw)
	token.hash = sha256.Sum256([]byte(secret))
	token.Created = now.UTC().Truncate(time.Second)
	return secret, s.replace(slices.Insert(slices.Clone(s.tokens), at, token))
}

// Revoke removes a token. A process that has the file open notices at its next
// Reload.
func (s *Store) Revoke(name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.load(); err != nil {
		return err
	}
	at, exists := s.find(name)
	if !exists {
		return fmt.Errorf("revoking token %s in %s: %w", name, s.path, ErrUnknown)
	}
	return s.replace(slices.Delete(slices.Clone(s.tokens), at, at+1))
}

func (s *Store) replace(tokens []Token) error {
	state, err := writeFile(s.path, tokens)
	if err != nil {
		return err
	}
	s.set(tokens, state)
	return nil
}

func (s *Store) find(name string) (at int, exists bool) {
	return slices.BinarySearchFunc(s.tokens, name, func(token Token, name string) int {
		return strings.Compare(token.Name, name)
	})
}

// List returns all tokens by name. The slice belongs to the caller.
func (s *Store) List() []Token {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return slices.Clone(s.tokens)
}

// Lookup returns the token of a secret, and false for none. How long it takes
// depends on no stored secret: the search goes by the hash of what was given,
// which a guesser cannot steer, and the final comparison takes constant time.
func (s *Store) Lookup(secret string) (Token, bool) {
	if !WellFormed(secret) {
		return Token{}, false
	}
	given := hash(sha256.Sum256([]byte(secret)))
	s.mu.RLock()
	defer s.mu.RUnlock()
	at, ok := s.byHash[given]
	if !ok || subtle.ConstantTimeCompare(s.tokens[at].hash[:], given[:]) != 1 {
		return Token{}, false
	}
	return s.tokens[at], true
}

// WellFormed tells whether a text has the form of a secret. What has not cannot
// be one, now or later.
func WellFormed(secret string) bool {
	return len(secret) == len(secretPrefix)+base64.RawURLEncoding.EncodedLen(secretBytes) && strings.HasPrefix(secret, secretPrefix)
}
