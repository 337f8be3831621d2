package store

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestOldPostgresIsRefused(t *testing.T) {
	require.NoError(t, refuseOldPostgres(140000, "14.0"))
	require.NoError(t, refuseOldPostgres(150018, "15.18"))
	err := refuseOldPostgres(130022, "13.22")
	require.ErrorIs(t, err, ErrUnsupported)
	require.ErrorContains(t, err, "its server is Postgres 13.22, liqwatch needs 14 or newer")
}
