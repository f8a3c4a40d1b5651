package sim

import (
	"os"
	"strconv"
	"testing"
)

// TestStormOverSeeds runs the worst scenario with several seeds; KAPOK_SEEDS says
// how many (3 when it does not), KAPOK_SEED the first (6).
func TestStormOverSeeds(t *testing.T) {
	count, first := number(t, "KAPOK_SEEDS", 3), number(t, "KAPOK_SEED", 6)
	c := harbourChart(t)
	s := example(t, "storm")
	for seed := first; seed < first+count; seed++ {
		t.Run(strconv.FormatUint(seed, 10), func(t *testing.T) {
			s := s
			s.Seed = seed
			r := mustRun(t, s, c)
			if !r.Passed() {
				t.Errorf("not all assertions hold; repeat: kapok sim run sim/scenario/testdata/storm.yaml --seed %d\n%s", seed, report(r))
			}
		})
	}
}

func number(t *testing.T, name string, standard uint64) uint64 {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return standard
	}
	n, err := strconv.ParseUint(text, 10, 32)
	if err != nil {
		t.Fatalf("%s=%s: %v", name, text, err)
	}
	return n
}
