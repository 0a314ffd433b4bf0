package config_test

import (
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"choocop.vn/ocop/internal/config"
)

// bare takes every setting of ours out of the environment for one test.
func bare(t *testing.T, set map[string]string) {
	t.Helper()
	for _, kv := range os.Environ() {
		name, _, _ := strings.Cut(kv, "=")
		if strings.HasPrefix(name, "OCOP_") || strings.HasPrefix(name, "DATABASE_") || strings.HasPrefix(name, "REDIS_") {
			t.Setenv(name, "")
			if err := os.Unsetenv(name); err != nil {
				t.Fatal(err)
			}
		}
	}
	for name, value := range set {
		t.Setenv(name, value)
	}
}

func TestDevelopmentNeedsNoSettings(t *testing.T) {
	bare(t, nil)
	c, err := config.Read()
	if err != nil {
		t.Fatal(err)
	}
	if c.Addr != "localhost:8080" || c.BaseURL != "http://localhost:8080" || c.Data != ".data" || c.VietQRTTL != 15*time.Minute || c.InProduction() {
		t.Errorf("%+v", c)
	}
}

func TestAnAddressForAllNetworksStillHasAName(t *testing.T) {
	for _, addr := range []string{":8081", "0.0.0.0:8081", "[::]:8081"} {
		bare(t, map[string]string{"OCOP_ADDR": addr})
		c, err := config.Read()
		if err != nil || c.BaseURL != "http://localhost:8081" {
			t.Errorf("%s: %q, %v", addr, c.BaseURL, err)
		}
	}
}

func TestASecretMayComeFromAFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "url")
	if err := os.WriteFile(path, []byte("postgres://x\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	bare(t, map[string]string{"DATABASE_URL_FILE": path})
	c, err := config.Read()
	if err != nil || c.DatabaseURL != "postgres://x" {
		t.Errorf("%q, %v", c.DatabaseURL, err)
	}
	bare(t, map[string]string{"DATABASE_URL_FILE": path + "-missing"})
	if _, err := config.Read(); err == nil || !strings.Contains(err.Error(), "DATABASE_URL_FILE") {
		t.Errorf("a missing file is not named: %v", err)
	}
}

func TestProductionNamesEveryFaultAtOnce(t *testing.T) {
	bare(t, map[string]string{"OCOP_MODE": "production", "OCOP_DEMO": "true", "OCOP_LIVE": "true", "OCOP_SECRET": "short"})
	_, err := config.Read()
	if err == nil {
		t.Fatal("production starts without anything")
	}
	for _, name := range []string{"DATABASE_URL", "REDIS_URL", "OCOP_SECRET", "OCOP_BASE_URL", "OCOP_DEMO", "OCOP_LIVE"} {
		if !strings.Contains(err.Error(), name) {
			t.Errorf("%s is not named in: %v", name, err)
		}
	}
	bare(t, map[string]string{"OCOP_MODE": "production", "DATABASE_URL": "postgres://x", "REDIS_URL": "redis://x", "OCOP_BASE_URL": "https://cho.example/",
		"OCOP_SECRET": strings.Repeat("s", 32)})
	if c, err := config.Read(); err != nil || c.BaseURL != "https://cho.example" {
		t.Errorf("%q, %v", c.BaseURL, err)
	}
}

func TestWrongValuesAreNamed(t *testing.T) {
	for name, value := range map[string]string{"OCOP_MODE": "staging", "OCOP_VIETQR_TTL": "1s", "OCOP_BASE_URL": "cho.example", "OCOP_ADDR": "8080"} {
		bare(t, map[string]string{name: value})
		if _, err := config.Read(); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s=%s: %v", name, value, err)
		}
	}
}

func TestCardsAreTakenByWhomTheModeAllows(t *testing.T) {
	production := map[string]string{"OCOP_MODE": "production", "DATABASE_URL": "postgres://x", "REDIS_URL": "redis://x", "OCOP_BASE_URL": "https://cho.example",
		"OCOP_SECRET": strings.Repeat("s", 32)}
	for _, c := range []struct {
		mode, card, key, secret string
		want, fault             string
	}{
		{"development", "", "", "", "test", ""},
		{"production", "", "", "", "off", ""},
		{"production", "test", "", "", "", "OCOP_CARD"},
		{"development", "off", "", "", "off", ""},
		{"development", "paypal", "", "", "", "OCOP_CARD"},
		{"development", "stripe", "", "", "", "OCOP_STRIPE_KEY"},
		{"development", "stripe", "sk_test_1", "", "", "OCOP_STRIPE_WEBHOOK_SECRET"},
		{"development", "stripe", "sk_test_1", "whsec_1", "stripe", ""},
		{"development", "stripe", "sk_live_1", "whsec_1", "", "OCOP_STRIPE_KEY"},
		{"development", "stripe", "rk_live_1", "whsec_1", "", "OCOP_STRIPE_KEY"},
		{"production", "stripe", "sk_live_1", "whsec_1", "stripe", ""},
	} {
		set := map[string]string{}
		if c.mode == "production" {
			maps.Copy(set, production)
		}
		maps.Copy(set, map[string]string{"OCOP_CARD": c.card, "OCOP_STRIPE_KEY": c.key, "OCOP_STRIPE_WEBHOOK_SECRET": c.secret})
		bare(t, set)
		got, err := config.Read()
		if c.fault == "" && (err != nil || got.Card != c.want) || c.fault != "" && (err == nil || !strings.Contains(err.Error(), c.fault)) {
			t.Errorf("%+v: %q, %v", c, got.Card, err)
		}
		if err != nil && c.key != "" && strings.Contains(err.Error(), c.key) {
			t.Errorf("the key is printed: %v", err)
		}
	}
}

func TestTheSecretsOfStripeMayComeFromFiles(t *testing.T) {
	dir := t.TempDir()
	set := map[string]string{"OCOP_CARD": "stripe"}
	for name, value := range map[string]string{"OCOP_STRIPE_KEY": "sk_test_1", "OCOP_STRIPE_WEBHOOK_SECRET": "whsec_1"} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(value+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		set[name+"_FILE"] = path
	}
	bare(t, set)
	c, err := config.Read()
	if err != nil || c.Stripe.Key != "sk_test_1" || c.Stripe.WebhookSecret != "whsec_1" {
		t.Errorf("%+v, %v", c.Stripe, err)
	}
}
