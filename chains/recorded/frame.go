package recorded

import (
	"bufio"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/zstd"
)

// magic opens every recording; its number is the version of the format.
const magic = "liqwatch recording 1\n"

const (
	sumSize     = 8
	frameHeader = 4 + sumSize
	maxFrame    = 32 << 20 // raw bytes of one frame
	flushAt     = 256 << 10
)

var (
	// ErrDamaged: the bytes are not what was written.
	ErrDamaged = errors.New("the recording is damaged")
	// ErrUnfinished: the recording ends before its end: it was cut, or is still being made.
	ErrUnfinished = errors.New("the recording is unfinished")
)

// A frame is a length, a checksum and zstd data. The checksum covers the one
// before it too, so that a frame that is missing or moved is noticed.
type sum [sumSize]byte

func nextSum(before sum, length uint32, body []byte) sum {
	h := sha256.New()
	h.Write(before[:])
	h.Write(binary.LittleEndian.AppendUint32(nil, length))
	h.Write(body)
	return sum(h.Sum(nil)[:sumSize])
}

// frameWriter compresses and writes frames.
type frameWriter struct {
	w      io.Writer
	zip    *zstd.Encoder
	before sum
}

func newFrameWriter(w io.Writer, before sum) (*frameWriter, error) {
	zip, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedBetterCompression), zstd.WithEncoderConcurrency(1), zstd.WithEncoderCRC(false))
	if err != nil {
		return nil, err
	}
	return &frameWriter{w: w, zip: zip, before: before}, nil
}

func (f *frameWriter) write(raw []byte) error {
	body := f.zip.EncodeAll(raw, nil)
	length := uint32(len(body))
	s := nextSum(f.before, length, body)
	out := binary.LittleEndian.AppendUint32(make([]byte, 0, frameHeader+len(body)), length)
	out = append(append(out, s[:]...), body...)
	// One write: a crash leaves a torn last frame and nothing else.
	if _, err := f.w.Write(out); err != nil {
		return err
	}
	f.before = s
	return nil
}

// frameReader reads frames and proves them.
type frameReader struct {
	r      *bufio.Reader
	zip    *zstd.Decoder
	before sum
	offset int64 // end of the last good frame
	raw    int64 // bytes unpacked so far
	most   int64 // bytes that may be unpacked
}

func newFrameReader(r io.Reader, most int64) (*frameReader, error) {
	zip, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(maxFrame))
	if err != nil {
		return nil, err
	}
	f := &frameReader{r: bufio.NewReader(r), zip: zip, most: most}
	head := make([]byte, len(magic))
	if _, err := io.ReadFull(f.r, head); err != nil {
		return nil, fmt.Errorf("%w: it has no header", ErrDamaged)
	}
	if string(head) != magic {
		if string(head[:len(magic)-2]) == magic[:len(magic)-2] {
			return nil, fmt.Errorf("recording of format %q, this program reads format 1: use the version of liqwatch that made it", head[len(magic)-2:len(magic)-1])
		}
		return nil, fmt.Errorf("%w: it does not begin like a recording of liqwatch", ErrDamaged)
	}
	f.offset = int64(len(magic))
	return f, nil
}

// next is the next frame's raw bytes; io.EOF exactly after a whole frame,
// [ErrUnfinished] within one.
func (f *frameReader) next() ([]byte, error) {
	var head [frameHeader]byte
	if _, err := io.ReadFull(f.r, head[:]); err != nil {
		if errors.Is(err, io.EOF) {
			return nil, io.EOF
		}
		return nil, torn(err)
	}
	length := binary.LittleEndian.Uint32(head[:4])
	if length > maxFrame {
		return nil, fmt.Errorf("%w: a frame of %d bytes at %d", ErrDamaged, length, f.offset)
	}
	// Grown as bytes come: a length alone must not reserve memory.
	body, err := io.ReadAll(io.LimitReader(f.r, int64(length)))
	if err != nil {
		return nil, torn(err)
	}
	if len(body) < int(length) {
		return nil, fmt.Errorf("%w: it ends within a frame, at byte %d", ErrUnfinished, f.offset)
	}
	s := nextSum(f.before, length, body)
	if s != sum(head[4:]) {
		return nil, fmt.Errorf("%w: wrong checksum in the frame at byte %d", ErrDamaged, f.offset)
	}
	raw, err := f.zip.DecodeAll(body, nil)
	if err != nil {
		return nil, fmt.Errorf("%w: unpack the frame at byte %d: %w", ErrDamaged, f.offset, err)
	}
	f.raw += int64(len(raw))
	if f.raw > f.most {
		return nil, fmt.Errorf("recording holds more than %d bytes unpacked: raise the limit or split it", f.most)
	}
	f.before = s
	f.offset += int64(frameHeader) + int64(length)
	return raw, nil
}

func torn(err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("%w: it ends within a frame", ErrUnfinished)
	}
	return fmt.Errorf("read the recording: %w", err)
}
