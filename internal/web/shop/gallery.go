package shop

import (
	"fmt"
	"net/http"
	"strconv"

	"github.com/gin-gonic/gin"

	"choocop.vn/ocop/internal/platform/i18n"
	"choocop.vn/ocop/internal/web/kit"
)

// Gallery lists every page in each of its states, for people who change them. It is there in
// development only.
type Gallery struct {
	kit.Page
	Items []Link
}

func (s *Shop) gallery(c *gin.Context) error {
	samples, err := s.allSamples(kit.LocaleOf(c))
	if err != nil {
		return err
	}
	return s.Views.Render(c, http.StatusOK, "shop/gallery", galleryPage(s.page(c, ""), samples))
}

// allSamples are the pages of shoppers and those of the other audiences behind them.
func (s *Shop) allSamples(l i18n.Locale) ([]kit.Sample, error) {
	out, err := s.Samples(l)
	for _, g := range s.Galleries {
		if err != nil {
			break
		}
		var more []kit.Sample
		more, err = g.Samples(l)
		out = append(out, more...)
	}
	return out, err
}

func galleryPage(p kit.Page, samples []kit.Sample) *Gallery {
	m := &Gallery{Page: p}
	m.Title, m.NoIndex, m.Query = m.T("gallery.title"), true, ""
	for i, sample := range samples {
		m.Items = append(m.Items, Link{Text: sample.Name(), URL: m.URL(fmt.Sprintf("/_gallery/%d", i))})
	}
	return m
}

func (s *Shop) gallerySample(c *gin.Context) error {
	samples, err := s.allSamples(kit.LocaleOf(c))
	if err != nil {
		return err
	}
	n, err := strconv.Atoi(c.Param("n"))
	if err != nil || n < 0 || n >= len(samples) {
		s.Views.NotFound(c)
		return nil
	}
	html, err := s.Views.SampleHTML(samples[n])
	if err != nil {
		return err
	}
	c.Data(http.StatusOK, "text/html; charset=utf-8", html)
	return nil
}
