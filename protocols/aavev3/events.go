package aavev3

import (
	"liqwatch/chains"
	"liqwatch/protocols/abi"
)

// Events of the pool, its tokens, its configurator, its oracle and its provider
// (IPool, IScaledBalanceToken, IPoolConfigurator, IAaveOracle, IPoolAddressesProvider,
// in the signatures of all versions).
var (
	topicBorrow             = abi.Topic("Borrow(address,address,address,uint256,uint8,uint256,uint16)")
	topicReserveData        = abi.Topic("ReserveDataUpdated(address,uint256,uint256,uint256,uint256,uint256)")
	topicCollateralEnabled  = abi.Topic("ReserveUsedAsCollateralEnabled(address,address)")
	topicCollateralDisabled = abi.Topic("ReserveUsedAsCollateralDisabled(address,address)")
	topicUserEMode          = abi.Topic("UserEModeSet(address,uint8)")
	topicLiquidation        = abi.Topic("LiquidationCall(address,address,address,uint256,uint256,address,bool)")
	topicDeficit            = abi.Topic("DeficitCreated(address,address,uint256)")
	topicDeficitCovered     = abi.Topic("DeficitCovered(address,address,uint256)")
	topicSwapRate           = abi.Topic("SwapBorrowRateMode(address,address,uint8)")
	topicMintedToTreasury   = abi.Topic("MintedToTreasury(address,uint256)")

	topicMint         = abi.Topic("Mint(address,address,uint256,uint256,uint256)")
	topicBurn         = abi.Topic("Burn(address,address,uint256,uint256,uint256)")
	topicTransfer     = abi.Topic("BalanceTransfer(address,address,uint256,uint256)")
	topicStableMint   = abi.Topic("Mint(address,address,uint256,uint256,uint256,uint256,uint256,uint256)")
	topicStableBurn   = abi.Topic("Burn(address,uint256,uint256,uint256,uint256,uint256)")
	topicUpgraded     = abi.Topic("Upgraded(address)")
	topicEModeAdded   = abi.Topic("EModeCategoryAdded(uint8,uint256,uint256,uint256,address,string)")
	topicInitialized  = abi.Topic("ReserveInitialized(address,address,address,address,address)")
	topicDropped      = abi.Topic("ReserveDropped(address)")
	topicATokenUp     = abi.Topic("ATokenUpgraded(address,address,address)")
	topicDebtTokenUp  = abi.Topic("VariableDebtTokenUpgraded(address,address,address)")
	topicSource       = abi.Topic("AssetSourceUpdated(address,address)")
	topicFallback     = abi.Topic("FallbackOracleUpdated(address)")
	topicCap          = abi.Topic("CapParametersUpdated(uint256,uint256,uint256,uint16)")
	topicStableCap    = abi.Topic("PriceCapUpdated(int256)")
	topicCutoff       = abi.Topic("CutoffTimeSet(uint32)")
	topicEModeIsolate = abi.Topic("EModeCategoryIsolationChanged(uint8,bool)")
)

// topicsProvider are those after which the market must be opened again.
var topicsProvider = []chains.Hash{
	abi.Topic("PoolUpdated(address,address)"),
	abi.Topic("PoolConfiguratorUpdated(address,address)"),
	abi.Topic("PriceOracleUpdated(address,address)"),
	abi.Topic("PriceOracleSentinelUpdated(address,address)"),
}

// topicsReserve are configurator events whose first topic argument is the asset they change.
var topicsReserve = []chains.Hash{
	abi.Topic("CollateralConfigurationChanged(address,uint256,uint256,uint256)"),
	abi.Topic("ReserveActive(address,bool)"),
	abi.Topic("ReserveFrozen(address,bool)"),
	abi.Topic("ReservePaused(address,bool)"),
	abi.Topic("ReserveBorrowing(address,bool)"),
	abi.Topic("ReserveFactorChanged(address,uint256,uint256)"),
	abi.Topic("ReserveInterestRateStrategyChanged(address,address,address)"),
	abi.Topic("ReserveInterestRateDataChanged(address,address,bytes)"),
	abi.Topic("LiquidationProtocolFeeChanged(address,uint256,uint256)"),
	abi.Topic("LiquidationGracePeriodChanged(address,uint40)"),
	abi.Topic("LiquidationGracePeriodDisabled(address)"),
	abi.Topic("PendingLtvChanged(address,uint256)"),
	abi.Topic("EModeAssetCategoryChanged(address,uint8,uint8)"),
}

// topicsEModeAsset are configurator events about an asset whose data begins with the category.
var topicsEModeAsset = []chains.Hash{
	abi.Topic("AssetCollateralInEModeChanged(address,uint8,bool)"),
	abi.Topic("AssetLtvzeroInEModeChanged(address,uint8,bool)"),
}

func followedTopics() []chains.Hash {
	out := []chains.Hash{
		topicBorrow, topicReserveData, topicCollateralEnabled, topicCollateralDisabled, topicUserEMode,
		topicLiquidation, topicDeficit, topicDeficitCovered, topicSwapRate, topicMintedToTreasury,
		topicMint, topicBurn, topicTransfer, topicStableMint, topicStableBurn, topicUpgraded,
		topicEModeAdded, topicInitialized, topicDropped, topicATokenUp, topicDebtTokenUp,
		topicSource, topicFallback, topicCap, topicStableCap, topicCutoff, topicEModeIsolate,
	}
	out = append(out, topicsProvider...)
	out = append(out, topicsReserve...)
	return append(out, topicsEModeAsset...)
}
