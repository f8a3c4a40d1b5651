package server

import (
	"cmp"
	"encoding/base64"
	"slices"
	"sort"
	"strings"
)

// The sizes of a page.
const (
	defaultLimit = 100
	maxLimit     = 1000
)

// Page is what every list takes. (Its name is exported because huma ignores
// inputs in an embedded struct with a lower-case name.)
type Page struct {
	Limit  int    `query:"limit" minimum:"1" maximum:"1000" default:"100" doc:"At most so many items."`
	Cursor string `query:"cursor" maxLength:"256" doc:"From next_cursor of the page before."`
}

// shortlex orders ids given out from counters by number, and all others by
// length and then by bytes.
func shortlex(a, b string) int {
	return cmp.Or(cmp.Compare(len(a), len(b)), strings.Compare(a, b))
}

// page picks the ids of one page: those behind the cursor's, in order. The
// cursor names an id and not a position, so that what comes and goes between
// two pages neither repeats nor hides the rest.
func page(ids []string, p Page) (picked []string, next string, bad *problem) {
	slices.SortFunc(ids, shortlex)
	from := 0
	if p.Cursor != "" {
		last, err := base64.RawURLEncoding.DecodeString(p.Cursor)
		if err != nil {
			return nil, "", newProblem(codeMalformedCursor, "cursor must be a next_cursor of this list").about("query.cursor")
		}
		from = sort.Search(len(ids), func(i int) bool { return shortlex(ids[i], string(last)) > 0 })
	}
	limit := p.Limit
	if limit < 1 || limit > maxLimit {
		limit = defaultLimit
	}
	picked = ids[from:min(from+limit, len(ids))]
	if from+limit < len(ids) {
		next = base64.RawURLEncoding.EncodeToString([]byte(picked[len(picked)-1]))
	}
	return picked, next, nil
}

// oneOf tells whether a comma-separated filter admits a value; an empty one
// admits all.
func oneOf[T ~string](filter []string, value T) bool {
	return len(filter) == 0 || slices.Contains(filter, string(value))
}
