// SPDX-License-Identifier: MIT
pragma solidity ^0.8.20;

interface IPool {
    function supply(address asset, uint256 amount, address onBehalfOf, uint16 referralCode) external;
    function borrow(address asset, uint256 amount, uint256 interestRateMode, uint16 referralCode, address onBehalfOf) external;
}

interface IMintable {
    function mint(address to, uint256 value) external returns (bool);
}

/// An account that borrows while it is created and then has no code of use.
contract Member {
    constructor(IPool pool, address debt, uint256 amount) {
        pool.borrow(debt, amount, 2, 0, address(this));
    }
}

/// Makes many borrowers in one transaction, each an account of its own.
contract Crowd {
    event Joined(address member);

    function open(IPool pool, address collateral, address debt, uint256[] calldata supplied, uint256[] calldata borrowed, uint256 firstSalt)
        external
    {
        for (uint256 i = 0; i < supplied.length; i++) {
            bytes memory code = abi.encodePacked(type(Member).creationCode, abi.encode(pool, debt, borrowed[i]));
            bytes32 salt = bytes32(firstSalt + i);
            address member = address(
                uint160(uint256(keccak256(abi.encodePacked(bytes1(0xff), address(this), salt, keccak256(code)))))
            );
            IMintable(collateral).mint(address(this), supplied[i]);
            pool.supply(collateral, supplied[i], member, 0);
            address created;
            assembly {
                created := create2(0, add(code, 32), mload(code), salt)
            }
            require(created == member, "member could not borrow");
            emit Joined(member);
        }
    }
}
