// SPDX-License-Identifier: MIT
pragma solidity ^0.8.20;

/// A token that anybody may mint and every market may draw on.
contract Coin {
    event Transfer(address indexed from, address indexed to, uint256 value);

    string public symbol;
    uint8 public immutable decimals;
    uint256 public totalSupply;
    mapping(address => uint256) public balanceOf;

    constructor(string memory symbol_, uint8 decimals_) {
        symbol = symbol_;
        decimals = decimals_;
    }

    function mint(address to, uint256 value) external {
        totalSupply += value;
        balanceOf[to] += value;
        emit Transfer(address(0), to, value);
    }

    function transfer(address to, uint256 value) external returns (bool) {
        _move(msg.sender, to, value);
        return true;
    }

    function transferFrom(address from, address to, uint256 value) external returns (bool) {
        _move(from, to, value);
        return true;
    }

    function _move(address from, address to, uint256 value) internal {
        balanceOf[from] -= value;
        balanceOf[to] += value;
        emit Transfer(from, to, value);
    }
}

/// Staked TRX: a token whose rate to TRX only grows, and the coins behind it.
contract Staked is Coin {
    uint256 public exchangeRate = 1.31204e18;

    constructor() Coin("sTRX", 18) {}

    function setRate(uint256 to) external {
        exchangeRate = to;
    }
}

/// The calls of Multicall3 that a reader needs. Block hashes are those of the
/// network in front: the height in the first 8 bytes.
contract Multicall {
    struct Call3 {
        address target;
        bool allowFailure;
        bytes callData;
    }

    struct Result {
        bool success;
        bytes returnData;
    }

    function aggregate3(Call3[] calldata calls) external payable returns (Result[] memory out) {
        out = new Result[](calls.length);
        for (uint256 i; i < calls.length; i++) {
            (out[i].success, out[i].returnData) = calls[i].target.call(calls[i].callData);
            require(out[i].success || calls[i].allowFailure, "Multicall3: call failed");
        }
    }

    function getBlockNumber() external view returns (uint256) {
        return block.number;
    }

    function getCurrentBlockTimestamp() external view returns (uint256) {
        return block.timestamp;
    }

    function getBlockHash(uint256 n) public view returns (bytes32) {
        bytes32 h = blockhash(n);
        return h == 0 ? h : bytes32((n << 192) | (uint256(h) & (type(uint256).max >> 64)));
    }

    function getLastBlockHash() external view returns (bytes32) {
        return getBlockHash(block.number - 1);
    }
}
