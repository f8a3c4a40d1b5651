package server

import (
	"regexp"
	"slices"
	"strings"
	"testing"
)

// promToken is a piece of an expression of Prometheus: a name, a text, a number
// (also a span of time or a variable of Grafana), or a sign.
var promToken = regexp.MustCompile(`"(?:[^"\\]|\\.)*"|'[^']*'|[a-zA-Z_:][a-zA-Z0-9_:]*|\$[a-zA-Z_]+|[0-9.]+[a-z]*|[=!<>]=|[=!]~|\S`)

// checkExpression demands of an expression that every metric in it is in the
// scrape, and every label one that the metric has, and returns the metrics. It
// knows as much of the language as the dashboard and the rules use.
func checkExpression(t *testing.T, where, expr string, scraped map[string]*family) (names []string) {
	t.Helper()
	tokens := append(promToken.FindAllString(expr, -1), "")
	isName := func(s string) bool { return s != "" && (s[0] == '_' || s[0]|0x20 >= 'a' && s[0]|0x20 <= 'z') }
	labels := map[string]bool{"instance": true, "job": true}
	var grouped []string
	for i := 0; i < len(tokens)-1; i++ {
		word, next := tokens[i], tokens[i+1]
		switch {
		case !isName(word):
		case slices.Contains([]string{"by", "without", "on", "ignoring", "group_left", "group_right"}, word) && next == "(":
			for i += 2; tokens[i] != ")" && i < len(tokens)-1; i++ {
				if isName(tokens[i]) {
					grouped = append(grouped, tokens[i])
				}
			}
		case slices.Contains([]string{"and", "or", "unless", "bool", "by", "without", "offset"}, word):
		case next == "(" || next == "by":
			if !slices.Contains([]string{"sum", "min", "max", "avg", "count", "topk", "rate", "increase", "changes", "histogram_quantile", "avg_over_time"}, word) {
				t.Errorf("%s: the function %s is not known to this test", where, word)
			}
		default:
			f := scraped[baseName(word, scraped)]
			if word == "up" {
				f = &family{kind: "gauge"} // Prometheus makes it itself.
			}
			if f == nil || f.kind == "histogram" && baseName(word, scraped) == word {
				t.Errorf("%s: there is no metric %s, in %s", where, word, expr)
				break
			}
			names = append(names, baseName(word, scraped))
			if f.kind == "histogram" && strings.HasSuffix(word, "_bucket") {
				labels["le"] = true
			}
			for label := range f.labels {
				labels[label] = true
			}
			if next == "{" {
				i = checkMatchers(t, where, tokens, i+2, f)
			}
		}
	}
	if len(names) == 0 {
		t.Errorf("%s: %q asks for nothing", where, expr)
	}
	for _, label := range grouped {
		if !labels[label] {
			t.Errorf("%s: no metric of %s has the label %s", where, expr, label)
		}
	}
	return names
}

// checkMatchers checks the matchers of a metric, from the token at i on, and
// returns the place of the closing brace. A value that is asked for in so many
// words must have been seen, but for those that only come about in trouble.
func checkMatchers(t *testing.T, where string, tokens []string, i int, f *family) int {
	t.Helper()
	for ; i+2 < len(tokens) && tokens[i] != "}"; i++ {
		if tokens[i] == "," {
			continue
		}
		label, sign, value := tokens[i], tokens[i+1], strings.Trim(tokens[i+2], `"'`)
		i += 2
		values, ok := f.labels[label]
		if !ok && label != "instance" && label != "job" {
			t.Errorf("%s: %s has no label %s", where, f.name, label)
			continue
		}
		if label == "instance" || label == "job" {
			continue
		}
		for _, one := range strings.Split(value, "|") {
			matches := regexp.MustCompile("^(?:" + one + ")$")
			found := false
			for seen := range values {
				found = found || seen == one || sign != "=" && matches.MatchString(seen)
			}
			if !found {
				t.Errorf("%s: %s never has %s%s%q", where, f.name, label, sign, one)
			}
		}
	}
	return i
}
