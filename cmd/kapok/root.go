package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/kapok-fleet/kapok/cmd/kapok/internal/client"
)

// The exit statuses.
const (
	exitOK       = 0
	exitNegative = 1
	exitUsage    = 2
)

// console is where a command speaks: data to out, talk to err. Tests bring
// their own.
type console struct {
	in       io.Reader
	out, err io.Writer
	env      func(string) string
}

// terminal tells whether a writer is a terminal.
func terminal(w io.Writer) bool {
	file, ok := w.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}

// say talks to the person at the terminal, in one line, whatever stands in the
// texts that it repeats.
func (c console) say(format string, args ...any) {
	fmt.Fprintln(c.err, clean(fmt.Sprintf(format, args...)))
}

// negativeError is a "no" that is not the caller's fault: exit status 1. Shown
// says that the output tells it already.
type negativeError struct {
	text  string
	shown bool
}

func (e *negativeError) Error() string { return e.text }

func no(format string, args ...any) error { return &negativeError{text: fmt.Sprintf(format, args...)} }

// run carries out one command line and returns its exit status. It ends early
// and in order on SIGINT and SIGTERM, and at once on a second one.
func run(args []string, c console) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	// What is not caught any more ends the process by itself.
	context.AfterFunc(ctx, stop)
	return runContext(ctx, args, c)
}

func runContext(ctx context.Context, args []string, c console) int {
	root := newRoot(c)
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitOK
	}
	status := statusOf(err)
	if negative, ok := errors.AsType[*negativeError](err); !ok || !negative.shown {
		c.say("kapok: %s", oneLine(err))
	}
	return status
}

// statusOf tells a negative result from wrong use or set-up.
func statusOf(err error) int {
	if _, ok := errors.AsType[*negativeError](err); ok {
		return exitNegative
	}
	problem, ok := errors.AsType[*client.ProblemError](err)
	if !ok {
		return exitUsage
	}
	switch problem.Code {
	// The address, the token or the version of the other end is wrong.
	case "not_kapok", "not_found", "fleet_not_found", "method_not_allowed", "unauthenticated", "forbidden", "upgrade_required":
		return exitUsage
	}
	return exitNegative
}

// oneLine puts an error on one line.
func oneLine(err error) string {
	return strings.Join(strings.Fields(strings.ReplaceAll(err.Error(), "\n", "; ")), " ")
}

func newRoot(c console) *cobra.Command {
	root := &cobra.Command{
		Use:   "kapok",
		Short: "Coordinates mixed fleets of robots and drones",
		Long: "Kapok coordinates mixed fleets of service robots and low-altitude drones.\n\n" +
			"Data goes to stdout, talk to stderr. Exit status: 0 ok, 1 a negative result, 2 wrong use or set-up.",
		SilenceUsage: true, SilenceErrors: true,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetIn(c.in)
	root.SetOut(c.out)
	root.SetErr(c.err)
	root.CompletionOptions.HiddenDefaultCmd = true
	root.AddCommand(
		newServe(c), newDemo(c), newSim(c), newOrder(c), newQuote(c), newIncident(c), newZones(c), newConditions(c), newEmergency(c), newVehicles(c), newTasks(c), newAlerts(c),
		newWatch(c), newEvents(c), newExport(c), newCommand(c), newToken(c), newChart(c), newRoute(c), newBench(c), newVersion(c),
	)
	return root
}

// needsCommand is what a command does that only has sub-commands.
func needsCommand(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return fmt.Errorf("unknown command %q for %q; see %s --help", args[0], cmd.CommandPath(), cmd.CommandPath())
	}
	return cmd.Help()
}
