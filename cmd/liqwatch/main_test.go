package main

import (
	"bytes"
	"context"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestMain lets scripts run the program: the test binary becomes it under that name.
func TestMain(m *testing.M) {
	armKillpoint()
	testscript.Main(m, map[string]func(){"liqwatch": main})
}

// liqwatch runs a command in this process.
func liqwatch(ctx context.Context, args ...string) (stdout, stderr string, code int) {
	var out, errs bytes.Buffer
	code = run(ctx, append([]string{"liqwatch"}, args...), &out, &errs)
	return out.String(), errs.String(), code
}
