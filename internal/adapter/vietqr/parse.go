package vietqr

import (
	"errors"
	"fmt"
	"strconv"

	"choocop.vn/ocop/internal/platform/money"
)

// Transfer is what a code asks for. A static code has no amount.
type Transfer struct {
	Account Account
	Amount  money.VND
	Memo    string
}

var errBroken = errors.New("vietqr: not a NAPAS transfer code")

// Parse reads a transfer code to an account and checks its checksum. Fields it does not
// know are skipped, as EMVCo demands.
func Parse(payload string) (Transfer, error) {
	if len(payload) < 8 || payload[len(payload)-8:len(payload)-4] != "6304" {
		return Transfer{}, errBroken
	}
	body, sum := payload[:len(payload)-4], payload[len(payload)-4:]
	if fmt.Sprintf("%04X", crc(body)) != sum {
		return Transfer{}, errors.New("vietqr: wrong checksum")
	}
	top, err := fields(body[:len(body)-4])
	if err != nil {
		return Transfer{}, err
	}
	if top["00"] != "01" || top["53"] != dong || top["58"] != "VN" {
		return Transfer{}, errBroken
	}
	var t Transfer
	if t.Account, err = merchant(top["38"]); err != nil {
		return Transfer{}, err
	}
	if t.Amount, err = amount(top); err != nil {
		return Transfer{}, err
	}
	more, err := fields(top["62"])
	t.Memo = more["08"]
	return t, err
}

func merchant(s string) (Account, error) {
	outer, err := fields(s)
	if err != nil || outer["00"] != napasAID || outer["02"] != toAccount {
		return Account{}, errBroken
	}
	inner, err := fields(outer["01"])
	if err != nil {
		return Account{}, err
	}
	a := Account{inner["00"], inner["01"]}
	return a, a.check()
}

func amount(top map[string]string) (money.VND, error) {
	s, has := top["54"]
	if dynamic := top["01"] == "12"; dynamic != has {
		return 0, errBroken
	}
	if !has {
		return 0, nil
	}
	n, err := strconv.ParseUint(s, 10, 63)
	if err != nil || n == 0 {
		return 0, errBroken
	}
	return money.VND(n), nil
}

// fields reads one level of tag, two-digit length and value. A tag may stand once.
func fields(s string) (map[string]string, error) {
	out := map[string]string{}
	for len(s) > 0 {
		if len(s) < 4 {
			return nil, errBroken
		}
		n, err := strconv.ParseUint(s[2:4], 10, 7)
		if err != nil || len(s) < 4+int(n) {
			return nil, errBroken
		}
		if _, twice := out[s[:2]]; twice {
			return nil, errBroken
		}
		out[s[:2]] = s[4 : 4+n]
		s = s[4+n:]
	}
	return out, nil
}
