package certification_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"choocop.vn/ocop/internal/certification"
	"choocop.vn/ocop/internal/partner"
	"choocop.vn/ocop/internal/platform/clock"
	"choocop.vn/ocop/internal/testkit"
)

func TestCertificateThatLapsesIsToldOnceAfterItsLastDay(t *testing.T) {
	ctx := context.Background()
	d := testkit.DB(t)
	c := clock.Fixed(time.Date(2026, 11, 22, 23, 59, 0, 0, clock.HCM))
	stars := certification.New(d, c)
	who := testkit.Listener(t, d, partner.CertificateChanged)
	testkit.Product(t, d, testkit.WithName("Mật ong", "Honey"), testkit.WithStars(4, clock.NewDate(2026, 11, 22)))
	testkit.Product(t, d, testkit.WithName("Trà", "Tea"), testkit.WithStars(5, clock.NewDate(2026, 11, 23)))
	states := func() []string {
		var out []string
		for _, e := range testkit.Told(t, d, who) {
			_, state, _ := strings.Cut(e[2], `"state": "`)
			state, _, _ = strings.Cut(state, `"`)
			out = append(out, state)
		}
		return out
	}
	run := func() {
		t.Helper()
		if _, err := stars.TellLapsed(ctx, certification.TellLapsed{}); err != nil {
			t.Fatal(err)
		}
	}
	run() // the first day only sets the mark
	run()
	if got := states(); len(got) != 0 {
		t.Fatalf("on the last day: %v", got)
	}
	c.Advance(2 * time.Minute)
	run()
	run()
	if got := states(); !slices.Equal(got, []string{"expired"}) {
		t.Fatalf("after midnight: %v", got)
	}
	c.Advance(4 * 24 * time.Hour) // the program was off for days
	run()
	if got := states(); !slices.Equal(got, []string{"expired", "expired"}) {
		t.Fatalf("days later: %v", got)
	}
}

func TestRevocationIsToldInItsOwnTransaction(t *testing.T) {
	ctx := context.Background()
	d := testkit.DB(t)
	c := clock.Fixed(time.Date(2026, 11, 22, 10, 0, 0, 0, clock.HCM))
	stars := certification.New(d, c)
	who := testkit.Listener(t, d, partner.CertificateChanged)
	testkit.Product(t, d, testkit.WithStars(4, clock.NewDate(2027, 11, 22)))
	var code string
	testkit.Scan(t, d, &code, `SELECT code FROM certificate`)
	if err := stars.Revoke(ctx, code, clock.NewDate(2026, 11, 22), "Quyết định 12", "test"); err != nil {
		t.Fatal(err)
	}
	told := testkit.Told(t, d, who)
	if len(told) != 1 || told[0][1] != code || !strings.Contains(told[0][2], `"state": "revoked"`) || strings.Contains(told[0][2], "Quyết định") {
		t.Errorf("told %v", told)
	}
}
