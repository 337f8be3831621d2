package main

import (
	"bytes"
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

// What was stopped half way has shown nothing: a script must not read it as done.
func TestAnInterruptionIsNotSuccess(t *testing.T) {
	var errs bytes.Buffer
	require.Equal(t, exitFailed, report(fmt.Errorf("verify: %w", context.Canceled), &errs))
	require.Equal(t, "liqwatch: interrupted before it was done\n", errs.String())
	errs.Reset()
	require.Equal(t, exitDone, report(nil, &errs))
	require.Empty(t, errs.String())
}
