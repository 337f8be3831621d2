package config

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// base is a right file to which each case of badFiles adds its mistake.
const base = "chains: {e: {rpc: [http://h]}}\nmarkets: [m]\n"

// rule is base with one right rule that a case extends, as YAML lines.
const rule = base + "notifiers: {n: {type: webhook}}\nrules:\n  - name: r\n    axis: ETH\n"

// badFiles: every one is refused with this place, these words, and a hint.
var badFiles = []struct {
	name, text, place, problem, hint string
}{
	// The file itself.
	{"empty", "", "1:1", "the file is empty", "chains and markets"},
	{"only comments", "# nothing\n\n", "1:1", "the file is empty", "chains and markets"},
	{"only a document start", "---\n", "2:1", "no settings", "chains:"},
	{"a list", "- a\n", "1:1", "no settings", "chains:"},
	{"a word", "chains\n", "1:1", "no settings", "chains:"},
	{"byte order mark", "\ufeff" + base, "1:1", "byte order mark", "without BOM"},
	{"UTF-16", "\xff\xfec\x00h\x00", "1:1", "UTF-16", "UTF-8"},
	{"not UTF-8", base + "store: \"sqlite:\xe9.db\"", "3:16", "not UTF-8", "UTF-8"},
	{"NUL", base + "store: \x00", "3:8", "control character", "remove"},
	{"control character", base + "store: a\x07b", "3:9", "control character", "remove"},
	{"tab indentation", "chains:\n\te: {rpc: [http://h]}\n", "2:1", "a tab", "spaces"},
	{"tab after spaces", "chains:\n  \te: {rpc: [http://h]}\n", "2:3", "a tab", "spaces"},
	{"no-break space", base + "store:\u00a0x", "3:7", "no-break space", "replace"},
	{"text direction mark", base + "store: \u202ex", "3:8", "invisible", "remove"},
	{"zero-width space", base + "st\u200bore: x", "3:3", "invisible", "remove"},
	{"second document", base + "---\n" + base, "3:1", "second document", "keep one"},
	{"unclosed bracket", "chains: {e: {rpc: [http://h}}\n" + "markets: [m]\n", "", "not YAML", "bracket"},
	{"unclosed quote", base + "store: \"sqlite:x\n", "", "not YAML", "quote"},
	{"bad indentation", "chains:\n  e:\n    rpc: [http://h]\n   id: 1\n", "", "not YAML", "indentation"},
	{"colon too many", base + "store: a: b\n", "3:1", "not YAML", "quotes"},
	{"reserved character", base + "store: @x\n", "3:1", "not YAML", "quotes"},
	{"duplicate key", base + "markets: [n]\n", "3:1", `"markets" appears twice`, "first on line 2"},
	{"duplicate inner key", "chains:\n  e: {rpc: [http://h], id: 1, id: 2}\nmarkets: [m]\n", "2:31", `"id" appears twice`, "keep one"},
	{"duplicate chain", "chains:\n  e: {rpc: [http://h]}\n  e: {rpc: [http://i]}\nmarkets: [m]\n", "3:3", "appears twice", "first on line 2"},
	{"duplicate quoted key", base + "\"markets\": [n]\n", "3:1", "appears twice", "keep one"},
	{"anchor", "chains: &c {e: {rpc: [http://h]}}\nmarkets: [m]\n", "1:9", "anchor", "write the value out"},
	{"alias", "chains: {e: {rpc: &a [http://h]}, f: {rpc: *a}}\nmarkets: [m]\n", "1:19", "anchor", "write the value out"},
	{"alias of nothing", "chains: *c\nmarkets: [m]\n", "1:1", "not YAML", "write the value out"},
	{"cycle", base + "rules: &r [*r]\n", "3:8", "anchor", "write the value out"},
	{"alias bomb", "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n", "1:4", "anchor", "write the value out"},
	{"merge key", base + "web: {<<: {listen: off}}\n", "3:7", "merge key", "write the settings out"},
	{"tag", base + "sweep: !!str 6h\n", "3:8", "a tag", "remove"},
	{"own tag", base + "sweep: !secret 6h\n", "3:8", "a tag", "remove"},
	{"list as key", base + "? [a, b]\n: c\n", "3:3", "not text", "plain words"},
	{"empty key", base + "\"\": x\n", "3:1", "empty key", "name before the colon"},
	{"nested too deeply", base + "store: " + strings.Repeat("[", 40) + strings.Repeat("]", 40), "3:", "too deeply", "levels"},

	// Keys and types.
	{"typo at the top", "chians: {e: {rpc: [http://h]}}\nmarkets: [m]\n", "1:1", `unknown key "chians"`, `did you mean "chains"?`},
	{"typo in a chain", "chains: {e: {rcp: [http://h]}}\nmarkets: [m]\n", "1:13", `"rpc" is missing`, `"rcp" on line 1`},
	{"typo in a rule", rule + "    levels: [1]\n    aproach: [5%]\n", "8:5", `unknown key "aproach"`, `did you mean "approach"?`},
	{"wrong case", "Chains: {e: {rpc: [http://h]}}\nmarkets: [m]\n", "1:1", `unknown key "Chains"`, `did you mean "chains"?`},
	{"nothing like it", base + "colour: red\n", "3:1", `unknown key "colour"`, "known here: axes, chains"},
	{"no chains", "markets: [m]\n", "1:1", `"chains" is missing`, "add it"},
	{"no markets", "chains: {e: {rpc: [http://h]}}\n", "1:1", `"markets" is missing`, "add it"},
	{"chains without names", "chains:\nmarkets: [m]\n", "1:8", "not nothing", "name: value"},
	{"empty chains", "chains: {}\nmarkets: [m]\n", "1:9", "no chains", "nodes"},
	{"empty markets", "chains: {e: {rpc: [http://h]}}\nmarkets: []\n", "2:10", "no markets", "aave-v3-ethereum"},
	{"chains as a list", "chains: [e]\nmarkets: [m]\n", "1:9", "not a list", "name: value"},
	{"chain as text", "chains: {e: http://h}\nmarkets: [m]\n", "1:13", "not text", "key: value"},
	{"rpc as text", "chains: {e: {rpc: http://h}}\nmarkets: [m]\n", "1:19", "a list is wanted here, not text", "[brackets]"},
	{"rpc missing", "chains: {e: {id: 1}}\nmarkets: [m]\n", "1:13", `"rpc" is missing`, "add it"},
	{"rpc empty", "chains: {e: {rpc: []}}\nmarkets: [m]\n", "1:19", "no nodes", "add the address"},
	{"value missing", "chains: {e: {rpc: [http://h], id: }}\nmarkets: [m]\n", "1:35", "not nothing", "write a value"},
	{"market as a number", "chains: {e: {rpc: [http://h]}}\nmarkets: [12]\n", "2:11", "not a number", `"12"`},
	{"rule name as a bool", base + "rules: [{name: true, axis: ETH, levels: [1]}]", "3:16", "not true or false", `"true"`},
	{"rules as a block", base + "rules: {name: r}\n", "3:8", "not a block", "[brackets]"},
	{"store as a block", base + "store: {a: b}\n", "3:8", "not a block", ""},

	// Numbers.
	{"octal id", "chains: {e: {rpc: [http://h], id: 010}}\nmarkets: [m]\n", "1:35", "not a whole number", "leading zero"},
	{"octal level", rule + "    levels: [010]\n", "7:14", "one way only", "leading zero"},
	{"hex level", rule + "    levels: [0x10]\n", "7:14", "one way only", "decimal digits"},
	{"binary id", "chains: {e: {rpc: [http://h], id: 0b11}}\nmarkets: [m]\n", "1:35", "not a whole number", "decimal digits"},
	{"underscores", rule + "    levels: [2_200]\n", "7:14", "one way only", "without separators"},
	{"thousands", rule + "    levels: [\"2,200\"]\n", "7:14", "one way only", "without separators"},
	{"infinity", rule + "    levels: [.inf]\n", "7:14", "one way only", "finite"},
	{"not a number", rule + "    levels: [.nan]\n", "7:14", "one way only", "finite"},
	{"exponent", rule + "    levels: [2.2e3]\n", "7:14", "one way only", "without exponent"},
	{"huge exponent", rule + "    levels: [1e999999999]\n", "7:14", "one way only", "without exponent"},
	{"bare fraction", rule + "    levels: [.5]\n", "7:14", "one way only", "0.5"},
	{"trailing point", rule + "    levels: [5.]\n", "7:14", "one way only", "write digits"},
	{"plus sign", rule + "    levels: [+5]\n", "7:14", "one way only", "plus sign"},
	{"sexagesimal", rule + "    levels: [\"1:30\"]\n", "7:14", "one way only", "write digits"},
	{"too many digits", rule + "    levels: [0." + strings.Repeat("1", 200) + "]\n", "7:14", "one way only", "at most 100 digits"},
	{"fraction of a block", "chains: {e: {rpc: [http://h], finality: 1.5}}\nmarkets: [m]\n", "1:41", "not a whole number", "fraction"},
	{"negative finality", "chains: {e: {rpc: [http://h], finality: -1}}\nmarkets: [m]\n", "1:41", "below zero", ""},
	{"id too large", "chains: {e: {rpc: [http://h], id: 18446744073709551616}}\nmarkets: [m]\n", "1:35", "too large", ""},
	{"negative rate", "chains: {e: {rpc: [http://h], max_rps: -1}}\nmarkets: [m]\n", "1:40", "below zero", "no limit"},
	{"time without unit", base + "sweep: 6\n", "3:8", "not a time", "30s, 5m or 6h"},
	{"time in days", base + "sweep: 1d\n", "3:8", "not a time", "30s, 5m or 6h"},
	{"no time", base + "sweep: 0s\n", "3:8", "not more than nothing", "30s"},
	{"negative time", base + "sweep: -6h\n", "3:8", "not more than nothing", "30s"},
	{"empty time", base + "sweep: \"\"\n", "3:8", "not a time", "30s"},
	{"ratio for a percentage", rule + "    levels: [1]\n    rearm: 0.01\n", "8:12", "no percent sign", "0.01% or 1%"},
	{"percentage of nothing", rule + "    levels: [1]\n    rearm: \"%\"\n", "8:12", "not a percentage", "write digits"},

	// Secrets.
	{"secret's variable missing", base + "store: ${env:LIQWATCH_TEST_NOT_SET}\n", "3:8", "LIQWATCH_TEST_NOT_SET is not set", "set it"},
	{"secret's variable empty", base + "store: ${env:LIQWATCH_TEST_EMPTY}\n", "3:8", "is empty", "set it"},
	{"secret's file missing", base + "store: ${file:/nonexistent/secret}\n", "3:8", "no such file", "must exist"},
	{"secret of no kind", base + "store: ${vault:x}\n", "3:8", "of no known kind", "${env:NAME}"},
	{"secret without kind", base + "store: ${HOME}\n", "3:8", "of no known kind", "${env:NAME}"},
	{"secret not closed", base + "store: \"${env:HOME\"\n", "3:8", "not closed", "${env:NAME}"},
	{"secret's name bad", base + "store: \"${env:A B}\"\n", "3:8", "names no environment variable", "${env:NAME}"},
	{"secret's file not from the root", base + "store: ${file:secret}\n", "3:8", "not a full path", "slash"},

	// What refers to what.
	{"rpc scheme", "chains: {e: {rpc: [ftp://h]}}\nmarkets: [m]\n", "1:20", `by "ftp"`, "https://"},
	{"rpc without scheme", "chains: {e: {rpc: [\"/rpc\"]}}\nmarkets: [m]\n", "1:20", "not an address", "scheme"},
	{"rpc host and port only", "chains: {e: {rpc: [\"localhost:8545\"]}}\nmarkets: [m]\n", "1:20", `by "localhost"`, "http://"},
	{"rpc without host", "chains: {e: {rpc: [\"http:///x\"]}}\nmarkets: [m]\n", "1:20", "no host", "https://host"},
	{"rpc with spaces", "chains: {e: {rpc: [\"http://h \"]}}\nmarkets: [m]\n", "1:20", "white space", "remove"},
	{"rpc twice", "chains: {e: {rpc: [http://h, http://h]}}\nmarkets: [m]\n", "1:30", "same node twice", "remove one"},
	{"rpc empty text", "chains: {e: {rpc: [\"\"]}}\nmarkets: [m]\n", "1:20", "empty", "https://"},
	{"chain's name", "chains: {\"a b\": {rpc: [http://h]}}\nmarkets: [m]\n", "1:17", "cannot be a name", "letters"},
	{"header's name", "chains: {e: {rpc: [http://h], headers: {\"A:B\": x}}}\nmarkets: [m]\n", "1:48", "cannot be sent", "one line"},
	{"same id twice", "chains: {e: {rpc: [http://h], id: 1}, f: {rpc: [http://i], id: 1}}\nmarkets: [m]\n", "1:64", "same id", "wrong"},
	{"market twice", "chains: {e: {rpc: [http://h]}}\nmarkets:\n  - m\n  - m\n", "4:5", "appears twice", "first on line 3"},
	{"market's chain", "chains: {eth: {rpc: [http://h]}}\nmarkets: [{name: m, protocol: p, chain: ehT}]\n", "2:41", `chain "ehT"`, `did you mean "eth"?`},
	{"market without protocol", "chains: {e: {rpc: [http://h]}}\nmarkets: [{name: m, chain: e, protocl: p}]\n", "2:11", `"protocol" is missing`, `"protocl" on line 2`},
	{"market as a list", "chains: {e: {rpc: [http://h]}}\nmarkets: [[m]]\n", "2:11", "not a list", "key: value"},
	{"reference", base + "axes: {ETH: {reference: mm}}\n", "3:25", `reference "mm"`, `did you mean "m"?`},
	{"axis' name", base + "axes: {\"A/B/C\": {}}\n", "3:17", "cannot be an axis", "wstETH/ETH"},
	{"feed without chain", base + "axes: {ETH: {spot: {feed: \"0x1\"}}}\n", "3:20", "which chain", "reference"},
	{"feed's chain", base + "axes: {ETH: {spot: {feed: \"0x1\", chain: f}}}\n", "3:41", `chain "f"`, `"e"`},
	{"notifier without type", base + "notifiers: {n: {url: x}}\n", "3:16", `"type" is missing`, "add it"},
	{"rule twice", rule + "    levels: [1]\n  - {name: r, axis: ETH, levels: [1]}\n", "8:12", "appears twice", "first on line 5"},
	{"rule's axis", base + "rules: [{name: r, axis: EHT, levels: [1]}]\n", "3:25", `no axis "EHT"`, `did you mean "ETH"?`},
	{"rule's peg to itself", base + "rules: [{name: r, axis: ETH/ETH, levels: [1]}]\n", "3:25", "no axis", "axes"},
	{"rule's notifier", rule + "    levels: [1]\n    notify: [m]\n", "8:14", `notifier "m"`, `did you mean "n"?`},
	{"rule's notifier twice", rule + "    levels: [1]\n    notify: [n, n]\n", "8:17", "appears twice", "keep one"},
	{"rule without levels", rule, "5:5", "no levels", "levels: [2200, 2400]"},
	{"empty levels", rule + "    levels: []\n", "7:13", "no levels", "levels: [2200, 2400]"},
	{"levels as text", rule + "    levels: wals\n", "7:13", "not text", "or walls"},
	{"level zero", rule + "    levels: [0]\n", "7:14", "level 0", "above zero"},
	{"level below zero", rule + "    levels: [-1]\n", "7:14", "level -1", "above zero"},
	{"level twice", rule + "    levels: [2200, 2200.0]\n", "7:20", "appears twice", "keep one"},
	{"levels and walls", rule + "    levels: [1]\n    walls: {}\n", "8:12", "levels and walls", "keep one"},
	{"no walls at all", rule + "    walls: {count: 0}\n", "7:20", "0 walls", "1 to 100"},
	{"approach rises", rule + "    levels: [1]\n    approach: [2%, 5%]\n", "8:20", "5% comes after 2%", "falling"},
	{"approach twice", rule + "    levels: [1]\n    approach: [2%, 2.0%]\n", "8:20", "2% comes after 2%", "falling"},
	{"approach too far", rule + "    levels: [1]\n    approach: [100%]\n", "8:16", "100%", "less than 100%"},
	{"approach nothing", rule + "    levels: [1]\n    approach: [0%]\n", "8:16", "0%", "more than 0%"},
	{"approach empty", rule + "    levels: [1]\n    approach: []\n", "8:15", "no approach", "leave it out"},
	{"rearm nothing", rule + "    levels: [1]\n    rearm: 0%\n", "8:12", "rearm is 0%", "such as 1%"},
	{"rearm too far", rule + "    levels: [1]\n    rearm: 50%\n", "8:12", "rearm is 50%", "such as 1%"},
	{"rearm beyond reach", rule + "    levels: [1]\n    approach: [80%]\n    rearm: 20%\n", "9:12", "together reach 100%", "smaller"},
	{"severity", rule + "    levels: [1]\n    severity: critcal\n", "8:15", `no severity "critcal"`, `did you mean "critical"?`},
	{"long advice", rule + "    levels: [1]\n    advice: " + strings.Repeat("x", 501) + "\n", "8:13", "501 characters", "runbook"},
	{"negative minimum", rule + "    levels: [1]\n    min_at_risk_usd: -1\n", "8:22", "below zero", "leave it out"},
	{"store of no kind", base + "store: mysql://h/db\n", "3:8", `kind "mysql"`, "sqlite:FILE"},
	{"store without file", base + "store: \"sqlite:\"\n", "3:8", "no file name", "sqlite:liqwatch.db"},
	{"listen without port", base + "web: {listen: localhost}\n", "3:15", "nothing to listen on", "127.0.0.1:8787"},
	{"listen on no port", base + "web: {listen: \"localhost:99999\"}\n", "3:15", "nothing to listen on", "127.0.0.1:8787"},
	{"log level", base + "log: {level: verbose}\n", "3:14", `no log level "verbose"`, "debug"},
}

var withPlace = regexp.MustCompile(`^bad\.yaml:[1-9][0-9]*:[1-9][0-9]*: .+`)

func TestBadFilesAreRefused(t *testing.T) {
	setenv(t, "LIQWATCH_TEST_EMPTY", "")
	require.GreaterOrEqual(t, len(badFiles), 80)
	seen := map[string]bool{}
	for _, c := range badFiles {
		require.False(t, seen[c.name], "two cases are called %q", c.name)
		seen[c.name] = true
		t.Run(c.name, func(t *testing.T) {
			_, err := Parse("bad.yaml", []byte(c.text))
			require.Error(t, err)
			require.True(t, IsInvalid(err))
			first := strings.SplitN(err.Error(), "\n", 2)[0]
			require.Regexp(t, withPlace, first)
			require.True(t, strings.HasPrefix(first, "bad.yaml:"+c.place), "%s: want place %s", first, c.place)
			require.Contains(t, first, c.problem)
			if c.hint == "" {
				return
			}
			_, hint, ok := strings.Cut(first, "; ")
			require.True(t, ok, "%s: no hint", first)
			require.Contains(t, hint, c.hint)
		})
	}
}

func TestTheBasesOfTheBadFilesAreGood(t *testing.T) {
	for _, text := range []string{base, rule + "    levels: [1]\n"} {
		_, err := Parse("good.yaml", []byte(text))
		require.NoError(t, err)
	}
}

func TestALargeFileIsRefused(t *testing.T) {
	_, err := Parse("bad.yaml", []byte(base+"# "+strings.Repeat("x", maxSize)))
	require.ErrorContains(t, err, "bytes")
}

func TestSeveralErrorsAreToldTogether(t *testing.T) {
	_, err := Parse("bad.yaml", []byte("chains: {e: {rcp: [http://h]}}\nmarkets: [12]\nsweep: soon\n"))
	require.EqualError(t, err, `bad.yaml:1:13: "rpc" is missing; is "rcp" on line 1 meant to be it?
bad.yaml:1:14: unknown key "rcp"; did you mean "rpc"?
bad.yaml:2:11: text is wanted here, not a number; put it in quotes: "12"
bad.yaml:3:8: "soon" is not a time; write a time such as 30s, 5m or 6h`)
}

// Whatever the bytes: no panic, every error is a configuration error, and the
// public part never holds a secret.
func FuzzParse(f *testing.F) {
	good, err := os.ReadFile(filepath.Join("testdata", "good.yaml"))
	require.NoError(f, err)
	f.Add(good)
	for _, c := range badFiles {
		f.Add([]byte(c.text))
	}
	setSecrets(f)
	f.Fuzz(func(t *testing.T, text []byte) {
		c, err := Parse("fuzz.yaml", text)
		if err != nil {
			if !IsInvalid(err) {
				t.Fatalf("%v is no configuration error", err)
			}
			return
		}
		for _, m := range c.Markets {
			var into marketSettings
			if err := m.Settings.Decode(&into); err != nil && !IsInvalid(err) {
				t.Fatalf("%v is no configuration error", err)
			}
		}
		if text := public(t, c); strings.Contains(text, tokenSecret) {
			t.Fatalf("a secret in the public part:\n%s", text)
		}
	})
}
