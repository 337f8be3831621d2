// SPDX-License-Identifier: MIT
pragma solidity ^0.8.20;

interface IFeed {
    function decimals() external view returns (uint8);
    function latestAnswer() external view returns (int256);
}

interface IStakedEther {
    function getPooledEthByShares(uint256 shares) external view returns (uint256);
}

interface IRateProvider {
    function getRate() external view returns (uint256);
}

/// The exchange rate of a liquid staking token, asked for in both ways that the
/// real ones use: stETH.getPooledEthByShares and weETH.getRate.
contract RatioProvider is IStakedEther, IRateProvider {
    event RatioSet(uint256 ratio);

    uint256 public getRate;

    constructor(uint256 ratio) {
        setRatio(ratio);
    }

    function setRatio(uint256 ratio) public {
        getRate = ratio;
        emit RatioSet(ratio);
    }

    function getPooledEthByShares(uint256 shares) external view returns (uint256) {
        return shares * getRate / 1e18;
    }
}

/// Price of a staking token: the price of its base times the exchange rate.
contract RateAdapter {
    IFeed public immutable BASE_TO_USD_AGGREGATOR;
    address public immutable RATIO_PROVIDER;
    uint8 public immutable DECIMALS;
    uint8 public constant RATIO_DECIMALS = 18;
    string public description;

    constructor(IFeed base, address ratioProvider, string memory description_) {
        BASE_TO_USD_AGGREGATOR = base;
        RATIO_PROVIDER = ratioProvider;
        DECIMALS = base.decimals();
        description = description_;
    }

    function decimals() external view returns (uint8) {
        return DECIMALS;
    }

    function getRatio() public view virtual returns (int256) {
        return int256(IStakedEther(RATIO_PROVIDER).getPooledEthByShares(10 ** RATIO_DECIMALS));
    }

    function latestAnswer() external view virtual returns (int256) {
        return _price(getRatio());
    }

    function _price(int256 ratio) internal view returns (int256) {
        int256 base = BASE_TO_USD_AGGREGATOR.latestAnswer();
        if (base <= 0 || ratio <= 0) return 0;
        return base * ratio / int256(10 ** uint256(RATIO_DECIMALS));
    }
}

/// The same with a rate that may not grow faster than a yearly percentage from a
/// snapshot on, as Aave's correlated-asset price oracles (CAPO) hold it.
contract CappedRateAdapter is RateAdapter {
    event CapParametersUpdated(
        uint256 snapshotRatio, uint256 snapshotTimestamp, uint256 maxRatioGrowthPerSecond, uint16 maxYearlyRatioGrowthPercent
    );

    uint256 public constant PERCENTAGE_FACTOR = 1e4;
    uint256 public constant SCALING_FACTOR = 1e6;
    uint256 public constant SECONDS_PER_YEAR = 365 days;

    uint256 public getSnapshotRatio;
    uint256 public getSnapshotTimestamp;
    uint256 public getMaxYearlyGrowthRatePercent;
    uint256 public getMaxRatioGrowthPerSecondScaled;

    constructor(
        IFeed base,
        address ratioProvider,
        string memory description_,
        uint104 snapshotRatio,
        uint48 snapshotTimestamp,
        uint16 maxYearlyRatioGrowthPercent
    ) RateAdapter(base, ratioProvider, description_) {
        setCapParameters(snapshotRatio, snapshotTimestamp, maxYearlyRatioGrowthPercent);
    }

    function setCapParameters(uint104 snapshotRatio, uint48 snapshotTimestamp, uint16 maxYearlyRatioGrowthPercent) public {
        getSnapshotRatio = snapshotRatio;
        getSnapshotTimestamp = snapshotTimestamp;
        getMaxYearlyGrowthRatePercent = maxYearlyRatioGrowthPercent;
        getMaxRatioGrowthPerSecondScaled = uint104(
            uint256(snapshotRatio) * maxYearlyRatioGrowthPercent * SCALING_FACTOR / PERCENTAGE_FACTOR / SECONDS_PER_YEAR
        );
        emit CapParametersUpdated(
            snapshotRatio, snapshotTimestamp, getMaxRatioGrowthPerSecondScaled / SCALING_FACTOR, maxYearlyRatioGrowthPercent
        );
    }

    function getMaxRatioGrowthPerSecond() external view returns (uint256) {
        return getMaxRatioGrowthPerSecondScaled / SCALING_FACTOR;
    }

    function getRatio() public view override returns (int256) {
        return int256(IRateProvider(RATIO_PROVIDER).getRate());
    }

    function isCapped() external view returns (bool) {
        return getRatio() > _maxRatio();
    }

    function latestAnswer() external view override returns (int256) {
        int256 ratio = getRatio();
        int256 max = _maxRatio();
        return _price(ratio < max ? ratio : max);
    }

    function _maxRatio() private view returns (int256) {
        return int256(
            getSnapshotRatio + getMaxRatioGrowthPerSecondScaled * (block.timestamp - getSnapshotTimestamp) / SCALING_FACTOR
        );
    }
}

/// Price of a stablecoin: its feed, but never above a cap.
contract StableCapAdapter {
    event PriceCapUpdated(int256 priceCap);

    IFeed public immutable ASSET_TO_USD_AGGREGATOR;
    uint8 public immutable decimals;
    string public description;
    int256 public getPriceCap;

    constructor(IFeed feed, string memory description_, int256 priceCap) {
        ASSET_TO_USD_AGGREGATOR = feed;
        decimals = feed.decimals();
        description = description_;
        setPriceCap(priceCap);
    }

    function setPriceCap(int256 priceCap) public {
        getPriceCap = priceCap;
        emit PriceCapUpdated(priceCap);
    }

    function isCapped() external view returns (bool) {
        return ASSET_TO_USD_AGGREGATOR.latestAnswer() > getPriceCap;
    }

    function latestAnswer() external view returns (int256) {
        int256 price = ASSET_TO_USD_AGGREGATOR.latestAnswer();
        if (price > getPriceCap) return getPriceCap;
        return price > 0 ? price : int256(0);
    }
}
