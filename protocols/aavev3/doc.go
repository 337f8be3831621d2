// Package aavev3 reads Aave v3 pools of every version, and SparkLend, exactly.
//
// The market learns the pool's shape from its PoolAddressesProvider, chooses the
// arithmetic by POOL_REVISION, keeps every borrower's scaled balances by
// re-reading the accounts that logs touched, and accrues interest itself. All six
// numbers of getUserAccountData come out to the last unit; Verify proves it.
package aavev3

// Name is the protocol's name in the configuration.
const Name = "aave-v3"
