package main

import (
	"net/url"

	"github.com/spf13/cobra"

	"github.com/kapok-fleet/kapok/cmd/kapok/internal/client"
	"github.com/kapok-fleet/kapok/protocol/api"
)

func newAlerts(c console) *cobra.Command {
	var r remote
	var o output
	var everything bool
	cmd := &cobra.Command{
		Use: "alerts", Short: "List open alerts", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			query := url.Values{"open": {"true"}}
			if everything {
				query = nil
			}
			return showList(cmd.Context(), c, &r, &o, listing[api.Alert]{
				path: "/v1/alerts", query: query, all: (*client.Client).Alerts, heads: alertHeads(), row: alertRow,
			})
		},
	}
	cmd.Flags().BoolVar(&everything, "all", false, "cleared ones too")
	r.flags(cmd)
	o.flag(cmd, asTable, asJSON, asNDJSON)
	cmd.AddCommand(newAlertAck(c))
	return cmd
}

func newAlertAck(c console) *cobra.Command {
	var r remote
	var o output
	cmd := &cobra.Command{
		Use: "ack ID", Short: "Note that you have seen an alert", Args: exactly(1, "the alert's id"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return showAnswer(c, &r, &o, alertHeads(), alertRow, func(k *client.Client) (api.Alert, error) {
				return k.Acknowledge(cmd.Context(), newKey(), args[0])
			})
		},
	}
	r.flags(cmd)
	o.flag(cmd, asTable, asJSON)
	return cmd
}

func alertHeads() []string {
	return []string{"ID", "SEVERITY", "KIND", "VEHICLE", "TASK", "RAISED", "CLEARED", "SEEN BY", "TEXT"}
}

func alertRow(a *api.Alert) []string {
	return []string{a.ID, a.Severity, a.Kind, a.Vehicle, a.Task, clock(a.RaisedAt), clock(a.ClearedAt), a.AcknowledgedBy, a.Text}
}
