// Package alerts decides when people are told that a price nears a level at
// which loans are liquidated, says it in words, and delivers it.
//
// It has three parts that know nothing of each other's insides. [Advance], [Rewind]
// and [Beat] are pure: a rule, its state and an observation go in, a new state,
// alerts and the reason of every decision come out. [Tracker] keeps that state in a
// [Ledger], where an alert, the state it came from and its deliveries are one
// transaction. [Dispatcher] takes deliveries from an [Outbox] and hands each to
// its [Notifier], which sends once and says whether trying again makes sense.
package alerts
