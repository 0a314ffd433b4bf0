package archtest_test

import (
	"io/fs"
	"path"
	"regexp"
	"strings"
	"testing"

	"choocop.vn/ocop/static"
	"choocop.vn/ocop/templates"
)

var (
	action = regexp.MustCompile(`(?s)\{\{.*?\}\}`)
	tag    = regexp.MustCompile(`(?s)<[a-zA-Z][^>]*>`)
	styled = regexp.MustCompile(`(?i)\sstyle\s*=`)
	onto   = regexp.MustCompile(`(?i)\son[a-z]+\s*=`)
	// Links for people may lead outward; what a page loads may not.
	foreign = regexp.MustCompile(`(?i)^<(?:[a-z]+\b.*\s(?:src|srcset|poster|data|action)|link\b.*\shref)\s*=\s*["']?\s*(?:https?:)?//`)
	scheme  = regexp.MustCompile(`(?i)=\s*["']?\s*javascript:`)
	script  = regexp.MustCompile(`(?i)^<script\b`)
	sourced = regexp.MustCompile(`(?i)\ssrc\s*=|\stype\s*=\s*["']application/ld\+json["']`)
	style   = regexp.MustCompile(`(?i)^<style\b`)
)

// TestPagesObeyTheirOwnPolicy wants pages that the Content-Security-Policy lets stand: nothing inline,
// nothing from elsewhere. Mails are no pages: mail programs drop style sheets, so their styles stand
// in attributes.
func TestPagesObeyTheirOwnPolicy(t *testing.T) {
	err := fs.WalkDir(templates.Files, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || path.Ext(name) != ".html" {
			return err
		}
		b, err := fs.ReadFile(templates.Files, name)
		if err != nil {
			return err
		}
		mail := strings.HasPrefix(name, "mail/")
		// An action may stand between attributes; a word in its place keeps what is around it apart.
		page := action.ReplaceAllStringFunc(string(b), func(a string) string { return " x " + strings.Repeat("\n", strings.Count(a, "\n")) })
		for _, at := range tag.FindAllStringIndex(page, -1) {
			for fault, found := range map[string]bool{
				"has a style attribute":       !mail && styled.MatchString(page[at[0]:at[1]]),
				"has an inline style sheet":   !mail && style.MatchString(page[at[0]:at[1]]),
				"has an on… attribute":        onto.MatchString(page[at[0]:at[1]]),
				"has an inline script":        script.MatchString(page[at[0]:at[1]]) && !sourced.MatchString(page[at[0]:at[1]]),
				"loads from elsewhere":        foreign.MatchString(page[at[0]:at[1]]),
				"has a javascript: reference": scheme.MatchString(page[at[0]:at[1]]),
			} {
				if found {
					t.Errorf("templates/%s:%d: %s", name, 1+strings.Count(page[:at[0]], "\n"), fault)
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

var loads = regexp.MustCompile(`(?i)(url\(\s*["']?|@import\s+["']|\bfrom\s+["']|\bimport\s*\(?\s*["']|fetch\(\s*["'` + "`" + `])(https?:)?//`)

func TestAssetsComeFromThisSite(t *testing.T) {
	err := fs.WalkDir(static.Files, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || path.Ext(name) != ".css" && path.Ext(name) != ".js" {
			return err
		}
		b, err := fs.ReadFile(static.Files, name)
		if err != nil {
			return err
		}
		for i, line := range strings.Split(string(b), "\n") {
			if loads.MatchString(line) {
				t.Errorf("static/%s:%d loads from elsewhere", name, i+1)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
