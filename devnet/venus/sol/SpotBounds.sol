// SPDX-License-Identifier: MIT
pragma solidity ^0.8.20;

interface ISpot {
    function getUnderlyingPrice(address vToken) external view returns (uint256);
}

/// Stands in for Venus' deviation-bounded oracle, without which nothing can be
/// borrowed: both bounds are the spot price.
contract SpotBounds {
    ISpot public immutable spot;

    constructor(ISpot spot_) {
        spot = spot_;
    }

    function updateProtectionState(address) external {}

    function getBoundedPricesView(address vToken) external view returns (uint256 low, uint256 high) {
        low = spot.getUnderlyingPrice(vToken);
        high = low;
    }

    function getBoundedCollateralPriceView(address vToken) external view returns (uint256) {
        return spot.getUnderlyingPrice(vToken);
    }

    function getBoundedDebtPriceView(address vToken) external view returns (uint256) {
        return spot.getUnderlyingPrice(vToken);
    }
}
