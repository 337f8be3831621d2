package compoundv2

import (
	"github.com/holiman/uint256"

	"liqwatch/chains"
	"liqwatch/protocols/abi"
)

// Events of the cTokens. JustLend's Borrow and RepayBorrow end in borrowIndex.
var (
	topicTransfer       = abi.Topic("Transfer(address,address,uint256)")
	topicAccrue         = abi.Topic("AccrueInterest(uint256,uint256,uint256,uint256)")
	topicBorrow         = abi.Topic("Borrow(address,uint256,uint256,uint256)")
	topicBorrowIndexed  = abi.Topic("Borrow(address,uint256,uint256,uint256,uint256)")
	topicRepay          = abi.Topic("RepayBorrow(address,address,uint256,uint256,uint256)")
	topicRepayIndexed   = abi.Topic("RepayBorrow(address,address,uint256,uint256,uint256,uint256)")
	topicLiquidate      = abi.Topic("LiquidateBorrow(address,address,uint256,address,uint256)")
	topicReservesAdded  = abi.Topic("ReservesAdded(address,uint256,uint256)")
	topicReservesTaken  = abi.Topic("ReservesReduced(address,uint256,uint256)")
	topicReserveFactor  = abi.Topic("NewReserveFactor(uint256,uint256)")
	topicRateModel      = abi.Topic("NewMarketInterestRateModel(address,address)")
	topicImplementation = abi.Topic("NewImplementation(address,address)")
	topicTokenBalance   = abi.Topic("JTokenBalance(address,uint256)")
)

// Events of the comptroller that name an account.
var (
	topicEntered    = abi.Topic("MarketEntered(address,address)")
	topicExited     = abi.Topic("MarketExited(address,address)")
	topicPool       = abi.Topic("PoolSelected(address,uint96,uint96)")
	topicForcedUser = abi.Topic("IsForcedLiquidationEnabledForUserUpdated(address,address,bool)")
)

// Events of the comptroller after which its parameters are read again.
var parameterTopics = []chains.Hash{
	abi.Topic("MarketListed(address)"),
	abi.Topic("MarketUnlisted(address)"),
	abi.Topic("NewCollateralFactor(address,uint256,uint256)"),
	abi.Topic("NewCollateralFactor(uint96,address,uint256,uint256)"),
	abi.Topic("NewLiquidationThreshold(uint96,address,uint256,uint256)"),
	abi.Topic("NewLiquidationIncentive(uint256,uint256)"),
	abi.Topic("NewLiquidationIncentive(uint96,address,uint256,uint256)"),
	abi.Topic("NewCloseFactor(uint256,uint256)"),
	abi.Topic("NewPriceOracle(address,address)"),
	abi.Topic("NewVAIController(address,address)"),
	abi.Topic("ActionPaused(string,bool)"),
	abi.Topic("ActionPaused(address,string,bool)"),
	abi.Topic("ActionPausedMarket(address,uint8,bool)"),
	abi.Topic("ActionProtocolPaused(bool)"),
	abi.Topic("IsForcedLiquidationEnabledUpdated(address,bool)"),
	abi.Topic("PoolCreated(uint96,string)"),
	abi.Topic("PoolMarketInitialized(uint96,address)"),
	abi.Topic("PoolMarketRemoved(uint96,address)"),
	abi.Topic("PoolActiveStatusUpdated(uint96,bool,bool)"),
	abi.Topic("PoolFallbackStatusUpdated(uint96,bool,bool)"),
	topicImplementation,
}

// Events of the posted oracle and of VAI.
var (
	topicPosted       = abi.Topic("PricePosted(address,uint256,uint256,uint256)")
	topicMintVAI      = abi.Topic("MintVAI(address,uint256)")
	topicRepayVAI     = abi.Topic("RepayVAI(address,address,uint256)")
	topicLiquidateVAI = abi.Topic("LiquidateVAI(address,address,uint256,address,uint256)")
)

// argument is the i-th argument of an event, whichever of them the fork indexed:
// indexed ones come first in the topics, in their order. indexed says how many are.
func argument(l chains.Log, i int) (chains.Hash, bool) {
	indexed := len(l.Topics) - 1
	if i < indexed {
		return l.Topics[i+1], true
	}
	w, err := abi.Word(l.Data, i-indexed)
	return w, err == nil
}

func addressAt(l chains.Log, i int) (chains.Address, bool) {
	w, ok := argument(l, i)
	return w.Address(), ok
}

func numberAt(l chains.Log, i int) (uint256.Int, bool) {
	w, ok := argument(l, i)
	var x uint256.Int
	x.SetBytes32(w[:])
	return x, ok
}

// poolAccount is the account of PoolSelected, whose first and third arguments are indexed.
func poolAccount(l chains.Log) (chains.Address, bool) {
	if len(l.Topics) < 2 {
		return chains.Address{}, false
	}
	return l.Topics[1].Address(), true
}
