package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

func newExport(c console) *cobra.Command {
	cmd := &cobra.Command{
		Use: "export", Short: "Write tracks or events to a file: GeoJSON, CSV or KML",
		RunE: needsCommand,
	}
	cmd.AddCommand(newExportTracks(c), newExportEvents(c))
	return cmd
}

// exportTo says where an export goes, and in which form.
type exportTo struct {
	remote
	form, file string
}

func (e *exportTo) flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&e.form, "format", "", "geojson, csv or kml (default: by the name of the file, else geojson)")
	cmd.Flags().StringVarP(&e.file, "output", "o", "", "file to write (default: stdout)")
	e.remote.flags(cmd)
}

// choose returns the form to use.
func (e *exportTo) choose() (string, error) {
	forms := []string{asGeoJSON, "csv", "kml"}
	form := e.form
	if form == "" {
		form = strings.TrimPrefix(strings.ToLower(filepath.Ext(e.file)), ".")
		if !slices.Contains(forms, form) {
			form = asGeoJSON
		}
	}
	if !slices.Contains(forms, form) {
		return "", fmt.Errorf("--format %q is not one of %s", form, strings.Join(forms, ", "))
	}
	return form, nil
}

// write downloads an address to the file. A file that did not become whole is
// removed.
func (e *exportTo) write(ctx context.Context, c console, path string, query url.Values) error {
	form, err := e.choose()
	if err != nil {
		return err
	}
	k, err := e.open(c)
	if err != nil {
		return err
	}
	defer k.Close()
	query.Set("format", form)
	copyTo := func(w io.Writer) error {
		buffered := bufio.NewWriter(w)
		next, err := k.Download(ctx, path, query, buffered)
		if err := errors.Join(err, buffered.Flush()); err != nil {
			return err
		}
		if next != "" {
			c.say("the export ends at the server's limit; ask for a shorter span of time to have the rest")
			return no("the export is not complete")
		}
		return nil
	}
	if e.file == "" || e.file == "-" {
		if terminal(c.out) {
			return copyTo(&screen{w: c.out})
		}
		return copyTo(c.out)
	}
	file, err := os.Create(e.file)
	if err != nil {
		return fmt.Errorf("making the file: %w", err)
	}
	err = errors.Join(copyTo(file), file.Close())
	if _, partly := errors.AsType[*negativeError](err); err != nil && !partly {
		_ = os.Remove(e.file)
	}
	return err
}

func newExportTracks(c console) *cobra.Command {
	var to exportTo
	var from, until string
	var vehicles []string
	cmd := &cobra.Command{
		Use: "tracks", Short: "Where vehicles were", Args: cobra.NoArgs,
		Long: "Where vehicles were: of each at most one sample a second, for as long as the backend keeps them.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			query, err := span(from, until)
			if err != nil {
				return err
			}
			filter(query, "vehicle", strings.Join(vehicles, ","))
			return to.write(cmd.Context(), c, "/v1/tracks", query)
		},
	}
	cmd.Flags().StringVar(&from, "from", "", "not before this time, such as 2026-03-01T06:00:00Z")
	cmd.Flags().StringVar(&until, "until", "", "before this time")
	cmd.Flags().StringSliceVar(&vehicles, "vehicle", nil, "only of these vehicles")
	to.flags(cmd)
	return cmd
}

func newExportEvents(c console) *cobra.Command {
	var to exportTo
	var f eventFilter
	cmd := &cobra.Command{
		Use: "events", Short: "What happened: CSV has all events, GeoJSON and KML those that have a place", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			query, err := f.query()
			if err != nil {
				return err
			}
			return to.write(cmd.Context(), c, "/v1/events", query)
		},
	}
	f.flags(cmd)
	cmd.Flags().StringVar(&f.vehicle, "vehicle", "", "only those that concern this vehicle")
	to.flags(cmd)
	return cmd
}
