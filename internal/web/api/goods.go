package api

import (
	"context"
	"time"

	"choocop.vn/ocop/internal/platform/apperr"
	"choocop.vn/ocop/internal/platform/i18n"
	"choocop.vn/ocop/internal/platform/money"
	"choocop.vn/ocop/internal/storefront"
	"choocop.vn/ocop/internal/web/kit"
)

// currency is that of all amounts: whole đồng, no minor unit.
const currency = "VND"

// Link names another record and where to find it.
type Link struct {
	Slug string `json:"slug" example:"htx-dua-sap"`
	Name string `json:"name" example:"HTX Dừa sáp"`
}

// Place is a province in a product.
type Place struct {
	Code string `json:"code" example:"86"`
	Name string `json:"name" example:"Vĩnh Long"`
}

// Certificate is the certificate of a product, as it stands today.
type Certificate struct {
	Code       string `json:"code" example:"OCOP-7K4M-92QX"`
	DecisionNo string `json:"decision_no" doc:"@decision_no" example:"1234/QĐ-UBND"`
	Stars      int    `json:"stars" minimum:"3" maximum:"5"`
	Status     string `json:"status" enum:"valid,expired,revoked,not_yet" doc:"@certificate.status"`
	ValidTo    string `json:"valid_to" format:"date" doc:"@valid_to"`
}

// SKU is one thing that can be put into a cart.
type SKU struct {
	SKU     string `json:"sku" example:"DUASAP01"`
	Price   int64  `json:"price" doc:"@price" example:"150000"`
	InStock bool   `json:"in_stock"`
}

// Item is a product in a list.
type Item struct {
	ID          int64              `json:"id"`
	Slug        string             `json:"slug" example:"dua-sap"`
	Name        string             `json:"name" doc:"@name" example:"Dừa sáp"`
	Stars       *int               `json:"stars" minimum:"3" maximum:"5" doc:"@stars"`
	Certificate Maybe[Certificate] `json:"certificate" doc:"@certificate"`
	Price       int64              `json:"price" doc:"@item.price" example:"150000"`
	Currency    string             `json:"currency" enum:"VND"`
	InStock     bool               `json:"in_stock"`
	SKUs        []SKU              `json:"skus"`
	Producer    Link               `json:"producer"`
	Province    Place              `json:"province"`
	Image       *string            `json:"image" doc:"@image"`
	AdultsOnly  bool               `json:"adults_only" doc:"@adults_only"`
}

// Facets are the ways to narrow a list, each counted under all other filters but not its own.
type Facets struct {
	Groups    []GroupFacet    `json:"groups"`
	Stars     []StarFacet     `json:"stars"`
	Provinces []ProvinceFacet `json:"provinces"`
	Prices    []PriceFacet    `json:"prices"`
	InStock   int             `json:"in_stock"`
	All       int             `json:"all" doc:"@facets.all"`
}

// GroupFacet is a group of the official grouping.
type GroupFacet struct {
	Slug  string `json:"slug" example:"do-uong"`
	Name  string `json:"name" example:"Đồ uống"`
	Depth int    `json:"depth" doc:"@facet.depth"`
	Count int    `json:"count"`
}

// StarFacet counts products with this many stars.
type StarFacet struct {
	Stars int `json:"stars"`
	Count int `json:"count"`
}

// ProvinceFacet counts products of a province.
type ProvinceFacet struct {
	Code  string `json:"code"`
	Name  string `json:"name"`
	Count int    `json:"count"`
}

// PriceFacet counts products of a range of prices, both ends included.
type PriceFacet struct {
	Min   int64  `json:"min"`
	Max   *int64 `json:"max" doc:"@facet.max"`
	Count int    `json:"count"`
}

// ProductList is one page of a list.
type ProductList struct {
	Items      []Item  `json:"items"`
	NextCursor *string `json:"next_cursor" doc:"@next_cursor"`
	Facets     Facets  `json:"facets"`
	Total      int     `json:"total" doc:"@total"`
	Near       bool    `json:"near" doc:"@near"`
}

type listIn struct {
	Q        string `query:"q" maxLength:"200" doc:"@q" example:"dừa sáp"`
	Group    string `query:"group" maxLength:"100" doc:"@group"`
	Stars    []int  `query:"stars" minimum:"3" maximum:"5" maxItems:"3" doc:"@stars_filter" example:"[4,5]"`
	Province string `query:"province" maxLength:"60" doc:"@province_filter"`
	MinPrice int64  `query:"min_price" minimum:"0" maximum:"1000000000000" doc:"@min_price"`
	MaxPrice int64  `query:"max_price" minimum:"0" maximum:"1000000000000" doc:"@max_price"`
	InStock  bool   `query:"in_stock" doc:"@in_stock_filter"`
	Sort     string `query:"sort" enum:"relevance,newest,price_asc,price_desc,name" default:"relevance" doc:"@sort"`
	Cursor   string `query:"cursor" maxLength:"2000" doc:"@cursor"`
	Limit    int    `query:"limit" minimum:"1" maximum:"100" default:"24" doc:"@limit"`
	Adult    bool   `query:"adult" doc:"@adult"`
}

var sorts = map[string]storefront.Sort{"relevance": storefront.SortRelevance, "newest": storefront.SortNewest, "price_asc": storefront.SortCheap,
	"price_desc": storefront.SortDear, "name": storefront.SortName}

func (in *listIn) filter() storefront.Filter {
	return storefront.Filter{Q: i18n.NFC(in.Q), Category: in.Group, Stars: in.Stars, Province: in.Province, MinPrice: money.VND(in.MinPrice),
		MaxPrice: money.VND(in.MaxPrice), InStock: in.InStock, Sort: sorts[in.Sort], Size: in.Limit, Adult: in.Adult}
}

type listOut struct{ Body ProductList }

func (a *API) listProducts(ctx context.Context, in *listIn) (*listOut, error) {
	f := in.filter()
	var err error
	if f.After, err = readCursor(in.Cursor, f); err != nil {
		return nil, err
	}
	found, err := a.Store.List(ctx, f)
	if err != nil {
		return nil, err
	}
	stands, err := a.Store.Stands(ctx, found.Cards)
	if err != nil {
		return nil, err
	}
	l := callerOf(ctx).locale
	out := &listOut{ProductList{Items: make([]Item, len(found.Cards)), Facets: facets(l, found.Facets), Total: found.Total, Near: found.Near}}
	for i, c := range found.Cards {
		st := stands[c.ProductID]
		out.Body.Items[i] = a.item(l, c, st.Sales, st.Record)
	}
	if found.Next != "" {
		next := cursor(f, found.Next)
		out.Body.NextCursor = &next
	}
	return out, nil
}

func (a *API) item(l i18n.Locale, c storefront.Card, sales []storefront.Sale, r *storefront.Record) Item {
	out := Item{ID: c.ProductID, Slug: c.Slug, Name: pick(l, c.NameVI, c.NameEN), Price: int64(c.Price), Currency: currency, InStock: c.InStock,
		SKUs: make([]SKU, len(sales)), Producer: Link{c.ProducerSlug, c.ProducerName}, Province: Place{c.ProvinceCode, pick(l, c.ProvinceName, c.ProvinceEN)},
		Image: a.image(c.Picture), AdultsOnly: c.AdultsOnly}
	if c.Stars > 0 {
		out.Stars = &c.Stars
	}
	if r != nil {
		out.Certificate.Value = &Certificate{Code: r.Code, DecisionNo: r.DecisionNo, Stars: r.Stars, Status: r.State, ValidTo: r.ValidTo.String()}
	}
	for i, s := range sales {
		out.SKUs[i] = SKU{s.SKU, int64(s.Price), s.InStock}
	}
	return out
}

// imageWidth is that of pictures in answers, in pixels, or the next there is.
const imageWidth = 800

func (a *API) image(p storefront.Picture) *string {
	path := p.URL(imageWidth)
	if path == "" {
		return nil
	}
	path = a.BaseURL + path
	return &path
}

func pick(l i18n.Locale, vi, en string) string {
	if l == i18n.EN && en != "" {
		return en
	}
	return vi
}

func facets(l i18n.Locale, f storefront.Facets) Facets {
	out := Facets{Groups: make([]GroupFacet, len(f.Categories)), Stars: make([]StarFacet, len(f.Stars)), Provinces: make([]ProvinceFacet, len(f.Provinces)),
		Prices: make([]PriceFacet, len(f.Prices)), InStock: f.InStock, All: f.All}
	for i, c := range f.Categories {
		out.Groups[i] = GroupFacet{c.Slug, c.Short(l), c.Depth, c.Count}
	}
	for i, s := range f.Stars {
		out.Stars[i] = StarFacet{s.Stars, s.Count}
	}
	for i, p := range f.Provinces {
		out.Provinces[i] = ProvinceFacet{p.Code, pick(l, p.Name, p.NameEN), p.Count}
	}
	for i, p := range f.Prices {
		out.Prices[i] = PriceFacet{Min: int64(p.Min), Count: p.Count}
		if p.Max > 0 {
			top := int64(p.Max)
			out.Prices[i].Max = &top
		}
	}
	return out
}

// Fact is a line of the label.
type Fact struct {
	Key   string `json:"key" example:"ingredients"`
	Value string `json:"value"`
}

// Variant is one thing for sale, in full.
type Variant struct {
	SKU
	GTIN      string `json:"gtin" doc:"@gtin"`
	Unit      string `json:"unit" example:"chai 500 ml"`
	WeightG   int    `json:"weight_g" doc:"@weight_g"`
	Available int64  `json:"available" doc:"@available"`
}

// Product is everything about one product.
type Product struct {
	Item
	Summary      string        `json:"summary"`
	Story        string        `json:"story"`
	Group        Link          `json:"group" doc:"@product.group"`
	Variants     []Variant     `json:"variants"`
	Facts        []Fact        `json:"facts" doc:"@facts"`
	Certificates []Certificate `json:"certificates" doc:"@certificates"`
	Images       []string      `json:"images"`
	URL          string        `json:"url" doc:"@url"`
	Contact      bool          `json:"contact_only" doc:"@contact_only"`
	NoCOD        bool          `json:"no_cod" doc:"@no_cod"`
	UpdatedAt    string        `json:"updated_at" format:"date-time"`
}

type productIn struct {
	Slug  string `path:"slug" maxLength:"200"`
	Adult bool   `query:"adult" doc:"@adult"`
}

type productOut struct{ Body Product }

func (a *API) getProduct(ctx context.Context, in *productIn) (*productOut, error) {
	p, err := a.Store.Product(ctx, in.Slug, in.Adult)
	if err != nil {
		return nil, err
	}
	if p.Gate {
		return nil, apperr.New(apperr.Denied, "api.problem.adults")
	}
	l := callerOf(ctx).locale
	var best *storefront.Record
	if len(p.Records) > 0 {
		best = &p.Records[0]
	}
	out := Product{Item: a.item(l, p.Card, p.Variants, best), Summary: pick(l, p.SummaryVI, p.SummaryEN), Story: pick(l, p.StoryVI, p.StoryEN),
		Group: Link{p.Category.Slug, p.Category.Short(l)}, Variants: make([]Variant, len(p.Variants)), Facts: make([]Fact, len(p.Facts)),
		Certificates: make([]Certificate, len(p.Records)), Images: make([]string, 0, len(p.Pictures)), URL: a.BaseURL + kit.Localised(l, "/san-pham/"+p.Slug),
		Contact: p.Rules.ContactOnly, NoCOD: p.Rules.NoCOD, UpdatedAt: moment(p.UpdatedAt)}
	for i, v := range p.Variants {
		out.Variants[i] = Variant{SKU: out.SKUs[i], GTIN: v.GTIN, Unit: pick(l, v.UnitVI, v.UnitEN), WeightG: v.WeightG, Available: v.Available}
	}
	for i, f := range p.Facts {
		out.Facts[i] = Fact{f.Key, pick(l, f.ValueVI, f.ValueEN)}
	}
	for i, r := range p.Records {
		out.Certificates[i] = Certificate{Code: r.Code, DecisionNo: r.DecisionNo, Stars: r.Stars, Status: r.State, ValidTo: r.ValidTo.String()}
	}
	for _, pic := range p.Pictures {
		if u := a.image(pic); u != nil {
			out.Images = append(out.Images, *u)
		}
	}
	return &productOut{out}, nil
}

// Proof is the public answer about a certificate.
type Proof struct {
	Certificate
	Level       string        `json:"level" enum:"district,province,ministry" doc:"@level"`
	Issuer      string        `json:"issuer" doc:"@issuer"`
	DecidedOn   *string       `json:"decided_on" format:"date" doc:"@decided_on"`
	DecidedYear int           `json:"decided_year"`
	ValidFrom   string        `json:"valid_from" format:"date"`
	RevokedOn   *string       `json:"revoked_on" format:"date"`
	Products    []ProofItem   `json:"products"`
	History     []Certificate `json:"history" doc:"@history"`
	URL         string        `json:"url" doc:"@url"`
}

// ProofItem is a product that a certificate is about.
type ProofItem struct {
	Slug     string `json:"slug" doc:"@proof.slug"`
	Name     string `json:"name"`
	Producer string `json:"producer"`
	Place    string `json:"place" doc:"@proof.place"`
}

type codeIn struct {
	Code string `path:"code" maxLength:"60" example:"OCOP-7K4M-92QX"`
}

type proofOut struct{ Body Proof }

func (a *API) getCertificate(ctx context.Context, in *codeIn) (*proofOut, error) {
	d, err := a.Store.Proof(ctx, in.Code)
	if err != nil {
		return nil, err
	}
	l := callerOf(ctx).locale
	out := Proof{Certificate: Certificate{Code: d.Code, DecisionNo: d.DecisionNo, Stars: d.Stars, Status: d.State, ValidTo: d.ValidTo.String()},
		Level: d.Level, Issuer: d.Issuer, DecidedYear: d.DecidedYear, ValidFrom: d.ValidFrom.String(), Products: make([]ProofItem, len(d.Products)),
		History: make([]Certificate, len(d.History)), URL: a.BaseURL + kit.Localised(l, "/xac-minh/"+d.Code)}
	if d.DecidedOn != nil && !d.YearOnly {
		day := d.DecidedOn.String()
		out.DecidedOn = &day
	}
	if d.RevokedOn != nil {
		day := d.RevokedOn.String()
		out.RevokedOn = &day
	}
	for i, p := range d.Products {
		out.Products[i] = ProofItem{Name: pick(l, p.NameVI, p.NameEN), Producer: p.ProducerName, Place: p.PlaceText}
		if p.Published {
			out.Products[i].Slug = p.Slug
		}
	}
	for i, r := range d.History {
		out.History[i] = Certificate{Code: r.Code, DecisionNo: r.DecisionNo, Stars: r.Stars, Status: r.State, ValidTo: r.ValidTo.String()}
	}
	return &proofOut{out}, nil
}

// Unit is a province or a commune of today.
type Unit struct {
	Code string `json:"code" example:"86"`
	Name string `json:"name" example:"Vĩnh Long"`
	Kind string `json:"kind" example:"tỉnh" doc:"@unit.kind"`
}

// UnitList are provinces or communes.
type UnitList struct {
	Items []Unit `json:"items"`
}

type unitsOut struct{ Body UnitList }

func (a *API) listProvinces(ctx context.Context, _ *struct{}) (*unitsOut, error) {
	all, err := a.Geo.Provinces(ctx)
	if err != nil {
		return nil, err
	}
	l := callerOf(ctx).locale
	out := &unitsOut{UnitList{make([]Unit, len(all))}}
	for i, p := range all {
		out.Body.Items[i] = Unit{p.Code, p.LocalName(l), p.Kind}
	}
	return out, nil
}

type provinceIn struct {
	Code string `path:"code" maxLength:"60" example:"86"`
}

func (a *API) listCommunes(ctx context.Context, in *provinceIn) (*unitsOut, error) {
	p, err := a.Geo.Province(ctx, in.Code)
	if known, ok := apperr.As(err); ok {
		return nil, apperr.List{{Kind: apperr.NotFound, Key: known[0].Key, Args: known[0].Args}}
	}
	if err != nil {
		return nil, err
	}
	all, err := a.Geo.Communes(ctx, p.Code)
	if err != nil {
		return nil, err
	}
	out := &unitsOut{UnitList{make([]Unit, len(all))}}
	for i, c := range all {
		out.Body.Items[i] = Unit{c.Code, c.Name, c.Kind}
	}
	return out, nil
}

type documentOut struct {
	ContentType string `header:"Content-Type"`
	Body        []byte `contentType:"application/json"`
}

func moment(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// getOpenAPI is the document itself, in the reader's language.
func (a *API) getOpenAPI(ctx context.Context, _ *struct{}) (*documentOut, error) {
	return &documentOut{ContentType: "application/json; charset=utf-8", Body: a.docs[callerOf(ctx).locale].text}, nil
}
