package fleet

import (
	"errors"
	"fmt"
	"time"

	"github.com/kapok-fleet/kapok/planner/motion"
	"github.com/kapok-fleet/kapok/protocol"
)

// Config is how a fleet is run. DefaultConfig has good values; zero values are
// not allowed where Validate says so.
type Config struct {
	// TelemetryInterval is how often vehicles are asked for a sample.
	TelemetryInterval time.Duration
	// LateAfter and LostAfter are how long a vehicle may be silent before its
	// link counts as late, and lost.
	LateAfter, LostAfter time.Duration
	// TaskAuthority is how long after Kapok's last frame a vehicle may begin
	// stops; AuthorityMargin is added before its work is given away.
	TaskAuthority, AuthorityMargin time.Duration
	// CommandTTL is how long a command may wait to be obeyed.
	CommandTTL time.Duration
	// AnswerWithin is how long a live vehicle may take to answer a mission
	// before an alert is raised.
	AnswerWithin time.Duration
	// RefusalPause is how long a refused task is not offered again to the same
	// vehicle; it doubles with each refusal up to RefusalPauseMax.
	RefusalPause, RefusalPauseMax time.Duration
	// RetryWaiting is how often waiting tasks are looked at without a cause.
	RetryWaiting time.Duration
	// MaxAttempts is how often a task is given out before it fails for good.
	MaxAttempts int
	// MaxQueuedTasks is how many tasks one vehicle may hold at once.
	MaxQueuedTasks int
	// ChargeBelow sends an idle vehicle to a charger, ChargeTo ends charging.
	ChargeBelow, ChargeTo float64
	// AnswersKept is how long answers to idempotent requests are kept,
	// FinalKept how long final tasks, commands and alerts stay in memory.
	AnswersKept, FinalKept time.Duration
	// MaxFinal is how many final tasks, ended missions, final commands, cleared
	// alerts and closed incidents stay in memory, of each, and MaxFinalWeight how
	// many stops the tasks may have together, and how many legs and points of
	// their paths the missions, and the commands. Beyond it the oldest leave memory
	// before FinalKept, at the next tick; the journal has them still. A task stays
	// while the incident that it answers is open.
	MaxFinal, MaxFinalWeight int
	// MaxAnswers is how many answers to idempotent requests are kept, and
	// MaxAnswerBytes how long they may be together. Beyond either the oldest are
	// forgotten before AnswersKept, at the next tick: a request that is repeated
	// later than that is carried out again.
	MaxAnswers, MaxAnswerBytes int
	// MaxOpenStops bounds the stops of all tasks that are not final; beyond it an
	// order is refused like one beyond MaxOpenTasks.
	MaxOpenStops int
	// MaxOpenTasks bounds tasks that are not final; beyond it an order is
	// refused. MaxVehicles likewise bounds registered vehicles.
	MaxOpenTasks, MaxVehicles int
	// MaxCandidates is how many vehicles are routed inline for a task; when none of
	// them can, all are tried in the background. ExpansionsPerStep
	// bounds inline planning in one step, and in each PlanningRefill,
	// ExpansionsInBackground one question.
	MaxCandidates          int
	ExpansionsPerStep      int
	ExpansionsInBackground int
	// TrustSamples takes samples as they come and holds none against what its
	// vehicle can do. It is for replays and tests whose vehicles leap about.
	TrustSamples bool
	// AutoRegister admits unknown vehicles on their first log-in.
	AutoRegister bool
	// Responses say what is done about each kind of incident; with none, every
	// report is refused.
	Responses []Response
	// Policy is by what rule vehicles are chosen.
	Policy Policy
	// Spec gives the performance of a model, by its kind.
	Spec func(kind protocol.Kind, model string) (motion.Spec, bool)
}

// Policy is a rule by which vehicles are chosen for tasks.
type Policy string

// The policies.
const (
	// EarliestFinish sends the vehicle that is done first, and lets emergencies
	// displace other work.
	EarliestFinish Policy = ""
	// NearestIdle sends the nearest vehicle by straight line of those that are
	// idle and can do it. It displaces nothing, and is for comparison in
	// simulations alone.
	NearestIdle Policy = "nearest_idle"
)

// DefaultConfig holds the values that kapok serve uses.
func DefaultConfig() Config {
	return Config{
		TelemetryInterval: time.Second,
		LateAfter:         5 * time.Second,
		LostAfter:         15 * time.Second,
		TaskAuthority:     60 * time.Second,
		AuthorityMargin:   5 * time.Second,
		CommandTTL:        30 * time.Second,
		AnswerWithin:      15 * time.Second,
		RefusalPause:      time.Minute,
		RefusalPauseMax:   10 * time.Minute,
		RetryWaiting:      5 * time.Second,
		MaxAttempts:       3,
		MaxQueuedTasks:    3,
		ChargeBelow:       0.35,
		ChargeTo:          0.9,
		AnswersKept:       24 * time.Hour,
		FinalKept:         24 * time.Hour,
		MaxFinal:          20_000,
		MaxFinalWeight:    2_000_000,
		MaxAnswers:        200_000,
		MaxAnswerBytes:    256 << 20,
		MaxOpenStops:      200_000,
		MaxOpenTasks:      20_000,
		MaxVehicles:       20_000,
		MaxCandidates:     8,
		ExpansionsPerStep: 20_000, ExpansionsInBackground: 2_000_000,
		AutoRegister: true,
		Responses:    DefaultResponses(),
		Spec:         PresetSpec,
	}
}

// PresetSpec gives the preset of a model, or that of its kind where the model
// is not known.
func PresetSpec(kind protocol.Kind, model string) (motion.Spec, bool) {
	if spec, ok := motion.Preset(model); ok && spec.Kind == MotionKind(kind) {
		return spec, true
	}
	for _, m := range motion.Models() {
		if spec, ok := motion.Preset(m); ok && spec.Kind == MotionKind(kind) {
			return spec, true
		}
	}
	return motion.Spec{}, false
}

// minAuthority is the shortest task authority: frames go out at least every
// quarter of it, and links are looked at four times a second.
const minAuthority = 4 * time.Second

// Validate refuses a configuration that would break a promise.
func (c Config) Validate() error {
	for _, d := range []struct {
		name  string
		value time.Duration
	}{
		{"telemetry_interval", c.TelemetryInterval},
		{"late_after", c.LateAfter},
		{"lost_after", c.LostAfter},
		{"task_authority", c.TaskAuthority},
		{"authority_margin", c.AuthorityMargin},
		{"command_ttl", c.CommandTTL},
		{"answer_within", c.AnswerWithin},
		{"refusal_pause", c.RefusalPause},
		{"refusal_pause_max", c.RefusalPauseMax},
		{"retry_waiting", c.RetryWaiting},
		{"answers_kept", c.AnswersKept},
		{"final_kept", c.FinalKept},
	} {
		if d.value <= 0 {
			return fmt.Errorf("fleet: config %s is %v: must be above zero", d.name, d.value)
		}
	}
	if c.TaskAuthority < minAuthority {
		return fmt.Errorf("fleet: config task_authority is %v: must be at least %v, so that it can be renewed in time", c.TaskAuthority, minAuthority)
	}
	if c.LateAfter <= c.TelemetryInterval || c.LostAfter <= c.LateAfter {
		return errors.New("fleet: config: telemetry_interval < late_after < lost_after must hold")
	}
	if !(0 <= c.ChargeBelow && c.ChargeBelow < c.ChargeTo && c.ChargeTo <= 1) {
		return errors.New("fleet: config: 0 <= charge_below < charge_to <= 1 must hold")
	}
	if c.MaxAttempts < 1 || c.MaxQueuedTasks < 1 || c.MaxOpenTasks < 1 || c.MaxVehicles < 1 ||
		c.MaxFinal < 1 || c.MaxFinalWeight < 1 || c.MaxAnswers < 1 || c.MaxAnswerBytes < 1 || c.MaxOpenStops < 1 ||
		c.MaxCandidates < 1 || c.ExpansionsPerStep < 1 || c.ExpansionsInBackground < 1 {
		return errors.New("fleet: config: every bound must be at least 1")
	}
	if bad := checkResponses(c.Responses); bad != nil {
		return fmt.Errorf("fleet: config: %w: %s: %s", ErrResponses, bad.path, bad.text)
	}
	if c.Policy != EarliestFinish && c.Policy != NearestIdle {
		return fmt.Errorf("fleet: config: there is no policy %q", c.Policy)
	}
	if c.Spec == nil {
		return errors.New("fleet: config: no table of vehicle models")
	}
	return nil
}

// AliveInterval is the longest pause between two frames to a vehicle: a quarter
// of the task authority, and at most 5 s.
func (c Config) AliveInterval() time.Duration {
	return min(c.TaskAuthority/4, 5*time.Second)
}
