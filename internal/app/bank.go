package app

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strings"

	"choocop.vn/ocop/internal/config"
)

// bankSecrets are those with which bank notices may be signed, the newest first. The demo market makes one of its own
// link secret, so that a transfer can be played through without any setting.
func bankSecrets(cfg config.Config, links []byte) []string {
	if set := strings.FieldsFunc(cfg.BankSecret, func(r rune) bool { return strings.ContainsRune(", \n\t", r) }); len(set) > 0 {
		return set
	}
	if cfg.InProduction() || !cfg.Demo {
		return nil
	}
	sum := sha256.Sum256(append([]byte("bank notices\x00"), links...))
	return []string{hex.EncodeToString(sum[:])}
}

// BankSecret is what a bank of the demo market signs with, for `ocop bank send`.
func BankSecret(cfg config.Config) (string, error) {
	if cfg.InProduction() {
		return "", errors.New("notices are made up in development only")
	}
	links, err := linkSecret(cfg)
	if err != nil {
		return "", err
	}
	cfg.Demo = true
	return bankSecrets(cfg, links)[0], nil
}
