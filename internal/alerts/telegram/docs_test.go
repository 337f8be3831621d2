package telegram

import (
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The documentation has every key of the notifier's block in the order of the code,
// with its default, and no other.
func TestTheSettingsAreDocumented(t *testing.T) {
	page, err := os.ReadFile("../../../docs/configuration.md")
	require.NoError(t, err)
	_, section, ok := strings.Cut(string(page), "`type: telegram`:\n")
	require.True(t, ok)
	section, _, _ = strings.Cut(strings.TrimSpace(section), "\n\n")
	var documented [][2]string
	for _, row := range strings.Split(section, "\n")[2:] {
		cells := strings.Split(row, "|")
		documented = append(documented, [2]string{strings.Trim(cells[1], " `"), strings.Trim(cells[3], " `")})
	}
	var used [][2]string
	for f := range reflect.TypeFor[Settings]().Fields() {
		key, required, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		fallback := f.Tag.Get("default")
		if required != "" {
			fallback = required
		}
		if key == "api_url" {
			fallback = "https://api.telegram.org"
		}
		require.NotEmpty(t, f.Tag.Get("doc"), key)
		used = append(used, [2]string{key, fallback})
	}
	require.Equal(t, used, documented)
}
