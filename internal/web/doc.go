// Package web serves the page, its JSON, metrics and health.
//
// The pass never waits for a viewer. It says that it is done; a goroutine of this
// package then takes over the books, which are snapshots, and builds ladders from
// them only for axes that somebody looks at, one at a time and for at most a small
// part of the time. However many look, an answer is made once and handed out as bytes.
package web
