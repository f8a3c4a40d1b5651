package main

import (
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// build says what was built, and from what.
type build struct {
	Version  string `json:"version"`
	Commit   string `json:"commit,omitempty"`
	Time     string `json:"time,omitempty"`
	Modified bool   `json:"modified"`
	Go       string `json:"go"`
	Platform string `json:"platform"`
}

// buildOf reads what the Go command noted in the binary.
func buildOf() build {
	b := build{Version: "dev", Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return b
	}
	if v := info.Main.Version; v != "" && v != "(devel)" {
		b.Version = v
	}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			b.Commit = s.Value
		case "vcs.time":
			b.Time = s.Value
		case "vcs.modified":
			b.Modified = s.Value == "true"
		}
	}
	return b
}

func newVersion(c console) *cobra.Command {
	var o output
	cmd := &cobra.Command{
		Use: "version", Short: "Say what was built, and from what", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			form, err := o.choose(c.out)
			if err != nil {
				return err
			}
			b := buildOf()
			if form == asJSON {
				return printJSON(c.out, b)
			}
			commit := b.Commit
			if b.Modified {
				commit += " (modified)"
			}
			return printTable(c.out, []string{"VERSION", "COMMIT", "GO", "PLATFORM"}, [][]string{{b.Version, commit, b.Go, b.Platform}})
		},
	}
	o.flag(cmd, asTable, asJSON)
	return cmd
}
