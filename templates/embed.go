// Package templates holds the pages and mails: layout defines the frame, partial takes one struct
// each, and there is one folder per audience.
package templates

import "embed"

// Files are all templates; a page that does not parse stops the program at start.
//
//go:embed all:*
var Files embed.FS
