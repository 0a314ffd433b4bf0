package api

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"fmt"

	"choocop.vn/ocop/internal/platform/apperr"
	"choocop.vn/ocop/internal/storefront"
)

// A cursor names the last product of a page in the order of its list: goods that come or go meanwhile shift nothing. It
// begins with the print of the filter, so that it can be used with no other, and ends with a check sum, so that one that
// somebody changed is known. How many products a page holds may differ from page to page.
const printBytes, sumBytes = 8, 4

func filterPrint(f storefront.Filter) []byte {
	f.After, f.Page, f.Size = "", 0, 0
	sum := sha256.Sum256(fmt.Appendf(nil, "cursor %+v", f))
	return sum[:printBytes]
}

func checkSum(b []byte) []byte {
	sum := sha256.Sum256(b)
	return sum[:sumBytes]
}

func cursor(f storefront.Filter, next string) string {
	b := append(filterPrint(f), next...)
	return base64.RawURLEncoding.EncodeToString(append(b, checkSum(b)...))
}

// readCursor is the place that a cursor of this filter leads to, or that one must not use it.
func readCursor(text string, f storefront.Filter) (string, error) {
	if text == "" {
		return "", nil
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(text)
	end := len(b) - sumBytes
	if err != nil || end <= printBytes || !bytes.Equal(checkSum(b[:end]), b[end:]) || !bytes.Equal(filterPrint(f), b[:printBytes]) {
		return "", badCursor()
	}
	return string(b[printBytes:end]), nil
}

func badCursor() error { return apperr.Field("cursor", "api.problem.cursor") }
