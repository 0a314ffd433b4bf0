package certification

import (
	"context"
	"strings"

	"choocop.vn/ocop/internal/platform/apperr"
	"choocop.vn/ocop/internal/platform/clock"
	"choocop.vn/ocop/internal/platform/ident"
)

// CodePrefix begins the code of every certificate.
const CodePrefix = "OCOP-"

// Proof finds a certificate by its code as anyone may type it, with or without the prefix, dashes or capitals. It returns
// certification.code.required for nothing, certification.code.malformed for what no code looks like, and a NotFound
// certification.code.unknown for a code that was never given.
func (s *Service) Proof(ctx context.Context, code string) (Proof, error) {
	wanted, err := Canonical(code)
	if err != nil {
		return Proof{}, err
	}
	g := s.db.Read(ctx)
	r, ok, err := byCode(ctx, g, wanted)
	if err != nil {
		return Proof{}, err
	}
	if !ok {
		return Proof{}, &apperr.Error{Kind: apperr.NotFound, Field: "code", Key: "certification.code.unknown", Args: map[string]any{"code": wanted}}
	}
	products, err := named(ctx, g, r.ID)
	if err != nil {
		return Proof{}, err
	}
	on := clock.Today(s.clock)
	return Proof{Record: r, State: r.StateOn(on), On: on, Products: products}, nil
}

// Canonical brings a typed code to the form it is stored in: "ocop 7k4m92qx" becomes OCOP-7K4M-92QX.
func Canonical(code string) (string, error) {
	if strings.TrimSpace(code) == "" {
		return "", apperr.Field("code", "certification.code.required")
	}
	c := strings.TrimPrefix(ident.Normalise(code), strings.TrimSuffix(CodePrefix, "-"))
	if len(c) != 8 {
		return "", apperr.Field("code", "certification.code.malformed")
	}
	return CodePrefix + c[:4] + "-" + c[4:], nil
}
