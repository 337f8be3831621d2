package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/rs/zerolog"
	"github.com/urfave/cli/v3"

	"liqwatch/internal/config"
)

func formatFlag(formats ...string) cli.Flag {
	return &cli.StringFlag{Name: "format", Value: formats[0], Usage: strings.Join(formats, ", ")}
}

func outputFlag() cli.Flag {
	return &cli.StringFlag{Name: "output", Aliases: []string{"o"}, Usage: "write to this file instead of stdout"}
}

func chosenFormat(cmd *cli.Command, formats ...string) (string, error) {
	f := cmd.String("format")
	if !slices.Contains(formats, f) {
		return "", usagef("--format %s: want %s", f, strings.Join(formats, ", "))
	}
	return f, nil
}

// output writes to stdout or to the file of --output; a file that could not be
// written whole is removed.
func output(cmd *cli.Command, write func(io.Writer) error) error {
	path := cmd.String("output")
	if path == "" {
		return write(cmd.Root().Writer)
	}
	f, err := os.Create(path)
	if err != nil {
		return usage(fmt.Errorf("write the result: %w", err))
	}
	err = write(f)
	if e := f.Close(); err == nil {
		err = e
	}
	if err != nil {
		_ = os.Remove(path)
		return fmt.Errorf("write the result to %s: %w", path, err)
	}
	return nil
}

// writeJSON writes one document and a line end.
func writeJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// loadConfig reads the file of -c and makes the log it asks for. Warnings go to
// the log.
func loadConfig(cmd *cli.Command) (*config.Config, zerolog.Logger, error) {
	cfg, err := config.Load(cmd.String("config"))
	if err != nil {
		return nil, zerolog.Nop(), err
	}
	log := newLog(cmd.Root().ErrWriter, cfg)
	for _, w := range cfg.Warnings {
		log.Warn().Msg(w.String())
	}
	return cfg, log, nil
}

// newLog writes to stderr: for people on a terminal, JSON lines otherwise.
// Whatever is written passes the redactor of the configuration.
func newLog(w io.Writer, cfg *config.Config) zerolog.Logger {
	level, err := zerolog.ParseLevel(cfg.Log.Level)
	if err != nil {
		level = zerolog.InfoLevel
	}
	var to io.Writer = redacting{w, cfg.Redact}
	if isTerminal(w) {
		to = zerolog.ConsoleWriter{Out: to, TimeFormat: "15:04:05"}
	}
	return zerolog.New(to).Level(level).With().Timestamp().Logger()
}

// quiet leaves out what a daemon's operator wants to read and whoever asked one
// question does not.
func quiet(log zerolog.Logger) zerolog.Logger {
	if log.GetLevel() == zerolog.InfoLevel {
		return log.Level(zerolog.WarnLevel)
	}
	return log
}

// redacting is the last guard of secrets on their way to the log.
type redacting struct {
	w     io.Writer
	clean func(string) string
}

func (r redacting) Write(p []byte) (int, error) {
	if _, err := io.WriteString(r.w, r.clean(string(p))); err != nil {
		return 0, err
	}
	return len(p), nil
}
