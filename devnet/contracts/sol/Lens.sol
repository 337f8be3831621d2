// SPDX-License-Identifier: MIT
pragma solidity ^0.8.20;

interface IPoolView {
    function getUserAccountData(address user)
        external
        view
        returns (uint256, uint256, uint256, uint256, uint256, uint256 healthFactor);
}

/// Asks the pool about many accounts at once, for those who act in the devnet.
contract Lens {
    function healthFactors(IPoolView pool, address[] calldata accounts) external view returns (uint256[] memory out) {
        out = new uint256[](accounts.length);
        for (uint256 i = 0; i < accounts.length; i++) {
            (,,,,, out[i]) = pool.getUserAccountData(accounts[i]);
        }
    }
}
