package order

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"net/mail"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"choocop.vn/ocop/internal/platform/apperr"
	"choocop.vn/ocop/internal/platform/i18n"
	"choocop.vn/ocop/internal/platform/ident"
	"choocop.vn/ocop/internal/platform/money"
)

// The longest texts, in letters.
const (
	maxName   = 100
	maxEmail  = 254
	maxStreet = 200
	maxNote   = 500
	maxReason = 300
)

var keyForm = regexp.MustCompile(`^[A-Za-z0-9_-]{16,100}$`)

// tidy brings what was typed to the form that is kept: composed letters, no space around.
func (p *Placement) tidy() {
	for _, f := range []*string{&p.Contact.Name, &p.Contact.Phone, &p.Contact.Email, &p.Address.Street, &p.Address.ProvinceCode,
		&p.Address.CommuneCode, &p.Note, &p.Invoice.Company, &p.Invoice.TaxCode, &p.Invoice.Address} {
		*f = strings.TrimSpace(i18n.NFC(strings.ReplaceAll(*f, "\r\n", "\n")))
	}
	if p.Locale != i18n.EN {
		p.Locale = i18n.VI
	}
}

// print is the fingerprint of what was asked, to tell a repeated request from another one under the same key.
func (p Placement) print() []byte {
	type bare Placement // every field but the basket's token, of which only the hash may stay anywhere
	token := ident.Hash(p.CartToken)
	p.CartToken = ""
	b, _ := json.Marshal(struct { // plain values always marshal
		Form bare
		Cart []byte
	}{bare(p), token})
	sum := sha256.Sum256(b)
	return sum[:]
}

// check looks at every field of its own and returns all faults, in the order of the form. It turns the phone into E.164.
func (s *Service) check(ctx context.Context, p *Placement) (apperr.List, error) {
	var l apperr.List
	text := func(field, v string, longest int, required, lines bool) {
		if e := checkText(field, v, longest, required, lines); e != nil {
			l = append(l, e)
		}
	}
	text("name", p.Contact.Name, maxName, true, false)
	phone, err := i18n.ParsePhone(p.Contact.Phone)
	if err := l.Add(err); err != nil {
		return nil, err
	}
	if err == nil {
		p.Contact.Phone = phone
	}
	if !validEmail(p.Contact.Email) {
		l = append(l, apperr.Field("email", "order.email.form"))
	}
	if err := l.Add(s.Geo.Check(ctx, p.Address.ProvinceCode, p.Address.CommuneCode)); err != nil {
		return nil, err
	}
	text("street", p.Address.Street, maxStreet, true, false)
	if !p.Method.Known() {
		l = append(l, apperr.Field("method", "order.method.required"))
	}
	text("note", p.Note, maxNote, false, true)
	if p.Invoice.Wanted() {
		text("invoice_company", p.Invoice.Company, maxStreet, true, false)
		if !validTaxCode(p.Invoice.TaxCode) {
			l = append(l, apperr.Field("invoice_tax_code", "order.tax_code.form"))
		}
		text("invoice_address", p.Invoice.Address, maxStreet, true, false)
	}
	if !p.Consents.Terms {
		l = append(l, apperr.Field("consent_terms", "order.consent.terms_required"))
	}
	return l, nil
}

// checkText refuses an empty required text, one that is too long, and signs nobody types: control characters and those
// that turn the direction of the text around, which can make a note say something else than it shows.
func checkText(field, v string, longest int, required, lines bool) *apperr.Error {
	if v == "" {
		if required {
			return apperr.Field(field, "order."+field+".required")
		}
		return nil
	}
	if !utf8.ValidString(v) || strings.ContainsFunc(v, func(r rune) bool { return odd(r) && (!lines || r != '\n') }) {
		return apperr.Field(field, "order.text.odd_signs")
	}
	if n := utf8.RuneCountInString(v); n > longest {
		return apperr.Field(field, "order.text.too_long", "max", longest, "n", n)
	}
	if required && !strings.ContainsFunc(v, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }) {
		return apperr.Field(field, "order."+field+".required")
	}
	return nil
}

func odd(r rune) bool {
	const zeroWidthJoiner = '\u200d' // within emoji
	return r == utf8.RuneError || unicode.IsControl(r) || unicode.Is(unicode.Cf, r) && r != zeroWidthJoiner ||
		r == '\u2028' || r == '\u2029'
}

// validEmail accepts nothing at all, or one plain address with a full domain.
func validEmail(v string) bool {
	if v == "" {
		return true
	}
	a, err := mail.ParseAddress(v)
	if err != nil || a.Address != v || a.Name != "" || len(v) > maxEmail || strings.ContainsFunc(v, odd) {
		return false
	}
	at := strings.LastIndexByte(v, '@')
	domain := v[at+1:]
	return at <= 64 && strings.Contains(domain, ".") && strings.Trim(domain, ".") == domain && !strings.ContainsAny(domain, "[]_ ")
}

var taxCodeForm = regexp.MustCompile(`^([0-9]{10})(-[0-9]{3})?$|^[0-9]{12}$`)

// taxWeights of the first nine digits; the tenth is ten less their sum modulo eleven (TT 105/2020/TT-BTC).
var taxWeights = [9]int{31, 29, 23, 19, 17, 13, 7, 5, 3}

// validTaxCode accepts a tax code of 10 digits, or 10 and 3 for a branch, with a right check digit, or the 12 digits of
// a personal identity number, which individuals use as tax code since 1 July 2025.
func validTaxCode(v string) bool {
	m := taxCodeForm.FindStringSubmatch(v)
	if m == nil {
		return false
	}
	if m[1] == "" {
		return true
	}
	sum := 0
	for i, w := range taxWeights {
		sum += w * int(v[i]-'0')
	}
	return 10-sum%11 == int(v[9]-'0')
}

// priceChanged says that the total is another than the page showed.
func priceChanged(total money.VND) error {
	return apperr.New(apperr.Conflict, "order.price_changed", "total", total)
}
