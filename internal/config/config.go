// Package config is the one struct of settings, read from the environment and checked at start.
//
// Each secret may be given as NAME or, as NAME_FILE, by the path of a file that holds it.
package config

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/caarlos0/env/v11"
)

// Modes of running.
const (
	Development = "development"
	Production  = "production"
)

// Config is every setting of the program; README holds the same table for people.
type Config struct {
	Addr        string `env:"OCOP_ADDR" envDefault:"localhost:8080"`
	Data        string `env:"OCOP_DATA" envDefault:".data"`
	Mode        string `env:"OCOP_MODE" envDefault:"development"`
	BaseURL     string `env:"OCOP_BASE_URL"`
	DatabaseURL string `env:"DATABASE_URL"`
	ReadURL     string `env:"DATABASE_READ_URL"`
	RedisURL    string `env:"REDIS_URL"`
	Secret      string `env:"OCOP_SECRET"`
	BankSecret  string `env:"OCOP_BANK_SECRET"` // several with commas between: the newest first
	SMTPURL     string `env:"OCOP_SMTP_URL"`
	MailFrom    string `env:"OCOP_MAIL_FROM" envDefault:"Chợ OCOP <khong-tra-loi@choocop.example>"`
	SMSURL      string `env:"OCOP_SMS_URL"`
	SMSKey      string `env:"OCOP_SMS_KEY"`
	// CodesPerDay is how many codes one phone number or e-mail gets in a day, CodesPerAddress how many are sent for one network address.
	CodesPerDay     int           `env:"OCOP_CODES_PER_DAY" envDefault:"10"`
	CodesPerAddress int           `env:"OCOP_CODES_PER_ADDRESS" envDefault:"300"`
	VietQRTTL       time.Duration `env:"OCOP_VIETQR_TTL" envDefault:"15m"`
	// PageCache is how long a page that is the same for everyone is kept in memory; 0 keeps none.
	PageCache time.Duration `env:"OCOP_PAGE_CACHE" envDefault:"3s"`
	// Card says who takes cards; Read chooses the test gateway in development and none in production.
	Card   string `env:"OCOP_CARD"`
	Stripe Stripe
	// CardTransfers passes sellers' shares on to their connected accounts.
	CardTransfers bool     `env:"OCOP_CARD_TRANSFERS"`
	LogLevel      string   `env:"OCOP_LOG" envDefault:"info"`
	OTLP          string   `env:"OCOP_OTLP_ENDPOINT"`
	MetricsAddr   string   `env:"OCOP_METRICS_ADDR"`
	Proxies       []string `env:"OCOP_TRUSTED_PROXIES"`
	Demo          bool     `env:"OCOP_DEMO"`
	Live          bool     `env:"OCOP_LIVE"` // read pages and styles from the working folder on each request
	Operator      Operator
}

// Who may take cards.
const (
	CardOff    = "off"
	CardTest   = "test"
	CardStripe = "stripe"
)

// Stripe is what Stripe hands out.
type Stripe struct {
	Key           string `env:"OCOP_STRIPE_KEY"`
	WebhookSecret string `env:"OCOP_STRIPE_WEBHOOK_SECRET"`
}

// Operator is who runs the platform; the e-commerce law wants it on every page (NĐ 248/2026, Art. 4).
type Operator struct {
	Name    string `env:"OCOP_OPERATOR_NAME" envDefault:"Trung tâm Xúc tiến thương mại (bản chạy thử)"`
	Address string `env:"OCOP_OPERATOR_ADDRESS"`
	TaxCode string `env:"OCOP_OPERATOR_TAX_CODE"`
	Phone   string `env:"OCOP_OPERATOR_PHONE"`
	Email   string `env:"OCOP_OPERATOR_EMAIL" envDefault:"lien-he@choocop.example"`
}

var secrets = []string{"DATABASE_URL", "DATABASE_READ_URL", "REDIS_URL", "OCOP_SECRET", "OCOP_BANK_SECRET", "OCOP_SMS_KEY", "OCOP_SMTP_URL", "OCOP_STRIPE_KEY", "OCOP_STRIPE_WEBHOOK_SECRET"}

// Read takes the settings from the environment. Every fault is named at once.
func Read() (Config, error) {
	vars := map[string]string{}
	for _, kv := range os.Environ() {
		name, value, _ := strings.Cut(kv, "=")
		vars[name] = value
	}
	for _, name := range secrets {
		path := vars[name+"_FILE"]
		if path == "" || vars[name] != "" {
			continue
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return Config{}, fmt.Errorf("config: %s_FILE: %w", name, err)
		}
		vars[name] = strings.TrimSpace(string(data))
	}
	var c Config
	if err := env.ParseWithOptions(&c, env.Options{Environment: vars}); err != nil {
		return Config{}, fmt.Errorf("config: %w", err)
	}
	if c.BaseURL == "" && !c.InProduction() {
		host, port, err := net.SplitHostPort(c.Addr)
		if err != nil {
			return c, fmt.Errorf("config: OCOP_ADDR %q must look like localhost:8080", c.Addr)
		}
		if host == "" || host == "0.0.0.0" || host == "::" {
			host = "localhost"
		}
		c.BaseURL = "http://" + net.JoinHostPort(host, port)
	}
	c.BaseURL = strings.TrimSuffix(c.BaseURL, "/")
	if c.Card == "" {
		c.Card = CardTest
		if c.InProduction() {
			c.Card = CardOff
		}
	}
	return c, c.check()
}

// InProduction reports whether conveniences of development are off.
func (c Config) InProduction() bool { return c.Mode == Production }

func (c Config) check() error {
	var faults []error
	fault := func(format string, args ...any) { faults = append(faults, fmt.Errorf("config: "+format, args...)) }
	if c.Mode != Development && c.Mode != Production {
		fault("OCOP_MODE is %q; it may be %q or %q", c.Mode, Development, Production)
	}
	if u, err := url.Parse(c.BaseURL); err != nil || u.Host == "" || u.Path != "" {
		fault("OCOP_BASE_URL %q must look like https://example.vn; in production it has to be set", c.BaseURL)
	}
	if c.VietQRTTL < time.Minute || c.VietQRTTL > 24*time.Hour {
		fault("OCOP_VIETQR_TTL %s must lie between 1m and 24h", c.VietQRTTL)
	}
	if c.CodesPerDay < 1 || c.CodesPerAddress < 1 {
		fault("OCOP_CODES_PER_DAY %d and OCOP_CODES_PER_ADDRESS %d must be at least 1", c.CodesPerDay, c.CodesPerAddress)
	}
	if c.PageCache < 0 || c.PageCache > 5*time.Second {
		fault("OCOP_PAGE_CACHE %s must lie between 0s and 5s: stock and prices on a page may be that old", c.PageCache)
	}
	for secret := range strings.FieldsFuncSeq(c.BankSecret, func(r rune) bool { return strings.ContainsRune(", \n\t", r) }) {
		if len(secret) < 32 {
			fault("OCOP_BANK_SECRET needs at least 32 characters; for example from `openssl rand -hex 32`")
		}
	}
	if c.InProduction() {
		if c.DatabaseURL == "" {
			fault("DATABASE_URL is needed in production")
		}
		if c.RedisURL == "" {
			fault("REDIS_URL is needed in production; the built-in Redis is for development only")
		}
		if len(c.Secret) < 32 {
			fault("OCOP_SECRET is needed in production, at least 32 characters; for example from `openssl rand -base64 48`")
		}
		if c.Live {
			fault("OCOP_LIVE is for development")
		}
		if c.Demo {
			fault("OCOP_DEMO cannot be on in production")
		}
	}
	c.checkCards(fault)
	return errors.Join(faults...)
}

func (c Config) checkCards(fault func(string, ...any)) {
	switch c.Card {
	case CardOff:
	case CardTest:
		if c.InProduction() {
			fault("OCOP_CARD is test, whose money is not real; in production it may be %q or %q", CardStripe, CardOff)
		}
	case CardStripe:
		if c.Stripe.Key == "" || c.Stripe.WebhookSecret == "" {
			fault("OCOP_STRIPE_KEY and OCOP_STRIPE_WEBHOOK_SECRET are needed when OCOP_CARD is stripe")
		}
		if live := strings.HasPrefix(c.Stripe.Key, "sk_live_") || strings.HasPrefix(c.Stripe.Key, "rk_live_"); live && !c.InProduction() {
			fault("OCOP_STRIPE_KEY moves real money; development takes keys that begin with sk_test_")
		}
	default:
		fault("OCOP_CARD is %q; it may be %q, %q or %q", c.Card, CardStripe, CardTest, CardOff)
	}
}
