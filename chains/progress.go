package chains

import "context"

type progressKey struct{}

// WithProgress has long reads made with the returned context tell how far they
// are: done of total blocks. report may be called from several goroutines.
func WithProgress(ctx context.Context, report func(done, total uint64)) context.Context {
	return context.WithValue(ctx, progressKey{}, report)
}

// Progress reports to the function that [WithProgress] put into ctx, if any.
func Progress(ctx context.Context, done, total uint64) {
	if report, ok := ctx.Value(progressKey{}).(func(done, total uint64)); ok {
		report(done, total)
	}
}
