package main

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/kapok-fleet/kapok/fleet"
	"github.com/kapok-fleet/kapok/fleet/access"
	"github.com/kapok-fleet/kapok/planner/strictyaml"
)

// settings are how kapok serve runs. The names of the YAML keys are those of
// the flags with underscores; those of the environment are the keys in capitals
// behind KAPOK_.
type settings struct {
	DataDir        string  `yaml:"data_dir"`
	Chart          string  `yaml:"chart"`
	Fleet          string  `yaml:"fleet"`
	Listen         string  `yaml:"listen"`
	TLSCert        string  `yaml:"tls_cert"`
	TLSKey         string  `yaml:"tls_key"`
	Insecure       bool    `yaml:"insecure"`
	AllowedOrigins string  `yaml:"allowed_origins"`
	Speed          float64 `yaml:"speed"`
	// Responses is the file of what is done about each kind of incident, empty
	// for the responses that come with Kapok.
	Responses     string `yaml:"responses"`
	LogLevel      string `yaml:"log_level"`
	Workers       int    `yaml:"workers"`
	SnapshotEvery uint64 `yaml:"snapshot_every"`
	KeepJournalMB int64  `yaml:"keep_journal_mb"`

	AutoRegister      bool          `yaml:"auto_register"`
	TelemetryInterval time.Duration `yaml:"telemetry_interval"`
	LateAfter         time.Duration `yaml:"late_after"`
	LostAfter         time.Duration `yaml:"lost_after"`
	TaskAuthority     time.Duration `yaml:"task_authority"`
	AuthorityMargin   time.Duration `yaml:"authority_margin"`
	CommandTTL        time.Duration `yaml:"command_ttl"`
	AnswerWithin      time.Duration `yaml:"answer_within"`
	RefusalPause      time.Duration `yaml:"refusal_pause"`
	RefusalPauseMax   time.Duration `yaml:"refusal_pause_max"`
	RetryWaiting      time.Duration `yaml:"retry_waiting"`
	MaxAttempts       int           `yaml:"max_attempts"`
	MaxQueuedTasks    int           `yaml:"max_queued_tasks"`
	ChargeBelow       float64       `yaml:"charge_below"`
	ChargeTo          float64       `yaml:"charge_to"`
	AnswersKept       time.Duration `yaml:"answers_kept"`
	FinalKept         time.Duration `yaml:"final_kept"`
	MaxFinal          int           `yaml:"max_final"`
	MaxAnswers        int           `yaml:"max_answers"`
	MaxOpenTasks      int           `yaml:"max_open_tasks"`
	MaxVehicles       int           `yaml:"max_vehicles"`

	// The limits of the edge stand beside the others in the file.
	Edge edgeSettings `yaml:",inline"`

	// responses is what that file holds, nil where there is none.
	responses []fleet.Response
}

// The limits of settings beside those of the fleet's configuration.
const (
	// maxWorkers bounds plans made at once: each has a planner of its own.
	maxWorkers = 256
	maxKeepMB  = 1 << 30
)

// defaultSettings are those of kapok serve without any configuration.
func defaultSettings() settings {
	f := fleet.DefaultConfig()
	return settings{
		DataDir: defaultData, Chart: "harbour", Fleet: defaultFleet, Listen: "127.0.0.1:8080", Speed: 1,
		LogLevel: "warn", Workers: 1, SnapshotEvery: 50_000,
		AutoRegister: f.AutoRegister, TelemetryInterval: f.TelemetryInterval, LateAfter: f.LateAfter,
		LostAfter: f.LostAfter, TaskAuthority: f.TaskAuthority, AuthorityMargin: f.AuthorityMargin,
		CommandTTL: f.CommandTTL, AnswerWithin: f.AnswerWithin, RefusalPause: f.RefusalPause,
		RefusalPauseMax: f.RefusalPauseMax, RetryWaiting: f.RetryWaiting, MaxAttempts: f.MaxAttempts,
		MaxQueuedTasks: f.MaxQueuedTasks, ChargeBelow: f.ChargeBelow, ChargeTo: f.ChargeTo,
		AnswersKept: f.AnswersKept, FinalKept: f.FinalKept, MaxFinal: f.MaxFinal, MaxAnswers: f.MaxAnswers, MaxOpenTasks: f.MaxOpenTasks, MaxVehicles: f.MaxVehicles,
		Edge: defaultEdge(),
	}
}

// config is the fleet's part of the settings.
func (s *settings) config() fleet.Config {
	f := fleet.DefaultConfig()
	f.AutoRegister, f.TelemetryInterval, f.LateAfter, f.LostAfter = s.AutoRegister, s.TelemetryInterval, s.LateAfter, s.LostAfter
	f.TaskAuthority, f.AuthorityMargin, f.CommandTTL = s.TaskAuthority, s.AuthorityMargin, s.CommandTTL
	f.AnswerWithin, f.RefusalPause, f.RefusalPauseMax = s.AnswerWithin, s.RefusalPause, s.RefusalPauseMax
	f.RetryWaiting, f.MaxAttempts, f.MaxQueuedTasks = s.RetryWaiting, s.MaxAttempts, s.MaxQueuedTasks
	f.ChargeBelow, f.ChargeTo, f.AnswersKept, f.FinalKept = s.ChargeBelow, s.ChargeTo, s.AnswersKept, s.FinalKept
	f.MaxFinal, f.MaxAnswers, f.MaxOpenTasks, f.MaxVehicles = s.MaxFinal, s.MaxAnswers, s.MaxOpenTasks, s.MaxVehicles
	if s.responses != nil {
		f.Responses = s.responses
	}
	return f
}

// flags are the settings as flags that write into s.
func (s *settings) flags() *pflag.FlagSet {
	f := pflag.NewFlagSet("settings", pflag.ContinueOnError)
	f.StringVar(&s.DataDir, "data", s.DataDir, "data directory: journal and tokens (KAPOK_DATA_DIR)")
	f.StringVar(&s.Chart, "chart", s.Chart, "harbour (the embedded one), or a .chart or .osm file")
	f.StringVar(&s.Fleet, "fleet", s.Fleet, "name of the fleet")
	f.StringVar(&s.Listen, "listen", s.Listen, "address to listen on; loopback, unless there is TLS or --insecure")
	f.StringVar(&s.TLSCert, "tls-cert", s.TLSCert, "certificate file")
	f.StringVar(&s.TLSKey, "tls-key", s.TLSKey, "file of the certificate's key")
	f.BoolVar(&s.Insecure, "insecure", s.Insecure, "listen on other addresses than loopback without TLS")
	f.StringVar(&s.AllowedOrigins, "allowed-origins", s.AllowedOrigins, "web origins that may open links and streams, separated by commas")
	f.Float64Var(&s.Speed, "speed", s.Speed, "how much faster than the wall clock the fleet's time runs")
	f.StringVar(&s.Responses, "responses", s.Responses, "YAML file of what is done about each kind of incident, in place of Kapok's own")
	f.StringVar(&s.LogLevel, "log-level", s.LogLevel, "debug, info, warn or error")
	f.IntVar(&s.Workers, "workers", s.Workers, "how many plans are made at once in the background")
	f.Uint64Var(&s.SnapshotEvery, "snapshot-every", s.SnapshotEvery, "events between snapshots")
	f.Int64Var(&s.KeepJournalMB, "keep-journal-mb", s.KeepJournalMB, "size of the journal above which old parts are removed; 0 keeps all")
	f.BoolVar(&s.AutoRegister, "auto-register", s.AutoRegister, "admit unknown vehicles on their first log-in")
	f.DurationVar(&s.TelemetryInterval, "telemetry-interval", s.TelemetryInterval, "how often vehicles are asked for a sample")
	f.DurationVar(&s.LateAfter, "late-after", s.LateAfter, "silence after which a link is late")
	f.DurationVar(&s.LostAfter, "lost-after", s.LostAfter, "silence after which a link is lost")
	f.DurationVar(&s.TaskAuthority, "task-authority", s.TaskAuthority, "how long a vehicle that hears nothing may begin stops")
	f.DurationVar(&s.AuthorityMargin, "authority-margin", s.AuthorityMargin, "what is added before a silent vehicle's work is given away")
	f.DurationVar(&s.CommandTTL, "command-ttl", s.CommandTTL, "how long a command may wait to be obeyed")
	f.DurationVar(&s.AnswerWithin, "answer-within", s.AnswerWithin, "how long a live vehicle may take to answer a mission before an alert")
	f.DurationVar(&s.RefusalPause, "refusal-pause", s.RefusalPause, "how long a refused task is not offered again to the same vehicle, at first")
	f.DurationVar(&s.RefusalPauseMax, "refusal-pause-max", s.RefusalPauseMax, "and at most")
	f.DurationVar(&s.RetryWaiting, "retry-waiting", s.RetryWaiting, "how often waiting tasks are looked at without a cause")
	f.IntVar(&s.MaxAttempts, "max-attempts", s.MaxAttempts, "how often a task is given out before it fails")
	f.IntVar(&s.MaxQueuedTasks, "max-queued-tasks", s.MaxQueuedTasks, "how many tasks one vehicle may hold")
	f.Float64Var(&s.ChargeBelow, "charge-below", s.ChargeBelow, "charge below which an idle vehicle goes to a charger, 0 to 1")
	f.Float64Var(&s.ChargeTo, "charge-to", s.ChargeTo, "charge at which it returns to duty, 0 to 1")
	f.DurationVar(&s.AnswersKept, "answers-kept", s.AnswersKept, "how long answers to idempotency keys are kept")
	f.DurationVar(&s.FinalKept, "final-kept", s.FinalKept, "how long final tasks stay in memory")
	f.IntVar(&s.MaxFinal, "max-final", s.MaxFinal, "beyond so many of them the oldest leave memory sooner; of missions, commands, alerts and incidents alike")
	f.IntVar(&s.MaxAnswers, "max-answers", s.MaxAnswers, "beyond so many answers to idempotency keys the oldest are forgotten")
	f.IntVar(&s.MaxOpenTasks, "max-open-tasks", s.MaxOpenTasks, "beyond so many open tasks an order is refused")
	f.IntVar(&s.MaxVehicles, "max-vehicles", s.MaxVehicles, "beyond so many vehicles a registration is refused")
	s.Edge.flags(f)
	return f
}

// environment is the variable of a flag.
func environment(flag string) string {
	if flag == "data" {
		return "KAPOK_DATA_DIR"
	}
	return "KAPOK_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// loadSettings puts defaults, file, environment and flags on top of each other,
// the later ones above.
func loadSettings(file string, env func(string) string, given *pflag.FlagSet) (settings, error) {
	s := defaultSettings()
	if file != "" {
		if err := readSettings(file, &s); err != nil {
			return s, err
		}
	}
	known := s.flags()
	var err error
	known.VisitAll(func(f *pflag.Flag) {
		if text := env(environment(f.Name)); text != "" && err == nil {
			if bad := known.Set(f.Name, text); bad != nil {
				err = fmt.Errorf("%s: %w", environment(f.Name), bad)
			}
		}
	})
	if err != nil {
		return s, err
	}
	given.Visit(func(f *pflag.Flag) {
		if known.Lookup(f.Name) != nil && err == nil {
			err = known.Set(f.Name, f.Value.String())
		}
	})
	if err == nil {
		err = s.readResponses()
	}
	if err == nil {
		err = s.validate()
	}
	return s, err
}

// readResponses reads the file of responses, if there is one.
func (s *settings) readResponses() error {
	if s.Responses == "" {
		return nil
	}
	data, err := os.ReadFile(s.Responses)
	if err != nil {
		return fmt.Errorf("reading the responses: %w", err)
	}
	if s.responses, err = fleet.ParseResponses(data); err != nil {
		return fmt.Errorf("responses %s: %w", s.Responses, err)
	}
	return nil
}

// readSettings reads a YAML file over s. Unknown keys are refused.
func readSettings(file string, s *settings) error {
	data, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("reading the configuration: %w", err)
	}
	// A file without any content would be read as one that sets all to zero.
	if strictyaml.Empty(data) {
		return nil
	}
	err = strictyaml.Unmarshal(data, s)
	if e, ok := errors.AsType[*strictyaml.Error](err); ok {
		return fmt.Errorf("configuration %s: %s", e.Place.Of(file), e.Message)
	}
	return err
}

func (s *settings) validate() error {
	if (s.TLSCert == "") != (s.TLSKey == "") {
		return errors.New("--tls-cert and --tls-key belong together")
	}
	host, _, err := net.SplitHostPort(s.Listen)
	if err != nil {
		return fmt.Errorf("--listen %q is not an address such as 127.0.0.1:8080", s.Listen)
	}
	if s.TLSCert == "" && !s.Insecure && !loopback(host) {
		return fmt.Errorf("--listen %s would send tokens in the clear: give --tls-cert and --tls-key, or --insecure", s.Listen)
	}
	if err := s.validateServing(); err != nil {
		return err
	}
	if err := s.Edge.validate(); err != nil {
		return err
	}
	if !(s.Speed > 0 && s.Speed <= maxSpeed) {
		return fmt.Errorf("--speed %g is not above 0 and at most %d", s.Speed, maxSpeed)
	}
	if _, err := logLevel(s.LogLevel); err != nil {
		return err
	}
	f := s.config()
	return f.Validate()
}

// validateServing checks what the fleet's configuration does not hold.
func (s *settings) validateServing() error {
	if s.Workers < 1 || s.Workers > maxWorkers || s.SnapshotEvery < 1 {
		return fmt.Errorf("--workers must be from 1 to %d, and --snapshot-every at least 1", maxWorkers)
	}
	if s.KeepJournalMB < 0 || s.KeepJournalMB > maxKeepMB {
		return fmt.Errorf("--keep-journal-mb %d is not from 0 to %d", s.KeepJournalMB, maxKeepMB)
	}
	if !access.ValidID(s.Fleet) {
		return fmt.Errorf("--fleet %q cannot name a fleet: 1 to %d of A-Z a-z 0-9 . _ : -", s.Fleet, access.MaxIDBytes)
	}
	for _, origin := range origins(s.AllowedOrigins) {
		if u, err := url.Parse(origin); err != nil || u.Scheme == "" || u.Host == "" || u.Scheme+"://"+u.Host != origin {
			return fmt.Errorf("--allowed-origins: %q is not an origin such as https://dispatch.example.org", origin)
		}
	}
	return nil
}

// loopback tells whether a host is this machine only.
func loopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

func logLevel(text string) (slog.Level, error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(text)); err != nil {
		return level, fmt.Errorf("--log-level %q is not debug, info, warn or error", text)
	}
	return level, nil
}
