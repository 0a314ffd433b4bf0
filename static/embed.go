// Package static holds the styles, scripts, fonts and fixed pictures of the site.
package static

import "embed"

// Files are served under fingerprinted names; see internal/platform/asset.
//
//go:embed css js font img
var Files embed.FS
