package main

import (
	"context"
	"errors"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/kapok-fleet/kapok/cmd/kapok/internal/client"
	"github.com/kapok-fleet/kapok/protocol/api"
)

func newIncident(c console) *cobra.Command {
	cmd := &cobra.Command{
		Use: "incident", Short: "Report an incident, follow it, escalate and close it",
		Args: cobra.ArbitraryArgs, RunE: needsCommand,
	}
	cmd.AddCommand(newIncidentReport(c), newIncidentList(c), newIncidentShow(c), newIncidentEscalate(c), newIncidentClose(c),
		newIncidentKinds(c))
	return cmd
}

// incidentFlags describe an incident that is reported, or asked about.
type incidentFlags struct {
	at     string
	report api.IncidentReport
}

func (f *incidentFlags) flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.at, "at", "", "where: the id of a site or place of the chart, or LON,LAT")
	cmd.Flags().StringVar(&f.report.Severity, "severity", "serious", "minor, serious or critical")
	cmd.Flags().Float64Var(&f.report.RadiusM, "radius-m", 0, "how far around it is to be searched, for kinds that search")
	cmd.Flags().BoolVar(&f.report.Drill, "drill", false, "an exercise: it never displaces real work")
	cmd.Flags().StringVar(&f.report.Note, "note", "", "a note for the record")
}

// place finds out where the incident is.
func (f *incidentFlags) place(ctx context.Context, k *client.Client, kind string) error {
	stop, err := findStop(ctx, k, f.at)
	f.report.Kind = kind
	f.report.Position, f.report.Site, f.report.Place = stop.Position, stop.Site, stop.Place
	return err
}

func newIncidentReport(c console) *cobra.Command {
	var f incidentFlags
	var r remote
	var o output
	var key string
	var wait bool
	var waitFor time.Duration
	cmd := &cobra.Command{
		Use: "report KIND", Short: "Report an incident; the response of its kind is sent at once",
		Long: "Report an incident. The response of its kind becomes tasks at once, and the answer says who goes and when.\n" +
			"kapok incident kinds lists the kinds; kapok quote incident asks beforehand, without changing anything.",
		Example: `  kapok incident report fire --at 113.9312,22.5112 --note "smoke on the second floor" --wait`,
		Args:    exactly(1, "the kind of incident"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if f.at == "" {
				return errors.New("the report has no place: pass --at")
			}
			var last api.Incident
			err := showIncident(c, &r, &o, func(k *client.Client) (api.Incident, error) {
				err := f.place(cmd.Context(), k, args[0])
				if err != nil {
					return last, err
				}
				if key == "" {
					key = newKey()
				}
				if last, err = k.Report(cmd.Context(), key, f.report); err == nil && wait {
					last, err = followIncident(cmd.Context(), c, k, last, waitFor)
				}
				return last, err
			})
			if err == nil && wait && last.ReachedAt.IsZero() {
				return no("incident %s was not reached: it is %s", last.ID, last.State)
			}
			return err
		},
	}
	f.flags(cmd)
	cmd.Flags().StringVar(&key, "key", "", "idempotency key: repeated, it gets the same answer and never a second incident")
	cmd.Flags().BoolVar(&wait, "wait", false, "wait until the first vehicle works there; exit status 1 if none does")
	cmd.Flags().DurationVar(&waitFor, "wait-for", 0, "give up waiting after so long, with exit status 1; 0 for never")
	r.flags(cmd)
	o.flag(cmd, asTable, asJSON)
	return cmd
}

func newIncidentList(c console) *cobra.Command {
	var r remote
	var o output
	var states []string
	var kind string
	cmd := &cobra.Command{
		Use: "list", Short: "List incidents, oldest first", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			query := url.Values{}
			filter(query, "state", strings.Join(states, ","))
			filter(query, "kind", kind)
			return showList(cmd.Context(), c, &r, &o, listing[api.Incident]{
				path: "/v1/incidents", query: query, all: (*client.Client).Incidents, heads: incidentHeads(), row: incidentRow,
			})
		},
	}
	cmd.Flags().StringSliceVar(&states, "state", nil, "only these: open, closed")
	cmd.Flags().StringVar(&kind, "kind", "", "only those of this kind")
	r.flags(cmd)
	o.flag(cmd, asTable, asJSON, asNDJSON, asGeoJSON)
	return cmd
}

func newIncidentShow(c console) *cobra.Command {
	var r remote
	var o output
	cmd := &cobra.Command{
		Use: "show ID", Short: "Show an incident and each part of its response", Args: exactly(1, "the incident's id"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return showIncident(c, &r, &o, func(k *client.Client) (api.Incident, error) { return k.Incident(cmd.Context(), args[0]) })
		},
	}
	r.flags(cmd)
	o.flag(cmd, asTable, asJSON)
	return cmd
}

func newIncidentEscalate(c console) *cobra.Command {
	var r remote
	var o output
	var how api.IncidentEscalation
	cmd := &cobra.Command{
		Use: "escalate ID", Short: "Make an incident graver, or call for its reinforcement", Args: exactly(1, "the incident's id"),
		Example: `  kapok incident escalate I1 --severity critical --reason "people are inside"`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if how.Reason == "" {
				return errors.New("incident escalate needs --reason")
			}
			return showIncident(c, &r, &o, func(k *client.Client) (api.Incident, error) {
				return k.Escalate(cmd.Context(), newKey(), args[0], how)
			})
		},
	}
	cmd.Flags().StringVar(&how.Severity, "severity", "", "the new severity: minor, serious or critical; unchanged if left out")
	cmd.Flags().StringVar(&how.Reason, "reason", "", "why, for the record")
	r.flags(cmd)
	o.flag(cmd, asTable, asJSON)
	return cmd
}

func newIncidentClose(c console) *cobra.Command {
	var r remote
	var o output
	var how api.IncidentClosure
	cmd := &cobra.Command{
		Use: "close ID", Short: "Close an incident; its tasks that are not begun are cancelled", Args: exactly(1, "the incident's id"),
		Example: `  kapok incident close I1 --outcome "the fire is out"`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if how.Outcome == "" {
				return errors.New("incident close needs --outcome")
			}
			return showIncident(c, &r, &o, func(k *client.Client) (api.Incident, error) {
				return k.CloseIncident(cmd.Context(), newKey(), args[0], how)
			})
		},
	}
	cmd.Flags().StringVar(&how.Outcome, "outcome", "", "what became of it, for the record")
	r.flags(cmd)
	o.flag(cmd, asTable, asJSON)
	return cmd
}

func newIncidentKinds(c console) *cobra.Command {
	var r remote
	var o output
	cmd := &cobra.Command{
		Use: "kinds", Short: "List the kinds of incident, and what is sent to each", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			k, form, err := r.openFor(c, &o)
			if err != nil {
				return err
			}
			defer k.Close()
			kinds, err := k.Responses(cmd.Context())
			if err != nil {
				return err
			}
			if form != asTable {
				return printList(c.out, form, kinds, nil, nil)
			}
			var rows [][]string
			for i := range kinds {
				for _, part := range kinds[i].Tasks {
					rows = append(rows, []string{
						kinds[i].Kind, kinds[i].Title, part.Role, part.From, strings.Join(part.VehicleKinds, " "), strings.Join(part.Capabilities, " "),
					})
				}
			}
			return printTable(c.out, []string{"KIND", "TITLE", "ROLE", "FROM", "VEHICLES", "CAPABILITIES"}, rows)
		},
	}
	r.flags(cmd)
	o.flag(cmd, asTable, asJSON, asNDJSON)
	return cmd
}

// showIncident makes a request about one incident and prints it with its parts.
func showIncident(c console, r *remote, o *output, ask func(*client.Client) (api.Incident, error)) error {
	k, form, err := r.openFor(c, o)
	if err != nil {
		return err
	}
	defer k.Close()
	i, err := ask(k)
	if err != nil {
		return err
	}
	if form == asJSON {
		return printJSON(c.out, i)
	}
	if err := printTable(c.out, incidentHeads(), [][]string{incidentRow(&i)}); err != nil {
		return err
	}
	rows := make([][]string, len(i.Tasks))
	for n := range i.Tasks {
		t := &i.Tasks[n]
		rows[n] = []string{t.Task, t.Role, t.State, t.Vehicle, clock(t.ETA), clock(t.ReachedAt), t.Reason}
	}
	return printTable(c.out, []string{"TASK", "ROLE", "STATE", "VEHICLE", "ETA", "REACHED", "REASON"}, rows)
}

func incidentHeads() []string {
	return []string{"INCIDENT", "KIND", "SEVERITY", "STATE", "PLACE", "REPORTED", "REACHED", "CLOSED", "VEHICLES", "NOTE"}
}

func incidentRow(i *api.Incident) []string {
	where := i.Name
	if where == "" {
		where = place(&i.Position)
	}
	severity := i.Severity
	if i.Drill {
		severity += " (drill)"
	}
	var vehicles []string
	for n := range i.Tasks {
		if v := i.Tasks[n].Vehicle; v != "" {
			vehicles = append(vehicles, v)
		}
	}
	note := i.Note
	if i.Outcome != "" {
		note = i.Outcome
	}
	return []string{
		i.ID, i.Kind, severity, i.State, where, clock(i.ReportedAt), clock(i.ReachedAt), clock(i.ClosedAt), strings.Join(vehicles, " "), note,
	}
}

// followIncident tells what happens until the first vehicle works there, or the
// incident is closed.
func followIncident(ctx context.Context, c console, k *client.Client, i api.Incident, within time.Duration) (api.Incident, error) {
	if within > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, within)
		defer cancel()
	}
	told := map[string]string{}
	ticker := time.NewTicker(followEvery)
	defer ticker.Stop()
	for {
		for n := range i.Tasks {
			t := &i.Tasks[n]
			if now := t.State + t.Vehicle + t.ReasonCode; told[t.Task] != now {
				told[t.Task] = now
				c.say("incident %s: %s", i.ID, partLine(t))
			}
		}
		if !i.ReachedAt.IsZero() || i.State == "closed" {
			return i, nil
		}
		select {
		case <-ctx.Done():
			return i, no("nobody has reached incident %s", i.ID)
		case <-ticker.C:
		}
		newer, err := k.Incident(ctx, i.ID)
		if passing(err) {
			continue
		}
		if err != nil {
			return i, err
		}
		i = newer
	}
}

// partLine tells in one line how a part of a response stands.
func partLine(t *api.IncidentTask) string {
	line := t.Role + " (task " + t.Task + ") " + t.State
	if t.Vehicle != "" {
		line += ", " + t.Vehicle
	}
	if t.State == "waiting" {
		line += ": " + t.Reason
	}
	if !t.ETA.IsZero() && !final(t.State) {
		line += ", arrives " + clock(t.ETA)
	}
	return clean(line)
}

// passing tells whether an error means that the server is away for a while.
func passing(err error) bool {
	if _, away := errors.AsType[*client.UnreachableError](err); away {
		return true
	}
	problem, ok := errors.AsType[*client.ProblemError](err)
	return ok && problem.Status >= 500
}
