// Package backtest runs the watcher over the past and scores it: what price bands
// said would be liquidated against what really was, and how early and how often
// alert rules would have spoken. Positions, ladder and alert episodes are the
// watcher's own; only blocks and prices come from a history, and instead of
// notifiers there is a scorer.
package backtest
