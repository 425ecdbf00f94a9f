// Package results is the file that storm writes and plot reads.
package results

import (
	"encoding/json"
	"fmt"
	"os"
)

// File is one measurement of all handlers on one machine.
type File struct {
	Command  string            `json:"command"`
	Date     string            `json:"date"`
	Go       string            `json:"go"`
	Platform string            `json:"platform"`
	CPU      string            `json:"cpu"`
	Cores    int               `json:"cores"`
	Versions map[string]string `json:"versions"` // module path: version
	Runs     []Run             `json:"runs"`
}

// Run is one handler in one scenario, in a process of its own.
type Run struct {
	Handler  string `json:"handler"`
	Scenario string `json:"scenario"`
	Slack    string `json:"slack"`
	Base     string `json:"base"`
	Asked    int    `json:"asked"`             // alerts to log
	Logged   int    `json:"logged"`            // fewer if the run was stopped
	Stopped  string `json:"stopped,omitempty"` // why; "" = it ran to its end

	// While the callers logged.
	WallMS float64 `json:"wall_ms"`
	CPUMS  float64 `json:"cpu_ms"` // of the whole process: callers and what works for them
	Calls

	// Until the process ended.
	ExitMS     float64 `json:"exit_ms"` // to deliver what waited, at most what -exit allows
	Flushes    bool    `json:"flushes"` // false: the handler offers no such call
	TotalCPUMS float64 `json:"total_cpu_ms"`
	RSSMiB     float64 `json:"rss_mib"`  // peak
	HeapMiB    float64 `json:"heap_mib"` // peak over the start, garbage not yet collected included
	LiveMiB    float64 `json:"live_mib"` // still held when the callers were done, over the start
	Goroutines int     `json:"goroutines"`

	Requests  uint64  `json:"requests"`
	Refused   uint64  `json:"refused"` // of those, answered with 429
	Delivered uint64  `json:"delivered"`
	Lost      uint64  `json:"lost"`
	SaidLost  *uint64 `json:"said_lost"` // what the handler itself said of it; null: nothing
	Errors    uint64  `json:"errors"`    // failures it reported without saying how many alerts they cost
}

// Calls is how long one call took.
type Calls struct {
	MeanNS int64 `json:"mean_ns"`
	P50NS  int64 `json:"p50_ns"`
	P99NS  int64 `json:"p99_ns"`
	MaxNS  int64 `json:"max_ns"`
}

// CPUPerAlert is the CPU time of the whole process over the alerts logged, in
// microseconds, delivery included.
func (r Run) CPUPerAlert() float64 { return r.TotalCPUMS * 1e3 / float64(max(r.Logged, 1)) }

// Read reads the file at path.
func Read(path string) (File, error) {
	var f File
	text, err := os.ReadFile(path)
	if err != nil {
		return f, fmt.Errorf("results: %w", err)
	}
	if err := json.Unmarshal(text, &f); err != nil {
		return f, fmt.Errorf("results: %s: %w", path, err)
	}
	return f, nil
}

// Write writes the file to path.
func (f File) Write(path string) error {
	text, err := json.MarshalIndent(f, "", "  ")
	if err != nil {
		return fmt.Errorf("results: %w", err)
	}
	if err := os.WriteFile(path, append(text, '\n'), 0o644); err != nil {
		return fmt.Errorf("results: %w", err)
	}
	return nil
}
