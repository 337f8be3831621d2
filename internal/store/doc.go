// Package store keeps what must survive a restart: the accounts known of each
// market and how far they are complete, the rules' episodes, the alerts and their
// deliveries.
//
// One file of SQLite, one process that writes it. A commit that has returned has
// been flushed to the disk.
package store
