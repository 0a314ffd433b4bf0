package search

import (
	"database/sql/driver"
	"strconv"
	"strings"
)

// array is a list that goes to PostgreSQL as one parameter, so that a statement is the same text for any number of ids.
type array []int64

// Value writes {1,2}.
func (a array) Value() (driver.Value, error) {
	parts := make([]string, len(a))
	for i, n := range a {
		parts[i] = strconv.FormatInt(n, 10)
	}
	return "{" + strings.Join(parts, ",") + "}", nil
}
