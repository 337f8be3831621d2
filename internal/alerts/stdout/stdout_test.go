package stdout

import (
	"context"
	"errors"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"liqwatch/internal/alerts"
)

func ExampleNotifier() {
	m := alerts.Message{
		Severity: alerts.Critical, Title: "ETH fell to 2,400, now 2,391.2",
		Text: "312 M USD of collateral at risk\n1,234 accounts", Time: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
	}
	if err := New(os.Stdout).Send(context.Background(), m); err != nil {
		fmt.Println(err)
	}
	m.MayRepeat, m.Severity = true, alerts.Info
	if err := New(os.Stdout).Send(context.Background(), m); err != nil {
		fmt.Println(err)
	}
	// Output:
	// 03:04:05 critical ETH fell to 2,400, now 2,391.2
	//     312 M USD of collateral at risk
	//     1,234 accounts
	// 03:04:05 info     ETH fell to 2,400, now 2,391.2 (may repeat)
	//     312 M USD of collateral at risk
	//     1,234 accounts
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("no space") }

func TestAWriterThatFailsIsTriedAgain(t *testing.T) {
	err := New(full{}).Send(t.Context(), alerts.Message{})
	require.ErrorContains(t, err, "stdout: write: no space")
}
