// Package reconcile owns what banks tell about money that came into sellers' accounts, and finds the order that each
// amount pays for. It stands above order, which settles, and payment, which does not know what an order is.
//
// Tables: bank_notice (what came is never changed), bank_notice_history (append-only: every decision).
//
// Promises:
//
//   - A transaction counts once, however often and in whatever order it is told. Told with another content it is kept
//     beside the first, for a person.
//
//   - Nothing is guessed: money settles an order by itself only when code, account and amount leave one order. All
//     else waits on the list of unmatched money, with a reason and what to do; nothing leaves the list unless a person
//     says where the money belongs, that it was sent back, or that it is none of this market's.
//
//   - One money settles one payment; of two that come for one order the second waits.
//
//   - Rows are locked in the order: order, notice, stock level, payment.
//
//     received  → matched | unmatched
//     unmatched → assigned | returned | dismissed, or stays while a part must still go back
//     dismissed → assigned | returned | unmatched  (it was ours after all)
package reconcile

import (
	"choocop.vn/ocop/internal/order"
	"choocop.vn/ocop/internal/payment"
	"choocop.vn/ocop/internal/platform/clock"
	"choocop.vn/ocop/internal/platform/db"
	"choocop.vn/ocop/internal/platform/job"
	"choocop.vn/ocop/internal/producer"
)

// Deps are the services that matching calls.
type Deps struct {
	DB        *db.DB
	Clock     clock.Clock
	Jobs      *job.Queue
	Producers *producer.Service
	Payments  *payment.Service
	Orders    *order.Service
}

// Service holds the verbs of this package.
type Service struct{ Deps }

// New returns the service.
func New(d Deps) *Service { return &Service{d} }

// Match finds the order that a bank's notice pays for.
type Match struct {
	NoticeID int64 `json:"notice_id"`
}

// Kind names the job in the queue.
func (Match) Kind() string { return "reconcile_match" }

// SweepJob matches what a lost job left, now and then.
type SweepJob struct{}

// Kind names the job in the queue.
func (SweepJob) Kind() string { return "reconcile_sweep" }
