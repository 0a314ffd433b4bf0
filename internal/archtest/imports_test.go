package archtest_test

import (
	"slices"
	"strings"
	"testing"
)

// levels is who stands above whom; an import points to a strictly lower level. The numbers are the
// architecture's levels times ten, so that a package may stand between two of them.
var levels = map[string]int{
	"templates": 0, "static": 0, "migrations": 0,

	"internal/platform/apperr": 10, "internal/platform/asset": 10, "internal/platform/clock": 10, "internal/platform/db": 10,
	"internal/platform/i18n": 10, "internal/platform/ident": 10, "internal/platform/job": 10, "internal/platform/money": 10,
	"internal/platform/page": 10, "internal/platform/redis": 10,
	// pdf makes documents for print, with the fonts for them.
	"internal/platform/pdf": 10,
	// sheet writes tables for spreadsheets in which no cell is a formula.
	"internal/platform/sheet": 10,
	// localpg starts a PostgreSQL of one's own for development and tests; it knows no business.
	"internal/platform/localpg": 10,

	"internal/audit": 20, "internal/media": 20, "internal/geo": 20,
	// partner holds API keys and outgoing webhooks; below all business, so that every domain may tell of its deeds.
	"internal/partner": 25,
	"internal/account": 30,
	"internal/notify":  40, "internal/producer": 40,
	"internal/catalog": 50, "internal/showroom": 50,
	"internal/certification": 60, "internal/inventory": 60,
	"internal/promo": 70, "internal/payment": 70,
	// intake reads files of products into producers, goods and certificates, so it stands above these three.
	"internal/intake": 70,
	"internal/fair":   80, "internal/cart": 80,
	"internal/order": 90,
	// reconcile finds the order that money pays for, and has order settle it.
	"internal/reconcile": 95,
	// shopper is what a person does with an account of their own; it closes accounts, so it knows what belongs to one.
	"internal/shopper": 95,
	"internal/pos":     100, "internal/review": 100,
	"internal/settlement": 110,
	// search gives ranked ids and storefront makes pages of them: both only read, and search never asks for a page.
	"internal/search":     115,
	"internal/storefront": 120, "internal/report": 120,
	"internal/adapter/blob": 120, "internal/adapter/mail": 120, "internal/adapter/sms": 120, "internal/adapter/stripe": 120, "internal/adapter/vietqr": 120,
	// testcard is the card provider of the demo market and the tests.
	"internal/adapter/testcard": 120,
	// webhook posts to partners' servers and to no others.
	"internal/adapter/webhook": 120,

	// front keeps and compresses whole pages before the site; the audiences tell it which, so it stands below them.
	"internal/web/front": 125,
	"internal/web/kit":   130,
	// starform is the form of a star decision, which producers and officers both fill in.
	"internal/web/starform": 135,
	"internal/web/shop":     140, "internal/web/seller": 140, "internal/web/pos": 140, "internal/web/office": 140, "internal/web/api": 140,
	"internal/web/hook": 140, "internal/worker": 140,
	// app takes a configuration and can load the demo market; neither knows app.
	"internal/config": 145,
	// demo fills an empty market with goods, pictures and stock through the domains' own verbs.
	"internal/demo": 145,
	"internal/app":  150, "internal/testkit": 150,
	// withservers runs a command beside a PostgreSQL and a Redis that end with it.
	"internal/testkit/withservers": 160,
	// bench measures the whole program; build tag bench.
	"internal/bench":    160,
	"internal/archtest": 160,
	// browsertest holds tests of the whole program in Chromium.
	"internal/browsertest": 160,
	"cmd/ocop":             160,
}

// fills is the domain whose interface an adapter implements, the only one it may know.
var fills = map[string]string{
	"internal/adapter/blob":     "internal/media",
	"internal/adapter/mail":     "internal/notify",
	"internal/adapter/sms":      "internal/notify",
	"internal/adapter/stripe":   "internal/payment",
	"internal/adapter/testcard": "internal/payment",
	"internal/adapter/vietqr":   "internal/payment",
	"internal/adapter/webhook":  "internal/partner",
}

const platform = "internal/platform"

func TestImportsPointDown(t *testing.T) {
	for _, s := range sources(t) {
		own, ok := levels[s.pkg]
		if !ok {
			t.Errorf("%s: package %s has no level: add it to levels and say why it exists", s.name, s.pkg)
			continue
		}
		ours, _ := s.imports()
		for _, i := range ours {
			if why := refused(s, own, i); why != "" {
				t.Errorf("%s imports %s: %s", s.name, i, why)
			}
		}
	}
}

// refused says why a file may not import one of our packages, or nothing.
func refused(s source, own int, i string) string {
	if s.test && (i == s.pkg || i == "internal/testkit" || fills[i] == s.pkg) {
		return ""
	}
	below, ok := levels[i]
	switch {
	case !ok:
		return "it has no level"
	case within(s.pkg, platform) && within(i, platform):
		return ""
	case below >= own:
		return "imports point strictly down, and two packages of one level never know each other"
	case s.test:
		return ""
	case within(s.pkg, "internal/adapter") && !within(i, platform) && i != fills[s.pkg]:
		return "an adapter knows the platform and the domain whose interface it fills"
	case s.pkg == "internal/web/kit" && !within(i, platform, "internal/account"):
		return "web/kit knows the platform and accounts, no audience's business"
	}
	return ""
}

// domain reports whether a package holds business rules, or reads them for pages.
func domain(pkg string) bool {
	l, ok := levels[pkg]
	return ok && l >= 20 && l <= 120 && !within(pkg, "internal/adapter")
}

// owners says which packages may use a library.
var owners = []struct {
	library string
	why     string
	may     func(s source) bool
}{
	{"gorm.io", "gorm belongs to platform/db and the domains", func(s source) bool {
		return s.pkg == "internal/platform/db" || domain(s.pkg)
	}},
	{"github.com/jackc/pgx", "the driver belongs to the platform and the tests' own servers", func(s source) bool {
		return within(s.pkg, "internal/platform/db", "internal/platform/job", "internal/platform/localpg", "internal/testkit")
	}},
	{"github.com/gin-gonic", "gin belongs to web and what carries it", speaksHTTP},
	{"net/http", "net/http belongs to web and what carries it", speaksHTTP},
	{"github.com/redis/go-redis", "go-redis belongs to platform/redis", func(s source) bool { return s.pkg == "internal/platform/redis" }},
	{"github.com/riverqueue", "river belongs to platform/job, its tables to platform/db", func(s source) bool {
		return within(s.pkg, "internal/platform/job", "internal/platform/db")
	}},
	{"github.com/pressly/goose", "migrations belong to platform/db", func(s source) bool { return s.pkg == "internal/platform/db" }},
	{"github.com/stripe", "stripe-go belongs to adapter/stripe", func(s source) bool { return s.pkg == "internal/adapter/stripe" }},
	{"github.com/signintech/gopdf", "documents for print are made with platform/pdf", func(s source) bool { return s.pkg == "internal/platform/pdf" }},
	{"github.com/chromedp", "a browser is driven by tests alone", func(s source) bool { return s.test || within(s.pkg, "internal/testkit") }},
	{"pgregory.net/rapid", "properties are drawn by tests alone", func(s source) bool { return s.test || within(s.pkg, "internal/testkit") }},
}

func speaksHTTP(s source) bool {
	return within(s.pkg, "internal/web", "internal/adapter", "internal/app", "cmd", "internal/testkit", "internal/bench")
}

func TestLibrariesHaveOneOwner(t *testing.T) {
	for _, s := range sources(t) {
		_, others := s.imports()
		for _, o := range owners {
			// Tests talk to whatever they try, except through what only production code may hold.
			if s.test || o.may(s) {
				continue
			}
			if i := slices.IndexFunc(others, func(p string) bool { return p == o.library || strings.HasPrefix(p, o.library+"/") }); i >= 0 {
				t.Errorf("%s imports %s: %s", s.name, others[i], o.why)
			}
		}
	}
}
