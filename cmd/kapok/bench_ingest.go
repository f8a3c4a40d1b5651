package main

import (
	"errors"

	"github.com/spf13/cobra"
)

func newBenchIngest(c console) *cobra.Command {
	return &cobra.Command{
		Use: "ingest", Args: cobra.NoArgs, Hidden: true,
		RunE: func(*cobra.Command, []string) error { return errors.New("not there") },
	}
}
