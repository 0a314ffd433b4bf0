// Package storefront is the read side of the shop: lists with facets, the home page, the pages of products, producers,
// provinces and sales points, the public proof of a certificate, and the sitemap. It may join any table and writes none.
//
// Lists are worked out in memory, on a shelf: one record per published product, see shelf.go. Every copy of the program
// keeps one and asks, at most once in Sources.Fresh and only when somebody asks it, which products changed; the database
// notes that by itself in product_stale. What is kept of a product besides, its card, is dropped when the shelf says
// that it changed.
//
// Stars are computed from the dates of the certificates and the day in Vietnam at which the service's clock stands, at
// every question: nothing that is kept knows of stars, except what carries its day and ends with it.
package storefront

import (
	"context"
	"time"

	"choocop.vn/ocop/internal/catalog"
	"choocop.vn/ocop/internal/certification"
	"choocop.vn/ocop/internal/geo"
	"choocop.vn/ocop/internal/media"
	"choocop.vn/ocop/internal/platform/clock"
	"choocop.vn/ocop/internal/platform/db"
	"choocop.vn/ocop/internal/platform/money"
	"choocop.vn/ocop/internal/search"
	"choocop.vn/ocop/internal/showroom"
)

// Pictures finds stored pictures by asset; media.Service is one.
type Pictures interface {
	Pictures(ctx context.Context, ids []int64) (map[int64]media.Picture, error)
}

// Sources are what a Service reads from. Pictures may be nil: then cards have no picture.
type Sources struct {
	DB           *db.DB
	Clock        clock.Clock
	Geo          *geo.Service
	Catalog      *catalog.Service
	Certificates *certification.Service
	Showrooms    *showroom.Service
	Search       *search.Service
	Pictures     Pictures
	// Fresh is how old what the service keeps in memory may be; 0 has it ask for changes at every question.
	Fresh time.Duration
}

// Service answers the questions of the shop's pages. It is safe for concurrent use.
type Service struct {
	Sources
	keeper  keeper
	seen    *shelfLife[int64, Card]
	details *shelfLife[string, detail]

	// What changes by decree or by an officer's hand, not with every sale.
	numbers    memo[counted]
	ofProvince memo[ofProvince]
	points     memo[[]showroom.Showroom]
}

// New returns a service.
func New(s Sources) *Service {
	a := min(30*s.Fresh, awhile)
	return &Service{Sources: s, keeper: keeper{fresh: s.Fresh}, seen: keeping[int64, Card](cardsKept), details: keeping[string, detail](detailsKept),
		numbers: memo[counted]{lasts: a}, ofProvince: memo[ofProvince]{lasts: a}, points: memo[[]showroom.Showroom]{lasts: a}}
}

// Sort is an order of a list; the texts are those of the address parameter.
type Sort string

// The orders a shopper may choose from.
const (
	SortRelevance Sort = ""         // best match; without a question: in stock, more stars, newest
	SortNewest    Sort = "moi"      // newest first
	SortCheap     Sort = "gia-tang" // cheapest first
	SortDear      Sort = "gia-giam" // dearest first
	SortName      Sort = "ten"      // Vietnamese alphabet
)

// Sorts are all orders as a page offers them.
var Sorts = []Sort{SortRelevance, SortNewest, SortCheap, SortDear, SortName}

// PageSize is the number of cards on a page of a list.
const PageSize = 24

// Filter is what a shopper asked a list for. The zero Filter is the whole shop.
type Filter struct {
	Q          string
	Category   string // slug of any level of the grouping; unknown slugs find nothing
	Stars      []int  // 3, 4, 5; several mean any of them
	Province   string // code or slug
	MinPrice   money.VND
	MaxPrice   money.VND // 0 means no limit
	InStock    bool
	ProducerID int64
	Sort       Sort
	Page       int
	Size       int    // 0 means PageSize
	After      string // Listing.Next of the page before, for readers that go on from there; Page does not count then
	Adult      bool   // the reader has said to be 18 or older
}

// Stars of a product on a day.
const (
	StarsValid   = "valid"
	StarsExpired = "expired" // had a certificate; none counts today
	StarsNone    = "none"    // no verified record
)

// Card is a product in a list.
type Card struct {
	ProductID    int64
	VariantID    int64 // the cheapest variant
	SKU          string
	Slug         string
	NameVI       string
	NameEN       string
	ProducerID   int64
	ProducerName string
	ProducerSlug string
	// ProducerKnown is false for goods whose source names no maker.
	ProducerKnown bool
	ProvinceCode  string
	ProvinceName  string
	ProvinceEN    string
	ProvinceSlug  string
	CategoryCode  string
	CategorySlug  string
	SetNo         int
	Price         money.VND // of the cheapest variant
	PriceMax      money.VND // of the dearest; equal to Price when there is one price
	UnitVI        string
	UnitEN        string
	Stars         int    // valid today, else 0
	StarState     string // StarsValid, StarsExpired or StarsNone
	InStock       bool
	Few           bool // in stock, at most five pieces
	ContactOnly   bool // a service: asked for, not put into a basket
	AdultsOnly    bool
	Picture       Picture
}

// Picture is a picture of a product with what it shows. Its ID is 0 when there is none.
type Picture struct {
	media.Picture
	Drawing bool
	AltVI   string
	AltEN   string
}

// Listing is one page of a list with its facets.
type Listing struct {
	Cards []Card
	// Total is the number of products found, exact up to MaxCount; MoreThan says that there are more.
	Total    int
	MoreThan bool
	Facets   Facets
	// Near says that nothing fitted and these are the nearest names.
	Near bool
	// Hidden is the number of products for adults that the filter fits and the page leaves out.
	Hidden int
	Page   int
	Pages  int
	// Next is the Filter.After of the goods that follow, empty at the end. It names the last good's place in the order, so
	// that goods that come or go meanwhile shift nothing.
	Next string
	// Category and Province are what the filter names, nil when it names none.
	Category *Category
	Province *geo.Province
}

// MaxCount is the number up to which a list counts exactly.
const MaxCount = 10_000

// Facets are the ways to narrow a list. Each is counted under all the other filters but not its own,
// so that a number says what choosing it would show.
type Facets struct {
	Categories []CategoryFacet // the tree, depth first, in the official order; empty ones left out
	Stars      []StarFacet     // 5, 4, 3; always all three
	Provinces  []ProvinceFacet // most products first
	Prices     []PriceFacet    // all buckets
	InStock    int             // products in stock
	All        int             // products with stock or without
}

// CategoryFacet is a node of the grouping with the number of products below it.
type CategoryFacet struct {
	Category
	Depth    int // 0, 1, 2
	Count    int
	Selected bool
	// Open says that the node lies on the way to the selected one, so its children are shown.
	Open bool
}

// StarFacet counts products with this many stars valid today.
type StarFacet struct {
	Stars    int
	Count    int
	Selected bool
}

// ProvinceFacet counts products of a province.
type ProvinceFacet struct {
	Code     string
	Slug     string
	Name     string
	NameEN   string
	Count    int
	Selected bool
}

// PriceFacet counts products whose cheapest variant costs from Min to Max, both included, as a filter of the two counts them.
type PriceFacet struct {
	Min      money.VND
	Max      money.VND // 0: no end
	Count    int
	Selected bool
}

// Category is a node of the official grouping: ngành, nhóm or phân nhóm.
type Category = catalog.Category

// Tile is a category on the home page.
type Tile struct {
	Category
	Count int
}

// Numbers are the facts of the home page's first lines.
type Numbers struct {
	Products     int
	Producers    int
	Provinces    int
	Certificates int // that count today
}

// Home is everything on the first page.
type Home struct {
	FiveStar  []Card // five valid stars, in stock
	Newest    []Card
	Tiles     []Tile
	Provinces []ProvinceFacet
	// Story is a product with a story to tell; nil when none has one.
	Story     *Story
	Showrooms []Showroom
	Numbers   Numbers
}

// Story is a product and the longer text about it.
type Story struct {
	Card
	TextVI string
	TextEN string
}

// Sale is a variant on the page of a product.
type Sale struct {
	VariantID int64
	SKU       string
	GTIN      string
	UnitVI    string
	UnitEN    string
	NetAmount float64 // in NetUnit; 0 when not known
	NetUnit   string  // "g", "ml" or "piece"
	WeightG   int
	Price     money.VND
	Estimate  bool // the price is an estimate of the demo, not the seller's
	Available int64
	InStock   bool
	Few       bool
}

// Fact is a line of the label.
type Fact struct {
	Key     string
	ValueVI string
	ValueEN string
}

// Rules are what the trade rules of its set demand of a product today.
type Rules = catalog.Rules

// States of a certificate on a day.
const (
	ProofValid   = certification.StateValid
	ProofExpired = certification.StateExpired
	ProofRevoked = certification.StateRevoked
	ProofFuture  = certification.StateNotYet // decided, not yet in force
)

// Record is one certificate as it stands today.
type Record struct {
	certification.Record
	State string // ProofValid, ProofExpired, ProofRevoked or ProofFuture
}

// Crumb is a step of the way to a page; Path is without the language prefix.
type Crumb struct {
	TextVI string
	TextEN string
	Path   string
}

// Product is everything on the page of a product.
type Product struct {
	Card
	SummaryVI   string
	SummaryEN   string
	StoryVI     string
	StoryEN     string
	Eligibility string // "ocop", "key_product", "rural_industrial" or "speciality"
	PlaceText   string // as written on the papers, names of before July 2025
	OldProvince string
	SourceURL   string
	Demo        bool
	PublishedAt time.Time
	UpdatedAt   time.Time
	Category    Category
	Rules       Rules
	Variants    []Sale
	Facts       []Fact
	// Records are its certificates, the one that counts first, then the newest.
	Records  []Record
	Producer Producer
	Pictures []Picture
	More     []Card // from the same maker, at most eight
	Similar  []Card // of the same category, other makers, at most eight
	// Showrooms are the sales points of its province.
	Showrooms []Showroom
	Crumbs    []Crumb
	// Gate says that the product is for adults and the reader has not said to be one: only its name may be shown.
	Gate bool
}

// Producer is a maker (chủ thể).
type Producer struct {
	ID           int64
	Slug         string
	Name         string
	NameEN       string
	NameKnown    bool
	Kind         string // "company", "cooperative", "cooperative_group", "household" or ""
	ProvinceCode string
	ProvinceName string
	ProvinceEN   string
	ProvinceSlug string
	CommuneName  string // with its kind, of today; empty when not known
	CommuneEN    string
	PlaceText    string // as written
	OldProvince  string
	StoryVI      string
	StoryEN      string
	Demo         bool
	UpdatedAt    time.Time
}

// ProducerPage is everything on the page of a producer.
type ProducerPage struct {
	Producer
	Listing Listing
	Crumbs  []Crumb
}

// ProvincePage is everything on the page of a province.
type ProvincePage struct {
	geo.Province
	Former    []string // names of the provinces of before July 2025 that went into it, other than its own
	Listing   Listing
	Producers []Producer // most products first, at most twelve
	Showrooms []Showroom
	Crumbs    []Crumb
}

// Showroom is a sales point with the names of its place and whether it is open now.
type Showroom struct {
	showroom.Showroom
	ProvinceName   string
	ProvinceNameEN string
	ProvinceSlug   string
	Commune        geo.Commune
	OpenToday      showroom.Span // empty on a day it is closed
	OpenNow        bool
}

// ShowroomPage is everything on the page of a sales point.
type ShowroomPage struct {
	Showroom
	Goods  []Card // of its province, best first
	Crumbs []Crumb
}

// ProofProduct is a product that a certificate is about.
type ProofProduct struct {
	Card
	PlaceText   string // as written on the papers
	OldProvince string
	CommuneName string // of today, of the producer
	CommuneEN   string
	Published   bool
}

// Proof is the public answer about a certificate's code.
type Proof struct {
	Record
	Products []ProofProduct
	// History are the other certificates of the same products, newest first.
	History []Record
	// CheckedAt is when this was true.
	CheckedAt time.Time
}

// Link is an entry of the sitemap; Path is without the language prefix.
type Link struct {
	Path    string
	LastMod time.Time
}
