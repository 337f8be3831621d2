//go:build unix

package exec

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"liqwatch/internal/alerts"
	"liqwatch/internal/alerts/notifiertest"
	"liqwatch/internal/config"
)

func build(t testing.TB, values map[string]any) (*Notifier, error) {
	t.Helper()
	s, err := config.FromMap("test", values)
	require.NoError(t, err)
	return New(s)
}

// script is a notifier that runs a shell script.
func script(t testing.TB, text string, changes map[string]any) *Notifier {
	t.Helper()
	values := map[string]any{"command": []string{"/bin/sh", "-c", text, "sh"}}
	for k, v := range changes {
		values[k] = v
	}
	n, err := build(t, values)
	require.NoError(t, err)
	return n
}

func TestTheCommandReadsTheMessage(t *testing.T) {
	t.Setenv("ETH_RPC", "https://rpc.example/hunter2")
	dir := t.TempDir()
	n := script(t, `cat > "$OUT/body"; env > "$OUT/env"; printf '%s|' "$@" > "$OUT/args"`,
		map[string]any{"command": []string{"/bin/sh", "-c", `cat > "$OUT/body"; env > "$OUT/env"; printf '%s|' "$@" > "$OUT/args"`, "sh", "a b", "$HOME;`id`"}, "env": map[string]string{"OUT": dir}})
	for _, m := range notifiertest.Episode(t) {
		m.MayRepeat = m.Kind == alerts.KindStale
		require.NoError(t, n.Send(t.Context(), m))
		body, err := os.ReadFile(filepath.Join(dir, "body"))
		require.NoError(t, err)
		require.Equal(t, string(m.Data)+"\n", string(body))
		var read alerts.Body
		require.NoError(t, json.Unmarshal(body, &read))
		env, err := os.ReadFile(filepath.Join(dir, "env"))
		require.NoError(t, err)
		require.Contains(t, string(env), "LIQWATCH_ID="+m.ID+"\n")
		require.Contains(t, string(env), "LIQWATCH_TITLE="+m.Title+"\n")
		require.Contains(t, string(env), "LIQWATCH_SEVERITY="+string(m.Severity)+"\n")
		require.Equal(t, m.MayRepeat, strings.Contains(string(env), "LIQWATCH_MAY_REPEAT=1"))
		require.NotContains(t, string(env), "hunter2", "liqwatch's own environment may hold keys")
	}
	args, err := os.ReadFile(filepath.Join(dir, "args"))
	require.NoError(t, err)
	require.Equal(t, "a b|$HOME;`id`|", string(args), "no shell reads the arguments")
}

func TestWhatAnEndMeans(t *testing.T) {
	for text, want := range map[string]string{
		"exit 0":                              "sent",
		"exit 75":                             "retry",
		"exit 1":                              "dead",
		"exit 2":                              "dead",
		"exit 127":                            "dead",
		"kill -9 $$":                          "unsure",
		"exec cat >/dev/null":                 "sent",
		"exit 0 <&-":                          "sent", // what it does not read does not matter
		"yes | head -c 3000000":               "sent",
		"yes | head -c 3000000 >&2; exit 75":  "retry",
		"sleep 60 & exit 0":                   "sent",
		"sleep 60 >/dev/null 2>&1 & exit 75":  "retry",
		"trap '' TERM; while :; do :; done":   "unsure",
		"sleep 60":                            "unsure",
		"(trap '' TERM HUP; sleep 60) & wait": "unsure",
	} {
		t.Run(text, func(t *testing.T) {
			t.Parallel()
			n := script(t, text, map[string]any{"timeout": "700ms"})
			m := notifiertest.Episode(t)[0]
			m.Data = json.RawMessage(`"` + strings.Repeat("x", 1<<20) + `"`) // more than a pipe holds
			began := time.Now()
			require.Equal(t, want, notifiertest.Meaning(n.Send(t.Context(), m)))
			require.Less(t, time.Since(began), 10*time.Second)
		})
	}
}

// What a command started is dead when its time is over, and when it ends.
func TestNothingIsLeftRunning(t *testing.T) {
	for name, text := range map[string]string{
		"too slow":        `sleep 60 & echo $! > "$OUT"; wait`,
		"left behind":     `sleep 60 >/dev/null 2>&1 & echo $! > "$OUT"`,
		"holds its pipes": `sleep 60 & echo $! > "$OUT"`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			out := filepath.Join(t.TempDir(), "pid")
			n := script(t, text, map[string]any{"timeout": "500ms", "env": map[string]string{"OUT": out}})
			_ = n.Send(t.Context(), notifiertest.Episode(t)[0])
			raw, err := os.ReadFile(out)
			require.NoError(t, err)
			pid, err := strconv.Atoi(strings.TrimSpace(string(raw)))
			require.NoError(t, err)
			require.Eventually(t, func() bool { return syscall.Kill(pid, 0) != nil || zombie(pid) }, 5*time.Second, 20*time.Millisecond)
		})
	}
}

// zombie reports that a process is dead, though nobody has asked for its status yet.
func zombie(pid int) bool {
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return true
	}
	_, rest, _ := strings.Cut(string(stat), ") ")
	return strings.HasPrefix(rest, "Z")
}

func TestACallerWhoStopsStopsTheCommand(t *testing.T) {
	n := script(t, "sleep 60", nil)
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	require.Equal(t, "unsure", notifiertest.Meaning(n.Send(ctx, notifiertest.Episode(t)[0])))
}

func TestWhatItSaysIsShownWithoutItsSecrets(t *testing.T) {
	n := script(t, `cat; echo "no: $KEY, $KEY2" >&2; printf 'two\nlines\033[31m' >&2; yes x | head -c 200000 >&2; exit 3`, map[string]any{"env": map[string]string{"KEY": "hunter2", "KEY2": "hunter2hunter2"}})
	err := n.Send(t.Context(), notifiertest.Episode(t)[0])
	require.ErrorContains(t, err, "status 3: no: [secret], [secret] two lines")
	require.NotContains(t, err.Error(), "hunter2")
	require.Less(t, len(err.Error()), 300)
}

func TestHostileNamesDoNoHarm(t *testing.T) {
	dir := t.TempDir()
	n := script(t, `test -n "$LIQWATCH_TITLE" && cat > /dev/null && ls -A "$OUT" | grep . && exit 1; exit 0`, map[string]any{"env": map[string]string{"OUT": dir}})
	for _, name := range notifiertest.Hostile {
		require.NoError(t, n.Send(t.Context(), notifiertest.HostileMessage(t, name)), "%.40q", name)
	}
}

func TestBadSettingsSayWhatToDo(t *testing.T) {
	plain := filepath.Join(t.TempDir(), "plain")
	require.NoError(t, os.WriteFile(plain, []byte("x"), 0o600))
	for name, tc := range map[string]struct {
		values map[string]any
		want   string
	}{
		"no command":      {map[string]any{}, "command"},
		"empty":           {map[string]any{"command": []string{}}, "as a list"},
		"as text":         {map[string]any{"command": "tell --loud"}, "brackets"},
		"not there":       {map[string]any{"command": []string{"/does/not/exist"}}, "no program"},
		"not to be run":   {map[string]any{"command": []string{plain}}, "no program"},
		"too slow":        {map[string]any{"command": []string{"true"}, "timeout": "1m"}, "at most 25s"},
		"odd variable":    {map[string]any{"command": []string{"true"}, "env": map[string]string{"A-B": "hunter2"}}, "no name for a variable"},
		"our own":         {map[string]any{"command": []string{"true"}, "env": map[string]string{"LIQWATCH_ID": "hunter2"}}, "LIQWATCH_"},
		"unknown setting": {map[string]any{"command": []string{"true"}, "shell": true}, "shell"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := build(t, tc.values)
			require.ErrorContains(t, err, tc.want)
			require.NotContains(t, err.Error(), "hunter2")
		})
	}
}

func TestACommandThatIsGoneIsTriedAgain(t *testing.T) {
	path := filepath.Join(t.TempDir(), "tell")
	require.NoError(t, os.WriteFile(path, []byte("#!/bin/sh\n"), 0o700))
	n, err := build(t, map[string]any{"command": []string{path}})
	require.NoError(t, err)
	require.NoError(t, n.Send(t.Context(), notifiertest.Episode(t)[0]))
	require.NoError(t, os.Remove(path))
	err = n.Send(t.Context(), notifiertest.Episode(t)[0])
	require.Equal(t, "retry", notifiertest.Meaning(err))
	require.ErrorContains(t, err, "start the command")
}
