package shop

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/gin-gonic/gin"

	"choocop.vn/ocop/internal/geo"
	"choocop.vn/ocop/internal/platform/apperr"
	"choocop.vn/ocop/internal/platform/i18n"
	"choocop.vn/ocop/internal/shopper"
	"choocop.vn/ocop/internal/web/kit"
)

// AddressCard is one address of the book.
type AddressCard struct {
	ID                       int64
	Name, Phone, Where, Edit string
	Default                  bool
}

// AddressForm is what was typed, kept as it was.
type AddressForm struct {
	ID                                     int64
	Name, Phone, Province, Commune, Street string
	Default                                bool
}

// Addresses is the address book.
type Addresses struct {
	kit.Page
	Tabs                Tabs
	Said                string
	List                []AddressCard
	F                   AddressForm
	Open                bool // the form is asked for
	Provinces, Communes []Link
}

func (s *Shop) addresses(c *gin.Context) error {
	id, _ := strconv.ParseInt(c.Query("sua"), 10, 64)
	f := AddressForm{ID: id}
	if id != 0 {
		all, err := s.Shoppers.Addresses(c.Request.Context(), s.me(c).ID)
		if err != nil {
			return err
		}
		found := false
		for _, a := range all {
			if a.ID == id {
				found, f = true, AddressForm{a.ID, a.Name, i18n.FormatPhone(a.Phone), a.ProvinceCode, a.CommuneCode, a.Street, a.Default}
			}
		}
		if !found {
			return apperr.New(apperr.NotFound, "shopper.address.unknown")
		}
	}
	return s.showAddresses(c, http.StatusOK, f, nil)
}

func (s *Shop) showAddresses(c *gin.Context, status int, f AddressForm, faults apperr.List) error {
	ctx := c.Request.Context()
	all, err := s.Shoppers.Addresses(ctx, s.me(c).ID)
	if err != nil {
		return err
	}
	provinces, err := s.Geo.Provinces(ctx)
	if err != nil {
		return err
	}
	communes := map[string]geo.Commune{}
	for _, a := range all {
		if communes[a.CommuneCode], err = s.Geo.Commune(ctx, a.CommuneCode); err != nil {
			return err
		}
	}
	var offered []geo.Commune
	if f.Province != "" {
		if offered, err = s.Geo.Communes(ctx, f.Province); err != nil {
			if _, known := apperr.As(err); !known {
				return err
			}
		}
	}
	m := addressesPage(s.page(c, ""), all, provinces, communes, offered, f)
	m.Open = m.Open || len(faults) > 0 || c.Request.Method == http.MethodPost
	m.Explain(faults)
	switch c.Query("xong") {
	case "luu":
		m.Said = m.T("me.address.kept")
	case "xoa":
		m.Said = m.T("me.address.dropped")
	}
	return s.Views.Render(c, status, "shop/addresses", m)
}

func addressesPage(p kit.Page, all []shopper.Address, provinces []geo.Province, communes map[string]geo.Commune, offered []geo.Commune, f AddressForm) *Addresses {
	m := &Addresses{F: f, Open: f.ID != 0 || len(all) == 0}
	m.Page, m.Tabs = own(p, "/dia-chi", "me.tab.addresses")
	names := map[string]string{}
	for _, g := range provinces {
		names[g.Code] = provinceName(&m.Page, g)
		m.Provinces = append(m.Provinces, Link{Text: names[g.Code], N: g.Code, Current: g.Code == f.Province})
	}
	for _, g := range offered {
		m.Communes = append(m.Communes, Link{Text: g.Title(m.Locale), N: g.Code, Current: g.Code == f.Commune})
	}
	for _, a := range all {
		commune := communes[a.CommuneCode]
		m.List = append(m.List, AddressCard{ID: a.ID, Name: a.Name, Phone: i18n.FormatPhone(a.Phone), Default: a.Default,
			Where: strings.Join(nonEmpty(a.Street, commune.Title(m.Locale), names[a.ProvinceCode]), ", "),
			Edit:  m.URL("/tai-khoan/dia-chi") + "?sua=" + strconv.FormatInt(a.ID, 10) + "#dia-chi"})
	}
	return m
}

func (s *Shop) keepAddress(c *gin.Context) error {
	get := func(name string) string { return clean(c.PostForm(name), 300) }
	id, _ := strconv.ParseInt(c.PostForm("id"), 10, 64)
	f := AddressForm{id, get("name"), get("phone"), get("province"), get("commune"), get("street"), c.PostForm("default") == "1"}
	if c.PostForm("do") == "update" {
		return s.showAddresses(c, http.StatusOK, f, nil)
	}
	err := s.Shoppers.KeepAddress(c.Request.Context(), s.me(c).ID, shopper.Address{ID: f.ID, Name: f.Name, Phone: f.Phone, ProvinceCode: f.Province,
		CommuneCode: f.Commune, Street: f.Street, Default: f.Default})
	if faults, known := apperr.As(err); known && faults.Kind() != apperr.NotFound {
		return s.showAddresses(c, kit.Status(faults), f, faults)
	}
	if err != nil {
		return err
	}
	return s.done(c, "/tai-khoan/dia-chi", "luu")
}

func (s *Shop) dropAddress(c *gin.Context) error {
	id, _ := strconv.ParseInt(c.PostForm("id"), 10, 64)
	if err := s.Shoppers.DropAddress(c.Request.Context(), s.me(c).ID, id); err != nil {
		return err
	}
	return s.done(c, "/tai-khoan/dia-chi", "xoa")
}
