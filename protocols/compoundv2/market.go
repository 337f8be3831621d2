package compoundv2

import (
	"errors"
	"fmt"

	"github.com/holiman/uint256"

	"liqwatch/chains"
	"liqwatch/protocols"
)

// Name is the adapter's name in the catalog.
const Name = "compound-v2"

// Settings of one market in the configuration.
type Settings struct {
	// Comptroller is the market's comptroller (the Unitroller proxy).
	Comptroller chains.Address `yaml:"comptroller"`
	// Profile is justlend, venus, moonwell, benqi, plain, or auto (the default).
	Profile string `yaml:"profile"`
	// FromBlock is where the scan for borrowers starts: the deployment or earlier.
	FromBlock uint64 `yaml:"from_block"`
}

// Market implements [protocols.Market].
type Market struct {
	place    protocols.Placement
	settings Settings
	profile  Profile
	fixed    bool // the profile was configured, not found out
	can      chains.Capabilities

	table *table
	book  *book

	known    map[chains.Address]bool       // every account that ever borrowed
	entered  map[chains.Address]bool       // entered a market, never seen to borrow
	accounts map[chains.Address]*account   // those read, with or without debt
	hints    map[chains.Address][]int      // entered markets as logs tell, for accounts not read yet
	debts    map[chains.Address][]debtNote // debts as logs tell
	noted    map[chains.Address]bool       // to be read again
	touched  map[int]bool                  // markets to be read again
	reshaped bool                          // the comptroller's parameters are to be read again
	loose    map[subject]*chains.Block     // read at a block that may yet be undone
	suspects map[chains.Address]uint64     // differed without a log so far; the block they were read at
}

var _ protocols.Market = (*Market)(nil)

// debtNote is a debt as a log gave it: exact, as long as the log is still on the chain.
type debtNote struct {
	market                   int
	principal, interestIndex uint256.Int
	block                    chains.Hash // with index, the log; zero for a debt known otherwise
	index                    uint
	undone                   bool // the log came again, as those do that a fork took back
}

// notesKept is how many past debts of an account in one market are remembered: a
// fork that undoes the last changes leads back to one of them.
const notesKept = 6

// New makes a market; errors name the setting.
func New(place protocols.Placement, s protocols.Settings) (protocols.Market, error) {
	var settings Settings
	if err := s.Decode(&settings); err != nil {
		return nil, err
	}
	return Make(place, settings)
}

// Make is New for settings in hand.
func Make(place protocols.Placement, settings Settings) (*Market, error) {
	if settings.Comptroller.IsZero() {
		return nil, errors.New("comptroller: the address of the market's comptroller (Unitroller) is missing")
	}
	profile, fixed, err := ProfileNamed(settings.Profile)
	if err != nil {
		return nil, err
	}
	return &Market{
		place: place, settings: settings, profile: profile, fixed: fixed,
		known: map[chains.Address]bool{}, entered: map[chains.Address]bool{},
		accounts: map[chains.Address]*account{}, hints: map[chains.Address][]int{},
		debts: map[chains.Address][]debtNote{}, noted: map[chains.Address]bool{},
		touched: map[int]bool{}, loose: map[subject]*chains.Block{},
		suspects: map[chains.Address]uint64{},
	}, nil
}

// Name is the market's name in the configuration.
func (m *Market) Name() string { return m.place.Name }

// Chain is the name of its chain.
func (m *Market) Chain() string { return m.place.Chain }

// Protocol is the adapter's name.
func (m *Market) Protocol() string { return Name }

// Book is the state as of the last refresh; nil before the first.
func (m *Market) Book() protocols.Book {
	if m.book == nil {
		return nil
	}
	return m.book
}

// Know adds accounts to read.
func (m *Market) Know(accounts []chains.Address) {
	for _, a := range accounts {
		m.borrower(a)
	}
}

func (m *Market) borrower(a chains.Address) {
	if !m.known[a] {
		m.known[a] = true
		m.noted[a] = true
	}
	delete(m.entered, a)
}

// Accounts are all that ever borrowed.
func (m *Market) Accounts() []chains.Address {
	out := make([]chains.Address, 0, len(m.known))
	for a := range m.known {
		out = append(out, a)
	}
	return out
}

// Discovery selects Borrow (and MintVAI), which every debt begins with, and
// MarketEntered, a second witness of it, used where the sums do not add up.
func (m *Market) Discovery() (chains.Filter, uint64) {
	f := chains.Filter{Addresses: m.contracts(), Topics: []chains.Hash{topicEntered, topicMintVAI}}
	f.Topics = append(f.Topics, m.debtTopics()...)
	return f, m.settings.FromBlock
}

// debtTopics are Borrow, and where RepayBorrow alone tells the rest of a debt, that.
func (m *Market) debtTopics() []chains.Hash {
	if m.profile.IndexInLogs {
		return []chains.Hash{topicBorrowIndexed, topicRepayIndexed}
	}
	return []chains.Hash{topicBorrow}
}

// Follow selects what changes accounts, markets, parameters and posted prices.
func (m *Market) Follow() chains.Filter {
	f := chains.Filter{Addresses: m.contracts(), Topics: []chains.Hash{
		topicTransfer, topicAccrue, topicLiquidate, topicReservesAdded, topicReservesTaken, topicReserveFactor, topicRateModel,
		topicEntered, topicExited, topicPool, topicForcedUser,
		topicMintVAI, topicRepayVAI, topicLiquidateVAI,
	}}
	if m.profile.IndexInLogs {
		f.Topics = append(f.Topics, topicBorrowIndexed, topicRepayIndexed, topicTokenBalance)
	} else {
		f.Topics = append(f.Topics, topicBorrow, topicRepay)
	}
	f.Topics = append(f.Topics, parameterTopics...)
	if m.table != nil && !m.table.poster.IsZero() {
		f.Addresses = append(f.Addresses, m.table.poster)
		f.Topics = append(f.Topics, topicPosted)
	}
	return f
}

// contracts are the comptroller, the cTokens and the VAI controller.
func (m *Market) contracts() []chains.Address {
	out := []chains.Address{m.settings.Comptroller}
	if m.table == nil {
		return out
	}
	for i := range m.table.list {
		if !m.table.list[i].vai {
			out = append(out, m.table.list[i].token)
		}
	}
	if !m.table.vai.IsZero() {
		out = append(out, m.table.vai)
	}
	return out
}

// Open learns the market's shape.
func (m *Market) Open(at chains.Block, can chains.Capabilities) protocols.Step {
	m.can = can
	if !m.fixed && can.Base58 {
		m.profile, m.fixed = JustLend, true
	}
	p := newPass(m, at, protocols.Everything)
	p.table = &table{pools: map[uint64]pool{}, postings: map[int]posting{}, profile: m.profile}
	p.opening = true
	p.askIdentity()
	return p.step()
}

// Refresh brings the book to a block.
func (m *Market) Refresh(at chains.Block, scope protocols.Scope) protocols.Step {
	if m.table == nil {
		return protocols.Step{Then: func([]chains.Answer) (protocols.Step, error) {
			return protocols.Step{}, fmt.Errorf("refresh %s: it is not open yet", m.Name())
		}}
	}
	p := newPass(m, at, scope)
	p.table = m.table.clone()
	p.begin()
	return p.step()
}
