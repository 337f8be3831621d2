// SPDX-License-Identifier: MIT
pragma solidity ^0.8.20;

interface IMarket {
    function underlying() external view returns (address);
}

/// Prices that one account posts, each held to a tenth around an anchor that moves
/// at most once in 600 blocks. There is no check of age.
contract Poster {
    event PricePosted(address asset, uint256 previousPriceMantissa, uint256 requestedPriceMantissa, uint256 newPriceMantissa);
    event CappedPricePosted(address asset, uint256 requestedPriceMantissa, uint256 anchorPriceMantissa, uint256 cappedPriceMantissa);

    uint256 public constant PERIOD = 600;

    struct Anchor {
        uint256 period;
        uint256 price;
    }

    bool public paused;
    mapping(address => uint256) private _prices;
    mapping(address => Anchor) public anchors;

    function assetPrices(address asset) external view returns (uint256) {
        return paused ? 0 : _prices[asset];
    }

    function setPaused(bool to) external {
        paused = to;
    }

    function setPrice(address asset, uint256 requested) public {
        Anchor memory a = anchors[asset];
        uint256 period = block.number / PERIOD + 1;
        uint256 taken = requested;
        if (a.period != 0) {
            uint256 most = a.price + a.price / 10;
            uint256 least = a.price - a.price / 10;
            if (taken > most) taken = most;
            if (taken < least) taken = least;
            if (taken != requested) emit CappedPricePosted(asset, requested, a.price, taken);
        }
        if (period > a.period) anchors[asset] = Anchor(period, taken);
        emit PricePosted(asset, _prices[asset], requested, taken);
        _prices[asset] = taken;
    }

    function setPrices(address[] calldata assets, uint256[] calldata requested) external {
        for (uint256 i; i < assets.length; i++) setPrice(assets[i], requested[i]);
    }

    /// Sets prices past the cap and the anchor, for price walks.
    function jump(address[] calldata assets, uint256[] calldata prices) external {
        for (uint256 i; i < assets.length; i++) {
            emit PricePosted(assets[i], _prices[assets[i]], prices[i], prices[i]);
            _prices[assets[i]] = prices[i];
            anchors[assets[i]] = Anchor(block.number / PERIOD + 1, prices[i]);
        }
    }
}

/// What the comptroller asks: the posted price of a market's underlying, and for
/// the native market a constant, since prices are in the native coin.
contract PriceProxy {
    bool public constant isPriceOracle = true;
    Poster public immutable v1PriceOracle;
    address public immutable native;
    uint256 public immutable nativePrice;

    constructor(Poster poster, address native_, uint256 nativePrice_) {
        v1PriceOracle = poster;
        native = native_;
        nativePrice = nativePrice_;
    }

    function getUnderlyingPrice(address jToken) external view returns (uint256) {
        if (jToken == native) return v1PriceOracle.paused() ? 0 : nativePrice;
        return v1PriceOracle.assetPrices(IMarket(jToken).underlying());
    }
}
