package store

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/bits"
	"strings"

	"github.com/shopspring/decimal"
)

// Step is the height of a history bucket: bucket k holds the prices from Step^k up
// to Step^(k+1). The grid does not move with the price, so that a wall stays in
// its row for as long as it stands.
const Step = 1.01

// Bucket is the bucket of a price above zero.
func Bucket(price float64) int { return int(math.Floor(math.Log(price) / math.Log(Step))) }

// BucketFrom is the lower edge of a bucket, to eight digits: as good as a
// logarithmic grid is.
func BucketFrom(k int) decimal.Decimal {
	p := math.Pow(Step, float64(k))
	places := int32(7 - int(math.Floor(math.Log10(p))))
	return decimal.NewFromFloat(p).Round(places)
}

// BandPoint is the collateral that comes due at the prices of one bucket.
type BandPoint struct {
	Bucket int
	// USD is whole dollars, kept to three digits: error at most 1/1024.
	USD uint64
}

// encodeBands writes bands in the order of buckets, in runs of neighbours: the gap
// to the run before and its length as varints, then each amount in two bytes.
func encodeBands(bands []BandPoint) []byte {
	out := make([]byte, 0, 2*len(bands)+8)
	next := 0
	for len(bands) > 0 {
		n := 1
		for n < len(bands) && bands[n].Bucket == bands[n-1].Bucket+1 {
			n++
		}
		out = binary.AppendVarint(out, int64(bands[0].Bucket-next))
		out = binary.AppendUvarint(out, uint64(n))
		for _, b := range bands[:n] {
			out = binary.LittleEndian.AppendUint16(out, packUSD(b.USD))
		}
		next = bands[n-1].Bucket + 1
		bands = bands[n:]
	}
	return out
}

func decodeBands(body []byte, each func(BandPoint)) error {
	bucket := 0
	for len(body) > 0 {
		gap, a := binary.Varint(body)
		if a <= 0 || gap > 1<<20 || gap < -1<<20 {
			return fmt.Errorf("history: %w", ErrDamaged)
		}
		n, b := binary.Uvarint(body[a:])
		body = body[a+max(b, 0):]
		if b <= 0 || n > uint64(len(body)/2) {
			return fmt.Errorf("history: %w", ErrDamaged)
		}
		bucket += int(gap)
		for range n {
			each(BandPoint{bucket, unpackUSD(binary.LittleEndian.Uint16(body))})
			body = body[2:]
			bucket++
		}
	}
	return nil
}

// packUSD keeps ten bits of an amount and how far they are shifted. It rounds
// down: an amount is never shown larger than it was.
func packUSD(usd uint64) uint16 {
	shift := max(0, bits.Len64(usd)-10)
	return uint16(shift)<<10 | uint16(usd>>shift)
}

func unpackUSD(p uint16) uint64 { return uint64(p&0x3ff) << (p >> 10) }

// numbers are a body of decimals.
func encodeNumbers(all ...decimal.Decimal) []byte {
	words := make([]string, len(all))
	for i, d := range all {
		words[i] = d.String()
	}
	return []byte(strings.Join(words, " "))
}

func decodeNumbers(body []byte, into ...*decimal.Decimal) error {
	words := strings.Fields(string(body))
	if len(words) != len(into) {
		return fmt.Errorf("history: %w", ErrDamaged)
	}
	for i, w := range words {
		d, err := decimal.NewFromString(w)
		if err != nil {
			return fmt.Errorf("history: %w", ErrDamaged)
		}
		*into[i] = d
	}
	return nil
}
