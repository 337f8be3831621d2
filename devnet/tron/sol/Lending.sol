// SPDX-License-Identifier: MIT
pragma solidity ^0.8.20;

// A lending market that behaves towards readers as JustLend on TRON does: products
// of mantissas rounded half up, Borrow and RepayBorrow with the borrow index, a
// native market without underlying(), interest by the block. Written for tests from
// a description of its behaviour; it guards nothing and must never hold money.

interface IERC20 {
    function balanceOf(address) external view returns (uint256);
    function transfer(address, uint256) external returns (bool);
    function transferFrom(address, address, uint256) external returns (bool);
}

interface IPrices {
    function getUnderlyingPrice(address jToken) external view returns (uint256);
}

library Half {
    uint256 internal constant ONE = 1e18;

    function mul(uint256 a, uint256 b) internal pure returns (uint256) {
        return (a * b + ONE / 2) / ONE;
    }
}

contract Risk {
    bool public constant isComptroller = true;

    struct Entry {
        bool isListed;
        uint256 collateralFactorMantissa;
        bool isComped;
    }

    event MarketListed(address cToken);
    event MarketEntered(address cToken, address account);
    event MarketExited(address cToken, address account);
    event NewCollateralFactor(address cToken, uint256 oldFactor, uint256 newFactor);
    event NewCloseFactor(uint256 oldFactor, uint256 newFactor);
    event NewLiquidationIncentive(uint256 oldIncentive, uint256 newIncentive);
    event NewPriceOracle(address oldOracle, address newOracle);
    event ActionPaused(string action, bool paused);

    address public oracle;
    uint256 public closeFactorMantissa;
    uint256 public liquidationIncentiveMantissa;
    bool public seizeGuardianPaused;
    mapping(address => Entry) public markets;
    address[] private _all;
    mapping(address => address[]) private _in;
    mapping(address => mapping(address => bool)) public checkMembership;

    function getAllMarkets() external view returns (address[] memory) {
        return _all;
    }

    function getAssetsIn(address account) external view returns (address[] memory) {
        return _in[account];
    }

    function setOracle(address to) external {
        emit NewPriceOracle(oracle, to);
        oracle = to;
    }

    function setCloseFactor(uint256 to) external {
        emit NewCloseFactor(closeFactorMantissa, to);
        closeFactorMantissa = to;
    }

    function setIncentive(uint256 to) external {
        emit NewLiquidationIncentive(liquidationIncentiveMantissa, to);
        liquidationIncentiveMantissa = to;
    }

    function setFactor(address jToken, uint256 to) external {
        emit NewCollateralFactor(jToken, markets[jToken].collateralFactorMantissa, to);
        markets[jToken].collateralFactorMantissa = to;
    }

    function pauseSeize(bool to) external {
        seizeGuardianPaused = to;
        emit ActionPaused("Seize", to);
    }

    function list(address jToken) external {
        markets[jToken].isListed = true;
        _all.push(jToken);
        emit MarketListed(jToken);
    }

    /// The market disappears from the list; who is in it stays in it.
    function delist(address jToken) external {
        markets[jToken].isListed = false;
        for (uint256 i; i < _all.length; i++) {
            if (_all[i] == jToken) {
                _all[i] = _all[_all.length - 1];
                _all.pop();
                break;
            }
        }
        emit NewCollateralFactor(jToken, markets[jToken].collateralFactorMantissa, markets[jToken].collateralFactorMantissa);
    }

    function enterMarkets(address[] calldata jTokens) external {
        for (uint256 i; i < jTokens.length; i++) _enter(jTokens[i], msg.sender);
    }

    function _enter(address jToken, address account) private {
        require(markets[jToken].isListed, "not listed");
        if (checkMembership[account][jToken]) return;
        checkMembership[account][jToken] = true;
        _in[account].push(jToken);
        emit MarketEntered(jToken, account);
    }

    function exitMarket(address jToken) external {
        (, , uint256 owed, ) = Lent(jToken).getAccountSnapshot(msg.sender);
        require(owed == 0, "debt");
        require(checkMembership[msg.sender][jToken], "not in");
        checkMembership[msg.sender][jToken] = false;
        address[] storage mine = _in[msg.sender];
        for (uint256 i; i < mine.length; i++) {
            if (mine[i] == jToken) {
                mine[i] = mine[mine.length - 1];
                mine.pop();
                break;
            }
        }
        (uint256 err, , uint256 short) = _liquidity(msg.sender, address(0), 0);
        require(err == 0 && short == 0, "shortfall");
        emit MarketExited(jToken, msg.sender);
    }

    function beforeBorrow(address borrower, uint256 amount) external {
        require(markets[msg.sender].isListed, "not listed");
        _enter(msg.sender, borrower);
        (uint256 err, , uint256 short) = _liquidity(borrower, msg.sender, amount);
        require(err == 0, "price");
        require(short == 0, "shortfall");
    }

    function beforeLiquidate(address borrowed, address collateral, address borrower, uint256 repay) external view {
        require(markets[borrowed].isListed && markets[collateral].isListed, "not listed");
        require(!seizeGuardianPaused, "paused");
        (uint256 err, , uint256 short) = _liquidity(borrower, address(0), 0);
        require(err == 0 && short > 0, "no shortfall");
        require(repay <= (closeFactorMantissa * Lent(borrowed).borrowBalanceStored(borrower)) / 1e18, "too much");
    }

    function seizeTokens(address borrowed, address collateral, uint256 repay) external view returns (uint256) {
        uint256 top = Half.mul(liquidationIncentiveMantissa, IPrices(oracle).getUnderlyingPrice(borrowed));
        uint256 bottom = Half.mul(IPrices(oracle).getUnderlyingPrice(collateral), Lent(collateral).exchangeRateStored());
        return ((top * 1e18) / bottom * repay) / 1e18;
    }

    /// (error, liquidity, shortfall); error 13 when a price is missing.
    function getAccountLiquidity(address account) external view returns (uint256, uint256, uint256) {
        return _liquidity(account, address(0), 0);
    }

    function _liquidity(address account, address more, uint256 amount) private view returns (uint256, uint256, uint256) {
        uint256 good;
        uint256 bad;
        address[] memory mine = _in[account];
        for (uint256 i; i < mine.length; i++) {
            (, uint256 tokens, uint256 owed, uint256 rate) = Lent(mine[i]).getAccountSnapshot(account);
            uint256 price = IPrices(oracle).getUnderlyingPrice(mine[i]);
            if (price == 0) return (13, 0, 0);
            uint256 per = Half.mul(Half.mul(markets[mine[i]].collateralFactorMantissa, rate), price);
            good += (per * tokens) / 1e18;
            bad += (price * owed) / 1e18;
            if (mine[i] == more) bad += (price * amount) / 1e18;
        }
        return good > bad ? (0, good - bad, uint256(0)) : (0, uint256(0), bad - good);
    }
}

/// What all markets share; where the money lies is for the two kinds to say.
abstract contract Lent {
    event Mint(address minter, uint256 mintAmount, uint256 mintTokens);
    event Redeem(address redeemer, uint256 redeemAmount, uint256 redeemTokens);
    event Borrow(address borrower, uint256 borrowAmount, uint256 accountBorrows, uint256 totalBorrows, uint256 borrowIndex);
    event RepayBorrow(address payer, address borrower, uint256 repayAmount, uint256 accountBorrows, uint256 totalBorrows, uint256 borrowIndex);
    event LiquidateBorrow(address liquidator, address borrower, uint256 repayAmount, address cTokenCollateral, uint256 seizeTokens);
    event AccrueInterest(uint256 cashPrior, uint256 interestAccumulated, uint256 borrowIndex, uint256 totalBorrows);
    event Transfer(address indexed from, address indexed to, uint256 amount);
    event JTokenStatus(uint256 cash, uint256 borrow, uint256 reserve, uint256 totalSupply, uint256 borrowRatePerBlock, uint256 borrowIndex, uint256 reserveFactor);
    event JTokenBalance(address user, uint256 balance);

    struct Debt {
        uint256 principal;
        uint256 interestIndex;
    }

    string public symbol;
    uint8 public constant decimals = 8;
    Risk public immutable comptroller;
    uint256 public immutable initialExchangeRate;
    uint256 public reserveFactorMantissa = 0.1e18;
    uint256 public accrualBlockNumber;
    uint256 public borrowIndex = 1e18;
    uint256 public totalBorrows;
    uint256 public totalReserves;
    uint256 public totalSupply;
    mapping(address => uint256) public balanceOf;
    mapping(address => Debt) private _debts;

    constructor(Risk risk, string memory symbol_, uint256 rate) {
        comptroller = risk;
        symbol = symbol_;
        initialExchangeRate = rate;
        accrualBlockNumber = block.number;
    }

    function getCash() public view virtual returns (uint256);
    function _take(address from, uint256 amount) internal virtual;
    function _give(address to, uint256 amount) internal virtual;

    function _cashBefore() internal view virtual returns (uint256) {
        return getCash();
    }

    /// A bend at 80 % utilisation, per block of three seconds.
    function borrowRatePerBlock() public view returns (uint256) {
        return _rate(_cashBefore());
    }

    function _rate(uint256 cash) private view returns (uint256) {
        if (totalBorrows == 0) return 0;
        uint256 all = cash + totalBorrows - totalReserves;
        uint256 used = all == 0 ? 1e18 : (totalBorrows * 1e18) / all;
        uint256 yearly = 0.01e18 + (used * 0.1e18) / 1e18;
        if (used > 0.8e18) yearly += ((used - 0.8e18) * 1e18) / 1e18;
        return yearly / 10_512_000;
    }

    function exchangeRateStored() public view returns (uint256) {
        return _exchangeRate(getCash());
    }

    function _exchangeRate(uint256 cash) private view returns (uint256) {
        if (totalSupply == 0) return initialExchangeRate;
        return ((cash + totalBorrows - totalReserves) * 1e18) / totalSupply;
    }

    function borrowBalanceStored(address account) public view returns (uint256) {
        Debt memory d = _debts[account];
        return d.principal == 0 ? 0 : (d.principal * borrowIndex) / d.interestIndex;
    }

    function getAccountSnapshot(address account) external view returns (uint256, uint256, uint256, uint256) {
        return (0, balanceOf[account], borrowBalanceStored(account), exchangeRateStored());
    }

    function accrueInterest() public {
        uint256 blocks = block.number - accrualBlockNumber;
        if (blocks == 0) return;
        uint256 cash = _cashBefore();
        uint256 factor = _rate(cash) * blocks;
        uint256 interest = (factor * totalBorrows) / 1e18;
        totalBorrows += interest;
        totalReserves += (reserveFactorMantissa * interest) / 1e18;
        borrowIndex += (factor * borrowIndex) / 1e18;
        accrualBlockNumber = block.number;
        emit AccrueInterest(cash, interest, borrowIndex, totalBorrows);
    }

    function _status() private {
        emit JTokenStatus(getCash(), totalBorrows, totalReserves, totalSupply, borrowRatePerBlock(), borrowIndex, reserveFactorMantissa);
    }

    function _mint(address who, uint256 amount) internal {
        accrueInterest();
        uint256 tokens = (amount * 1e18) / _exchangeRate(_cashBefore());
        _take(who, amount);
        totalSupply += tokens;
        balanceOf[who] += tokens;
        emit Mint(who, amount, tokens);
        emit Transfer(address(this), who, tokens);
        emit JTokenBalance(who, balanceOf[who]);
        _status();
    }

    function redeem(uint256 tokens) external {
        accrueInterest();
        uint256 amount = (tokens * exchangeRateStored()) / 1e18;
        totalSupply -= tokens;
        balanceOf[msg.sender] -= tokens;
        _give(msg.sender, amount);
        emit Transfer(msg.sender, address(this), tokens);
        emit Redeem(msg.sender, amount, tokens);
        emit JTokenBalance(msg.sender, balanceOf[msg.sender]);
        _status();
    }

    function borrow(uint256 amount) external {
        accrueInterest();
        comptroller.beforeBorrow(msg.sender, amount);
        uint256 owed = borrowBalanceStored(msg.sender) + amount;
        _debts[msg.sender] = Debt(owed, borrowIndex);
        totalBorrows += amount;
        _give(msg.sender, amount);
        emit Borrow(msg.sender, amount, owed, totalBorrows, borrowIndex);
        _status();
    }

    function _repay(address payer, address borrower, uint256 amount) internal {
        uint256 owed = borrowBalanceStored(borrower);
        if (amount > owed) amount = owed;
        _take(payer, amount);
        _debts[borrower] = Debt(owed - amount, borrowIndex);
        totalBorrows -= amount;
        emit RepayBorrow(payer, borrower, amount, owed - amount, totalBorrows, borrowIndex);
        _status();
    }

    function _liquidate(address liquidator, address borrower, uint256 amount, Lent collateral) internal {
        accrueInterest();
        collateral.accrueInterest();
        comptroller.beforeLiquidate(address(this), address(collateral), borrower, amount);
        _repay(liquidator, borrower, amount);
        uint256 tokens = comptroller.seizeTokens(address(this), address(collateral), amount);
        collateral.seize(liquidator, borrower, tokens);
        emit LiquidateBorrow(liquidator, borrower, amount, address(collateral), tokens);
    }

    function seize(address liquidator, address borrower, uint256 tokens) external {
        (bool listed, , ) = comptroller.markets(msg.sender);
        require(listed, "not a market");
        _move(borrower, liquidator, tokens);
    }

    function transfer(address to, uint256 tokens) external returns (bool) {
        _move(msg.sender, to, tokens);
        (uint256 err, , uint256 short) = comptroller.getAccountLiquidity(msg.sender);
        require(err == 0 && short == 0, "shortfall");
        return true;
    }

    function _move(address from, address to, uint256 tokens) private {
        balanceOf[from] -= tokens;
        balanceOf[to] += tokens;
        emit Transfer(from, to, tokens);
        emit JTokenBalance(from, balanceOf[from]);
        emit JTokenBalance(to, balanceOf[to]);
    }
}

contract JToken is Lent {
    address public immutable underlying;

    constructor(Risk risk, string memory symbol_, uint256 rate, address token) Lent(risk, symbol_, rate) {
        underlying = token;
    }

    function getCash() public view override returns (uint256) {
        return IERC20(underlying).balanceOf(address(this));
    }

    function _take(address from, uint256 amount) internal override {
        IERC20(underlying).transferFrom(from, address(this), amount);
    }

    function _give(address to, uint256 amount) internal override {
        IERC20(underlying).transfer(to, amount);
    }

    function mint(uint256 amount) external {
        _mint(msg.sender, amount);
    }

    function repayBorrow(uint256 amount) external {
        accrueInterest();
        _repay(msg.sender, msg.sender, amount);
    }

    function liquidateBorrow(address borrower, uint256 amount, Lent collateral) external {
        _liquidate(msg.sender, borrower, amount, collateral);
    }
}

/// The market of the chain's own coin: no underlying(), payable functions.
contract JNative is Lent {
    constructor(Risk risk, string memory symbol_, uint256 rate) Lent(risk, symbol_, rate) {}

    function getCash() public view override returns (uint256) {
        return address(this).balance;
    }

    function _cashBefore() internal view override returns (uint256) {
        return address(this).balance - _incoming();
    }

    /// Within a payable call the coins are there already.
    function _incoming() private view returns (uint256) {
        return msg.value;
    }

    function _take(address, uint256 amount) internal override {
        require(msg.value >= amount, "not enough sent");
        if (msg.value > amount) payable(msg.sender).transfer(msg.value - amount);
    }

    function _give(address to, uint256 amount) internal override {
        payable(to).transfer(amount);
    }

    function mint() external payable {
        _mint(msg.sender, msg.value);
    }

    function repayBorrow(uint256 amount) external payable {
        accrueInterest();
        _repay(msg.sender, msg.sender, amount);
    }

    function liquidateBorrow(address borrower, Lent collateral) external payable {
        _liquidate(msg.sender, borrower, msg.value, collateral);
    }
}
