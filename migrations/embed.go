// Package migrations holds the numbered SQL files that make the schema. They only go forward.
package migrations

import "embed"

// Files are the goose migrations in order of their number.
//
//go:embed *.sql
var Files embed.FS
