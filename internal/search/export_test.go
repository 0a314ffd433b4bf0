package search

import "context"

// HitsOfTheDatabase is what SQL finds: the measure of what is found in memory.
func (s *Service) HitsOfTheDatabase(ctx context.Context, q Query) ([]Hit, error) {
	return hits(s.db.Read(ctx), q)
}
