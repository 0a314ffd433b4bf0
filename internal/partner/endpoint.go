package partner

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"choocop.vn/ocop/internal/platform/apperr"
	"choocop.vn/ocop/internal/platform/db"
	"choocop.vn/ocop/internal/platform/ident"
)

// MaxEndpoints is how many endpoints a partner may have.
const MaxEndpoints = 10

// EndpointRequest is an address that wants to be told. No kinds means all.
type EndpointRequest struct {
	PartnerID int64
	URL       string
	Kinds     []string
}

// AddEndpoint takes an address in and returns the secret its letters are signed with, which is never shown again. Faults:
// partner.url.invalid, partner.url.https, partner.url.private, partner.kinds.unknown; Conflict partner.endpoints.many;
// NotFound partner.unknown.
func (s *Service) AddEndpoint(ctx context.Context, r EndpointRequest, actor string) (Endpoint, string, error) {
	var faults apperr.List
	address, fault := s.address(r.URL)
	if fault != nil {
		faults = append(faults, fault)
	}
	kinds := slices.Compact(slices.Sorted(slices.Values(r.Kinds)))
	if len(kinds) == 0 {
		kinds = slices.Clone(Kinds)
	}
	for _, k := range kinds {
		if !slices.Contains(Kinds, k) {
			faults = append(faults, apperr.Field("kinds", "partner.kinds.unknown", "kind", k))
			break
		}
	}
	if err := faults.Err(); err != nil {
		return Endpoint{}, "", err
	}
	e := Endpoint{Code: "hook_" + ident.Code(12), PartnerID: r.PartnerID, URL: address, Kinds: kinds, State: EndpointActive, CreatedAt: s.clock.Now()}
	raw := make([]byte, 32)
	rand.Read(raw)
	sealed, err := s.seal(raw, e.Code)
	if err != nil {
		return Endpoint{}, "", wrap("add endpoint", err)
	}
	err = s.db.InTx(ctx, func(tx db.Tx) error {
		n, ok, err := lockPartner(ctx, tx, r.PartnerID)
		switch {
		case err != nil || !ok:
			return orUnknown(err, "partner.unknown")
		case n >= MaxEndpoints:
			return apperr.New(apperr.Conflict, "partner.endpoints.many", "max", MaxEndpoints)
		}
		if err := insertEndpoint(ctx, tx, e, sealed); err != nil {
			return err
		}
		return record(ctx, tx, actor, "webhook_endpoint.add", "webhook_endpoint", e.Code, map[string]any{"partner": e.PartnerID, "kinds": e.Kinds})
	})
	if err != nil {
		return Endpoint{}, "", wrap("add endpoint", err)
	}
	return e, secretHead + base64.StdEncoding.EncodeToString(raw), nil
}

// address checks what can be checked without looking the name up: the guard against private networks stands where the
// connection is made, because a name may lead elsewhere a moment later.
func (s *Service) address(text string) (string, *apperr.Error) {
	text = strings.TrimSpace(text)
	u, err := url.Parse(text)
	if err != nil || len(text) > 500 || u.Hostname() == "" || u.User != nil || u.Fragment != "" || u.Scheme != "https" && u.Scheme != "http" {
		return "", apperr.Field("url", "partner.url.invalid")
	}
	host := strings.TrimSuffix(strings.ToLower(u.Hostname()), ".")
	ip, err := netip.ParseAddr(host)
	here := host == "localhost" || strings.HasSuffix(host, ".localhost") || err == nil && ip.Unmap().IsLoopback()
	switch {
	case here && s.cfg.Local:
		return text, nil
	case u.Scheme != "https":
		return "", apperr.Field("url", "partner.url.https")
	case here || err == nil && !Public(ip):
		return "", apperr.Field("url", "partner.url.private")
	case err != nil && net.ParseIP(host) == nil && !strings.Contains(host, "."):
		return "", apperr.Field("url", "partner.url.invalid")
	}
	return text, nil
}

// reserved are the networks beyond private, loopback and link-local ones that lead to nobody's public server, or through
// a translator to any of those.
var reserved = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"), netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("192.0.0.0/24"),
	netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("192.88.99.0/24"), netip.MustParsePrefix("198.18.0.0/15"),
	netip.MustParsePrefix("198.51.100.0/24"), netip.MustParsePrefix("203.0.113.0/24"), netip.MustParsePrefix("240.0.0.0/4"),
	netip.MustParsePrefix("64:ff9b::/96"), netip.MustParsePrefix("64:ff9b:1::/48"), netip.MustParsePrefix("100::/64"),
	netip.MustParsePrefix("2001::/23"), netip.MustParsePrefix("2001:db8::/32"), netip.MustParsePrefix("2002::/16"),
	netip.MustParsePrefix("::/96"), netip.MustParsePrefix("fec0::/10"),
}

// Public reports whether an address is one of the open internet, so that no webhook reaches our own servers.
func Public(ip netip.Addr) bool {
	ip = ip.Unmap().WithZone("")
	if !ip.IsGlobalUnicast() || ip.IsPrivate() {
		return false
	}
	return !slices.ContainsFunc(reserved, func(p netip.Prefix) bool { return p.Contains(ip) })
}

// Endpoints lists the endpoints of a partner, the newest first.
func (s *Service) Endpoints(ctx context.Context, partnerID int64) ([]Endpoint, error) {
	all, err := endpointsOf(ctx, s.db.Primary(ctx), partnerID, "")
	return all, wrap("endpoints", err)
}

// Endpoint returns one of a partner's endpoints. NotFound partner.endpoint.unknown, also for another's.
func (s *Service) Endpoint(ctx context.Context, partnerID int64, code string) (Endpoint, error) {
	all, err := endpointsOf(ctx, s.db.Primary(ctx), partnerID, code)
	if err != nil || len(all) == 0 {
		return Endpoint{}, wrap("endpoint", orUnknown(err, "partner.endpoint.unknown"))
	}
	return all[0], nil
}

// RemoveEndpoint tells an address nothing more, for good. NotFound partner.endpoint.unknown.
func (s *Service) RemoveEndpoint(ctx context.Context, partnerID int64, code, actor string) error {
	return s.change(ctx, partnerID, code, actor, "remove", removeEndpoint)
}

// Pause stops deliveries to an endpoint: what waits keeps waiting, what happens meanwhile is not kept for it.
func (s *Service) Pause(ctx context.Context, partnerID int64, code, actor string) error {
	return s.change(ctx, partnerID, code, actor, "pause", pauseEndpoint)
}

// Resume starts deliveries again, with what still waits first. See RedeliverFailed for what was given up. Resuming an
// active endpoint changes nothing.
func (s *Service) Resume(ctx context.Context, partnerID int64, code, actor string) error {
	return s.change(ctx, partnerID, code, actor, "resume", func(ctx context.Context, tx db.Tx, partnerID int64, code string) (bool, error) {
		ok, err := resumeEndpoint(ctx, tx, partnerID, code, s.clock.Now())
		if err != nil || !ok {
			return ok, err
		}
		return true, wake(ctx, tx)
	})
}

func (s *Service) change(ctx context.Context, partnerID int64, code, actor, verb string, do func(context.Context, db.Tx, int64, string) (bool, error)) error {
	return wrap(verb, s.db.InTx(ctx, func(tx db.Tx) error {
		if ok, err := do(ctx, tx, partnerID, code); err != nil || !ok {
			return orUnknown(err, "partner.endpoint.unknown")
		}
		return record(ctx, tx, actor, "webhook_endpoint."+verb, "webhook_endpoint", code, nil)
	}))
}

// secretHead begins every signing secret, as Standard Webhooks has it.
const secretHead = "whsec_"

// seal encrypts an endpoint's secret; the endpoint's code is bound in, so that a sealed secret fits no other row.
func (s *Service) seal(secret []byte, code string) ([]byte, error) {
	box, err := s.box()
	if err != nil {
		return nil, err
	}
	nonce := make([]byte, box.NonceSize())
	rand.Read(nonce)
	return box.Seal(nonce, nonce, secret, []byte(code)), nil
}

func (s *Service) unseal(sealed []byte, code string) ([]byte, error) {
	box, err := s.box()
	if err != nil {
		return nil, err
	}
	if len(sealed) < box.NonceSize() {
		return nil, errors.New("sealed secret is too short")
	}
	secret, err := box.Open(nil, sealed[:box.NonceSize()], sealed[box.NonceSize():], []byte(code))
	if err != nil {
		return nil, fmt.Errorf("secret of %s does not open; was OCOP_SECRET changed?", code)
	}
	return secret, nil
}

func (s *Service) box() (cipher.AEAD, error) {
	block, err := aes.NewCipher(s.cfg.Secret)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}
