// SPDX-License-Identifier: MIT
pragma solidity ^0.8.20;

interface ISource {
    function latestAnswer() external view returns (int256);
    function decimals() external view returns (uint8);
}

interface INamed {
    function symbol() external view returns (string memory);
    function decimals() external view returns (uint8);
    function underlying() external view returns (address);
}

/// An oracle in USD that keeps a feed for each symbol, as Moonwell's and Benqi's do:
/// the answer as price times 10^(36-decimals).
contract SymbolFeeds {
    bool public constant isPriceOracle = true;
    mapping(bytes32 => address) private _feeds;
    address public immutable native;
    string public nativeSymbol;

    constructor(address native_, string memory nativeSymbol_) {
        native = native_;
        nativeSymbol = nativeSymbol_;
    }

    function setFeed(string calldata symbol, address feed) external {
        _feeds[keccak256(bytes(symbol))] = feed;
    }

    function getFeed(string memory symbol) public view returns (address) {
        return _feeds[keccak256(bytes(symbol))];
    }

    function getUnderlyingPrice(address jToken) external view returns (uint256) {
        string memory symbol = nativeSymbol;
        uint8 digits = 18;
        if (jToken != native) {
            INamed token = INamed(INamed(jToken).underlying());
            symbol = token.symbol();
            digits = token.decimals();
        }
        ISource feed = ISource(getFeed(symbol));
        return uint256(feed.latestAnswer()) * 10 ** (36 - feed.decimals() - digits);
    }
}
