// Package job is the queue of work to be done after a transaction: mails, search rows, expiry.
//
// A job is put in with the same transaction as the change that causes it, so it exists if and only
// if the change does. Workers run it at least once; every job function must be idempotent.
package job

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverdatabasesql"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"

	"choocop.vn/ocop/internal/platform/db"
)

// Args is the payload of one kind of job: ids, never whole records, never personal data.
type Args = river.JobArgs

// Options say in which queue a kind waits and how often it is tried; a kind that differs has a method InsertOpts.
type Options = river.InsertOpts

// Outside is the queue of jobs that wait for other people's servers, so that a slow one never holds up our own work.
const Outside = "outside"

// outsideWorkers is how many of them run at a time in one program.
const outsideWorkers = 2

// Queue puts jobs in.
type Queue struct{ client *river.Client[*sql.Tx] }

// NewQueue returns a queue that only inserts; see Run for the workers.
func NewQueue() (*Queue, error) {
	c, err := river.NewClient(riverdatabasesql.New(nil), &river.Config{Logger: slog.Default()})
	if err != nil {
		return nil, fmt.Errorf("job: %w", err)
	}
	return &Queue{c}, nil
}

// Enqueue puts args in the caller's transaction, to be run as soon as it commits.
func (q *Queue) Enqueue(ctx context.Context, tx db.Tx, args Args) error {
	return q.insert(ctx, tx, args, nil)
}

// EnqueueAt puts args in the caller's transaction, to be run at the given time.
func (q *Queue) EnqueueAt(ctx context.Context, tx db.Tx, args Args, at time.Time) error {
	return q.insert(ctx, tx, args, &river.InsertOpts{ScheduledAt: at})
}

// Timed is a job with the time to run it; the zero time means as soon as the transaction commits.
type Timed struct {
	Args Args
	At   time.Time
}

// EnqueueAll puts any number of jobs in the caller's transaction, in one statement.
func (q *Queue) EnqueueAll(ctx context.Context, tx db.Tx, jobs []Timed) error {
	if len(jobs) == 0 {
		return nil
	}
	params := make([]river.InsertManyParams, len(jobs))
	for i, j := range jobs {
		params[i] = river.InsertManyParams{Args: j.Args, InsertOpts: &river.InsertOpts{ScheduledAt: j.At}}
	}
	if _, err := q.client.InsertManyFastTx(ctx, tx.SQL(), params); err != nil {
		return fmt.Errorf("job: enqueue %d jobs: %w", len(jobs), err)
	}
	return nil
}

func (q *Queue) insert(ctx context.Context, tx db.Tx, args Args, opts *river.InsertOpts) error {
	if _, err := q.client.InsertTx(ctx, tx.SQL(), args, opts); err != nil {
		return fmt.Errorf("job: enqueue %s: %w", args.Kind(), err)
	}
	return nil
}

// Workers collects which function runs which kind.
type Workers struct {
	set      *river.Workers
	periodic []*river.PeriodicJob
}

// NewWorkers returns an empty set.
func NewWorkers() *Workers { return &Workers{set: river.NewWorkers()} }

// Handle registers the function for the kind of T.
func Handle[T Args](w *Workers, fn func(ctx context.Context, args T) error) {
	river.AddWorker(w.set, river.WorkFunc(func(ctx context.Context, j *river.Job[T]) error { return fn(ctx, j.Args) }))
}

// Every runs args again and again; one program of many does it at a time.
func (w *Workers) Every(d time.Duration, args Args) {
	w.periodic = append(w.periodic, river.NewPeriodicJob(river.PeriodicInterval(d),
		func() (river.JobArgs, *river.InsertOpts) { return args, nil }, &river.PeriodicJobOpts{RunOnStart: true}))
}

// Runner works jobs off until stopped.
type Runner struct {
	client interface{ Stop(context.Context) error }
}

// Run starts n workers on d's pool. It polls as well as listens, so a restart of PostgreSQL is survived.
func Run(ctx context.Context, d *db.DB, w *Workers, n int) (*Runner, error) {
	client, err := river.NewClient(riverpgxv5.New(d.Pool()), &river.Config{
		Queues:            map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: n}, Outside: {MaxWorkers: outsideWorkers}},
		Workers:           w.set,
		PeriodicJobs:      w.periodic,
		FetchPollInterval: time.Second,
		JobTimeout:        time.Minute,
		Logger:            slog.New(quiet{slog.Default().Handler()}),
	})
	if err != nil {
		return nil, fmt.Errorf("job: %w", err)
	}
	if err := client.Start(ctx); err != nil {
		return nil, fmt.Errorf("job: start: %w", err)
	}
	return &Runner{client}, nil
}

// Stop takes no new jobs and waits for those under way.
func (r *Runner) Stop(ctx context.Context) error { return r.client.Stop(ctx) }

// quiet passes on only what somebody must act upon; the queue itself is talkative.
type quiet struct{ slog.Handler }

func (h quiet) Enabled(ctx context.Context, l slog.Level) bool {
	return l >= slog.LevelWarn && h.Handler.Enabled(ctx, l)
}
func (h quiet) WithAttrs(a []slog.Attr) slog.Handler { return quiet{h.Handler.WithAttrs(a)} }
func (h quiet) WithGroup(n string) slog.Handler      { return quiet{h.Handler.WithGroup(n)} }
