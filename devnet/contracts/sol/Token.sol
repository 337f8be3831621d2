// SPDX-License-Identifier: MIT
pragma solidity ^0.8.20;

/// An ERC-20 that anybody may mint. The pool is approved by everybody from the
/// start, which saves one transaction for every supply and repayment of a test.
contract Token {
    event Transfer(address indexed from, address indexed to, uint256 value);
    event Approval(address indexed owner, address indexed spender, uint256 value);

    string public name;
    string public symbol;
    uint8 public immutable decimals;
    address public immutable approvedByAll;
    uint256 public totalSupply;
    mapping(address => uint256) public balanceOf;
    mapping(address => mapping(address => uint256)) private _allowance;

    constructor(string memory name_, string memory symbol_, uint8 decimals_, address approvedByAll_) {
        name = name_;
        symbol = symbol_;
        decimals = decimals_;
        approvedByAll = approvedByAll_;
    }

    function allowance(address owner, address spender) public view returns (uint256) {
        return spender == approvedByAll ? type(uint256).max : _allowance[owner][spender];
    }

    function mint(address to, uint256 value) external returns (bool) {
        totalSupply += value;
        balanceOf[to] += value;
        emit Transfer(address(0), to, value);
        return true;
    }

    function approve(address spender, uint256 value) external returns (bool) {
        _allowance[msg.sender][spender] = value;
        emit Approval(msg.sender, spender, value);
        return true;
    }

    function transfer(address to, uint256 value) external returns (bool) {
        _move(msg.sender, to, value);
        return true;
    }

    function transferFrom(address from, address to, uint256 value) external returns (bool) {
        if (msg.sender != approvedByAll) _allowance[from][msg.sender] -= value;
        _move(from, to, value);
        return true;
    }

    function _move(address from, address to, uint256 value) private {
        balanceOf[from] -= value;
        balanceOf[to] += value;
        emit Transfer(from, to, value);
    }
}
