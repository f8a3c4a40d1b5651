package main

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/kapok-fleet/kapok/cmd/kapok/internal/client"
)

// defaultURL is where kapok serve listens by itself.
const defaultURL = "http://127.0.0.1:8080"

// remote are the flags of commands that speak to a running backend.
type remote struct {
	url, token string
}

func (r *remote) flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&r.url, "url", "", "address of the backend (KAPOK_URL; default "+defaultURL+")")
	cmd.Flags().StringVar(&r.token, "token", "", "file with the secret of a token, or the secret itself, which other users of this machine then see in the list of processes (KAPOK_TOKEN)")
}

// openFor is open for a command that prints. The form comes first, so that a
// wrong one is told before anything is asked.
func (r *remote) openFor(c console, o *output) (*client.Client, string, error) {
	form, err := o.choose(c.out)
	if err != nil {
		return nil, "", err
	}
	k, err := r.open(c)
	return k, form, err
}

// open returns a client by the flags, or by the environment.
func (r *remote) open(c console) (*client.Client, error) {
	address, token := r.url, r.token
	if address == "" {
		address = c.env("KAPOK_URL")
	}
	if address == "" {
		address = defaultURL
	}
	if token == "" {
		token = c.env("KAPOK_TOKEN")
	}
	if token == "" {
		return nil, errors.New("no token: set KAPOK_TOKEN or pass --token (kapok token create makes one)")
	}
	token, err := secretOf(token)
	if err != nil {
		return nil, err
	}
	return client.New(address, token)
}
