package rig

import (
	"bytes"
	"os"
	"runtime"
	"strings"
)

// Machine is what a benchmark ran on.
type Machine struct {
	// Cores are those that the benchmark might use.
	Cores int `json:"cores"`
	// Processor and Kernel are empty where the system does not tell them.
	Processor string `json:"processor,omitempty"`
	Kernel    string `json:"kernel,omitempty"`
	OS        string `json:"os"`
	Arch      string `json:"arch"`
	Go        string `json:"go"`
}

// ThisMachine describes the machine.
func ThisMachine() Machine {
	m := Machine{Cores: runtime.NumCPU(), OS: runtime.GOOS, Arch: runtime.GOARCH, Go: runtime.Version()}
	if data, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		m.Processor = processorName(data)
	}
	if data, err := os.ReadFile("/proc/sys/kernel/osrelease"); err == nil {
		m.Kernel = strings.TrimSpace(string(data))
	}
	return m
}

// processorName finds the name of the first processor, and its family and model
// where the name says little.
func processorName(cpuinfo []byte) string {
	found := map[string]string{}
	for line := range bytes.Lines(cpuinfo) {
		name, value, _ := strings.Cut(string(line), ":")
		if name = strings.TrimSpace(name); found[name] == "" {
			found[name] = strings.TrimSpace(value)
		}
	}
	text := found["model name"]
	if family := found["cpu family"]; text != "" && family != "" {
		text += ", family " + family + ", model " + found["model"]
	}
	return text
}

// Places says which cores the server that is measured and what loads it are
// pinned to: the first and the second of the machine's, or none of both where
// there is only one.
func Places() (server, load []int) {
	all := cores()
	if len(all) < 2 {
		return nil, nil
	}
	return all[:1], all[1:2]
}
