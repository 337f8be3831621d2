package config

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestWhatIsKnownIsListedOnce(t *testing.T) {
	require.Equal(t, "known here: BTC, ETH, TRX", didYouMean("DOGECOIN", []string{"TRX", "ETH", "BTC", "ETH"}))
}
