package aavev3

import (
	"maps"

	"liqwatch/chains"
)

// noted is what logs touched and no refresh has read yet. Everything carries the
// number of the note, so that a refresh forgets exactly what it had seen.
type noted struct {
	seq      uint64
	accounts map[chains.Address]uint64
	reserves map[chains.Address]uint64 // by asset
	modes    map[uint8]uint64
	reopen   uint64 // the market's shape or oracle changed
	upgraded uint64 // and why it did is worth telling
	why      string
}

func newNoted() *noted {
	return &noted{
		accounts: map[chains.Address]uint64{}, reserves: map[chains.Address]uint64{}, modes: map[uint8]uint64{},
	}
}

func (n *noted) account(a chains.Address) { n.accounts[a] = n.seq }
func (n *noted) reserve(a chains.Address) { n.reserves[a] = n.seq }
func (n *noted) mode(id uint8)            { n.modes[id] = n.seq }
func (n *noted) shape()                   { n.reopen = n.seq }

func (n *noted) upgrade(why string) {
	n.reopen, n.upgraded, n.why = n.seq, n.seq, why
}

// copy is what is noted now, for a refresh to work on.
func (n *noted) copy() *noted {
	c := *n
	c.accounts, c.reserves, c.modes = maps.Clone(n.accounts), maps.Clone(n.reserves), maps.Clone(n.modes)
	return &c
}

// forget drops what was noted up to and including a note.
func (n *noted) forget(seq uint64) {
	old := func(at uint64) bool { return at <= seq }
	maps.DeleteFunc(n.accounts, func(_ chains.Address, at uint64) bool { return old(at) })
	maps.DeleteFunc(n.reserves, func(_ chains.Address, at uint64) bool { return old(at) })
	maps.DeleteFunc(n.modes, func(_ uint8, at uint64) bool { return old(at) })
	if old(n.reopen) {
		n.reopen = 0
	}
	if old(n.upgraded) {
		n.upgraded, n.why = 0, ""
	}
}
