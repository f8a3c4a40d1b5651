package main

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/kapok-fleet/kapok/protocol/api"
)

// The forms of output.
const (
	asTable   = "table"
	asJSON    = "json"
	asNDJSON  = "ndjson"
	asGeoJSON = "geojson"
)

// output is the -o flag of a command: the forms that it has, and the one asked
// for.
type output struct {
	forms []string
	form  string
}

// flag adds -o to a command.
func (o *output) flag(cmd *cobra.Command, forms ...string) {
	o.forms = forms
	piped := asJSON
	if !slices.Contains(forms, asJSON) {
		piped = asNDJSON
	}
	cmd.Flags().StringVarP(&o.form, "output", "o", "",
		"form of the output: "+strings.Join(forms, ", ")+" (default: table on a terminal, "+piped+" otherwise)")
}

// choose returns the form to use, or an error for one that there is not.
func (o *output) choose(w io.Writer) (string, error) {
	form := o.form
	if form == "" {
		switch {
		case terminal(w):
			form = asTable
		case slices.Contains(o.forms, asJSON):
			form = asJSON
		default:
			form = asNDJSON
		}
	}
	if !slices.Contains(o.forms, form) {
		return "", fmt.Errorf("output %q is not one of %s", form, strings.Join(o.forms, ", "))
	}
	return form, nil
}

// printJSON writes one value, indented. What would steer a terminal is escaped.
func printJSON(w io.Writer, v any) error {
	data, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return fmt.Errorf("encoding the output: %w", err)
	}
	if _, err := fmt.Fprintf(w, "%s\n", escapeJSON(data)); err != nil {
		return fmt.Errorf("writing the output: %w", err)
	}
	return nil
}

// printLine writes one value as a line of JSON, as printJSON does.
func printLine(w io.Writer, v any) error {
	data, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encoding the output: %w", err)
	}
	if _, err := fmt.Fprintf(w, "%s\n", escapeJSON(data)); err != nil {
		return fmt.Errorf("writing the output: %w", err)
	}
	return nil
}

// printList writes items in a form; row makes the columns of a table.
func printList[T any](w io.Writer, form string, items []T, heads []string, row func(*T) []string) error {
	switch form {
	case asJSON:
		return printJSON(w, items)
	case asNDJSON:
		for i := range items {
			if err := printLine(w, items[i]); err != nil {
				return err
			}
		}
		return nil
	}
	rows := make([][]string, len(items))
	for i := range items {
		rows[i] = row(&items[i])
	}
	return printTable(w, heads, rows)
}

// printTable writes rows under heads. Control characters of foreign texts do
// not reach the terminal.
func printTable(w io.Writer, heads []string, rows [][]string) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, strings.Join(heads, "\t"))
	for _, row := range rows {
		for i := range row {
			row[i] = clean(row[i])
		}
		fmt.Fprintln(t, strings.Join(row, "\t"))
	}
	if err := t.Flush(); err != nil {
		return fmt.Errorf("writing the output: %w", err)
	}
	return nil
}

// clock shows a time of day in UTC, nothing for none.
func clock(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("15:04:05")
}

func percent(ratio float64) string { return fmt.Sprintf("%.0f%%", math.Round(ratio*100)) }

func place(p *api.Position) string {
	if p == nil {
		return ""
	}
	return fmt.Sprintf("%.5f,%.5f", p.Lon, p.Lat)
}
