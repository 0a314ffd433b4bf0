// Package bench measures the shop with a hundred thousand products: `make bench` runs it. What it asserts are ratios
// between statements of the same run, never times, since machines differ.
package bench
