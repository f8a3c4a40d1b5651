package main

import (
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/kapok-fleet/kapok/fleet/access"
)

// The layout of a data directory.
const (
	journalDir = "journal"
	tokensFile = "tokens.yaml"
	clockFile  = "clock.json"
)

// defaultData and defaultFleet are what serve and token use by themselves.
const (
	defaultData  = "kapok-data"
	defaultFleet = "main"
)

// shownToken is a token as it is listed, without its secret.
type shownToken struct {
	Name    string    `json:"name"`
	Role    string    `json:"role"`
	Fleet   string    `json:"fleet,omitempty"`
	Vehicle string    `json:"vehicle,omitempty"`
	Created time.Time `json:"created"`
}

func newToken(c console) *cobra.Command {
	var data string
	cmd := &cobra.Command{
		Use: "token", Short: "Make, list and withdraw access tokens",
		Long: "Tokens stand hashed in " + tokensFile + " of the data directory. A running kapok serve takes changes in by itself.\n\n" +
			"Roles: viewer sees everything, dispatcher also orders and commands, admin also registers vehicles,\n" +
			"vehicle links up as one vehicle, simulator as any vehicle of one fleet.",
		Args: cobra.ArbitraryArgs, RunE: needsCommand,
	}
	cmd.PersistentFlags().StringVar(&data, "data", "", "data directory (KAPOK_DATA_DIR; default "+defaultData+")")
	open := func() (*access.Store, error) { return openTokens(dataDir(c, data)) }
	cmd.AddCommand(newTokenCreate(c, open), newTokenList(c, open), newTokenRevoke(c, open))
	return cmd
}

// dataDir is the data directory by flag, environment or default.
func dataDir(c console, flag string) string {
	if flag == "" {
		flag = c.env("KAPOK_DATA_DIR")
	}
	if flag == "" {
		flag = defaultData
	}
	return flag
}

// openTokens opens the token file of a data directory, which it creates if it
// is missing.
func openTokens(data string) (*access.Store, error) {
	if err := os.MkdirAll(data, 0o700); err != nil {
		return nil, fmt.Errorf("creating the data directory: %w", err)
	}
	return access.OpenStore(filepath.Join(data, tokensFile))
}

// createToken makes a token and returns its secret.
func createToken(store *access.Store, token access.Token) (string, error) {
	return store.Create(token, time.Now(), rand.Reader)
}

func newTokenCreate(c console, open func() (*access.Store, error)) *cobra.Command {
	var role, fleetName, vehicle string
	cmd := &cobra.Command{
		Use: "create NAME", Short: "Make a token and print its secret, once", Args: exactly(1, "the token's name"),
		Example: "  export KAPOK_TOKEN=$(kapok token create alice --role dispatcher)\n" +
			"  kapok token create rover-1 --role vehicle --vehicle rover-1",
		RunE: func(_ *cobra.Command, args []string) error {
			store, err := open()
			if err != nil {
				return err
			}
			token := access.Token{Name: args[0], Role: access.Role(role), Fleet: fleetName, Vehicle: vehicle}
			secret, err := createToken(store, token)
			if err != nil {
				return err
			}
			c.say("token %s with role %s; this is the only time its secret is shown:", args[0], role)
			fmt.Fprintln(c.out, secret)
			return nil
		},
	}
	cmd.Flags().StringVar(&role, "role", "viewer", "viewer, dispatcher, admin, vehicle or simulator")
	cmd.Flags().StringVar(&fleetName, "fleet", defaultFleet, "the fleet that it is good for")
	cmd.Flags().StringVar(&vehicle, "vehicle", "", "the vehicle that it is bound to, for role vehicle")
	return cmd
}

func newTokenList(c console, open func() (*access.Store, error)) *cobra.Command {
	var o output
	cmd := &cobra.Command{
		Use: "list", Short: "List tokens, without their secrets", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			form, err := o.choose(c.out)
			if err != nil {
				return err
			}
			store, err := open()
			if err != nil {
				return err
			}
			shown := []shownToken{}
			for _, t := range store.List() {
				shown = append(shown, shownToken{t.Name, string(t.Role), t.Fleet, t.Vehicle, t.Created})
			}
			return printList(c.out, form, shown, []string{"NAME", "ROLE", "FLEET", "VEHICLE", "CREATED"}, func(t *shownToken) []string {
				return []string{t.Name, t.Role, t.Fleet, t.Vehicle, t.Created.Format(time.RFC3339)}
			})
		},
	}
	o.flag(cmd, asTable, asJSON, asNDJSON)
	return cmd
}

func newTokenRevoke(c console, open func() (*access.Store, error)) *cobra.Command {
	return &cobra.Command{
		Use: "revoke NAME", Short: "Withdraw a token; what uses it is cut off within seconds", Args: exactly(1, "the token's name"),
		RunE: func(_ *cobra.Command, args []string) error {
			store, err := open()
			if err != nil {
				return err
			}
			if err := store.Revoke(args[0]); err != nil {
				return &negativeError{text: err.Error()}
			}
			c.say("token %s is withdrawn", args[0])
			return nil
		},
	}
}

// exactly demands a number of arguments and names them when they are not there.
func exactly(n int, what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) != n {
			return fmt.Errorf("%s takes %s; see %s --help", cmd.CommandPath(), what, cmd.CommandPath())
		}
		return nil
	}
}
