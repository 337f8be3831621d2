package aave

import (
	"context"
	"errors"
	"fmt"
	"math/big"

	"liqwatch/chains"
)

// Sentinel is what holds liquidations back on a rollup whose sequencer was down.
type Sentinel struct {
	Address     chains.Address // PriceOracleSentinel
	Sequencer   chains.Address // its uptime feed: 0 is up, 1 is down
	GracePeriod uint64         // seconds
}

// AddSentinel gives the market a PriceOracleSentinel. The sequencer counts as up
// from this block on, so that the first grace period starts now.
func (w *World) AddSentinel(ctx context.Context, gracePeriod uint64) error {
	d := &deployer{World: w}
	var err error
	w.Sentinel.GracePeriod = gracePeriod
	if w.Sentinel.Sequencer, err = d.create(ctx, "Aggregator", "L2 Sequencer Uptime Status Feed", uint8(0), new(big.Int)); err != nil {
		return err
	}
	w.Sentinel.Address, err = d.create(ctx, "PriceOracleSentinel", w.Provider, w.Sentinel.Sequencer, new(big.Int).SetUint64(gracePeriod))
	if err != nil {
		return err
	}
	return d.admin(ctx, "PoolAddressesProvider", w.Provider, "setPriceOracleSentinel", w.Sentinel.Address)
}

// SetSequencer reports that the sequencer is up or down from now on.
func (w *World) SetSequencer(ctx context.Context, up bool) error {
	status := big.NewInt(1)
	if up {
		status = new(big.Int)
	}
	return w.send(ctx, "Aggregator", w.Sentinel.Sequencer, w.Admin, "report", status)
}

// Freeze stops new supplies and loans of an asset, or allows them again.
func (w *World) Freeze(ctx context.Context, symbol string, on bool) error {
	return w.configure(ctx, "setReserveFreeze", w.Asset(symbol).Token, on)
}

// Pause stops everything that can be done with an asset, liquidations included.
func (w *World) Pause(ctx context.Context, symbol string, on bool) error {
	method, err := w.overload("setReservePause", 2)
	if err != nil {
		return err
	}
	return w.configure(ctx, method, w.Asset(symbol).Token, on)
}

// UnpauseWithGrace ends a pause; liquidations stay held back for so many seconds
// more (3.6 only, at most 4 hours).
func (w *World) UnpauseWithGrace(ctx context.Context, symbol string, seconds int64) error {
	if w.Version == V30 {
		return errors.New("end a pause with a grace period: 3.0 has none")
	}
	method, err := w.overload("setReservePause", 3)
	if err != nil {
		return err
	}
	return w.configure(ctx, method, w.Asset(symbol).Token, false, big.NewInt(seconds))
}

// overload is the ABI's own name of the configurator's method with so many inputs.
func (w *World) overload(method string, inputs int) (string, error) {
	c, err := w.contract(w.names().configurator)
	if err != nil {
		return "", err
	}
	for name, m := range c.ABI.Methods {
		if m.RawName == method && len(m.Inputs) == inputs {
			return name, nil
		}
	}
	return "", fmt.Errorf("the configurator has no %s with %d inputs", method, inputs)
}

// configure calls the configurator as the admin.
func (w *World) configure(ctx context.Context, method string, args ...any) error {
	return w.send(ctx, w.names().configurator, w.Configurator, w.Admin, method, args...)
}
