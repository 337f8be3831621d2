package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
)

// beat is a sentence to tell at a block.
type beat struct {
	Block uint64 `json:"block"`
	Text  string `json:"text"`
}

// readBeats reads one {"block": N, "text": "..."} a line; no file, no beats.
func readBeats(path string) ([]beat, error) {
	if path == "" {
		return nil, nil
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("--beats: %w", err)
	}
	defer func() { _ = f.Close() }()
	var out []beat
	lines := bufio.NewScanner(f)
	for n := 1; lines.Scan(); n++ {
		var b beat
		if err := json.Unmarshal(lines.Bytes(), &b); err != nil {
			return nil, fmt.Errorf("--beats %s:%d: want {\"block\": N, \"text\": \"...\"}: %w", path, n, err)
		}
		out = append(out, b)
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("--beats %s: %w", path, err)
	}
	return out, nil
}
