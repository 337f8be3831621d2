package alertmanager

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"liqwatch/devnet/debian"
)

// shown is an alert as Alertmanager gives it back, or passes it on.
type shown struct {
	Labels      map[string]string `json:"labels"`
	Annotations map[string]string `json:"annotations"`
	StartsAt    time.Time         `json:"startsAt"`
	EndsAt      time.Time         `json:"endsAt"`
	Status      json.RawMessage   `json:"status"`
	Source      string            `json:"generatorURL"`
}

// real is Alertmanager itself, from Debian's package, and what its receiver is told.
type real struct {
	url string
	cmd *exec.Cmd

	mu   sync.Mutex
	told []shown
}

// startReal starts one that answers within the test.
func startReal(t *testing.T) *real {
	t.Helper()
	r := &real{}
	receiver := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, req *http.Request) {
		var group struct {
			Alerts []shown `json:"alerts"`
		}
		if json.NewDecoder(req.Body).Decode(&group) == nil {
			r.mu.Lock()
			r.told = append(r.told, group.Alerts...)
			r.mu.Unlock()
		}
	}))
	t.Cleanup(receiver.Close)
	dir := t.TempDir()
	conf := filepath.Join(dir, "alertmanager.yml")
	require.NoError(t, os.WriteFile(conf, []byte(fmt.Sprintf(`
route: {receiver: hook, group_by: [alertname, incident, level], group_wait: 50ms, group_interval: 100ms, repeat_interval: 1h}
receivers: [{name: hook, webhook_configs: [{url: %q}]}]
`, receiver.URL)), 0o600))
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	addr := l.Addr().String()
	require.NoError(t, l.Close())
	r.url = "http://" + addr
	r.cmd = exec.Command(debian.Program(t, "prometheus-alertmanager", "prometheus-alertmanager"),
		"--config.file="+conf, "--storage.path="+filepath.Join(dir, "data"), "--web.listen-address="+addr, "--cluster.listen-address=")
	require.NoError(t, r.cmd.Start())
	t.Cleanup(func() {
		_ = r.cmd.Process.Kill()
		_ = r.cmd.Wait()
	})
	require.Eventually(t, func() bool {
		res, err := http.Get(r.url + "/-/ready")
		if err != nil {
			return false
		}
		res.Body.Close()
		return res.StatusCode == http.StatusOK
	}, 20*time.Second, 50*time.Millisecond, "Alertmanager starts")
	return r
}

// firing are the alerts that it holds to last, by name and severity.
func (r *real) firing(t *testing.T) map[string]shown {
	t.Helper()
	res, err := http.Get(r.url + "/api/v2/alerts")
	require.NoError(t, err)
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	var list []shown
	require.NoError(t, json.Unmarshal(raw, &list), "%s", raw)
	out := map[string]shown{}
	for _, a := range list {
		out[a.Labels["alertname"]+" "+a.Labels["severity"]+" "+a.Labels["level"]] = a
	}
	return out
}

// said counts what the receiver was told: name, severity, level and state.
func (r *real) said() map[string]int {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := map[string]int{}
	for _, a := range r.told {
		out[strings.Join([]string{a.Labels["alertname"], a.Labels["severity"], a.Labels["level"], strings.Trim(string(a.Status), `"`)}, " ")]++
	}
	return out
}
