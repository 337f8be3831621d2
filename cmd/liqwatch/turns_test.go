package main

import (
	"bytes"
	"context"
	"database/sql"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib"
	"github.com/stretchr/testify/require"

	"liqwatch/devnet/postgres"
	"liqwatch/internal/store"
)

// What a process can never read in the store ends it, so that whoever runs it learns of
// it: it does not lead again and again in vain, and keep others from it.
func TestADamagedStoreEndsTheTurns(t *testing.T) {
	name := postgres.Database(t)
	s, err := store.Open(t.Context(), name)
	require.NoError(t, err)
	require.NoError(t, s.Close())
	db, err := sql.Open("pgx", name)
	require.NoError(t, err)
	_, err = db.ExecContext(t.Context(), `INSERT INTO rule_states (rule, pruned, doubts, revisions) VALUES ('eth', 0, 'no JSON', '{}')`)
	require.NoError(t, err)
	require.NoError(t, db.Close())
	file := filepath.Join(t.TempDir(), "liqwatch.yaml")
	require.NoError(t, os.WriteFile(file, []byte(`
chains:
  devnet: {id: 31337, rpc: ["http://127.0.0.1:1"]}
markets:
  - {name: aave, protocol: aave-v3, chain: devnet, pool_addresses_provider: "0x0000000000000000000000000000000000000001"}
axes:
  ETH: {reference: aave}
rules:
  - {name: eth, axis: ETH, levels: [2300], notify: [out]}
notifiers:
  out: {type: stdout}
web: {listen: off}
store: `+name+"\n"), 0o600))
	ctx, stop := context.WithTimeout(t.Context(), 5*time.Second)
	defer stop()
	var out, log bytes.Buffer
	cmd := newApp(&out, &log)
	err = cmd.Run(ctx, []string{"liqwatch", "watch", "-c", file})
	require.ErrorIs(t, err, store.ErrDamaged)
	require.Equal(t, 1, strings.Count(log.String(), "leading"), "turns")
}
