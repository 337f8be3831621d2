// Compiles the solc standard-JSON input on stdin with the soljson.js named by the
// first argument and writes the standard-JSON output to the file named by the second.
const fs = require('fs');
const compile = require(process.argv[1]).cwrap('solidity_compile', 'string', ['string', 'number', 'number']);
fs.writeFileSync(process.argv[2], compile(fs.readFileSync(0, 'utf8'), 0, 0));
