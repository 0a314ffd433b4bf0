package shop

import (
	"fmt"
	"html/template"
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"

	"choocop.vn/ocop/internal/platform/apperr"
	"choocop.vn/ocop/internal/platform/i18n"
	"choocop.vn/ocop/internal/storefront"
	"choocop.vn/ocop/internal/web/kit"
)

// Verify asks for a certificate's code.
type Verify struct {
	kit.Page
	Typed string
}

func (s *Shop) verify(c *gin.Context) error {
	typed := clean(c.Query("ma"), 60)
	if !c.Request.URL.Query().Has("ma") {
		return s.Views.Render(c, http.StatusOK, "shop/verify", verifyPage(s.page(c, ""), "", nil))
	}
	if typed == "" {
		m := verifyPage(s.page(c, ""), "", apperr.Field("ma", "verify.empty"))
		return s.Views.Render(c, http.StatusUnprocessableEntity, "shop/verify", m)
	}
	found, err := s.Store.Proof(c.Request.Context(), typed)
	if faults, known := apperr.As(err); known && faults.Kind() == apperr.Invalid {
		m := verifyPage(s.page(c, ""), typed, apperr.Field("ma", faults[0].Key))
		return s.Views.Render(c, http.StatusUnprocessableEntity, "shop/verify", m)
	}
	if faults, known := apperr.As(err); known && faults.Kind() == apperr.NotFound {
		m := verifyPage(s.page(c, ""), typed, apperr.Field("ma", "verify.unknown", "code", typed))
		return s.Views.Render(c, http.StatusNotFound, "shop/verify", m)
	}
	if err != nil {
		return err
	}
	c.Redirect(http.StatusSeeOther, kit.Localised(kit.LocaleOf(c), "/xac-minh/"+found.Code))
	return nil
}

func verifyPage(p kit.Page, typed string, fault *apperr.Error) *Verify {
	m := &Verify{Page: p, Typed: typed}
	m.Title, m.Description, m.Query = m.T("verify.title"), m.T("verify.text"), ""
	if fault != nil {
		m.NoIndex = true
		m.Explain(apperr.List{fault})
	}
	return m
}

// Proof is the public answer about one certificate.
type Proof struct {
	kit.Page
	Heading, StateText, CheckedAt, QRPNG string
	Badge                                Badge
	Facts                                []Fact
	Notes                                []string
	History                              []Past
	QR                                   template.HTML
}

func (s *Shop) proof(c *gin.Context) error {
	data, err := s.Store.Proof(c.Request.Context(), c.Param("code"))
	if err != nil {
		return err
	}
	m := proofPage(s.page(c, ""), data)
	if err := s.drawProof(m); err != nil {
		return err
	}
	// Whether it counts is a matter of now: nobody may keep the answer.
	c.Header("Cache-Control", "no-store")
	return s.Views.Render(c, http.StatusOK, "shop/proof", m)
}

// drawProof adds the code that leads to the page.
func (s *Shop) drawProof(m *Proof) error {
	svg, err := s.Codes.SVG(m.Absolute(i18n.VI), 192, m.Heading)
	m.QR = kit.Safe(svg)
	return err
}

func proofPage(p kit.Page, d storefront.Proof) *Proof {
	m := &Proof{Page: p}
	pg := &m.Page
	m.Query, m.Canonical = "", "/xac-minh/"+d.Code
	m.Heading = m.T("proof.heading", "code", d.Code)
	m.Title = m.Heading
	m.Badge = recordBadge(pg, d.Record)
	m.QRPNG = m.URL("/xac-minh/" + d.Code + "/qr.png")
	switch d.State {
	case storefront.ProofValid:
		m.StateText = m.T("proof.state.valid", "day", day(pg, d.ValidTo))
	case storefront.ProofRevoked:
		m.StateText = m.T("proof.state.revoked", "day", day(pg, *d.RevokedOn), "why", d.RevokedWhy)
	case storefront.ProofFuture:
		m.StateText = m.T("proof.state.future", "day", day(pg, d.ValidFrom))
	default:
		m.StateText = m.T("proof.state.expired", "day", day(pg, d.ValidTo))
	}
	m.Description = m.StateText
	for _, w := range d.Products {
		f := Fact{Name: m.T("proof.product"), Value: m.Pick(w.NameVI, w.NameEN)}
		if w.Published {
			f.URL = m.URL("/san-pham/" + w.Slug)
		}
		m.Facts = append(m.Facts, f, Fact{Name: m.T("proof.producer"), Value: maker(pg, w.ProducerName, w.ProducerKnown)})
		where := Fact{Name: m.T("proof.place"), Value: strings.Join(nonEmpty(m.Pick(w.CommuneName, w.CommuneEN), m.Pick(w.ProvinceName, w.ProvinceEN)), ", ")}
		if written := strings.Join(nonEmpty(w.PlaceText, w.OldProvince), ", "); written != "" {
			where.Sub = m.T("proof.place_papers", "place", written)
		}
		m.Facts = append(m.Facts, where)
	}
	decided := m.T("proof.no_number")
	if d.DecisionNo != "" {
		decided = d.DecisionNo
	}
	when := m.T("proof.year_only", "year", fmt.Sprint(d.DecidedYear))
	if !d.YearOnly && d.DecidedOn != nil {
		when = day(pg, *d.DecidedOn)
	}
	issuer := d.Issuer
	if issuer == "" {
		issuer = m.T("proof.level." + d.Level)
	}
	m.Facts = append(m.Facts,
		Fact{Name: m.T("proof.stars"), Value: m.T("badge.stars", "n", d.Stars)},
		Fact{Name: m.T("proof.decision"), Value: decided},
		Fact{Name: m.T("proof.decided"), Value: when},
		Fact{Name: m.T("proof.issuer"), Value: issuer})
	if d.YearOnly {
		m.Notes = append(m.Notes, m.T("proof.year_only_why"))
	} else {
		// A year alone does not tell under which criteria the council sat.
		m.Facts = append(m.Facts, Fact{Name: m.T("proof.regime"), Value: d.Regime})
	}
	if p.Demo {
		m.Notes = append(m.Notes, m.T("proof.from_press"))
	}
	m.CheckedAt = m.T("proof.checked_at", "time", i18n.FormatDateTime(m.Locale, d.CheckedAt))
	m.History = history(pg, d.History)
	return m
}

func (s *Shop) proofQR(c *gin.Context) error {
	data, err := s.Store.Proof(c.Request.Context(), c.Param("code"))
	if err != nil {
		return err
	}
	png, err := s.Codes.PNG(s.BaseURL+"/xac-minh/"+data.Code, 720)
	if err != nil {
		return err
	}
	c.Header("Cache-Control", "public, max-age=86400")
	c.Data(http.StatusOK, "image/png", png)
	return nil
}
