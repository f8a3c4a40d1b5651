package scenario

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// demandFile opens a file of the data folder, or skips the test.
func demandFile(t testing.TB, path string) *os.File {
	t.Helper()
	data := os.Getenv("KAPOK_DATA")
	if data == "" {
		data = "../../../shared/data"
	}
	f, err := os.Open(filepath.Join(data, "demand", path))
	if errors.Is(err, os.ErrNotExist) {
		t.Skipf("there is no %s; set KAPOK_DATA", path)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	return f
}

func TestLoggiFileIsRead(t *testing.T) {
	p, err := ReadLoggi("rj-0", demandFile(t, "loggi-cvrp-rj-0.json"))
	if err != nil {
		t.Fatal(err)
	}
	sum := 0
	for _, one := range p.List {
		sum += one.Size
	}
	if len(p.List) != 221 || sum != 1179 || p.Hub.Lon > -43 || p.Hub.Lat > -22 {
		t.Errorf("%d parcels of sizes %d in all, from %+v", len(p.List), sum, p.Hub)
	}
}

func TestSeattleDaysAreRead(t *testing.T) {
	calls, skipped, err := ReadSeattleFire("day", demandFile(t, "seattle-fire/days/2017-06-03.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	kinds := map[string]int{}
	for i, c := range calls {
		kinds[c.Kind]++
		if c.At < 0 || c.At.D() > 24*time.Hour || i > 0 && c.At < calls[i-1].At {
			t.Errorf("call %d is at %v", i, c.At)
		}
	}
	if calls[0].At != 0 || kinds["medical"] < 100 || kinds["fire"] < 10 || len(calls)+skipped != 298 || skipped > 20 {
		t.Errorf("%d calls, %d left out, of kinds %v", len(calls), skipped, kinds)
	}
}

func TestCallsAreSortedAndJudged(t *testing.T) {
	head := strings.Join(callColumns(), "\t") + "\n"
	calls, skipped, err := ReadSeattleFire("f", strings.NewReader(head+
		"6/3/2017 1:00:10 PM\tF3\t1\tE1 L1 B1 M1\tPine St\tFire in Building\n"+
		"6/3/2017 12:59:40 PM\tF2\t1\tA5\tPike St\tAid Response\r\n\n"+
		"6/3/2017 12:59:30 PM\tF1\t1\tE2\tOak St\tAdvised Incident\n"))
	if err != nil || len(calls) != 2 || skipped != 1 {
		t.Fatalf("%+v, %d, %v", calls, skipped, err)
	}
	if c := calls[0]; c.Kind != "medical" || c.Severity() != "minor" || c.At != 0 || c.Address != "Pike St" {
		t.Errorf("first %+v", c)
	}
	if c := calls[1]; c.Kind != "fire" || c.Severity() != "critical" || c.At != Duration(30*time.Second) || c.Units != 4 {
		t.Errorf("second %+v", c)
	}
	for text, want := range map[string]string{
		"":           "no call",
		"a\tb\n":     "f:1: ",
		head + "x\n": "f:2: invalid demand: it has 1 columns, want 6",
		head + "6/3/2017 1:00:10 PM\tF\t1\tE\tP\tCoffee\n":                                                      "no call",
		head + "3.6.2017\tF\t1\tE\tP\tAid Response\n":                                                           `f:2: invalid demand: "3.6.2017" is no time`,
		head + "6/3/2017 1:00:10 PM\tF\t1\tE\tP\tAid Response\n6/3/2019 1:00:10 PM\tF\t1\tE\tP\tAid Response\n": "more than a year apart",
		head + strings.Repeat("x", MaxDemandLine+1):                                                             "f:2: invalid demand: bufio.Scanner: token too long",
	} {
		_, _, err := ReadSeattleFire("f", strings.NewReader(text))
		if !errors.Is(err, ErrDemand) || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40q: error %v, want %q", text, err, want)
		}
	}
}

func TestLoggiFilesThatAreNone(t *testing.T) {
	const point = `{"lng": 1, "lat": 2}`
	for text, want := range map[string]string{
		``:                                  "f",
		"{\n\"origin\": [}":                 "f:2:",
		`{}`:                                "origin is no",
		`{"origin": {"lng": 1}}`:            "origin is no",
		`{"origin": {"lng": 1, "lat": 91}}`: "origin is no",
		`{"origin": ` + point + `}`:         "it has 0 deliveries",
		`{"origin": ` + point + `, "deliveries": [{}]}`:                                           "deliveries[0].point",
		`{"origin": ` + point + `, "deliveries": [{"point": ` + point + `}]}`:                     "deliveries[0].size is 0",
		`{"origin": ` + point + `, "deliveries": [{"point": ` + point + `, "size": 1000000000}]}`: "deliveries[0].size",
	} {
		_, err := ReadLoggi("f", strings.NewReader(text))
		if !errors.Is(err, ErrDemand) || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, want %q", text, err, want)
		}
	}
}

func FuzzReadLoggi(f *testing.F) {
	f.Add([]byte(`{"origin": {"lng": 1, "lat": 2}, "deliveries": [{"id": "a", "point": {"lng": 1, "lat": 2}, "size": 3}]}`))
	f.Add([]byte(`{"origin": 3}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := ReadLoggi("fuzz", strings.NewReader(string(data)))
		if (err == nil) != (len(p.List) > 0) || err != nil && !strings.HasPrefix(err.Error(), "fuzz") {
			t.Errorf("%+v, %v", p, err)
		}
	})
}

func FuzzReadSeattleFire(f *testing.F) {
	head := strings.Join(callColumns(), "\t") + "\n"
	f.Add([]byte(head + "6/3/2017 1:00:10 PM\tF3\t1\tE1 L1\tPine St\tFire in Building\n"))
	f.Add([]byte(head + "\t\t\t\t\t\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		calls, _, err := ReadSeattleFire("fuzz", strings.NewReader(string(data)))
		if (err == nil) != (len(calls) > 0) || err != nil && !strings.HasPrefix(err.Error(), "fuzz:") {
			t.Errorf("%+v, %v", calls, err)
		}
		for i := range calls {
			if calls[i].At < 0 || calls[i].Units < 1 || len(calls[i].Address) > maxAddress {
				t.Errorf("%+v", calls[i])
			}
		}
	})
}
