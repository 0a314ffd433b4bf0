package storefront

import "testing"

// Broad has answers of so many goods and more remembered until the test ends.
func Broad(t testing.TB, n int) {
	was := broad
	broad = n
	t.Cleanup(func() { broad = was })
}
