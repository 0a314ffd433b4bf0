// Package starform is the form in which a star decision is sent in: by a producer's people, and by officers for a producer.
// It stands below both audiences, which show the same fields with templates/partial/starform.html.
package starform

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/gin-gonic/gin"

	"choocop.vn/ocop/internal/certification"
	"choocop.vn/ocop/internal/media"
	"choocop.vn/ocop/internal/platform/apperr"
	"choocop.vn/ocop/internal/platform/clock"
	"choocop.vn/ocop/internal/platform/ident"
	"choocop.vn/ocop/internal/web/kit"
)

// MaxBytes is the size of the whole form: the largest paper and what is typed beside it.
const MaxBytes = media.MaxDocument + 1<<20

// Papers keeps the file that comes with the form.
type Papers interface {
	KeepDocument(ctx context.Context, u media.Upload, accountID int64) (media.Document, error)
}

// Form is what stands in the fields.
type Form struct {
	Key        string // request key of a new request
	Version    int    // of the request that is changed
	Stars      string
	DecisionNo string
	Level      string
	Issuer     string
	DecidedOn  string // 2026-11-22, as date fields write it
	Note       string
	Document   int64 // kept before; a new file takes its place
	Goods      []Goods
}

// Goods is a line of the form: a product to tick, and its code in the decision.
type Goods struct {
	ID      int64
	Name    string
	Has     string // its certificate that counts today, in words
	Checked bool
	Code    string
}

// Fields are the names of the fields beside which faults stand.
func (f Form) Fields() []string {
	out := []string{"stars", "decision_no", "level", "issuer", "decided_on", "products", "file", "note"}
	for _, w := range f.Goods {
		out = append(out, f.CodeField(w.ID))
	}
	return out
}

// CodeField is the name of the field with a product's code.
func (Form) CodeField(id int64) string { return "code-" + strconv.FormatInt(id, 10) }

// StarChoices are the stars that bring a certificate.
func (Form) StarChoices() []string { return []string{"3", "4", "5"} }

// LevelChoices are who may recognise.
func (Form) LevelChoices() []string {
	return []string{certification.Province, certification.District, certification.Ministry}
}

// Lines are the goods of a producer as the form shows them, each with the stars that count today.
func Lines(p *kit.Page, goods []certification.Goods, today clock.Date) []Goods {
	out := make([]Goods, len(goods))
	for i, w := range goods {
		out[i] = Goods{ID: w.ID, Name: w.Name}
		for _, r := range w.Records {
			if r.StateOn(today) == certification.StateValid {
				out[i].Has = p.T("starform.has", "stars", r.Stars, "to", r.ValidTo)
				break
			}
		}
	}
	return out
}

// New is an empty form for the goods of a producer.
func New(goods []Goods) Form { return Form{Key: ident.Token(), Goods: goods} }

// Of is the form that says what a draft says.
func Of(d certification.Draft, goods []Goods) Form {
	f := Form{Key: ident.Token(), Stars: strconv.Itoa(d.Stars), DecisionNo: d.DecisionNo, Level: d.Level, Issuer: d.Issuer, DecidedOn: d.DecidedOn.String(),
		Note: d.Note, Document: d.DocumentID, Goods: slices.Clone(goods)}
	for i, w := range f.Goods {
		for _, n := range d.Products {
			if n.ProductID == w.ID {
				f.Goods[i].Checked, f.Goods[i].Code = true, n.Code
			}
		}
	}
	return f
}

// Read is what was sent: the fields as typed, and the draft they make. A new file is kept at once, so that it is not lost
// when another field is refused. Errors for the person are those of the file.
func Read(c *gin.Context, papers Papers, accountID int64, goods []Goods) (Form, certification.Draft, error) {
	v := c.PostForm
	f := Form{Key: v("key"), Stars: v("stars"), DecisionNo: v("decision_no"), Level: v("level"), Issuer: v("issuer"), DecidedOn: v("decided_on"), Note: v("note"),
		Goods: slices.Clone(goods)}
	f.Version, _ = strconv.Atoi(v("version"))
	f.Document, _ = strconv.ParseInt(v("document"), 10, 64)
	d := certification.Draft{DecisionNo: f.DecisionNo, Level: f.Level, Issuer: f.Issuer, Note: f.Note}
	d.Stars, _ = strconv.Atoi(f.Stars)
	if on, err := clock.ParseDate(strings.TrimSpace(f.DecidedOn)); err == nil {
		d.DecidedOn, f.DecidedOn = on, on.String()
	}
	ticked := c.PostFormArray("product")
	for i, w := range f.Goods {
		f.Goods[i].Code = v(f.CodeField(w.ID))
		if f.Goods[i].Checked = slices.Contains(ticked, strconv.FormatInt(w.ID, 10)); f.Goods[i].Checked {
			d.Products = append(d.Products, certification.Named{ProductID: w.ID, Code: f.Goods[i].Code})
		}
	}
	name, data, err := kit.File(c, "file")
	if err != nil {
		return f, d, err
	}
	if name != "" {
		kept, err := papers.KeepDocument(c.Request.Context(), media.Upload{Field: "file", Name: name, Data: data}, accountID)
		if known, ok := apperr.As(err); ok {
			return f, d, known
		}
		if err != nil {
			return f, d, err
		}
		f.Document = kept.ID
	}
	d.DocumentID = f.Document
	return f, d, nil
}
