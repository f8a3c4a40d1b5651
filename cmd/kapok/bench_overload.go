package main

import (
	"errors"

	"github.com/spf13/cobra"
)

func newBenchOverload(c console) *cobra.Command {
	return &cobra.Command{
		Use: "overload", Args: cobra.NoArgs, Hidden: true,
		RunE: func(*cobra.Command, []string) error { return errors.New("not there") },
	}
}
