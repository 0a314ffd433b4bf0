package api

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"

	"choocop.vn/ocop/internal/platform/apperr"
	"choocop.vn/ocop/internal/platform/page"
	"choocop.vn/ocop/internal/storefront"
)

// A cursor says where in which list to go on. It holds the print of the filter, so that it can be used with no other, and
// a check sum, so that one that somebody changed is known.
const cursorBytes = 8 + 4 + 4

func filterPrint(f storefront.Filter) []byte {
	f.Page = 0
	sum := sha256.Sum256(fmt.Appendf(nil, "cursor 1 %+v", f))
	return sum[:8]
}

func cursor(f storefront.Filter, number int) string {
	b := binary.BigEndian.AppendUint32(filterPrint(f), uint32(number))
	sum := sha256.Sum256(b)
	return base64.RawURLEncoding.EncodeToString(append(b, sum[:4]...))
}

// readCursor is the page that a cursor of this filter leads to, or that one must not use it.
func readCursor(text string, f storefront.Filter) (int, error) {
	if text == "" {
		return 1, nil
	}
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || len(b) != cursorBytes {
		return 0, badCursor()
	}
	n := int(binary.BigEndian.Uint32(b[8:12]))
	if n < 1 || n > page.Last || cursor(f, n) != text {
		return 0, badCursor()
	}
	return n, nil
}

func badCursor() error { return apperr.Field("cursor", "api.problem.cursor") }
