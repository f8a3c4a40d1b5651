package server

import (
	"strconv"
	"strings"
)

// entityTag is the strong tag of a revision.
func entityTag(revision uint64) string { return `"` + strconv.FormatUint(revision, 10) + `"` }

// tags is what a conditional header names (RFC 9110, section 8.8.3).
type tags struct {
	any    bool
	strong []string // opaque parts without quotes
	weak   []string
}

// parseTags reads an If-Match or If-None-Match header: "*" or a list of entity
// tags.
func parseTags(header string) (tags, bool) {
	var t tags
	rest := strings.TrimSpace(header)
	if rest == "*" {
		t.any = true
		return t, true
	}
	for rest != "" {
		opaque, weak := strings.CutPrefix(rest, "W/")
		opaque, quoted := strings.CutPrefix(opaque, `"`)
		value, after, closed := strings.Cut(opaque, `"`)
		if !quoted || !closed {
			return tags{}, false
		}
		if weak {
			t.weak = append(t.weak, value)
		} else {
			t.strong = append(t.strong, value)
		}
		after = strings.TrimLeft(after, " \t")
		if after == "" {
			return t, true
		}
		next, comma := strings.CutPrefix(after, ",")
		rest = strings.TrimLeft(next, " \t,")
		if !comma {
			return tags{}, false
		}
	}
	return t, len(t.strong)+len(t.weak) > 0
}

// matches tells whether If-None-Match names the revision (weak comparison).
func (t tags) matches(revision uint64) bool {
	want := strconv.FormatUint(revision, 10)
	for _, list := range [][]string{t.strong, t.weak} {
		for _, tag := range list {
			if tag == want {
				return true
			}
		}
	}
	return t.any
}

// wantedRevision is the revision that an If-Match header demands, 0 for any.
// Of a list, the one that is current is demanded; when none is, the first, so
// that the fleet refuses it, or repeats the stored answer to an earlier request
// that has changed the revision itself.
func wantedRevision(header string, current uint64) (uint64, *problem) {
	if header == "" {
		return 0, nil
	}
	t, ok := parseTags(header)
	if !ok {
		return 0, newProblem(codeMalformedETag, "If-Match must be * or a list of entity tags such as %s", entityTag(17))
	}
	if t.any {
		return 0, nil
	}
	// A tag that no revision has, weak ones included, demands what never is.
	const never = 1<<64 - 1
	wanted := uint64(never)
	for i, tag := range t.strong {
		revision, err := strconv.ParseUint(tag, 10, 64)
		if err != nil || revision == 0 || strconv.FormatUint(revision, 10) != tag {
			continue
		}
		if revision == current {
			return revision, nil
		}
		if i == 0 {
			wanted = revision
		}
	}
	return wanted, nil
}
