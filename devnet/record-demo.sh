#!/bin/sh
# Makes the recording that "liqwatch demo" plays: the story on a fresh devnet, recorded
# with "liqwatch record". Run it from the module's root (make demo-recording) whenever
# what is read of a market changes, and look at the demo afterwards.
set -eu
work=$(mktemp -d)
port=${PORT:-18790}
trap 'kill "$pid" 2>/dev/null || true; rm -rf "$work"' EXIT
go build -o "$work/devnet" ./devnet
go build -o "$work/liqwatch" ./cmd/liqwatch
mkfifo "$work/in"
"$work/devnet" --version 3.6 --port "$port" --story --block-time 0s --config "$work/devnet.yaml" --beats "$work/beats" <"$work/in" >/dev/null 2>"$work/log" &
pid=$!
exec 3>"$work/in" # open as long as the node is to live
until grep -q 'The story took blocks' "$work/log"; do
	kill -0 "$pid" 2>/dev/null || { cat "$work/log" >&2; exit 1; }
	sleep 1
done
set -- $(sed -n 's/.*The story took blocks \([0-9]*\) to \([0-9]*\).*/\1 \2/p' "$work/log")
sed -e 's#, "ws://[^"]*"##' -e 's#aave-devnet#aave-v3-demo#g' -e 's#levels: .*#levels: [2200, 2400, 2900]#' \
	-e "s#^store: .*#store: sqlite:$work/store.db#" "$work/devnet.yaml" >"$work/demo.yaml"
"$work/liqwatch" record -c "$work/demo.yaml" --from "$1" --to "$2" --beats "$work/beats" -o "$work/demo.recording"
size=$(wc -c <"$work/demo.recording")
[ "$size" -lt 5000000 ] || { echo "the recording has $size bytes; 5,000,000 are allowed" >&2; exit 1; }
mv "$work/demo.recording" cmd/liqwatch/demo.recording
echo "cmd/liqwatch/demo.recording: $size bytes, blocks $1 to $2"
