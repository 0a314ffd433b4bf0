// Package bench measures the whole program over real connections beside yardsticks on the same server and database, and
// holds their ratios against the aims; run it with `make bench`. A figure of one machine and hour says little, a ratio
// measured within seconds says much; even so, measure where nothing else runs: the yardsticks keep many of PostgreSQL's
// processes busy and so get more than their share of a crowded machine.
package bench
