// SPDX-License-Identifier: MIT
pragma solidity ^0.8.20;

/// A price feed as Chainlink builds it: an aggregator that reports are sent to and
/// that logs them, behind a proxy that consumers read. Here anybody may report.
contract Aggregator {
    event AnswerUpdated(int256 indexed current, uint256 indexed roundId, uint256 updatedAt);
    event NewTransmission(
        uint32 indexed aggregatorRoundId,
        int192 answer,
        address transmitter,
        uint32 observationsTimestamp,
        int192[] observations,
        bytes observers,
        int192 juelsPerFeeCoin,
        bytes32 configDigest,
        uint40 epochAndRound
    );

    string public description;
    uint8 public immutable decimals;
    int256 public latestAnswer;
    uint256 public latestTimestamp;
    uint32 public latestRound;

    constructor(string memory description_, uint8 decimals_, int256 answer) {
        description = description_;
        decimals = decimals_;
        report(answer);
    }

    function report(int256 answer) public {
        latestAnswer = answer;
        latestTimestamp = block.timestamp;
        latestRound++;
        int192[] memory observations = new int192[](1);
        observations[0] = int192(answer);
        emit NewTransmission(
            latestRound, int192(answer), msg.sender, uint32(block.timestamp), observations, hex"00", 0, bytes32(0), latestRound
        );
        emit AnswerUpdated(answer, latestRound, block.timestamp);
    }

    function latestRoundData() external view returns (uint80, int256, uint256, uint256, uint80) {
        return (latestRound, latestAnswer, latestTimestamp, latestTimestamp, latestRound);
    }
}

interface IAggregator {
    function description() external view returns (string memory);
    function decimals() external view returns (uint8);
    function latestAnswer() external view returns (int256);
    function latestTimestamp() external view returns (uint256);
    function latestRoundData() external view returns (uint80, int256, uint256, uint256, uint80);
}

/// What consumers read: forwards to an aggregator that may be changed without a log.
contract FeedProxy {
    IAggregator public aggregator;

    constructor(IAggregator aggregator_) {
        aggregator = aggregator_;
    }

    function confirmAggregator(IAggregator aggregator_) external {
        aggregator = aggregator_;
    }

    function description() external view returns (string memory) {
        return aggregator.description();
    }

    function decimals() external view returns (uint8) {
        return aggregator.decimals();
    }

    function latestAnswer() external view returns (int256) {
        return aggregator.latestAnswer();
    }

    function latestTimestamp() external view returns (uint256) {
        return aggregator.latestTimestamp();
    }

    function latestRoundData() external view returns (uint80, int256, uint256, uint256, uint80) {
        return aggregator.latestRoundData();
    }
}

/// One aggregator read through two proxies, as Chainlink SVR does it: a report is
/// seen through the primary proxy at once, through the secondary one when it was
/// sent for it or when cutoffTime has passed, without any log at that moment.
contract DualAggregator {
    event AnswerUpdated(int256 indexed current, uint256 indexed roundId, uint256 updatedAt);
    event SecondaryRoundIdUpdated(uint32 indexed secondaryRoundId);
    event CutoffTimeSet(uint32 cutoffTime);

    struct Round {
        int192 answer;
        uint32 recordedTimestamp;
    }

    uint32 private constant MAX_SYNC_ITERATIONS = 20;

    string public description;
    uint8 public immutable decimals;
    address public secondaryProxy;
    uint32 private cutoffTime;
    uint32 private latestPrimary;
    uint32 private latestSecondary;
    bool private latestFromSecondary;
    mapping(uint32 => Round) private rounds;

    constructor(string memory description_, uint8 decimals_, int192 answer, uint32 cutoffTime_) {
        description = description_;
        decimals = decimals_;
        setCutoffTime(cutoffTime_);
        reportSecondary(answer);
        latestFromSecondary = false;
    }

    function setSecondaryProxy(address proxy) external {
        secondaryProxy = proxy;
    }

    function setCutoffTime(uint32 cutoffTime_) public {
        cutoffTime = cutoffTime_;
        emit CutoffTimeSet(cutoffTime_);
    }

    function report(int192 answer) public {
        rounds[++latestPrimary] = Round(answer, uint32(block.timestamp));
        latestFromSecondary = false;
        emit AnswerUpdated(answer, latestPrimary, block.timestamp);
    }

    function reportSecondary(int192 answer) public {
        report(answer);
        latestFromSecondary = true;
        latestSecondary = latestPrimary;
        emit SecondaryRoundIdUpdated(latestSecondary);
    }

    function latestAnswer() external view returns (int256) {
        return rounds[_latestRound()].answer;
    }

    function latestTimestamp() external view returns (uint256) {
        return rounds[_latestRound()].recordedTimestamp;
    }

    function latestRound() external view returns (uint256) {
        return _latestRound();
    }

    function latestRoundData() external view returns (uint80, int256, uint256, uint256, uint80) {
        uint32 id = _latestRound();
        Round memory round = rounds[id];
        return (id, round.answer, round.recordedTimestamp, round.recordedTimestamp, id);
    }

    function _latestRound() private view returns (uint32) {
        if (msg.sender == secondaryProxy) {
            if (rounds[latestSecondary].recordedTimestamp + cutoffTime >= block.timestamp) return latestSecondary;
            for (uint32 i = 0; i < MAX_SYNC_ITERATIONS && i < latestPrimary; i++) {
                uint32 id = latestPrimary - i;
                if (id == latestSecondary || rounds[id].recordedTimestamp + cutoffTime < block.timestamp) return id;
            }
            return latestSecondary;
        }
        // A report sent for the secondary feed shows on the primary one from the next block on.
        if (latestFromSecondary && rounds[latestPrimary].recordedTimestamp == block.timestamp) return latestPrimary - 1;
        return latestPrimary;
    }
}
