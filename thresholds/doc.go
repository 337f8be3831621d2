// Package thresholds turns books into triggers, triggers into a ladder, and the
// ladder into bands. It is arithmetic only: no clock, no network, no log.
package thresholds
