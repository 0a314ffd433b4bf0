package search

import "context"

// ForgetChanges asks for [Service.Forget], now and then.
type ForgetChanges struct{}

// Kind names the job.
func (ForgetChanges) Kind() string { return "search.forget_changes" }

// Forget deletes the notes of products changed more than an hour ago, and returns how many. Who has not asked for so long
// reads everything anew.
func (s *Service) Forget(ctx context.Context) (int, error) { return forget(s.db.Primary(ctx)) }
