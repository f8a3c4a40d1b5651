package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// validate runs the command on a file and returns its status and what it said.
func validate(t *testing.T, path, airframe string, more ...string) (status int, out, talk string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	args := append([]string{"sim", "validate-flight", path, "--airframe", airframe}, more...)
	status = run(args, console{in: strings.NewReader(""), out: &stdout, err: &stderr, env: func(string) string { return "" }})
	return status, stdout.String(), stderr.String()
}

// Real flights: the model, calibrated from what makers publish, foretells them.
func TestRecordedFlights(t *testing.T) {
	data := os.Getenv("KAPOK_DATA")
	if data == "" {
		data = filepath.Join("..", "..", "..", "shared", "data")
	}
	folder := filepath.Join(data, "telemetry")
	if _, err := os.Stat(folder); err != nil {
		t.Skipf("the recorded flights are not there: %v", err)
	}
	for _, c := range []struct{ file, airframe, model string }{
		{"dji-phantom4pro.log", "dji-phantom-4-pro", "Phantom 4 Pro"},
		{"dji-inspire.log", "dji-inspire-1-pro", "Inspire 1 Pro"},
	} {
		status, out, talk := validate(t, filepath.Join(folder, c.file), c.airframe, "-o", "json")
		var v validation
		if err := json.Unmarshal([]byte(out), &v); err != nil || status != 0 {
			t.Fatalf("%s: status %d, %s %v", c.file, status, talk, err)
		}
		if v.Recorded != c.model || v.Measured != "voltage x current" || math.Abs(v.ErrorRatio) > 0.15 || len(v.Phases) != 4 {
			t.Errorf("%s: %+v", c.file, v)
		}
		sum := 0.0
		for _, p := range v.Phases {
			sum += p.ModelWh
		}
		if math.Abs(sum-v.ModelWh) > 1e-9 || math.Abs(v.PercentWh/v.MeasuredWh-1) > 0.2 {
			t.Errorf("%s: phases add up to %g Wh, the total is %g; measured %g, by percent %g", c.file, sum, v.ModelWh, v.MeasuredWh, v.PercentWh)
		}
		if status, _, talk := validate(t, filepath.Join(folder, c.file), "dji-m600-pro"); status != 1 || !strings.Contains(talk, "more than 15 %") {
			t.Errorf("%s as a hexacopter: status %d, %s", c.file, status, talk)
		}
	}
	if status, _, talk := validate(t, filepath.Join(folder, "dji-truncated.log"), "dji-inspire-1-pro"); status != 2 ||
		!strings.Contains(talk, "only 1.4 s of flight, from line 32") || !strings.Contains(talk, "cut short at line 46") {
		t.Errorf("the truncated log: status %d, %s", status, talk)
	}
	if status, _, talk := validate(t, filepath.Join(folder, "px4-sample.ulg"), "dji-m30"); status != 2 || !strings.Contains(talk, "line 1: this is no flight recorder's log") {
		t.Errorf("another format: status %d, %s", status, talk)
	}
}

const logHead = "#DroneDeploy\t1\n#Aircraft\nAircraft Model\tM30\n" +
	"Date/Time (UTC)\tElapsed Time (sec)\tAircraft Battery Power (%)\tAircraft Battery Current (mA)\tAircraft Battery Voltage (mV)\t" +
	"Aircraft Battery Last Updated (ms)\tAircraft Speed (mph)\tAircraft Barometric Altitude (ft)\tAircraft Vel - X (mph)\tAircraft Vel - Y (mph)\t" +
	"Aircraft Vel - Z (mph)\tAircraft Flying\tAircraft Flight Mode\tEnd\n"

// hoverLog is a minute of hover at a power.
func hoverLog(milliamperes int) string {
	text := logHead
	for i := range 61 {
		text += fmt.Sprintf("x\t%d\t%g\t%d\t25000\t10\t0\t100\t0\t0\t0\t1\tP-GPS\t\n", i, 90-float64(i)*0.05, -milliamperes)
	}
	return text + "#Flight Recorder Session End\nElapsed Time (sec)\t61\n"
}

func TestMeasuredEnergyAndItsFallBack(t *testing.T) {
	read := func(text string) validation {
		path := filepath.Join(t.TempDir(), "flight.log")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, out, talk := validate(t, path, "dji-m30", "-o", "json")
		var v validation
		if err := json.Unmarshal([]byte(out), &v); err != nil {
			t.Fatalf("%s %v", talk, err)
		}
		return v
	}
	if v := read(hoverLog(16_000)); math.Abs(v.MeasuredWh-400.0/60) > 1e-6 || v.Measured != "voltage x current" || !v.Passed || v.FlightS != 60 {
		t.Errorf("400 W for a minute: %+v", v)
	}
	if v := read(hoverLog(32_000)); v.Passed || v.ErrorRatio > -0.4 {
		t.Errorf("800 W for a minute: %+v", v)
	}
	// Without a current, and with a percent that is 0 at the end, which is no reading.
	whole := hoverLog(0)
	if v := read(strings.ReplaceAll(whole, "\t87\t", "\t0\t")); math.Abs(v.MeasuredWh-0.0295*263.2) > 1e-6 || v.CutShort {
		t.Errorf("without the last percent: %+v", v)
	}
	// The recorder lost its power within a line.
	whole = hoverLog(16_000)
	if v := read(whole[:strings.Index(whole, "x\t45\t")+9]); !v.CutShort || v.FlightS != 44 || math.Abs(v.MeasuredWh-44*400.0/3600) > 1e-6 {
		t.Errorf("cut short: %+v", v)
	}
	if v := read(hoverLog(0)); math.Abs(v.MeasuredWh-0.03*263.2) > 1e-6 || v.Measured != "battery percent" {
		t.Errorf("without a current: %+v", v)
	}
}

func TestFlightLogsAreRefusedWithLineAndReason(t *testing.T) {
	row := "x\t1\t90\t-1\t1\t1\t0\t1\t0\t0\t0\t1\tP\t\n"
	for name, c := range map[string]struct{ text, want string }{
		"empty":          {"", "line 1: the file is empty"},
		"another file":   {"PK\x03\x04", "line 1: this is no flight recorder's log"},
		"only a head":    {"#DroneDeploy\n#x\n", "line 2: the log ends before the names"},
		"no column":      {strings.Replace(logHead, "Aircraft Flying", "Aircraft Lying", 1), `line 4: there is no column "Aircraft Flying"`},
		"a short line":   {logHead + row + "x\t2\t90\n", "line 6: 3 columns instead of 14"},
		"one amid":       {logHead + "x\t2\t90\n" + row, "line 5: 3 columns instead of 14"},
		"no number":      {logHead + strings.Replace(row, "90", "ninety", 1), `line 5: column 3, battery percent: "ninety"`},
		"an endless one": {logHead + strings.Replace(row, "\t1\t90", "\tNaN\t90", 1), "line 5: column 2, elapsed time"},
		"time goes back": {logHead + strings.Replace(row, "\t1\t90", "\t5\t90", 1) + row, "line 6: the time goes back from 5 to 1"},
		"a long line":    {logHead + strings.Repeat("x", maxLogLine+1), "line 5: it is longer than 64 KiB"},
		"a long head":    {"#DroneDeploy\n" + strings.Repeat("a\n", 2000), "line 1001: no names of columns"},
	} {
		_, err := readFlightLog(strings.NewReader(c.text))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
	for name, c := range map[string]struct{ text, want string }{
		"never flying": {logHead + strings.Replace(row, "\t1\tP", "\t0\tP", 1), "no sample of lines 5 to 5 is flying"},
		"too short":    {logHead + row, "only 0.0 s of flight, from line 5"},
		"no speeds":    {strings.ReplaceAll(hoverLog(1), "Vel - X (mph)", "Vel - X"), "line 4: there are no columns Aircraft Vel"},
	} {
		log, err := readFlightLog(strings.NewReader(c.text))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if _, err := log.flight(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
	if status, _, talk := validate(t, "x", "kite"); status != 2 || !strings.Contains(talk, `airframe "kite" is not one of dji-`) {
		t.Errorf("an unknown airframe: %d %s", status, talk)
	}
}

func FuzzFlightLog(f *testing.F) {
	f.Add([]byte(hoverLog(16_000)))
	f.Add([]byte(logHead + "x\t1\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		log, err := readFlightLog(bytes.NewReader(data))
		if err != nil {
			if !strings.HasPrefix(err.Error(), "line ") {
				t.Errorf("a refusal without a line: %v", err)
			}
			return
		}
		flown, err := log.flight()
		if err != nil {
			return
		}
		if span := flown[len(flown)-1].Seconds - flown[0].Seconds; !(span >= leastFlightS) || !flown[0].Flying {
			t.Errorf("a flight of %g s", span)
		}
	})
}
