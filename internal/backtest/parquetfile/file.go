// Package parquetfile writes rows as Parquet files (zstd) and proves them by reading
// them back before they get their name.
package parquetfile

import (
	"errors"
	"fmt"
	"os"

	"github.com/parquet-go/parquet-go"
)

// ErrShort: a file that did not hold every row that was written.
var ErrShort = errors.New("the file does not hold every row written")

// batch is how many rows are held in memory.
const batch = 4096

// Writer writes rows of one type to one file.
type Writer[T any] struct {
	path string
	file *os.File
	out  *parquet.GenericWriter[T]
	held []T
	rows int64
}

// Create begins a file. Until Close it has another name, so that a file that is there
// is a file that is whole.
func Create[T any](path string) (*Writer[T], error) {
	f, err := os.Create(path + ".part")
	if err != nil {
		return nil, fmt.Errorf("write parquet: %w", err)
	}
	return &Writer[T]{path: path, file: f, out: parquet.NewGenericWriter[T](f, parquet.Compression(&parquet.Zstd))}, nil
}

// Add takes a row.
func (w *Writer[T]) Add(row T) error {
	w.held = append(w.held, row)
	if len(w.held) < batch {
		return nil
	}
	return w.flush()
}

func (w *Writer[T]) flush() error {
	n, err := w.out.Write(w.held)
	w.rows += int64(n)
	w.held = w.held[:0]
	if err != nil {
		return fmt.Errorf("write parquet %s: %w", w.path, err)
	}
	return nil
}

// Close writes what is left, syncs, opens the file again, counts its rows, and only
// then gives it its name. On any error the unfinished file is removed.
func (w *Writer[T]) Close() (rows int64, err error) {
	err = w.flush()
	if e := w.out.Close(); err == nil && e != nil {
		err = fmt.Errorf("write parquet %s: %w", w.path, e)
	}
	if e := w.file.Sync(); err == nil && e != nil {
		err = fmt.Errorf("write parquet %s: %w", w.path, e)
	}
	if e := w.file.Close(); err == nil && e != nil {
		err = fmt.Errorf("write parquet %s: %w", w.path, e)
	}
	if err == nil {
		err = w.verify()
	}
	if err == nil {
		err = os.Rename(w.file.Name(), w.path)
	}
	if err != nil {
		_ = os.Remove(w.file.Name())
		return 0, err
	}
	return w.rows, nil
}

// verify reads every row back.
func (w *Writer[T]) verify() error {
	rows, err := Read[T](w.file.Name())
	if err != nil {
		return fmt.Errorf("read back parquet %s: %w", w.path, err)
	}
	if int64(len(rows)) != w.rows {
		return fmt.Errorf("read back parquet %s: %w: %d of %d", w.path, ErrShort, len(rows), w.rows)
	}
	return nil
}

// Read is all rows of a file.
func Read[T any](path string) ([]T, error) {
	rows, err := parquet.ReadFile[T](path)
	if err != nil {
		return nil, fmt.Errorf("read parquet %s: %w", path, err)
	}
	return rows, nil
}
