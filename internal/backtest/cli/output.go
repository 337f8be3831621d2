package cli

import (
	"fmt"
	"io"
	"os"

	"github.com/urfave/cli/v3"
)

// output writes to stdout or to the file of --output; a file that could not be
// written whole is removed.
func output(cmd *cli.Command, env Env, write func(io.Writer) error) error {
	path := cmd.String("output")
	if path == "" {
		return write(cmd.Root().Writer)
	}
	f, err := os.Create(path)
	if err != nil {
		return env.Usage(fmt.Errorf("write the report: %w", err))
	}
	err = write(f)
	if e := f.Close(); err == nil {
		err = e
	}
	if err != nil {
		_ = os.Remove(path)
		return fmt.Errorf("write the report to %s: %w", path, err)
	}
	return nil
}
