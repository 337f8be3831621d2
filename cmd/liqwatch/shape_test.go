package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"path/filepath"
	"strings"
	"testing"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"liqwatch/devnet/aave"
	"liqwatch/devnet/anvil"
	"liqwatch/devnet/population"
)

// What a value of a document has to be; money is a decimal in a string.
const (
	text    = "text"
	money   = "money"
	integer = "integer"
	flag    = "flag"
	orNull  = " or null"
)

type (
	object = map[string]any
	list   = []any // of the one element; not empty
)

// with is an object with the fields of several.
func with(parts ...object) object {
	out := object{}
	for _, p := range parts {
		maps.Copy(out, p)
	}
	return out
}

var totals = object{
	"accounts": integer, "owners": integer, "at_risk_usd": money, "seizable_usd": money, "debt_usd": money, "bad_debt_usd": money,
}

// The promise to scripts, command by command.
var (
	mapShape = object{
		"axis": text, "spot": money, "reference": text,
		"blocks":    list{object{"chain": text, "number": integer, "hash": text, "time": integer}},
		"positions": integer, "unpriced": integer, "no_trigger": integer, "liquidatable_now": totals,
		"bands": list{object{
			"from": money + orNull, "to": money + orNull, "direction": text, "at_trigger": totals, "at_spot": totals,
			"by_market":   list{with(object{"market": text}, totals)},
			"by_asset":    list{object{"symbol": text, "amount": money, "at_risk_usd": money}},
			"top10_share": money,
			"largest":     list{object{"market": text, "position": text, "at_risk_usd": money, "trigger": money}},
		}},
		"down": list{with(object{"price": money}, totals)},
		"up":   list{with(object{"price": money}, totals)},
	}
	positionShape = object{
		"market": text, "position": text, "owner": text, "block": integer, "health_factor": money + orNull,
		"health_factor_raw": money + orNull, "liquidatable": flag, "blocked": text, "collateral_usd": money, "debt_usd": money,
		"view": object{"totalCollateralBase": money, "totalDebtBase": money, "healthFactor": money},
		"legs": list{object{
			"asset": text, "symbol": text, "side": text, "amount_raw": money, "amount": money, "price": money, "threshold": money,
		}},
		"triggers": object{"ETH": object{"down": money + orNull, "up": money + orNull}},
	}
	verifyShape = object{"markets": list{object{
		"market": text, "block": integer, "positions": integer, "differences": []any{},
		"sums": list{object{"asset": text, "ours": money, "chain": money}}, "max_difference_raw": money,
	}}}
	tvlShape = object{"markets": list{object{
		"market": text, "block": integer,
		"assets": list{object{
			"symbol": text, "supplied": money, "borrowed": money, "available": money, "utilization": money, "tvl_usd": money,
		}},
	}}}
)

func TestDocumentsHaveThePromisedShape(t *testing.T) {
	ctx := t.Context()
	node := anvil.Run(t, anvil.Options{})
	w, err := aave.Deploy(ctx, node, aave.V36, aave.Options{})
	require.NoError(t, err)
	_, err = population.Build(ctx, w, population.Options{Seed: 1})
	require.NoError(t, err)
	dir := t.TempDir()
	t.Chdir(dir)
	require.NoError(t, writeConfig(dir, "sound", node.URL, w.Provider, w.FromBlock))
	config := filepath.Join(dir, "sound.yaml")
	for name, c := range map[string]struct {
		args  []string
		shape object
	}{
		"map":    {[]string{"map", "-c", config, "--axis", "ETH", "--levels", "1000,2000,3000", "--format", "json"}, mapShape},
		"verify": {[]string{"verify", "-c", config, "--format", "json"}, verifyShape},
		"tvl":    {[]string{"tvl", "-c", config, "--format", "json"}, tvlShape},
	} {
		t.Run(name, func(t *testing.T) {
			out, errs, code := liqwatch(ctx, c.args...)
			require.Zero(t, code, errs)
			require.Empty(t, errs)
			d := json.NewDecoder(strings.NewReader(out))
			d.UseNumber()
			var v any
			require.NoError(t, d.Decode(&v))
			require.False(t, d.More(), "one document")
			fits(t, name, c.shape, v)
		})
	}
	t.Run("positions", func(t *testing.T) {
		out, errs, code := liqwatch(ctx, "positions", "-c", config, "--format", "jsonl")
		require.Zero(t, code, errs)
		n := 0
		for line := range bytes.Lines([]byte(out)) {
			d := json.NewDecoder(bytes.NewReader(line))
			d.UseNumber()
			var v any
			require.NoError(t, d.Decode(&v))
			n++
			fits(t, fmt.Sprint("line ", n), positionShape, v)
		}
		require.Greater(t, n, 500)
	})
}

// fits compares a value with what was promised; fields beyond the promise are free.
func fits(t *testing.T, path string, want, got any) {
	t.Helper()
	switch want := want.(type) {
	case object:
		o, ok := got.(object)
		require.True(t, ok, "%s: %v is no object", path, got)
		for key, w := range want {
			require.Contains(t, o, key, path)
			fits(t, path+"."+key, w, o[key])
		}
	case list:
		l, ok := got.([]any)
		require.True(t, ok, "%s: %v is no list", path, got)
		if len(want) == 0 {
			require.Empty(t, l, path)
			return
		}
		for i, x := range l {
			fits(t, fmt.Sprintf("%s[%d]", path, i), want[0], x)
		}
	case string:
		if got == nil {
			require.True(t, strings.HasSuffix(want, orNull), "%s is null", path)
			return
		}
		require.True(t, is(strings.TrimSuffix(want, orNull), got), "%s: %v is no %s", path, got, want)
	}
}

func is(what string, got any) bool {
	switch v := got.(type) {
	case string:
		_, err := decimal.NewFromString(v)
		return what == text || what == money && err == nil && !strings.ContainsAny(v, "eE")
	case json.Number:
		_, err := v.Int64()
		return what == integer && err == nil
	case bool:
		return what == flag
	}
	return false
}
