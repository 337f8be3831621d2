package main

import (
	"bytes"
	"context"
	_ "embed"
	"fmt"
	"time"

	"github.com/urfave/cli/v3"

	"liqwatch/chains/recorded"
)

// demoRecording was made by `make demo-recording` on a local node from real
// contracts.
//
//go:embed demo.recording
var demoRecording []byte

func demoCommand() *cli.Command {
	return &cli.Command{
		Name:  "demo",
		Usage: "play an hour of an embedded market: no network, no keys",
		Flags: append(showFlags(),
			&cli.DurationFlag{Name: "for", Value: 45 * time.Second, Usage: "how long the story takes; 0 for as fast as it goes"},
		),
		Action: runDemo,
	}
}

func runDemo(ctx context.Context, cmd *cli.Command) error {
	rec, err := recorded.Open(bytes.NewReader(demoRecording))
	if err != nil {
		return fmt.Errorf("open the embedded recording: %w", err)
	}
	if cmd.Duration("for") < 0 {
		return usagef("--for %s: want 0 or more", cmd.Duration("for"))
	}
	pace := cmd.Duration("for") / time.Duration(max(rec.Steps(), 1))
	return playStory(ctx, cmd, rec, pace)
}
