package main

import (
	"github.com/spf13/cobra"

	"github.com/kapok-fleet/kapok/fleet/access"
)

func newServe(c console) *cobra.Command {
	var file string
	unused := defaultSettings()
	cmd := &cobra.Command{
		Use: "serve", Short: "Run a fleet: HTTP API, vehicles' links, journal",
		Long: "Run a fleet until SIGINT or SIGTERM. Each setting has a flag, a variable of the environment (--lost-after:\n" +
			"KAPOK_LOST_AFTER; --data: KAPOK_DATA_DIR) and a key in the YAML file of --config (lost_after; data_dir).\n" +
			"Flags go before the environment, the environment before the file, the file before the defaults.\n\n" +
			"On the first start, without any token, an admin token is made and shown once.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if file == "" {
				file = c.env("KAPOK_CONFIG")
			}
			s, err := loadSettings(file, c.env, cmd.Flags())
			if err != nil {
				return err
			}
			return serve(cmd, c, s)
		},
	}
	cmd.Flags().SortFlags = false
	cmd.Flags().StringVar(&file, "config", "", "YAML file with settings (KAPOK_CONFIG)")
	cmd.Flags().AddFlagSet(unused.flags())
	return cmd
}

func serve(cmd *cobra.Command, c console, s settings) error {
	ctx := cmd.Context()
	level, err := logLevel(s.LogLevel)
	if err != nil {
		return err
	}
	on, err := openChart(c, s.Chart)
	if err != nil {
		return err
	}
	b, err := openBackend(ctx, s, on, newLog(c, level))
	if err != nil {
		return err
	}
	if err := firstToken(c, b); err != nil {
		return err
	}
	state := b.engine.View().State
	c.say("kapok: serving fleet %s on %s (chart %s, %d vehicles, %d tasks, data in %s)",
		s.Fleet, b.url, on.Name, len(state.Durable.Vehicles), len(state.Durable.Tasks), s.DataDir)
	c.say("kapok: ready")
	defer pacingGC(ctx)()
	if err := b.serve(ctx); err != nil {
		return err
	}
	c.say("kapok: stopped")
	return nil
}

// firstToken makes an admin token where there is no token at all.
func firstToken(c console, b *backend) error {
	if len(b.tokens.List()) > 0 {
		return nil
	}
	secret, err := createToken(b.tokens, access.Token{Name: "admin", Role: access.Admin, Fleet: b.settings.Fleet})
	if err != nil {
		return err
	}
	c.say("kapok: there was no token; this one has the role admin and is shown once:")
	c.say("  export KAPOK_URL=%s KAPOK_TOKEN=%s", b.url, secret)
	return nil
}
